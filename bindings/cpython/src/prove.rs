//! Proves a layout on the runtime that it was chosen for, with things whose truth is known beforehand.

use crate::choose::{Choice, choose};
use crate::identify::{Symbols, hexversion, identify};
use crate::layout::{Layout, StaticTypes};
use crate::memory::{ReadMemory, Unreadable};
use crate::objects::{dict, int, text};
use crate::refusal::Refused;
use crate::runtime::{self, Collector, Interpreter, Stage};
use crate::version::Version;

/// `Py_TPFLAGS_DICT_SUBCLASS`.
const DICT_SUBCLASS: u64 = 1 << 29;

/// A CPython whose layout is known and proved.
#[derive(Debug, Clone, PartialEq)]
pub struct Recognised {
    pub version: Version,
    pub layout: Layout,
    /// What a user should know, each a sentence.
    pub notes: Vec<String>,
}

/// Identifies the runtime, chooses its layout and proves it: nothing else of the process may be read before.
pub fn recognise(memory: &mut impl ReadMemory, symbols: &Symbols) -> Result<Recognised, Refused> {
    let identity = identify(memory, symbols)?;
    let Choice {
        version,
        mut layout,
        notes,
        ..
    } = choose(memory, symbols, &identity)?;
    match runtime::stage(memory, &layout, symbols.runtime)? {
        Stage::Starting => return Err(Refused::NotInitialised),
        Stage::Finalizing => return Err(Refused::Finalizing),
        Stage::Running => {}
    }
    prove(memory, symbols, version, &mut layout)?;
    Ok(Recognised { version, layout, notes })
}

/// Proves every invariant; settles which of two places the collector's lists have.
fn prove(
    memory: &mut impl ReadMemory,
    symbols: &Symbols,
    version: Version,
    layout: &mut Layout,
) -> Result<(), Refused> {
    let interpreters = runtime::interpreters(memory, layout, symbols.runtime)
        .map_err(|cause| other_build(version, format!("its interpreters cannot be listed ({cause})")))?;
    if interpreters.is_empty() {
        return Err(Refused::NotInitialised);
    }
    let mut proof = Proof {
        memory,
        layout,
        version,
        runtime: symbols.runtime,
    };
    proof.main_interpreter(&interpreters)?;
    for interpreter in &interpreters {
        proof.interpreter(interpreter)?;
    }
    let heads = proof.collector_lists(&interpreters)?;
    layout.gc.heads = heads;
    layout.gc.other_heads = &[];
    Ok(())
}

fn other_build(version: Version, what: String) -> Refused {
    Refused::OtherBuild { version, what }
}

struct Proof<'a, M> {
    memory: &'a mut M,
    layout: &'a Layout,
    version: Version,
    runtime: u64,
}

impl<M: ReadMemory> Proof<'_, M> {
    fn claim(&self, holds: Result<bool, Unreadable>, what: impl FnOnce() -> String) -> Result<(), Refused> {
        match holds {
            Ok(true) => Ok(()),
            Ok(false) => Err(other_build(self.version, what())),
            Err(cause) => Err(other_build(self.version, format!("{} ({cause})", what()))),
        }
    }

    fn main_interpreter(&mut self, interpreters: &[Interpreter]) -> Result<(), Refused> {
        let main = self
            .memory
            .word(self.runtime.wrapping_add(self.layout.runtime.interpreters_main))?;
        let found = interpreters.iter().find(|each| each.address == main);
        self.claim(Ok(found.is_some_and(|main| main.id == 0)), || {
            "its main interpreter is not number 0".to_owned()
        })
    }

    fn interpreter(&mut self, interpreter: &Interpreter) -> Result<(), Refused> {
        let Interpreter {
            address,
            id,
            modules,
            sysdict,
            builtins,
        } = *interpreter;
        if modules == 0 || sysdict == 0 || builtins == 0 {
            return Err(Refused::NotInitialised);
        }
        if let Some(offset) = self.layout.interpreter.runtime {
            let back = self.memory.word(address.wrapping_add(offset)).map_err(Unreadable::from);
            let runtime = self.runtime;
            self.claim(back.map(|back| back == runtime), || {
                format!("interpreter {id} does not point at its runtime")
            })?;
        }
        for (name, dict) in [
            ("sys.modules", modules),
            ("the names of sys", sysdict),
            ("builtins", builtins),
        ] {
            let is_dict = self.is_dict(dict);
            self.claim(is_dict, || format!("{name} of interpreter {id} is no dict"))?;
        }
        let debug = self.is_debug_build(sysdict);
        self.claim(debug.map(|debug| !debug), || {
            "it was configured with Py_DEBUG".to_owned()
        })?;
        let belongs = self.threads_belong(address);
        self.claim(belongs, || format!("threads of interpreter {id} belong to another one"))?;
        let static_types = self.static_types_stand(address, modules);
        self.claim(static_types, || {
            format!("the static types of interpreter {id} are not where they should be")
        })?;
        let version = hexversion(self.memory, self.layout, sysdict);
        let expected = self.version;
        self.claim(
            version.map(|stated| stated.is_none_or(|stated| stated == expected)),
            || format!("sys.hexversion of interpreter {id} is not {:#x}", expected.0),
        )?;
        let truth = self.true_is_true(builtins);
        self.claim(truth, || format!("True of interpreter {id} is not a bool of value 1"))
    }

    /// Whether `sys.abiflags` has a `d`.
    fn is_debug_build(&mut self, sysdict: u64) -> Result<bool, Unreadable> {
        const MOST: usize = 8;
        match dict::get_str(self.memory, self.layout, sysdict, "abiflags")? {
            Some(flags) => Ok(text::str_value(self.memory, self.layout, flags, MOST)?.contains('d')),
            None => Ok(false),
        }
    }

    fn threads_belong(&mut self, interpreter: u64) -> Result<bool, Unreadable> {
        for thread in runtime::threads(self.memory, self.layout, interpreter)? {
            if self.memory.word(thread.wrapping_add(self.layout.thread.interp))? != interpreter {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether the object's type is `dict`, whose type is `type`, whose type is itself.
    fn is_dict(&mut self, address: u64) -> Result<bool, Unreadable> {
        let kind = self.type_of(address)?;
        let flags = self.memory.word(kind.wrapping_add(self.layout.types.flags))?;
        let meta = self.type_of(kind)?;
        let rooted = self.type_of(meta)? == meta && self.type_name(meta)? == b"type";
        Ok(rooted && flags & DICT_SUBCLASS != 0 && self.type_name(kind)? == b"dict")
    }

    /// Whether the interpreter's array of static types has the type `dict` where that type says it stands.
    fn static_types_stand(&mut self, interpreter: u64, some_dict: u64) -> Result<bool, Unreadable> {
        let StaticTypes::InInterpreter {
            builtins,
            builtins_count,
            size,
            type_,
            ..
        } = self.layout.static_types
        else {
            return Ok(true);
        };
        let kind = self.type_of(some_dict)?;
        let index = self.memory.word(kind.wrapping_add(self.layout.types.subclasses))?;
        if !(1..=builtins_count).contains(&index) {
            return Ok(false);
        }
        let slot = interpreter.wrapping_add(builtins + (index - 1) * size);
        Ok(self.memory.word(slot.wrapping_add(type_))? == kind)
    }

    fn true_is_true(&mut self, builtins: u64) -> Result<bool, Unreadable> {
        let Some(address) = dict::get_str(self.memory, self.layout, builtins, "True")? else {
            return Ok(true);
        };
        let kind = self.type_of(address)?;
        Ok(self.type_name(kind)? == b"bool" && int::int_value(self.memory, self.layout, address)? == Some(1))
    }

    /// The offsets of the list heads with which every collector's rings close.
    fn collector_lists(&mut self, interpreters: &[Interpreter]) -> Result<&'static [u64], Refused> {
        let collectors = runtime::collectors(self.memory, self.layout, self.runtime, interpreters)?;
        if collectors.iter().any(|collector| collector.collecting) {
            return Err(Refused::Collecting);
        }
        let gc = self.layout.gc;
        for heads in [gc.heads, gc.other_heads] {
            if !heads.is_empty() && collectors.iter().all(|collector| self.rings_close(collector, heads)) {
                return Ok(heads);
            }
        }
        Err(other_build(
            self.version,
            "the lists of its garbage collector are no rings".to_owned(),
        ))
    }

    fn rings_close(&mut self, collector: &Collector, heads: &[u64]) -> bool {
        let offsets = heads.iter().chain([&self.layout.gc.permanent]);
        let mut heads = offsets.map(|offset| collector.address.wrapping_add(*offset));
        heads.all(|head| {
            // In a program that goes on, a list's first object changes within microseconds.
            self.memory.forget();
            runtime::ring_closes(self.memory, self.layout, head).unwrap_or(false)
        })
    }

    fn type_of(&mut self, object: u64) -> Result<u64, Unreadable> {
        Ok(self.memory.word(object.wrapping_add(self.layout.object.ob_type))?)
    }

    fn type_name(&mut self, kind: u64) -> Result<Vec<u8>, Unreadable> {
        const MOST: usize = 64;
        let name = self.memory.word(kind.wrapping_add(self.layout.types.name))?;
        Ok(self.memory.c_string(name, MOST)?)
    }
}
