//! Decoders of single objects: each mechanism of the layouts once.

pub mod dict;
pub mod int;
pub mod text;
