//! Programs that nobody here wrote: they can be attached to, everything in them is understood, and they go on working.

mod interpreters;
mod packages;
mod profiler;
mod targets;

use std::io::{Read, Write};
use std::process::{Command, Stdio};

use interpreters::{Interpreter, for_each_interpreter, on_those, with_package};
use packages::{SITE, get, server};
use serde_json::Value;
use targets::{Target, attach};

/// A look at a program that has done what it was asked: the thread that served a page may still be ending.
#[track_caller]
fn look(target: &Target, options: &[&str]) -> Value {
    target.rests();
    attach(target.pid(), options)
}

/// Nothing in the report may be missing or in doubt.
#[track_caller]
fn understood(report: &Value, python: &Interpreter) {
    let name = python.name();
    assert_eq!(report["capture"]["objects_rejected"], 0, "on Python {name}");
    let count = |wanted: &str| {
        let types = report["types"].as_array().unwrap();
        let found = types.iter().find(|row| row["type"] == wanted);
        found.and_then(|row| row["count"].as_u64()).unwrap_or(0)
    };
    for (wanted, least) in [
        ("builtins.dict", 100),
        ("builtins.str", 1000),
        ("builtins.type", 100),
        ("builtins.module", 20),
    ] {
        assert!(
            count(wanted) >= least,
            "only {} {wanted} on Python {name}",
            count(wanted)
        );
    }
    let owners = report["owners"].as_array().unwrap();
    assert!(!owners.is_empty(), "nobody owns anything on Python {name}");
}

#[test]
fn http_server_goes_on_serving() {
    // The module's own main function, which prints the port that it was given by the system.
    let code = "import runpy, sys; sys.argv[1:] = ['0', '--bind', '127.0.0.1']
runpy.run_module('http.server', run_name='__main__', alter_sys=True)";
    let folder = env!("CARGO_MANIFEST_DIR");
    for_each_interpreter(|python| {
        let target = Target::spawn(
            python
                .command()
                .args(["-u", "-c", code])
                .current_dir(folder)
                .stderr(Stdio::null()),
        );
        let line = target.line();
        let port = line
            .split("port ")
            .nth(1)
            .and_then(|rest| rest.split(' ').next()?.parse().ok());
        let port = port.unwrap_or_else(|| panic!("no port in {line:?}"));
        let page = get(port, "/Cargo.toml");
        assert!(page.0.contains("200") && page.1.contains("pymemscope"), "{page:?}");
        for freeze in ["fork", "stop", "none"] {
            let report = look(&target, &["--freeze", freeze]);
            // Only a program that is stopped is read whole.
            if freeze != "none" {
                understood(&report, python);
            }
            assert_eq!(get(port, "/Cargo.toml"), page, "after --freeze {freeze}");
        }
    });
}

#[test]
fn a_flask_application_goes_on_serving() {
    let code = "
import flask, werkzeug.serving
app = flask.Flask('shop')
SEEN = {}
@app.route('/order/<int:number>')
def order(number):
    SEEN[number] = flask.render_template_string('order {{ n }}', n=number)
    return SEEN[number]
server = werkzeug.serving.make_server('127.0.0.1', 0, app, threaded=True)
print('port', server.server_port)
server.serve_forever()";
    with_package("flask", |python| {
        let (target, port) = server(python, code);
        for number in 0..20 {
            assert_eq!(get(port, &format!("/order/{number}")).1, format!("order {number}"));
            if number % 5 == 0 {
                understood(&look(&target, &[]), python);
            }
        }
    });
}

#[test]
fn a_django_application_goes_on_serving() {
    with_package("django", |python| {
        let (target, port) = server(python, SITE);
        for number in 0..10 {
            assert_eq!(get(port, &format!("/user/{number}")).1, format!("users {}", number + 1));
            if number % 4 == 0 {
                understood(&look(&target, &[]), python);
            }
        }
    });
}

#[test]
fn a_pandas_session_goes_on_computing() {
    let code = "
import pandas, sys
frame = pandas.DataFrame({'a': range(10000), 'b': ['text %d' % n for n in range(10000)], 'c': 1.5})
frame['when'] = pandas.date_range('2020-01-01', periods=len(frame), freq='h')
grouped = frame.groupby(frame['a'] % 7).agg({'a': 'sum', 'b': 'count'})
print('ready')
for line in sys.stdin:
    print(int(frame['a'].sum()), int(grouped['b'].sum()))";
    with_package("pandas", |python| {
        let mut target = Target::spawn(python.command().args(["-u", "-c", code]));
        assert_eq!(target.line(), "ready\n");
        for freeze in ["fork", "stop"] {
            let report = look(&target, &["--freeze", freeze]);
            // Only a program that is stopped is read whole.
            if freeze != "none" {
                understood(&report, python);
            }
            target.go_on();
            assert_eq!(target.line(), "49995000 10000\n");
        }
    });
}

#[test]
fn pip_at_work_ends_as_it_would_have() {
    // An index that answers when it is told to: pip waits for it in the middle of its work.
    let index = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let url = format!("http://{}/simple", index.local_addr().unwrap());
    on_those(has_pip, |python| {
        let folder = tempfile::tempdir().unwrap();
        let mut command = python.command();
        command
            .env_remove("PYTHONPATH")
            .env("PIP_CONFIG_FILE", "/dev/null")
            .env_remove("PIP_FIND_LINKS");
        command.args([
            "-m",
            "pip",
            "--disable-pip-version-check",
            "--no-cache-dir",
            "download",
            "--no-deps",
        ]);
        command
            .args(["--index-url", &url, "made-up"])
            .current_dir(folder.path());
        let target = Target::spawn(command.stderr(Stdio::null()));
        let (mut stream, _) = index.accept().unwrap();
        let mut request = [0; 4096];
        let length = stream.read(&mut request).unwrap();
        assert!(request[..length].starts_with(b"GET /simple/made-up/"));

        understood(&look(&target, &[]), python);
        write!(stream, "HTTP/1.0 404 Not Found\r\nContent-Length: 0\r\n\r\n").unwrap();
        drop(stream);
        // Nothing by that name: pip says so, and ends with 1, as it does when nobody looks.
        assert_eq!(target.finish().code(), Some(1));
    });
}

fn has_pip(python: &Interpreter) -> bool {
    let mut command: Command = python.command();
    command.env_remove("PYTHONPATH").args(["-m", "pip", "--version"]);
    command.output().is_ok_and(|output| output.status.success())
}
