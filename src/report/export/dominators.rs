//! The largest part of the dominator tree as a drawing: what would go with what.

use std::collections::{BinaryHeap, HashMap};

use crate::heap::TypeTotals;
use crate::heap::detail::{By, Detail};
use crate::report::explanation::drawing::{Arrow, Box, Drawing, Kind, Manner};
use crate::report::text::harmless;
use crate::units;

/// A picture with more boxes than these explains nothing.
const MOST_BOXES: usize = 60;

/// One box: an object, and the box that it hangs below.
struct Chosen {
    number: u32,
    retained: u64,
    above: Option<usize>,
}

/// What retains most, each below what dominates it.
pub fn drawing(types: &[TypeTotals], detail: &Detail) -> Drawing {
    let chosen = choose(detail);
    let modules = namespaces(detail);
    let mut drawing = Drawing {
        title: format!(
            "what retains most of {}; each would go with what it hangs below",
            units::bytes(detail.retained_bytes.first().copied().unwrap_or_default())
        ),
        ..Drawing::default()
    };
    for (here, each) in chosen.iter().enumerate() {
        let held = detail
            .dominators
            .get(each.number as usize)
            .and_then(|&above| name_below(detail, above, each.number));
        let of_type = types.get(detail.types[each.number as usize] as usize);
        let mut lines: Vec<String> = of_type
            .map(|each| harmless(&each.name).into_owned())
            .into_iter()
            .collect();
        if let Some(from) = each.above {
            drawing.arrows.push(Arrow {
                from,
                to: here,
                label: held.unwrap_or_default(),
                manner: Manner::HoldsAlone,
            });
        } else {
            // What the heap as a whole holds, a module or a thread, is called by its name.
            let name = held.map(|name| name.trim_start_matches('.').to_owned());
            lines.extend(name.or_else(|| modules.get(&each.number).cloned()));
        }
        lines.push(format!("retains {}", units::bytes(each.retained)));
        drawing.boxes.push(Box {
            lines,
            kind: if each.above.is_none() { Kind::Root } else { Kind::Object },
        });
    }
    drawing
}

/// Always the largest that hangs below what was chosen before.
fn choose(detail: &Detail) -> Vec<Chosen> {
    let below = Below::of(detail);
    let mut next: BinaryHeap<(u64, u32, Option<usize>)> = BinaryHeap::new();
    let offer = |next: &mut BinaryHeap<_>, number: u32, above: Option<usize>| {
        let retained = |number: u32| detail.retained_bytes.get(number as usize).copied().unwrap_or_default();
        next.extend(below.numbers(number).map(|number| (retained(number), number, above)));
    };
    offer(&mut next, 0, None);
    let mut chosen = Vec::new();
    while chosen.len() < MOST_BOXES
        && let Some((retained, number, above)) = next.pop()
    {
        offer(&mut next, number, Some(chosen.len()));
        chosen.push(Chosen {
            number,
            retained,
            above,
        });
    }
    chosen
}

/// The dicts behind modules, which all their functions hold as well: `shop.__dict__`.
fn namespaces(detail: &Detail) -> HashMap<u32, String> {
    let mut names = HashMap::new();
    for module in detail.references(0) {
        let name = module.by().name().and_then(|name| detail.names.get(name as usize));
        let held = detail.references(module.target).iter();
        for namespace in held.filter(|held| held.by() == By::Namespace) {
            let name = harmless(name.map(|name| &**name).unwrap_or_default());
            names.insert(namespace.target, format!("{name}.__dict__"));
        }
    }
    names
}

/// How a holder holds an object, if it does so itself.
fn name_below(detail: &Detail, holder: u32, number: u32) -> Option<String> {
    let held = detail.references(holder).iter().find(|held| held.target == number)?;
    let name = held.by().name().and_then(|name| detail.names.get(name as usize));
    let name = harmless(name.map(|name| &**name).unwrap_or_default());
    Some(match held.by() {
        By::Attribute(_) | By::Slot(_) | By::Member(_) => format!(".{name}"),
        By::Key(_) => format!("[{name}]"),
        By::Index(index) => format!("[{index}]"),
        By::Local(_) | By::Task(_) => format!("> {name}"),
        By::Namespace | By::Unnamed => String::new(),
    })
}

/// The numbers that each one dominates at once.
struct Below(Vec<(u32, u32)>);

impl Below {
    fn of(detail: &Detail) -> Below {
        let numbered = detail.dominators.iter().zip(0..).skip(1);
        let mut pairs: Vec<(u32, u32)> = numbered.map(|(&above, number)| (above, number)).collect();
        pairs.sort_unstable();
        Below(pairs)
    }

    fn numbers(&self, above: u32) -> impl Iterator<Item = u32> + '_ {
        let start = self.0.partition_point(|pair| pair.0 < above);
        let here = self.0[start..].iter().take_while(move |pair| pair.0 == above);
        here.map(|pair| pair.1)
    }
}
