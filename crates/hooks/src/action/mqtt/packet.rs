//! The control packets of MQTT 3.1.1 (OASIS standard, 29 October 2014) that a publisher needs.
//!
//! A packet is a byte with its type and flags, its remaining length in seven bits a byte
//! (section 2.2.3), and its content. Texts are preceded by their length in two bytes.

use std::io::{self, Read};

/// Bytes that a packet may have beyond its fixed header (section 2.2.3).
const LONGEST: usize = 268_435_455;

/// Longest packet that a broker has reason to send to a publisher that subscribes to nothing.
const LONGEST_ANSWER: usize = 1 << 16;

/// Ends a session in order (section 3.14).
pub(super) const DISCONNECT: [u8; 2] = [0xe0, 0];

/// A text or message is longer than the protocol allows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} is longer than MQTT allows")]
pub(super) struct TooLong {
    what: &'static str,
}

/// What a broker says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    /// The return code of the connection; 0 is success (section 3.2.2.3).
    Connection(u8),
    /// The message with this number has arrived (section 3.4).
    Arrived(u16),
    /// Something that a publisher need not know.
    Other,
}

/// Opens a session that keeps nothing (section 3.1).
pub(super) fn connect(client: &str, credentials: Option<(&str, &str)>) -> Result<Vec<u8>, TooLong> {
    let (clean, user, password) = (0x02, 0x80, 0x40);
    let flags = clean | credentials.map_or(0, |_| user | password);
    let mut content = Vec::new();
    push_text(&mut content, "MQTT", "the protocol's name")?;
    // Level 4 is version 3.1.1; no keep-alive: the session lasts for one message.
    content.extend([4, flags, 0, 0]);
    push_text(&mut content, client, "the client's name")?;
    if let Some((user, password)) = credentials {
        push_text(&mut content, user, "the user name")?;
        push_text(&mut content, password, "the password")?;
    }
    packet(0x10, &content, &[])
}

/// A message with `QoS` 1: the broker confirms its number (section 3.3).
pub(super) fn publish(topic: &str, number: u16, message: &[u8]) -> Result<Vec<u8>, TooLong> {
    let mut head = Vec::new();
    push_text(&mut head, topic, "the topic")?;
    head.extend(number.to_be_bytes());
    packet(0x32, &head, message)
}

fn packet(kind: u8, head: &[u8], body: &[u8]) -> Result<Vec<u8>, TooLong> {
    let mut length = head.len() + body.len();
    if length > LONGEST {
        return Err(TooLong {
            what: "the message",
        });
    }
    let mut packet = Vec::with_capacity(length + 5);
    packet.push(kind);
    loop {
        let (rest, digit) = (length >> 7, (length & 0x7f) as u8);
        packet.push(if rest > 0 { digit | 0x80 } else { digit });
        if rest == 0 {
            break;
        }
        length = rest;
    }
    packet.extend_from_slice(head);
    packet.extend_from_slice(body);
    Ok(packet)
}

fn push_text(packet: &mut Vec<u8>, text: &str, what: &'static str) -> Result<(), TooLong> {
    let length = u16::try_from(text.len()).map_err(|_| TooLong { what })?;
    packet.extend(length.to_be_bytes());
    packet.extend_from_slice(text.as_bytes());
    Ok(())
}

/// Reads one packet of a broker.
pub(super) fn read(reader: &mut impl Read) -> io::Result<Answer> {
    let [kind] = bytes(reader)?;
    let length = read_length(reader)?;
    let mut content = vec![0; length];
    reader.read_exact(&mut content)?;
    match (kind >> 4, content.as_slice()) {
        (2, [_, code]) => Ok(Answer::Connection(*code)),
        (4, [high, low]) => Ok(Answer::Arrived(u16::from_be_bytes([*high, *low]))),
        (2 | 4, _) => Err(invalid("a packet of the broker has the wrong length")),
        _ => Ok(Answer::Other),
    }
}

fn read_length(reader: &mut impl Read) -> io::Result<usize> {
    let mut length = 0;
    for shift in [0, 7, 14, 21] {
        let [digit] = bytes(reader)?;
        length |= usize::from(digit & 0x7f) << shift;
        if length > LONGEST_ANSWER {
            return Err(invalid("a packet of the broker is too long"));
        }
        if digit & 0x80 == 0 {
            return Ok(length);
        }
    }
    Err(invalid("the length of a packet of the broker has no end"))
}

fn bytes<const N: usize>(reader: &mut impl Read) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    reader.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn invalid(message: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_are_those_of_the_standard() {
        let expected = b"\x10\x13\0\x04MQTT\x04\xc2\0\0\0\x01c\0\x01u\0\x01p";
        assert_eq!(connect("c", Some(("u", "p"))).unwrap(), expected);
        assert_eq!(
            connect("", None).unwrap(),
            b"\x10\x0c\0\x04MQTT\x04\x02\0\0\0\0"
        );
        // Figure 3.11 of the standard, with QoS 1.
        let expected = b"\x32\x09\0\x03a/b\0\x0ahi";
        assert_eq!(publish("a/b", 10, b"hi").unwrap(), expected);
    }

    #[test]
    fn lengths_are_those_of_table_2_4() {
        struct Case(usize, &'static [u8]);
        for Case(length, expected) in [
            Case(127, &[0x7f]),
            Case(128, &[0x80, 0x01]),
            Case(16_383, &[0xff, 0x7f]),
            Case(16_384, &[0x80, 0x80, 0x01]),
            Case(2_097_152, &[0x80, 0x80, 0x80, 0x01]),
        ] {
            let packet = packet(0x32, &[], &vec![0; length]).unwrap();
            assert_eq!(&packet[1..=expected.len()], expected, "{length}");
            assert_eq!(packet.len(), 1 + expected.len() + length);
        }
    }

    #[test]
    fn answers_are_read_and_nonsense_is_an_error() {
        struct Case(&'static [u8], Option<Answer>);
        for Case(bytes, expected) in [
            Case(&[0x20, 2, 0, 0], Some(Answer::Connection(0))),
            Case(&[0x20, 2, 1, 5], Some(Answer::Connection(5))),
            Case(&[0x40, 2, 1, 2], Some(Answer::Arrived(0x0102))),
            Case(&[0xd0, 0], Some(Answer::Other)),
            Case(&[0x30, 0x81, 0, 7], Some(Answer::Other)),
            Case(&[0x40, 1, 1], None),
            Case(&[0x40, 2, 1], None),
            Case(&[0x30, 0xff, 0xff, 0xff, 0x7f], None),
            Case(&[0x30, 0x80, 0x80, 0x80, 0x80, 0], None),
            Case(&[], None),
        ] {
            let mut reader = bytes;
            assert_eq!(read(&mut reader).ok(), expected, "{bytes:?}");
        }
    }

    #[test]
    fn what_is_too_long_is_refused() {
        assert!(publish(&"x".repeat(70_000), 1, b"").is_err());
        assert!(connect("c", Some(("u", &"x".repeat(70_000)))).is_err());
    }
}
