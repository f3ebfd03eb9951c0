//! What a copy of a process lacks: regions that are not inherited, and shared ones, which stay live.

pub fn what_the_copy_lacks(_pid: u32, _copy: u32) -> Vec<String> {
    Vec::new()
}
