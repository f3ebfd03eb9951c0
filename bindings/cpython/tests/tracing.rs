//! The tables of `tracemalloc` in the forms that releases give them, and damaged in every way: read, or refused.

mod fake;

use cpython::objects::tracemalloc::{Frame, Trace, Traced, Untold, Whereabouts, read};
use fake::Fake;
use fake::tracing::{BLOCKS, CODE, DOMAIN, MOST_FRAMES, Program, layout};

/// Each word of all that is read, replaced by each of many others.
#[test]
fn no_word_can_make_reading_go_astray() {
    let whole = Program::in_runtime(14, 10_296);
    let tables = [whole.traces, whole.domains].map(|table| (table, 80));
    let others = [
        (whole.config, 200),
        (whole.buckets, 128),
        (whole.first_entry, 32),
        (whole.first_trace, 16),
        (whole.traceback, 36),
        (whole.file, 40),
    ];
    let places: Vec<(u64, u64)> = tables.into_iter().chain(others).collect();
    let numbers = [
        0,
        1,
        2,
        3,
        8,
        15,
        16,
        17,
        0x1000,
        1 << 20,
        1 << 32,
        1 << 40,
        u64::MAX,
        u64::MAX - 7,
    ];
    let words: Vec<u64> = numbers
        .into_iter()
        .chain(places.iter().map(|&(place, _)| place))
        .collect();
    let (mut read, mut refused) = (0, 0);
    let all = places.iter().flat_map(|&(start, length)| {
        (start..start + length)
            .step_by(4)
            .map(move |place| (place, start + length))
    });
    for (place, end) in all {
        for &word in &words {
            let mut program = whole.clone();
            let length = if place % 8 == 0 { 8.min(end - place) } else { 4 };
            program.memory.put(place, &word.to_le_bytes()[..length as usize]);
            match program.read() {
                Ok(Some(traced)) => {
                    read += 1;
                    assert!(traced.traces.len() <= 4, "{traced:?}");
                }
                Ok(None) => read += 1,
                Err(_) => refused += 1,
            }
        }
    }
    assert!(read > 500 && refused > 500, "{read} read, {refused} refused");
}

/// What every whole program here is read as.
fn expected() -> Traced {
    let trace = |(domain, block, size)| Trace {
        domain,
        block,
        size,
        traceback: 0,
    };
    let frame = |line| Frame { file: 0, line };
    Traced {
        most_frames: MOST_FRAMES,
        traces: [(0, BLOCKS[0], 100), (0, BLOCKS[1], 200), (DOMAIN, BLOCKS[2], 300)]
            .map(trace)
            .to_vec(),
        tracebacks: vec![vec![frame(7), frame(30)]],
        files: vec!["/app/shop.py".to_owned()],
        bytes: 600,
        peak_bytes: Some(1000),
        adds_up: true,
    }
}

#[test]
fn tables_in_the_runtime_are_read() {
    for (minor_version, offset) in [(12, 2768), (13, 10_104), (14, 10_296), (15, 10_432)] {
        let mut program = Program::in_runtime(minor_version, offset);
        assert_eq!(program.read(), Ok(Some(expected())), "3.{minor_version}");
    }
}

#[test]
fn tables_that_no_symbol_names_are_found_by_what_they_are() {
    let mut program = Program::in_statics();
    assert_eq!(program.read(), Ok(Some(expected())));

    let mut uncounted = program.clone();
    uncounted.memory.word(uncounted.first_trace, 101);
    let traced = uncounted.read().expect("readable").expect("on");
    assert_eq!((traced.adds_up, traced.peak_bytes, traced.bytes), (false, None, 601));

    program.at.image[0] = 0x10_0000..0x20_0000;
    assert_eq!(program.read(), Err(Untold::NotFound));
    program.at.config = None;
    assert_eq!(program.read(), Ok(None));
}

/// The buckets of blocks that lie side by side do, too.
#[test]
fn traces_in_the_last_of_many_buckets_are_found() {
    let mut program = Program::in_statics();
    program.trace_anew(200, 1 << 13);
    let traced = program.read().expect("readable").expect("on");
    let in_python = traced.traces.iter().filter(|trace| trace.domain == 0);
    assert_eq!(in_python.map(|trace| trace.size).sum::<u64>(), 200 * 30);
}

/// 3.8 has keys and data in the entries, and the domain in the key once there is more than one.
#[test]
fn keys_with_a_domain_are_read() {
    let mut memory = Fake::default();
    let file = memory.block(48 + 9);
    let of_type = memory.block(416);
    memory.word(of_type + 168, 1 << 28);
    memory.word(file + 8, of_type);
    memory.word(file + 16, 8);
    memory.half(file + 32, 1 << 2 | 1 << 5 | 1 << 6 | 1 << 7);
    memory.put(file + 48, b"/app/old");
    let traceback = memory.block(24);
    memory.half(traceback + 8, 1);
    memory.word(traceback + 12, file);
    memory.half(traceback + 20, 0);
    let buckets = memory.block(16 * 8);
    for (block, domain, size) in [(BLOCKS[0], 0, 100), (BLOCKS[0], DOMAIN, 500)] {
        let hash = block.rotate_right(4) ^ u64::from(domain);
        let entry = memory.block(16 + 12 + 16);
        memory.word(entry + 8, hash);
        memory.word(entry + 16, block);
        memory.half(entry + 24, domain);
        memory.word(entry + 28, size);
        memory.word(entry + 36, traceback);
        memory.word(buckets + 8 * (hash & 15), entry);
    }
    let table = memory.block(72);
    for (place, word) in [16, 2, buckets, 12, 16, CODE.start, CODE.start].into_iter().enumerate() {
        memory.word(table + 8 * place as u64, word);
    }
    let data = memory.block(256);
    for (place, word) in [(0, 1 | 1 << 32), (8, 1), (128, table), (160, 7777), (168, 600)] {
        memory.word(data + place, word);
    }
    let at = Whereabouts {
        config: Some(data),
        image: vec![CODE],
        data: std::iter::once(data..data + 256).collect(),
        mapped: 1 << 20,
        ..Whereabouts::default()
    };
    let traced = read(&mut memory, layout(8), &at).expect("readable").expect("on");
    let found: Vec<_> = traced
        .traces
        .iter()
        .map(|each| (each.domain, each.block, each.size))
        .collect();
    assert_eq!(found, [(0, BLOCKS[0], 100), (DOMAIN, BLOCKS[0], 500)]);
    assert_eq!(
        (traced.files.as_slice(), traced.tracebacks[0][0].line),
        (&["/app/old".to_owned()][..], 0)
    );
    assert_eq!(
        (traced.bytes, traced.peak_bytes, traced.adds_up),
        (600, Some(7777), true)
    );
}

#[test]
fn tracing_that_is_off_has_nothing() {
    let mut program = Program::in_runtime(14, 10_296);
    program.memory.half(program.config + 4, 0);
    assert_eq!(program.read(), Ok(None));
}

#[test]
fn a_sum_that_differs_is_told() {
    let mut program = Program::in_runtime(14, 10_296);
    program.memory.word(program.config + 144, 599);
    let traced = program.read().expect("readable").expect("on");
    assert_eq!((traced.adds_up, traced.bytes), (false, 600));
}

#[test]
fn damaged_tables_are_refused_and_end() {
    let whole = Program::in_runtime(14, 10_296);
    type Damage = fn(&mut Program);
    let damages: &[(&str, Damage)] = &[
        ("a state that there is not", |it| it.memory.half(it.config + 4, 7)),
        ("no table", |it| it.memory.word(it.config + 184, 0)),
        ("a table that is elsewhere", |it| {
            it.memory.word(it.config + 184, it.file)
        }),
        ("fewer entries than it counts", |it| it.memory.word(it.traces, 4)),
        ("more entries than it counts", |it| it.memory.word(it.traces, 0)),
        ("entries without end", |it| it.memory.word(it.traces, u64::MAX)),
        ("buckets without end", |it| it.memory.word(it.traces + 8, 1 << 62)),
        ("an odd number of buckets", |it| it.memory.word(it.traces + 8, 17)),
        ("buckets nowhere", |it| it.memory.word(it.traces + 16, 0x1000)),
        ("a chain that is a ring", |it| {
            it.memory.word(it.first_entry, it.first_entry)
        }),
        ("a block that is traced twice", |it| {
            let next = it.memory.block(32);
            for place in [8, 16, 24] {
                let word = it.memory.read_word(it.first_entry + place);
                it.memory.word(next + place, word);
            }
            it.memory.word(it.first_entry, next);
        }),
        ("a chain that leads nowhere", |it| {
            it.memory.word(it.first_entry, 0x1000)
        }),
        ("an entry in another bucket", |it| {
            let bucket = BLOCKS[0].rotate_right(4) & 15;
            it.memory.word(it.buckets + 8 * bucket, 0);
            it.memory.word(it.buckets + 8 * ((bucket + 1) & 15), it.first_entry);
        }),
        ("a key that is another's", |it| {
            it.memory.word(it.first_entry + 16, BLOCKS[0] + (1 << 20))
        }),
        ("a trace nowhere", |it| it.memory.word(it.first_entry + 24, 8)),
        ("a traceback nowhere", |it| it.memory.word(it.first_trace + 8, 8)),
        ("a traceback of no frames", |it| it.memory.half(it.traceback + 8, 0)),
        ("more frames than are kept", |it| {
            it.memory.half(it.traceback + 8, MOST_FRAMES + 1)
        }),
        ("a file that is no str", |it| {
            it.memory.word(it.traceback + 12, it.traceback)
        }),
        ("a file nowhere", |it| it.memory.word(it.traceback + 24, 8)),
        ("a name without end", |it| it.memory.word(it.file + 16, 1 << 60)),
        ("domains that are no tables", |it| {
            it.memory.word(it.config + 192, it.traces)
        }),
        ("a program without room for them", |it| it.at.mapped = 64),
    ];
    for (what, damage) in damages {
        let mut program = whole.clone();
        damage(&mut program);
        let read = program.read();
        assert!(matches!(read, Err(Untold::Unreadable(_))), "{what}: {read:?}");
    }
}
