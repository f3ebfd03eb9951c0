//! The instruction sets are those of every interpreter of this machine: the generator asks their `opcode` modules.

mod support;

use std::fs;
use std::path::Path;
use std::process::Command;

use support::interpreters;

#[test]
fn the_instruction_sets_are_those_of_the_interpreters() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let interpreters = interpreters();
    assert!(!interpreters.is_empty(), "no CPython was found: set PYMEMSCOPE_PYTHONS");
    for (name, python) in interpreters {
        let output = Command::new(&python)
            .arg(here.join("generator/opcodes.py"))
            .output()
            .expect("the interpreter starts");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let generated = String::from_utf8(output.stdout).expect("text");
        let minor: u32 = name[3..5].parse().expect("the number of a minor version");
        let file = here.join(format!("src/versions/opcodes/v3_{minor}.rs"));
        let ours = fs::read_to_string(&file).expect("a file for every version");
        assert!(
            without_form(&generated) == without_form(&ours),
            "{name}: {} is not what generator/opcodes.py prints",
            file.display()
        );
    }
}

/// The text without what a formatter may change.
fn without_form(text: &str) -> String {
    let dense: String = text.split_whitespace().collect();
    dense.replace(",]", "]").replace(",}", "}")
}
