//! Values of the program's data, for saved heaps that were asked for them: texts, bytes and numbers, as text.

use std::fmt::Write;
use std::rc::Rc;

use cpython::memory::ReadMemory;
use cpython::objects::value::Value;

use super::live::Live;
use super::shortening::shorten;
use super::texts::Texts;
use super::types::Type;

/// Longer values are shortened, with a mark that tells different ones apart.
pub const LONGEST_VALUE: usize = 200;
/// So many characters or bytes of a value are read for that.
const MOST_READ: usize = 1 << 16;

const FLOAT: &str = "builtins.float";
const BOOL: &str = "builtins.bool";

/// The values of all objects that have one.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Values {
    /// Each text once.
    pub texts: Vec<Rc<str>>,
    /// By the objects in their order: the number of the text.
    pub of_objects: Vec<Option<u32>>,
}

/// Reads the values of these rows. What cannot be read has none.
pub fn read<M: ReadMemory>(facts: &mut Live<'_, '_, M>, rows: &[u32]) -> Values {
    let mut texts = Texts::default();
    let of_objects = rows
        .iter()
        .map(|&row| text_of(facts, row).map(|text| texts.number(&text)))
        .collect();
    Values {
        texts: texts.into_all(),
        of_objects,
    }
}

fn text_of<M: ReadMemory>(facts: &mut Live<'_, '_, M>, row: u32) -> Option<String> {
    let of_type: &Type = facts.found.types.get(facts.found.objects.type_of(row));
    let (info, is_float, is_bool) = (&of_type.info.of_type, &*of_type.name == FLOAT, &*of_type.name == BOOL);
    let address = facts.found.address_of(row);
    let value = match is_float {
        true => Value::of_float(facts.memory, facts.layout, address).map(Some),
        false => Value::read(facts.memory, facts.layout, info, address, MOST_READ),
    };
    match value.ok()?? {
        Value::Int(number) if is_bool => Some(if number == 0 { "False" } else { "True" }.to_owned()),
        value => Some(shorten(&written(&value), LONGEST_VALUE)),
    }
}

/// Texts as they are, all else as `repr` has it.
fn written(value: &Value) -> String {
    match value {
        Value::Text(text) => text.clone(),
        Value::Bytes(bytes) => bytes_written(bytes),
        Value::Int(number) => number.to_string(),
        Value::Float(number) => float_written(*number),
    }
}

/// `b'caf\xc3\xa9'`.
fn bytes_written(bytes: &[u8]) -> String {
    let quote = if bytes.contains(&b'\'') && !bytes.contains(&b'"') {
        '"'
    } else {
        '\''
    };
    let mut written = format!("b{quote}");
    for &byte in bytes {
        match byte {
            b'\t' => written.push_str("\\t"),
            b'\n' => written.push_str("\\n"),
            b'\r' => written.push_str("\\r"),
            b'\\' => written.push_str("\\\\"),
            b'\'' if quote == '\'' => written.push_str("\\'"),
            0x20..=0x7e => written.push(char::from(byte)),
            // Writing to a text cannot fail.
            _ => drop(write!(written, "\\x{byte:02x}")),
        }
    }
    written.push(quote);
    written
}

/// `0.1`, `1e+16`, `nan`: the shortest digits that mean this number, with an exponent where Python takes one
/// (`float_repr_style` short, Python/pystrtod.c).
fn float_written(number: f64) -> String {
    if number.is_nan() {
        return "nan".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    let scientific = format!("{number:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    match exponent.parse::<i32>() {
        Ok(exponent) if !(-4..16).contains(&exponent) => {
            let sign = if exponent < 0 { '-' } else { '+' };
            format!("{digits}e{sign}{:02}", exponent.abs())
        }
        _ if number.fract() == 0.0 => format!("{number:.1}"),
        _ => number.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_python_writes_them() {
        let written = [
            0.1,
            -0.0,
            1e15,
            1e16,
            -1.5e300,
            1e-4,
            1e-5,
            123456.789,
            5e-324,
            f64::NAN,
            f64::INFINITY,
        ]
        .map(float_written);
        let expected = [
            "0.1",
            "-0.0",
            "1000000000000000.0",
            "1e+16",
            "-1.5e+300",
            "0.0001",
            "1e-05",
            "123456.789",
            "5e-324",
            "nan",
            "inf",
        ];
        assert_eq!(written, expected);
    }

    #[test]
    fn bytes_are_written_as_python_writes_them() {
        let written = [&b"caf\xc3\xa9\n"[..], b"it's", b"'\"", b"\\\0"].map(bytes_written);
        assert_eq!(written, [r"b'caf\xc3\xa9\n'", r#"b"it's""#, r#"b'\'"'"#, r"b'\\\x00'"]);
    }
}
