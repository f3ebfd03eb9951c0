//! Decoders of objects: each mechanism of the layouts once.

mod attribute;
pub mod blocks;
mod bounds;
pub mod calls;
pub mod code_seal;
mod containers;
pub mod content;
pub mod descriptor;
pub mod dict;
pub mod examine;
pub mod frames;
pub mod hashtable;
pub mod int;
pub mod leaves;
mod library;
pub mod lines;
mod mappings;
pub mod names;
mod numpy;
pub mod positions;
mod program;
mod scalars;
pub mod text;
pub mod tracemalloc;
pub mod types;
pub mod value;
pub mod visit;
