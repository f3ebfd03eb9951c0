//! What a capture is shown as: one model, rendered many ways, one file an output.

mod collector;
pub mod difference;
mod divisions;
pub mod explanation;
pub mod export;
mod garbage;
pub mod json;
mod line_rows;
mod manner;
pub mod model;
pub mod output;
pub mod picture;
pub mod progress;
pub mod recording;
pub mod recording_table;
pub mod sarif;
pub mod screen;
mod site_table;
pub mod sites;
pub mod standard_output;
pub mod table;
pub mod terminal;
pub mod text;
pub mod timeline;
