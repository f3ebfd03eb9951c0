//! The functions that the program would have without the recorder: the next ones behind it.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::ptr::null_mut;
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering::Relaxed};

use crate::system::find_next;

/// A function of the next library, looked up when it is called for the first time.
pub struct Next {
    name: &'static CStr,
    found: AtomicPtr<c_void>,
}

impl Next {
    pub const fn named(name: &'static CStr) -> Next {
        Next {
            name,
            found: AtomicPtr::new(null_mut()),
        }
    }

    /// Its address, or null while it is being looked up, and where there is none.
    #[inline]
    pub fn get(&self) -> *mut c_void {
        let found = self.found.load(Relaxed);
        if found.is_null() { self.look_up() } else { found }
    }

    #[cold]
    fn look_up(&self) -> *mut c_void {
        // The lookup may ask for memory itself, which then comes from the reserve. All are looked up together: a lookup may
        // also free what an earlier one left behind, and must not begin another one then.
        if LOOKING_UP.fetch_add(1, Relaxed) < DEEPEST {
            for function in ALL {
                function.found.store(find_next(function.name), Relaxed);
            }
        }
        LOOKING_UP.fetch_sub(1, Relaxed);
        self.found.load(Relaxed)
    }
}

/// Looks all functions up, before anybody asks for a symbol that may not be there.
pub fn look_up() {
    FREE.get();
}

static ALL: [&Next; 19] = [
    &FREE,
    &MALLOC,
    &CALLOC,
    &REALLOC,
    &POSIX_MEMALIGN,
    &ALIGNED_ALLOC,
    &MEMALIGN,
    &USABLE_SIZE,
    &MMAP,
    &MUNMAP,
    &MREMAP,
    &EXECVE,
    &EXECVPE,
    &FEXECVE,
    &EXECVEAT,
    &POSIX_SPAWN,
    &POSIX_SPAWNP,
    &SYSTEM,
    &POPEN,
];

static LOOKING_UP: AtomicUsize = AtomicUsize::new(0);
/// Lookups within lookups end here.
const DEEPEST: usize = 4;

pub static MALLOC: Next = Next::named(c"malloc");
pub static CALLOC: Next = Next::named(c"calloc");
pub static REALLOC: Next = Next::named(c"realloc");
pub static FREE: Next = Next::named(c"free");
pub static POSIX_MEMALIGN: Next = Next::named(c"posix_memalign");
pub static ALIGNED_ALLOC: Next = Next::named(c"aligned_alloc");
pub static MEMALIGN: Next = Next::named(c"memalign");
pub static USABLE_SIZE: Next = Next::named(c"malloc_usable_size");
pub static MMAP: Next = Next::named(c"mmap");
pub static MUNMAP: Next = Next::named(c"munmap");
pub static MREMAP: Next = Next::named(c"mremap");
pub static EXECVE: Next = Next::named(c"execve");
pub static EXECVPE: Next = Next::named(c"execvpe");
pub static FEXECVE: Next = Next::named(c"fexecve");
pub static EXECVEAT: Next = Next::named(c"execveat");
pub static POSIX_SPAWN: Next = Next::named(c"posix_spawn");
pub static POSIX_SPAWNP: Next = Next::named(c"posix_spawnp");
pub static SYSTEM: Next = Next::named(c"system");
pub static POPEN: Next = Next::named(c"popen");

/// Memory for what is asked for while the next allocator is looked up. It is never given back.
#[repr(align(16))]
struct Reserve(#[expect(dead_code, reason = "only its address is used")] [u8; RESERVE]);
const RESERVE: usize = 64 << 10;
static mut RESERVED: Reserve = Reserve([0; RESERVE]);
static RESERVE_USED: AtomicUsize = AtomicUsize::new(0);

/// A block of zeros from the reserve; null when that is used up.
#[cold]
pub fn from_reserve(size: usize) -> *mut c_void {
    let rounded = size.max(1).next_multiple_of(16);
    let at = RESERVE_USED.fetch_add(rounded, Relaxed);
    if at.saturating_add(rounded) > RESERVE {
        return null_mut();
    }
    // SAFETY: the part from `at` on lies within the reserve, and nobody else was given it.
    unsafe { (&raw mut RESERVED).cast::<u8>().add(at).cast() }
}

/// Whether a block is of the reserve.
#[inline]
pub fn is_of_reserve(block: *mut c_void) -> bool {
    let start = (&raw const RESERVED) as usize;
    (block as usize).wrapping_sub(start) < RESERVE
}

/// Calls the next function of this name with the type that it has there.
macro_rules! next {
    ($function:expr, $kind:ty) => {{
        let address = $function.get();
        // SAFETY: a non-null address is that of the C library's function of this name, which has this type.
        (!address.is_null()).then(|| unsafe { std::mem::transmute::<*mut std::ffi::c_void, $kind>(address) })
    }};
}
pub(crate) use next;

pub type Malloc = unsafe extern "C" fn(usize) -> *mut c_void;
pub type Calloc = unsafe extern "C" fn(usize, usize) -> *mut c_void;
pub type Realloc = unsafe extern "C" fn(*mut c_void, usize) -> *mut c_void;
pub type Free = unsafe extern "C" fn(*mut c_void);
pub type PosixMemalign = unsafe extern "C" fn(*mut *mut c_void, usize, usize) -> c_int;
pub type UsableSize = unsafe extern "C" fn(*mut c_void) -> usize;
pub type Mmap = unsafe extern "C" fn(*mut c_void, usize, c_int, c_int, c_int, i64) -> *mut c_void;
pub type Munmap = unsafe extern "C" fn(*mut c_void, usize) -> c_int;
type Words = *const *const c_char;
pub type Execve = unsafe extern "C" fn(*const c_char, Words, Words) -> c_int;
pub type Fexecve = unsafe extern "C" fn(c_int, Words, Words) -> c_int;
pub type Execveat = unsafe extern "C" fn(c_int, *const c_char, Words, Words, c_int) -> c_int;
pub type PosixSpawn =
    unsafe extern "C" fn(*mut c_int, *const c_char, *const c_void, *const c_void, Words, Words) -> c_int;
pub type System = unsafe extern "C" fn(*const c_char) -> c_int;
pub type Popen = unsafe extern "C" fn(*const c_char, *const c_char) -> *mut c_void;
pub type Mremap = unsafe extern "C" fn(*mut c_void, usize, usize, c_int, *mut c_void) -> *mut c_void;

/// How many bytes of a block of the C allocator the program may use.
#[inline]
pub fn usable_size(block: *mut c_void) -> usize {
    match next!(USABLE_SIZE, UsableSize) {
        // SAFETY: callers give blocks that the C allocator gave out and has not got back.
        Some(usable) if !is_of_reserve(block) => unsafe { usable(block) },
        _ => 0,
    }
}
