//! Objects of C types that nobody knows: what they hold is found among their words, and nothing else is.

mod interpreters;
mod profiler;
mod targets;

use interpreters::for_each_interpreter;
use profiler::{ask, type_row};
use serde_json::Value;
use targets::{Target, attach};

/// Makes a type as C code would, of objects with eight words that nothing describes, and has them hold objects that
/// nothing else holds: texts and bytes of all sizes, some of them resized, and numbers that are addresses of nothing.
const UNKNOWN: &str = r#"
import ctypes, gc, json, sys

api = ctypes.pythonapi
api.PyType_FromSpec.restype = api.PyType_GenericAlloc.restype = ctypes.py_object
api.PyType_GenericAlloc.argtypes = [ctypes.py_object, ctypes.c_ssize_t]

class Slot(ctypes.Structure):
    _fields_ = [('slot', ctypes.c_int), ('function', ctypes.c_void_p)]

class Spec(ctypes.Structure):
    _fields_ = [('name', ctypes.c_char_p), ('basicsize', ctypes.c_int), ('itemsize', ctypes.c_int),
                ('flags', ctypes.c_uint), ('slots', ctypes.POINTER(Slot))]

WORDS, HEAD, HAS_VERSION_TAG = 8, 16, 1 << 18
SPEC = Spec(b'nobody.Knows', HEAD + 8 * WORDS, 0, HAS_VERSION_TAG, (Slot * 1)())
Knows = api.PyType_FromSpec(ctypes.byref(SPEC))

class Payload(object):
    __slots__ = ()

def texts():
    for length in (1, 7, 15, 16, 40, 100, 400, 470, 600, 5000, 300_000):
        yield 'ascii %d '.ljust(length + 9, 'a') % length
        yield 'latin é %d '.ljust(length + 10, 'é') % length
        yield 'wide € %d '.ljust(length + 9, '€') % length
        yield b'bytes %d '.ljust(length + 9, b'b') % length
        # Made longer bit by bit, and cut to what they need at last.
        yield ''.join('grown %d' % number for number in range(length))
        yield repr(list(range(length)))

def hold(objects):
    holder = api.PyType_GenericAlloc(Knows, 0)
    words = (ctypes.c_void_p * WORDS).from_address(id(holder) + HEAD)
    for place, each in enumerate(objects):
        api.Py_IncRef(ctypes.py_object(each))
        words[place] = id(each)
    return holder

KEPT, sizes = [], {'str': 0, 'bytes': 0}
for text in texts():
    sizes[type(text).__name__] += sys.getsizeof(text)
    KEPT.append(hold([text, Payload()]))
del text
print(json.dumps({'held': len(KEPT), 'sizes': sizes, 'large': id(KEPT[-2])}), flush=True)
sys.stdin.read()
"#;

#[test]
fn texts_that_only_an_unknown_object_holds_are_found() {
    for_each_interpreter(|python| {
        let target = Target::spawn(python.command().args(["-c", UNKNOWN]));
        let told: Value = serde_json::from_str(&target.line()).unwrap();
        let report = attach(target.pid(), &[]);
        let held = told["held"].as_u64().unwrap();
        assert_eq!(type_row(&report, "nobody.Knows")["count"], held);
        assert_eq!(type_row(&report, "__main__.Payload")["count"], held);
        // The program has other texts, too, which are the same ones when nothing holds these.
        let plain = Target::spawn(
            python
                .command()
                .args(["-c", &UNKNOWN.replace("hold([text, ", "hold([")]),
        );
        plain.line();
        let without = attach(plain.pid(), &[]);
        for (name, size) in told["sizes"].as_object().unwrap() {
            let bytes = |report: &Value| {
                type_row(report, &format!("builtins.{name}"))["getsizeof_bytes"]
                    .as_i64()
                    .unwrap()
            };
            let (more, size) = (bytes(&report) - bytes(&without), size.as_i64().unwrap());
            // A few short ones of the interpreter's own differ from run to run.
            assert!((more - size).abs() < 1000, "{more} bytes more of {name}, not {size}");
        }
        assert_eq!(report["capture"]["objects_rejected"], 0);
        let words = format!("paths {} --address {} --refs", target.pid(), told["large"]);
        let shown = ask(&words).done();
        assert!(shown.contains("str"), "{shown}");
        assert!(target.finish().success() && plain.finish().success());
    });
}
