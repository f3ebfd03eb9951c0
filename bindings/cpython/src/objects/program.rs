//! Types, modules and code objects: the objects that a program itself is made of.

use crate::layout::{CodeCache, CodeForm, ModuleStateSize, StaticTypes};
use crate::memory::{ReadMemory, Unreadable, half_at, word_at};

use super::dict::KeysHeader;
use super::examine::Examiner;
use super::types::{FieldName, TypeInfo, flags};
use super::visit::{Extent, Step, Visitor};

/// The largest module state that is looked through.
const LARGEST_STATE: u64 = 1 << 20;
/// A code object is not believed to be longer than this.
const LARGEST_CODE: u64 = 1 << 30;
/// A class's instances share no more names than this.
const MOST_SHARED_NAMES: u64 = 4096;

impl Examiner<'_> {
    pub(super) fn type_object<M: ReadMemory, V: Visitor<M>>(
        &mut self,
        memory: &mut M,
        info: &TypeInfo,
        address: u64,
        visitor: &mut V,
    ) -> Result<Extent, Unreadable> {
        let at = self.layout.types;
        let tp_flags = memory.word(address + at.flags)?;
        self.named(
            memory,
            address,
            &[
                ("__bases__", at.bases),
                ("__mro__", at.mro),
                ("__base__", at.base),
                ("tp_cache", at.cache),
            ],
            visitor,
        )?;
        if tp_flags & flags::STATIC_BUILTIN != 0 {
            self.static_type_state(memory, address, visitor)?;
        } else {
            self.named(
                memory,
                address,
                &[("__dict__", at.dict), ("__subclasses__", at.subclasses)],
                visitor,
            )?;
        }
        if tp_flags & flags::HEAPTYPE == 0 {
            return Ok(Extent::single(at.size));
        }
        let names = [
            ("__name__", at.ht_name),
            ("__qualname__", at.ht_qualname),
            ("__slots__", at.ht_slots),
        ];
        self.named(memory, address, &names, visitor)?;
        if let Some(module) = at.ht_module {
            self.named(memory, address, &[("module", module)], visitor)?;
        }
        let mut extent = Extent::single(at.heap_size);
        // Behind it stand the `PyMemberDef`s of its slots, `ob_size` of them and an empty one.
        let members = memory.word(address + self.layout.object.ob_size)?.min(1 << 16);
        extent.own = info.basicsize + (members + 1) * info.itemsize;
        let cached = memory.word(address + at.ht_cached_keys)?;
        if cached != 0 {
            let table = KeysHeader::read(memory, &self.layout.keys, cached)?;
            extent.counted += table.bytes;
            extent.tables += self.blocks.size(memory, cached, table.bytes);
            let count = table.used_entries.min(MOST_SHARED_NAMES);
            let size = table.kind.size();
            let bytes = memory.read(table.entries, (count * size) as usize)?;
            let keys: Vec<u64> = bytes
                .chunks_exact(size as usize)
                .map(|entry| word_at(entry, table.kind.key()))
                .collect();
            for key in keys.into_iter().filter(|&key| key != 0) {
                visitor.reference(Step::Key, key);
            }
        }
        Ok(extent)
    }

    /// Tells the dict and the subclasses that every interpreter keeps for a static type (`managed_static_type_state`).
    fn static_type_state<M: ReadMemory, V: Visitor<M>>(
        &mut self,
        memory: &mut M,
        address: u64,
        visitor: &mut V,
    ) -> Result<(), Unreadable> {
        let StaticTypes::InInterpreter {
            builtins,
            builtins_count,
            extensions,
            size,
            type_,
            dict,
            subclasses,
            ..
        } = self.layout.static_types
        else {
            return Ok(());
        };
        // The type's `tp_subclasses` holds its index plus one; extension modules' types go on where the others end.
        let index = memory.word(address + self.layout.types.subclasses)?.wrapping_sub(1);
        for interpreter in self.interpreters.clone() {
            let state = if index < builtins_count {
                interpreter.wrapping_add(builtins + index * size)
            } else {
                match extensions {
                    Some((start, count)) if index - builtins_count < count => {
                        interpreter.wrapping_add(start + (index - builtins_count) * size)
                    }
                    _ => continue,
                }
            };
            if memory.word(state.wrapping_add(type_))? == address {
                self.named(
                    memory,
                    state,
                    &[("__dict__", dict), ("__subclasses__", subclasses)],
                    visitor,
                )?;
            }
        }
        Ok(())
    }

    pub(super) fn module<M: ReadMemory, V: Visitor<M>>(
        &mut self,
        memory: &mut M,
        info: &TypeInfo,
        address: u64,
        visitor: &mut V,
    ) -> Result<Extent, Unreadable> {
        let at = self.layout.module;
        self.named(
            memory,
            address,
            &[("__dict__", at.dict), ("__name__", at.name)],
            visitor,
        )?;
        let mut extent = Extent::single(info.basicsize);
        let state = memory.word(address + at.state)?;
        if state == 0 {
            return Ok(extent);
        }
        let size = match at.state_size {
            ModuleStateSize::Definition { def, size } => match memory.word(address + def)? {
                0 => 0,
                def => memory.word(def.wrapping_add(size))?,
            },
            ModuleStateSize::Own(size) => memory.word(address + size)?,
        };
        if (1..=LARGEST_STATE).contains(&size) {
            // What is in it only the module's C code knows.
            self.scan(memory, state, state.saturating_add(size), visitor)?;
            extent.tables += self.blocks.size(memory, state, size);
        }
        Ok(extent)
    }

    pub(super) fn code<M: ReadMemory, V: Visitor<M>>(
        &mut self,
        memory: &mut M,
        info: &TypeInfo,
        address: u64,
        visitor: &mut V,
    ) -> Result<Extent, Unreadable> {
        let at = self.layout.code;
        self.named(memory, address, at.references, visitor)?;
        let mut extent = Extent::single(info.basicsize);
        match at.form {
            CodeForm::Tuples {
                cellvars,
                cell2arg,
                opcache_map,
                opcache_size,
                opcache_entry,
                ..
            } => {
                if memory.word(address + cell2arg)? != 0 {
                    let cells = memory.word(address + cellvars)?;
                    let count = memory
                        .word(cells.wrapping_add(self.layout.object.ob_size))?
                        .min(1 << 16);
                    extent.counted += 8 * count;
                    extent.tables += self.blocks.size(memory, 0, 8 * count);
                }
                if memory.word(address + opcache_map)? != 0 {
                    let code = at
                        .references
                        .iter()
                        .find(|(name, _)| *name == "co_code")
                        .map_or(0, |&(_, at)| at);
                    let code = memory.word(address + code)?;
                    let map = memory
                        .word(code.wrapping_add(self.layout.object.ob_size))?
                        .min(LARGEST_CODE)
                        / 2;
                    let cache = u64::from(memory.byte(address + opcache_size)?) * opcache_entry;
                    extent.counted += map + cache;
                    extent.tables += self.blocks.size(memory, 0, map) + self.blocks.size(memory, 0, cache);
                }
            }
            CodeForm::LocalsPlus { cached, .. } => {
                let units = memory.word(address + self.layout.object.ob_size)?.min(LARGEST_CODE);
                let size = (info.basicsize + info.itemsize * units).next_multiple_of(8);
                extent = Extent::single(size);
                self.code_cache(memory, address, cached, visitor)?;
            }
        }
        let extra = memory.word(address + at.extra)?;
        if extra != 0 {
            let count = memory.word(extra)?.clamp(1, 256);
            extent.counted += 16 + 8 * (count - 1);
            extent.tables += self.blocks.size(memory, extra, 16 + 8 * (count - 1));
        }
        Ok(extent)
    }

    /// Tells the objects that were made from a code object when somebody asked for `co_code` and its like.
    fn code_cache<M: ReadMemory, V: Visitor<M>>(
        &mut self,
        memory: &mut M,
        address: u64,
        cache: CodeCache,
        visitor: &mut V,
    ) -> Result<(), Unreadable> {
        const NAMES: [&str; 4] = ["co_code", "co_varnames", "co_cellvars", "co_freevars"];
        match cache {
            CodeCache::Object(offset) => self.named(memory, address, &[(NAMES[0], offset)], visitor),
            CodeCache::Pointer(offset) => {
                let cached = memory.word(address + offset)?;
                if cached == 0 {
                    return Ok(());
                }
                for (index, name) in NAMES.into_iter().enumerate() {
                    let target = memory.word(cached.wrapping_add(8 * index as u64))?;
                    if target != 0 {
                        visitor.reference(Step::Field(FieldName::Known(name)), target);
                    }
                }
                Ok(())
            }
        }
    }

    /// How many variables and stack slots a frame of the code at `address` has room for.
    pub(super) fn code_slots<M: ReadMemory>(&self, memory: &mut M, address: u64) -> Result<CodeSlots, Unreadable> {
        let at = self.layout.code;
        let bytes = memory.read(address, at.size as usize)?;
        let stack = u64::from(half_at(bytes, at.stack_size));
        let slots = match at.form {
            CodeForm::Tuples {
                nlocals,
                varnames,
                freevars,
                cellvars,
                ..
            } => {
                let variables = u64::from(half_at(bytes, nlocals));
                let names = [
                    word_at(bytes, varnames),
                    word_at(bytes, cellvars),
                    word_at(bytes, freevars),
                ];
                let count = |memory: &mut M, tuple: u64| memory.word(tuple.wrapping_add(self.layout.object.ob_size));
                let cells = count(memory, names[1])?.saturating_add(count(memory, names[2])?);
                CodeSlots {
                    variables: variables.saturating_add(cells),
                    stack,
                    names,
                }
            }
            CodeForm::LocalsPlus { names, count, .. } => {
                let variables = u64::from(half_at(bytes, count));
                CodeSlots {
                    variables,
                    stack,
                    names: [word_at(bytes, names), 0, 0],
                }
            }
        };
        if slots.variables > 1 << 20 || slots.stack > 1 << 24 {
            return Err(Unreadable::Implausible {
                what: "code",
                at: address,
            });
        }
        Ok(slots)
    }
}

/// What frames of a code object look like.
pub(super) struct CodeSlots {
    pub variables: u64,
    pub stack: u64,
    /// Tuples of names that, one after the other, name the variables; 0 where there is none.
    pub names: [u64; 3],
}
