//! Expressions of names, attributes and subscripts, which can be looked up without running anything.

use ruff_python_ast::{self as ast, Expr, Number};

use crate::syntax::{Key, Operand};

/// What can be looked up of an expression.
pub fn operand(expression: &Expr) -> Option<Operand> {
    /// Longer chains nobody writes.
    const LONGEST: usize = 16;
    operand_within(expression, LONGEST)
}

fn operand_within(expression: &Expr, left: usize) -> Option<Operand> {
    let left = left.checked_sub(1)?;
    match expression {
        Expr::Name(name) => Some(Operand::Name(name.id.to_string())),
        Expr::Attribute(attribute) => {
            let of = operand_within(&attribute.value, left)?;
            Some(Operand::Attribute(Box::new(of), attribute.attr.to_string()))
        }
        Expr::Subscript(subscript) => {
            let of = operand_within(&subscript.value, left)?;
            Some(Operand::Item(Box::new(of), key(&subscript.slice, left)?))
        }
        _ => None,
    }
}

fn key(slice: &Expr, left: usize) -> Option<Key> {
    match slice {
        Expr::StringLiteral(text) => Some(Key::Text(text.value.to_str().to_owned())),
        Expr::NumberLiteral(number) => match &number.value {
            Number::Int(number) => number.as_i64().map(Key::Number),
            _ => None,
        },
        Expr::UnaryOp(unary) if unary.op == ast::UnaryOp::USub => match key(&unary.operand, left.checked_sub(1)?)? {
            Key::Number(number) => number.checked_neg().map(Key::Number),
            _ => None,
        },
        other => Some(Key::Of(Box::new(operand_within(other, left)?))),
    }
}

pub fn is_number(expression: &Expr, wanted: i64) -> bool {
    match expression {
        Expr::NumberLiteral(number) => matches!(&number.value, Number::Int(number) if number.as_i64() == Some(wanted)),
        _ => false,
    }
}
