//! Go's `pprof` as an independent reader of profiles.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::interpreters::{all_required, provided};
use crate::profiler::answer;

/// Go's `pprof`, which nobody here wrote; `None` where it was not provided and need not be.
pub fn go_pprof() -> Option<PathBuf> {
    let program = provided().join("go/pprof");
    let is_there = program.is_file();
    assert!(is_there || !all_required(), "Go's pprof was not provided");
    is_there.then_some(program)
}

/// What Go's `pprof` says of a profile.
pub fn ask_go(program: &Path, words: &[&str], profile: &Path) -> String {
    let said = answer(Command::new(program).env("TZ", "UTC").args(words).arg(profile));
    assert_eq!(said.code, Some(0), "{said:?}");
    said.out
}

/// `69206016` in `Showing nodes accounting for 69206016B, 100% of 69206016B total`.
pub fn total_of_go(program: &Path, index: &str, profile: &Path) -> u64 {
    let said = ask_go(program, &["-top", "-unit=B", index], profile);
    let (_, total) = said.split_once("% of ").unwrap_or_else(|| panic!("{said}"));
    let digits: String = total.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().unwrap_or_else(|_| panic!("{said}"))
}
