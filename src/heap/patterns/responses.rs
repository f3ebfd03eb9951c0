//! Requests and responses of web frameworks: those that modules keep, and bodies that stand whole in memory.

use cpython::memory::ReadMemory;
use cpython::objects::content::Content;
use serde::{Deserialize, Serialize};

use super::piles::Pile;
use super::{Sight, Subject};

/// The beginnings of the names of types that are looked at, and what their last part must contain.
const FRAMEWORKS: [&str; 6] = [
    "flask.",
    "werkzeug.",
    "starlette.",
    "fastapi.",
    "django.http.",
    "django.core.handlers.",
];
const KINDS: [&str; 3] = ["Request", "Response", "Session"];
/// The attributes in which responses have their bodies: Flask's, Starlette's and Django's.
const BODIES: [&str; 3] = ["response", "body", "_container"];
/// Smaller bodies are not looked at, in bytes.
pub const LARGE_BODY: u64 = 1 << 20;
/// So many are described.
const MOST: usize = 100;

/// A body that stands whole in memory.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BufferedBody {
    /// The response.
    pub subject: Subject,
    pub body_bytes: u64,
}

/// Whether objects of a type belong to a request.
pub fn is_of_request(type_name: &str) -> bool {
    let is_framework = FRAMEWORKS.iter().any(|framework| type_name.starts_with(framework));
    let last = type_name.rsplit('.').next().unwrap_or_default();
    is_framework && KINDS.iter().any(|kind| last.contains(kind))
}

/// Those that hang on a module of the program.
pub(super) fn kept_by_modules<M: ReadMemory>(sight: &mut Sight<M>, rows: &[u32]) -> Vec<Pile> {
    let is_kept = |&row: &u32| sight.content(sight.root_of(row)) == Content::Module;
    let kept: Vec<u32> = rows.iter().copied().filter(is_kept).collect();
    sight.piles(&kept, 1)
}

pub(super) fn bodies<M: ReadMemory>(sight: &mut Sight<M>, rows: &[u32]) -> Vec<BufferedBody> {
    let mut bodies = Vec::new();
    for &row in rows {
        if bodies.len() == MOST {
            break;
        }
        // Who sends the body may have been met as its holder before the response was.
        let found = BODIES.iter().filter_map(|name| sight.attribute(row, name));
        let found: Vec<u32> = found.collect();
        let body_bytes = found.into_iter().map(|body| text_bytes(sight, body)).max().unwrap_or(0);
        if body_bytes >= LARGE_BODY {
            bodies.push(BufferedBody {
                subject: sight.subject(row, 0),
                body_bytes,
            });
        }
    }
    bodies
}

/// The bytes of a text, or of all texts in a list.
fn text_bytes<M: ReadMemory>(sight: &Sight<M>, row: u32) -> u64 {
    let is_text = |row: u32| {
        let name = &*sight.found.types.get(sight.found.objects.type_of(row)).name;
        matches!(name, "builtins.bytes" | "builtins.str")
    };
    if is_text(row) {
        return sight.found.objects.bytes(row);
    }
    let items = sight.found.objects.references(row).iter().map(|each| each.target);
    let texts = items
        .filter(|&item| is_text(item))
        .map(|item| sight.found.objects.bytes(item));
    texts.fold(0, u64::saturating_add)
}
