//! C programs that tests compile.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Compiles `tests/programs/SOURCE` with these options into `folder`, under the name `name`.
pub fn compile(source: &str, options: &[&str], folder: &Path, name: &str) -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/programs")
        .join(source);
    let program = folder.join(name);
    let mut compiler = Command::new("cc");
    let output = compiler
        .arg("-o")
        .arg(&program)
        .arg(source)
        .args(options)
        .output()
        .expect("a C compiler, as `cc`");
    assert!(
        output.status.success(),
        "{compiler:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    program
}
