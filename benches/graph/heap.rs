//! Made-up heaps: of Python's shape, and of extreme ones.

use fastrand::Rng;
use pymemscope::heap::graph::references::{Builder, References};
use pymemscope::heap::graph::sizes::{BytesOf, Sizes};

pub struct MadeHeap {
    pub name: String,
    pub references: References,
    pub sizes: Sizes,
}

/// Objects in the order in which a program makes them, with their references.
struct Maker {
    random: Rng,
    rows: Vec<Vec<u32>>,
    bytes: Vec<u16>,
}

impl Maker {
    fn object(&mut self, bytes: u16, references: &[u32]) -> u32 {
        self.rows.push(references.to_vec());
        self.bytes.push(bytes);
        self.rows.len() as u32 - 1
    }

    fn leaf(&mut self, bytes: u16) -> u32 {
        self.object(bytes, &[])
    }

    fn leaves(&mut self, count: u32, bytes: u16) -> Vec<u32> {
        (0..count).map(|_| self.leaf(bytes)).collect()
    }

    fn one_of(&mut self, pool: &[u32]) -> u32 {
        pool[self.random.usize(..pool.len())]
    }
}

/// Objects that the whole program shares.
struct Shared {
    constants: Vec<u32>,
    names: Vec<u32>,
    words: Vec<u32>,
}

/// Modules with functions, classes and collections of records: an instance, its dict, numbers, strings and lists of its
/// own, and names, words, constants and other records that it shares; records refer back and to each other. A twentieth
/// of the records is garbage in cycles. About 60 % of the objects refer to nothing, and there are about three references
/// an object.
pub fn python_like(nodes: u32) -> MadeHeap {
    let mut maker = Maker {
        random: Rng::with_seed(7),
        rows: vec![Vec::new()],
        bytes: vec![0],
    };
    let shared = Shared {
        constants: maker.leaves(260, 32),
        names: maker.leaves(3000, 56),
        words: maker.leaves(nodes / 500 + 10, 64),
    };
    let mut roots = shared.constants.clone();
    while maker.rows.len() < nodes as usize {
        let module = module(&mut maker, &shared, nodes);
        roots.push(module);
    }
    maker.rows[0] = roots;
    finish(maker, "heap of Python's shape")
}

fn module(maker: &mut Maker, shared: &Shared, nodes: u32) -> u32 {
    let namespace = maker.object(232, &[]);
    let module = maker.object(72, &[namespace]);
    for _ in 0..maker.random.u32(5..60) {
        let code_parts = [maker.one_of(&shared.names), maker.leaf(120), maker.leaf(80)];
        let constants = maker.object(64, &[shared.constants[0], code_parts[1]]);
        let code = maker.object(176, &[constants, code_parts[0], code_parts[2]]);
        let function = maker.object(160, &[code, namespace, code_parts[0], shared.constants[0]]);
        maker.rows[namespace as usize].extend([code_parts[0], function]);
    }
    let class_dict = maker.object(232, &[]);
    let class = maker.object(1064, &[class_dict, shared.names[0], namespace]);
    maker.rows[namespace as usize].push(class);
    let attributes: Vec<u32> = (0..6).map(|_| maker.one_of(&shared.names)).collect();
    let most = (nodes / 60).max(20);
    let count = maker.random.u32(most / 20..most);
    let container = maker.object(56, &[]);
    maker.rows[namespace as usize].extend([shared.names[1], container]);
    let mut last = container;
    for at in 0..count {
        let record = record(maker, shared, class, &attributes, container, last);
        if at % 20 == 3 {
            // Garbage: nobody holds it but itself.
            let own = maker.rows[record as usize][1];
            maker.rows[own as usize].push(record);
            continue;
        }
        maker.rows[container as usize].push(record);
        last = record;
    }
    module
}

fn record(maker: &mut Maker, shared: &Shared, class: u32, attributes: &[u32], container: u32, last: u32) -> u32 {
    let namespace = maker.object(104, &[]);
    let record = maker.object(48, &[class, namespace]);
    let mut row = vec![maker.leaf(32), maker.leaf(64), maker.leaf(24)];
    for &name in attributes {
        row.push(name);
    }
    for _ in 0..3 {
        row.push(maker.one_of(&shared.constants));
    }
    row.push(maker.one_of(&shared.words));
    match maker.random.u32(0..10) {
        0..3 => row.push(last),
        3..5 => row.push(container),
        _ => {}
    }
    if maker.random.bool() {
        let mut words = Vec::new();
        for _ in 0..maker.random.u32(2..5) {
            let own = maker.random.bool();
            words.push(if own {
                maker.leaf(64)
            } else {
                maker.one_of(&shared.words)
            });
        }
        let list = maker.object(72, &words);
        row.push(list);
    }
    maker.rows[namespace as usize] = row;
    record
}

/// Numbers the objects by address as the allocator would give it: a pool for each size, one after the other, and a tenth
/// of the objects in holes of older pools.
fn finish(mut maker: Maker, name: &str) -> MadeHeap {
    const POOL: u32 = 16 << 10;
    let mut pools = 0;
    // By size in steps of 16 bytes: the pool being filled, and how far.
    let mut filling = vec![(0_u32, POOL); 100];
    let mut addresses: Vec<(u32, u32, u32)> = Vec::with_capacity(maker.rows.len());
    for (node, &bytes) in (0_u32..).zip(&maker.bytes) {
        let step = u32::from(bytes).div_ceil(16) * 16;
        let (pool, used) = &mut filling[(step / 16) as usize];
        if *used + step > POOL {
            (*pool, *used) = (pools, 0);
            pools += 1;
        }
        let address = if maker.random.u32(0..10) == 0 {
            (maker.random.u32(0..pools), maker.random.u32(0..POOL))
        } else {
            *used += step;
            (*pool, *used)
        };
        addresses.push((address.0, address.1, node));
    }
    addresses[1..].sort_unstable();
    let mut names = vec![0; addresses.len()];
    for (name, &(_, _, node)) in (0..).zip(&addresses) {
        names[node as usize] = name;
    }
    let mut builder = Builder::with_capacity(names.len(), 0);
    for (name, &(_, _, node)) in (0..).zip(&addresses) {
        let row = maker.rows[node as usize].iter().map(|&target| names[target as usize]);
        builder.add(name, row).expect("rows in order");
    }
    MadeHeap {
        name: name.to_owned(),
        references: builder.finish(names.len() as u32).expect("a whole graph"),
        sizes: addresses
            .iter()
            .map(|&(_, _, node)| u64::from(maker.bytes[node as usize]))
            .collect(),
    }
}

/// The same heap with its objects anywhere: no row is near another that refers to it.
pub fn in_random_order(heap: &MadeHeap) -> MadeHeap {
    let nodes = heap.references.nodes();
    let mut old: Vec<u32> = (0..nodes).collect();
    Rng::with_seed(11).shuffle(&mut old[1..]);
    let mut new = vec![0; nodes as usize];
    for (name, &node) in (0..).zip(&old) {
        new[node as usize] = name;
    }
    let mut builder = Builder::with_capacity(nodes as usize, heap.references.count() as usize);
    for (name, &node) in (0..).zip(&old) {
        let row = heap.references.of(node).iter().map(|&target| new[target as usize]);
        builder.add(name, row).expect("rows in order");
    }
    MadeHeap {
        name: format!("{} in random order", heap.name),
        references: builder.finish(nodes).expect("a whole graph"),
        sizes: old.iter().map(|&node| heap.sizes.of(node)).collect(),
    }
}

/// Heaps as few programs have them.
pub enum Shape {
    /// A linked list.
    List(u32),
    /// A linked list whose values a table holds too.
    SharedList(u32),
    /// All are roots and refer to one.
    Star(u32),
    /// So many that each refer to as many.
    Bipartite(u32),
}

impl Shape {
    pub fn build(self) -> MadeHeap {
        let mut builder = Builder::default();
        let mut add = |source: u32, targets: &[u32]| {
            builder.add(source, targets.iter().copied()).expect("rows in order");
        };
        let (name, nodes) = match self {
            Shape::List(links) => {
                (0..links).for_each(|link| add(link, &[link + 1]));
                ("linked list", links + 1)
            }
            Shape::SharedList(links) => {
                let table = links * 2 + 1;
                add(0, &[1, table]);
                for link in (1..table - 2).step_by(2) {
                    add(link, &[link + 2, link + 1]);
                    add(link + 1, &[table]);
                }
                add(table - 2, &[table - 1]);
                add(table, &(1..=links).map(|at| at * 2).collect::<Vec<_>>());
                ("linked list with a table of its values", table + 1)
            }
            Shape::Star(rays) => {
                add(0, &(1..=rays).collect::<Vec<_>>());
                (1..=rays).for_each(|ray| add(ray, &[rays + 1]));
                ("star", rays + 2)
            }
            Shape::Bipartite(side) => {
                add(0, &(1..=side).collect::<Vec<_>>());
                let other: Vec<u32> = (side + 1..=side * 2).collect();
                (1..=side).for_each(|one| add(one, &other));
                ("complete bipartite graph", side * 2 + 1)
            }
        };
        MadeHeap {
            name: name.to_owned(),
            references: builder.finish(nodes).expect("a whole graph"),
            sizes: (0..nodes).map(|_| 48).collect(),
        }
    }
}
