//! The text of a source file: UTF-8, unless its first lines say otherwise (PEP 263).

/// The text; `None` where it is in an encoding that is not known here, or not what it says.
pub fn decode(bytes: &[u8]) -> Option<String> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let is_utf8 = |name: &str| name.starts_with("utf-8") || name == "utf8";
    match declared(bytes).as_deref() {
        None => String::from_utf8(bytes.to_vec()).ok(),
        Some(name) if is_utf8(name) => String::from_utf8(bytes.to_vec()).ok(),
        Some("latin-1" | "latin1" | "iso-8859-1" | "iso8859-1" | "iso-latin-1" | "l1") => {
            Some(bytes.iter().copied().map(char::from).collect())
        }
        // They agree in ASCII, those that Python takes for source.
        Some(_) if bytes.is_ascii() => String::from_utf8(bytes.to_vec()).ok(),
        Some(_) => None,
    }
}

/// The encoding that a comment in the first or second line names.
fn declared(bytes: &[u8]) -> Option<String> {
    let mut lines = bytes.split(|&byte| byte == b'\n');
    let first = lines.next()?.trim_ascii();
    if let Some(name) = named(first) {
        return Some(name);
    }
    let may_follow = first.is_empty() || first.starts_with(b"#");
    named(lines.next().filter(|_| may_follow)?.trim_ascii())
}

/// `# -*- coding: latin-1 -*-`, as Python reads it.
fn named(line: &[u8]) -> Option<String> {
    let comment = String::from_utf8_lossy(line.strip_prefix(b"#")?).into_owned();
    let mut rests = comment
        .match_indices("coding")
        .map(|(at, word)| &comment[at + word.len()..]);
    let rest = rests.find_map(|rest| rest.strip_prefix([':', '=']))?;
    let name = rest.trim_start_matches([' ', '\t']);
    let end = name.find(|letter: char| !(letter.is_ascii_alphanumeric() || "-_.".contains(letter)));
    let name = &name[..end.unwrap_or(name.len())];
    (!name.is_empty()).then(|| name.to_ascii_lowercase().replace('_', "-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_utf8_unless_it_says_otherwise() {
        let decoded = |bytes: &[u8]| decode(bytes);
        assert_eq!(decoded("x = 'é'\n".as_bytes()).as_deref(), Some("x = 'é'\n"));
        assert_eq!(decoded(b"\xef\xbb\xbfx = 1").as_deref(), Some("x = 1"));
        assert_eq!(decoded(b"x = '\xe9'\n"), None);
        let latin: [&[u8]; 3] = [
            b"# -*- coding: latin-1 -*-\n'\xe9'",
            b"#!/usr/bin/python\n# vim: set fileencoding=ISO_8859_1 :\n'\xe9'",
            b"\n#coding:latin1\n'\xe9'",
        ];
        for text in latin {
            assert!(decoded(text).is_some_and(|text| text.ends_with("'é'")), "{text:?}");
        }
        for text in [
            &b"x = 1\n# coding: latin-1\n'\xe9'"[..],
            b"# coding: koi8-r\n'\xe9'",
            b"# coding: utf-8\n'\xe9'",
        ] {
            assert_eq!(decoded(text), None, "{text:?}");
        }
        assert!(decoded(b"# coding: koi8-r\nx = 1").is_some());
    }
}
