//! What a type object says of its instances: names, sizes, and where their references stand.

use crate::layout::{CType, Layout, PreHeader, Values};
use crate::memory::{ReadMemory, Unreadable, word_at};

use super::content::Content;

/// `tp_flags` bits (object.h); the same in every release that has them.
pub mod flags {
    pub const STATIC_BUILTIN: u64 = 1 << 1;
    pub const INLINE_VALUES: u64 = 1 << 2;
    pub const MANAGED_WEAKREF: u64 = 1 << 3;
    pub const MANAGED_DICT: u64 = 1 << 4;
    pub const HEAPTYPE: u64 = 1 << 9;
    pub const READY: u64 = 1 << 12;
    pub const HAVE_GC: u64 = 1 << 14;
    pub const LONG_SUBCLASS: u64 = 1 << 24;
    pub const LIST_SUBCLASS: u64 = 1 << 25;
    pub const TUPLE_SUBCLASS: u64 = 1 << 26;
    pub const BYTES_SUBCLASS: u64 = 1 << 27;
    pub const UNICODE_SUBCLASS: u64 = 1 << 28;
    pub const DICT_SUBCLASS: u64 = 1 << 29;
    pub const BASE_EXC_SUBCLASS: u64 = 1 << 30;
    pub const TYPE_SUBCLASS: u64 = 1 << 31;
}

/// `PyMemberDef.type` of members that are object pointers: `T_OBJECT` and `T_OBJECT_EX` (structmember.h).
const OBJECT_MEMBERS: [u32; 2] = [6, 16];
/// More members than any class has slots.
const MOST_MEMBERS: u64 = 4096;
/// A longer chain of base classes is taken for a ring.
const MOST_BASES: usize = 256;
/// The largest fixed part that an object is believed to have.
const LARGEST_BASICSIZE: u64 = 1 << 20;

/// Everything about a type that its instances are read with.
#[derive(Debug, Clone)]
pub struct TypeInfo {
    pub address: u64,
    pub flags: u64,
    pub basicsize: u64,
    pub itemsize: u64,
    pub content: Content,
    /// Bytes between the start of an instance's block and the instance.
    pub presize: u64,
    /// What `sys.getsizeof` adds for them; instances of `type` have a rule of their own.
    pub counted_presize: u64,
    pub instance_dict: InstanceDict,
    /// Members that own a reference, by offset: of this type and of all its bases.
    pub fields: Vec<Field>,
    /// Parts of an instance of which nothing is known: each aligned word may be a reference.
    pub unknown: Vec<(u64, u64)>,
    /// `ht_cached_keys`, or 0.
    pub cached_keys: u64,
    /// Items that every instance has, whatever its `ob_size`: of structure sequences, whose last members are hidden.
    pub least_items: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    pub name: FieldName,
    pub offset: u64,
}

/// Where the name of a field stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldName {
    Known(&'static str),
    /// A C string in the program.
    Text(u64),
}

/// Where an instance's `__dict__` stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InstanceDict {
    None,
    /// At this offset of the object.
    At(u64),
    /// This many bytes before the end of an object of variable size.
    BeforeEnd(u64),
    /// Before the object, as `Layout.values` says.
    Managed,
}

impl TypeInfo {
    /// A type that nothing is of.
    pub fn nothing() -> TypeInfo {
        TypeInfo {
            address: 0,
            flags: 0,
            basicsize: 0,
            itemsize: 0,
            content: Content::Plain,
            presize: 0,
            counted_presize: 0,
            instance_dict: InstanceDict::None,
            fields: Vec::new(),
            unknown: Vec::new(),
            cached_keys: 0,
            least_items: 0,
        }
    }

    /// Reads the type at `address` and its bases. That it is a type must have been seen already (`is_type`).
    pub fn read<M: ReadMemory>(memory: &mut M, layout: &Layout, address: u64) -> Result<TypeInfo, Unreadable> {
        let own = Header::read(memory, layout, address)?;
        let mut info = TypeInfo {
            address,
            flags: own.flags,
            basicsize: own.basicsize,
            itemsize: own.itemsize,
            content: Content::of_flags(own.flags),
            presize: presize(layout, own.flags),
            counted_presize: presize(layout, own.flags),
            instance_dict: instance_dict(&own),
            fields: Vec::new(),
            unknown: Vec::new(),
            cached_keys: 0,
            least_items: 0,
        };
        if own.flags & flags::HEAPTYPE != 0 {
            info.cached_keys = memory.word(address.wrapping_add(layout.types.ht_cached_keys))?;
        }
        if info.content == Content::Tuple && own.base != 0 {
            info.least_items = sequence_items(memory, layout, &own)?;
        }
        let mut at = address;
        let mut header = own;
        for _ in 0..MOST_BASES {
            let base = match header.base {
                0 => None,
                base => Some(Header::read(memory, layout, base)?),
            };
            info.add_part(memory, layout, at, &header, base.as_ref())?;
            match base {
                Some(base) => {
                    at = header.base;
                    header = base;
                }
                None => return Ok(info),
            }
        }
        Err(Unreadable::Implausible {
            what: "chain of base classes",
            at: address,
        })
    }

    /// Takes in what the class at `at` adds to its base: the bytes from the base's size to its own.
    fn add_part<M: ReadMemory>(
        &mut self,
        memory: &mut M,
        layout: &Layout,
        at: u64,
        header: &Header,
        base: Option<&Header>,
    ) -> Result<(), Unreadable> {
        let from = base.map_or(layout.object.size, |base| base.basicsize);
        let name = c_name(memory, header)?;
        let known = known_type(layout, &name, header);
        if let Some(known) = known {
            self.fields.extend(known.strong.iter().map(|&(name, offset)| Field {
                name: FieldName::Known(name),
                offset,
            }));
        }
        let content = Content::of_name(&name, header.flags);
        if let Some(content) = content
            && content.is_more_than(self.content)
        {
            self.content = content;
        }
        let members = members(memory, layout, at, header)?;
        if known.is_some() || content.is_some() || Content::of_flags(header.flags).is_whole(&name) {
            return Ok(());
        }
        let mut explained: Vec<u64> = members.iter().map(|field| field.offset).collect();
        explained.extend([header.dictoffset, header.weaklistoffset].map(|offset| offset as u64));
        explained.sort_unstable();
        self.fields.extend(members);
        let mut offset = from.div_ceil(8) * 8;
        while offset + 8 <= header.basicsize {
            if explained.binary_search(&offset).is_err() {
                match self.unknown.last_mut() {
                    Some((_, end)) if *end == offset => *end += 8,
                    _ => self.unknown.push((offset, offset + 8)),
                }
            }
            offset += 8;
        }
        // The items of a type that nobody knows may be anything too; `add_part` sees the type that brought them first.
        if header.itemsize > 0 && base.is_none_or(|base| base.itemsize == 0) && self.content == Content::Plain {
            self.content = Content::UnknownItems;
        }
        Ok(())
    }

    pub fn has(&self, flag: u64) -> bool {
        self.flags & flag != 0
    }

    /// Whether instances have no references at all, so that they need not be looked at again.
    pub fn is_leaf(&self) -> bool {
        self.content.is_leaf()
            && self.fields.is_empty()
            && self.unknown.is_empty()
            && self.instance_dict == InstanceDict::None
    }
}

/// The members of `PyTypeObject` that describe instances.
struct Header {
    name: u64,
    basicsize: u64,
    itemsize: u64,
    flags: u64,
    base: u64,
    members: u64,
    dictoffset: i64,
    weaklistoffset: i64,
}

impl Header {
    fn read<M: ReadMemory>(memory: &mut M, layout: &Layout, address: u64) -> Result<Header, Unreadable> {
        let at = &layout.types;
        let bytes = memory.read(address, at.size as usize)?;
        let header = Header {
            name: word_at(bytes, at.name),
            basicsize: word_at(bytes, at.basicsize),
            itemsize: word_at(bytes, at.itemsize),
            flags: word_at(bytes, at.flags),
            base: word_at(bytes, at.base),
            members: word_at(bytes, at.members),
            dictoffset: word_at(bytes, at.dictoffset) as i64,
            weaklistoffset: word_at(bytes, at.weaklistoffset) as i64,
        };
        let plausible = (layout.object.size..=LARGEST_BASICSIZE).contains(&header.basicsize)
            && header.itemsize <= LARGEST_BASICSIZE;
        if plausible && (header.flags & flags::READY != 0 || header.is_never_ready(memory)) {
            Ok(header)
        } else {
            Err(Unreadable::Implausible {
                what: "type",
                at: address,
            })
        }
    }

    /// Whether it is a static type that CPython has instances of without ever calling `PyType_Ready` (3.8, 3.9).
    #[cold]
    fn is_never_ready<M: ReadMemory>(&self, memory: &mut M) -> bool {
        const NAMES: [&str; 2] = ["functools._lru_list_elem", "unicodedata.UCD"];
        let is_static = self.flags & flags::HEAPTYPE == 0;
        is_static && c_name(memory, self).is_ok_and(|name| NAMES.contains(&name.as_str()))
    }
}

/// Whether a type object stands at `address`: its own type, or the type of that, is `type` or inherits from it.
pub fn is_type<M: ReadMemory>(memory: &mut M, layout: &Layout, address: u64) -> bool {
    let Ok(metatype) = memory.word(address.wrapping_add(layout.object.ob_type)) else {
        return false;
    };
    let Ok(flags) = memory.word(metatype.wrapping_add(layout.types.flags)) else {
        return false;
    };
    // The metatype is itself a type: of `type`, in the end, whose type is `type`.
    let mut top = metatype;
    for _ in 0..8 {
        match memory.word(top.wrapping_add(layout.object.ob_type)) {
            Ok(next) if next == top => {
                return flags & flags::TYPE_SUBCLASS != 0 && Header::read(memory, layout, address).is_ok();
            }
            Ok(next) => top = next,
            Err(_) => return false,
        }
    }
    false
}

/// `tp_name` of the type at `address`, in full.
pub fn type_c_name<M: ReadMemory>(memory: &mut M, layout: &Layout, address: u64) -> Result<String, Unreadable> {
    let header = Header::read(memory, layout, address)?;
    c_name(memory, &header)
}

fn c_name<M: ReadMemory>(memory: &mut M, header: &Header) -> Result<String, Unreadable> {
    let name = memory.c_string(header.name, 256)?;
    Ok(String::from_utf8_lossy(&name).into_owned())
}

/// The entry of a C type. A class made in Python cannot pass for one: its `tp_name` is one word, and such names count
/// for static types only.
fn known_type(layout: &Layout, name: &str, header: &Header) -> Option<&'static CType> {
    if header.flags & flags::HEAPTYPE != 0 && !name.contains('.') {
        return None;
    }
    let known = layout
        .c_types
        .iter()
        .flat_map(|table| table.iter())
        .find(|known| known.name == name)?;
    let fits = known
        .strong
        .iter()
        .chain(known.weak)
        .all(|&(_, offset)| offset + 8 <= header.basicsize);
    fits.then_some(known)
}

/// The object members of a heap type's `PyMemberDef`s, which follow it: `__slots__`, or what a C type exports.
fn members<M: ReadMemory>(memory: &mut M, layout: &Layout, at: u64, header: &Header) -> Result<Vec<Field>, Unreadable> {
    let mut found = Vec::new();
    if header.flags & flags::HEAPTYPE == 0 || header.members == 0 {
        return Ok(found);
    }
    let count = memory.word(at.wrapping_add(layout.object.ob_size))?.min(MOST_MEMBERS);
    for index in 0..count {
        let member = header.members.wrapping_add(index * layout.types.member_size);
        let bytes = memory.read(member, layout.types.member_size as usize)?;
        let kind = crate::memory::half_at(bytes, layout.types.member_type);
        let offset = word_at(bytes, layout.types.member_offset);
        let inside = layout.object.size..=header.basicsize.saturating_sub(8);
        if OBJECT_MEMBERS.contains(&kind) && inside.contains(&offset) {
            found.push(Field {
                name: FieldName::Text(word_at(bytes, 0)),
                offset,
            });
        }
    }
    Ok(found)
}

/// How many items a structure sequence's members name, the hidden ones among them (`PyStructSequence`,
/// Objects/structseq.c); 0 for other classes that inherit from `tuple`, which have no members.
fn sequence_items<M: ReadMemory>(memory: &mut M, layout: &Layout, header: &Header) -> Result<u64, Unreadable> {
    /// More members than any structure sequence has.
    const MOST: u64 = 256;
    let mut items = 0;
    for index in 0..MOST {
        let member = header.members.wrapping_add(index * layout.types.member_size);
        if header.members == 0 || memory.word(member)? == 0 {
            break;
        }
        let offset = memory.word(member.wrapping_add(layout.types.member_offset))?;
        let place = offset.wrapping_sub(layout.tuple.items) / 8;
        if place < MOST {
            items = items.max(place + 1);
        }
    }
    Ok(items)
}

fn presize(layout: &Layout, tp_flags: u64) -> u64 {
    let head = if tp_flags & flags::HAVE_GC != 0 {
        layout.object.gc_head
    } else {
        0
    };
    let managed = match layout.object.preheader {
        PreHeader::GcHead => 0,
        PreHeader::ManagedDict => tp_flags & flags::MANAGED_DICT,
        PreHeader::Managed | PreHeader::ManagedIfGc => tp_flags & (flags::MANAGED_DICT | flags::MANAGED_WEAKREF),
    };
    head + if managed != 0 { 16 } else { 0 }
}

fn instance_dict(header: &Header) -> InstanceDict {
    if header.flags & flags::MANAGED_DICT != 0 {
        return InstanceDict::Managed;
    }
    match header.dictoffset {
        0 => InstanceDict::None,
        offset if offset > 0 && offset as u64 + 8 <= header.basicsize => InstanceDict::At(offset as u64),
        offset if offset < 0 && header.itemsize > 0 => InstanceDict::BeforeEnd(offset.unsigned_abs()),
        _ => InstanceDict::None,
    }
}

/// Whether instances of a type with these flags may keep attributes without a dict.
pub fn has_values(layout: &Layout, tp_flags: u64) -> bool {
    match layout.values {
        Values::Bare => false,
        Values::Pointer | Values::Tagged => tp_flags & flags::MANAGED_DICT != 0,
        Values::Inline { .. } => tp_flags & flags::INLINE_VALUES != 0,
    }
}
