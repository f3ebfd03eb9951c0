//! CPU seconds and peak memory of each algorithm on a heap graph, on made-up heaps of Python's shape and on the extremes:
//! `cargo bench --bench graph -- [NODES…]`. Each figure is the least of several runs.

#[path = "graph/heap.rs"]
mod heap;
#[path = "graph/meter.rs"]
mod meter;

use std::hint::black_box;

use heap::{MadeHeap, Shape};
use meter::measure;
use pymemscope::heap::graph::chains::{self, Graph, Limits};
use pymemscope::heap::graph::cheapest::Cheapest;
use pymemscope::heap::graph::components::Components;
use pymemscope::heap::graph::deep::Reach;
use pymemscope::heap::graph::dominated::Dominated;
use pymemscope::heap::graph::dominators::Dominators;
use pymemscope::heap::graph::groups;
use pymemscope::heap::graph::incoming::Incoming;
use pymemscope::heap::graph::nodes::NodeSet;
use pymemscope::heap::graph::retained::{Amount, Retained};
use pymemscope::heap::graph::sizes::BytesOf;

const MILLION: u32 = 1_000_000;

fn main() {
    let mut sizes: Vec<u32> = std::env::args().filter_map(|word| word.parse().ok()).collect();
    let all = sizes.is_empty();
    if all {
        sizes = vec![MILLION / 10, MILLION, 5 * MILLION];
    }
    for nodes in sizes {
        all_algorithms(&heap::python_like(nodes));
    }
    if all {
        extremes(&heap::in_random_order(&heap::python_like(5 * MILLION)));
        let shapes = [
            Shape::List(10 * MILLION),
            Shape::SharedList(5 * MILLION),
            Shape::Star(10 * MILLION),
            Shape::Bipartite(3000),
        ];
        for shape in shapes {
            extremes(&shape.build());
        }
    }
}

fn headline(heap: &MadeHeap) {
    let (nodes, references) = (heap.references.nodes(), heap.references.count());
    let leaves = heap.references.rows().filter(|(_, row)| row.is_empty()).count();
    println!(
        "\n{}: {nodes} nodes, {references} references, {:.0} % leaves",
        heap.name,
        leaves as f64 / f64::from(nodes) * 100.0
    );
    println!("{:<34} {:>9} {:>14} {:>14}", "", "CPU s", "peak B/node", "kept B/node");
}

/// The sum that matters most: dominators and retained sizes, with the graph itself in the account of memory.
fn retained_sizes(heap: &MadeHeap) -> (Dominators, Retained) {
    let nodes = heap.references.nodes();
    let run = || {
        let dominators = Dominators::find(&heap.references);
        let retained = Retained::sum(&dominators, &heap.sizes);
        (dominators, retained)
    };
    let (cost, found) = measure(nodes, run);
    cost.print("dominators and retained sizes");
    let graph = 4.0 + 4.0 + 4.0 * f64::from(heap.references.count()) / f64::from(nodes);
    println!(
        "{:<34} {:>9} {:>14.1}",
        "… with the graph and sizes",
        "",
        cost.peak + graph
    );
    found
}

fn all_algorithms(heap: &MadeHeap) {
    headline(heap);
    let references = &heap.references;
    let nodes = references.nodes();
    let (dominators, retained) = retained_sizes(heap);
    measure(nodes, || Dominators::find(references)).0.print("dominators");
    measure(nodes, || Retained::sum(&dominators, &heap.sizes))
        .0
        .print("retained sizes");
    measure(nodes, || retained.top(&dominators, &heap.sizes, 100, |_| true))
        .0
        .print("the 100 that retain most");
    measure(nodes, || Dominated::find(&dominators))
        .0
        .print("children of the dominator tree");
    let by_size = |node| (heap.sizes.of(node) / 8 % 64) as u32;
    let groups = || {
        let mut leaves = vec![Amount::default(); 64];
        for leaf in references.holders()..nodes {
            let sum = &mut leaves[by_size(leaf) as usize];
            sum.bytes += heap.sizes.of(leaf);
            sum.nodes += 1;
        }
        groups::retained(&dominators, &heap.sizes, &retained, leaves, by_size)
    };
    measure(nodes, groups).0.print("retained sizes of 64 groups");
    let (cost, incoming) = measure(nodes, || Incoming::find(references));
    cost.print("references by their targets");
    let price = |_, reference: u32| Some(reference % 8);
    let (cost, cheapest) = measure(nodes, || Cheapest::from_root(references, price));
    cost.print("cheapest chains from the root");
    let limits = Limits {
        chains: 20,
        cost: 400,
        steps: 100_000,
    };
    let graph = Graph {
        references,
        incoming: &incoming,
        cheapest: &cheapest,
        order: &|reference| (0, reference),
    };
    measure(nodes, || chains::cheapest(graph, nodes / 2, limits, price))
        .0
        .print("20 cheapest chains to a node");
    measure(nodes, || Reach::new(references).amount(&heap.sizes, &[0], None))
        .0
        .print("deep size of the root");
    let unreached = dominators.unreached();
    measure(nodes, || {
        Components::find(references, |node| heap.sizes.of(node), unreached.clone())
    })
    .0
    .print("cycles in the garbage");
    let whole = NodeSet::where_true(nodes, |_| true);
    measure(nodes, || {
        Components::find(references, |node| heap.sizes.of(node), whole.clone())
    })
    .0
    .print("cycles in the whole heap");
}

fn extremes(heap: &MadeHeap) {
    headline(heap);
    let nodes = heap.references.nodes();
    black_box(retained_sizes(heap));
    measure(nodes, || Cheapest::from_root(&heap.references, |_, _| Some(1)))
        .0
        .print("cheapest chains from the root");
    let whole = NodeSet::where_true(nodes, |_| true);
    measure(nodes, || {
        Components::find(&heap.references, |node| heap.sizes.of(node), whole.clone())
    })
    .0
    .print("cycles in the whole heap");
}
