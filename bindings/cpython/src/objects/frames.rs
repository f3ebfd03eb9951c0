//! Frames and generators: variables and value stacks, in frame objects and in the interpreter's own frames.

use crate::layout::{CodeForm, FrameForm, FrameTop, GeneratorForm, Layout, StackDepth};
use crate::memory::{ReadMemory, Unreadable, word_at};

use super::bounds;
use super::content::Content;
use super::examine::Examiner;
use super::program::CodeSlots;
use super::types::TypeInfo;
use super::visit::{Extent, Step, Visitor};

/// An interpreter's own frame that is running or suspended (`_PyInterpreterFrame`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunningFrame {
    /// The frame, or up to 3.10 the frame object.
    pub address: u64,
    /// Its code object.
    pub code: u64,
    /// The calling frame, or 0.
    pub previous: u64,
}

impl Examiner<'_> {
    /// The frame at `address` (3.11 and later); `None` when it stands for C code.
    pub fn running_frame<M: ReadMemory>(
        &self,
        memory: &mut M,
        address: u64,
    ) -> Result<(Option<RunningFrame>, u64), Unreadable> {
        let at = self.layout.frame;
        let bytes = memory.read(address, at.size as usize)?;
        let previous = word_at(bytes, at.previous);
        let owner = bytes.get(at.owner as usize).copied().unwrap_or(u8::MAX);
        if owner >= at.first_c_owner {
            return Ok((None, previous));
        }
        let code = word_at(bytes, at.code) & !at.slot_bits;
        Ok((
            Some(RunningFrame {
                address,
                code,
                previous,
            }),
            previous,
        ))
    }

    /// Tells what an interpreter's frame holds: its code, its namespaces, its variables and its value stack.
    pub fn frame<M: ReadMemory, V: Visitor<M>>(
        &mut self,
        memory: &mut M,
        address: u64,
        visitor: &mut V,
    ) -> Result<(), Unreadable> {
        bounds::object(address)?;
        let at = self.layout.frame;
        let (Some(frame), _) = self.running_frame(memory, address)? else {
            return Ok(());
        };
        let slots = self.code_slots(memory, frame.code)?;
        let first = address + at.localsplus;
        let room = slots.variables + slots.stack;
        let live = match at.top {
            FrameTop::Count(offset) => match memory.half(address + offset)? as i32 {
                count if count >= 0 => Some((count as u64).min(room)),
                _ => None,
            },
            FrameTop::Pointer(offset) => match memory.word(address + offset)? {
                top if (first..=first + 8 * room).contains(&top) => Some((top - first) / 8),
                _ => None,
            },
        };
        self.variables(
            memory,
            first,
            live.unwrap_or(slots.variables),
            &slots,
            at.slot_bits,
            visitor,
        )?;
        if live.is_none() {
            let stack = first + 8 * slots.variables;
            self.stack_of_unknown_depth(memory, stack, slots.stack, at.slot_bits, visitor)?;
        }
        visitor.reference(Step::Field(super::types::FieldName::Known("f_code")), frame.code);
        for &(name, offset) in at.references {
            let word = memory.word(address + offset)?;
            if let Some(target) = slot_target(word, at.slot_bits) {
                visitor.reference(Step::Field(super::types::FieldName::Known(name)), target);
            }
        }
        let object = memory.word(address + at.frame_obj)?;
        if object != 0 {
            visitor.reference(Step::Field(super::types::FieldName::Known("f_frame")), object);
        }
        Ok(())
    }

    pub(super) fn frame_object<M: ReadMemory, V: Visitor<M>>(
        &mut self,
        memory: &mut M,
        address: u64,
        visitor: &mut V,
    ) -> Result<Extent, Unreadable> {
        let at = self.layout.frame_object;
        self.named(memory, address, at.references, visitor)?;
        match at.form {
            FrameForm::Inline {
                code,
                localsplus,
                value_stack,
                depth,
                ..
            } => {
                let code = memory.word(address + code)?;
                let slots = self.code_slots(memory, code)?;
                let first = address + localsplus;
                self.variables(memory, first, slots.variables, &slots, 0, visitor)?;
                let stack = memory.word(address + value_stack)?;
                self.value_stack(
                    memory,
                    address,
                    first + 8 * slots.variables,
                    stack,
                    depth,
                    &slots,
                    visitor,
                )?;
                let room = (slots.variables + slots.stack).saturating_sub(1);
                Ok(Extent::single(at.size + 8 * room))
            }
            FrameForm::Pointer { frame, own_data } => {
                let frame = memory.word(address + frame)?;
                // A frame that still runs on a thread is told with the thread; its variables are the same.
                self.frame(memory, frame, visitor)?;
                let code = memory.word(frame.wrapping_add(self.layout.frame.code))? & !self.layout.frame.slot_bits;
                let slots = self.frame_slots(memory, code)?;
                Ok(Extent::single(own_data + self.layout.frame.localsplus + 8 * slots))
            }
        }
    }

    /// The value stack of a frame object (3.8 to 3.10).
    #[expect(
        clippy::too_many_arguments,
        reason = "the parts of a frame, each read once by the caller"
    )]
    fn value_stack<M: ReadMemory, V: Visitor<M>>(
        &mut self,
        memory: &mut M,
        address: u64,
        expected: u64,
        stack: u64,
        depth: StackDepth,
        slots: &CodeSlots,
        visitor: &mut V,
    ) -> Result<(), Unreadable> {
        if stack != expected {
            return Err(Unreadable::Implausible {
                what: "frame",
                at: address,
            });
        }
        let live = match depth {
            StackDepth::Top { top, executing } => match memory.word(address + top)? {
                top if top >= stack => Some((top - stack) / 8),
                // NULL, or a mark of the recorder's (`crate::marks`).
                _ if memory.byte(address + executing)? == 0 => Some(0),
                _ => None,
            },
            StackDepth::Count(offset) => match memory.half(address + offset)? as i32 {
                count if count >= 0 => Some(count as u64),
                _ => None,
            },
        };
        match live {
            Some(live) => {
                for index in 0..live.min(slots.stack) {
                    let target = memory.word(stack + 8 * index)?;
                    if target != 0 {
                        visitor.reference(Step::Stack, target);
                    }
                }
                Ok(())
            }
            None => self.stack_of_unknown_depth(memory, stack, slots.stack, 0, visitor),
        }
    }

    /// The value stack of a frame that runs, `room` slots from `stack` on: only the machine's registers know how many of
    /// them are in use.
    fn stack_of_unknown_depth<M: ReadMemory, V: Visitor<M>>(
        &mut self,
        memory: &mut M,
        stack: u64,
        room: u64,
        slot_bits: u64,
        visitor: &mut V,
    ) -> Result<(), Unreadable> {
        self.bounds.block(memory, stack, 8 * room)?;
        for index in 0..room {
            let word = memory.word(stack + 8 * index)?;
            if let Some(target) = slot_target(word, slot_bits) {
                visitor.perhaps_left(memory, target);
            }
        }
        Ok(())
    }

    pub(super) fn generator<M: ReadMemory, V: Visitor<M>>(
        &mut self,
        memory: &mut M,
        info: &TypeInfo,
        address: u64,
        visitor: &mut V,
    ) -> Result<Extent, Unreadable> {
        let at = self.layout.generator;
        self.named(memory, address, at.references, visitor)?;
        if info.content == Content::Coroutine {
            self.named(memory, address, &[("origin", at.origin_or_finalizer)], visitor)?;
        }
        match at.form {
            GeneratorForm::Object { frame } => {
                self.named(memory, address, &[("gi_frame", frame)], visitor)?;
                Ok(Extent::single(info.basicsize))
            }
            GeneratorForm::Embedded { frame, state, cleared } => {
                let place = address + frame;
                let code = memory.word(place + self.layout.frame.code)? & !self.layout.frame.slot_bits;
                if (memory.byte(address + state)? as i8) < cleared {
                    self.frame(memory, place, visitor)?;
                } else if code != 0 {
                    // All else of a finished frame is gone.
                    visitor.reference(Step::Field(super::types::FieldName::Known("gi_code")), code);
                }
                let slots = self.frame_slots(memory, code)?;
                Ok(Extent::single(frame + self.layout.frame.localsplus + 8 * slots))
            }
        }
    }

    /// How many slots a frame of the code at `code` is made with (3.11 and later).
    fn frame_slots<M: ReadMemory>(&self, memory: &mut M, code: u64) -> Result<u64, Unreadable> {
        if let CodeForm::LocalsPlus {
            frame_size: Some(frame_size),
            ..
        } = self.layout.code.form
        {
            let words = u64::from(memory.half(code.wrapping_add(frame_size))?);
            return Ok(words.saturating_sub((self.layout.frame.size / 8).saturating_sub(1)));
        }
        let slots = self.code_slots(memory, code)?;
        Ok(slots.variables + slots.stack)
    }

    /// Tells `live` slots from `first`, by name as long as there are names.
    fn variables<M: ReadMemory, V: Visitor<M>>(
        &mut self,
        memory: &mut M,
        first: u64,
        live: u64,
        slots: &CodeSlots,
        slot_bits: u64,
        visitor: &mut V,
    ) -> Result<(), Unreadable> {
        self.bounds.block(memory, first, 8 * live)?;
        let names = self.variable_names(memory, slots)?;
        for index in 0..live {
            let word = memory.word(first + 8 * index)?;
            let Some(target) = slot_target(word, slot_bits) else {
                continue;
            };
            let step = match names.get(index as usize) {
                Some(&name) if index < slots.variables => Step::Local(name),
                _ => Step::Stack,
            };
            visitor.reference(step, target);
        }
        Ok(())
    }

    pub(super) fn variable_names<M: ReadMemory>(
        &self,
        memory: &mut M,
        slots: &CodeSlots,
    ) -> Result<Vec<u64>, Unreadable> {
        let mut names = Vec::new();
        for tuple in slots.names.into_iter().filter(|&tuple| tuple != 0) {
            let left = slots.variables.saturating_sub(names.len() as u64);
            let count = memory.word(tuple.wrapping_add(self.layout.object.ob_size))?.min(left);
            let bytes = memory.read(tuple.wrapping_add(self.layout.tuple.items), (8 * count) as usize)?;
            names.extend(bytes.chunks_exact(8).map(|word| word_at(word, 0)));
        }
        Ok(names)
    }
}

/// A call that a generator or coroutine is in the middle of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SuspendedCall {
    /// Its frame, or up to 3.10 its frame object.
    pub frame: u64,
    /// Its code object.
    pub code: u64,
}

/// The call that the generator or coroutine at `address` is in the middle of; `None` when it has ended.
pub fn suspended_call<M: ReadMemory>(
    memory: &mut M,
    layout: &Layout,
    address: u64,
) -> Result<Option<SuspendedCall>, Unreadable> {
    let (frame, code) = match layout.generator.form {
        GeneratorForm::Object { frame } => {
            let frame = memory.word(address.wrapping_add(frame))?;
            match layout.frame_object.form {
                FrameForm::Inline { code, .. } if frame != 0 => (frame, memory.word(frame.wrapping_add(code))?),
                _ => return Ok(None),
            }
        }
        GeneratorForm::Embedded { frame, state, cleared } => {
            let frame = address.wrapping_add(frame);
            if memory.byte(address.wrapping_add(state))? as i8 >= cleared {
                return Ok(None);
            }
            let code = memory.word(frame.wrapping_add(layout.frame.code))?;
            (frame, code & !layout.frame.slot_bits)
        }
    };
    Ok((code != 0).then_some(SuspendedCall { frame, code }))
}

/// The object that a frame's slot refers to, if any (`_PyStackRef`, pycore_stackref.h).
fn slot_target(word: u64, bits: u64) -> Option<u64> {
    let target = word & !bits;
    (target != 0 && (bits == 0 || word & bits != bits)).then_some(target)
}
