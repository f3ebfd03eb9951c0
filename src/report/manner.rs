//! How the program was held still for the snapshots, in words.

use super::model::{Moment, Report};

/// `fork`; `4 fork, 1 stop` where they differ; nothing where there was nothing to hold.
pub fn manners(report: &Report<'_>) -> Option<String> {
    let mut counts: Vec<(&str, usize)> = Vec::new();
    for used in report.timeline.iter().filter_map(|moment| moment.freeze) {
        match counts.iter_mut().find(|(freeze, _)| *freeze == used) {
            Some((_, count)) => *count += 1,
            None => counts.push((used, 1)),
        }
    }
    match counts.as_slice() {
        [] => report.capture.freeze.map(str::to_owned),
        [(only, _)] => Some((*only).to_owned()),
        several => {
            let each: Vec<String> = several
                .iter()
                .map(|(freeze, count)| format!("{count} {freeze}"))
                .collect();
            Some(each.join(", "))
        }
    }
}

/// For each reason to take another way than was asked for, which snapshots it is about: `snapshot 3 of 3 held by stop: …`.
pub fn reasons(report: &Report<'_>) -> Vec<String> {
    let all = report.timeline.len();
    let mut told: Vec<(&Moment<'_>, Vec<usize>)> = Vec::new();
    for (number, moment) in (1..)
        .zip(&report.timeline)
        .filter(|(_, moment)| moment.freeze_reason.is_some())
    {
        let is_alike =
            |other: &Moment<'_>| (other.freeze, other.freeze_reason) == (moment.freeze, moment.freeze_reason);
        match told.iter_mut().find(|(other, _)| is_alike(other)) {
            Some((_, numbers)) => numbers.push(number),
            None => told.push((moment, vec![number])),
        }
    }
    told.iter()
        .map(|(moment, numbers)| {
            let which = match numbers.as_slice() {
                several if several.len() == all => String::new(),
                [only] => format!("snapshot {only} of {all} "),
                several => format!("{} of {all} snapshots ", several.len()),
            };
            format!(
                "{which}held by {}: {}",
                moment.freeze.unwrap_or_default(),
                moment.freeze_reason.unwrap_or_default()
            )
        })
        .collect()
}
