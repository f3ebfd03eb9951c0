//! What an operation works on, as far as it can be looked up without running anything.

use std::fmt;

/// A name, or what is found from one by attributes and subscripts.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Operand {
    Name(String),
    Attribute(Box<Operand>, String),
    Item(Box<Operand>, Key),
}

/// What stands between the brackets of a subscript.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Key {
    Text(String),
    Number(i64),
    Of(Box<Operand>),
}

impl Operand {
    /// The name that it begins with.
    pub fn root(&self) -> &str {
        match self {
            Operand::Name(name) => name,
            Operand::Attribute(of, _) | Operand::Item(of, _) => of.root(),
        }
    }

    /// The same with the names that a compiler gives to private ones in this class.
    pub fn in_class(self, class: &str) -> Operand {
        match self {
            Operand::Name(name) => Operand::Name(in_class(name, class)),
            Operand::Attribute(of, name) => Operand::Attribute(Box::new(of.in_class(class)), in_class(name, class)),
            Operand::Item(of, Key::Of(key)) => {
                Operand::Item(Box::new(of.in_class(class)), Key::Of(Box::new(key.in_class(class))))
            }
            Operand::Item(of, key) => Operand::Item(Box::new(of.in_class(class)), key),
        }
    }

    /// All names and attributes in it.
    pub fn names(&self) -> Vec<&str> {
        match self {
            Operand::Name(name) => vec![name],
            Operand::Attribute(of, name) => [of.names(), vec![name]].concat(),
            Operand::Item(of, Key::Of(key)) => [of.names(), key.names()].concat(),
            Operand::Item(of, _) => of.names(),
        }
    }
}

fn in_class(name: String, class: &str) -> String {
    let class = class.trim_start_matches('_');
    if name.starts_with("__") && !name.ends_with("__") && !class.is_empty() {
        format!("_{class}{name}")
    } else {
        name
    }
}

impl fmt::Display for Operand {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Operand::Name(name) => out.write_str(name),
            Operand::Attribute(of, name) => write!(out, "{of}.{name}"),
            Operand::Item(of, Key::Text(key)) => write!(out, "{of}['{key}']"),
            Operand::Item(of, Key::Number(key)) => write!(out, "{of}[{key}]"),
            Operand::Item(of, Key::Of(key)) => write!(out, "{of}[{key}]"),
        }
    }
}
