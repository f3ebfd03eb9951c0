//! dev
use std::rc::Rc;
use pymemscope::{heap, memory, target};
use pymemscope::target::freeze;
fn main() {
    let mut arguments = std::env::args().skip(1);
    if arguments.next().as_deref() == Some(freeze::GUARDIAN_ARGUMENT) {
        freeze::guardian_main(arguments);
    }
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
    let budget = std::env::var("BUD").map_or(process.rss().unwrap() / 2, |b| b.parse::<u64>().unwrap() << 20);
    let mut image = memory::image::Image::new(memory::process::ProcessMemory::new(pid).unwrap(), Rc::clone(&slots), budget);
    let subject = heap::survey::Subject { layout: &rec.layout, runtime: one.runtime, slots, statics };
    let survey = heap::survey::survey(&mut image, &subject).unwrap();
    eprintln!("{:?} loads {:?}", t0.elapsed(), image.statistics());
    let heap = survey.finish(&mut image);
    eprintln!("{:?} finish nodes {} containers {}", t0.elapsed(), heap.tree.nodes.len(), heap.containers.len());
    eprintln!("{:?}", heap.warnings);
    println!("objects {} rejected {} tracked {}", heap.totals.objects, heap.rejected, heap.totals.tracked_objects);
    for t in heap.types.iter().take(std::env::args().nth(2).map_or(25, |n| n.parse().unwrap())) {
        println!("{:40} {:8} {:10} {:10} {:8} {:10} false", t.name, t.count, t.bytes, t.getsizeof_bytes, t.tracked_count, t.tracked_getsizeof_bytes);
    }
    let mut c = heap.containers.clone();
    c.sort_by_key(|c| std::cmp::Reverse(c.kept_bytes));
    for c in c.iter().take(25) { eprintln!("{:?} {} {} {:?} {} {}", c.kind, c.length, c.kept_bytes, c.place, c.path, c.type_name); }
    let mut sub: Vec<u64> = heap.tree.nodes.iter().map(|n| n.own_bytes).collect();
    for i in (1..sub.len()).rev() { let p = heap.tree.nodes[i].parent as usize; sub[p] += sub[i]; }
    let mut top: Vec<usize> = (1..sub.len()).collect(); top.sort_by_key(|&i| std::cmp::Reverse(sub[i]));
    for &i in top.iter().take(30) { let mut p = i; let mut s = vec![]; while p != 0 { s.push(heap.tree.nodes[p].label.to_string()); p = heap.tree.nodes[p].parent as usize; } s.reverse(); eprintln!("{} {}", sub[i], s.join(" ; ")); }
}
