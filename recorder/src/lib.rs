//! The recorder: loaded into a program by `pymemscope run` (`LD_PRELOAD`), it writes down what the program allocates.
//!
//! Every call of the process for memory comes through here: C's, because the functions of `interpose` and `mapping` stand
//! before those of the C library, and CPython's own, because `python` puts hooks around its allocators. What is counted
//! goes into shared memory at once (`recording::form`), so nothing is lost when the program dies.
//!
//! The usual way of a call is short: the thread's own counters are added to (`thread`), and a countdown is taken down. When
//! that is over (`sampling`), the block is noted with its stack (`stacks`, `blocks`), under a lock. A free asks a small
//! filter first whether the block may be one of those. Where every block is wanted, the countdown is always over: each goes
//! into the tally of its stack (`callers`, `every`, `owners`).
//!
//! Whatever fails here must leave the program as it is: without an area to write to, every call is handed on.

mod allocator;
mod arena_hook;
mod arenas;
mod blocks;
mod bookkeeping;
mod callers;
mod claim;
mod early;
mod environment;
mod every;
mod execute;
mod facts;
mod fork;
mod hooks;
mod interpose;
mod lock;
mod mapping;
mod next;
mod own_memory;
mod owners;
mod python;
mod region;
mod sampling;
mod shared_file;
mod sizes;
mod stacks;
mod start;
mod system;
mod thread;
