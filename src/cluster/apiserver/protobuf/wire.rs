//! The wire format of protobuf: numbered fields, without a schema.
//!
//! Source of the format: the encoding guide of Protocol Buffers; the texts are those of the
//! decoders that upstream generates.

/// The value of a field as it stands on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wire<'b> {
    Varint(u64),
    Fixed64([u8; 8]),
    /// A text, bytes, a message, or packed numbers.
    Delimited(&'b [u8]),
    Fixed32([u8; 4]),
}

impl Wire<'_> {
    pub(super) fn wire_type(self) -> u8 {
        match self {
            Self::Varint(_) => 0,
            Self::Fixed64(_) => 1,
            Self::Delimited(_) => 2,
            Self::Fixed32(_) => 5,
        }
    }
}

/// The fields of a message in the order in which they stand there. It ends at the first fault.
pub(super) struct Fields<'b> {
    rest: &'b [u8],
}

impl<'b> Fields<'b> {
    pub(super) fn new(message: &'b [u8]) -> Self {
        Self { rest: message }
    }

    fn field(&mut self) -> Result<(u32, Wire<'b>), String> {
        let tag = varint(&mut self.rest)?;
        let (number, wire_type) = (tag >> 3, tag & 7);
        let value = match wire_type {
            0 => Wire::Varint(varint(&mut self.rest)?),
            1 => Wire::Fixed64(fixed(&mut self.rest)?),
            2 => {
                let length = varint(&mut self.rest)?;
                let length = usize::try_from(length).map_err(|_| cut_short())?;
                Wire::Delimited(take(&mut self.rest, length)?)
            }
            5 => Wire::Fixed32(fixed(&mut self.rest)?),
            other => return Err(format!("proto: illegal wireType {other}")),
        };
        match u32::try_from(number) {
            Ok(number) if number > 0 => Ok((number, value)),
            _ => Err(format!(
                "proto: illegal tag {number} (wire type {wire_type})"
            )),
        }
    }
}

impl<'b> Iterator for Fields<'b> {
    type Item = Result<(u32, Wire<'b>), String>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_err() {
            self.rest = &[];
        }
        Some(field)
    }
}

/// Reads a number of seven bits a byte, least first: `ac 02` is 300.
///
/// # Errors
/// The bytes end before the number, or it has more than 64 bits.
pub(super) fn varint(bytes: &mut &[u8]) -> Result<u64, String> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first().ok_or_else(cut_short)?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err("proto: integer overflow".to_owned())
}

fn fixed<const N: usize>(bytes: &mut &[u8]) -> Result<[u8; N], String> {
    take(bytes, N)?.try_into().map_err(|_| cut_short())
}

fn take<'b>(bytes: &mut &'b [u8], length: usize) -> Result<&'b [u8], String> {
    let (taken, rest) = bytes.split_at_checked(length).ok_or_else(cut_short)?;
    *bytes = rest;
    Ok(taken)
}

fn cut_short() -> String {
    "unexpected EOF".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_come_as_they_stand() {
        let message = [
            0x08, 0xac, 0x02, 0x12, 0x01, b'x', 0x1d, 1, 0, 0, 0, 0x21, 2, 0, 0, 0, 0, 0, 0, 0,
        ];
        let fields: Result<Vec<_>, _> = Fields::new(&message).collect();
        assert_eq!(
            fields.unwrap(),
            [
                (1, Wire::Varint(300)),
                (2, Wire::Delimited(b"x")),
                (3, Wire::Fixed32([1, 0, 0, 0])),
                (4, Wire::Fixed64([2, 0, 0, 0, 0, 0, 0, 0])),
            ]
        );
    }

    #[test]
    fn broken_messages_end_with_what_is_wrong() {
        for (message, fault) in [
            (&[0x08][..], "unexpected EOF"),
            (&[0x12, 5, b'x'], "unexpected EOF"),
            (&[0x0f], "proto: illegal wireType 7"),
            (&[0x00, 0x00], "proto: illegal tag 0 (wire type 0)"),
            (
                &[0x08, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255],
                "proto: integer overflow",
            ),
        ] {
            let fields: Result<Vec<_>, _> = Fields::new(message).collect();
            assert_eq!(fields.unwrap_err(), fault, "{message:?}");
        }
    }
}
