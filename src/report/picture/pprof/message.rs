//! Messages in the wire format of protocol buffers (<https://protobuf.dev/programming-guides/encoding/>), as far as
//! profiles need it: numbers, texts, lists of numbers, messages in messages.

#[derive(Debug, Default)]
pub struct Message {
    bytes: Vec<u8>,
}

/// How the length of a field is told.
#[derive(Clone, Copy)]
enum Wire {
    Number = 0,
    Length = 2,
}

impl Message {
    pub fn number(&mut self, field: u32, value: u64) {
        self.tag(field, Wire::Number);
        self.varint(value);
    }

    pub fn text(&mut self, field: u32, text: &str) {
        self.bytes(field, text.as_bytes());
    }

    pub fn message(&mut self, field: u32, message: &Message) {
        self.bytes(field, &message.bytes);
    }

    /// A packed list.
    pub fn numbers(&mut self, field: u32, values: impl Iterator<Item = u64>) {
        let mut packed = Message::default();
        values.for_each(|value| packed.varint(value));
        self.message(field, &packed);
    }

    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    fn bytes(&mut self, field: u32, bytes: &[u8]) {
        self.tag(field, Wire::Length);
        self.varint(bytes.len() as u64);
        self.bytes.extend_from_slice(bytes);
    }

    fn tag(&mut self, field: u32, wire: Wire) {
        self.varint(u64::from(field) << 3 | wire as u64);
    }

    /// Seven bits a byte, the lowest first; all bytes but the last have their highest bit set.
    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.bytes.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.bytes.push(value as u8);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_written_as_the_format_says() {
        let mut inner = Message::default();
        inner.number(1, 150);
        assert_eq!(inner.bytes, [0x08, 0x96, 0x01]);
        let mut outer = Message::default();
        outer.message(3, &inner);
        outer.text(2, "testing");
        outer.numbers(6, [3, 270, 86942].into_iter());
        let expected = b"\x1a\x03\x08\x96\x01\x12\x07testing\x32\x06\x03\x8e\x02\x9e\xa7\x05";
        assert_eq!(outer.into_bytes(), expected);
        let mut largest = Message::default();
        largest.number(1, u64::MAX);
        assert_eq!(largest.bytes, b"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01");
    }
}
