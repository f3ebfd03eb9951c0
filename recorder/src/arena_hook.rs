//! The hook around what gives pymalloc its arenas (`PyObject_SetArenaAllocator`): they are no blocks of the program's own.
//!
//! Small blocks are given out with nothing left to do afterwards (`hooks`), so nobody else could tell that an arena is mapped
//! for one of them.

use std::ffi::c_void;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicPtr, Ordering::Relaxed};

use crate::thread::local;
use crate::{arenas, system};

/// `PyObjectArenaAllocator`.
#[repr(C)]
struct ArenaAllocator {
    context: *mut c_void,
    allocate: Allocate,
    free: unsafe extern "C" fn(*mut c_void, *mut c_void, usize),
}

type Allocate = unsafe extern "C" fn(*mut c_void, usize) -> *mut c_void;
/// `PyObject_GetArenaAllocator` and `PyObject_SetArenaAllocator`.
type Access = unsafe extern "C" fn(*mut ArenaAllocator);

/// What stood there before.
static BEHIND: AtomicPtr<c_void> = AtomicPtr::new(null_mut());

/// Sets the hook. False when that cannot be done.
pub fn set() -> bool {
    let (Some(get), Some(set)) = (
        access(c"PyObject_GetArenaAllocator"),
        access(c"PyObject_SetArenaAllocator"),
    ) else {
        return false;
    };
    let mut allocator = std::mem::MaybeUninit::uninit();
    // SAFETY: the first function fills in the whole structure; `allocate` hands on to what stood there, with its context.
    unsafe {
        get(allocator.as_mut_ptr());
        let mut allocator: ArenaAllocator = allocator.assume_init();
        BEHIND.store(allocator.allocate as *mut c_void, Relaxed);
        allocator.allocate = allocate;
        set(&mut allocator);
    }
    true
}

fn access(name: &std::ffi::CStr) -> Option<Access> {
    let function = system::find(name);
    // SAFETY: both functions of these names have this type.
    (!function.is_null()).then(|| unsafe { std::mem::transmute::<*mut c_void, Access>(function) })
}

unsafe extern "C" fn allocate(context: *mut c_void, size: usize) -> *mut c_void {
    // SAFETY: `set` has put a function there that has this type before anybody could get here.
    let behind = unsafe { std::mem::transmute::<*mut c_void, Allocate>(BEHIND.load(Relaxed)) };
    // SAFETY: the call is handed on as it came.
    let allocate = || unsafe { behind(context, size) };
    match arenas::may_be(size) {
        true => local(|local| local.inside(allocate)),
        // Others than pymalloc ask here, too (`_PyObject_VirtualAlloc`).
        false => allocate(),
    }
}
