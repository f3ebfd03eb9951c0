//! What `-o`, `-f` and `-j` mean together: where to write, and in which form.

use std::path::{Path, PathBuf};

use super::meaning::usage;
use crate::error::Error;
use crate::report::output::{Destination, FileFormat, LATER, Output};

/// The outputs, each with its format: a file's by its name; `-f` is for those whose name tells none. `on_stdout` is what
/// goes to standard output besides.
pub(super) fn outputs<F: FileFormat>(
    typed: &[PathBuf],
    format: Option<F>,
    on_stdout: Option<F>,
) -> Result<Vec<Output<F>>, Error> {
    let mut paths = typed.to_vec();
    if paths.is_empty() && format.is_some() {
        paths.push(PathBuf::from("-"));
    }
    refuse_contradiction(&paths, format)?;
    let mut outputs: Vec<Output<F>> = Vec::new();
    for path in paths {
        let format = F::of_path(&path).or(format).ok_or_else(|| no_format::<F>(&path))?;
        outputs.push(Output {
            destination: destination(path),
            format,
        });
    }
    outputs.extend(on_stdout.map(|format| Output {
        destination: Destination::Stdout,
        format,
    }));
    for (index, output) in outputs.iter().enumerate() {
        if outputs[..index]
            .iter()
            .any(|earlier| earlier.destination == output.destination)
        {
            return Err(usage(
                "two outputs have the same name",
                "give each -o a name of its own; -j writes to `-`",
            ));
        }
    }
    Ok(outputs)
}

/// When every name tells its format, `-f` has nothing to say; one that says otherwise is a slip.
fn refuse_contradiction<F: FileFormat>(paths: &[PathBuf], typed: Option<F>) -> Result<(), Error> {
    let Some(typed) = typed.filter(|_| paths.iter().all(|path| F::of_path(path).is_some())) else {
        return Ok(());
    };
    match paths.iter().find(|path| F::of_path(path) != Some(typed)) {
        Some(path) => Err(usage(
            &format!("'{}' does not fit -f {}", path.display(), typed.name()),
            &format!(
                "let the name end in .{}, or leave -f out: it is for `-o -` and for names that tell no format",
                typed.extension()
            ),
        )),
        None => Ok(()),
    }
}

fn destination(path: PathBuf) -> Destination {
    if path == Path::new("-") {
        Destination::Stdout
    } else {
        Destination::File(path)
    }
}

fn no_format<F: FileFormat>(path: &Path) -> Error {
    if path == Path::new("-") {
        let names: Vec<&str> = F::ALL.iter().map(|format| format.name()).collect();
        return usage(
            "`-o -` needs a format",
            &format!("give one with -f: {}", names.join(", ")),
        );
    }
    let extension = path
        .extension()
        .and_then(|extension| extension.to_str())
        .unwrap_or_default();
    let endings: Vec<&str> = F::ALL.iter().map(|format| format.extension()).collect();
    let what = if LATER.contains(&extension) {
        format!("'{}': the format {extension} is not available yet", path.display())
    } else {
        format!("'{}': the name does not tell the format", path.display())
    };
    usage(
        &what,
        &format!("let it end in .{}, or give a format with -f", endings.join(" or .")),
    )
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::*;
    use crate::cli::understand;
    use crate::commands::Command;
    use crate::report::output::Format;
    use crate::report::picture::format::PictureFormat;

    const SVG: Format = Format::Picture(PictureFormat::Svg);

    fn outputs_of(words: &str) -> Vec<(String, Format)> {
        let name = |output: Output| match output.destination {
            Destination::Stdout => ("-".to_owned(), output.format),
            Destination::File(path) => (path.to_str().unwrap().to_owned(), output.format),
        };
        let words = ["pymemscope"].into_iter().chain(words.split(' ')).map(OsString::from);
        match understand(words) {
            Ok(Command::Attach { settings, .. }) => settings.outputs.into_iter().map(name).collect(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn formats_come_from_names_and_from_f_where_names_are_silent() {
        let file = |name: &str, format| (name.to_owned(), format);
        assert_eq!(outputs_of("attach 7"), []);
        assert_eq!(
            outputs_of("attach 7 -o a.svg -o b.JSON"),
            [file("a.svg", SVG), file("b.JSON", Format::Json)]
        );
        assert_eq!(
            outputs_of("attach 7 -j -o a.svg"),
            [file("a.svg", SVG), file("-", Format::Json)]
        );
        assert_eq!(outputs_of("attach 7 -f svg"), [file("-", SVG)]);
        assert_eq!(
            outputs_of("attach 7 -f json -o - -o a.svg"),
            [file("-", Format::Json), file("a.svg", SVG)]
        );
        assert_eq!(outputs_of("attach 7 -f json -o heap"), [file("heap", Format::Json)]);
        assert_eq!(outputs_of("attach 7 -f svg -o a.svg"), [file("a.svg", SVG)]);
        assert_eq!(
            outputs_of("attach 7 -o a.speedscope.json -o speedscope.json -o b.PB.GZ"),
            [
                file("a.speedscope.json", Format::Picture(PictureFormat::Speedscope)),
                file("speedscope.json", Format::Json),
                file("b.PB.GZ", Format::Picture(PictureFormat::Pprof)),
            ]
        );
    }
}
