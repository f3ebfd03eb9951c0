//! The format of V8's heap snapshots: one JSON text with the nodes, the edges and the strings of the graph as flat lists of
//! numbers (V8, `src/profiler/heap-snapshot-generator.cc`).
//!
//! All objects are nodes of the kind `object`, called by their Python type, so that the summary groups them by it. The
//! heap as a whole is the root; what it holds are entries that the tools count distances from. Ids are made up: the
//! tools have 32 bits for them, which an address does not fit in.

use std::io::{self, Write};

use serde_json::{Value, json};

use crate::heap::TypeTotals;
use crate::heap::detail::{By, Detail, Held, NO_TYPE};
use crate::heap::facts::WeakReference;

/// What is said of each node: kind, name, id, own size, number of edges, `trace_node_id`, `detachedness`.
const NODE_FIELDS: [&str; 7] = [
    "type",
    "name",
    "id",
    "self_size",
    "edge_count",
    "trace_node_id",
    "detachedness",
];
const NODE_KINDS: [&str; 15] = [
    "hidden",
    "array",
    "string",
    "object",
    "code",
    "closure",
    "regexp",
    "number",
    "native",
    "synthetic",
    "concatenated string",
    "sliced string",
    "symbol",
    "bigint",
    "object shape",
];
const OBJECT: usize = 3;
const NATIVE: usize = 8;
const SYNTHETIC: usize = 9;

const EDGE_KINDS: [&str; 7] = [
    "context", "element", "property", "internal", "hidden", "shortcut", "weak",
];
const CONTEXT: usize = 0;
const ELEMENT: usize = 1;
const PROPERTY: usize = 2;
const INTERNAL: usize = 3;
const WEAK: usize = 6;

/// Texts of our own, before those of types and names.
const OWN_STRINGS: [&str; 6] = ["", "(root)", "(GC roots)", "__dict__", "(item)", "(weak)"];
const ROOT: usize = 1;
const GC_ROOTS: usize = 2;
const DICT: usize = 3;
const ITEM: usize = 4;
const WEAKLY: usize = 5;

pub fn write(types: &[TypeTotals], detail: &Detail, out: &mut dyn Write) -> io::Result<()> {
    // The tools look for a node that they know by its name; it is the last one, and holds nothing.
    let nodes = detail.count() + 1;
    let weak = weak_references(detail);
    let edges = detail.references.len() + weak.len() + 1;
    write!(out, "{{\"snapshot\":{},\n\"nodes\":[", description(nodes, edges))?;
    let names = Strings {
        types: types.len(),
        detail,
    };
    let weak_of = |number: u32| {
        let start = weak.partition_point(|each| each.holder < number);
        let end = weak.partition_point(|each| each.holder <= number);
        &weak[start..end]
    };
    for number in 0..nodes as u32 {
        let separator = if number == 0 { "" } else { ",\n" };
        let [kind, name, size, edges] = node(detail, &names, number);
        let edges = edges + weak_of(number).len();
        let id = 2 * u64::from(number) + 1;
        write!(out, "{separator}{kind},{name},{id},{size},{edges},0,0")?;
    }
    write!(out, "],\n\"edges\":[")?;
    let to_roots = detail.count() * NODE_FIELDS.len();
    write!(out, "{INTERNAL},{GC_ROOTS},{to_roots}")?;
    for number in 0..detail.count() as u32 {
        for (place, held) in detail.references(number).iter().enumerate() {
            let (kind, name) = edge(&names, held, place);
            let target = held.target as usize * NODE_FIELDS.len();
            write!(out, ",\n{kind},{name},{target}")?;
        }
        for each in weak_of(number) {
            write!(out, ",\n{WEAK},{WEAKLY},{}", each.target as usize * NODE_FIELDS.len())?;
        }
    }
    write!(
        out,
        "],\n\"trace_function_infos\":[],\n\"trace_tree\":[],\n\"samples\":[],\n\"locations\":[],\n\"strings\":["
    )?;
    let names_of_types = types.iter().map(|each| &*each.name);
    let all = OWN_STRINGS.into_iter().chain(names_of_types);
    for (number, text) in all.chain(detail.names.iter().map(|name| &**name)).enumerate() {
        out.write_all(if number == 0 { b"" } else { b",\n" })?;
        serde_json::to_writer(&mut *out, text)?;
    }
    writeln!(out, "]}}")
}

/// In the order of their holders, behind whose references they stand.
fn weak_references(detail: &Detail) -> Vec<WeakReference> {
    let is_known = |number: u32| (number as usize) < detail.count();
    let weak = detail.weak.iter().copied();
    let mut weak: Vec<WeakReference> = weak
        .filter(|each| is_known(each.holder) && is_known(each.target))
        .collect();
    weak.sort_by_key(|each| each.holder);
    weak
}

fn description(nodes: usize, edges: usize) -> Value {
    let number = "number";
    json!({
        "meta": {
            "node_fields": NODE_FIELDS,
            "node_types": [NODE_KINDS, "string", number, number, number, number, number],
            "edge_fields": ["type", "name_or_index", "to_node"],
            "edge_types": [EDGE_KINDS, "string_or_number", "node"],
            "trace_function_info_fields": ["function_id", "name", "script_name", "script_id", "line", "column"],
            "trace_node_fields": ["id", "function_info_index", "count", "size", "children"],
            "sample_fields": ["timestamp_us", "last_assigned_id"],
            "location_fields": ["object_index", "script_id", "line", "column"],
        },
        "node_count": nodes,
        "edge_count": edges,
        "trace_function_count": 0,
    })
}

/// Where each text stands in the list of all.
struct Strings<'a> {
    types: usize,
    detail: &'a Detail,
}

impl Strings<'_> {
    fn of_type(&self, number: u32) -> usize {
        OWN_STRINGS.len() + number as usize
    }

    fn of_name(&self, number: u32) -> usize {
        match (number as usize) < self.detail.names.len() {
            true => OWN_STRINGS.len() + self.types + number as usize,
            false => 0,
        }
    }

    /// What a holder that is no object is called where it is held.
    fn of_holder(&self, number: u32) -> usize {
        let held = self.detail.references.iter().find(|held| held.target == number);
        held.and_then(|held| held.by().name())
            .map_or(0, |name| self.of_name(name))
    }
}

/// Kind, name, size and number of edges of a node.
fn node(detail: &Detail, strings: &Strings, number: u32) -> [usize; 4] {
    let index = number as usize;
    if index == detail.count() {
        return [SYNTHETIC, GC_ROOTS, 0, 0];
    }
    let edges = detail.references(number).len();
    if index == 0 {
        return [SYNTHETIC, ROOT, 0, edges + 1];
    }
    // Where a reader has 32 bits, more would be less.
    let size = detail.bytes[index].min(u64::from(u32::MAX)) as usize;
    match detail.types[index] {
        NO_TYPE => [NATIVE, strings.of_holder(number), size, edges],
        type_of => [OBJECT, strings.of_type(type_of), size, edges],
    }
}

/// Kind and name, or index, of the reference at `place` among those of its holder.
fn edge(strings: &Strings, held: &Held, place: usize) -> (usize, usize) {
    match held.by() {
        By::Attribute(name) | By::Slot(name) | By::Member(name) => (PROPERTY, strings.of_name(name)),
        By::Key(Some(name)) => (PROPERTY, strings.of_name(name)),
        By::Key(None) => (ELEMENT, place),
        By::Local(name) | By::Task(name) => (CONTEXT, strings.of_name(name)),
        By::Index(index) => (ELEMENT, index as usize),
        By::Namespace => (INTERNAL, DICT),
        By::Unnamed => (INTERNAL, ITEM),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_have_as_many_numbers_as_they_say() {
        // The heap holds a module, which holds two things, one of them by a name that needs escaping.
        let by = Held::new;
        let detail = Detail {
            holders: 1,
            addresses: vec![0, 16, 32, 48],
            types: vec![NO_TYPE, 0, 1, 1],
            bytes: vec![0, 64, 1 << 40, 32],
            ends: vec![1, 3, 4, 4],
            references: vec![
                by(1, By::Attribute(0)),
                by(2, By::Key(Some(1))),
                by(3, By::Index(7)),
                by(3, By::Unnamed),
            ],
            weak: vec![
                WeakReference { holder: 2, target: 1 },
                WeakReference { holder: 1, target: 3 },
            ],
            names: vec!["shop".into(), "'a\"b'".into()],
            ..Detail::default()
        };
        let of_type = |name: &str| TypeTotals {
            name: name.into(),
            ..TypeTotals::default()
        };
        let types = [of_type("builtins.module"), of_type("builtins.str")];
        let mut written = Vec::new();
        write(&types, &detail, &mut written).unwrap();
        let read: Value = serde_json::from_slice(&written).unwrap();
        let length = |name: &str| read[name].as_array().unwrap().len();
        assert_eq!(length("nodes"), 5 * NODE_FIELDS.len());
        assert_eq!(length("edges"), 7 * 3);
        assert_eq!(read["snapshot"]["node_count"], 5);
        assert_eq!(read["snapshot"]["edge_count"], 7);
        let node = |number: usize, field: usize| read["nodes"][number * NODE_FIELDS.len() + field].as_u64().unwrap();
        let text = |number: u64| read["strings"][number as usize].as_str().unwrap();
        assert_eq!(text(node(2, 1)), "builtins.str");
        assert_eq!(node(2, 3), u64::from(u32::MAX));
        assert_eq!((0..5).map(|number| node(number, 4)).sum::<u64>(), 7);
        // The second edge of the module, which comes behind two of the root.
        assert_eq!(read["edges"][6], PROPERTY);
        assert_eq!(text(read["edges"][7].as_u64().unwrap()), "'a\"b'");
        assert_eq!(read["edges"][8], 2 * NODE_FIELDS.len());
        // Behind its references what it refers to weakly.
        let edge = |number: usize, field: usize| &read["edges"][number * 3 + field];
        assert_eq!(
            (edge(4, 0), edge(4, 2)),
            (&WEAK.into(), &(3 * NODE_FIELDS.len()).into())
        );
    }
}
