//! The frames that traces lead to (`traceback_t`, `frame_t`), and the names of their files.

use super::{Trace, Traced, Unresolved, implausible};
use crate::layout::{FilenameForm, Layout};
use crate::memory::{ReadMemory, Unreadable, half_at, word_at};
use crate::objects::{text, types};

/// No name of a file is longer; texts that stand for one, as in `compile`, are cut here.
const LONGEST_NAME: usize = 4096;

/// A line of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Frame {
    /// The number of the file.
    pub file: u32,
    /// 0 where no line was known.
    pub line: u32,
}

/// Reads what the traces, which are in the order of their tracebacks, refer to. No traceback has more than `most_frames`.
pub(super) fn resolve<M: ReadMemory>(
    memory: &mut M,
    layout: &Layout,
    unresolved: Vec<Unresolved>,
    most_frames: u32,
    mapped: u64,
) -> Result<Traced, Unreadable> {
    let mut traced = Traced {
        most_frames,
        ..Traced::default()
    };
    let mut tracebacks: Vec<Vec<(u64, u32)>> = Vec::new();
    let mut last = None;
    let mut room = mapped;
    for Unresolved {
        mut trace,
        address_of_traceback: address,
    } in unresolved
    {
        if last.replace(address) != Some(address) {
            let frames = frames(memory, layout, address, most_frames)?;
            // Tracebacks do not overlap, so that all of them together have room in the program's memory.
            let length = frames.len() as u64 * layout.tracemalloc.frame_size;
            room = room.checked_sub(length).ok_or(implausible("traceback", address))?;
            tracebacks.push(frames);
        }
        trace.traceback = tracebacks.len() as u32 - 1;
        traced.bytes = traced.bytes.saturating_add(trace.size);
        traced.traces.push(trace);
    }
    traced.traces.sort_unstable();
    let is_twice = |pair: &&[Trace]| matches!(pair, [a, b] if (a.domain, a.block) == (b.domain, b.block));
    if let Some([twice, ..]) = traced.traces.windows(2).find(is_twice) {
        return Err(implausible("trace", twice.block));
    }
    name_files(memory, layout, &tracebacks, mapped, &mut traced)?;
    Ok(traced)
}

/// The frames of the traceback at `address`: the addresses of their files' names, and lines.
fn frames<M: ReadMemory>(
    memory: &mut M,
    layout: &Layout,
    address: u64,
    most: u32,
) -> Result<Vec<(u64, u32)>, Unreadable> {
    let at = &layout.tracemalloc;
    let mask = u32::MAX >> (32 - at.nframe_bits.clamp(1, 32));
    let count = memory.half(address.wrapping_add(at.nframe))? & mask;
    // The empty traceback has a frame as well, of an unknown file.
    if count == 0 || count > most.max(1) {
        return Err(implausible("traceback", address));
    }
    let length = u64::from(count) * at.frame_size;
    let bytes = memory.read(address.wrapping_add(at.frames), length as usize)?;
    let frames = bytes.chunks_exact(at.frame_size as usize);
    Ok(frames
        .map(|frame| (word_at(frame, 0), half_at(frame, at.lineno)))
        .collect())
}

/// Reads each name once, and adds the tracebacks with the numbers of their files.
fn name_files<M: ReadMemory>(
    memory: &mut M,
    layout: &Layout,
    tracebacks: &[Vec<(u64, u32)>],
    mapped: u64,
    to: &mut Traced,
) -> Result<(), Unreadable> {
    let mut names: Vec<u64> = tracebacks.iter().flatten().map(|&(name, _)| name).collect();
    names.sort_unstable();
    names.dedup();
    let mut room = mapped;
    for &name in &names {
        let file = file_name(memory, layout, name)?;
        room = room
            .checked_sub(file.len() as u64)
            .ok_or(implausible("name of a file", name))?;
        to.files.push(file);
    }
    let number_of = |name: u64| names.binary_search(&name).unwrap_or_default() as u32;
    let numbered = |&(name, line): &(u64, u32)| Frame {
        file: number_of(name),
        line,
    };
    to.tracebacks = tracebacks
        .iter()
        .map(|frames| frames.iter().map(numbered).collect())
        .collect();
    Ok(())
}

fn file_name<M: ReadMemory>(memory: &mut M, layout: &Layout, address: u64) -> Result<String, Unreadable> {
    match layout.tracemalloc.filename {
        FilenameForm::Object => {
            let of_type = memory.word(address.wrapping_add(layout.object.ob_type))?;
            let flags = memory.word(of_type.wrapping_add(layout.types.flags))?;
            if flags & types::flags::UNICODE_SUBCLASS == 0 {
                return Err(implausible("name of a file", address));
            }
            text::str_value(memory, layout, address, LONGEST_NAME)
        }
        FilenameForm::Utf8 => Ok(from_utf8_with_surrogates(&memory.c_string(address, LONGEST_NAME)?)),
    }
}

/// UTF-8 as Python's `surrogatepass` writes it, with lone surrogates as in a `str` that is read.
fn from_utf8_with_surrogates(bytes: &[u8]) -> String {
    let mut text = String::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        if let [0xed, upper @ 0xa0..=0xbf, lower @ 0x80..=0xbf, after @ ..] = rest {
            text::push_code(
                &mut text,
                0xd000 | u32::from(upper & 0x3f) << 6 | u32::from(lower & 0x3f),
            );
            rest = after;
            continue;
        }
        let end = rest.iter().skip(1).position(|&byte| byte == 0xed);
        let (piece, after) = rest.split_at(end.map_or(rest.len(), |end| end + 1));
        text.push_str(&String::from_utf8_lossy(piece));
        rest = after;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn surrogates_in_utf8_are_escaped_and_stay_distinct() {
        let cases: [(&[u8], &str); 4] = [
            ("día/한글/x.py".as_bytes(), "día/한글/x.py"),
            (b"a\xed\xb3\xbfb", "a\\udcffb"),
            (b"\xed\xa0\x80\xed\xb0\x80", "\\ud800\\udc00"),
            (b"", ""),
        ];
        for (bytes, text) in cases {
            assert_eq!(from_utf8_with_surrogates(bytes), text);
        }
    }
}
