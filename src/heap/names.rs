//! Names with a number each. Those that stand in the program's memory are read when somebody wants to see them: most
//! never are.

use std::rc::Rc;

use cpython::layout::Layout;
use cpython::memory::ReadMemory;
use rustc_hash::FxHashMap;

use super::{naming, redaction, shortening};

/// Where a name is to be had.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Name {
    Text(Rc<str>),
    /// The object at this address: a `str`, or any key of a dict.
    Object(u64),
    /// The C string at this address.
    C(u64),
}

/// How a key is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Form {
    /// `lines`, as an attribute or a variable.
    Name,
    /// `'eu'`, as in brackets.
    Key,
}

/// So many names are known: programs that make up more of them use them as keys of data.
const MOST_NAMES: usize = 1 << 20;

/// So many of the last known names are found at once.
const RECENT: usize = 256;

#[derive(Debug)]
pub struct Names {
    all: Vec<Name>,
    texts: FxHashMap<Rc<str>, u32>,
    objects: FxHashMap<u64, u32>,
    c_strings: FxHashMap<u64, u32>,
    /// Member names that are part of this program, by their address in it.
    known: FxHashMap<(usize, usize), u32>,
    /// Whether keys are shown as hashes.
    pub redacts_keys: bool,
    /// The last of these, by some bits of their address.
    recent: [((usize, usize), u32); RECENT],
    /// The objects that were asked for last, by some bits of their address.
    recent_objects: [(u64, u32); RECENT],
    /// The text that a name was found to have, as a number of its own.
    read: FxHashMap<(u32, Form), u32>,
}

/// Whether a name may stand in code; those of the interpreter's own variables begin with a point.
fn is_identifier(name: &str) -> bool {
    name.chars()
        .all(|letter| letter.is_alphanumeric() || letter == '_' || letter == '.')
}

impl Default for Names {
    fn default() -> Self {
        Names {
            all: Vec::new(),
            texts: FxHashMap::default(),
            objects: FxHashMap::default(),
            c_strings: FxHashMap::default(),
            known: FxHashMap::default(),
            redacts_keys: false,
            recent: [((0, 0), 0); RECENT],
            recent_objects: [(0, 0); RECENT],
            read: FxHashMap::default(),
        }
    }
}

impl Names {
    pub fn text(&mut self, text: &str) -> u32 {
        if let Some(&id) = self.texts.get(text) {
            return id;
        }
        let text: Rc<str> = text.into();
        let id = self.add(Name::Text(Rc::clone(&text)));
        self.texts.insert(text, id);
        id
    }

    /// A name that this program knows.
    #[inline]
    pub fn known(&mut self, name: &'static str) -> u32 {
        let place = (name.as_ptr() as usize, name.len());
        let (known, id) = self.recent[place.0 % RECENT];
        if known == place {
            return id;
        }
        self.find_known(place, name)
    }

    #[inline(never)]
    fn find_known(&mut self, place: (usize, usize), name: &'static str) -> u32 {
        let id = match self.known.get(&place) {
            Some(&id) => id,
            None => self.text(name),
        };
        self.known.insert(place, id);
        self.recent[place.0 % RECENT] = (place, id);
        id
    }

    /// The name that the object at `address` is; `None` when there are too many names.
    #[inline]
    pub fn object(&mut self, address: u64) -> Option<u32> {
        let (known, id) = self.recent_objects[(address / 16) as usize % RECENT];
        if known == address && address != 0 {
            return Some(id);
        }
        self.find_object(address)
    }

    #[inline(never)]
    fn find_object(&mut self, address: u64) -> Option<u32> {
        let id = self.known_object(address)?;
        self.recent_objects[(address / 16) as usize % RECENT] = (address, id);
        Some(id)
    }

    fn known_object(&mut self, address: u64) -> Option<u32> {
        if let Some(&id) = self.objects.get(&address) {
            return Some(id);
        }
        if self.all.len() >= MOST_NAMES {
            return None;
        }
        let id = self.add(Name::Object(address));
        self.objects.insert(address, id);
        Some(id)
    }

    /// The name that the C string at `address` is; `None` when there are too many names.
    #[inline]
    pub fn c_string(&mut self, address: u64) -> Option<u32> {
        if let Some(&id) = self.c_strings.get(&address) {
            return Some(id);
        }
        if self.all.len() >= MOST_NAMES {
            return None;
        }
        let id = self.add(Name::C(address));
        self.c_strings.insert(address, id);
        Some(id)
    }

    /// The number of the text of a name, the same for all names that read alike.
    pub fn read<M: ReadMemory>(&mut self, memory: &mut M, layout: &Layout, id: u32, form: Form) -> u32 {
        if let Some(&read) = self.read.get(&(id, form)) {
            return read;
        }
        let text = match self.all.get(id as usize) {
            Some(Name::Text(_)) | None => return id,
            Some(Name::Object(address)) => match form {
                Form::Name => self.name_at(memory, layout, *address),
                Form::Key => self.key_at(memory, layout, *address),
            },
            Some(Name::C(address)) => {
                let text = memory.c_string(*address, naming::MOST_OF_NAME).unwrap_or_default();
                shortening::escape(&String::from_utf8_lossy(&text), naming::LONGEST_NAME)
            }
        };
        let read = self.text(&text);
        self.read.insert((id, form), read);
        read
    }

    /// The text of a name, which should be a `str`; what else a program may use as one is a key.
    pub fn name_at<M: ReadMemory>(&self, memory: &mut M, layout: &Layout, address: u64) -> String {
        match naming::name_text(memory, layout, address) {
            // What no code can have as a name was put there by the program.
            Some(name) if self.redacts_keys && !is_identifier(&name) => format!("[{}]", redaction::hashed(&name)),
            Some(name) => name,
            None => format!("[{}]", self.key_at(memory, layout, address)),
        }
    }

    /// A key as it is to be shown.
    pub fn key_at<M: ReadMemory>(&self, memory: &mut M, layout: &Layout, address: u64) -> String {
        if self.redacts_keys {
            redaction::hashed(&naming::data_of(memory, layout, address))
        } else {
            naming::key_text(memory, layout, address)
        }
    }

    /// One more than the last number.
    pub fn count(&self) -> u32 {
        self.all.len() as u32
    }

    /// Where the object stands that a name is; `None` for names that are no objects.
    pub fn address(&self, id: u32) -> Option<u64> {
        match self.all.get(id as usize) {
            Some(&Name::Object(address)) => Some(address),
            _ => None,
        }
    }

    /// What was read; empty for a name that was not.
    pub fn get(&self, id: u32) -> Rc<str> {
        match self.all.get(id as usize) {
            Some(Name::Text(text)) => Rc::clone(text),
            _ => "".into(),
        }
    }

    fn add(&mut self, name: Name) -> u32 {
        self.all.push(name);
        self.all.len() as u32 - 1
    }
}
