//! Which attributes a loop asks of what it goes over.

use ruff_python_ast::visitor::{Visitor, walk_expr, walk_stmt};
use ruff_python_ast::{Comprehension, Expr, ExprContext, Stmt};

use super::DEEPEST;
use super::operands::operand;
use crate::syntax::{Idiom, Operand};

/// What is done with a loop's variable.
pub struct Reads<'a> {
    variable: &'a str,
    attributes: Vec<&'a str>,
    /// Whether anything else is done with it than to read attributes.
    is_used_whole: bool,
    depth: usize,
}

/// Of a loop over something that can be looked up; `None` where the variable is not used at all.
pub fn in_loop<'a>(target: &'a Expr, over: &'a Expr, look: impl FnOnce(&mut Reads<'a>)) -> Option<Idiom> {
    let (variable, operand) = variable_and_operand(target, over)?;
    let mut reads = Reads {
        variable,
        attributes: Vec::new(),
        is_used_whole: false,
        depth: 0,
    };
    look(&mut reads);
    let attribute = match reads.attributes[..] {
        _ if reads.is_used_whole => None,
        [] => return None,
        [attribute] => Some(attribute.to_owned()),
        _ => None,
    };
    Some(Idiom::Reading { operand, attribute })
}

/// Of the first loop of a comprehension.
pub fn in_comprehension<'a>(
    first: &'a Comprehension,
    others: &'a [Comprehension],
    parts: &[&'a Expr],
) -> Option<Idiom> {
    in_loop(&first.target, &first.iter, |reads| {
        let conditions = first.ifs.iter().chain(parts.iter().copied());
        conditions.for_each(|part| reads.visit_expr(part));
        others.iter().for_each(|other| reads.visit_comprehension(other));
    })
}

/// `for x in y` and `for n, x in enumerate(y)`.
fn variable_and_operand<'a>(target: &'a Expr, over: &'a Expr) -> Option<(&'a str, Operand)> {
    let (target, over) = match (target, over) {
        (Expr::Tuple(both), Expr::Call(call)) => {
            let counts = matches!(&*call.func, Expr::Name(name) if name.id.as_str() == "enumerate");
            let [_, target] = &both.elts[..] else { return None };
            (target, call.arguments.args.first().filter(|_| counts)?)
        }
        both => both,
    };
    let Expr::Name(variable) = target else { return None };
    Some((&variable.id, operand(over)?))
}

impl<'a> Visitor<'a> for Reads<'a> {
    fn visit_stmt(&mut self, statement: &'a Stmt) {
        self.nested(|reads| walk_stmt(reads, statement));
    }

    fn visit_expr(&mut self, expression: &'a Expr) {
        match expression {
            Expr::Attribute(read) if read.ctx == ExprContext::Load && self.is_variable(&read.value) => {
                if !self.attributes.contains(&read.attr.as_str()) {
                    self.attributes.push(&read.attr);
                }
            }
            other if self.is_variable(other) => self.is_used_whole = true,
            other => self.nested(|reads| walk_expr(reads, other)),
        }
    }
}

impl Reads<'_> {
    /// What is nested too deep may do anything.
    fn nested(&mut self, look: impl FnOnce(&mut Self)) {
        if self.depth == DEEPEST {
            self.is_used_whole = true;
            return;
        }
        self.depth += 1;
        look(self);
        self.depth -= 1;
    }

    fn is_variable(&self, expression: &Expr) -> bool {
        matches!(expression, Expr::Name(name) if name.id.as_str() == self.variable)
    }
}
