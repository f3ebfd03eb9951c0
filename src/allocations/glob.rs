//! Patterns for names of files, as Python's `fnmatch` has them: `*` is any text, slashes included, `?` any letter, `[a-z]`
//! one of these, `[!a-z]` none of these.

/// A pattern, which a path fits as a whole or by what stands behind one of its slashes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Glob(Vec<Token>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Letter(char),
    AnyLetter,
    AnyText,
    OneOf { ranges: Vec<(char, char)>, negated: bool },
}

impl Glob {
    pub fn new(pattern: &str) -> Glob {
        let letters: Vec<char> = pattern.chars().collect();
        let mut tokens = Vec::new();
        let mut rest = letters.as_slice();
        while let Some((&letter, after)) = rest.split_first() {
            rest = after;
            tokens.push(match (letter, class(after)) {
                ('*', _) => Token::AnyText,
                ('?', _) => Token::AnyLetter,
                ('[', Some((token, after))) => {
                    rest = after;
                    token
                }
                _ => Token::Letter(letter),
            });
        }
        Glob(tokens)
    }

    pub fn fits(&self, path: &str) -> bool {
        let letters: Vec<char> = path.chars().collect();
        let ends = letters.iter().enumerate().filter(|(_, letter)| **letter == '/');
        let mut starts = std::iter::once(0).chain(ends.map(|(at, _)| at + 1));
        starts.any(|start| fits(&self.0, &letters[start..]))
    }
}

/// What follows an opening bracket, if it is closed: the letters meant, and the rest behind it.
fn class(after: &[char]) -> Option<(Token, &[char])> {
    let negated = after.first() == Some(&'!');
    let members = &after[usize::from(negated)..];
    // A bracket that comes first is one of the letters.
    let end = members.iter().skip(1).position(|&letter| letter == ']')? + 1;
    let mut ranges = Vec::new();
    let mut rest = &members[..end];
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        match *after {
            ['-', last, ..] => {
                ranges.push((first, last));
                rest = &after[2..];
            }
            _ => ranges.push((first, first)),
        }
    }
    Some((Token::OneOf { ranges, negated }, &members[end + 1..]))
}

/// Goes along both; after a mismatch the last `*` takes one letter more.
fn fits(tokens: &[Token], letters: &[char]) -> bool {
    let (mut token, mut letter) = (0, 0);
    let mut last_star = None;
    loop {
        match (tokens.get(token), letters.get(letter)) {
            (None, None) => return true,
            (Some(Token::AnyText), _) => {
                last_star = Some((token, letter));
                token += 1;
            }
            (Some(wanted), Some(&found)) if wanted.takes(found) => {
                token += 1;
                letter += 1;
            }
            _ => match last_star {
                Some((star, taken)) if taken < letters.len() => {
                    last_star = Some((star, taken + 1));
                    (token, letter) = (star + 1, taken + 1);
                }
                _ => return false,
            },
        }
    }
}

impl Token {
    fn takes(&self, letter: char) -> bool {
        match self {
            Token::Letter(wanted) => *wanted == letter,
            Token::AnyLetter | Token::AnyText => true,
            Token::OneOf { ranges, negated } => {
                let is_member = ranges.iter().any(|(first, last)| (*first..=*last).contains(&letter));
                is_member != *negated
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_those_of_fnmatch() {
        let fits = |pattern: &str, path: &str| Glob::new(pattern).fits(path);
        for (pattern, path) in [
            ("*/shop/*", "/srv/app/shop/models.py"),
            ("shop/*.py", "/srv/app/shop/models.py"),
            ("models.py", "/srv/app/shop/models.py"),
            ("mod?ls.py", "models.py"),
            ("[a-m]odels.py", "models.py"),
            ("[!a-l]odels.py", "models.py"),
            ("[]x]y", "]y"),
            ("a[b", "a[b"),
            ("*", ""),
            ("*a*b*c", "xaxbxbxc"),
            ("<string>", "<string>"),
        ] {
            assert!(fits(pattern, path), "{pattern} {path}");
        }
        for (pattern, path) in [
            ("odels.py", "/shop/models.py"),
            ("shop", "/shop/models.py"),
            ("[!m]odels.py", "models.py"),
            ("mod?ls.py", "modls.py"),
            ("*.pyc", "models.py"),
            ("", "models.py"),
        ] {
            assert!(!fits(pattern, path), "{pattern} {path}");
        }
    }

    #[test]
    fn many_stars_take_no_long_time() {
        let path = "a".repeat(4096);
        assert!(!Glob::new(&format!("{}b", "*a".repeat(60))).fits(&path));
    }
}
