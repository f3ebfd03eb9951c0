//! The functions of the C library and the system calls that the recorder makes, and nothing more of them.

use std::ffi::{CStr, c_char, c_int, c_long, c_void};

use recording::form::FILE_NAME;

pub const PROT_READ: c_int = 1;
pub const PROT_WRITE: c_int = 2;
pub const MAP_SHARED: c_int = 1;
pub const MAP_PRIVATE: c_int = 2;
pub const MAP_ANONYMOUS: c_int = 0x20;
pub const MAP_NORESERVE: c_int = 0x4000;
/// What `mmap` answers when it fails.
pub const MAP_FAILED: *mut c_void = -1isize as *mut c_void;
pub const O_RDWR: c_int = 2;
pub const O_CLOEXEC: c_int = 0o2000000;

#[cfg(target_arch = "x86_64")]
mod number {
    use std::ffi::c_long;
    pub const MMAP: c_long = 9;
    pub const MUNMAP: c_long = 11;
    pub const MREMAP: c_long = 25;
    pub const MADVISE: c_long = 28;
    pub const FTRUNCATE: c_long = 77;
    pub const GETTID: c_long = 186;
    pub const MEMFD_CREATE: c_long = 319;
}
#[cfg(target_arch = "aarch64")]
mod number {
    use std::ffi::c_long;
    pub const MMAP: c_long = 222;
    pub const MUNMAP: c_long = 215;
    pub const MREMAP: c_long = 216;
    pub const MADVISE: c_long = 233;
    pub const FTRUNCATE: c_long = 46;
    pub const GETTID: c_long = 178;
    pub const MEMFD_CREATE: c_long = 279;
}

/// `Dl_info` of `dladdr`.
#[repr(C)]
pub struct SymbolInfo {
    pub file: *const c_char,
    pub base: *mut c_void,
    pub name: *const c_char,
    pub address: *mut c_void,
}

/// `Elf64_Sym`.
#[repr(C)]
pub struct Symbol {
    name: u32,
    info: u8,
    other: u8,
    section: u16,
    value: u64,
    pub size: u64,
}

/// For `dladdr1`: wants the symbol's entry.
pub const WANTS_SYMBOL: c_int = 1;

unsafe extern "C" {
    pub fn syscall(number: c_long, ...) -> c_long;
    pub fn dlsym(library: *mut c_void, name: *const c_char) -> *mut c_void;
    pub fn dladdr1(address: *const c_void, info: *mut SymbolInfo, extra: *mut *const Symbol, flags: c_int) -> c_int;
    pub static mut environ: *mut *mut c_char;
    pub fn open(path: *const c_char, flags: c_int, ...) -> c_int;
    pub fn close(descriptor: c_int) -> c_int;
    pub fn pread64(descriptor: c_int, into: *mut c_void, length: usize, offset: i64) -> isize;
    fn readlink(path: *const c_char, into: *mut u8, length: usize) -> isize;
    pub fn getpid() -> c_int;
    fn getppid() -> c_int;
    fn geteuid() -> u32;
    fn prctl(option: c_int, ...) -> c_int;
    fn getegid() -> u32;
    pub fn kill(pid: c_int, signal: c_int) -> c_int;
    fn nanosleep(time: *const i64, left: *mut i64) -> c_int;
    fn clock_gettime(clock: c_int, into: *mut i64) -> c_int;
    pub fn sched_yield() -> c_int;
    pub fn pthread_atfork(
        before: Option<extern "C" fn()>,
        parent: Option<extern "C" fn()>,
        child: Option<extern "C" fn()>,
    ) -> c_int;
    pub fn pthread_key_create(key: *mut u32, end: Option<unsafe extern "C" fn(*mut c_void)>) -> c_int;
    pub fn pthread_setspecific(key: u32, value: *const c_void) -> c_int;
    pub fn __errno_location() -> *mut c_int;
}

/// `RTLD_DEFAULT`: the first library that has it.
pub fn find(name: &CStr) -> *mut c_void {
    // SAFETY: the name is a C string; the handle stands for all libraries.
    unsafe { dlsym(std::ptr::null_mut(), name.as_ptr()) }
}

/// `RTLD_NEXT`: the first library after this one that has it.
pub fn find_next(name: &CStr) -> *mut c_void {
    // SAFETY: the name is a C string; the handle stands for the libraries behind this one.
    unsafe { dlsym(-1isize as *mut c_void, name.as_ptr()) }
}

/// Maps memory past the functions that the recorder itself stands before. `None` when there is none.
pub fn map(length: usize, flags: c_int, descriptor: c_int, offset: usize) -> Option<*mut u8> {
    // SAFETY: the system chooses a place where nothing is.
    let address = unsafe {
        syscall(
            number::MMAP,
            std::ptr::null_mut::<c_void>(),
            length,
            PROT_READ | PROT_WRITE,
            flags,
            descriptor,
            offset,
        )
    };
    // The C library's `syscall` answers -1 for all errors.
    (address != -1).then_some(address as *mut u8)
}

/// Maps so much of a file once more, from the page on that is mapped at `start` and shared; the file need not be open.
pub fn map_again(start: *mut u8, length: usize) -> Option<*mut u8> {
    const MREMAP_MAYMOVE: c_int = 1;
    // SAFETY: of no bytes, which are no less than there are at any address, what is shared is copied and left where it is; the
    // system chooses a place where nothing is.
    let address = unsafe { syscall(number::MREMAP, start, 0usize, length, MREMAP_MAYMOVE) };
    // As in `map`.
    (address != -1).then_some(address as *mut u8)
}

/// Where a link leads, as far as there is room; answers how many bytes that is, and none when it cannot be read.
pub fn read_link(path: &CStr, into: &mut [u8]) -> usize {
    // SAFETY: the path is a C string, and `into` has room for so many bytes.
    let length = unsafe { readlink(path.as_ptr(), into.as_mut_ptr(), into.len()) };
    usize::try_from(length).unwrap_or(0)
}

/// The thread's `errno`.
pub fn error() -> c_int {
    // SAFETY: every thread has one.
    unsafe { *__errno_location() }
}

pub fn set_error(error: c_int) {
    // SAFETY: every thread has one.
    unsafe { *__errno_location() = error };
}

/// The process that this one was made by; 0 when that cannot be seen from here.
pub fn parent() -> u32 {
    // SAFETY: the call has no arguments and cannot fail.
    unsafe { getppid() as u32 }
}

/// As which user and group the process does things.
pub fn identity() -> (u32, u32) {
    // SAFETY: the calls have no arguments and cannot fail.
    unsafe { (geteuid(), getegid()) }
}

/// Permits a process, and those that it makes, to look at this one, where Yama would not.
pub fn permit(process: u32) {
    const PR_SET_PTRACER: c_int = 0x5961_6d61;
    // SAFETY: the call passes numbers only, and fails where there is no Yama.
    unsafe { prctl(PR_SET_PTRACER, process as std::ffi::c_ulong, 0, 0, 0) };
}

pub fn sleep_a_millisecond() {
    // SAFETY: the time is a `timespec`, which is two of these; nothing else is written.
    unsafe { nanosleep([0, 1_000_000].as_ptr(), std::ptr::null_mut()) };
}

/// Nanoseconds since 1970.
pub fn now() -> u64 {
    let mut time = [0i64; 2];
    // SAFETY: there is room for a `timespec`, which is two of these.
    unsafe { clock_gettime(0, time.as_mut_ptr()) };
    (time[0] as u64)
        .wrapping_mul(1_000_000_000)
        .wrapping_add(time[1] as u64)
}

/// Private memory of zeros, which takes room only where it is written.
pub fn map_private(length: usize) -> Option<*mut u8> {
    map(length, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
}

/// Memory of zeros under the name of recordings, by which whoever looks at the program knows that it is none of its own.
pub fn map_named(length: usize) -> Option<*mut u8> {
    const MFD_CLOEXEC: c_int = 1;
    // SAFETY: the name is a C string; the file is our own, and the mapping outlives it.
    unsafe {
        let file = syscall(number::MEMFD_CREATE, FILE_NAME.as_ptr(), MFD_CLOEXEC) as c_int;
        if file < 0 {
            return None;
        }
        let is_long = syscall(number::FTRUNCATE, file, length) == 0;
        let memory = is_long.then(|| map(length, MAP_SHARED | MAP_NORESERVE, file, 0));
        close(file);
        memory.flatten()
    }
}

/// Gives back what [`map`] or [`map_named`] gave.
///
/// # Safety
///
/// Nobody looks at it any more.
pub unsafe fn unmap(memory: *mut u8, length: usize) {
    // SAFETY: as the caller says.
    unsafe { syscall(number::MUNMAP, memory, length) };
}

/// Makes shared memory zero again, and gives its room back.
///
/// # Safety
///
/// Whole pages of such memory, which nobody looks at meanwhile.
pub unsafe fn clear(memory: *mut u8, length: usize) {
    const MADV_REMOVE: c_int = 9;
    // SAFETY: as the caller says.
    unsafe { syscall(number::MADVISE, memory, length, MADV_REMOVE) };
}

/// The system's number of the calling thread.
pub fn thread_number() -> u64 {
    // SAFETY: the call has no arguments and cannot fail.
    unsafe { syscall(number::GETTID) as u64 }
}

/// A number that is another one at each call, to begin random numbers with.
pub fn cycles() -> u64 {
    let mut time = [0i64; 2];
    // SAFETY: there is room for a `timespec`, which is two of these.
    unsafe { clock_gettime(1, time.as_mut_ptr()) };
    (time[0] as u64).wrapping_mul(1_000_000_007) ^ (time[1] as u64) << 20
}
