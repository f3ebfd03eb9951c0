//! Statements that count occurrences by hand.

use ruff_python_ast::{CmpOp, ExceptHandler, Expr, Operator, Stmt, StmtAssign, StmtIf, StmtTry};

use super::operands::{is_number, operand};
use crate::syntax::{Idiom, Operand};

/// A dict with the key that is counted.
#[derive(PartialEq, Eq)]
struct Count {
    dict: Operand,
    key: Operand,
}

impl Count {
    /// `d[k]`.
    fn of(expression: &Expr) -> Option<Count> {
        let Expr::Subscript(subscript) = expression else {
            return None;
        };
        Some(Count {
            dict: operand(&subscript.value)?,
            key: operand(&subscript.slice)?,
        })
    }

    fn idiom(self) -> Idiom {
        Idiom::Counting(self.dict)
    }
}

/// `d[k] = d.get(k, 0) + …`, whichever stands first.
pub fn with_get(assign: &StmtAssign) -> Option<Idiom> {
    let ([target], Expr::BinOp(sum)) = (&*assign.targets, &*assign.value) else {
        return None;
    };
    let count = Count::of(target)?;
    let is_count = |side: &Expr| {
        let Expr::Call(call) = side else { return false };
        let Expr::Attribute(method) = &*call.func else {
            return false;
        };
        let [asked, default] = &*call.arguments.args else {
            return false;
        };
        method.attr.as_str() == "get"
            && operand(&method.value).as_ref() == Some(&count.dict)
            && operand(asked).as_ref() == Some(&count.key)
            && is_number(default, 0)
    };
    let counts = sum.op == Operator::Add && (is_count(&sum.left) || is_count(&sum.right));
    counts.then(|| count.idiom())
}

/// `if k in d: d[k] += … else: d[k] = 1`, or the other way round.
pub fn with_question(statement: &StmtIf) -> Option<Idiom> {
    let (asked, is_in) = question(&statement.test)?;
    let [other] = &statement.elif_else_clauses[..] else {
        return None;
    };
    if other.test.is_some() {
        return None;
    }
    let (there, missing) = match is_in {
        true => (&statement.body, &other.body),
        false => (&other.body, &statement.body),
    };
    let is_it = adds(there)? == asked && begins(missing)? == asked;
    is_it.then(|| asked.idiom())
}

/// `if k not in d: d[k] = 0`, and then `d[k] += …`.
pub fn with_beginning(first: &Stmt, second: &Stmt) -> Option<Idiom> {
    let Stmt::If(statement) = first else { return None };
    let (asked, is_in) = question(&statement.test)?;
    let is_beginning = !is_in && statement.elif_else_clauses.is_empty() && begins(&statement.body)? == asked;
    let is_it = is_beginning && adds(std::slice::from_ref(second))? == asked;
    is_it.then(|| asked.idiom())
}

/// `try: d[k] += … except KeyError: d[k] = 1`.
pub fn with_handler(statement: &StmtTry) -> Option<Idiom> {
    let [ExceptHandler::ExceptHandler(handler)] = &statement.handlers[..] else {
        return None;
    };
    let is_of_keys = matches!(handler.type_.as_deref(), Some(Expr::Name(name)) if name.id.as_str() == "KeyError");
    let added = adds(&statement.body)?;
    let is_it = is_of_keys && begins(&handler.body)? == added;
    is_it.then(|| added.idiom())
}

/// What `k in d` or `k not in d` asks, and whether it is the first.
fn question(test: &Expr) -> Option<(Count, bool)> {
    let Expr::Compare(compare) = test else { return None };
    let ([op], [dict]) = (&*compare.ops, &*compare.comparators) else {
        return None;
    };
    let is_in = match op {
        CmpOp::In => true,
        CmpOp::NotIn => false,
        _ => return None,
    };
    let count = Count {
        dict: operand(dict)?,
        key: operand(&compare.left)?,
    };
    Some((count, is_in))
}

/// `d[k] += …` and nothing else.
fn adds(body: &[Stmt]) -> Option<Count> {
    match body {
        [Stmt::AugAssign(assign)] if assign.op == Operator::Add => Count::of(&assign.target),
        _ => None,
    }
}

/// `d[k] = 0` or another number, and nothing else.
fn begins(body: &[Stmt]) -> Option<Count> {
    let [Stmt::Assign(assign)] = body else { return None };
    match (&*assign.targets, &*assign.value) {
        ([target], Expr::NumberLiteral(_)) => Count::of(target),
        _ => None,
    }
}
