//! Statements that leave out the first items of a list by copying all others.

use ruff_python_ast::{Expr, Number, StmtAssign};

use super::operands::operand;
use crate::syntax::Idiom;

/// `q = q[1:]`, or `first, q = q[0], q[1:]`.
pub fn first_left_out(assign: &StmtAssign) -> Option<Idiom> {
    let [target] = &*assign.targets else { return None };
    match (target, &*assign.value) {
        (Expr::Tuple(targets), Expr::Tuple(values)) if targets.elts.len() == values.elts.len() => {
            let mut pairs = targets.elts.iter().zip(&values.elts);
            pairs.find_map(|(target, value)| of_pair(target, value))
        }
        (target, value) => of_pair(target, value),
    }
}

fn of_pair(target: &Expr, value: &Expr) -> Option<Idiom> {
    let Expr::Subscript(subscript) = value else { return None };
    let Expr::Slice(slice) = &*subscript.slice else {
        return None;
    };
    let is_rest = slice.upper.is_none() && slice.step.is_none() && is_above_zero(slice.lower.as_deref()?);
    let list = operand(target).filter(|list| operand(&subscript.value).as_ref() == Some(list))?;
    is_rest.then_some(Idiom::FirstMoves {
        operand: list,
        method: "slice",
    })
}

fn is_above_zero(expression: &Expr) -> bool {
    match expression {
        Expr::NumberLiteral(number) => match &number.value {
            Number::Int(number) => number.as_u64().is_some_and(|number| number > 0),
            _ => false,
        },
        _ => false,
    }
}
