//! The words that a dead process was started with: they still stand on its first stack.

use cpython::memory::ReadMemory;

use super::notes::Identity;

/// The kernel lets arguments and environment have a quarter of the stack's limit, which is 8 MiB unless raised.
const MOST_BYTES: u64 = 8 << 20;
/// Pointers to arguments or variables.
const MOST_POINTERS: u64 = 1 << 20;
/// The vector ends this close below the random bytes, but for padding and the name of the machine.
const FAR: u64 = 4096;
const WORD: u64 = 8;

/// The words in full where the stack has them, else as much as the core's note says.
pub fn command(memory: &mut dyn ReadMemory, identity: &Identity) -> Vec<String> {
    on_stack(memory, identity).unwrap_or_else(|| {
        let words = identity.arguments.split(' ').filter(|word| !word.is_empty());
        words.map(str::to_owned).collect()
    })
}

/// The kernel lays out, upwards: the number of arguments, pointers to them, zero, pointers to the environment, zero, the
/// auxiliary vector, random bytes, the arguments (`create_elf_tables` in `binfmt_elf.c`).
fn on_stack(memory: &mut dyn ReadMemory, identity: &Identity) -> Option<Vec<String>> {
    let environment_end = vector(memory, identity)?.checked_sub(WORD)?;
    if memory.word(environment_end).ok()? != 0 {
        return None;
    }
    let mut at = environment_end;
    for _ in 0..MOST_POINTERS {
        at = at.checked_sub(WORD)?;
        if memory.word(at).ok()? == 0 {
            break;
        }
    }
    let (mut first, mut count) = (at, 0);
    loop {
        let before = memory.word(first.checked_sub(WORD)?).ok()?;
        if before == count {
            break;
        }
        (first, count) = (first - WORD, count + 1);
        if count > MOST_POINTERS {
            return None;
        }
    }
    if count == 0 {
        return None;
    }
    let start = memory.word(first).ok()?;
    let last = memory.word(at.checked_sub(WORD)?).ok()?;
    let end = end_of_text(memory, last)?;
    let length = end.checked_sub(start).filter(|&length| length <= MOST_BYTES)?;
    let bytes = memory.read(start, length as usize).ok()?;
    let words = bytes.split(|&byte| byte == 0);
    Some(words.map(|word| String::from_utf8_lossy(word).into_owned()).collect())
}

/// Where the auxiliary vector stands.
fn vector(memory: &mut dyn ReadMemory, identity: &Identity) -> Option<u64> {
    let random = identity.random_bytes()?;
    let wanted = identity.auxiliary.as_slice();
    let start = random.checked_sub(FAR + wanted.len() as u64)?.next_multiple_of(WORD);
    let bytes = memory.read(start, (random - start) as usize).ok()?;
    if wanted.is_empty() {
        return None;
    }
    let mut places = bytes.windows(wanted.len()).step_by(WORD as usize);
    let found = places.position(|place| place == wanted)?;
    Some(start + found as u64 * WORD)
}

/// The address of the zero byte that ends the text at `start`.
fn end_of_text(memory: &mut dyn ReadMemory, start: u64) -> Option<u64> {
    let mut at = start;
    while at.checked_sub(start)? < MOST_BYTES {
        if memory.read(at, 1).ok()? == [0] {
            return Some(at);
        }
        at = at.checked_add(1)?;
    }
    None
}

#[cfg(test)]
mod tests {
    use cpython::memory::Fault;

    use super::*;
    use crate::target::core::notes::Identity;
    use crate::target::elf::Note;

    const STACK: u64 = 0x7fff_0000;

    struct Stack(Vec<u8>);

    impl ReadMemory for Stack {
        fn read(&mut self, address: u64, length: usize) -> Result<&[u8], Fault> {
            let fault = Fault { at: address, length };
            let start = address.checked_sub(STACK).ok_or(fault)? as usize;
            self.0.get(start..start.checked_add(length).ok_or(fault)?).ok_or(fault)
        }
    }

    /// A stack as the kernel makes it for these arguments, two variables, and a vector that says where the random bytes are.
    fn stack(arguments: &[&str]) -> (Stack, Identity) {
        const BELOW: usize = 8192;
        let words = 1 + arguments.len() + 1 + 2 + 1 + 4;
        let random = STACK + (BELOW + words * 8 + 8) as u64;
        let texts = random + 16;
        let vector = [25, random, 0, 0];
        let mut pointers = vec![arguments.len() as u64];
        let mut text = Vec::new();
        for argument in arguments {
            pointers.push(texts + text.len() as u64);
            text.extend(argument.bytes().chain([0]));
        }
        let variables = texts + text.len() as u64;
        pointers.extend([0, variables, variables + 4, 0]);
        text.extend(b"A=1\0B=2\0");
        let mut bytes = vec![0x55; BELOW];
        for word in pointers.into_iter().chain(vector) {
            bytes.extend(word.to_le_bytes());
        }
        bytes.extend([0; 8]);
        bytes.extend([0x77; 16]);
        bytes.extend(text);
        let vector: Vec<u8> = vector.iter().flat_map(|word| word.to_le_bytes()).collect();
        let auxiliary = Note { kind: 6, bytes: vector };
        (Stack(bytes), Identity::of(&[auxiliary]))
    }

    #[test]
    fn all_words_are_found_on_the_stack() {
        for words in [&["python3"][..], &["python3", "", "two words", "\u{e9}"], &["a"; 300]] {
            let (mut stack, identity) = stack(words);
            assert_eq!(command(&mut stack, &identity), words);
        }
    }

    #[test]
    fn without_a_stack_there_is_the_note() {
        let (_, mut identity) = stack(&["python3"]);
        identity.arguments = "python3 app.py ".to_owned();
        let mut nothing = Stack(Vec::new());
        assert_eq!(command(&mut nothing, &identity), ["python3", "app.py"]);
        assert!(command(&mut nothing, &Identity::default()).is_empty());
    }
}
