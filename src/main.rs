//! The command: hands what was typed to `cli`, and what it means to `commands`.

fn main() {}
