//! On healthy programs nothing is found: servers that have served, tools at work, an interpreter that does nothing.

mod interpreters;
mod packages;
mod profiler;
mod targets;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use interpreters::{for_each_interpreter, on_those, with_package};
use packages::{get, server};
use serde_json::json;
use targets::{Target, attach};

/// So many requests are served before somebody looks.
const REQUESTS: usize = 300;

/// Nothing is found in the program once it rests.
#[track_caller]
fn assert_silent(target: &Target) {
    target.rests();
    let findings = attach(target.pid(), &[])["findings"].take();
    assert_eq!(findings, json!([]), "{findings:#}");
}

#[test]
fn an_idle_interpreter() {
    let code = "import sys; print('ready', flush=True); sys.stdin.read()";
    for_each_interpreter(|python| {
        let target = Target::spawn(python.command().args(["-c", code]));
        assert_eq!(target.line(), "ready\n");
        assert_silent(&target);
    });
}

#[test]
fn much_of_the_standard_library() {
    let code = "
import argparse, ast, asyncio, collections, concurrent.futures, csv, ctypes, dataclasses, datetime, decimal, difflib
import email.mime.text, fractions, html.parser, http.client, http.server, inspect, json, logging.config, logging.handlers
import multiprocessing.pool, pdb, pickle, platform, pydoc, random, shutil, socketserver, sqlite3, ssl, statistics
import string, subprocess, sys, tempfile, timeit, typing, unicodedata, unittest.mock, urllib.request, uuid, xml.dom.minidom
import xmlrpc.client, zipfile
print('ready', flush=True)
sys.stdin.read()";
    for_each_interpreter(|python| {
        let target = Target::spawn(python.command().args(["-W", "ignore", "-c", code]));
        assert_eq!(target.line(), "ready\n");
        assert_silent(&target);
    });
}

/// Asks for many pages, and looks at the server then.
fn assert_serves_silently(target: &Target, port: u16) {
    for number in 0..REQUESTS {
        let (status, page) = get(port, &format!("/order/{number}"));
        assert!(
            status.contains("200") && page.contains(&number.to_string()),
            "{status} {page}"
        );
    }
    assert_silent(target);
}

#[test]
fn a_fresh_flask_application() {
    let code = "
import flask, werkzeug.serving
app = flask.Flask('shop')
@app.route('/order/<int:number>')
def order(number):
    return flask.render_template_string('order {{ n }}', n=number)
server = werkzeug.serving.make_server('127.0.0.1', 0, app, threaded=True)
print('port', server.server_port)
server.serve_forever()";
    with_package("flask", |python| {
        let (target, port) = server(python, code);
        assert_serves_silently(&target, port);
    });
}

#[test]
fn a_fresh_django_project() {
    let folder = tempfile::tempdir().unwrap();
    let code = "
import os, subprocess, sys
folder = os.path.join(sys.argv[1], '%d.%d' % sys.version_info[:2])
os.mkdir(folder)
subprocess.run([sys.executable, '-m', 'django', 'startproject', 'fresh_shop', folder], check=True)
with open(os.path.join(folder, 'fresh_shop', 'urls.py'), 'a') as urls:
    urls.write('''
from django.http import HttpResponse
urlpatterns.append(path('order/<int:number>', lambda request, number: HttpResponse('order %d' % number)))
''')
sys.path.insert(0, folder)
os.environ['DJANGO_SETTINGS_MODULE'] = 'fresh_shop.settings'
import django
from django.core.management import call_command
django.setup()
call_command('migrate', verbosity=0)
import wsgiref.simple_server
from django.core.wsgi import get_wsgi_application
server = wsgiref.simple_server.make_server('127.0.0.1', 0, get_wsgi_application())
print('port', server.server_port)
server.serve_forever()";
    with_package("django", |python| {
        let mut command = python.command();
        command
            .args(["-u", "-c", code])
            .arg(folder.path())
            .stderr(Stdio::null());
        let target = Target::spawn(&mut command);
        let line = target.line();
        let port = line.split_whitespace().find_map(|word| word.parse().ok());
        assert_serves_silently(&target, port.unwrap_or_else(|| panic!("no port in {line:?}")));
    });
}

#[test]
fn a_fresh_fastapi_application() {
    let code = "
import socket, fastapi, pydantic, uvicorn
app = fastapi.FastAPI()
class Order(pydantic.BaseModel):
    number: int
    customer: str = 'somebody'
@app.get('/order/{number}')
async def order(number: int) -> Order:
    return Order(number=number)
listening = socket.socket()
listening.bind(('127.0.0.1', 0))
listening.listen()
print('port', listening.getsockname()[1])
uvicorn.Server(uvicorn.Config(app, log_level='error')).run(sockets=[listening])";
    with_package("fastapi", |python| {
        let (target, port) = server(python, code);
        assert_serves_silently(&target, port);
    });
}

/// A folder with Python files, those of the tests and examples.
fn sources() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let examples = fs::read_dir(root.join("examples")).unwrap();
    let folders = examples.map(|entry| entry.unwrap().path()).filter(|path| path.is_dir());
    for (number, from) in folders.chain([root.join("tests/targets")]).enumerate() {
        for entry in fs::read_dir(from).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "py") {
                let name = format!("{number}_{}", path.file_name().unwrap().to_str().unwrap());
                fs::copy(&path, folder.path().join(name)).unwrap();
            }
        }
    }
    folder
}

#[test]
fn black_on_a_source_tree() {
    // One process that looks at all files, and waits when it has.
    let code = "
import pathlib, sys, black
for path in sorted(pathlib.Path(sys.argv[1]).glob('*.py')):
    try:
        black.format_file_contents(path.read_text(), fast=False, mode=black.Mode(line_length=60))
    except black.NothingChanged:
        pass
print('ready', flush=True)
sys.stdin.read()";
    let folder = sources();
    with_package("black", |python| {
        let target = Target::spawn(python.command().args(["-c", code]).arg(folder.path()));
        assert_eq!(target.line(), "ready\n");
        assert_silent(&target);
    });
}

#[test]
fn pytest_on_a_small_suite() {
    let suite = "
import pytest
@pytest.fixture
def rows():
    return [{'number': number, 'text': 'row %d' % number} for number in range(2_000)]
@pytest.mark.parametrize('number', range(200))
def test_numbers(rows, number):
    assert rows[number]['number'] == number
def test_failing(rows):
    assert len(rows) == 3
def test_raising():
    with pytest.raises(ValueError):
        int('x')
def test_last(capfd):
    import sys
    with capfd.disabled():
        print('ready', flush=True)
    sys.stdin.read()
";
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("test_rows.py"), suite).unwrap();
    with_package("pytest", |python| {
        let mut command = python.command();
        command.args(["-m", "pytest", "-q", "-s", "-p", "no:cacheprovider"]);
        let target = Target::spawn(command.current_dir(folder.path()));
        while !target.line().ends_with("ready\n") {}
        assert_silent(&target);
    });
}

#[test]
fn pip_that_lists_packages() {
    let has_pip = |python: &interpreters::Interpreter| {
        let mut command: Command = python.command();
        command.env_remove("PYTHONPATH").args(["-m", "pip", "--version"]);
        command.output().is_ok_and(|output| output.status.success())
    };
    let code = "
import sys
from pip._internal.cli.main import main
main(['--disable-pip-version-check', 'list', '--format', 'json'])
print('ready', flush=True)
sys.stdin.read()";
    on_those(has_pip, |python| {
        let mut command = python.command();
        let target = Target::spawn(command.env_remove("PYTHONPATH").args(["-W", "ignore", "-c", code]));
        while target.line() != "ready\n" {}
        assert_silent(&target);
    });
}
