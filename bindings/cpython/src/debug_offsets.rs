//! Reads `_Py_DebugOffsets` (3.13 and later), checks it once as a stranger's data, and lays it over a layout.

use crate::layout::{CodeForm, CurrentFrame, FrameTop, GcPlace, GeneratorForm, Gil, IntForm, Layout};
use crate::memory::{ReadMemory, Unreadable, word_at};
use crate::version::Version;
use crate::versions::debug_fields::{Group, HEAD, NUMBER};
use crate::versions::minor;

/// What `_PyRuntime` begins with when it holds `_Py_DebugOffsets`.
const COOKIE: &[u8; 8] = b"xdebugpy";

/// What stands in front of the offsets: enough to know whom they belong to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    pub version: Version,
    pub free_threaded: bool,
}

impl Head {
    /// Reads the head at the address of `_PyRuntime`; `None` where there is no cookie.
    pub fn read(memory: &mut impl ReadMemory, runtime: u64) -> Result<Option<Self>, Unreadable> {
        let bytes = memory.read(runtime, HEAD as usize)?;
        if !bytes.starts_with(COOKIE) {
            return Ok(None);
        }
        let implausible = Unreadable::Implausible {
            what: "_Py_DebugOffsets",
            at: runtime,
        };
        let version = u32::try_from(word_at(bytes, 8)).map_err(|_| implausible)?;
        match word_at(bytes, 16) {
            flag @ (0 | 1) => Ok(Some(Head {
                version: Version(version),
                free_threaded: flag == 1,
            })),
            _ => Err(implausible),
        }
    }
}

/// The offsets themselves, each proved to lie within its structure and to be aligned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DebugOffsets {
    pub head: Head,
    fields: &'static [Group],
    values: Vec<u64>,
}

impl DebugOffsets {
    /// Reads and checks the offsets of a runtime whose head was read; `None` when the order of members of its minor
    /// version is not known.
    pub fn read(memory: &mut impl ReadMemory, runtime: u64, head: Head) -> Result<Option<Self>, Unreadable> {
        let fields = minor(head.version).map_or(&[][..], |known| known.debug_offsets);
        if fields.is_empty() {
            return Ok(None);
        }
        let bytes = memory.read(runtime, size(fields) as usize)?;
        let values = (HEAD..size(fields)).step_by(8).map(|at| word_at(bytes, at)).collect();
        let offsets = DebugOffsets { head, fields, values };
        offsets.check(runtime)?;
        Ok(Some(offsets))
    }

    /// The value of `member` in `group`.
    pub fn get(&self, group: &str, member: &str) -> Option<u64> {
        let mut members = self
            .fields
            .iter()
            .flat_map(|(name, members)| members.iter().map(move |(m, _)| (*name, *m)));
        let place = members.position(|place| place == (group, member))?;
        self.values.get(place).copied()
    }

    fn check(&self, runtime: u64) -> Result<(), Unreadable> {
        // The largest structure, `_PyRuntimeState`, has less than half a MiB in every known release.
        const MOST_SIZE: u64 = 1 << 24;
        let mut values = self.values.iter().copied();
        for (group, members) in self.fields {
            let size = self.get(group, "size");
            for ((name, width), value) in members.iter().zip(values.by_ref()) {
                let fits = match (size, *name, *width) {
                    (_, "size", _) => (1..=MOST_SIZE).contains(&value),
                    (_, _, NUMBER) => true,
                    (Some(size), _, width) => value % width == 0 && value <= size.saturating_sub(width),
                    (None, _, _) => value <= MOST_SIZE,
                };
                if !fits {
                    return Err(Unreadable::Implausible {
                        what: name,
                        at: runtime,
                    });
                }
            }
        }
        Ok(())
    }

    /// A layout that says of every structure what these offsets say, where they say anything.
    pub fn lay_over(&self, table: &Layout) -> Layout {
        let mut layout = *table;
        self.set(&mut layout.runtime.size, "runtime_state", "size");
        self.set(&mut layout.runtime.finalizing, "runtime_state", "finalizing");
        self.set(
            &mut layout.runtime.interpreters_head,
            "runtime_state",
            "interpreters_head",
        );

        let interpreter = &mut layout.interpreter;
        self.set(&mut interpreter.size, "interpreter_state", "size");
        self.set(&mut interpreter.id, "interpreter_state", "id");
        self.set(&mut interpreter.next, "interpreter_state", "next");
        self.set(&mut interpreter.threads_head, "interpreter_state", "threads_head");
        self.set(&mut interpreter.modules, "interpreter_state", "imports_modules");
        self.set(&mut interpreter.sysdict, "interpreter_state", "sysdict");
        self.set(&mut interpreter.builtins, "interpreter_state", "builtins");
        if let Gil::Interpreter { state, .. } = &mut interpreter.gil {
            self.set(state, "interpreter_state", "ceval_gil");
        }
        if let GcPlace::Interpreter(place) = &mut layout.gc.place {
            self.set(place, "interpreter_state", "gc");
        }
        self.set(&mut layout.gc.collecting, "gc", "collecting");

        let thread = &mut layout.thread;
        self.set(&mut thread.size, "thread_state", "size");
        self.set(&mut thread.next, "thread_state", "next");
        self.set(&mut thread.interp, "thread_state", "interp");
        self.set(&mut thread.thread_id, "thread_state", "thread_id");
        if let Some(native) = &mut thread.native_thread_id {
            self.set(native, "thread_state", "native_thread_id");
        }
        if let CurrentFrame::Direct(frame) = &mut thread.current_frame {
            self.set(frame, "thread_state", "current_frame");
        }
        self.lay_over_code(&mut layout);
        self.lay_over_objects(&mut layout);
        layout
    }

    fn set(&self, place: &mut u64, group: &str, member: &str) {
        if let Some(value) = self.get(group, member) {
            *place = value;
        }
    }

    fn lay_over_code(&self, layout: &mut Layout) {
        let frame = &mut layout.frame;
        self.set(&mut frame.size, "interpreter_frame", "size");
        self.set(&mut frame.previous, "interpreter_frame", "previous");
        self.set(&mut frame.code, "interpreter_frame", "executable");
        self.set(&mut frame.localsplus, "interpreter_frame", "localsplus");
        self.set(&mut frame.owner, "interpreter_frame", "owner");
        if let FrameTop::Pointer(top) = &mut frame.top {
            self.set(top, "interpreter_frame", "stackpointer");
        }
        let code = &mut layout.code;
        self.set(&mut code.size, "code_object", "size");
        self.set(&mut code.filename, "code_object", "filename");
        self.set(&mut code.name, "code_object", "name");
        self.set(&mut code.first_line, "code_object", "firstlineno");
        self.set(&mut code.arguments, "code_object", "argcount");
        if let Some(qualname) = &mut code.qualname {
            self.set(qualname, "code_object", "qualname");
        }
        if let CodeForm::LocalsPlus { names, .. } = &mut code.form {
            self.set(names, "code_object", "localsplusnames");
        }
        self.set(&mut layout.generator.size, "gen_object", "size");
        if let GeneratorForm::Embedded { frame, state, .. } = &mut layout.generator.form {
            self.set(frame, "gen_object", "gi_iframe");
            self.set(state, "gen_object", "gi_frame_state");
        }
    }

    fn lay_over_objects(&self, layout: &mut Layout) {
        self.set(&mut layout.object.size, "pyobject", "size");
        self.set(&mut layout.object.ob_type, "pyobject", "ob_type");
        self.set(&mut layout.object.ob_size, "list_object", "ob_size");
        let types = &mut layout.types;
        self.set(&mut types.size, "type_object", "size");
        self.set(&mut types.name, "type_object", "tp_name");
        self.set(&mut types.flags, "type_object", "tp_flags");
        self.set(&mut types.basicsize, "type_object", "tp_basicsize");
        self.set(&mut types.dictoffset, "type_object", "tp_dictoffset");
        self.set(&mut types.heap_size, "heap_type_object", "size");
        self.set(&mut types.ht_cached_keys, "heap_type_object", "ht_cached_keys");
        self.set(&mut layout.tuple.items, "tuple_object", "ob_item");
        self.set(&mut layout.list.items, "list_object", "ob_item");
        self.set(&mut layout.set.used, "set_object", "used");
        self.set(&mut layout.set.table, "set_object", "table");
        self.set(&mut layout.set.mask, "set_object", "mask");
        self.set(&mut layout.dict.size, "dict_object", "size");
        self.set(&mut layout.dict.keys, "dict_object", "ma_keys");
        self.set(&mut layout.dict.values, "dict_object", "ma_values");
        self.set(&mut layout.int.digits, "long_object", "ob_digit");
        if let IntForm::Tag(tag) = &mut layout.int.form {
            self.set(tag, "long_object", "lv_tag");
        }
        let text = &mut layout.text;
        self.set(&mut text.bytes_value, "bytes_object", "ob_sval");
        self.set(&mut text.unicode_size, "unicode_object", "size");
        self.set(&mut text.state, "unicode_object", "state");
        self.set(&mut text.length, "unicode_object", "length");
        self.set(&mut text.ascii_size, "unicode_object", "asciiobject_size");
        self.set(&mut text.compact_size, "unicode_object", "compactunicodeobject_size");
    }
}

/// Bytes of a `_Py_DebugOffsets` with these groups.
pub fn size(fields: &[Group]) -> u64 {
    let members: usize = fields.iter().map(|(_, members)| members.len()).sum();
    HEAD + 8 * members as u64
}
