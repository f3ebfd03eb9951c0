//! What the notes of a core say of the process: its id, its name, the files that it had mapped, its auxiliary vector.

use std::ffi::OsString;
use std::ops::Range;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

use cpython::memory::{half_at, word_at};

use crate::target::elf::{NT_PRPSINFO, NT_PRSTATUS, Note};

/// Linux's `elf.h`.
const NT_AUXV: u32 = 6;
const NT_FILE: u32 = 0x4649_4c45;
/// Linux's `auxvec.h`.
const AT_NULL: u64 = 0;
const AT_PHDR: u64 = 3;
const AT_RANDOM: u64 = 25;

/// Of a process that is no more. What its core does not say is empty or zero.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Identity {
    pub pid: u32,
    /// The name that the kernel showed, at most 15 bytes of it.
    pub name: String,
    /// The first 79 bytes of its arguments, with blanks between them.
    pub arguments: String,
    /// In order of address, none within another.
    pub files: Vec<MappedFile>,
    /// The stack pointers of its threads.
    pub stacks: Vec<u64>,
    /// Its auxiliary vector, as it also stands on its first stack.
    pub auxiliary: Vec<u8>,
}

/// A mapping of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MappedFile {
    pub range: Range<u64>,
    /// Where in the file it begins, in bytes.
    pub offset: u64,
    /// As the kernel named it; with ` (deleted)` behind it when it was gone already.
    pub path: PathBuf,
}

impl Identity {
    /// Takes what it needs from the notes of a core of a 64-bit x86 program.
    pub fn of(notes: &[Note]) -> Identity {
        let mut identity = Identity::default();
        let mut first_thread = 0;
        for note in notes {
            match note.kind {
                NT_PRPSINFO => identity.take_process(&note.bytes),
                NT_PRSTATUS => {
                    if first_thread == 0 {
                        first_thread = thread(&note.bytes).unwrap_or(0);
                    }
                    identity.stacks.extend(stack_pointer(&note.bytes));
                }
                NT_FILE => identity.files = files(&note.bytes).unwrap_or_default(),
                NT_AUXV => identity.auxiliary.clone_from(&note.bytes),
                _ => {}
            }
        }
        if identity.pid == 0 {
            identity.pid = first_thread;
        }
        identity
    }

    /// `struct elf_prpsinfo`, `linux/elfcore.h`.
    fn take_process(&mut self, bytes: &[u8]) {
        const PID: usize = 24;
        const NAME: Range<usize> = 40..56;
        const ARGUMENTS: Range<usize> = 56..136;
        if let Some(pid) = half(bytes, PID) {
            self.pid = pid;
        }
        let text = |range: Range<usize>| {
            let bytes = bytes.get(range).unwrap_or_default();
            let text = bytes.split(|&byte| byte == 0).next().unwrap_or_default();
            String::from_utf8_lossy(text).into_owned()
        };
        (self.name, self.arguments) = (text(NAME), text(ARGUMENTS));
    }

    /// Where the kernel has put sixteen random bytes, right above the auxiliary vector.
    pub fn random_bytes(&self) -> Option<u64> {
        self.auxiliary_value(AT_RANDOM)
    }

    /// The path of its executable: that of the mapping which its program headers lie in.
    pub fn executable(&self) -> Option<&MappedFile> {
        let headers = self.auxiliary_value(AT_PHDR)?;
        self.files.iter().find(|file| file.range.contains(&headers))
    }

    fn auxiliary_value(&self, wanted: u64) -> Option<u64> {
        let pairs = self.auxiliary.chunks_exact(16);
        let mut pairs = pairs.map(|pair| (word_at(pair, 0), word_at(pair, 8)));
        let found = pairs.find(|&(key, _)| key == wanted || key == AT_NULL)?;
        (found.0 == wanted).then_some(found.1)
    }
}

/// The id in a `struct elf_prstatus`, which begins with a signal's numbers and two sets of signals.
fn thread(bytes: &[u8]) -> Option<u32> {
    const PID: usize = 32;
    half(bytes, PID)
}

/// `rsp` among its registers, which `struct user_regs_struct` has in an order of its own.
fn stack_pointer(bytes: &[u8]) -> Option<u64> {
    const REGISTERS: usize = 112;
    const STACK_POINTER: usize = REGISTERS + 19 * 8;
    Some(word_at(bytes.get(STACK_POINTER..STACK_POINTER + 8)?, 0))
}

fn half(bytes: &[u8], offset: usize) -> Option<u32> {
    Some(half_at(bytes.get(offset..offset.checked_add(4)?)?, 0))
}

/// `NT_FILE`, as `fill_files_note` in the kernel's `binfmt_elf.c` writes it: a count and a unit, then for each mapping its
/// start, its end and its offset in these units, then the names.
fn files(bytes: &[u8]) -> Option<Vec<MappedFile>> {
    const HEAD: usize = 16;
    const RECORD: usize = 24;
    let (head, rest) = bytes.split_at_checked(HEAD)?;
    let (count, unit) = (word_at(head, 0), word_at(head, 8));
    let records = usize::try_from(count).ok()?.checked_mul(RECORD)?;
    let (records, names) = rest.split_at_checked(records)?;
    let names = names.split(|&byte| byte == 0);
    let mut files: Vec<MappedFile> = records
        .chunks_exact(RECORD)
        .zip(names)
        .filter_map(|(record, name)| {
            let [start, end, offset] = [0, 8, 16].map(|at| word_at(record, at));
            Some(MappedFile {
                range: (start < end).then_some(start..end)?,
                offset: offset.checked_mul(unit)?,
                path: PathBuf::from(OsString::from_vec(name.to_vec())),
            })
        })
        .collect();
    files.sort_by_key(|file| file.range.start);
    let mut end = 0;
    files.retain(|file| {
        let is_free = file.range.start >= end;
        end = end.max(file.range.end);
        is_free
    });
    Some(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[u64]) -> Vec<u8> {
        words.iter().flat_map(|word| word.to_le_bytes()).collect()
    }

    fn note(kind: u32, bytes: Vec<u8>) -> Note {
        Note { kind, bytes }
    }

    fn process(pid: u32, name: &[u8], arguments: &[u8]) -> Note {
        let mut bytes = vec![0; 136];
        bytes[24..28].copy_from_slice(&pid.to_le_bytes());
        bytes[40..40 + name.len()].copy_from_slice(name);
        bytes[56..56 + arguments.len()].copy_from_slice(arguments);
        note(NT_PRPSINFO, bytes)
    }

    fn status(pid: u32) -> Note {
        let mut bytes = vec![0; 336];
        bytes[32..36].copy_from_slice(&pid.to_le_bytes());
        bytes[264..272].copy_from_slice(&(0x7000 + u64::from(pid)).to_le_bytes());
        note(NT_PRSTATUS, bytes)
    }

    fn file_note(unit: u64, mappings: &[[u64; 3]], names: &str) -> Note {
        let mut bytes = words(&[mappings.len() as u64, unit]);
        mappings.iter().for_each(|mapping| bytes.extend(words(mapping)));
        bytes.extend(names.bytes());
        note(NT_FILE, bytes)
    }

    #[test]
    fn a_process_is_known_by_its_notes() {
        let mappings = [[0x2000, 0x3000, 1], [0x1000, 0x2000, 0]];
        let auxiliary = note(NT_AUXV, words(&[AT_RANDOM, 0x9000, AT_PHDR, 0x1040, AT_NULL, 0]));
        let names = "/opt/lib (deleted)\0/opt/my python\0";
        let notes = [
            status(8),
            process(7, b"python3", b"python3 app.py"),
            auxiliary,
            file_note(0x1000, &mappings, names),
            status(9),
        ];
        let identity = Identity::of(&notes);
        assert_eq!(
            (identity.pid, identity.name.as_str(), identity.arguments.as_str()),
            (7, "python3", "python3 app.py")
        );
        let program = MappedFile {
            range: 0x1000..0x2000,
            offset: 0,
            path: PathBuf::from("/opt/my python"),
        };
        assert_eq!(identity.executable(), Some(&program));
        assert_eq!(identity.random_bytes(), Some(0x9000));
        assert_eq!(identity.stacks, [0x7008, 0x7009]);
        let offsets: Vec<u64> = identity.files.iter().map(|file| file.offset).collect();
        assert_eq!(offsets, [0, 0x1000]);
    }

    #[test]
    fn the_first_thread_stands_for_a_process_without_a_note() {
        assert_eq!(Identity::of(&[status(8), status(9)]).pid, 8);
        assert_eq!(Identity::of(&[]), Identity::default());
    }

    #[test]
    fn damaged_notes_say_nothing() {
        let too_many = note(NT_FILE, words(&[u64::MAX, 4096, 0, 0, 0]));
        let far = file_note(u64::MAX, &[[0x1000, 0x2000, 2]], "/lib\0");
        let backwards = file_note(1, &[[0x2000, 0x1000, 0]], "/lib\0");
        let overlapping = file_note(1, &[[0x1000, 0x9000, 0], [0x2000, 0x3000, 0]], "/a\0/b\0");
        for notes in [too_many, far, backwards, note(NT_FILE, vec![1; 15])] {
            assert!(Identity::of(&[notes]).files.is_empty());
        }
        assert_eq!(Identity::of(&[overlapping]).files.len(), 1);
        let short = [
            note(NT_PRPSINFO, vec![1; 20]),
            note(NT_PRSTATUS, vec![1; 20]),
            note(NT_AUXV, vec![3; 15]),
        ];
        assert_eq!(Identity::of(&short).pid, 0);
        assert_eq!(Identity::of(&short).executable(), None);
    }
}
