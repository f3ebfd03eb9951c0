//! What instructions do that no table of CPython says: which variables they read and write, whether the next one is
//! reached, what becomes of blocks (3.8 to 3.10), and which of them stand in another one's place.

use super::opcodes::{Jump, Opcodes};
use super::operations::Operates;

/// What an instruction means, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Meaning {
    pub variables: Variables,
    pub flow: Flow,
    pub effect: Effect,
    pub operates: Operates,
    pub jump: Jump,
    /// Inline cache entries behind it, in code units.
    pub caches: u8,
}

/// What an instruction does to local variables. Variables in cells are not looked at: others may read them at any time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Variables {
    Untouched,
    /// The argument's number is read.
    Read,
    /// It is given another value, or none.
    Write,
    /// It is read, then left without a value.
    ReadThenWrite,
    /// Two variables, the numbers in four bits each: the upper first.
    ReadRead,
    WriteRead,
    WriteWrite,
}

/// What an instruction does to the object that was put on the stack last, or to the container below it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Nothing that would change or keep it.
    None,
    /// It puts something else above it.
    Pushes,
    /// The same, and that is a global variable.
    PushesGlobal,
    /// Something gets another item or attribute, or loses one.
    Changes,
    /// Something else has it from then on.
    HandsOn,
    /// It is an argument of a call.
    Calls,
    /// It is an operand, and the argument says of which operation.
    Operates,
    /// The left operand may be changed by the operation.
    OperatesInPlace,
}

/// Where a program goes on behind an instruction, exceptions apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// With the next one, or where it jumps to if it can.
    Next,
    /// With the next one, when somebody asks for the next value.
    Suspends,
    /// Where it jumps to, always.
    Jumps,
    /// Nowhere.
    Ends,
    /// As `Next`, and it works on blocks.
    Blocks(BlockStep),
    /// Its argument stands before that of the next instruction.
    ExtendsArgument,
}

/// What an instruction does to the blocks of handlers that it stands in (Python/ceval.c, 3.8 to 3.10).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlockStep {
    /// Exceptions lead to its target from now on.
    Guard,
    /// They no longer do.
    Unguard,
    /// An exception has been dealt with.
    EndHandling,
    /// The part that is always run comes next, without an exception.
    BeginFinally,
    /// The same, and it returns to behind this instruction.
    CallFinally,
    /// The end of such a part: raises again, returns or goes on.
    EndFinally,
    /// Leaves such a part for good.
    LeaveFinally,
    /// `__exit__` may have dealt with the exception.
    ExitWith,
    /// The end of `async for`: the exception may have been its last.
    EndAsyncFor,
}

/// What an opcode stands for in a code object that has run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// No instruction has this number.
    Unknown,
    Plain(Meaning),
    /// A form of another one.
    Of(u8),
    /// The opcode is kept with the data of `sys.monitoring`, in the entries of lines.
    MonitoredLine,
    /// The same, in the entries of instructions.
    MonitoredInstruction,
    /// Opcode and argument are kept by the executor whose number is the argument.
    Executor,
}

/// What each opcode of an instruction set stands for.
pub fn forms(opcodes: &Opcodes) -> [Form; 256] {
    let mut forms = [Form::Unknown; 256];
    for &(number, name, caches, jump) in opcodes.plain {
        forms[number as usize] = match name {
            "INSTRUMENTED_LINE" => Form::MonitoredLine,
            "INSTRUMENTED_INSTRUCTION" => Form::MonitoredInstruction,
            "ENTER_EXECUTOR" => Form::Executor,
            _ => match name.strip_prefix("INSTRUMENTED_") {
                Some(instrumented) => number_of(opcodes, instrumented).map_or(Form::Unknown, Form::Of),
                None => Form::Plain(Meaning {
                    variables: variables(name),
                    flow: flow(name),
                    effect: effect(name),
                    operates: Operates::of(name),
                    jump,
                    caches,
                }),
            },
        };
    }
    for &(number, plain) in opcodes.specialised {
        forms[number as usize] = Form::Of(plain);
    }
    forms
}

fn number_of(opcodes: &Opcodes, name: &str) -> Option<u8> {
    let mut plain = opcodes.plain.iter();
    plain.find(|(_, other, ..)| *other == name).map(|&(number, ..)| number)
}

fn variables(name: &str) -> Variables {
    match name {
        "LOAD_FAST" | "LOAD_FAST_CHECK" | "LOAD_FAST_BORROW" => Variables::Read,
        "STORE_FAST" | "DELETE_FAST" => Variables::Write,
        "LOAD_FAST_AND_CLEAR" => Variables::ReadThenWrite,
        "LOAD_FAST_LOAD_FAST" | "LOAD_FAST_BORROW_LOAD_FAST_BORROW" => Variables::ReadRead,
        "STORE_FAST_LOAD_FAST" => Variables::WriteRead,
        "STORE_FAST_STORE_FAST" => Variables::WriteWrite,
        _ => Variables::Untouched,
    }
}

fn flow(name: &str) -> Flow {
    match name {
        "EXTENDED_ARG" => Flow::ExtendsArgument,
        "YIELD_VALUE" => Flow::Suspends,
        "JUMP_FORWARD" | "JUMP_ABSOLUTE" | "JUMP_BACKWARD" | "JUMP_BACKWARD_NO_INTERRUPT" => Flow::Jumps,
        "RETURN_VALUE" | "RETURN_CONST" | "RAISE_VARARGS" | "RERAISE" | "INTERPRETER_EXIT" => Flow::Ends,
        "SETUP_FINALLY" | "SETUP_WITH" | "SETUP_ASYNC_WITH" => Flow::Blocks(BlockStep::Guard),
        "POP_BLOCK" => Flow::Blocks(BlockStep::Unguard),
        "POP_EXCEPT" => Flow::Blocks(BlockStep::EndHandling),
        "BEGIN_FINALLY" => Flow::Blocks(BlockStep::BeginFinally),
        "CALL_FINALLY" => Flow::Blocks(BlockStep::CallFinally),
        "END_FINALLY" => Flow::Blocks(BlockStep::EndFinally),
        "POP_FINALLY" => Flow::Blocks(BlockStep::LeaveFinally),
        "WITH_CLEANUP_FINISH" => Flow::Blocks(BlockStep::ExitWith),
        "END_ASYNC_FOR" => Flow::Blocks(BlockStep::EndAsyncFor),
        _ => Flow::Next,
    }
}

fn effect(name: &str) -> Effect {
    match name {
        "STORE_SUBSCR" | "DELETE_SUBSCR" | "STORE_SLICE" | "STORE_ATTR" | "DELETE_ATTR" => Effect::Changes,
        "RETURN_VALUE"
        | "YIELD_VALUE"
        | "STORE_GLOBAL"
        | "STORE_DEREF"
        | "STORE_NAME"
        | "STORE_FAST"
        | "STORE_FAST_LOAD_FAST"
        | "STORE_FAST_STORE_FAST" => Effect::HandsOn,
        "BINARY_OP" => Effect::Operates,
        "LOAD_CONST"
        | "LOAD_CONST_IMMORTAL"
        | "LOAD_SMALL_INT"
        | "LOAD_NAME"
        | "LOAD_DEREF"
        | "PUSH_NULL"
        | "KW_NAMES"
        | "EXTENDED_ARG" => Effect::Pushes,
        "LOAD_GLOBAL" => Effect::PushesGlobal,
        _ if name.starts_with("LOAD_FAST") => Effect::Pushes,
        _ if name.starts_with("INPLACE_") => Effect::OperatesInPlace,
        _ if name.starts_with("CALL") || name == "PRECALL" => Effect::Calls,
        _ if name.starts_with("BUILD_") => Effect::HandsOn,
        _ => Effect::None,
    }
}
