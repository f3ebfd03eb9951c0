//! What the program's own `tracemalloc` counts, as the report has it.

use serde::Serialize;

use crate::capture::Tracing;

/// The totals of `tracemalloc`. Sizes are the bytes that were asked for.
#[derive(Debug, Serialize)]
pub struct TracingRow {
    pub traced_bytes: u64,
    /// Absent where it cannot be told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peak_bytes: Option<u64>,
    /// Blocks.
    pub traces: u64,
    /// How many frames of each stack it keeps.
    pub frames: u32,
    pub domains: Vec<DomainRow>,
}

/// The blocks of one domain, 0 being Python's own memory.
#[derive(Debug, Serialize)]
pub struct DomainRow {
    pub domain: u32,
    pub traces: u64,
    pub bytes: u64,
}

pub fn tracing_row(tracing: &Tracing) -> TracingRow {
    let domains = tracing.domains.iter().map(|each| DomainRow {
        domain: each.domain,
        traces: each.traces,
        bytes: each.bytes,
    });
    TracingRow {
        traced_bytes: tracing.traced_bytes,
        peak_bytes: tracing.peak_bytes,
        traces: tracing.traces,
        frames: tracing.frames,
        domains: domains.collect(),
    }
}
