//! The command: hands what was typed to `cli`, and what it means to `commands`.

use pymemscope::target::freeze;

fn main() {
    let mut arguments = std::env::args().skip(1);
    if arguments.next().as_deref() == Some(freeze::GUARDIAN_ARGUMENT) {
        freeze::guardian_main(arguments);
    }
}
