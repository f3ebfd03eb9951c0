//! What Python source says where a program stands: the operations that instructions carry out, and what they work on.
//!
//! A parser that is kept up with the language makes a tree of a file (`tree`, the only one who knows it); what is wanted of
//! that becomes plain data, scope by scope. Nothing here knows processes or files.

mod encoding;
mod idiom;
mod operand;
mod scope;
#[cfg(test)]
mod tests;
mod tree;

pub use encoding::decode;
pub use idiom::Idiom;
pub use operand::{Key, Operand};
pub use scope::{Kind, Operation, Place, Scope, Source, Span};
pub use tree::parse;
