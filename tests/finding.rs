//! Interpreters are found wherever they stand, and what is said of them is what they say themselves.

mod programs;

use programs::{Program, interpreters};
use pymemscope::memory::process::ProcessMemory;
use pymemscope::target::interpreter::{FindError, Interpreter, find_interpreters};
use pymemscope::target::maps;
use pymemscope::target::process::Process;

fn find(pid: u32) -> Result<Vec<Interpreter>, FindError> {
    let process = Process::new(pid);
    let maps = maps::of_process(&process).map_err(FindError::Maps)?;
    find_interpreters(&process, &maps, &mut ProcessMemory::new(pid).unwrap())
}

#[test]
fn every_interpreter_is_found_with_its_version() {
    for interpreter in interpreters() {
        let program = Program::python(&interpreter.path);
        let found = find(program.pid()).unwrap();
        assert_eq!(found.len(), 1);
        let mut memory = ProcessMemory::new(program.pid()).unwrap();
        assert_eq!(found[0].version_text(&mut memory), Some(interpreter.version.clone()));
        eprintln!("{:x?}", found[0]);
        assert!(found[0].finalize.is_some() && found[0].type_type.is_some());
    }
}
