//! A 32-bit program without a compiler for one.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

const LOAD_ADDRESS: u32 = 0x0804_8000;
const HEADERS: u32 = 52 + 32;

/// Writes a program that prints `ready`, then reads one byte and ends.
pub fn write(folder: &Path) -> PathBuf {
    let text = LOAD_ADDRESS + HEADERS;
    #[rustfmt::skip]
    let mut code: Vec<u8> = [
        &[0xb8, 4, 0, 0, 0, 0xbb, 1, 0, 0, 0, 0xb9][..], &(text + 58).to_le_bytes(), // write(1, ready
        &[0xba, 6, 0, 0, 0, 0xcd, 0x80],                                              // , 6)
        &[0xb8, 3, 0, 0, 0, 0x31, 0xdb, 0x89, 0xe1, 0xba, 1, 0, 0, 0, 0xcd, 0x80],    // read(0, stack, 1)
        &[0xb8, 1, 0, 0, 0, 0x31, 0xdb, 0xcd, 0x80],                                  // exit(0)
    ].concat();
    code.resize(58, 0x90);
    code.extend(b"ready\n");

    let mut image = b"\x7fELF\x01\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
    let half = |image: &mut Vec<u8>, values: &[u16]| values.iter().for_each(|value| image.extend(value.to_le_bytes()));
    let word = |image: &mut Vec<u8>, values: &[u32]| values.iter().for_each(|value| image.extend(value.to_le_bytes()));
    // e_type ET_EXEC, e_machine EM_386; e_version, e_entry, e_phoff, e_shoff, e_flags; sizes and counts.
    half(&mut image, &[2, 3]);
    word(&mut image, &[1, text, 52, 0, 0]);
    half(&mut image, &[52, 32, 1, 40, 0, 0]);
    // One PT_LOAD of everything, readable and executable.
    let size = HEADERS + code.len() as u32;
    word(&mut image, &[1, 0, LOAD_ADDRESS, LOAD_ADDRESS, size, size, 5, 0x1000]);
    image.extend(code);

    let path = folder.join("bits32");
    fs::write(&path, image).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}
