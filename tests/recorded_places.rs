//! What is shown of a recording: memory by line beside its source, and sites as they are chosen and grouped.

mod interpreters;
mod profiler;

use std::fs;
use std::path::Path;

use interpreters::{Interpreter, for_each_interpreter, interpreters};
use profiler::{answer, ask, parse, parse_file};
use serde_json::Value;

const MILLION: i64 = 1_000_000;

/// A program whose lines allocate what stands beside them.
const SHOP: &str = "\
import store

def fill(kept):
    for _ in range(3):
        kept.append(bytes(19_999_967))  # 60 MB stay
    scratch = bytes(39_999_967)  # 40 MB go
    del scratch

    return kept


def open_shop():
    return fill(store.stock())

KEPT = open_shop()
";

/// A library of the program.
const STORE: &str = "\
def stock():
    return [bytes(19_999_967) for _ in range(2)]
";

/// Runs the shop in a folder; its report is there as JSON, and what was recorded as a folder.
fn run_shop(python: &Interpreter, folder: &Path) {
    fs::write(folder.join("shop.py"), SHOP).unwrap();
    fs::write(folder.join("store.py"), STORE).unwrap();
    // Every block, so that no figure is left to chance.
    let mut command = profiler::pymemscope(["run", "--every", "-d", "0", "--lines", "fill", "--lines", "store.py"]);
    command
        .args(["--lines", "nowhere.py", "-o"])
        .arg(folder.join("run.pms"));
    command.arg("-o").arg(folder.join("run.json")).arg("--");
    let text = answer(command.arg(&python.executable).arg("-B").arg(folder.join("shop.py"))).done();
    assert!(
        text.contains("Nothing was recorded in a file or function called nowhere.py"),
        "{text}"
    );
}

/// Blocks that are always sampled; a small one beside them may have been by chance, which then stands for half a million.
#[track_caller]
fn assert_near(found: i64, expected: i64, what: &str) {
    assert!(
        (found - expected * MILLION).abs() < 3 * MILLION,
        "{what}: {found}, not {expected} million"
    );
}

/// The rows of what was asked about by this name.
fn lines_of<'a>(report: &'a Value, asked: &str) -> &'a Vec<Value> {
    let all = report["recording"]["lines"].as_array().unwrap();
    let found = all.iter().find(|lines| lines["asked"] == asked);
    found.unwrap_or_else(|| panic!("no {asked} in {all:?}"))["lines"]
        .as_array()
        .unwrap()
}

#[track_caller]
fn check_line(rows: &[Value], line: u64, expected: [(&str, i64); 6]) {
    let row = rows
        .iter()
        .find(|row| row["line"] == line)
        .unwrap_or_else(|| panic!("no line {line}"));
    for (figure, expected) in expected {
        assert_near(
            row[figure].as_i64().unwrap(),
            expected,
            &format!("line {line}, {figure}"),
        );
    }
}

/// Figures with what was called, and a line's own.
fn figures(all: [i64; 3], own: [i64; 3]) -> [(&'static str, i64); 6] {
    [
        ("bytes", all[0]),
        ("peak_bytes", all[1]),
        ("allocated_bytes", all[2]),
        ("own_bytes", own[0]),
        ("own_peak_bytes", own[1]),
        ("own_allocated_bytes", own[2]),
    ]
}

#[test]
fn every_line_has_what_it_allocated_beside_its_source() {
    for_each_interpreter(|python| {
        let place = tempfile::tempdir().unwrap();
        run_shop(python, place.path());
        let told = parse_file(&place.path().join("run.json"));
        let fill = lines_of(&told, "fill");
        let numbers: Vec<u64> = fill.iter().map(|row| row["line"].as_u64().unwrap()).collect();
        assert_eq!(numbers, [3, 4, 5, 6, 7, 8, 9]);
        for (row, text) in fill.iter().zip(SHOP.lines().skip(2)) {
            assert_eq!(row["source"], text);
        }
        check_line(fill, 5, figures([60; 3], [60; 3]));
        check_line(fill, 6, figures([0, 40, 40], [0, 40, 40]));
        check_line(fill, 7, figures([0; 3], [0; 3]));
        check_line(lines_of(&told, "store.py"), 2, figures([40; 3], [40; 3]));

        let saved = place.path().join("run.pms");
        let words = format!("report {} --lines shop.open_shop --lines open_shop", saved.display());
        let shown = parse(&ask(&format!("{words} -j")).done());
        for asked in ["shop.open_shop", "open_shop"] {
            check_line(lines_of(&shown, asked), 13, figures([100, 140, 140], [0; 3]));
        }
        let text = ask(&words).done();
        let line = text
            .lines()
            .find(|line| line.ends_with("return fill(store.stock())"))
            .unwrap();
        assert!(
            line.trim_start().starts_with("13 ") && line.contains("95.4 MiB"),
            "{line}"
        );

        let shop = place.path().join("shop.py");
        fs::write(&shop, SHOP.replace("scratch", "another")).unwrap();
        let text = ask(&format!("report {} --lines shop.py", saved.display())).done();
        assert!(
            text.contains("it is another text than when the program was recorded"),
            "{text}"
        );
        assert!(text.contains("95.4 MiB") && !text.contains("another = "), "{text}");
        // A copy of what ran, such as on another machine, is as good as the file itself.
        fs::write(&shop, SHOP).unwrap();
        let text = ask(&format!("report {} --lines shop.py", saved.display())).done();
        assert!(text.contains("del scratch") || text.contains("scratch = "), "{text}");

        fs::remove_file(&shop).unwrap();
        let text = ask(&format!("report {} --lines shop.py", saved.display())).done();
        assert!(
            text.contains("there is no source at") && text.contains("95.4 MiB"),
            "{text}"
        );
    });
}

#[test]
fn source_that_changes_while_the_program_runs_is_not_shown() {
    for_each_interpreter(|python| {
        let place = tempfile::tempdir().unwrap();
        let program = place.path().join("changes.py");
        let text = "KEPT = bytes(29_999_967)\nwith open(__file__, 'a') as file:\n    file.write('# more')\n";
        fs::write(&program, text).unwrap();
        let mut command = profiler::pymemscope(["run", "--every", "-d", "0", "--lines", "changes.py", "--"]);
        let shown = answer(command.arg(&python.executable).arg(&program)).done();
        assert!(
            shown.contains("it was changed after the program had started"),
            "{shown}"
        );
        assert!(shown.contains("28.6 MiB") && !shown.contains("KEPT = bytes"), "{shown}");
    });
}

/// The figures of the first rows of the table, by their names.
fn table(text: &str) -> Vec<&str> {
    let rows = text
        .lines()
        .skip_while(|line| !line.starts_with("Allocated at "))
        .skip(1);
    rows.take_while(|line| !line.starts_with("Allocated at:")).collect()
}

#[test]
fn sites_are_chosen_and_grouped() {
    let place = tempfile::tempdir().unwrap();
    run_shop(interpreters().last().unwrap(), place.path());
    let saved = place.path().join("run.pms");
    let report = |words: &str| ask(&format!("report {} {words}", saved.display())).done();
    /// Bytes that are alive at a place.
    #[track_caller]
    fn check(text: &str, place: &str, expected: i64) {
        let mut rows = table(text).into_iter();
        let row = rows
            .find(|row| row.contains(place))
            .unwrap_or_else(|| panic!("no {place} in {text}"));
        let (figure, _) = row.split_once(" MiB").unwrap_or_else(|| panic!("{row}"));
        let (_, figure) = figure.rsplit_once(' ').unwrap();
        let bytes = figure.parse::<f64>().unwrap() * f64::from(1 << 20);
        assert_near(bytes as i64, expected, row);
    }

    let text = report("--by file");
    check(&text, "shop.py ", 60);
    check(&text, "store.py ", 40);
    let text = report("--by file --cumulative");
    check(&text, "shop.py ", 100);
    check(&text, "store.py ", 40);
    check(&report("--by function --cumulative"), "shop.py open_shop ", 100);
    let text = report("--by stack");
    let stack = table(&text).into_iter().find(|row| row.contains("stock")).unwrap();
    assert!(stack.contains(" < ") && stack.contains("open_shop"), "{text}");

    let text = report("--include store.py");
    assert!(table(&text).iter().all(|row| row.contains("store.py:")), "{text}");
    check(&text, "store.py:2 stock", 40);
    assert!(!report("--exclude store.py").contains("store.py:2"));
    // With what it calls, the shop has all; but not what its library is left out of.
    let text = report("--include */shop.py --cumulative");
    check(&text, "shop.py:13 open_shop", 100);
    assert!(!text.contains("store.py:2"), "{text}");
    check(&report("--domain object --domain mem"), "shop.py:5 fill", 60);
    assert!(!report("--domain mmap").contains("shop.py:5"));
    let text = report("--include nothing/*");
    assert!(text.contains("No place is left by --include"), "{text}");

    let drawn = report("--include store.py -f collapsed");
    let bytes = drawn
        .lines()
        .map(|line| line.rsplit_once(' ').unwrap().1.parse::<i64>().unwrap());
    assert_near(bytes.sum(), 40, &drawn);
    assert!(drawn.lines().all(|line| line.contains("/store.py:")), "{drawn}");
    let told = parse(&report("--include store.py -j"));
    let alive = told["recording"]["alive"].as_array().unwrap();
    assert!(
        !alive.is_empty() && alive.iter().all(|site| site["function"] != "fill"),
        "{alive:?}"
    );

    for words in ["--by line --by file", "--domain heap"] {
        let said = ask(&format!("report {} {words}", saved.display()));
        assert_eq!(said.code, Some(2), "{said:?}");
    }
}

#[test]
fn what_imports_allocate_is_told_of_the_statement_that_imports() {
    for_each_interpreter(|python| {
        let place = tempfile::tempdir().unwrap();
        // Its constants are read by the machinery of imports itself, from the compiled file.
        let large = format!("TEXT = {:?}\n", "x".repeat(30_000_000));
        fs::write(place.path().join("large.py"), large).unwrap();
        fs::write(place.path().join("shop.py"), "import sys\nimport large\n").unwrap();
        let compile = ["-c", "import sys, py_compile; py_compile.compile(sys.argv[1])"];
        answer(python.command().args(compile).arg(place.path().join("large.py"))).done();
        let told = place.path().join("run.json");
        let mut command = profiler::pymemscope(["run", "-d", "0", "-o"]);
        command.arg(&told).arg("--").arg(&python.executable);
        let text = answer(command.arg(place.path().join("shop.py"))).done();
        let sites = parse_file(&told)["recording"]["alive"].clone();
        let of_large = |site: &&Value| site["bytes"].as_i64().unwrap() > 29 * MILLION;
        let found: Vec<&Value> = sites.as_array().unwrap().iter().filter(of_large).collect();
        assert_eq!(found.len(), 1, "{text}");
        assert_eq!(
            (&found[0]["line"], &found[0]["function"]),
            (&2.into(), &"<module>".into()),
            "{text}"
        );
        assert!(found[0]["file"].as_str().unwrap().ends_with("shop.py"), "{text}");
        let stack = found[0]["stack"].as_array().unwrap();
        assert_eq!(stack.last().unwrap()["line"], 2, "{stack:?}");
        let is_machinery = |call: &&Value| {
            call["file"]
                .as_str()
                .is_some_and(|file| file.contains("importlib._boot"))
        };
        assert_eq!(stack.iter().find(is_machinery), None);
        assert!(!table(&text)[0].contains("importlib"), "{text}");
    });
}
