//! On every interpreter of this machine: the runtime is recognised, and the collector's lists hold what `gc` says.

mod support;

use cpython::layout::{GcPlace, Layout};
use cpython::{ReadMemory, Recognised, recognise, runtime};
use support::{LiveMemory, Target, interpreters};

// Written and read past `sys.stdout` and `sys.stdin`, which make objects when they are first used.
const PROGRAM: &str = r#"
import ctypes, gc, os, sys
def place(name):
    return ctypes.addressof(ctypes.c_char.in_dll(ctypes.pythonapi, name))
facts = "_PyRuntime %d\nhexversion %d\nmodules %d\n" % (place("_PyRuntime"), sys.hexversion, id(sys.modules))
if sys.version_info >= (3, 11):
    facts += "Py_Version %d\n" % place("Py_Version")
keep = [[index] for index in range(1000)]
gc.collect()
gc.disable()
def count():
    return len(gc.get_objects())
before, now = -1, count()
while before != now:
    before, now = now, count()
facts += "tracked %d\nready\n" % now
os.write(1, facts.encode())
os.read(0, 1)
"#;

#[test]
fn every_interpreter_is_recognised_and_its_lists_are_whole() {
    let interpreters = interpreters();
    assert!(!interpreters.is_empty(), "no CPython was found: set PYMEMSCOPE_PYTHONS");
    for (name, python) in interpreters {
        let target = Target::start(&python, PROGRAM);
        let mut memory = target.memory();
        let symbols = target.symbols();
        let Recognised { version, layout, notes } =
            recognise(&mut memory, &symbols).unwrap_or_else(|refused| panic!("{name}: {refused}"));
        assert_eq!(Some(u64::from(version.0)), target.number("hexversion"), "{name}");
        let interpreters = runtime::interpreters(&mut memory, &layout, symbols.runtime).expect("interpreters");
        assert_eq!(interpreters.len(), 1, "{name}");
        assert_eq!(Some(interpreters[0].modules), target.number("modules"), "{name}");
        let threads = runtime::threads(&mut memory, &layout, interpreters[0].address).expect("threads");
        assert_eq!(threads.len(), 1, "{name}");
        let collectors = runtime::collectors(&mut memory, &layout, symbols.runtime, &interpreters).expect("collectors");
        assert_eq!(collectors.len(), 1, "{name}");
        assert!(!collectors[0].enabled, "{name}: the program disabled its collector");
        let mut tracked = 0;
        for offset in layout.gc.heads {
            tracked += ring_length(&mut memory, &layout, collectors[0].address + offset);
        }
        assert_eq!(Some(tracked), target.number("tracked"), "{name}");
        println!(
            "{name}: CPython {version}, {tracked} objects in its lists {:?}, notes {notes:?}",
            layout.gc.heads
        );
    }
}

const SUBINTERPRETERS: &str = r#"
import ctypes, gc, os, sys, threading
def place(name):
    return ctypes.addressof(ctypes.c_char.in_dll(ctypes.pythonapi, name))
facts = "_PyRuntime %d\n" % place("_PyRuntime")
if sys.version_info >= (3, 11):
    facts += "Py_Version %d\n" % place("Py_Version")
try:
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters
keep = [interpreters.create(), interpreters.create()]
stay = threading.Event()
for _ in range(3):
    threading.Thread(target=stay.wait, daemon=True).start()
gc.freeze()
os.write(1, (facts + "ready\n").encode())
os.read(0, 1)
"#;

#[test]
fn interpreters_in_interpreters_and_their_collectors_are_found() {
    for (name, python) in interpreters() {
        let target = Target::start(&python, SUBINTERPRETERS);
        let mut memory = target.memory();
        let runtime = target.symbols().runtime;
        let Recognised { layout, .. } =
            recognise(&mut memory, &target.symbols()).unwrap_or_else(|refused| panic!("{name}: {refused}"));
        let interpreters = runtime::interpreters(&mut memory, &layout, runtime).expect("interpreters");
        let ids: Vec<i64> = interpreters.iter().map(|each| each.id).collect();
        assert_eq!(ids, [2, 1, 0], "{name}");
        let main = runtime::threads(&mut memory, &layout, interpreters[2].address).expect("threads");
        assert_eq!(main.len(), 4, "{name}");
        let collectors = runtime::collectors(&mut memory, &layout, runtime, &interpreters).expect("collectors");
        let expected = if matches!(layout.gc.place, GcPlace::Runtime(_)) {
            1
        } else {
            3
        };
        assert_eq!(collectors.len(), expected, "{name}");
        let frozen = ring_length(
            &mut memory,
            &layout,
            collectors[expected - 1].address + layout.gc.permanent,
        );
        assert!(frozen > 1000, "{name}: {frozen} objects are frozen");
    }
}

/// How many objects hang on the ring at `head`.
fn ring_length(memory: &mut LiveMemory, layout: &Layout, head: u64) -> u64 {
    let mut length = 0;
    let mut node = memory.word(head).expect("a list head") & !layout.object.gc_bits;
    while node != head {
        length += 1;
        node = memory.word(node).expect("a node of the list") & !layout.object.gc_bits;
    }
    length
}
