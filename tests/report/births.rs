//! Where the objects of the shop were made, as a sampler would tell it.

use std::rc::Rc;

use pymemscope::capture::Capture;
use pymemscope::sampling::births::{Births, Call, Confidence, Share, Site, Source, Unseen, Why};

use crate::captured::shop;

const MIB: u64 = 1 << 20;

/// The shop, watched while it made orders. Every object of the heap is in it once.
pub fn watched_shop() -> Capture {
    let mut capture = shop();
    let mut births = Births {
        sites: vec![
            site(
                &[run(), place(31), total()],
                Source::Observed,
                Confidence::Likely,
                vec![share("shop.models.Order", 60_000, 8 * MIB, 8 * MIB)],
            ),
            site(
                &[run(), place(31), total(), c_function("json.loads")],
                Source::Observed,
                Confidence::Possible,
                vec![
                    share("builtins.dict", 30_000, 24 * MIB, 1_258_291),
                    share("builtins.list", 100, 1_100_000, 0),
                ],
            ),
            site(
                &[run(), place(32), place(32), place(32), total()],
                Source::Inherited,
                Confidence::Likely,
                vec![share("builtins.str", 40_000, 2 * MIB, 0)],
            ),
        ],
        unseen: vec![unseen(
            Why::NotObserved,
            vec![share("builtins.float", 1_000, 32_000, 32_000)],
        )],
    };
    let (count, bytes) = sums(&births);
    let totals = capture.heap.totals;
    let rest = share("builtins.dict", totals.objects - count, totals.bytes - bytes, 0);
    births.unseen.push(unseen(Why::BeforeAttach, vec![rest]));
    capture.births = Some(births);
    capture
}

/// The objects of all sites and of what has none, and their bytes.
pub fn sums(births: &Births) -> (u64, u64) {
    let sites = births.sites.iter().flat_map(|site| &site.types);
    let unseen = births.unseen.iter().flat_map(|unseen| &unseen.types);
    sites.chain(unseen).fold((0, 0), |(count, bytes), share| {
        (count + share.count, bytes + share.bytes)
    })
}

fn site(stack: &[Call], source: Source, confidence: Confidence, types: Vec<Share>) -> Site {
    Site {
        stack: stack.into(),
        source,
        confidence,
        count: types.iter().map(|share| share.count).sum(),
        bytes: types.iter().map(|share| share.bytes).sum(),
        types,
    }
}

fn unseen(why: Why, types: Vec<Share>) -> Unseen {
    Unseen { why, types }
}

fn share(type_name: &str, count: u64, bytes: u64, grown_bytes: u64) -> Share {
    Share {
        type_name: type_name.into(),
        count,
        bytes,
        grown_count: count * grown_bytes / bytes.max(1),
        grown_bytes,
    }
}

fn call(function: &str, file: &str, line: u32) -> Call {
    Call {
        function: function.into(),
        file: file.into(),
        line: Some(line),
    }
}

fn run() -> Call {
    call("<module>", "/srv/shop/releases/current/shop/__main__.py", 7)
}

fn place(line: u32) -> Call {
    call("Checkout.place", "/srv/shop/releases/current/shop/checkout.py", line)
}

fn total() -> Call {
    call("Order.total", "/srv/shop/releases/current/shop/models.py", 88)
}

fn c_function(name: &str) -> Call {
    Call {
        function: name.into(),
        file: Rc::from(""),
        line: None,
    }
}
