//! What code does that another data structure would do better.

use super::operand::Operand;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Idiom {
    /// `… in OPERAND`.
    Membership(Operand),
    /// `OPERAND.pop(0)`, `OPERAND.insert(0, …)`, `del OPERAND[0]`: all other items have to move. `OPERAND = OPERAND[1:]`
    /// copies them.
    FirstMoves { operand: Operand, method: &'static str },
    /// `OPERAND += …`, or the same in full.
    Building(Operand),
    /// `OPERAND[k] = OPERAND.get(k, 0) + …`, or `OPERAND[k] += …` where it is asked first whether `k` is there.
    Counting(Operand),
    /// `for x in OPERAND`, where `x` is asked for one attribute again and again, or for more than that (`None`).
    Reading {
        operand: Operand,
        attribute: Option<String>,
    },
}

impl Idiom {
    pub fn operand(&self) -> &Operand {
        match self {
            Idiom::Membership(operand)
            | Idiom::FirstMoves { operand, .. }
            | Idiom::Reading { operand, .. }
            | Idiom::Building(operand)
            | Idiom::Counting(operand) => operand,
        }
    }

    /// The same with the names that a compiler gives to private ones in this class.
    pub fn in_class(self, class: Option<&str>) -> Idiom {
        let Some(class) = class else { return self };
        match self {
            Idiom::Membership(operand) => Idiom::Membership(operand.in_class(class)),
            Idiom::FirstMoves { operand, method } => Idiom::FirstMoves {
                operand: operand.in_class(class),
                method,
            },
            Idiom::Building(operand) => Idiom::Building(operand.in_class(class)),
            Idiom::Counting(operand) => Idiom::Counting(operand.in_class(class)),
            Idiom::Reading { operand, attribute } => Idiom::Reading {
                operand: operand.in_class(class),
                attribute,
            },
        }
    }
}
