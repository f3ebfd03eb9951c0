//! The calls that execute programs, which stand before those of the C library: each program gets the recorder if it can read
//! it, and nothing of it if not.

use std::ffi::{c_char, c_int, c_void};
use std::ptr::null_mut;

use crate::environment::{for_program, show};
use crate::next::{
    EXECVE, EXECVEAT, EXECVPE, Execve, Execveat, FEXECVE, Fexecve, POPEN, POSIX_SPAWN, POSIX_SPAWNP, Popen, PosixSpawn,
    SYSTEM, System, next,
};
use crate::system::environ;

type Words = *const *const c_char;

/// What the C library answers that lacks a function.
const ENOSYS: c_int = 38;

fn missing() -> c_int {
    crate::system::set_error(ENOSYS);
    -1
}

/// As execve(2).
///
/// # Safety
///
/// Of a C function; see there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn execve(path: *const c_char, words: Words, environment: Words) -> c_int {
    let Some(next) = next!(EXECVE, Execve) else {
        return missing();
    };
    // SAFETY: the call is handed on as it came, but for our variables.
    unsafe { for_program(environment, |environment| next(path, words, environment)) }
}

/// As execv(3).
///
/// # Safety
///
/// Of a C function; see there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn execv(path: *const c_char, words: Words) -> c_int {
    // SAFETY: as in `execve`.
    unsafe { execve(path, words, environ.cast()) }
}

/// As execvpe(3).
///
/// # Safety
///
/// Of a C function; see there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn execvpe(file: *const c_char, words: Words, environment: Words) -> c_int {
    let Some(next) = next!(EXECVPE, Execve) else {
        return missing();
    };
    // SAFETY: the call is handed on as it came, but for our variables.
    unsafe { for_program(environment, |environment| next(file, words, environment)) }
}

/// As execvp(3).
///
/// # Safety
///
/// Of a C function; see there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn execvp(file: *const c_char, words: Words) -> c_int {
    // SAFETY: as in `execve`.
    unsafe { execvpe(file, words, environ.cast()) }
}

/// As fexecve(3).
///
/// # Safety
///
/// Of a C function; see there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fexecve(file: c_int, words: Words, environment: Words) -> c_int {
    let Some(next) = next!(FEXECVE, Fexecve) else {
        return missing();
    };
    // SAFETY: the call is handed on as it came, but for our variables.
    unsafe { for_program(environment, |environment| next(file, words, environment)) }
}

/// As execveat(2).
///
/// # Safety
///
/// Of a C function; see there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn execveat(
    folder: c_int,
    path: *const c_char,
    words: Words,
    environment: Words,
    flags: c_int,
) -> c_int {
    let Some(next) = next!(EXECVEAT, Execveat) else {
        return missing();
    };
    // SAFETY: the call is handed on as it came, but for our variables.
    unsafe { for_program(environment, |environment| next(folder, path, words, environment, flags)) }
}

/// As posix_spawn(3).
///
/// # Safety
///
/// Of a C function; see there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn posix_spawn(
    pid: *mut c_int,
    path: *const c_char,
    actions: *const c_void,
    attributes: *const c_void,
    words: Words,
    environment: Words,
) -> c_int {
    let Some(next) = next!(POSIX_SPAWN, PosixSpawn) else {
        return ENOSYS;
    };
    // SAFETY: as in `execve`.
    unsafe {
        for_program(environment, |environment| {
            next(pid, path, actions, attributes, words, environment)
        })
    }
}

/// As posix_spawnp(3).
///
/// # Safety
///
/// Of a C function; see there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn posix_spawnp(
    pid: *mut c_int,
    file: *const c_char,
    actions: *const c_void,
    attributes: *const c_void,
    words: Words,
    environment: Words,
) -> c_int {
    let Some(next) = next!(POSIX_SPAWNP, PosixSpawn) else {
        return ENOSYS;
    };
    // SAFETY: as in `execve`.
    unsafe {
        for_program(environment, |environment| {
            next(pid, file, actions, attributes, words, environment)
        })
    }
}

/// As system(3), which takes the environment of the process.
///
/// # Safety
///
/// Of a C function; see there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn system(command: *const c_char) -> c_int {
    match next!(SYSTEM, System) {
        Some(next) => {
            show();
            // SAFETY: the call is handed on as it came.
            unsafe { next(command) }
        }
        None => missing(),
    }
}

/// As popen(3), which takes the environment of the process.
///
/// # Safety
///
/// Of a C function; see there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn popen(command: *const c_char, mode: *const c_char) -> *mut c_void {
    match next!(POPEN, Popen) {
        Some(next) => {
            show();
            // SAFETY: the call is handed on as it came.
            unsafe { next(command, mode) }
        }
        None => null_mut(),
    }
}
