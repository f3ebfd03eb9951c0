//! Operating systems: processes, their maps and files, threads, and stopping them. Nothing here knows Python.

pub mod arch;
pub mod freeze;
