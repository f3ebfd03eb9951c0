//! dev
use std::rc::Rc;
use pymemscope::{heap, memory, target};
fn main() {
    let pid: u32 = std::env::args().nth(1).unwrap().parse().unwrap();
    let t0 = std::time::Instant::now();
    let process = target::process::Process::new(pid);
    let maps = target::maps::of_process(&process).unwrap();
    let mut small = memory::process::ProcessMemory::new(pid).unwrap();
    let found = target::interpreter::find_interpreters(&process, &maps, &mut small).unwrap();
    let one = &found[0];
    let symbols = cpython::identify::Symbols { runtime: one.runtime, runtime_size: one.runtime_size, py_version: one.version_symbol };
    let rec = cpython::prove::recognise(&mut small, &symbols).unwrap();
    eprintln!("{:?} {:?} {:?}", rec.version, rec.notes, t0.elapsed());
    let ranges: Vec<_> = target::maps::object_ranges(&maps).into_iter().filter(|r| !r.shared).map(|r| r.range).collect();
    let slots = Rc::new(memory::slots::Slots::new(&ranges));
    let statics: Vec<_> = maps.iter().filter(|m| m.inode != 0).map(|m| m.range()).collect();
    let budget = process.rss().unwrap() / 2;
    let mut image = memory::image::Image::new(memory::process::ProcessMemory::new(pid).unwrap(), Rc::clone(&slots), budget);
    let subject = heap::survey::Subject { layout: &rec.layout, runtime: one.runtime, slots, statics };
    let survey = heap::survey::survey(&mut image, &subject).unwrap();
    eprintln!("{:?} loads {:?}", t0.elapsed(), image.statistics());
    let mut rows: Vec<_> = survey.found.types.iter().map(|(_, t)| t).collect();
    rows.sort_by_key(|t| std::cmp::Reverse(t.bytes));
    eprintln!("{:?}", survey.warnings);
    println!("objects {} rejected {} tracked {}", rows.iter().map(|t| t.count).sum::<u64>(), survey.found.rejected, survey.found.tracked_count());
    for t in rows.iter().take(std::env::args().nth(2).map_or(25, |n| n.parse().unwrap())) {
        println!("{:40} {:8} {:10} {:10} {:8} {:10} {}", t.name, t.count, t.bytes, t.getsizeof_bytes, t.tracked_count, t.tracked_getsizeof_bytes, t.own_sizeof);
    }
}
