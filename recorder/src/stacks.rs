//! The calls of Python code that led to a sampled block, written once each: texts, lines of functions, stacks.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed, Ordering::Release};

use cpython::layout::Layout;
use cpython::marks::Marks;
use cpython::memory::ReadMemory;
use cpython::objects::code_seal::Seal;
use cpython::objects::lines::Lines;
use cpython::objects::text::str_value;
use cpython::objects::types::type_c_name;
use cpython::stack::{self, Innermost, RunningCall, Steps};
use recording::form::{self, LONGEST_TEXT, MOST_CALLS, REST, STACKLESS};
use recording::weight::weight;

use crate::blocks::Spread;
use crate::own_memory::Direct;
use crate::python;
use crate::region::{self, Area};

/// All that was met. The numbers of rows count from 1.
pub struct Stacks {
    /// Once the interpreter was recognised.
    layout: Option<Box<Layout>>,
    /// So often it was not.
    refused: u32,
    type_of_code: u64,
    codes: HashMap<(u64, Seal), Option<u32>, Spread>,
    read: Vec<Code>,
    texts: HashMap<Box<str>, u64, Spread>,
    /// Of a function, its file and a line: programs that make code anew have one row for what is the same.
    frames: HashMap<(u64, u64, u32), u32, Spread>,
    /// Of a caller's stack and a frame.
    stacks: HashMap<(u32, u32), u32, Spread>,
}

/// Where the innermost frame of a thread stands, from its `PyThreadState` on, and how it goes on from there.
#[derive(Clone, Copy)]
pub struct Walking {
    pub innermost: Innermost,
    pub steps: Steps,
    /// `None` where frames are not to be marked.
    pub marks: Option<Marks>,
}

struct Code {
    function: u64,
    file: u64,
    lines: Lines,
}

/// A table has no room for what a stack needs.
struct Full;

/// So much code is remembered. What is not any more is read again, should it still be called.
const MOST_CODE: usize = 1 << 14;

impl Stacks {
    pub const fn new() -> Stacks {
        Stacks {
            layout: None,
            refused: 0,
            type_of_code: 0,
            codes: HashMap::with_hasher(BuildHasherDefault::new()),
            read: Vec::new(),
            texts: HashMap::with_hasher(BuildHasherDefault::new()),
            frames: HashMap::with_hasher(BuildHasherDefault::new()),
            stacks: HashMap::with_hasher(BuildHasherDefault::new()),
        }
    }

    /// The number of the calling thread's stack, to which a block of this size is added; 0 when it has none.
    pub fn sample(&mut self, area: Area, size: u64) -> u32 {
        let number = match self.of_this_thread(area) {
            Ok(number) => number,
            Err(Full) => rest(area),
        };
        let row = match number {
            0 => STACKLESS as usize,
            number => number as usize,
        };
        let stands_for = weight(size, region::sample_bytes());
        let row = &area.stacks()[row - 1];
        grow(&row.blocks, stands_for.blocks);
        grow(&row.bytes, stands_for.bytes);
        grow(&row.variance, stands_for.variance);
        grow(&row.seen, stands_for.seen);
        number
    }

    /// 0 where it has no stack.
    fn of_this_thread(&mut self, area: Area) -> Result<u32, Full> {
        // In this order: the layout has to be put back.
        let Some(thread) = python::thread() else {
            return Ok(0);
        };
        let Some(layout) = self.layout(area) else {
            return Ok(0);
        };
        let number = self.of_thread(area, &layout, thread);
        self.layout = Some(layout);
        number
    }

    fn of_thread(&mut self, area: Area, layout: &Layout, thread: u64) -> Result<u32, Full> {
        // SAFETY: `calls` and `place` follow the frames of this very thread, which are as they are while it allocates.
        let mut memory = unsafe { Direct::trusting() };
        let mut calls = [RunningCall {
            code: 0,
            offset: 0,
            previous: 0,
        }; MOST_CALLS];
        let count = calls_of(&mut memory, layout, thread, &mut calls);
        let mut number = 0;
        for call in calls[..count].iter().rev() {
            if let Some(frame) = self.frame(&mut memory, layout, area, call)? {
                number = self.stack(area, number, frame)?;
            }
        }
        Ok(number)
    }

    /// The number of the stack that the call at `frame` makes of its caller's: that of the caller where it is no Python code,
    /// and [`REST`] when there is no more room.
    pub fn called(&mut self, area: Area, caller: u32, frame: u64) -> u32 {
        let Some(layout) = self.layout.take() else {
            return caller;
        };
        // SAFETY: as in `of_thread`.
        let mut memory = unsafe { Direct::trusting() };
        let bytes = memory.read(frame, stack::needed(&layout));
        let call = bytes.map(|bytes| stack::call(&layout, bytes));
        let line = call.map_or(Ok(None), |call| self.frame(&mut memory, &layout, area, &call));
        self.layout = Some(layout);
        match line {
            Ok(None) => caller,
            Ok(Some(line)) => self.stack(area, caller, line).unwrap_or(REST as u32),
            Err(Full) => REST as u32,
        }
    }

    /// How the frames of the interpreter are walked; `None` as long as it is not recognised.
    pub fn steps(&mut self, area: Area) -> Option<Walking> {
        self.layout = self.layout(area);
        let layout = self.layout.as_ref()?;
        Some(Walking {
            innermost: stack::innermost(layout, 0),
            steps: Steps::of(layout),
            marks: (!python::may_compile()).then(|| Marks::of(layout)),
        })
    }

    /// Recognises the interpreter.
    pub fn get_ready(&mut self, area: Area) {
        self.layout = self.layout(area);
    }

    /// Takes out the layout of the interpreter, which the caller puts back.
    fn layout(&mut self, area: Area) -> Option<Box<Layout>> {
        /// An interpreter that was not recognised so often will not be.
        const ENOUGH: u32 = 16;
        if self.layout.is_none() && self.refused < ENOUGH {
            match python::recognise() {
                python::Sight::Recognised(layout) => {
                    self.layout = Some(layout);
                    area.head().stacks.store(form::Stacks::Read as u64, Relaxed);
                }
                python::Sight::Unknown => self.refused += 1,
                python::Sight::TooEarly => {}
            }
            if self.refused == ENOUGH {
                area.head().stacks.store(form::Stacks::Unknown as u64, Relaxed);
            }
        }
        self.layout.take()
    }

    /// The number of the line of a function that a call stands in; `None` where it has not begun, or is no Python code.
    fn frame(
        &mut self,
        memory: &mut Direct,
        layout: &Layout,
        area: Area,
        call: &RunningCall,
    ) -> Result<Option<u32>, Full> {
        let index = self.code(memory, layout, area, call.code)?;
        let Some(code) = index.and_then(|index| self.read.get(index as usize)) else {
            return Ok(None);
        };
        if !code.lines.has_begun(call.offset) {
            return Ok(None);
        }
        let line = code.lines.at(call.offset).map_or(0, |line| line.saturating_add(1));
        let place = (code.function, code.file, line);
        if let Some(&known) = self.frames.get(&place) {
            return Ok(Some(known));
        }
        let number = take_row(&area.head().frames_used, area.frames().len())?;
        let row = &area.frames()[number as usize - 1];
        row.function.store(code.function, Relaxed);
        row.file.store(code.file, Relaxed);
        row.line.store(u64::from(line), Relaxed);
        row.whole.store(1, Release);
        self.frames.insert(place, number);
        Ok(Some(number))
    }

    fn stack(&mut self, area: Area, parent: u32, frame: u32) -> Result<u32, Full> {
        if let Some(&known) = self.stacks.get(&(parent, frame)) {
            return Ok(known);
        }
        if parent == REST as u32 {
            return Err(Full);
        }
        let number = take_row(&area.head().stacks_used, area.stacks().len())?;
        let row = &area.stacks()[number as usize - 1];
        // A process before this one may have left something there.
        for sum in [&row.blocks, &row.bytes, &row.variance, &row.seen] {
            sum.store(0, Relaxed);
        }
        row.parent.store(u64::from(parent), Relaxed);
        row.frame.store(u64::from(frame), Release);
        self.stacks.insert((parent, frame), number);
        Ok(number)
    }

    /// The index of the code at `address`; `None` where there is none.
    fn code(&mut self, memory: &mut Direct, layout: &Layout, area: Area, address: u64) -> Result<Option<u32>, Full> {
        if address == 0 {
            return Ok(None);
        }
        let Ok(seal) = Seal::read(memory, layout, address) else {
            return Ok(None);
        };
        if self.type_of_code != seal.type_address {
            let is_code = type_c_name(memory, layout, seal.type_address).is_ok_and(|name| name == "code");
            if self.type_of_code != 0 || !is_code {
                return Ok(None);
            }
            self.type_of_code = seal.type_address;
        }
        if let Some(&known) = self.codes.get(&(address, seal)) {
            return Ok(known);
        }
        if self.codes.len() >= MOST_CODE {
            self.codes.clear();
            self.read.clear();
        }
        let index = self.read_code(memory, layout, area, address)?;
        self.codes.insert((address, seal), index);
        Ok(index)
    }

    fn read_code(
        &mut self,
        memory: &mut Direct,
        layout: &Layout,
        area: Area,
        address: u64,
    ) -> Result<Option<u32>, Full> {
        let name = layout.code.qualname.unwrap_or(layout.code.name);
        let function = self.text(memory, layout, area, address.wrapping_add(name))?;
        let file = self.text(memory, layout, area, address.wrapping_add(layout.code.filename))?;
        let Ok(lines) = Lines::read(memory, layout, address) else {
            return Ok(None);
        };
        self.read.push(Code { function, file, lines });
        Ok(Some(self.read.len() as u32 - 1))
    }

    /// Writes the text of the `str` that the word at `at` points to; an empty one where that cannot be read.
    fn text(&mut self, memory: &mut Direct, layout: &Layout, area: Area, at: u64) -> Result<u64, Full> {
        let string = memory.word(at).ok();
        let Some(text) = string.and_then(|string| str_value(memory, layout, string, LONGEST_TEXT / 4).ok()) else {
            return Ok(0);
        };
        if let Some(&known) = self.texts.get(text.as_str()) {
            return Ok(known);
        }
        let head = area.head();
        let (used, length) = (head.text_used.load(Relaxed) as usize, text.len().min(LONGEST_TEXT));
        if used + length > region::room().text_bytes {
            return Err(Full);
        }
        area.write_text(used, &text.as_bytes()[..length]);
        head.text_used.store((used + length) as u64, Release);
        let place = form::text(used, length);
        self.texts.insert(text.into(), place);
        Ok(place)
    }

    /// In a child made by `fork`: nothing of its area is used yet. The interpreter is the same.
    pub fn begin_anew(&mut self) {
        let layout = self.layout.take();
        let stacks = if layout.is_some() {
            form::Stacks::Read
        } else {
            form::Stacks::Waiting
        };
        if let Some(area) = Area::get() {
            area.head().stacks.store(stacks as u64, Relaxed);
        }
        *self = Stacks {
            layout,
            ..Stacks::new()
        };
    }
}

/// The calls of a thread, the innermost first, as far as there is room.
fn calls_of(memory: &mut Direct, layout: &Layout, thread: u64, into: &mut [RunningCall]) -> usize {
    let pointer = stack::innermost(layout, thread).word(memory);
    let mut frame = pointer.and_then(|pointer| Ok(memory.word(pointer)?)).unwrap_or(0);
    let mut count = 0;
    for place in into {
        if frame == 0 {
            break;
        }
        let Ok(bytes) = memory.read(frame, stack::needed(layout)) else {
            break;
        };
        *place = stack::call(layout, bytes);
        frame = place.previous;
        count += 1;
    }
    count
}

/// The number of the next row of a table, of which so many are used at most.
fn take_row(used: &AtomicU64, most: usize) -> Result<u32, Full> {
    let row = used.load(Relaxed);
    if row >= most as u64 {
        return Err(Full);
    }
    used.store(row + 1, Release);
    Ok(row as u32 + 1)
}

/// The row for samples whose stacks find no room: less is known of these, but what they stand for counts.
fn rest(area: Area) -> u32 {
    area.head().stacks_dropped.fetch_add(1, Relaxed);
    REST as u32
}

/// Adds to a sum that is kept as the bits of a floating-point number.
fn grow(sum: &AtomicU64, by: f64) {
    sum.store((f64::from_bits(sum.load(Relaxed)) + by).to_bits(), Relaxed);
}
