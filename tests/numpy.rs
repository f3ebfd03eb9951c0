//! The data of `numpy` arrays, which stands in blocks of its own: counted to the byte, and what object arrays hold is found.

mod interpreters;
mod profiler;
mod programs;

use interpreters::{all_required, for_each_interpreter};
use profiler::{owner, report, type_row, warnings};
use programs::Program;
use serde_json::Value;

const ARRAYS: &str = r#"
import sys
try:
    import numpy
except ImportError:
    numpy = None

class Text(str):
    pass

class Labelled(numpy.ndarray if numpy else object):
    pass

print('ready', flush=True)
print(numpy is not None, flush=True)
sys.stdin.readline()
table = numpy.zeros((1000, 300))
arrays = [
    table, table[::2], table.T, numpy.arange(77, dtype='i4'), numpy.zeros(1), numpy.array(3.0), numpy.zeros((0, 5)),
    numpy.asfortranarray(numpy.ones((20, 30))), numpy.zeros(10, dtype=[('x', 'i4'), ('y', 'f8'), ('name', 'U10')]),
    numpy.array([Text(number) for number in range(1000)], dtype=object),
]
LABELLED = numpy.arange(50_000).view(Labelled)
OWNED = LABELLED.copy()
OBJECTS = arrays[-1]
print(sum(map(sys.getsizeof, arrays)), flush=True)
print(sys.getsizeof(OWNED) + sys.getsizeof(LABELLED), flush=True)
sys.stdin.readline()
"#;

#[test]
fn arrays_count_with_their_data() {
    for_each_interpreter(|python| {
        let mut program = Program::start(python.command().args(["-c", ARRAYS]));
        if program.line() != "True" {
            assert!(!all_required(), "numpy must be there for {}", python.name());
            return;
        }
        let row = |report: &Value| {
            let rows = report["types"].as_array().unwrap();
            let row = rows.iter().find(|row| row["type"] == "numpy.ndarray");
            let number = |name: &str| row.map_or(0, |row| row[name].as_u64().unwrap());
            (number("count"), number("getsizeof_bytes"), number("bytes"))
        };
        let before = row(&report(&format!("attach {} -d 0", program.pid())));
        program.tell("");
        let all: u64 = program.line().parse().unwrap();
        let labelled: u64 = program.line().parse().unwrap();
        let report = report(&format!("attach {} -d 0", program.pid()));
        let after = row(&report);
        // What the labelled ones were made from is one more.
        let source = after.1 - before.1 - all;
        assert_eq!(after.0 - before.0, 11, "on {}", python.name());
        assert!((400_000..401_000).contains(&source), "{source} on {}", python.name());
        assert!(after.2 >= after.1 && after.2 < after.1 + 200 * after.0, "{after:?}");
        assert_eq!(type_row(&report, "__main__.Labelled")["getsizeof_bytes"], labelled);
        assert_eq!(type_row(&report, "__main__.Text")["count"], 1000);
        assert!(warnings(&report, "numpy.ndarray").is_empty());

        let table = owner(&report, "__main__.table");
        assert_eq!(table["length"], 300_000);
        assert!(
            (2_400_000..2_410_000).contains(&table["bytes"].as_u64().unwrap()),
            "{table}"
        );
        let objects = owner(&report, "__main__.OBJECTS");
        assert!(objects["bytes"].as_u64() > Some(8_000 + 1000 * 50), "{objects}");
    });
}
