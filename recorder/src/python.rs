//! The hooks around CPython's own allocators, and what has to be known of the interpreter.
//!
//! The hooks must be set after the interpreter's pre-initialisation, which puts its own allocators back where
//! `PYTHONMALLOC` or `PYTHONDEVMODE` ask for that. The first thread state is made current right after it, and before any
//! module is imported. Now and then an interpreter that starts puts its own raw allocator back for a while, and with it what it
//! found before; so it is looked again once `Py_IsInitialized`, and from time to time.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::ptr::null;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering::Relaxed};

use cpython::layout::Layout;
use cpython::refusal::Refused;
use cpython::version::Version;
use cpython::{Symbols, debug_offsets::Head, versions};
use recording::Domain;

use crate::own_memory::Checked;
use crate::system::{self, Symbol, SymbolInfo};
use crate::{arena_hook, environment, hooks, sampling, sizes};

/// How far it is with the hooks.
static STAGE: AtomicU8 = AtomicU8::new(NO_PYTHON);
const NO_PYTHON: u8 = 0;
/// No thread state yet.
const STARTING: u8 = 1;
/// Hooked, and not initialised yet.
const UNSURE: u8 = 2;
/// Nobody has tried to recognise the interpreter yet.
const HOOKED: u8 = 3;
const KNOWN: u8 = 4;

/// The functions that are asked now and again.
static THREAD_STATE: AtomicU64 = AtomicU64::new(0);
static CURRENT: AtomicU64 = AtomicU64::new(0);
static IS_INITIALIZED: AtomicU64 = AtomicU64::new(0);

/// Whether the program is CPython, with its symbols.
pub fn is_here() -> bool {
    !system::find(c"PyMem_SetAllocator").is_null() && !system::find(c"_PyRuntime").is_null()
}

/// Whether the interpreter was told to compile what runs often.
static MAY_COMPILE: AtomicBool = AtomicBool::new(false);

/// From now on calls of the C allocator look whether the hooks can be set.
pub fn wait_for_start() {
    let told = environment::values(b"PYTHON_JIT").any(|value| value != b"0");
    MAY_COMPILE.store(told, Relaxed);
    // The second name is that of older releases.
    let current = [c"PyThreadState_GetUnchecked", c"_PyThreadState_UncheckedGet"].map(system::find);
    let current = current.into_iter().find(|function| !function.is_null());
    let asked = [
        (&THREAD_STATE, system::find(c"PyGILState_GetThisThreadState")),
        (&IS_INITIALIZED, system::find(c"Py_IsInitialized")),
        (&CURRENT, current.unwrap_or(std::ptr::null_mut())),
    ];
    for (place, function) in asked {
        place.store(function as u64, Relaxed);
    }
    if asked.iter().all(|(_, function)| !function.is_null()) {
        STAGE.store(STARTING, Relaxed);
    }
}

/// Whether [`go_on`] has something to do.
#[inline]
pub fn is_starting() -> bool {
    matches!(STAGE.load(Relaxed), STARTING | UNSURE | HOOKED)
}

/// Whether the interpreter allocates without the hooks as yet.
#[inline]
pub fn is_unhooked() -> bool {
    STAGE.load(Relaxed) == STARTING
}

/// Sets the hooks whose time has come. Only for a thread that is inside the recorder already.
#[cold]
pub fn go_on() {
    match STAGE.load(Relaxed) {
        STARTING if thread().is_some() && ask(&CURRENT) != 0 => {
            let hooked = can_be_hooked() && arena_hook::set() && hooks::set();
            STAGE.store(if hooked { UNSURE } else { NO_PYTHON }, Relaxed);
        }
        UNSURE if is_initialized() => {
            STAGE.store(HOOKED, Relaxed);
            hooks::set_again();
        }
        // At once, and not only for the first sample: that may be taken in a call that has let go of the lock.
        HOOKED if has_lock() => {
            STAGE.store(KNOWN, Relaxed);
            sampling::get_ready();
        }
        _ => {}
    }
}

/// Sets those again that were taken away.
pub fn see_to_hooks() {
    if STAGE.load(Relaxed) >= HOOKED && thread().is_some() {
        hooks::set_again();
    }
}

/// The calling thread's `PyThreadState`; `None` when it has none.
pub fn thread() -> Option<u64> {
    Some(ask(&THREAD_STATE)).filter(|&thread| thread != 0)
}

/// The same for whoever gives out a block of this domain: what stands behind the interpreter's lock can ask a shorter way.
#[inline]
pub fn thread_of(domain: Domain) -> Option<u64> {
    match domain {
        Domain::Mem | Domain::Object => Some(ask(&CURRENT)).filter(|&thread| thread != 0),
        Domain::Raw | Domain::C | Domain::Mapped => thread(),
    }
}

/// Whether the interpreter was told to compile what runs often: what compiled code takes from a register it does not put
/// on the value stack before, which `cpython::marks` relies on.
pub fn may_compile() -> bool {
    MAY_COMPILE.load(Relaxed)
}

fn is_initialized() -> bool {
    // It answers an `int`.
    ask(&IS_INITIALIZED) as u32 != 0
}

/// What one of the functions that may be called at any time, by any thread, answers; 0 when there is no interpreter.
fn ask(function: &AtomicU64) -> u64 {
    let function = function.load(Relaxed);
    if function == 0 {
        return 0;
    }
    // SAFETY: `wait_for_start` has put a function there that takes nothing and answers a pointer or a number.
    let function = unsafe { std::mem::transmute::<u64, unsafe extern "C" fn() -> u64>(function) };
    // SAFETY: as above.
    unsafe { function() }
}

/// Free-threaded builds must keep their own allocators; of unknown releases nobody knows how blocks tell their size.
fn can_be_hooked() -> bool {
    let (Some(mut memory), Some(version)) = (Checked::open(), version()) else {
        return false;
    };
    let runtime = system::find(c"_PyRuntime") as u64;
    let Some(newest) = versions::minor(version).and_then(|minor| minor.layouts.last()) else {
        return false;
    };
    sizes::learn(&newest.allocator);
    !matches!(Head::read(&mut memory, runtime), Ok(Some(head)) if head.free_threaded)
}

/// Of the interpreter, as `Py_GetVersion` begins: `3.12.1 (main, ...`.
pub fn version() -> Option<Version> {
    let function = system::find(c"Py_GetVersion");
    if function.is_null() {
        return None;
    }
    // SAFETY: this is the function of this name, which answers a static text and needs no interpreter.
    let text = unsafe {
        CStr::from_ptr(std::mem::transmute::<
            *mut c_void,
            unsafe extern "C" fn() -> *const c_char,
        >(function)())
    };
    let mut numbers = text.to_str().ok()?.split(|letter: char| !letter.is_ascii_digit());
    let mut number = || numbers.next()?.parse().ok();
    Some(Version::new(number()?, number()?, number()?))
}

/// What became of looking for the interpreter's layout.
pub enum Sight {
    Recognised(Box<Layout>),
    Unknown,
    TooEarly,
}

/// Finds and proves the layout. The calling thread must have a thread state.
pub fn recognise() -> Sight {
    if !is_initialized() || !has_lock() {
        return Sight::TooEarly;
    }
    let Some(mut memory) = Checked::open() else {
        return Sight::Unknown;
    };
    match cpython::recognise(&mut memory, &symbols()) {
        Ok(recognised) => Sight::Recognised(Box::new(recognised.layout)),
        Err(Refused::NotInitialised | Refused::Finalizing) => Sight::TooEarly,
        Err(_) => Sight::Unknown,
    }
}

/// Whether this thread holds the global interpreter lock: only then nobody changes what is looked at.
fn has_lock() -> bool {
    let function = system::find(c"PyGILState_Check");
    if function.is_null() {
        return false;
    }
    // SAFETY: this is the function of this name, which may be called at any time.
    unsafe { std::mem::transmute::<*mut c_void, unsafe extern "C" fn() -> c_int>(function)() == 1 }
}

fn symbols() -> Symbols {
    let runtime = system::find(c"_PyRuntime");
    let py_version = system::find(c"Py_Version");
    let mut info = SymbolInfo {
        file: null(),
        base: std::ptr::null_mut(),
        name: null(),
        address: std::ptr::null_mut(),
    };
    let mut symbol: *const Symbol = null();
    // SAFETY: both are written where they stand; the symbol stays with its library.
    let found = unsafe { system::dladdr1(runtime, &mut info, &mut symbol, system::WANTS_SYMBOL) } != 0;
    let runtime_size = (found && info.address == runtime && !symbol.is_null())
        // SAFETY: `dladdr1` has set it to the symbol's entry.
        .then(|| unsafe { (*symbol).size });
    Symbols {
        runtime: runtime as u64,
        runtime_size,
        py_version: (!py_version.is_null()).then_some(py_version as u64),
    }
}
