//! Which modules are not the program's own: those that came with the interpreter or were installed.

use cpython::layout::Layout;
use cpython::memory::ReadMemory;
use cpython::objects::dict;
use rustc_hash::{FxHashMap, FxHashSet};
use serde::{Deserialize, Serialize};

use crate::heap::found::Found;
use crate::heap::naming;

/// Folders for what was installed.
const INSTALLED: [&str; 2] = ["/site-packages/", "/dist-packages/"];
/// A module's dict begins with what the import system puts there: its name, its file and the like.
const FIRST_ENTRIES: usize = 16;

/// A module, and the file that it was made from, as the module says itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModuleFile {
    pub name: String,
    pub file: String,
}

/// Where modules come from.
#[derive(Default)]
pub struct Libraries {
    rows: FxHashSet<u32>,
    /// The files of all modules by their names.
    files: FxHashMap<String, String>,
    /// The folder of the standard library.
    standard: Option<String>,
}

impl Libraries {
    /// Looks at the modules in these rows.
    pub fn of<M: ReadMemory>(memory: &mut M, layout: &Layout, found: &Found, modules: &[u32]) -> Libraries {
        let mut libraries = Libraries::default();
        let mut named: Vec<(u32, String)> = Vec::new();
        for &row in modules {
            let names = memory.word(found.address_of(row).wrapping_add(layout.module.dict));
            let (name, file) = name_and_file(memory, layout, names.unwrap_or(0));
            if let (Some(name), Some(file)) = (name, file) {
                named.push((row, file.clone()));
                libraries.files.insert(name, file);
            }
        }
        let os = libraries.files.get("os");
        libraries.standard = os.and_then(|file| Some(format!("{}/", file.rsplit_once('/')?.0)));
        for (row, file) in named {
            if libraries.is_library(&file) {
                libraries.rows.insert(row);
            }
        }
        libraries
    }

    /// Whether the row is a module that is not the program's own.
    pub fn contains(&self, row: u32) -> bool {
        self.rows.contains(&row)
    }

    /// The file of the module with this name.
    pub fn file(&self, module: &str) -> Option<&str> {
        self.files.get(module).map(String::as_str)
    }

    /// The files of modules that are the program's own, and of the one that it was started with.
    pub fn own_files(&self) -> Vec<ModuleFile> {
        let own = self
            .files
            .iter()
            .filter(|(name, file)| *name == "__main__" || !self.is_library(file));
        let own = own.map(|(name, file)| ModuleFile {
            name: name.clone(),
            file: file.clone(),
        });
        let mut own: Vec<ModuleFile> = own.collect();
        own.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        own
    }

    /// Whether a source file is none of the program's own.
    pub fn is_library(&self, file: &str) -> bool {
        let standard = self.standard.as_deref();
        INSTALLED.iter().any(|folder| file.contains(folder)) || standard.is_some_and(|folder| file.starts_with(folder))
    }
}

/// `__name__` and `__file__` in the dict at `names`.
fn name_and_file<M: ReadMemory>(memory: &mut M, layout: &Layout, names: u64) -> (Option<String>, Option<String>) {
    let (mut name, mut file) = (None, None);
    for entry in dict::entries(memory, layout, names, FIRST_ENTRIES).unwrap_or_default() {
        match naming::str_at(memory, layout, entry.key).as_deref() {
            Some("__name__") => name = naming::str_at(memory, layout, entry.value),
            Some("__file__") => file = naming::str_at(memory, layout, entry.value),
            _ => {}
        }
    }
    (name, file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_are_told_by_their_folders() {
        let libraries = Libraries {
            standard: Some("/usr/lib/python3/".to_owned()),
            ..Libraries::default()
        };
        assert!(libraries.is_library("/usr/lib/python3/json/decoder.py"));
        assert!(libraries.is_library("/srv/env/lib/site-packages/django/db/models.py"));
        assert!(!libraries.is_library("/srv/shop/models.py"));
        assert!(!Libraries::default().is_library("/usr/lib/python3/os.py"));
    }
}
