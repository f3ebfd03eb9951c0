//! Packages from PyPI that were provided for some interpreters, and programs made of them.
#![allow(dead_code, reason = "each test binary uses a part")]

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Stdio;

use crate::interpreters::Interpreter;
use crate::targets::{DEADLINE, Target};

/// A site made with Django, of which views keep what they should not.
pub const SITE: &str = include_str!("site.py");

/// A program with a line of Python before it that says on which port it will listen.
pub fn server(python: &Interpreter, code: &str) -> (Target, u16) {
    let mut command = python.command();
    let target = Target::spawn(command.args(["-u", "-c", code]).stderr(Stdio::null()));
    let line = target.line();
    let port = line.split_whitespace().find_map(|word| word.parse().ok());
    (target, port.unwrap_or_else(|| panic!("no port in {line:?}")))
}

/// Asks an HTTP server on this machine for a page; returns the status line and the body.
pub fn get(port: u16, path: &str) -> (String, String) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    write!(stream, "GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    (head.lines().next().unwrap_or_default().to_owned(), body.to_owned())
}
