//! Names as a person would write them: of types, attributes and keys.

use std::borrow::Cow;

use cpython::layout::Layout;
use cpython::memory::{ReadMemory, word_at};
use cpython::objects::content::Content;
use cpython::objects::types::{TypeInfo, flags, type_c_name};
use cpython::objects::{dict, int, text};

use super::shortening::{escape, shorten};

/// Longer names are shortened.
pub const LONGEST_NAME: usize = 200;
/// The same of types, by whose names people ask: classes with many type arguments have such names.
pub const LONGEST_TYPE_NAME: usize = 1000;
/// Longer keys are shortened, since they are data of the program and no names.
pub const LONGEST_KEY: usize = 40;
/// So many characters of a name are read, for what it is shortened to tells it from all others.
pub const MOST_OF_NAME: usize = 1 << 16;
/// The same of keys, of which there are more.
const MOST_OF_KEY: usize = 1 << 12;
/// What C code calls the types of weak references, in older and newer releases, and in the module `weakref`.
const WEAK_REFERENCES: [&str; 3] = ["weakref", "weakref.ReferenceType", "KeyedRef"];
/// More bases than any class has.
const MOST_BASES: u64 = 256;

/// `module.qualname` of a type.
pub fn type_name<M: ReadMemory>(memory: &mut M, layout: &Layout, info: &TypeInfo) -> String {
    let (module, qualname) = module_and_qualname(memory, layout, info);
    shorten(&format!("{module}.{qualname}"), LONGEST_TYPE_NAME)
}

/// The two parts of a type's name.
pub fn module_and_qualname<M: ReadMemory>(memory: &mut M, layout: &Layout, info: &TypeInfo) -> (String, String) {
    let c_name = type_c_name(memory, layout, info.address).unwrap_or_else(|_| "?".to_owned());
    let (c_module, c_tail) = match c_name.rsplit_once('.') {
        Some((module, tail)) => (module, tail),
        None => ("builtins", c_name.as_str()),
    };
    if !info.has(flags::HEAPTYPE) {
        return (c_module.to_owned(), c_tail.to_owned());
    }
    let qualname = memory
        .word(info.address.wrapping_add(layout.types.ht_qualname))
        .ok()
        .and_then(|at| str_at(memory, layout, at));
    let module = memory
        .word(info.address.wrapping_add(layout.types.dict))
        .ok()
        .and_then(|names| dict::get_str(memory, layout, names, "__module__").ok().flatten())
        .and_then(|at| str_at(memory, layout, at));
    (
        module.unwrap_or_else(|| c_module.to_owned()),
        qualname.unwrap_or_else(|| c_tail.to_owned()),
    )
}

/// Whether the object at `address` is of the type with this `tp_name`.
pub fn is_of_type<M: ReadMemory>(memory: &mut M, layout: &Layout, address: u64, c_name: &str) -> bool {
    let type_address = memory.word(address.wrapping_add(layout.object.ob_type)).unwrap_or(0);
    type_c_name(memory, layout, type_address).is_ok_and(|name| name == c_name)
}

/// `module.qualname` of the type at `address`, if one stands there.
pub fn type_name_at<M: ReadMemory>(memory: &mut M, layout: &Layout, address: u64) -> Option<String> {
    let info = TypeInfo::read(memory, layout, address).ok()?;
    Some(type_name(memory, layout, &info))
}

/// The classes in a type's `__mro__`, itself first; empty when it cannot be read.
fn classes<M: ReadMemory>(memory: &mut M, layout: &Layout, info: &TypeInfo) -> Vec<u64> {
    let read = |memory: &mut M| {
        let mro = memory.word(info.address.wrapping_add(layout.types.mro)).ok()?;
        let count = memory
            .word(mro.wrapping_add(layout.object.ob_size))
            .ok()?
            .min(MOST_BASES);
        let items = memory
            .read(mro.wrapping_add(layout.tuple.items), (8 * count) as usize)
            .ok()?;
        Some(items.chunks_exact(8).map(|item| word_at(item, 0)).collect())
    };
    read(memory).unwrap_or_default()
}

/// Whether the type is the class `module.qualname`, made in Python, or inherits from it.
pub fn inherits_from<M: ReadMemory>(
    memory: &mut M,
    layout: &Layout,
    info: &TypeInfo,
    module: &str,
    qualname: &str,
) -> bool {
    classes(memory, layout, info).into_iter().any(|class| {
        // Most classes are told apart by the name that C code knows them by, which is short.
        let is_called_so = type_c_name(memory, layout, class).is_ok_and(|name| name == qualname);
        is_called_so && type_name_at(memory, layout, class).is_some_and(|name| name == format!("{module}.{qualname}"))
    })
}

/// Whether a class in the type's `__mro__` has a `__del__`.
pub fn has_finalizer<M: ReadMemory>(memory: &mut M, layout: &Layout, info: &TypeInfo) -> bool {
    let has_one = |memory: &mut M, class: u64| {
        let names = memory.word(class.wrapping_add(layout.types.dict)).ok()?;
        dict::get_str(memory, layout, names, "__del__").ok()?
    };
    let mut classes = classes(memory, layout, info).into_iter();
    classes.any(|class| has_one(memory, class).is_some_and(|found| found != 0))
}

/// Whether a class in the type's `__mro__` brings a `__sizeof__` that is none of those that we reckon with.
pub fn has_own_sizeof<M: ReadMemory>(memory: &mut M, layout: &Layout, info: &TypeInfo) -> bool {
    let mut classes = classes(memory, layout, info).into_iter();
    let first = classes.find_map(|class| brings_sizeof(memory, layout, class));
    matches!(first, Some(Sizeof::Unknown))
}

enum Sizeof {
    /// One that `cpython::objects` reproduces.
    Known,
    Unknown,
}

fn brings_sizeof<M: ReadMemory>(memory: &mut M, layout: &Layout, class: u64) -> Option<Sizeof> {
    let tp_flags = memory.word(class.wrapping_add(layout.types.flags)).ok()?;
    let name = type_c_name(memory, layout, class).ok()?;
    let known = Content::of_name(&name, tp_flags).is_some() || Content::of_flags(tp_flags).is_whole(&name);
    if known || tp_flags & flags::STATIC_BUILTIN != 0 || name == "object" {
        return Some(Sizeof::Known);
    }
    let names = memory.word(class.wrapping_add(layout.types.dict)).ok()?;
    let found = dict::get_str(memory, layout, names, "__sizeof__").ok()??;
    (found != 0).then_some(Sizeof::Unknown)
}

/// `handle()`: the function that the code at `address` belongs to.
pub fn function_of<M: ReadMemory>(memory: &mut M, layout: &Layout, code: u64) -> String {
    match code_name(memory, layout, code) {
        Some(name) => format!("{}()", escape(&name, LONGEST_NAME)),
        None => "?()".to_owned(),
    }
}

/// What the code at `code` is called: its qualified name where it has one.
pub fn code_name<M: ReadMemory>(memory: &mut M, layout: &Layout, code: u64) -> Option<String> {
    let at = &layout.code;
    let name = memory.word(code.wrapping_add(at.qualname.unwrap_or(at.name))).ok()?;
    str_at(memory, layout, name)
}

/// `handle() at app.py:41`: the function that the code at `code` belongs to, and the line that its call stands in.
pub fn call_of<M: ReadMemory>(memory: &mut M, layout: &Layout, code: u64, line: Option<u32>) -> String {
    let function = function_of(memory, layout, code);
    let (Some((file, _)), Some(line)) = (definition(memory, layout, code), line) else {
        return function;
    };
    let file = file.rsplit_once('/').map_or(&*file, |(_, name)| name);
    format!("{function} at {}:{line}", escape(file, LONGEST_NAME))
}

/// A path without the lines that calls are in, which move while the calls go on.
pub fn without_lines(path: &str) -> Cow<'_, str> {
    if !path.contains("() at ") {
        return Cow::Borrowed(path);
    }
    let calls = path.split(" > ").map(|step| match step.split_once("() at ") {
        Some((function, place)) => Cow::Owned(format!("{function}() at {}", without_line(place))),
        None => Cow::Borrowed(step),
    });
    Cow::Owned(calls.collect::<Vec<_>>().join(" > "))
}

/// `app.py` of `app.py:41`. What is held by other things than a variable stands behind the line: `app.py:41.origin`.
fn without_line(place: &str) -> String {
    for (colon, _) in place.match_indices(':') {
        let (file, line) = (&place[..colon], &place[colon + 1..]);
        let rest = line.trim_start_matches(|digit: char| digit.is_ascii_digit());
        if rest.len() < line.len() && (rest.is_empty() || rest.starts_with(['.', '['])) {
            return format!("{file}{rest}");
        }
    }
    place.to_owned()
}

/// Where a code object begins: file and line.
pub fn definition<M: ReadMemory>(memory: &mut M, layout: &Layout, code: u64) -> Option<(String, u32)> {
    let file = memory.word(code.wrapping_add(layout.code.filename)).ok()?;
    let line = memory.half(code.wrapping_add(layout.code.first_line)).ok()?;
    Some((str_at(memory, layout, file)?, line))
}

/// The text of the `str` at `address`; `None` when it is no `str`.
pub fn str_at<M: ReadMemory>(memory: &mut M, layout: &Layout, address: u64) -> Option<String> {
    let tp_flags = type_flags(memory, layout, address)?;
    if tp_flags & flags::UNICODE_SUBCLASS == 0 {
        return None;
    }
    text::str_value(memory, layout, address, MOST_OF_NAME).ok()
}

/// The text of a name; `None` if it is no `str`.
pub fn name_text<M: ReadMemory>(memory: &mut M, layout: &Layout, address: u64) -> Option<String> {
    str_at(memory, layout, address).map(|text| escape(&text, LONGEST_NAME))
}

/// All of a key that tells it from others: longer texts in full.
pub fn data_of<M: ReadMemory>(memory: &mut M, layout: &Layout, address: u64) -> String {
    match str_at(memory, layout, address) {
        Some(text) => text,
        None => key_text(memory, layout, address),
    }
}

/// A dict's key as Python would show it: short `str`s and numbers in full, anything else by its type.
pub fn key_text<M: ReadMemory>(memory: &mut M, layout: &Layout, address: u64) -> String {
    let Some(tp_flags) = type_flags(memory, layout, address) else {
        return "?".to_owned();
    };
    if tp_flags & flags::UNICODE_SUBCLASS != 0
        && let Ok(text) = text::str_value(memory, layout, address, MOST_OF_KEY)
    {
        return format!("'{}'", escape(&text, LONGEST_KEY));
    }
    if tp_flags & flags::LONG_SUBCLASS != 0
        && let Ok(Some(number)) = int::int_value(memory, layout, address)
    {
        return number.to_string();
    }
    let type_name = memory
        .word(address.wrapping_add(layout.object.ob_type))
        .ok()
        .and_then(|at| type_c_name(memory, layout, at).ok());
    let type_name = type_name.as_deref().unwrap_or("?");
    if WEAK_REFERENCES.contains(&type_name) {
        let target = memory.word(address.wrapping_add(layout.weakref.object)).unwrap_or(0);
        return match last_name_of_type(memory, layout, target) {
            Some(name) => format!("<weakref to {}>", escape(&name, LONGEST_KEY)),
            None => "<weakref>".to_owned(),
        };
    }
    format!("<{}>", escape(last_name(type_name), LONGEST_KEY))
}

/// What the type of the object at `address` is called, without its module.
fn last_name_of_type<M: ReadMemory>(memory: &mut M, layout: &Layout, address: u64) -> Option<String> {
    let type_address = memory.word(address.wrapping_add(layout.object.ob_type)).ok()?;
    let name = type_c_name(memory, layout, type_address).ok()?;
    Some(last_name(&name).to_owned())
}

fn last_name(type_name: &str) -> &str {
    type_name.rsplit('.').next().unwrap_or(type_name)
}

fn type_flags<M: ReadMemory>(memory: &mut M, layout: &Layout, address: u64) -> Option<u64> {
    let head = memory.read(address, 16).ok()?;
    let type_address = word_at(head, layout.object.ob_type);
    memory.word(type_address.wrapping_add(layout.types.flags)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_the_same_while_calls_go_on() {
        let path = "thread MainThread > main() at app.py:41 > rows";
        assert_eq!(without_lines(path), "thread MainThread > main() at app.py > rows");
        assert_eq!(without_lines("a.b > c[7]"), "a.b > c[7]");
        let waiting = "task 'a' > b() at c:d.py:7 > e() at f.py:8.origin[3] > g() at <string>";
        let same = "task 'a' > b() at c:d.py > e() at f.py.origin[3] > g() at <string>";
        assert_eq!(without_lines(waiting), same);
    }
}
