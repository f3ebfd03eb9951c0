//! Goes over the tree that the parser makes of a file: the doorway of the parser.

mod counting;
mod operands;
mod reading;
mod slicing;

use std::ops::Range;

use ruff_python_ast::visitor::{Visitor, walk_body, walk_decorator, walk_expr, walk_stmt};
use ruff_python_ast::{self as ast, CmpOp, Comprehension, Expr, Operator, Stmt};
use ruff_python_parser::parse_module;
use ruff_text_size::{Ranged, TextRange};

use self::operands::{is_number, operand};
use super::idiom::Idiom;
use super::scope::{Kind, Operation, Scope, Source, Span};

/// What is nested deeper is not looked at.
const DEEPEST: usize = 300;

/// What the source text says; `None` where that is no Python.
pub fn parse(text: &str) -> Option<Source> {
    let parsed = parse_module(text).ok()?;
    let mut reader = Reader {
        starts: line_starts(text),
        scopes: vec![scope("<module>", 1, None, false)],
        here: 0,
        class: None,
        depth: 0,
        is_too_deep: false,
    };
    reader.visit_body(parsed.suite());
    if reader.is_too_deep {
        // To let go of such a tree takes as many nested calls as it is deep.
        std::mem::forget(parsed);
    }
    Some(Source {
        scopes: reader.scopes,
        lines: text.lines().map(str::to_owned).collect(),
    })
}

fn scope(name: &str, first_line: u32, around: Option<usize>, may_be_inlined: bool) -> Scope {
    Scope {
        name: name.to_owned(),
        first_line,
        around,
        may_be_inlined,
        operations: Vec::new(),
    }
}

fn line_starts(text: &str) -> Vec<u32> {
    let behind = text
        .bytes()
        .zip(1..)
        .filter(|(byte, _)| *byte == b'\n')
        .map(|(_, behind)| behind);
    std::iter::once(0).chain(behind).collect()
}

struct Reader {
    /// Where each line begins.
    starts: Vec<u32>,
    scopes: Vec<Scope>,
    /// The scope that is looked at.
    here: usize,
    /// The class around it, which private names are named after.
    class: Option<String>,
    depth: usize,
    is_too_deep: bool,
}

impl<'a> Visitor<'a> for Reader {
    fn visit_stmt(&mut self, statement: &'a Stmt) {
        self.nested(|reader| reader.statement(statement));
    }

    fn visit_expr(&mut self, expression: &'a Expr) {
        self.nested(|reader| reader.expression(expression));
    }

    fn visit_body(&mut self, body: &'a [Stmt]) {
        walk_body(self, body);
        for pair in body.windows(2) {
            let both = TextRange::new(pair[0].start(), pair[1].end());
            self.add_whole(both, counting::with_beginning(&pair[0], &pair[1]));
        }
    }

    /// They are no part of the code that has them.
    fn visit_annotation(&mut self, _annotation: &'a Expr) {}
}

impl Reader {
    fn nested(&mut self, look: impl FnOnce(&mut Self)) {
        if self.depth == DEEPEST {
            self.is_too_deep = true;
            return;
        }
        self.depth += 1;
        look(self);
        self.depth -= 1;
    }

    /// Looks at what belongs to a scope in this one.
    fn within(&mut self, name: &str, first: Range<u32>, may_be_inlined: bool, look: impl FnOnce(&mut Self)) {
        let around = self.here;
        let first_line = self.span_of(first).line;
        self.scopes.push(scope(name, first_line, Some(around), may_be_inlined));
        self.here = self.scopes.len() - 1;
        look(self);
        self.here = around;
    }

    fn statement(&mut self, statement: &Stmt) {
        match statement {
            Stmt::FunctionDef(function) => {
                let first = first_of(&function.decorator_list, function.range);
                for decorator in &function.decorator_list {
                    walk_decorator(self, decorator);
                }
                self.defaults(&function.parameters);
                self.within(&function.name, first, false, |reader| reader.visit_body(&function.body));
            }
            Stmt::ClassDef(class) => {
                let first = first_of(&class.decorator_list, class.range);
                for decorator in &class.decorator_list {
                    walk_decorator(self, decorator);
                }
                if let Some(arguments) = &class.arguments {
                    self.visit_arguments(arguments);
                }
                let around = self.class.replace(class.name.to_string());
                self.within(&class.name, first, false, |reader| reader.visit_body(&class.body));
                self.class = around;
            }
            Stmt::Assign(assign) => {
                walk_stmt(self, statement);
                self.note_building(assign);
                for target in assign.targets.iter().filter(|target| target.is_subscript_expr()) {
                    self.add(Kind::StoresItem, target.range(), None);
                }
                self.add_whole(assign.range, counting::with_get(assign));
                self.add_whole(assign.range, slicing::first_left_out(assign));
            }
            Stmt::If(asked) => {
                walk_stmt(self, statement);
                self.add_whole(asked.range, counting::with_question(asked));
            }
            Stmt::Try(tried) => {
                walk_stmt(self, statement);
                self.add_whole(tried.range, counting::with_handler(tried));
            }
            Stmt::AugAssign(assign) => {
                walk_stmt(self, statement);
                if assign.op == Operator::Add {
                    self.add(Kind::Adds, assign.range, operand(&assign.target).map(Idiom::Building));
                }
                if assign.target.is_subscript_expr() {
                    self.add(Kind::StoresItem, assign.target.range(), None);
                }
            }
            Stmt::For(each) => {
                walk_stmt(self, statement);
                let idiom = reading::in_loop(&each.target, &each.iter, |reads| reads.visit_body(&each.body));
                self.add_whole(each.range, idiom);
            }
            Stmt::Delete(delete) => {
                walk_stmt(self, statement);
                for target in &delete.targets {
                    if let Expr::Subscript(subscript) = target {
                        let first = is_number(&subscript.slice, 0)
                            .then(|| operand(&subscript.value))
                            .flatten();
                        let idiom = first.map(|operand| Idiom::FirstMoves { operand, method: "del" });
                        self.add(Kind::DeletesItem, target.range(), idiom);
                    }
                }
            }
            _ => walk_stmt(self, statement),
        }
    }

    fn expression(&mut self, expression: &Expr) {
        match expression {
            Expr::Lambda(lambda) => {
                if let Some(parameters) = &lambda.parameters {
                    self.defaults(parameters);
                }
                let first = range(lambda.range);
                self.within("<lambda>", first, false, |reader| reader.visit_expr(&lambda.body));
            }
            Expr::ListComp(each) => self.comprehension("<listcomp>", expression, &each.generators, &[&each.elt]),
            Expr::SetComp(each) => self.comprehension("<setcomp>", expression, &each.generators, &[&each.elt]),
            Expr::Generator(each) => self.comprehension("<genexpr>", expression, &each.generators, &[&each.elt]),
            Expr::DictComp(each) => {
                let parts: Vec<&Expr> = each.key.as_deref().into_iter().chain([&*each.value]).collect();
                self.comprehension("<dictcomp>", expression, &each.generators, &parts);
            }
            Expr::Compare(compare) => {
                walk_expr(self, expression);
                for (op, right) in compare.ops.iter().zip(&compare.comparators) {
                    if matches!(op, CmpOp::In | CmpOp::NotIn) {
                        self.add(Kind::Contains, compare.range, operand(right).map(Idiom::Membership));
                    }
                }
            }
            Expr::BinOp(binary) => {
                walk_expr(self, expression);
                if binary.op == Operator::Add {
                    self.add(Kind::Adds, binary.range, None);
                }
            }
            Expr::Call(call) => {
                walk_expr(self, expression);
                self.call(call);
            }
            _ => walk_expr(self, expression),
        }
    }

    /// `x = x + …` is `x += …` in full.
    fn note_building(&mut self, assign: &ast::StmtAssign) {
        let ([target], Expr::BinOp(sum)) = (&*assign.targets, &*assign.value) else {
            return;
        };
        let Some(built) = operand(target).filter(|built| operand(&sum.left).as_ref() == Some(built)) else {
            return;
        };
        let span = self.span_of(range(sum.range));
        let all = &mut self.scopes[self.here].operations;
        if let Some(added) = all
            .iter_mut()
            .rev()
            .find(|each| each.kind == Kind::Adds && each.span == span)
        {
            added.idiom = Some(Idiom::Building(built).in_class(self.class.as_deref()));
        }
    }

    fn call(&mut self, call: &ast::ExprCall) {
        let Expr::Attribute(method) = &*call.func else {
            self.add(Kind::Calls, call.range(), None);
            return;
        };
        let first = call.arguments.args.first();
        let moves = match (method.attr.as_str(), call.arguments.args.len()) {
            ("pop", 1) => Some("pop"),
            ("insert", 2) => Some("insert"),
            _ => None,
        };
        let is_first = first.is_some_and(|first| is_number(first, 0)) && call.arguments.keywords.is_empty();
        let idiom = moves.filter(|_| is_first).and_then(|method_name| {
            let operand = operand(&method.value)?;
            Some(Idiom::FirstMoves {
                operand,
                method: method_name,
            })
        });
        // Names of arguments and unpacked ones have instructions of their own.
        let is_plain = call.arguments.keywords.is_empty() && !call.arguments.args.iter().any(Expr::is_starred_expr);
        let kind = if is_plain { Kind::CallsMethod } else { Kind::Calls };
        self.add(kind, call.range(), idiom);
        let line = self.span_of(range(method.attr.range)).line;
        if let Some(added) = self.scopes[self.here].operations.last_mut() {
            added.other_line = line;
        }
    }

    /// The first iterable is looked at by the code around it.
    fn comprehension(&mut self, name: &str, whole: &Expr, generators: &[Comprehension], parts: &[&Expr]) {
        let Some((first, others)) = generators.split_first() else {
            return;
        };
        self.visit_expr(&first.iter);
        self.add_whole(whole.range(), reading::in_comprehension(first, others, parts));
        let may_be_inlined = name != "<genexpr>";
        self.within(name, range(whole.range()), may_be_inlined, |reader| {
            reader.conditions(first);
            for other in others {
                reader.visit_expr(&other.iter);
                reader.conditions(other);
            }
            for part in parts {
                reader.visit_expr(part);
            }
        });
    }

    fn conditions(&mut self, part: &Comprehension) {
        self.visit_expr(&part.target);
        for condition in &part.ifs {
            self.visit_expr(condition);
        }
    }

    fn defaults(&mut self, parameters: &ast::Parameters) {
        for parameter in parameters.iter_non_variadic_params() {
            if let Some(default) = &parameter.default {
                self.visit_expr(default);
            }
        }
    }

    fn add_whole(&mut self, place: TextRange, idiom: Option<Idiom>) {
        if idiom.is_some() {
            self.add(Kind::Spans, place, idiom);
        }
    }

    fn add(&mut self, kind: Kind, place: TextRange, idiom: Option<Idiom>) {
        let span = self.span_of(range(place));
        let idiom = idiom.map(|idiom| idiom.in_class(self.class.as_deref()));
        self.scopes[self.here].operations.push(Operation {
            kind,
            span,
            other_line: span.line,
            idiom,
        });
    }

    fn span_of(&self, range: Range<u32>) -> Span {
        let place = |at: u32| {
            let line = self.starts.partition_point(|&start| start <= at);
            let start = line.checked_sub(1).and_then(|index| self.starts.get(index));
            (line as u32, at - start.copied().unwrap_or_default())
        };
        let ((line, column), (end_line, end_column)) = (place(range.start), place(range.end));
        Span {
            line,
            column,
            end_line,
            end_column,
        }
    }
}

fn range(range: TextRange) -> Range<u32> {
    range.start().to_u32()..range.end().to_u32()
}

/// Where a definition begins, its decorators included.
fn first_of(decorators: &[ast::Decorator], whole: TextRange) -> Range<u32> {
    range(decorators.first().map_or(whole, |first| first.range))
}
