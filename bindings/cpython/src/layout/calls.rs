//! Code and the calls that run it: tables of lines, bytecode, frames, generators.

/// `PyCodeObject`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Code {
    pub size: u64,
    pub form: CodeForm,
    pub name: u64,
    pub filename: u64,
    pub first_line: u64,
    /// `co_argcount`: how many of the first variables are arguments that may be given by place.
    pub arguments: u64,
    /// 3.11 and later.
    pub qualname: Option<u64>,
    pub stack_size: u64,
    pub lines: LineTable,
    pub bytecode: Bytecode,
    /// `co_extra`, a pointer to `_PyCodeObjectExtra`.
    pub extra: u64,
    /// Members that own a reference, with the names that Python gives them.
    pub references: &'static [(&'static str, u64)],
}

/// Where a code object keeps the lines of its instructions, in a `bytes` at `table` (Objects/codeobject.c).
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum LineTable {
    /// `co_lnotab`: pairs of bytes and lines to go on (3.8, 3.9).
    Steps { table: u64 },
    /// `co_linetable`: pairs of the length of a range and its line's distance from the one before (3.10).
    Ranges { table: u64 },
    /// `co_linetable`: entries of a head and numbers of variable length (3.11 and later). Instructions begin at `code`;
    /// before the one that `_co_firsttraceable` numbers, the call has not begun as far as Python code can tell.
    Locations {
        table: u64,
        code: u64,
        first_traceable: u64,
    },
}

/// Where a code object keeps its instructions and handlers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Bytecode {
    /// In a `bytes` at `code`, as they were compiled; instructions say where handlers begin and end (3.8 to 3.10).
    Bytes { code: u64 },
    /// At the object's end, where [`LineTable::Locations`] says, rewritten as they run; `exception_table` is a `bytes`
    /// (`co_exceptiontable`), `kinds` another with a byte a variable (`co_localspluskinds`) (3.11 and later).
    Adaptive {
        exception_table: u64,
        kinds: u64,
        /// 3.12 and later.
        monitoring: Option<Monitoring>,
        /// 3.13 and later.
        executors: Option<Executors>,
    },
}

/// What the instructions were that `sys.monitoring` has put its own in place of (`_PyCoMonitoringData`).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Monitoring {
    /// `_co_monitoring`, which points at the data.
    pub pointer: u64,
    /// A pointer to an entry a code unit, whose first byte is the opcode (`_PyCoLineInstrumentationData`).
    pub lines: u64,
    /// A pointer to an opcode a code unit.
    pub instructions: u64,
}

/// What the instructions were that enter an executor (`_PyExecutorArray`, `_PyExecutorObject`).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Executors {
    /// `co_executors`, which points at the array.
    pub pointer: u64,
    /// The number of executors, four bytes, and the first pointer to one.
    pub size: u64,
    pub first: u64,
    /// In an executor the opcode, with the argument behind it, a byte each (`vm_data`).
    pub instruction: u64,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum CodeForm {
    /// Names in three tuples; the code is a `bytes` (3.8 to 3.10).
    Tuples {
        nlocals: u64,
        varnames: u64,
        freevars: u64,
        cellvars: u64,
        cell2arg: u64,
        /// When `co_opcache_map` is not NULL, `sys.getsizeof` counts a byte for each instruction, and `co_opcache_size`
        /// (one byte) entries of `opcache_entry` bytes.
        opcache_map: u64,
        opcache_size: u64,
        opcache_entry: u64,
    },
    /// One tuple of names; the code stands at the object's end (3.11 and later).
    LocalsPlus {
        names: u64,
        count: u64,
        /// `co_framesize` in words (3.12 and later).
        frame_size: Option<u64>,
        /// `_co_code` (3.11), or `_co_cached` pointing at a struct of four objects (3.12 and later).
        cached: CodeCache,
    },
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum CodeCache {
    /// The object `_co_code` itself.
    Object(u64),
    /// A pointer to `_PyCoCached`: `_co_code`, `_co_varnames`, `_co_cellvars`, `_co_freevars`.
    Pointer(u64),
}

/// `PyFrameObject`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FrameObject {
    /// `sizeof(PyFrameObject)`.
    pub size: u64,
    pub back: u64,
    /// Members that own a reference, the locals apart.
    pub references: &'static [(&'static str, u64)],
    pub form: FrameForm,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum FrameForm {
    /// The variables stand in the object (3.8 to 3.10).
    Inline {
        code: u64,
        localsplus: u64,
        value_stack: u64,
        depth: StackDepth,
        /// `f_trace` and `f_gen`, NULL where nobody traces the frame, and where it is no generator's.
        trace: u64,
        generator: u64,
        /// `f_lasti`, and the bytes in each unit that it counts.
        last_instruction: (u64, i64),
    },
    /// `f_frame` points at a `_PyInterpreterFrame`; once the function has returned it is `_f_frame_data` (3.11 and later).
    Pointer { frame: u64, own_data: u64 },
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum StackDepth {
    /// `f_stacktop` points behind the last value, or is NULL while the frame runs and once an exception has ended it;
    /// `f_executing` (one byte) tells which (3.8, 3.9).
    Top { top: u64, executing: u64 },
    /// `f_stackdepth` counts the values, or is negative while the frame runs (3.10).
    Count(u64),
}

/// `_PyInterpreterFrame` (pycore_frame.h); of no use before 3.11.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Frame {
    pub size: u64,
    /// The code object, with `slot_bits` as in a slot.
    pub code: u64,
    pub previous: u64,
    /// The frame object, where one was made.
    pub frame_obj: u64,
    /// A pointer to the instruction that runs, or that the frame is to go on from.
    pub instruction: u64,
    /// Members that own a reference, the code and the variables apart, with `slot_bits` as in a slot.
    pub references: &'static [(&'static str, u64)],
    pub owner: u64,
    /// `owner` values from this one on say that the frame stands for C code and has no variables.
    pub first_c_owner: u8,
    /// `is_entry` (one byte): C code has called (3.11 alone; later a frame of its own stands for that C code).
    pub is_entry: Option<u64>,
    pub localsplus: u64,
    pub top: FrameTop,
    /// Bits to take off a slot before it is an address; a slot whose bits are all set here holds no reference.
    pub slot_bits: u64,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum FrameTop {
    /// `stacktop` counts live slots, −1 while the frame runs (3.11 to 3.13).
    Count(u64),
    /// `stackpointer` points behind the last live slot (3.14 and later).
    Pointer(u64),
}

/// `PyGenObject`, and coroutines and asynchronous generators, which begin alike.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Generator {
    pub size: u64,
    /// Members that own a reference, the frame apart.
    pub references: &'static [(&'static str, u64)],
    /// `cr_origin` of coroutines and `ag_finalizer` of asynchronous generators. Generators lack it (3.8 to 3.10) or have
    /// it and never set it (3.11 and later).
    pub origin_or_finalizer: u64,
    pub form: GeneratorForm,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum GeneratorForm {
    /// `gi_frame` is a frame object (3.8 to 3.10).
    Object { frame: u64 },
    /// The frame stands in the generator; `gi_frame_state` (a signed byte) says whether it is cleared (3.11 and later).
    Embedded { frame: u64, state: u64, cleared: i8 },
}
