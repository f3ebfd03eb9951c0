//! The scopes of a source file, and which operation of one an instruction carries out.

use super::idiom::Idiom;

/// What was read of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Source {
    pub scopes: Vec<Scope>,
    /// The lines of the file as they stand there.
    pub lines: Vec<String>,
}

/// What becomes a code object, or in newer versions a part of the one around it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// As `co_name` has it.
    pub name: String,
    /// Of the first decorator, where there is one.
    pub first_line: u32,
    /// The number of the scope around it.
    pub around: Option<usize>,
    /// Whether it is a comprehension that a compiler may make a part of the scope around it.
    pub may_be_inlined: bool,
    /// In the order in which they are carried out.
    pub operations: Vec<Operation>,
}

/// Something that one instruction does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    pub kind: Kind,
    pub span: Span,
    /// The line that the instruction may have besides that of its beginning: of a method's name.
    pub other_line: u32,
    pub idiom: Option<Idiom>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `in` and `not in`.
    Contains,
    /// A call that names a method.
    CallsMethod,
    /// Any other call.
    Calls,
    /// `+` and `+=`.
    Adds,
    /// `x[k] = …`.
    StoresItem,
    /// `del x[k]`.
    DeletesItem,
    /// What no single instruction does: a whole statement or comprehension.
    Spans,
}

/// From where to where something stands: lines count from 1, columns from 0, in bytes of UTF-8.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Span {
    pub line: u32,
    pub column: u32,
    pub end_line: u32,
    pub end_column: u32,
}

/// What is known of an instruction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place<'a> {
    pub function: &'a str,
    pub first_line: u32,
    pub line: u32,
    pub kind: Kind,
    /// Where newer versions say so.
    pub span: Option<Span>,
    /// Which one it is of those of its kind in its line, and how many there are.
    pub number: usize,
    pub count: usize,
}

impl Source {
    /// The numbers of the scopes that a code object may be of; more than one where a line has several of a name.
    fn scopes_of(&self, function: &str, first_line: u32) -> Vec<usize> {
        // The first line of a module is that of its first instruction in older versions.
        let is_it = |scope: &Scope| {
            scope.name == function && (scope.first_line == first_line || scope.around.is_none() && first_line > 0)
        };
        let scopes = self.scopes.iter().enumerate();
        scopes
            .filter(|(_, scope)| is_it(scope))
            .map(|(number, _)| number)
            .collect()
    }

    /// Whether there is such a function, class or module.
    pub fn has(&self, function: &str, first_line: u32) -> bool {
        !self.scopes_of(function, first_line).is_empty()
    }

    /// The operation that an instruction carries out; `None` where that is not certain.
    pub fn operation(&self, place: &Place<'_>) -> Option<&Operation> {
        let [scope] = self.scopes_of(place.function, place.first_line)[..] else {
            return None;
        };
        let all: Vec<(bool, &Operation)> = self.with_inlined(scope);
        let of_line = |operation: &&Operation| {
            operation.kind == place.kind && (operation.span.line == place.line || operation.other_line == place.line)
        };
        let with: Vec<&Operation> = all.iter().map(|&(_, operation)| operation).filter(of_line).collect();
        if let Some(span) = place.span {
            let mut there = all.iter().map(|&(_, operation)| operation).filter(|operation| {
                operation.is_of(place.kind) && (operation.span == span || operation.is_method_at(span))
            });
            return there.next().filter(|_| there.next().is_none());
        }
        let own = all
            .iter()
            .filter(|(is_own, _)| *is_own)
            .map(|&(_, operation)| operation);
        let without: Vec<&Operation> = own.filter(of_line).collect();
        // A compiler may make a part of a program more than once, such as a loop's condition.
        let fits =
            |operations: &&Vec<&Operation>| !operations.is_empty() && place.count.is_multiple_of(operations.len());
        let operations = [&with, &without].into_iter().find(fits)?;
        operations.get(place.number % operations.len()).copied()
    }

    /// The operations of a scope and of the comprehensions in it that may be a part of it, and whether each is its own.
    fn with_inlined(&self, scope: usize) -> Vec<(bool, &Operation)> {
        /// Deeper comprehensions nobody reads.
        const MOST: usize = 16;
        let is_part = |mut number: usize| {
            for _ in 0..MOST {
                if number == scope {
                    return true;
                }
                match self.scopes.get(number) {
                    Some(Scope {
                        around: Some(around),
                        may_be_inlined: true,
                        ..
                    }) => number = *around,
                    _ => return false,
                }
            }
            false
        };
        let parts = (0..self.scopes.len()).filter(|&number| is_part(number));
        let mut found: Vec<(bool, &Operation)> = parts
            .flat_map(|number| {
                self.scopes[number]
                    .operations
                    .iter()
                    .map(move |each| (number == scope, each))
            })
            .collect();
        found.sort_by_key(|(_, operation)| (operation.span.end_line, operation.span.end_column));
        found
    }

    /// Whether there are operations of the kind in that line at all.
    pub fn has_kind(&self, place: &Place<'_>) -> bool {
        let scopes = self.scopes_of(place.function, place.first_line).into_iter();
        let mut all = scopes.flat_map(|scope| self.with_inlined(scope));
        all.any(|(_, operation)| {
            operation.is_of(place.kind) && (operation.span.line == place.line || operation.other_line == place.line)
        })
    }

    /// Operations with an idiom in a scope whose lines these are.
    pub fn idioms_at(&self, function: &str, first_line: u32, line: u32) -> Vec<&Operation> {
        let [scope] = self.scopes_of(function, first_line)[..] else {
            return Vec::new();
        };
        let has_line = |operation: &&Operation| (operation.span.line..=operation.span.end_line).contains(&line);
        let all = self.with_inlined(scope).into_iter().map(|(_, operation)| operation);
        all.filter(|operation| operation.idiom.is_some())
            .filter(has_line)
            .collect()
    }

    /// A line without what stands around it.
    pub fn line(&self, number: u32) -> &str {
        let line = (number as usize).checked_sub(1).and_then(|index| self.lines.get(index));
        line.map_or("", |line| line.trim())
    }
}

impl Operation {
    /// Whether an instruction of this kind carries it out, where versions have one for all calls.
    fn is_of(&self, kind: Kind) -> bool {
        self.kind == kind || self.kind == Kind::CallsMethod && kind == Kind::Calls
    }

    /// Whether a call of a method in several lines is meant, which begins where the method's name does.
    fn is_method_at(&self, span: Span) -> bool {
        let ends_alike = (self.span.end_line, self.span.end_column) == (span.end_line, span.end_column);
        self.kind == Kind::CallsMethod && ends_alike && self.other_line == span.line && span.line != self.span.line
    }
}
