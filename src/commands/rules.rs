//! `pymemscope rules [NAME]`: lists the documented patterns, or prints the page of one.

use std::io::{self, Write};

use crate::error::{Error, Result, exit_code};
use crate::report::screen::{Screen, Style};
use crate::report::standard_output;
use crate::rules::Rule;
use crate::rules::catalogue::{RULES, find};
use crate::rules::threshold::{Threshold, Unit};
use crate::units;

pub fn rules(name: Option<&str>) -> Result<u8> {
    let screen = Screen::of_stdout();
    match name {
        None => standard_output::write(|out| write_list(screen, out))?,
        Some(name) => {
            let rule = find(name).map_err(|near| unknown(name, &near))?;
            standard_output::write(|out| write_page(rule, screen, out))?;
        }
    }
    Ok(exit_code::DONE)
}

fn unknown(name: &str, near: &[&str]) -> Error {
    let hint = match near {
        [] => "`pymemscope rules` lists all rules".to_owned(),
        near => format!("did you mean {}? `pymemscope rules` lists all rules", near.join(" or ")),
    };
    Error::Usage {
        what: format!("there is no rule '{name}'"),
        hint,
    }
}

fn write_list(screen: Screen, out: &mut dyn Write) -> io::Result<()> {
    let width = RULES.iter().map(|rule| rule.name.len()).max().unwrap_or(0);
    for rule in RULES {
        let name = screen.paint(Style::Bold, &format!("{:<width$}", rule.name));
        writeln!(out, "{name}  {}", rule.headline())?;
    }
    writeln!(out, "\n`pymemscope rules NAME` explains one.")
}

fn write_page(rule: &Rule, screen: Screen, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}\n", screen.paint(Style::Bold, rule.name))?;
    let mut in_code = false;
    for line in rule.page().lines() {
        if line.starts_with("```") {
            in_code = !in_code;
        } else if let (false, Some(heading)) = (in_code, line.strip_prefix("# ")) {
            writeln!(out, "{}", screen.paint(Style::Bold, heading))?;
        } else if in_code && !line.is_empty() {
            writeln!(out, "    {line}")?;
        } else {
            writeln!(out, "{line}")?;
        }
    }
    writeln!(out, "\n{}\n", screen.paint(Style::Bold, "Thresholds"))?;
    for threshold in rule.thresholds {
        writeln!(out, "{}", threshold_line(threshold))?;
    }
    Ok(())
}

/// `--threshold growing-container.items=10000    speak from this length on`
fn threshold_line(threshold: &Threshold) -> String {
    let default = match threshold.unit {
        Unit::Items => threshold.default.to_string(),
        Unit::Percent => format!("{}%", threshold.default),
        Unit::Bytes => units::bytes(threshold.default).replace(".0 ", ""),
    };
    let option = format!("--threshold {}.{}={default}", threshold.rule, threshold.name);
    format!("    {option:<52}  {}", threshold.meaning)
}
