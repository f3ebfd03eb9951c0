//! The CPythons of this machine that tests run on, and the ones that must be there.
//!
//! They are looked for on `PATH`, below pyenv's root, in the folder that `tests/interpreters/provide` fills
//! (`PYMEMSCOPE_INTERPRETERS`, or `.interpreters` in the checkout), and in `PYMEMSCOPE_PYTHONS` (paths with colons
//! between them). Two more variables:
//!
//! - `PYMEMSCOPE_REQUIRE="3.8 3.13-debian 3.13-upstream"`: a test fails when it did not run on each of these;
//! - `PYMEMSCOPE_ONLY="3.12 3.15"`: leave the others out, for quick work on one version.
#![allow(dead_code, reason = "each test binary uses a part")]

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsStr;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// One CPython of a supported version, with the global interpreter lock.
#[derive(Debug, Clone)]
pub struct Interpreter {
    pub executable: PathBuf,
    /// `3.12.1`.
    pub version: String,
    pub minor: (u32, u32),
    /// Built by Debian, whose 3.13 is laid out otherwise than upstream's.
    pub debian: bool,
    /// Packages from PyPI that were provided for this version.
    pub packages: Option<PathBuf>,
}

impl Interpreter {
    /// `3.13.15-debian`.
    pub fn name(&self) -> String {
        format!("{}{}", self.version, if self.debian { "-debian" } else { "" })
    }

    /// Whether it is what `3.13`, `3.13-debian` or `3.13-upstream` asks for.
    fn satisfies(&self, wanted: &str) -> bool {
        let (version, flavour) = wanted.split_once('-').unwrap_or((wanted, ""));
        let minor = format!("{}.{}", self.minor.0, self.minor.1);
        (version == minor || version == self.version)
            && match flavour {
                "debian" => self.debian,
                "upstream" => !self.debian,
                _ => true,
            }
    }

    /// A command that starts it, without the surroundings of the one who tests, with the provided packages.
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.executable);
        for (name, _) in env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("PYTHON")) {
            command.env_remove(name);
        }
        command.arg("-B");
        if let Some(packages) = &self.packages {
            command.env("PYTHONPATH", packages);
        }
        command
    }
}

/// Runs a test on every interpreter, says on which, and fails when a required one was not among them.
pub fn for_each_interpreter(test: impl FnMut(&Interpreter)) {
    on_those(|_| true, test);
}

/// The same for those that `fit`; a required one that does not fit is not missed.
pub fn on_those(fit: impl Fn(&Interpreter) -> bool, mut test: impl FnMut(&Interpreter)) {
    let found = interpreters();
    assert!(!found.is_empty(), "no CPython from 3.8 to 3.15 was found");
    let required = env::var("PYMEMSCOPE_REQUIRE").unwrap_or_default();
    for wanted in required.split_whitespace() {
        assert!(
            found.iter().any(|interpreter| interpreter.satisfies(wanted)),
            "Python {wanted} is required and was not found; there are {:?}",
            found.iter().map(Interpreter::name).collect::<Vec<_>>()
        );
    }
    let mut failed = Vec::new();
    for interpreter in found.iter().filter(|interpreter| fit(interpreter)) {
        eprintln!("Python {} ({})", interpreter.name(), interpreter.executable.display());
        // One that fails does not hide what the others say.
        if catch_unwind(AssertUnwindSafe(|| test(interpreter))).is_err() {
            failed.push(interpreter.name());
        }
    }
    assert!(failed.is_empty(), "failed on Python {}", failed.join(", "));
}

/// Whether a package was provided for an interpreter.
fn has(python: &Interpreter, package: &str) -> bool {
    python
        .packages
        .as_ref()
        .is_some_and(|folder| folder.join(package).is_dir())
}

/// Runs a test where a package was provided, which must have been somewhere when everything is required.
pub fn with_package(package: &str, mut test: impl FnMut(&Interpreter)) {
    let mut ran = 0;
    on_those(
        |python| has(python, package),
        |python| {
            test(python);
            ran += 1;
        },
    );
    assert!(ran > 0 || !all_required(), "{package} was provided for no interpreter");
}

/// Whether everything that a test may need must be there: set where the whole suite is run for a verdict.
pub fn all_required() -> bool {
    env::var_os("PYMEMSCOPE_REQUIRE").is_some()
}

/// All that were found, the oldest first, each build once.
pub fn interpreters() -> &'static [Interpreter] {
    static FOUND: OnceLock<Vec<Interpreter>> = OnceLock::new();
    FOUND.get_or_init(|| {
        let only = env::var("PYMEMSCOPE_ONLY").unwrap_or_default();
        let only: Vec<&str> = only.split_whitespace().collect();
        let mut found: BTreeMap<String, Interpreter> = BTreeMap::new();
        for path in candidates() {
            if let Some((build, interpreter)) = ask(&path) {
                found.entry(build).or_insert(interpreter);
            }
        }
        let mut found: Vec<_> = found.into_values().collect();
        found.retain(|interpreter| only.is_empty() || only.iter().any(|wanted| interpreter.satisfies(wanted)));
        found.sort_by_key(|interpreter| (interpreter.minor, interpreter.name()));
        found
    })
}

/// Where `tests/interpreters/provide` puts what it provides.
pub fn provided() -> PathBuf {
    env::var_os("PYMEMSCOPE_INTERPRETERS").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join(".interpreters"),
        PathBuf::from,
    )
}

fn candidates() -> Vec<PathBuf> {
    let listed = env::var_os("PYMEMSCOPE_PYTHONS").unwrap_or_default();
    let mut paths: Vec<PathBuf> = env::split_paths(&listed)
        .filter(|path| !path.as_os_str().is_empty())
        .collect();
    let pyenv = env::var_os("PYENV_ROOT").map(PathBuf::from);
    let pyenv = pyenv.or_else(|| env::var_os("HOME").map(|home| Path::new(&home).join(".pyenv")));
    if let Some(root) = pyenv {
        paths.extend(children(&root.join("versions")).map(|version| version.join("bin/python3")));
    }
    paths.extend(children(&provided().join("bin")).filter(|path| is_python(path.file_name())));
    for folder in env::split_paths(&env::var_os("PATH").unwrap_or_default()) {
        paths.extend(children(&folder).filter(|path| is_python(path.file_name())));
    }
    paths
}

fn children(folder: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path())
}

/// `python3` and `python3.12`, but not `python3-config` nor `python3.14-loader`.
fn is_python(name: Option<&OsStr>) -> bool {
    let name = name
        .and_then(OsStr::to_str)
        .and_then(|name| name.strip_prefix("python3"));
    name.is_some_and(|rest| rest.is_empty() || rest.strip_prefix('.').is_some_and(|minor| minor.parse::<u32>().is_ok()))
}

/// What tells builds apart, and what a program says of itself, when it is a CPython that is supported.
fn ask(path: &Path) -> Option<(String, Interpreter)> {
    const QUESTION: &str = "import os, sys, sysconfig
assert sys.implementation.name == 'cpython' and (3, 8) <= sys.version_info[:2] <= (3, 15)
assert not sysconfig.get_config_var('Py_GIL_DISABLED')
print(sys.executable, '%d.%d.%d' % sys.version_info[:3], int('deb_system' in sysconfig.get_scheme_names()),
      sys.version.replace('\\n', ' ') + os.path.realpath(sys.base_prefix), sep='\\n')";
    let output = Command::new(path)
        .args(["-B", "-c", QUESTION])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let [executable, version, debian, build] = text.lines().collect::<Vec<_>>()[..] else {
        return None;
    };
    let mut numbers = version.split('.').map(|number| number.parse().ok());
    let minor = (numbers.next()??, numbers.next()??);
    let packages = provided().join("site").join(format!("{}.{}", minor.0, minor.1));
    let interpreter = Interpreter {
        executable: PathBuf::from(executable),
        version: version.to_owned(),
        minor,
        debian: debian == "1",
        packages: packages.is_dir().then_some(packages),
    };
    output.status.success().then(|| (build.to_owned(), interpreter))
}
