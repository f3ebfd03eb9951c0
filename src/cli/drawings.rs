//! What is to be drawn, and what a capture must find out for it.

use super::Drawing;
use super::meaning::usage;
use crate::capture::plan::{Graph, Wanted};
use crate::commands::Settings;
use crate::error::Error;
use crate::report::picture::{Asked, Weight};

/// What has to be found out for what is to be shown. Which picture is drawn may turn out at the end only, and then there
/// must be one of ownership in any case.
pub(super) fn wanted(settings: &Settings) -> Wanted {
    if !settings.folders.is_empty() {
        // Whoever reads the folder may ask for anything.
        return Wanted::ALL;
    }
    let graph = settings.picture.graph.unwrap_or(Graph::Ownership);
    Wanted::of(settings.draws().then_some(graph), &settings.by)
}

/// Which picture is to be drawn.
pub(super) fn picture(drawing: &Drawing) -> Result<Asked, Error> {
    match (drawing.graph, drawing.weight) {
        (Some(Graph::Ownership | Graph::Types), Weight::Growth) => Err(usage(
            "of holders and types it is not known what has grown: --weight growth is for --graph allocation",
            "leave --graph out, or take --weight bytes or count",
        )),
        (Some(Graph::Ownership | Graph::Types), Weight::Peak | Weight::Total) => Err(usage(
            "holders and types are those of the end: --weight peak and total are for --graph allocation",
            "leave --graph out, or take --weight bytes or count",
        )),
        (None, weight @ (Weight::Peak | Weight::Total)) => Ok(Asked {
            graph: Some(Graph::Allocation),
            weight,
        }),
        (graph, weight) => Ok(Asked { graph, weight }),
    }
}

/// Which pictures are to be compared.
pub(super) fn compared(drawing: &Drawing) -> Result<Asked, Error> {
    match drawing.weight {
        Weight::Growth => Err(usage(
            "a comparison shows what has grown anyway: --weight growth is for single heaps",
            "leave it out, or take --weight count",
        )),
        _ => picture(drawing),
    }
}
