//! Compiles the recorder, which the program carries with it: a library that `run` loads into what it starts.
//!
//! A dependency that is a `cdylib` is nothing that Cargo would build for us, and `cargo install` installs executables alone.
//! So the three crates are compiled here, which is simple since they have no dependencies of their own, and the library's
//! bytes are included in `src/allocations/library.rs`.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn main() {
    let output = PathBuf::from(variable("OUT_DIR"));
    let library = output.join("recorder.so");
    for folder in ["recorder", "bindings/recording/src", "bindings/cpython/src"] {
        println!("cargo::rerun-if-changed={folder}");
    }
    println!("cargo::rerun-if-changed=build.rs");
    if is_recordable() {
        compile(&output, &library);
    } else {
        // Its absence is said when somebody wants to record.
        fs::write(&library, []).expect("OUT_DIR can be written");
    }
}

/// Only where the program can run a recorder of its own machine, and where a linker for that machine is sure to be there.
fn is_recordable() -> bool {
    let native = variable("TARGET") == variable("HOST");
    native && variable("CARGO_CFG_TARGET_OS") == "linux" && variable("CARGO_CFG_TARGET_ARCH") == "x86_64"
}

fn compile(output: &Path, library: &Path) {
    let crates = [("cpython", "bindings/cpython"), ("recording", "bindings/recording")];
    for (name, folder) in crates {
        let mut rustc = rustc(output, name, folder);
        run(rustc.args(["--crate-type=rlib", "--out-dir"]).arg(output));
    }
    let mut rustc = rustc(output, "pymemscope_recorder", "recorder");
    for (name, _) in crates {
        rustc
            .arg("--extern")
            .arg(format!("{name}={}", output.join(format!("lib{name}.rlib")).display()));
    }
    // It must load into programs that have no libgcc, and ends nothing by unwinding.
    rustc.args([
        "--crate-type=cdylib",
        "-Clto=fat",
        "-Cstrip=symbols",
        "-Clink-arg=-static-libgcc",
    ]);
    run(rustc.arg("-o").arg(library));
}

fn rustc(output: &Path, name: &str, folder: &str) -> Command {
    let mut rustc = Command::new(variable("RUSTC"));
    rustc
        .args([
            "--edition=2024",
            "--cap-lints=allow",
            "-Copt-level=3",
            "-Cpanic=abort",
            "-Ccodegen-units=1",
        ])
        .args(["--crate-name", name, "--target", &variable("TARGET"), "-L"])
        .arg(output)
        .args(
            variable("CARGO_ENCODED_RUSTFLAGS")
                .split('\u{1f}')
                .filter(|flag| !flag.is_empty()),
        )
        .arg(
            Path::new(&variable("CARGO_MANIFEST_DIR"))
                .join(folder)
                .join("src/lib.rs"),
        );
    if let Ok(linker) = env::var("RUSTC_LINKER") {
        rustc.arg(format!("-Clinker={linker}"));
    }
    rustc
}

fn run(rustc: &mut Command) {
    let status = rustc.status().expect("RUSTC can be run");
    assert!(status.success(), "the recorder cannot be compiled: {rustc:?}");
}

/// Cargo sets these for every build script.
fn variable(name: &str) -> String {
    env::var(name).unwrap_or_default()
}
