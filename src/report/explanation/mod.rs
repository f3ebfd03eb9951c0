//! What `paths` answers: one model, rendered as text, as JSON, and as a drawing for Graphviz or as SVG.

pub mod dot;
pub mod drawing;
pub mod layout;
pub mod model;
pub mod output;
pub mod svg;
pub mod terminal;
