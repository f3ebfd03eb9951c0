//! Interpreters are found wherever they stand, and what is said of them is what they say themselves.

mod programs;

use programs::{Program, interpreters};
use pymemscope::target::open::{Stopping, Target};

#[test]
fn every_interpreter_is_found_with_its_version() {
    for interpreter in interpreters() {
        let program = Program::python(&interpreter.path);
        let mut target = Target::open(program.pid(), Stopping::Intended).unwrap();
        let found = target.interpreters.clone();
        assert_eq!(found.len(), 1);
        assert_eq!(
            found[0].version_text(&mut target.memory),
            Some(interpreter.version.clone())
        );
        eprintln!("{:x?}", found[0]);
        assert!(found[0].finalize.is_some() && found[0].type_type.is_some());
    }
}
