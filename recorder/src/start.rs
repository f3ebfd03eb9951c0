//! The beginning: before the program's first instruction, when the library has just been loaded.

use crate::region::{self, Area};
use crate::thread::{self, local};
use crate::{environment, fork, lock, next, python};

#[used]
#[unsafe(link_section = ".init_array")]
static START: extern "C" fn() = start;

extern "C" fn start() {
    next::look_up();
    // Other programs than Python carry the recorder to their children, and no more.
    environment::learn();
    if environment::memory().is_none() || !python::is_here() {
        return;
    }
    environment::hide();
    local(|local| {
        local.inside(|| {
            region::begin(0);
            if Area::get().is_some() {
                lock::watch_threads();
                thread::begin();
                thread::watch_ends();
                fork::watch();
                python::wait_for_start();
            }
        });
    });
}
