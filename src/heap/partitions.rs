//! Divisions of all objects: by the module of their type, by size, by what they are attributes of, by what refers to them.
//! Each object is in one part of each.

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use super::found::Found;
use super::objects::NO_OBJECT;
use super::referrers::Classes;

/// The parts of each division, the one with most bytes first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Partitions {
    /// By the module of their type.
    pub by_module: Vec<Part>,
    /// By their bytes, between powers of two: `64-127`.
    pub by_size: Vec<Part>,
    /// By type, dicts behind attributes by the type whose attributes they have: `dict of shop.Order`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by_owner_class: Option<Vec<Part>>,
    /// By the set of types that refer to them: `dict of shop.Order, list`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by_referrer_types: Option<Vec<Part>>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    pub name: String,
    pub count: u64,
    pub bytes: u64,
}

/// Some objects and their bytes.
#[derive(Debug, Clone, Copy, Default)]
pub struct Amount {
    pub count: u64,
    pub bytes: u64,
}

impl Amount {
    pub fn add(&mut self, bytes: u64) {
        self.count += 1;
        self.bytes = self.bytes.saturating_add(bytes);
    }

    fn add_all(&mut self, other: Amount) {
        self.count += other.count;
        self.bytes = self.bytes.saturating_add(other.bytes);
    }
}

/// So many parts have a name; the others are one part.
const MOST_PARTS: usize = 200;
const OTHERS: &str = "(others)";

/// Parts from named amounts, those of one name together.
pub fn parts(amounts: impl Iterator<Item = (String, Amount)>) -> Vec<Part> {
    let mut sums: FxHashMap<String, Amount> = FxHashMap::default();
    for (name, amount) in amounts.filter(|(_, amount)| amount.count > 0) {
        sums.entry(name).or_default().add_all(amount);
    }
    let mut sums: Vec<(String, Amount)> = sums.into_iter().collect();
    sums.sort_by(|(a, x), (b, y)| y.bytes.cmp(&x.bytes).then_with(|| a.cmp(b)));
    let rest = sums.split_off(sums.len().min(MOST_PARTS));
    let part = |(name, Amount { count, bytes })| Part { name, count, bytes };
    let mut parts: Vec<Part> = sums.into_iter().map(part).collect();
    if !rest.is_empty() {
        let mut others = Amount::default();
        rest.iter().for_each(|(_, amount)| others.add_all(*amount));
        parts.push(part((OTHERS.to_owned(), others)));
    }
    parts
}

/// All objects by the module of their type.
pub fn by_module(found: &Found) -> Vec<Part> {
    let types = (0..found.types.count()).map(|index| found.types.get(index));
    parts(types.map(|each| {
        let (count, bytes) = (each.count, each.bytes);
        (each.module().to_owned(), Amount { count, bytes })
    }))
}

/// All objects by their bytes.
pub fn by_size(found: &Found) -> Vec<Part> {
    let mut sums = [Amount::default(); 65];
    let class_of = |bytes: u64| (u64::BITS - bytes.leading_zeros()) as usize;
    let holders = found.objects.types_and_bytes_of_holders();
    for (_, bytes) in holders.filter(|&(type_of, _)| type_of != NO_OBJECT) {
        sums[class_of(bytes)].add(bytes);
    }
    for kind in found.objects.leaf_kinds() {
        sums[class_of(kind.bytes.into())].add_all(Amount {
            count: kind.count.into(),
            bytes: kind.all_bytes(),
        });
    }
    parts((0..).zip(sums).map(|(bits, sum)| (size_class(bits), sum)))
}

/// The sizes that have so many bits: `64-127`.
fn size_class(bits: u32) -> String {
    match bits {
        0 => "0".to_owned(),
        1 => "1".to_owned(),
        _ => {
            let least = 1_u64 << (bits - 1);
            format!("{least}-{}", least + (least - 1))
        }
    }
}

/// All objects by type, dicts behind attributes by the type whose attributes they have.
pub fn by_owner_class(found: &Found, classes: &Classes) -> Vec<Part> {
    let mut sums: FxHashMap<u32, Amount> = FxHashMap::default();
    for row in 0..found.objects.count() as u32 {
        if found.objects.type_of(row) != NO_OBJECT {
            let class = classes.of_row(found, row);
            sums.entry(class).or_default().add(found.objects.bytes(row));
        }
    }
    parts(sums.into_iter().map(|(class, sum)| (classes.name(found, class), sum)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_parts_are_one_and_nothing_is_lost() {
        let amounts = (0..1000).map(|number| {
            (
                format!("m{}", number % 500),
                Amount {
                    count: 1,
                    bytes: number,
                },
            )
        });
        let parts = parts(amounts);
        assert_eq!(parts.len(), MOST_PARTS + 1);
        assert_eq!(
            (&*parts[0].name, parts[0].count, parts[0].bytes),
            ("m499", 2, 499 + 999)
        );
        assert_eq!(parts[MOST_PARTS].name, OTHERS);
        assert_eq!(parts.iter().map(|part| part.count).sum::<u64>(), 1000);
        assert_eq!(parts.iter().map(|part| part.bytes).sum::<u64>(), 999 * 1000 / 2);
    }

    #[test]
    fn sizes_are_between_powers_of_two() {
        assert_eq!(
            [0, 1, 2, 7, 64].map(size_class),
            ["0", "1", "2-3", "64-127", "9223372036854775808-18446744073709551615"]
        );
    }
}
