//! Which area of the file a process gets: one that nobody ever had, or that of a process that has ended.

use recording::form::pid;

/// The areas of a file, by number.
pub trait Areas {
    /// How many were ever used.
    fn used(&self) -> usize;
    /// Takes one that nobody ever had, for this process.
    fn fresh(&self, mine: u64) -> Option<usize>;
    /// Whose it is.
    fn owner(&self, number: usize) -> u64;
    /// Whether that process has ended, or is this one before it executed another program, and its area may be had.
    fn is_over(&self, owner: u64) -> bool;
    /// Makes it this process's, unless somebody else came first.
    fn hand_over(&self, number: usize, owner: u64, mine: u64) -> bool;
}

/// So many areas are looked at before a fresh one is taken.
const LOOKS: usize = 32;

/// Claims an area for this process, which is the `serial`th. A file of many short processes stays as small as if it had
/// only those that live at the same time; where many live, only some of their areas are looked at.
pub fn claim(areas: &impl Areas, mine: u64, serial: usize) -> Option<usize> {
    let used = areas.used();
    let left_over = |looks: usize| {
        let numbers = (0..looks).map(|look| (serial + look) % used.max(1));
        numbers.into_iter().find(|&number| {
            let owner = areas.owner(number);
            owner != 0 && areas.is_over(owner) && areas.hand_over(number, owner, mine)
        })
    };
    left_over(used.min(LOOKS))
        .or_else(|| areas.fresh(mine))
        .or_else(|| left_over(used))
}

/// Whether `mine` may have the area of `owner`: it is its own, of before it executed another program, or nobody's any more. What
/// the program that is looked at has written is to be read, and of processes in other namespaces nobody can tell.
pub fn is_left(owner: u64, mine: u64, program: u64, has_ended: impl FnOnce(u32) -> bool) -> bool {
    let is_here = owner >> 32 == mine >> 32;
    owner == mine || is_here && owner != program && has_ended(pid(owner))
}

#[cfg(test)]
mod tests {
    use recording::form::process;
    use std::cell::{Cell, RefCell};

    use super::*;

    /// A small file.
    struct Few {
        owners: RefCell<Vec<u64>>,
        most: usize,
        alive: RefCell<Vec<u64>>,
        looks: Cell<usize>,
    }

    impl Areas for Few {
        fn used(&self) -> usize {
            self.owners.borrow().len()
        }

        fn fresh(&self, mine: u64) -> Option<usize> {
            let mut owners = self.owners.borrow_mut();
            owners.push(mine);
            if owners.len() > self.most {
                owners.pop();
                return None;
            }
            Some(owners.len() - 1)
        }

        fn owner(&self, number: usize) -> u64 {
            self.looks.set(self.looks.get() + 1);
            self.owners.borrow()[number]
        }

        fn is_over(&self, owner: u64) -> bool {
            !self.alive.borrow().contains(&owner)
        }

        fn hand_over(&self, number: usize, owner: u64, mine: u64) -> bool {
            let place = &mut self.owners.borrow_mut()[number];
            let is_first = *place == owner;
            if is_first {
                *place = mine;
            }
            is_first
        }
    }

    fn few(most: usize) -> Few {
        Few {
            owners: RefCell::default(),
            most,
            alive: RefCell::default(),
            looks: Cell::new(0),
        }
    }

    #[test]
    fn what_is_read_or_alive_is_left_alone() {
        let (program, other, elsewhere) = (process(1, 10), process(1, 11), process(2, 10));
        let ended = |owner, mine| is_left(owner, mine, program, |_| true);
        assert!(ended(other, program) && ended(other, process(1, 12)));
        assert!(!ended(program, other) && !ended(elsewhere, other));
        // Executed so often that no area is left, the program goes on in one that it had before.
        assert!(is_left(program, program, program, |_| false));
        assert!(!is_left(other, program, program, |_| false));
    }

    #[test]
    fn what_has_ended_makes_room() {
        let areas = few(4);
        areas.alive.borrow_mut().push(1);
        let claimed: Vec<_> = (1..=500)
            .map(|mine| claim(&areas, mine, mine as usize).unwrap())
            .collect();
        assert_eq!(claimed[0], 0);
        assert!(claimed[1..].iter().all(|&number| number == 1), "{claimed:?}");
    }

    #[test]
    fn what_is_alive_keeps_its_area() {
        let areas = few(3);
        areas.alive.borrow_mut().extend([1, 2, 3]);
        assert_eq!(
            [1, 2, 3, 4].map(|mine| claim(&areas, mine, 7)),
            [Some(0), Some(1), Some(2), None]
        );
        areas.alive.borrow_mut().retain(|&owner| owner != 2);
        assert_eq!(claim(&areas, 5, 7), Some(1));
    }

    #[test]
    fn not_all_of_many_are_looked_at() {
        let areas = few(1000);
        areas.alive.borrow_mut().extend(1..=1001);
        for mine in 1..=1000 {
            claim(&areas, mine, mine as usize);
        }
        assert!(areas.looks.get() <= 1000 * LOOKS);
        // When all were used, one that is over is found wherever it is.
        areas.alive.borrow_mut().retain(|&owner| owner != 500);
        assert_eq!(claim(&areas, 1001, 3), Some(499));
    }
}
