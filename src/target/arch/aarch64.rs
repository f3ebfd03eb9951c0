//! aarch64: `struct user_pt_regs` as ptrace gives it, and the `svc` instruction.

use nix::errno::Errno;

use super::{Arguments, TimeLimit};

/// The general registers of a stopped thread (`NT_PRSTATUS`).
pub type Registers = libc::user_regs_struct;

/// The instruction that makes a system call (`svc #0`).
pub const SYSCALL_INSTRUCTION: [u8; 4] = [0x01, 0x00, 0x00, 0xd4];

/// How seccomp names this processor (`AUDIT_ARCH_AARCH64`).
pub const AUDIT_ARCHITECTURE: u32 = 0xc000_00b7;

/// The code of the page from which a copy of the program is made: its `clone`, and what stands behind it.
///
/// The copy finds 0 in `x0` and can only leave; the program's own thread, should nobody be left to fetch it, waits.
const COPY_CODE: [u8; 24] = [
    0x01, 0x00, 0x00, 0xd4, // svc #0            clone
    0x80, 0x00, 0x00, 0xb5, // cbnz x0, own      the program's own thread
    0xc8, 0x0b, 0x80, 0xd2, // leave: mov x8, 94 exit_group (x0 is 0 already)
    0x01, 0x00, 0x00, 0xd4, // svc #0
    0xfe, 0xff, 0xff, 0x17, // b leave
    0x00, 0x00, 0x00, 0x14, // own: b own
];

/// The words of that page, for a thread that was stopped with these registers and this signal mask.
pub fn copy_page(_registers: &Registers, _signal_mask: u64) -> Vec<u64> {
    COPY_CODE
        .chunks_exact(8)
        .map(|word| word.iter().rev().fold(0, |all, &byte| all << 8 | u64::from(byte)))
        .collect()
}

/// The bit of the saved processor state that says so.
const STATE_32_BIT: u64 = 0x10;

/// All registers zero: a place to read some into.
pub fn no_registers() -> Registers {
    Registers {
        regs: [0; 31],
        sp: 0,
        pc: 0,
        pstate: 0,
    }
}

/// What stands for the registers of a thread that runs 32-bit code.
pub fn registers_of_32_bit_code() -> Registers {
    Registers {
        pstate: STATE_32_BIT,
        ..no_registers()
    }
}

/// Whether the thread runs 32-bit code.
pub fn is_32_bit(registers: &Registers) -> bool {
    registers.pstate & STATE_32_BIT != 0
}

/// How many breakpoints a thread can have.
pub const MOST_BREAKPOINTS: usize = 4;

/// The kernel does not lead a thread over a breakpoint here, as it does on x86-64, so there are none.
pub fn set_breakpoints(_tid: i32, addresses: &[u64]) -> Result<(), Errno> {
    if addresses.is_empty() {
        Ok(())
    } else {
        Err(Errno::EOPNOTSUPP)
    }
}

pub fn instruction_pointer(registers: &Registers) -> u64 {
    registers.pc
}

/// The call that the thread stands in, if that can be told: the instruction behind it is not known from the registers
/// alone, but a thread that comes out of a call with an error has one in `x0`, and the call's number still in `x8`.
pub fn system_call(registers: &Registers) -> Option<u64> {
    (-4095..0).contains(&result(registers)).then_some(registers.regs[8])
}

pub fn result(registers: &Registers) -> i64 {
    registers.regs[0] as i64
}

/// Registers with which the thread makes the system call `number` when it goes on at `instruction`.
pub fn calling(registers: &Registers, instruction: u64, number: u64, arguments: Arguments) -> Registers {
    let mut regs = registers.regs;
    regs[..6].copy_from_slice(&arguments);
    regs[8] = number;
    Registers {
        regs,
        pc: instruction,
        ..*registers
    }
}

/// Not here: the result stands where the call's first argument was, and the kernel shows that to nobody.
pub const CALLS_CAN_BE_MADE_AGAIN: bool = false;

/// Registers with which the thread makes the call that it comes out of once more, but for the first argument.
pub fn calling_again(registers: &Registers) -> Registers {
    Registers {
        pc: registers.pc.wrapping_sub(SYSCALL_INSTRUCTION.len() as u64),
        ..*registers
    }
}

pub fn argument(registers: &Registers, position: usize) -> u64 {
    registers.regs[position.min(5)]
}

pub fn set_argument(registers: &mut Registers, position: usize, value: u64) {
    registers.regs[position.min(5)] = value;
}

/// Where the calls that a mere stop ends with `EINTR` take their time limit; `None` for all others.
pub fn time_limit(call: u64) -> Option<TimeLimit> {
    match i64::try_from(call).ok()? {
        libc::SYS_epoll_pwait => Some(TimeLimit::Milliseconds(3)),
        libc::SYS_epoll_pwait2 | libc::SYS_semtimedop => Some(TimeLimit::Timespec(3)),
        libc::SYS_rt_sigtimedwait => Some(TimeLimit::Timespec(2)),
        libc::SYS_io_getevents => Some(TimeLimit::Timespec(4)),
        _ => None,
    }
}
