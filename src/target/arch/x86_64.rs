//! x86-64: `struct user_regs_struct` as ptrace gives it, and the `syscall` instruction.

use std::mem::offset_of;

use nix::errno::Errno;

use super::{Arguments, TimeLimit};

/// The general registers of a stopped thread (`NT_PRSTATUS`).
pub type Registers = libc::user_regs_struct;

/// The instruction that makes a system call.
pub const SYSCALL_INSTRUCTION: [u8; 2] = [0x0f, 0x05];

/// How seccomp names this processor (`AUDIT_ARCH_X86_64`).
pub const AUDIT_ARCHITECTURE: u32 = 0xc000_003e;

/// The code of the page from which a copy of the program is made: its `clone`, and what stands behind it.
///
/// The copy finds 0 in `rax` and can only leave: it writes no memory and returns to nowhere. The program's own thread,
/// should nobody be left to fetch it, puts its signal mask and registers back by itself and goes on where it was. The
/// words that it needs for that stand behind the code.
const COPY_CODE: [u8; 96] = [
    0x0f, 0x05, // syscall                     clone
    0x48, 0x85, 0xc0, // test rax, rax
    0x75, 0x0d, // jne own
    0x31, 0xff, // leave: xor edi, edi
    0xb8, 0xe7, 0x00, 0x00, 0x00, // mov eax, 231      exit_group
    0x0f, 0x05, // syscall
    0xeb, 0xf5, // jmp leave
    0x90, 0x90, // nop, nop
    0xb8, 0x0e, 0x00, 0x00, 0x00, // own: mov eax, 14  rt_sigprocmask
    0xbf, 0x02, 0x00, 0x00, 0x00, // mov edi, 2        SIG_SETMASK
    0x48, 0x8d, 0x35, 0x3b, 0x00, 0x00, 0x00, // lea rsi, [rip + 0x3b] (word 0)
    0x31, 0xd2, // xor edx, edx
    0x41, 0xba, 0x08, 0x00, 0x00, 0x00, // mov r10d, 8
    0x0f, 0x05, // syscall
    0x48, 0x8d, 0x25, 0x32, 0x00, 0x00, 0x00, // lea rsp, [rip + 0x32] (word 1)
    0x9d, // popfq
    0x58, 0x5b, 0x59, 0x5a, 0x5e, 0x5f, 0x5d, // pop rax, rbx, rcx, rdx, rsi, rdi, rbp
    0x41, 0x58, 0x41, 0x59, 0x41, 0x5a, 0x41, 0x5b, // pop r8 .. r11
    0x41, 0x5c, 0x41, 0x5d, 0x41, 0x5e, 0x41, 0x5f, // pop r12 .. r15
    0x5c, // pop rsp
    0xff, 0x25, 0x9b, 0x00, 0x00, 0x00, // jmp [rip + 0x9b] (word 18)
    0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, // (to a multiple of 8)
];

/// The words of that page, for a thread that was stopped with these registers and this signal mask.
pub fn copy_page(registers: &Registers, signal_mask: u64) -> Vec<u64> {
    let own = if is_interrupted(registers) {
        calling_again(registers)
    } else {
        *registers
    };
    let code = COPY_CODE
        .chunks_exact(8)
        .map(|word| word.iter().rev().fold(0, |all, &byte| all << 8 | u64::from(byte)));
    let state = [
        signal_mask,
        own.eflags,
        own.rax,
        own.rbx,
        own.rcx,
        own.rdx,
        own.rsi,
        own.rdi,
        own.rbp,
        own.r8,
        own.r9,
        own.r10,
        own.r11,
        own.r12,
        own.r13,
        own.r14,
        own.r15,
        own.rsp,
        own.rip,
    ];
    code.chain(state).collect()
}

const CODE_SEGMENT_32: u64 = 0x23;
const ERESTART_RESTARTBLOCK: i64 = -516;

/// All registers zero: a place to read some into.
pub fn no_registers() -> Registers {
    // SAFETY: the registers are plain numbers, for which all zeros is a value.
    unsafe { std::mem::zeroed() }
}

/// What stands for the registers of a thread that runs 32-bit code.
pub fn registers_of_32_bit_code() -> Registers {
    Registers {
        cs: CODE_SEGMENT_32,
        ..no_registers()
    }
}

/// Whether the thread runs 32-bit code, whose registers and system calls are others.
pub fn is_32_bit(registers: &Registers) -> bool {
    registers.cs == CODE_SEGMENT_32
}

/// How many breakpoints a thread can have.
pub const MOST_BREAKPOINTS: usize = 4;

/// Has a stopped thread stop with a `SIGTRAP` before it executes the instruction at one of these addresses, and at no
/// other: by its debug registers, so that no code is changed. Neither threads nor processes that it makes inherit them.
pub fn set_breakpoints(tid: i32, addresses: &[u64]) -> Result<(), Errno> {
    const CONTROL: usize = 7;
    if addresses.len() > MOST_BREAKPOINTS {
        return Err(Errno::ENOSPC);
    }
    set_debug_register(tid, CONTROL, 0)?;
    let mut control = 0;
    for (number, &address) in addresses.iter().enumerate() {
        set_debug_register(tid, number, address)?;
        // The bit that enables it; kind and length, higher up, are 0 for the execution of an instruction.
        control |= 1 << (2 * number);
    }
    if control == 0 {
        return Ok(());
    }
    set_debug_register(tid, CONTROL, control)
}

fn set_debug_register(tid: i32, number: usize, value: u64) -> Result<(), Errno> {
    let at = offset_of!(libc::user, u_debugreg) + number * size_of::<u64>();
    // SAFETY: passes numbers only.
    Errno::result(unsafe { libc::ptrace(libc::PTRACE_POKEUSER, tid, at, value) }).map(drop)
}

pub fn instruction_pointer(registers: &Registers) -> u64 {
    registers.rip
}

/// The call that the thread stands in (or comes out of), if it was stopped in one.
pub fn system_call(registers: &Registers) -> Option<u64> {
    (registers.orig_rax as i64 >= 0).then_some(registers.orig_rax)
}

pub fn result(registers: &Registers) -> i64 {
    registers.rax as i64
}

/// Registers with which the thread makes the system call `number` when it goes on at `instruction`.
///
/// `orig_rax` is -1, so that the kernel takes the thread for one that came from plain code and restarts nothing.
pub fn calling(registers: &Registers, instruction: u64, number: u64, arguments: Arguments) -> Registers {
    let [a0, a1, a2, a3, a4, a5] = arguments;
    Registers {
        rip: instruction,
        rax: number,
        orig_rax: u64::MAX,
        rdi: a0,
        rsi: a1,
        rdx: a2,
        r10: a3,
        r8: a4,
        r9: a5,
        ..*registers
    }
}

/// A call's number and arguments are still in the registers when it has ended.
pub const CALLS_CAN_BE_MADE_AGAIN: bool = true;

/// Registers with which the thread makes the call that it comes out of once more, as the kernel's own restart does.
pub fn calling_again(registers: &Registers) -> Registers {
    let number = match result(registers) {
        ERESTART_RESTARTBLOCK => libc::SYS_restart_syscall as u64,
        _ => registers.orig_rax,
    };
    Registers {
        rip: registers.rip.wrapping_sub(SYSCALL_INSTRUCTION.len() as u64),
        rax: number,
        orig_rax: u64::MAX,
        ..*registers
    }
}

/// Whether the thread comes out of a call that ended only because it was stopped: `EINTR`, or one of the codes by which
/// the kernel restarts a call when no handler runs (`include/linux/errno.h`).
fn is_interrupted(registers: &Registers) -> bool {
    const EINTR: i64 = -libc::EINTR as i64;
    const ERESTARTSYS: i64 = -512;
    const ERESTARTNOINTR: i64 = -513;
    const ERESTARTNOHAND: i64 = -514;
    system_call(registers).is_some()
        && matches!(
            result(registers),
            EINTR | ERESTARTSYS | ERESTARTNOINTR | ERESTARTNOHAND | ERESTART_RESTARTBLOCK
        )
}

pub fn argument(registers: &Registers, position: usize) -> u64 {
    match position {
        0 => registers.rdi,
        1 => registers.rsi,
        2 => registers.rdx,
        3 => registers.r10,
        4 => registers.r8,
        _ => registers.r9,
    }
}

pub fn set_argument(registers: &mut Registers, position: usize, value: u64) {
    match position {
        0 => registers.rdi = value,
        1 => registers.rsi = value,
        2 => registers.rdx = value,
        3 => registers.r10 = value,
        4 => registers.r8 = value,
        _ => registers.r9 = value,
    }
}

/// Where the calls that a mere stop ends with `EINTR` take their time limit; `None` for all others.
pub fn time_limit(call: u64) -> Option<TimeLimit> {
    match i64::try_from(call).ok()? {
        libc::SYS_epoll_wait | libc::SYS_epoll_pwait => Some(TimeLimit::Milliseconds(3)),
        libc::SYS_epoll_pwait2 | libc::SYS_semtimedop => Some(TimeLimit::Timespec(3)),
        libc::SYS_rt_sigtimedwait => Some(TimeLimit::Timespec(2)),
        libc::SYS_io_getevents => Some(TimeLimit::Timespec(4)),
        _ => None,
    }
}
