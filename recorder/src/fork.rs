//! Children made by `fork` record for themselves, into an area of their own.

use crate::region;
use crate::thread::{self, local};
use crate::{bookkeeping, early, mapping, sampling, system};

/// Has the C library tell of every fork.
pub fn watch() {
    // SAFETY: the functions stay, since nothing unloads this library.
    unsafe { system::pthread_atfork(Some(before), Some(in_parent), Some(in_child)) };
}

extern "C" fn before() {
    sampling::hold();
    mapping::hold();
    bookkeeping::hold();
    early::hold();
}

extern "C" fn in_parent() {
    early::let_go();
    bookkeeping::let_go();
    mapping::let_go();
    sampling::let_go();
}

extern "C" fn in_child() {
    in_parent();
    local(|local| {
        local.inside(|| {
            region::begin(region::number());
            thread::begin_anew();
            mapping::begin_anew();
            sampling::begin_anew();
        });
    });
}
