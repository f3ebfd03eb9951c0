//! What carries the recorder: two variables of the environment, which name its library and the file that it writes to.
//!
//! A Python program sees neither: they are taken out before its first instruction, and put into the environment of each
//! program that it executes (`execute`), unless that could not read the files: as another user, in another namespace, or when
//! the profiler has ended. The dynamic loader would complain of that on the program's standard error.

use std::ffi::{CStr, c_char};
use std::sync::OnceLock;

use recording::form::{ENVIRONMENT, FILE_NAME, LIBRARY_NAME};

use crate::system;

/// What the dynamic loader loads before all else.
const PRELOAD: &[u8] = b"LD_PRELOAD";

/// Longer paths are none of the profiler's.
const LONGEST_PATH: usize = 64;
/// Larger environments are handed on as they are.
const MOST_VARIABLES: usize = 1024;
/// The values of our variables, with names, the libraries of others, and what ends them.
const TEXT: usize = 2048;

/// Both paths, as they were told at the start.
static TOLD: OnceLock<Told> = OnceLock::new();

struct Told {
    library: Path,
    memory: Path,
    /// As which user and group both could be read.
    identity: (u32, u32),
}

/// A path with a zero behind it.
struct Path([u8; LONGEST_PATH]);

impl Path {
    fn of(path: &[u8]) -> Option<Path> {
        let mut bytes = [0; LONGEST_PATH];
        bytes.get_mut(..path.len())?.copy_from_slice(path);
        (path.len() < LONGEST_PATH && path.starts_with(b"/proc/")).then_some(Path(bytes))
    }

    fn get(&self) -> &CStr {
        CStr::from_bytes_until_nul(&self.0).unwrap_or_default()
    }

    /// Whether the path leads to a file of this name, and it can be opened.
    fn is_there(&self, name: &CStr, flags: i32) -> bool {
        const KIND: &[u8] = b"/memfd:";
        let mut link = [0; LONGEST_PATH];
        let length = system::read_link(self.get(), &mut link);
        let file = link[..length].strip_prefix(KIND);
        let is_ours = file.and_then(|file| file.strip_prefix(name.to_bytes()));
        if is_ours.is_none_or(|rest| rest.first().is_some_and(|&letter| letter != b' ')) {
            return false;
        }
        // SAFETY: the path is a C string; the descriptor is our own.
        unsafe {
            let file = system::open(self.get().as_ptr(), flags | system::O_CLOEXEC);
            file >= 0 && system::close(file) == 0
        }
    }
}

/// Remembers what was told; before the program's first instruction.
pub fn learn() {
    let memory = values(ENVIRONMENT.to_bytes()).last().and_then(Path::of);
    let library = values(PRELOAD).last().and_then(|value| Path::of(first(value)));
    if let (Some(memory), Some(library)) = (memory, library) {
        let identity = system::identity();
        let _ = TOLD.set(Told {
            library,
            memory,
            identity,
        });
    }
}

/// The file of the recording; `None` where nobody wants one.
pub fn memory() -> Option<&'static CStr> {
    TOLD.get().map(|told| told.memory.get())
}

/// The process that has the file open: the profiler.
pub fn profiler() -> Option<u32> {
    let path = memory()?.to_str().ok()?;
    path.strip_prefix("/proc/")?.split('/').next()?.parse().ok()
}

/// Takes our variables out of the environment.
pub fn hide() {
    let Some(told) = TOLD.get() else {
        return;
    };
    // SAFETY: nothing of the program has run yet, so that nobody else looks at its environment.
    unsafe {
        let mut from = system::environ;
        let mut to = from;
        while !from.is_null() && !(*from).is_null() {
            let variable = CStr::from_ptr(*from).to_bytes();
            match told.part_of(variable) {
                None => {
                    *to = *from;
                    to = to.add(1);
                }
                // In the place of the whole value; the rest of the text is left where it stands.
                Some(others) if !others.is_empty() => {
                    let value = (*from).add(variable.len() - others.len() - PRELOAD.len() - 1);
                    for (offset, &letter) in PRELOAD.iter().chain(b"=").enumerate() {
                        *value.add(offset) = letter as c_char;
                    }
                    *to = value;
                    to = to.add(1);
                }
                Some(_) => {}
            }
            from = from.add(1);
        }
        if !to.is_null() {
            *to = std::ptr::null_mut();
        }
    }
}

impl Told {
    /// `None` for a variable that has nothing of ours; else what of its value is somebody else's.
    fn part_of<'a>(&self, variable: &'a [u8]) -> Option<&'a [u8]> {
        if value_of(variable, ENVIRONMENT.to_bytes()).is_some() {
            return Some(b"");
        }
        let rest = value_of(variable, PRELOAD)?.strip_prefix(self.library.get().to_bytes())?;
        rest.is_empty().then_some(rest).or(rest.strip_prefix(b":"))
    }

    /// Another user may be able to read them now and not any more in a program that is executed: capabilities end there.
    fn is_usable(&self) -> bool {
        const ROOT: u32 = 0;
        let now = system::identity();
        (now == self.identity || now.0 == ROOT)
            && self.library.is_there(LIBRARY_NAME, 0)
            && self.memory.is_there(FILE_NAME, system::O_RDWR)
    }
}

/// Calls `execute` with the environment that a program is to get for which the caller has meant `environment`.
///
/// # Safety
///
/// `environment` is null, or as `execve` takes it.
pub unsafe fn for_program<R>(environment: *const *const c_char, execute: impl FnOnce(*const *const c_char) -> R) -> R {
    let mut made = Made {
        variables: [std::ptr::null(); MOST_VARIABLES],
        count: 0,
        text: [0; TEXT],
        length: 0,
    };
    // SAFETY: as told to the caller.
    match TOLD.get().and_then(|told| unsafe { made.fill(told, environment) }) {
        Some(()) => execute(made.variables.as_ptr()),
        None => execute(environment),
    }
}

/// Gives the environment of the whole process what a program is to get, for calls that take it from there.
pub fn show() {
    // SAFETY: the variable is the C library's, which calls of this kind read without a lock as well.
    unsafe {
        for_program(system::environ.cast(), |made| {
            if made == system::environ.cast() {
                return;
            }
            let count = (0..MOST_VARIABLES)
                .take_while(|&index| !(*made.add(index)).is_null())
                .count();
            // They stay: nobody can know how long they are looked at.
            let bytes = (count + 1) * size_of::<*const c_char>() + TEXT;
            let Some(place) = system::map_private(bytes) else {
                return;
            };
            let (variables, mut text) = (place.cast::<*mut c_char>(), place.add(bytes - TEXT));
            for index in 0..count {
                let variable = CStr::from_ptr(*made.add(index));
                *variables.add(index) = variable.as_ptr().cast_mut();
                if TOLD
                    .get()
                    .is_some_and(|told| told.part_of(variable.to_bytes()).is_some())
                {
                    let length = variable.to_bytes_with_nul().len();
                    std::ptr::copy_nonoverlapping(variable.as_ptr().cast(), text, length);
                    *variables.add(index) = text.cast();
                    text = text.add(length);
                }
            }
            system::environ = variables;
        });
    }
}

/// An environment that is made for a program. On the stack: the caller may be a child that shares its parent's memory.
struct Made {
    variables: [*const c_char; MOST_VARIABLES],
    count: usize,
    text: [u8; TEXT],
    length: usize,
}

impl Made {
    /// `None` where there is no room, or nothing to change.
    ///
    /// # Safety
    ///
    /// As of [`for_program`].
    unsafe fn fill(&mut self, told: &Told, environment: *const *const c_char) -> Option<()> {
        let is_usable = told.is_usable();
        let (mut has_library, mut has_memory, mut has_changed) = (false, false, false);
        let mut next = environment;
        // SAFETY: the list ends with a null pointer, before which all are C strings.
        while let Some(variable) = unsafe { next.as_ref() }.filter(|variable| !variable.is_null()) {
            // SAFETY: as above.
            let text = unsafe { CStr::from_ptr(*variable) }.to_bytes();
            let others = value_of(text, PRELOAD);
            match told.part_of(text) {
                Some(_) if is_usable => {
                    has_library |= others.is_some();
                    has_memory |= others.is_none();
                    self.add(*variable)?;
                }
                Some(others) => {
                    has_changed = true;
                    if !others.is_empty() {
                        self.write(&[PRELOAD, b"=", others])?;
                    }
                }
                None if is_usable && others.is_some_and(|others| !others.is_empty()) => {
                    (has_library, has_changed) = (true, true);
                    self.write(&[
                        PRELOAD,
                        b"=",
                        told.library.get().to_bytes(),
                        b":",
                        others.unwrap_or_default(),
                    ])?;
                }
                None => self.add(*variable)?,
            }
            // SAFETY: the list goes on behind what is no null pointer.
            next = unsafe { next.add(1) };
        }
        if is_usable && !has_library {
            has_changed = true;
            self.write(&[PRELOAD, b"=", told.library.get().to_bytes()])?;
        }
        if is_usable && !has_memory {
            has_changed = true;
            self.write(&[ENVIRONMENT.to_bytes(), b"=", told.memory.get().to_bytes()])?;
        }
        has_changed.then_some(())
    }

    fn add(&mut self, variable: *const c_char) -> Option<()> {
        // A null pointer stays behind the last.
        let place = self.variables[..MOST_VARIABLES - 1].get_mut(self.count)?;
        *place = variable;
        self.count += 1;
        Some(())
    }

    /// Adds a variable of these parts.
    fn write(&mut self, parts: &[&[u8]]) -> Option<()> {
        let start = self.length;
        for part in parts.iter().copied().chain([&b"\0"[..]]) {
            let end = self.length + part.len();
            self.text.get_mut(self.length..end)?.copy_from_slice(part);
            self.length = end;
        }
        self.add(self.text[start..].as_ptr().cast())
    }
}

/// The values of the variables with this name, before the program's first instruction.
pub fn values(name: &'static [u8]) -> impl Iterator<Item = &'static [u8]> {
    // SAFETY: nothing of the program has run yet; the list ends with a null pointer, before which all are C strings.
    let variables = unsafe {
        let start = system::environ;
        (0..)
            .map_while(move |index| (!start.is_null() && !(*start.add(index)).is_null()).then(|| *start.add(index)))
            .map(|variable| CStr::from_ptr(variable).to_bytes())
    };
    variables.filter_map(move |variable| value_of(variable, name))
}

fn value_of<'a>(variable: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    variable.strip_prefix(name)?.strip_prefix(b"=")
}

/// The first of several libraries.
fn first(libraries: &[u8]) -> &[u8] {
    libraries.split(|&letter| letter == b':').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::ffi::CString;
    use std::os::fd::AsRawFd;

    use super::*;

    fn told(library: &str, memory: &str) -> Told {
        let path = |path: &str| Path::of(path.as_bytes()).unwrap();
        Told {
            library: path(library),
            memory: path(memory),
            identity: system::identity(),
        }
    }

    fn made(told: &Told, environment: &[&str]) -> Option<Vec<String>> {
        let texts: Vec<CString> = environment.iter().map(|text| CString::new(*text).unwrap()).collect();
        let mut pointers: Vec<_> = texts.iter().map(|text| text.as_ptr()).collect();
        pointers.push(std::ptr::null());
        let mut made = Made {
            variables: [std::ptr::null(); MOST_VARIABLES],
            count: 0,
            text: [0; TEXT],
            length: 0,
        };
        // SAFETY: the list ends with a null pointer.
        unsafe { made.fill(told, pointers.as_ptr())? };
        // SAFETY: as many were made.
        let text = |&variable: &*const c_char| unsafe { CStr::from_ptr(variable) }.to_str().unwrap().to_owned();
        Some(made.variables[..made.count].iter().map(text).collect())
    }

    #[test]
    fn what_cannot_be_read_is_left_out() {
        let told = told("/proc/1/fd/99999", "/proc/1/fd/99998");
        let own = ["B=1", "A=2"];
        assert_eq!(made(&told, &own), None);
        let ours = [
            "LD_PRELOAD=/proc/1/fd/99999",
            "B=1",
            "PYMEMSCOPE_RECORDING=/proc/1/fd/99998",
            "A=2",
        ];
        assert_eq!(made(&told, &ours).unwrap(), own);
        let others = ["LD_PRELOAD=/proc/1/fd/99999:libx.so", "PYMEMSCOPE_RECORDING=x"];
        assert_eq!(made(&told, &others).unwrap(), ["LD_PRELOAD=libx.so"]);
    }

    #[test]
    fn another_file_in_its_place_is_not_taken_for_it() {
        let file = std::fs::File::open("/proc/self/exe").unwrap();
        let path = format!("/proc/self/fd/{}", file.as_raw_fd());
        assert!(!told(&path, &path).is_usable());
        assert_eq!(made(&told(&path, &path), &["A=1"]), None);
    }

    #[test]
    fn only_ours_are_ours() {
        let told = told("/proc/7/fd/3", "/proc/7/fd/4");
        assert_eq!(told.part_of(b"LD_PRELOAD=/proc/7/fd/33"), None);
        assert_eq!(told.part_of(b"LD_PRELOAD=libx.so"), None);
        assert_eq!(told.part_of(b"LD_PRELOAD=/proc/7/fd/3"), Some(&b""[..]));
        assert_eq!(told.part_of(b"LD_PRELOAD=/proc/7/fd/3:a:b"), Some(&b"a:b"[..]));
        assert_eq!(told.part_of(b"LD_PRELOADS=/proc/7/fd/3"), None);
    }
}
