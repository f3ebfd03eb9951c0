//! Room for millions of rows: space for all that may come, which costs nothing until it is used.

/// An empty `Vec` with room for about `count` items, or without where the system does not give so much.
pub fn roomy<T>(count: usize) -> Vec<T> {
    let mut room = Vec::new();
    // Without room at once, it grows as it is needed.
    let _ = room.try_reserve_exact(count);
    room
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_room_or_none() {
        let mut room = roomy::<u64>(1 << 20);
        assert!(room.capacity() >= 1 << 20);
        room.push(7);
        assert_eq!(room, [7]);
        assert_eq!(roomy::<u64>(usize::MAX / 16).capacity(), 0);
    }
}
