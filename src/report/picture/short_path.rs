//! Paths of source files as short as they can be told apart: `…/shop/models.py`.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::sampling::births::Call;

/// So many parts of a path are kept: a project's folder, a package, a module.
const PARTS: usize = 3;
/// Paths that have more parts in common are whole.
const MOST_PARTS: usize = 16;

/// The files of a picture or table by their short paths. Two files never have the same one.
pub struct ShortPaths<'a> {
    short: FxHashMap<&'a str, String>,
}

impl<'a> ShortPaths<'a> {
    pub fn of(files: impl Iterator<Item = &'a str>) -> ShortPaths<'a> {
        let mut left: FxHashSet<&str> = files.collect();
        let mut short = FxHashMap::default();
        let mut parts = PARTS;
        while !left.is_empty() {
            let mut takers: FxHashMap<String, Vec<&str>> = FxHashMap::default();
            for file in left.drain() {
                takers.entry(last_parts(file, parts)).or_default().push(file);
            }
            for (name, files) in takers {
                match files[..] {
                    [file] => drop(short.insert(file, name)),
                    _ => left.extend(files),
                }
            }
            if parts == MOST_PARTS {
                break;
            }
            parts += 1;
        }
        ShortPaths { short }
    }

    /// The files of these calls.
    pub fn of_calls(calls: impl Iterator<Item = &'a Call>) -> ShortPaths<'a> {
        ShortPaths::of(calls.map(|call| &*call.file).filter(|file| !file.is_empty()))
    }

    /// `Order.total …/shop/models.py:88`; what is not known is left out.
    pub fn call(&self, call: &Call) -> String {
        let place = self.place(&call.file, call.line);
        let parts = [&*call.function, &*place].into_iter().filter(|part| !part.is_empty());
        parts.collect::<Vec<_>>().join(" ")
    }

    /// `…/shop/models.py:88`, of one of the files.
    pub fn place(&self, file: &str, line: Option<u32>) -> String {
        let file = self.of_file(file);
        match line {
            Some(line) if !file.is_empty() => format!("{file}:{line}"),
            _ => file.to_owned(),
        }
    }

    fn of_file<'b>(&'b self, file: &'b str) -> &'b str {
        self.short.get(file).map_or(file, String::as_str)
    }
}

/// The end of a path, with `…` for what is left out; one that is not longer is whole.
fn last_parts(path: &str, parts: usize) -> String {
    let mut slashes = path.rmatch_indices('/').map(|(at, _)| at);
    match slashes.nth(parts - 1) {
        // The root is no part: three of `/srv/shop/models.py` are all.
        Some(at) if at > 0 => format!("…{}", &path[at..]),
        _ => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_cut_to_what_tells_them_apart() {
        let files = [
            "/srv/releases/7/shop/models.py",
            "/home/me/src/shop/models.py",
            "/srv/a/b/x/y.py",
            "/srv/c/b/x/y.py",
            "/opt/short.py",
            "/opt/app/short.py",
            "<frozen importlib._bootstrap>",
            "app.py",
        ];
        let paths = ShortPaths::of(files.into_iter());
        let short = files.map(|file| paths.of_file(file));
        assert_eq!(
            short,
            [
                "…/7/shop/models.py",
                "…/src/shop/models.py",
                "…/a/b/x/y.py",
                "…/c/b/x/y.py",
                "/opt/short.py",
                "/opt/app/short.py",
                "<frozen importlib._bootstrap>",
                "app.py",
            ]
        );
    }

    #[test]
    fn a_call_is_told_as_far_as_it_is_known() {
        let call = |function: &str, file: &str, line| Call {
            function: function.into(),
            file: file.into(),
            line,
        };
        let paths = ShortPaths::of(["/a/b/c/d/e.py", ""].into_iter());
        assert_eq!(paths.call(&call("f", "/a/b/c/d/e.py", Some(7))), "f …/c/d/e.py:7");
        assert_eq!(paths.call(&call("f", "/a/b/c/d/e.py", None)), "f …/c/d/e.py");
        assert_eq!(paths.call(&call("", "/a/b/c/d/e.py", Some(7))), "…/c/d/e.py:7");
        assert_eq!(paths.call(&call("json.loads", "", None)), "json.loads");
    }
}
