//! How far apart two names are, to offer the right one to somebody who mistyped it.

/// How many characters have to be put in, taken out or replaced to make one text of the other (Levenshtein).
pub fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (line, left) in from.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = line + 1;
        for (column, right) in to.iter().enumerate() {
            let replaced = diagonal + usize::from(left != *right);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[to.len()]
}

/// The one of `names` that was probably meant: no more than a third of it is otherwise, or the text is its beginning.
pub fn nearest<'a>(text: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let near = names.into_iter().map(|name| (distance(text, name), name));
    let may_be_meant =
        |(distance, name): &(usize, &str)| *distance <= name.len() / 3 || (text.len() > 2 && name.starts_with(text));
    near.filter(may_be_meant).min().map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_comes_near_is_offered() {
        let names = ["items", "bytes", "grown-items"];
        assert_eq!(nearest("item", names), Some("items"));
        assert_eq!(nearest("grown", names), Some("grown-items"));
        assert_eq!(nearest("size", names), None);
    }

    #[test]
    fn each_change_counts_one() {
        for (from, to, expected) in [
            ("", "", 0),
            ("", "abc", 3),
            ("order", "Order", 1),
            ("ordr", "order", 1),
            ("ab", "ba", 2),
        ] {
            assert_eq!(
                (distance(from, to), distance(to, from)),
                (expected, expected),
                "{from} {to}"
            );
        }
    }
}
