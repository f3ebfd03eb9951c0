//! Cores whose headers and notes were damaged: they are read or refused, and do no harm.

mod cores;
mod interpreters;
mod profiler;
mod targets;

use std::fs::{self, File};
use std::ops::Range;
use std::os::unix::fs::FileExt;

use cores::{by_gdb, has_gdb, start};
use interpreters::interpreters;
use pymemscope::capture::FreezeMode;
use pymemscope::capture::capture_core;
use pymemscope::capture::plan::CapturePlan;
use pymemscope::capture::progress::Quiet;
use pymemscope::capture::source::CoreFile;
use pymemscope::target::core::Core;

const ROUNDS: usize = 300;
/// Of those that could be opened, so many are read in full.
const READ: usize = 10;

fn word(bytes: &[u8], at: usize) -> usize {
    u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap()) as usize
}

/// Where the program headers and the notes stand; gdb puts the notes first among the headers.
fn headers_and_notes(core: &[u8]) -> [Range<usize>; 2] {
    let count = usize::from(u16::from_le_bytes([core[56], core[57]]));
    let note = 64;
    assert_eq!(core[note], 4, "PT_NOTE");
    let start = word(core, note + 8);
    [0..64 + 56 * count, start..start + word(core, note + 32)]
}

#[test]
fn damaged_cores_are_read_or_refused() {
    if !has_gdb() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (target, _) = start(interpreters().last().unwrap(), "empty.py", folder.path());
    let path = by_gdb(target.pid(), folder.path());
    let sound = fs::read(&path).unwrap();
    let places = headers_and_notes(&sound);
    let file = File::options().write(true).open(&path).unwrap();
    let interesting = [
        0,
        1,
        0x7f,
        0xfff,
        0x8000_0000,
        1 << 46,
        1 << 63,
        u64::MAX,
        u64::MAX - 4095,
    ];
    let mut random = fastrand::Rng::with_seed(7);
    let (mut opened, mut refused) = (0, 0);
    for _ in 0..ROUNDS {
        let mut place = || {
            let places = places[random.usize(..places.len())].clone();
            random.usize(places) & !3
        };
        let damage = [place(), place()];
        for &at in &damage {
            let value = random.choice(interesting).unwrap().to_le_bytes();
            file.write_all_at(&value[..random.usize(1..=8)], at as u64).unwrap();
        }
        match Core::open(&path, None) {
            Ok(_) => {
                opened += 1;
                if opened <= READ {
                    let source = CoreFile {
                        path: path.clone(),
                        sysroot: None,
                    };
                    let plan = CapturePlan::one_look(FreezeMode::Auto, false);
                    // Whatever it says, it says so in time.
                    let _ = capture_core(&source, &plan, &mut Quiet);
                }
            }
            Err(error) => {
                assert!(!error.to_string().contains('\n') && !error.hint().is_empty(), "{error}");
                refused += 1;
            }
        }
        for &at in &damage {
            file.write_all_at(&sound[at..sound.len().min(at + 8)], at as u64)
                .unwrap();
        }
        file.set_len(sound.len() as u64).unwrap();
    }
    eprintln!("{opened} opened, {refused} refused");
    assert!(opened > 0 && refused > 0, "{opened} opened, {refused} refused");
    assert!(fs::read(&path).unwrap() == sound);
}
