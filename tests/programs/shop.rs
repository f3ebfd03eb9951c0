//! A program that grows as it is told to.

use crate::interpreters::interpreters;
use crate::programs::Program;

/// Puts as many new entries into a module's dict as each line of its input says, and answers how many there are then.
pub const SHOP: &str = r#"
import sys

class Order:
    __slots__ = ("number",)

    def __init__(self, number):
        self.number = number

ORDERS = {}
STEADY = {number: str(number) for number in range(20_000)}

def fill(count):
    for number in range(len(ORDERS), len(ORDERS) + count):
        ORDERS[number] = Order(number)

fill(10_000)
print("ready", flush=True)
for line in sys.stdin:
    fill(int(line))
    print(len(ORDERS), flush=True)
"#;

/// Starts this code on the newest interpreter; it has to say `ready`.
pub fn python(code: &str) -> Program {
    let newest = interpreters().last().expect("a CPython");
    Program::start(newest.command().args(["-c", code]))
}
