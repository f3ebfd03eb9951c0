//! The command: hands what was typed to `cli`, and what it means to `commands`.

use std::env;
use std::io::{Write, stderr};
use std::process::ExitCode;

use pymemscope::cli::{self, Refusal};
use pymemscope::commands;
use pymemscope::error::Error;
use pymemscope::memory::exhaustion;
use pymemscope::memory::huge_pages::{self, HugePages};
use pymemscope::target::{file_size_limit, finalize_watch, freeze};

#[global_allocator]
static ALLOCATOR: HugePages = HugePages;

fn main() -> ExitCode {
    let mut words = env::args().skip(1);
    match words.next().as_deref() {
        Some(freeze::GUARDIAN_ARGUMENT) => freeze::guardian_main(words),
        Some(finalize_watch::WATCHER_ARGUMENT) => finalize_watch::watcher_main(),
        _ => {}
    }
    file_size_limit::make_an_error();
    exhaustion::make_an_error();
    huge_pages::keep_freed();
    let code = match cli::understand(env::args_os()) {
        Ok(command) => commands::execute(&command).unwrap_or_else(|error| complain(&error)),
        Err(Refusal::Senseless(error)) => complain(&error),
        Err(Refusal::Answered(code)) => code,
    };
    ExitCode::from(code)
}

/// Says what went wrong and what to do next; the exit code is the error's.
fn complain(error: &Error) -> u8 {
    // Where standard error is closed, the exit code has to do.
    let _ = writeln!(stderr(), "error: {error}\nhint: {}", error.hint());
    error.exit_code()
}
