//! What is read of source, on small pieces of it.

use super::{Idiom, Kind, Operand, Place, Source, Span, parse};

fn read(text: &str) -> Source {
    parse(text).unwrap_or_else(|| panic!("no Python: {text}"))
}

/// All idioms in a text, with the scopes that they are in.
fn idioms(text: &str) -> Vec<(String, String)> {
    let source = read(text);
    let scopes = source.scopes.iter();
    let all = scopes.flat_map(|scope| scope.operations.iter().map(move |operation| (scope, operation)));
    all.filter_map(|(scope, operation)| {
        let idiom = operation.idiom.as_ref()?;
        let what = match idiom {
            Idiom::Membership(_) => "in",
            Idiom::FirstMoves { method, .. } => method,
            Idiom::Building(_) => "+=",
            Idiom::Counting(_) => "count",
            Idiom::Reading { attribute, .. } => attribute.as_deref().unwrap_or("more of"),
        };
        Some((scope.name.clone(), format!("{what} {}", idiom.operand())))
    })
    .collect()
}

/// Of all that a text has the idioms that are so called.
fn those(what: &str, text: &str) -> Vec<String> {
    let all = idioms(text).into_iter().map(|(_, idiom)| idiom);
    all.filter(|idiom| idiom.starts_with(what)).collect()
}

fn only(text: &str) -> String {
    let found = idioms(text);
    let [(_, idiom)] = found.as_slice() else {
        panic!("{found:?}")
    };
    idiom.clone()
}

#[test]
fn operands_are_names_attributes_and_subscripts() {
    assert_eq!(only("x in NAMES"), "in NAMES");
    assert_eq!(only("x not in self.shop.names"), "in self.shop.names");
    assert_eq!(only("x in config['blocked'][0]"), "in config['blocked'][0]");
    assert_eq!(only("x in self.of[key.name]"), "in self.of[key.name]");
    assert_eq!(only("x in rows[-1]"), "in rows[-1]");
    assert_eq!(idioms("x in names()"), []);
    assert_eq!(idioms("x in [1, 2, 3]"), []);
    assert_eq!(idioms("x in a.b().c"), []);
}

#[test]
fn idioms_are_told_from_what_looks_like_them() {
    assert_eq!(only("queue.pop(0)"), "pop queue");
    assert_eq!(only("queue.insert(0, x)"), "insert queue");
    assert_eq!(only("del queue[0]"), "del queue");
    assert_eq!(
        idioms("queue.pop(); queue.pop(1); queue.insert(1, x); del queue[1]; pop(0)"),
        []
    );
    assert_eq!(only("s += x"), "+= s");
    assert_eq!(only("self.s = self.s + x"), "+= self.s");
    assert_eq!(idioms("s -= x; s = x + s; s = t + x"), []);
    assert_eq!(only("d[k] = d.get(k, 0) + 1"), "count d");
    assert_eq!(only("self.d[k.n] = 1 + self.d.get(k.n, 0)"), "count self.d");
    assert_eq!(
        idioms("d[k] = d.get(j, 0) + 1; d[k] = e.get(k, 0) + 1; d[k] = d.get(k, 1) + 1"),
        []
    );
}

#[test]
fn counting_may_be_written_in_many_ways() {
    for text in [
        "if k in d: d[k] += 1\nelse: d[k] = 1",
        "if k not in d:\n  d[k] = 1\nelse:\n  d[k] += n",
        "if k not in d: d[k] = 0\nd[k] += 1",
        "try:\n  d[k] += 1\nexcept KeyError:\n  d[k] = 1",
    ] {
        assert_eq!(those("count", text), ["count d"], "{text}");
    }
    for text in [
        "if k in d: d[k] += 1\nelse: e[k] = 1",
        "if k in d: d[j] += 1\nelse: d[j] = 1",
        "if k in d: d[k] += 1\nelif d: d[k] = 1",
        "if k in d: d[k] += 1\nelse: d[k] = x",
        "if k not in d: d[k] = []\nd[k] += [1]",
        "try:\n  d[k] += 1\nexcept ValueError:\n  d[k] = 1",
        "d[k] += 1",
    ] {
        assert_eq!(those("count", text), [] as [&str; 0], "{text}");
    }
}

#[test]
fn a_slice_that_leaves_out_the_first_takes_it_from_the_front() {
    assert_eq!(only("q = q[1:]"), "slice q");
    assert_eq!(only("x, self.q = self.q[0], self.q[1:]"), "slice self.q");
    for text in [
        "q = q[:1]",
        "q = q[0:]",
        "q = p[1:]",
        "q = q[1:5]",
        "q = q[1::2]",
        "q = q[n:]",
    ] {
        assert_eq!(idioms(text), [], "{text}");
    }
}

#[test]
fn loops_are_known_by_what_they_read_of_their_variable() {
    for text in [
        "for o in self.orders: show(o.total)",
        "for n, o in enumerate(self.orders):\n  if o.total > n: show(o.total)",
        "[o.total for o in self.orders if o.total]",
        "show(sum(o.total for o in self.orders))",
        "{n: o.total for o in self.orders for n in names}",
    ] {
        assert_eq!(those("total", text), ["total self.orders"], "{text}");
    }
    for text in [
        "for o in orders: show(o.total, o.customer)",
        "for o in orders: show(o)",
        "for o in orders: o.total = 1",
        "for o in orders:\n  for p in o.items: show(o.total)",
        "[o for o in orders if o.total]",
    ] {
        assert_eq!(those("more of orders", text), ["more of orders"], "{text}");
    }
    for text in [
        "for o in orders: n(1)",
        "for o in orders.iterator(): show(o.total)",
        "for a, b in pairs: show(a.total)",
    ] {
        assert_eq!(idioms(text), [], "{text}");
    }
}

#[test]
fn scopes_are_those_of_code_objects() {
    let text = "
class Shop:
    @decorated
    def find(self, default=0 in A):
        f = lambda x: x in B
        return [x for x in C if x in D] + [y for x in self.e for y in x if y in E]
";
    let found = idioms(text);
    let found: Vec<(&str, &str)> = found
        .iter()
        .filter(|(_, idiom)| idiom.starts_with("in"))
        .map(|(scope, idiom)| (scope.as_str(), idiom.as_str()))
        .collect();
    assert_eq!(
        found,
        [
            ("Shop", "in A"),
            ("<lambda>", "in B"),
            ("<listcomp>", "in D"),
            ("<listcomp>", "in E"),
        ]
    );
    let source = read(text);
    assert!(source.has("find", 3) && !source.has("find", 4) && source.has("Shop", 2));
    assert!(source.has("<module>", 1) && source.has("<module>", 2));
}

#[test]
fn private_names_are_those_that_the_compiler_makes() {
    let text = "
class _Shop:
    def find(self, x):
        return x in self.__items or x in self.__dict__ or x in __LIMITS
";
    let found: Vec<String> = idioms(text).into_iter().map(|(_, idiom)| idiom).collect();
    assert_eq!(found, ["in self._Shop__items", "in self.__dict__", "in _Shop__LIMITS"]);
}

fn place(line: u32, number: usize, count: usize) -> Place<'static> {
    Place {
        function: "find",
        first_line: 1,
        line,
        kind: Kind::Contains,
        span: None,
        number,
        count,
    }
}

fn operand_at(source: &Source, place: &Place<'_>) -> Option<String> {
    let idiom = source.operation(place)?.idiom.as_ref();
    idiom.map(|idiom| idiom.operand().to_string())
}

#[test]
fn operations_of_a_line_are_told_by_their_order() {
    let source = read("def find(x):\n    return x in A or x in B\n");
    let at = |number, count| operand_at(&source, &place(2, number, count));
    assert_eq!((at(0, 2), at(1, 2)), (Some("A".to_owned()), Some("B".to_owned())));
    // A compiler may make both twice, but not one of them.
    assert_eq!(at(3, 4), Some("B".to_owned()));
    assert_eq!(at(1, 3), None);
    assert_eq!(operand_at(&source, &place(1, 0, 1)), None);
}

#[test]
fn operations_are_told_by_their_columns_where_these_are_known() {
    let source = read("def find(x):\n    return x in A or x in B\n");
    let span = |column| {
        Some(Span {
            line: 2,
            column,
            end_line: 2,
            end_column: column + 6,
        })
    };
    let at = |span| operand_at(&source, &Place { span, ..place(2, 0, 1) });
    assert_eq!(
        (at(span(11)), at(span(21))),
        (Some("A".to_owned()), Some("B".to_owned()))
    );
    assert_eq!(at(span(12)), None);
}

#[test]
fn a_comprehension_may_be_a_part_of_its_function() {
    let source = read("def find(xs):\n    return [x for x in xs if x in A]\n");
    assert_eq!(operand_at(&source, &place(2, 0, 1)), Some("A".to_owned()));
    let own = Place {
        function: "<listcomp>",
        first_line: 2,
        ..place(2, 0, 1)
    };
    assert_eq!(operand_at(&source, &own), Some("A".to_owned()));
}

#[test]
fn functions_of_one_name_in_one_line_are_not_told_apart() {
    let source = read("f = lambda x: x in A; g = lambda x: x in B\n");
    let lambda = Place {
        function: "<lambda>",
        ..place(1, 0, 1)
    };
    assert_eq!(operand_at(&source, &lambda), None);
}

#[test]
fn what_is_no_python_or_nested_without_end_is_no_harm() {
    assert_eq!(parse("def f(:\n"), None);
    assert_eq!(parse("print 'x'\n"), None);
    assert!(parse(&format!("x = {}1", "1 + ".repeat(100_000))).is_some());
    assert!(parse(&format!("x = {}1{}", "(".repeat(1000), ")".repeat(1000))).is_some());
    assert!(parse(&format!("a{} in b", ".a".repeat(100_000))).is_some());
    assert!(parse(&format!("for a in b: a{}", ".a".repeat(100_000))).is_some());
}

#[test]
fn names_of_an_operand_are_all_that_a_code_object_must_know() {
    let source = read("x in self.of[key.name]");
    let idiom = source.scopes[0].operations[0].idiom.clone();
    let operand = idiom.map(|idiom| idiom.operand().clone());
    assert_eq!(
        operand.as_ref().map(Operand::names),
        Some(vec!["self", "of", "key", "name"])
    );
    assert_eq!(operand.as_ref().map(Operand::root), Some("self"));
}
