//! In which files the program's code is, as far as the names of its modules tell.

use std::borrow::Cow;

use crate::capture::Capture;
use crate::heap::patterns::ModuleFile;
use crate::report::model::Process;
use crate::rules::path::is_inside;

/// The module that a program starts with.
const MAIN: &str = "__main__";

#[derive(Debug, Clone, Copy, Default)]
pub struct Sources<'a> {
    /// Where the program stands, which its relative paths start from; a core does not tell.
    pub directory: Option<&'a str>,
    pub modules: &'a [ModuleFile],
}

impl<'a> Sources<'a> {
    pub fn of(capture: &'a Capture) -> Sources<'a> {
        Sources {
            directory: capture.process.working_directory.as_deref(),
            modules: &capture.heap.patterns.modules,
        }
    }

    /// The file of the program's own module that holds the object at `path`.
    pub(super) fn of_holder(&self, path: &str) -> Option<&'a str> {
        let holders = self.modules.iter().filter(|module| is_inside(path, &module.name));
        holders
            .max_by_key(|module| module.name.len())
            .map(|module| &*module.file)
    }

    /// What was started: the file of the first module, the script on the command line, or else what is executed.
    pub(super) fn program(&self, process: &Process<'a>) -> &'a str {
        let main = self.modules.iter().find(|module| module.name == MAIN);
        if let Some(main) = main {
            return &main.file;
        }
        let mut words = process.command.iter().skip(1);
        let script = words.find(|word| !word.starts_with('-'));
        match script.filter(|word| word.ends_with(".py")) {
            Some(script) => script,
            None => process.executable,
        }
    }

    /// The whole path of a file, where it is known.
    pub(super) fn whole<'b>(&self, file: &'b str) -> Cow<'b, str> {
        match self.directory {
            Some(directory) if !file.starts_with('/') => joined(directory, file).into(),
            _ => file.into(),
        }
    }
}

/// A relative path from a directory on, without the steps that lead nowhere.
fn joined(directory: &str, file: &str) -> String {
    let mut steps: Vec<&str> = Vec::new();
    for step in directory.split('/').chain(file.split('/')) {
        match step {
            "" | "." => {}
            ".." => drop(steps.pop()),
            step => steps.push(step),
        }
    }
    format!("/{}", steps.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn module(name: &str, file: &str) -> ModuleFile {
        ModuleFile {
            name: name.to_owned(),
            file: file.to_owned(),
        }
    }

    fn process<'a>(command: &'a [String]) -> Process<'a> {
        Process {
            pid: 1,
            python: "",
            build: "release",
            executable: "/usr/bin/python",
            command,
            start_time: None,
        }
    }

    #[test]
    fn a_program_is_its_first_module_or_its_script() {
        let program_of = |words: &[&str], modules: &[ModuleFile]| {
            let command: Vec<String> = words.iter().map(|&word| word.to_owned()).collect();
            let sources = Sources {
                directory: None,
                modules,
            };
            sources.program(&process(&command)).to_owned()
        };
        assert_eq!(program_of(&["python", "-u", "app.py", "x.py"], &[]), "app.py");
        assert_eq!(program_of(&["python", "-m", "http.server"], &[]), "/usr/bin/python");
        assert_eq!(program_of(&["gunicorn: worker [shop]"], &[]), "/usr/bin/python");
        let main = [module("__main__", "/srv/shop/__main__.py")];
        assert_eq!(program_of(&["python", "-m", "shop"], &main), "/srv/shop/__main__.py");
    }

    #[test]
    fn what_a_module_holds_is_in_its_file() {
        let modules = [
            module("shop", "/srv/shop/__init__.py"),
            module("shop.store", "/srv/shop/store.py"),
        ];
        let sources = Sources {
            directory: None,
            modules: &modules,
        };
        assert_eq!(sources.of_holder("shop.store.ITEMS[3]"), Some("/srv/shop/store.py"));
        assert_eq!(sources.of_holder("shop.storage"), Some("/srv/shop/__init__.py"));
        assert_eq!(sources.of_holder("shopping.ITEMS"), None);
    }

    #[test]
    fn relative_names_start_from_where_the_program_stands() {
        let sources = Sources {
            directory: Some("/srv/shop"),
            modules: &[],
        };
        assert_eq!(sources.whole("./app.py"), "/srv/shop/app.py");
        assert_eq!(sources.whole("../other/app.py"), "/srv/other/app.py");
        assert_eq!(sources.whole("/app.py"), "/app.py");
        assert_eq!(Sources::default().whole("app.py"), "app.py");
    }
}
