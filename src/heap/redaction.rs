//! What `--redact` shows instead of a program's data: a hash that tells equal from different within one run, and nothing
//! else. Its key is made anew for each run and never shown, so that guessed texts cannot be tried against it.

use std::hash::{BuildHasher, RandomState};
use std::sync::OnceLock;

static KEY: OnceLock<RandomState> = OnceLock::new();

/// `#1f9a03c4`.
pub fn hashed(text: &str) -> String {
    let hash = KEY.get_or_init(RandomState::new).hash_one(text);
    format!("#{:08x}", hash >> 32)
}

/// A command line without its arguments: the program's name stays. A program that has renamed itself may have put
/// everything into one text, of which the first word stays.
pub fn command(words: &[String]) -> Vec<String> {
    let Some((first, arguments)) = words.split_first() else {
        return Vec::new();
    };
    let (program, rest) = match first.split_once(' ') {
        Some((program, rest)) if !rest.trim().is_empty() => (program, Some(rest)),
        _ => (first.as_str(), None),
    };
    let data = rest.into_iter().chain(arguments.iter().map(String::as_str));
    std::iter::once(program.to_owned()).chain(data.map(hashed)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_texts_have_equal_hashes_that_show_nothing_of_them() {
        assert_eq!(hashed("secret"), hashed("secret"));
        assert_ne!(hashed("secret"), hashed("secret "));
        let hash = hashed("secret");
        assert!(hash.len() == 9 && hash.starts_with('#') && hash[1..].chars().all(|digit| digit.is_ascii_hexdigit()));
    }

    #[test]
    fn of_a_command_line_the_program_stays() {
        let shown = command(&["/usr/bin/python3", "app.py", "--password=x"].map(str::to_owned));
        assert_eq!((shown.len(), shown[0].as_str()), (3, "/usr/bin/python3"));
        assert!(shown[1..].iter().all(|word| word.starts_with('#')));
        let renamed = command(&["gunicorn: worker [shop]".to_owned()]);
        assert_eq!((renamed.len(), renamed[0].as_str()), (2, "gunicorn:"));
        assert_eq!(command(&[]), Vec::<String>::new());
    }
}
