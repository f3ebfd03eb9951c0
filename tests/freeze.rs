//! Freezing live programs: what the image holds, and that the programs do not notice.

#[path = "freeze/target.rs"]
mod target;

use std::path::Path;

use pymemscope::target::freeze::{FreezeMode, FreezeUsed, Guardian};
use target::Target;

fn guardian() -> Guardian {
    Guardian::start_from(Path::new(env!("CARGO_BIN_EXE_pymemscope")), None).expect("the guardian starts")
}

fn read_memory(pid: u32, address: u64, length: usize) -> Vec<u8> {
    use std::os::unix::fs::FileExt;
    let mut bytes = vec![0; length];
    let memory = std::fs::File::open(format!("/proc/{pid}/mem")).expect("its memory opens");
    memory
        .read_exact_at(&mut bytes, address)
        .expect("its memory is readable");
    bytes
}

const COUNTER: &str = "
import ctypes, sys, threading
cell = ctypes.c_uint64(0)
stop = False
def count():
    while not stop:
        cell.value += 1
thread = threading.Thread(target=count)
thread.start()
print('ready')
print(ctypes.addressof(cell))
sys.stdin.readline()
stop = True
thread.join()
";

fn counter_of(pid: u32, address: u64) -> u64 {
    u64::from_ne_bytes(read_memory(pid, address, 8).try_into().expect("eight bytes"))
}

#[test]
fn a_fork_image_stands_still_while_the_program_runs() {
    let mut target = Target::python(COUNTER);
    let address = target.line().parse().expect("an address");
    let mut guardian = guardian();
    let frozen = guardian.freeze(target.pid(), FreezeMode::Fork).expect("frozen");
    assert_eq!(frozen.used, FreezeUsed::Fork);
    let first = counter_of(frozen.readable_pid, address);
    while counter_of(target.pid(), address) < first + 1000 {}
    assert_eq!(counter_of(frozen.readable_pid, address), first);
    eprintln!("{frozen:?}");
    let released = guardian.release(frozen).expect("released");
    eprintln!("{released:?}");
    target.say("");
    assert!(target.end().success());
}

#[test]
fn a_stopped_program_stands_still_and_goes_on() {
    let mut target = Target::python(COUNTER);
    let address = target.line().parse().expect("an address");
    let mut guardian = guardian();
    let frozen = guardian.freeze(target.pid(), FreezeMode::Stop).expect("frozen");
    assert_eq!((frozen.used, frozen.readable_pid), (FreezeUsed::Stop, target.pid()));
    let first = counter_of(target.pid(), address);
    for _ in 0..1000 {
        assert_eq!(counter_of(target.pid(), address), first);
    }
    guardian.release(frozen).expect("released");
    while counter_of(target.pid(), address) < first + 1000 {}
    target.say("");
    assert!(target.end().success());
}
