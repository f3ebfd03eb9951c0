//! Watches a program that we start, so that it can be looked at one last time when its interpreter shuts down.
//!
//! When a process ends, its heap has been torn down already. So the main thread is stopped before that, at a hardware
//! breakpoint on `Py_FinalizeEx`, which it calls with the global interpreter lock held: no other thread can change the
//! heap. The thread is traced for that from before the program's first instruction on, by a process of its own like the
//! guardian, the watcher. As a thread can have one tracer only, the watcher makes the freezes on the way as well.

mod aim;
mod message;
mod start;
mod watch;
mod watcher;

pub use message::Event;
pub use start::start;
pub use watch::{WATCHER_ARGUMENT, Watch};
pub use watcher::watcher_main;
