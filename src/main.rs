//! dev
use pymemscope::capture::{attach, interrupt::Interrupt, plan::CapturePlan, progress::Quiet};
use pymemscope::target::freeze;
use std::time::Duration;
fn main() {
    let mut arguments = std::env::args().skip(1);
    if arguments.next().as_deref() == Some(freeze::GUARDIAN_ARGUMENT) {
        freeze::guardian_main(arguments);
    }
    let a: Vec<String> = std::env::args().collect();
    let mode = match a.get(3).map_or("auto", |s| s.as_str()) {
        "fork" => freeze::FreezeMode::Fork,
        "stop" => freeze::FreezeMode::Stop,
        "none" => freeze::FreezeMode::None,
        _ => freeze::FreezeMode::Auto,
    };
    let plan = CapturePlan {
        duration: Some(Duration::ZERO),
        interval: None,
        freeze: mode,
    };
    let c = attach(a[1].parse().unwrap(), &plan, &mut Quiet, &Interrupt::never().unwrap());
    let c = match c {
        Ok(c) => c,
        Err(e) => {
            eprintln!("error: {e}\nhint: {}", e.hint());
            std::process::exit(1)
        }
    };
    eprintln!(
        "{} {:?} {:?} pauses {:?} {:?}",
        c.process.python, c.freeze, c.freeze_reason, c.pauses, c.warnings
    );
    let heap = &c.heap;
    println!(
        "objects {} rejected {} tracked {}",
        heap.totals.objects, heap.rejected, heap.totals.tracked_objects
    );
    for t in heap.types.iter().take(a.get(2).map_or(25, |n| n.parse().unwrap())) {
        println!(
            "{:40} {:8} {:10} {:10} {:8} {:10} false",
            t.name, t.count, t.bytes, t.getsizeof_bytes, t.tracked_count, t.tracked_getsizeof_bytes
        );
    }
}
