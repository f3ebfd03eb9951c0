//! On every interpreter of this machine: the lines that are read for the instructions of the standard library are those
//! that `co_lines()` or `dis` gives.

mod support;

use cpython::objects::lines::Lines;
use cpython::{Recognised, recognise};
use support::{Target, interpreters};

/// Compiles the standard library, and tells of each code object its address and, for runs of instructions, where they end
/// and the line that they belong to, -1 for none.
const PROGRAM: &str = r#"
import ctypes, dis, os, sys, types, warnings
warnings.simplefilter("ignore")
def place(name):
    return ctypes.addressof(ctypes.c_char.in_dll(ctypes.pythonapi, name))
print("_PyRuntime", place("_PyRuntime"))
if sys.version_info >= (3, 11):
    print("Py_Version", place("Py_Version"))
def runs(code):
    if hasattr(code, "co_lines"):
        return [(end, -1 if line is None else line) for _, end, line in code.co_lines()]
    starts = list(dis.findlinestarts(code))
    ends = [start for start, _ in starts[1:]] + [len(code.co_code)]
    return [(end, line) for end, (_, line) in zip(ends, starts)]
keep = []
def tell(code):
    keep.append(code)
    print("c%d" % id(code), ",".join("%d:%d" % run for run in runs(code)))
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            tell(constant)
library = os.path.dirname(os.__file__)
for folder, folders, files in os.walk(library):
    folders[:] = [name for name in folders if name not in ("site-packages", "dist-packages", "test", "tests")]
    for name in files:
        if name.endswith(".py"):
            with open(os.path.join(folder, name), "rb") as file:
                source = file.read()
            try:
                tell(compile(source, name, "exec", dont_inherit=True))
            except (SyntaxError, ValueError, UnicodeDecodeError):
                pass
print("ready", flush=True)
os.read(0, 1)
"#;

#[test]
fn every_instruction_of_the_standard_library_has_its_line() {
    let interpreters = interpreters();
    assert!(!interpreters.is_empty(), "no CPython was found: set PYMEMSCOPE_PYTHONS");
    for (name, python) in interpreters {
        let target = Target::start(&python, PROGRAM);
        let mut memory = target.memory();
        let Recognised { layout, .. } =
            recognise(&mut memory, &target.symbols()).unwrap_or_else(|refused| panic!("{name}: {refused}"));
        let mut instructions = 0;
        for (code, runs) in &target.facts {
            let Some(code) = code.strip_prefix('c').and_then(|code| code.parse().ok()) else {
                continue;
            };
            let lines = Lines::read(&mut memory, &layout, code).unwrap_or_else(|cause| panic!("{name}: {cause}"));
            let mut offset = 0;
            for run in runs.split(',').filter(|run| !run.is_empty()) {
                let (end, line) = run.split_once(':').expect("an end and a line");
                let (end, line): (i64, i64) = (end.parse().expect("a number"), line.parse().expect("a number"));
                while offset < end {
                    assert!(lines.has(offset), "{name}: {offset} of {code:#x}");
                    assert_eq!(
                        lines.at(offset).map_or(-1, i64::from),
                        line,
                        "{name}: {offset} of {code:#x}"
                    );
                    instructions += 1;
                    offset += 2;
                }
            }
        }
        assert!(
            instructions > 100_000,
            "{name}: only {instructions} instructions were told of"
        );
    }
}
