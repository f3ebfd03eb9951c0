//! Pictures and divisions of a heap, as far as they are wanted. What they need is gathered while it is there.

use cpython::layout::Layout;
use cpython::memory::ReadMemory;

use super::Tree;
use super::dominator_tree;
use super::found::Found;
use super::graph::references::References;
use super::ownership::Ownership;
use super::partitions::{self, Partitions};
use super::referrers::{Classes, Referrers};
use super::retention::Retention;
use super::tree::Growing;
use super::wanted::Wanted;

pub struct Further {
    wanted: Wanted,
    /// The frame of each row in the tree of first holders.
    frames: Vec<u32>,
    classes: Option<Classes>,
    referrers: Option<Referrers>,
}

impl Further {
    /// Takes what only the owners know.
    pub fn of_owners<M: ReadMemory>(
        memory: &mut M,
        layout: &Layout,
        found: &mut Found,
        owned: &mut Ownership,
        wanted: Wanted,
    ) -> Further {
        let frames = match wanted.ownership_graph {
            true => owned.frames(memory, found, layout),
            false => Vec::new(),
        };
        let needs_classes = wanted.types_graph || wanted.owner_division || wanted.referrer_division;
        Further {
            wanted,
            frames,
            classes: needs_classes.then(|| Classes::of(found, owned)),
            referrers: None,
        }
    }

    /// Takes what only the references tell.
    pub fn add_references(&mut self, references: &References, found: &Found) {
        if self.wanted.types_graph || self.wanted.referrer_division {
            let classes = self.classes.as_ref();
            self.referrers = classes.map(|classes| Referrers::of(references, found, classes));
        }
    }

    /// The dominator tree, with names from the tree of first `holders`; empty unless it is wanted.
    pub fn ownership_tree(&self, retention: Option<&Retention>, found: &Found, holders: &Growing) -> Tree {
        match retention.filter(|_| self.wanted.ownership_graph) {
            Some(retention) => dominator_tree::of(retention, found, holders, &self.frames),
            None => Tree::default(),
        }
    }

    /// Types, and by them what refers to their objects; empty unless it is wanted.
    pub fn type_tree(&self, found: &Found) -> Tree {
        match (&self.classes, &self.referrers) {
            (Some(classes), Some(referrers)) if self.wanted.types_graph => referrers.tree(found, classes),
            _ => Tree::default(),
        }
    }

    pub fn partitions(&self, found: &Found) -> Partitions {
        let classes = self.classes.as_ref();
        let by_owner = classes.filter(|_| self.wanted.owner_division);
        let by_referrers = classes
            .zip(self.referrers.as_ref())
            .filter(|_| self.wanted.referrer_division);
        Partitions {
            by_module: partitions::by_module(found),
            by_size: partitions::by_size(found),
            by_owner_class: by_owner.map(|classes| partitions::by_owner_class(found, classes)),
            by_referrer_types: by_referrers.map(|(classes, referrers)| referrers.division(found, classes)),
        }
    }
}
