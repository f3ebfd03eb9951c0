//! The state of the garbage collectors, as rows.

use serde::Serialize;

use crate::heap::collector::{CollectorState, GenerationState};

/// The state of a garbage collector.
#[derive(Debug, Serialize)]
pub struct CollectorRow<'a> {
    /// Absent of the main one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interpreter: Option<i64>,
    pub enabled: bool,
    pub frozen_objects: u64,
    pub garbage_objects: u64,
    pub generations: &'a [GenerationState],
}

pub(super) fn collector_row(state: &CollectorState) -> CollectorRow<'_> {
    CollectorRow {
        interpreter: (state.interpreter != 0).then_some(state.interpreter),
        enabled: state.enabled,
        frozen_objects: state.frozen_objects,
        garbage_objects: state.garbage_objects,
        generations: &state.generations,
    }
}
