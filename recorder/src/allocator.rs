//! CPython's allocators as it gives and takes them: `PyMemAllocatorEx`, `PyMem_GetAllocator` and `PyMem_SetAllocator`.

use std::ffi::{c_int, c_void};
use std::mem::MaybeUninit;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicPtr, Ordering::Relaxed};

use crate::system;

/// `PyMemAllocatorEx`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Allocator {
    pub context: *mut c_void,
    pub malloc: unsafe extern "C" fn(*mut c_void, usize) -> *mut c_void,
    pub calloc: unsafe extern "C" fn(*mut c_void, usize, usize) -> *mut c_void,
    pub realloc: unsafe extern "C" fn(*mut c_void, *mut c_void, usize) -> *mut c_void,
    pub free: unsafe extern "C" fn(*mut c_void, *mut c_void),
}

/// Both functions; the first argument is a `PyMemAllocatorDomain`, of which the first three are known.
type Access = unsafe extern "C" fn(c_int, *mut Allocator);

impl Allocator {
    /// Whether both are one allocator, by what is called first.
    pub fn is(&self, other: &Allocator) -> bool {
        self.context == other.context && self.malloc as usize == other.malloc as usize
    }

    /// The allocator of this domain.
    pub fn current(domain: usize) -> Option<Allocator> {
        let get = access(&GET)?;
        let mut allocator = MaybeUninit::uninit();
        // SAFETY: the function fills in the whole structure for the three domains that there are.
        unsafe {
            get(domain as c_int, allocator.as_mut_ptr());
            Some(allocator.assume_init())
        }
    }

    /// Makes it the allocator of this domain.
    ///
    /// # Safety
    ///
    /// Its functions do what those of the allocator do that it takes the place of.
    pub unsafe fn set(mut self, domain: usize) {
        if let Some(set) = access(&SET) {
            // SAFETY: as the caller says; the structure is copied.
            unsafe { set(domain as c_int, &mut self) };
        }
    }
}

/// The functions are looked up once: the dynamic loader's lock is not to be waited for later.
static GET: AtomicPtr<c_void> = AtomicPtr::new(null_mut());
static SET: AtomicPtr<c_void> = AtomicPtr::new(null_mut());

/// Looks the functions up.
pub fn look_up() {
    GET.store(system::find(c"PyMem_GetAllocator"), Relaxed);
    SET.store(system::find(c"PyMem_SetAllocator"), Relaxed);
}

fn access(function: &AtomicPtr<c_void>) -> Option<Access> {
    let function = function.load(Relaxed);
    // SAFETY: `look_up` has put functions there that have this type.
    (!function.is_null()).then(|| unsafe { std::mem::transmute::<*mut c_void, Access>(function) })
}
