use std::net::IpAddr;
use std::str::FromStr;

/// An address, or a range of them such as `10.0.0.0/8`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    /// Leading bits that count.
    bits: u8,
}

impl Network {
    /// Whether an address is in the range.
    pub fn contains(&self, address: IpAddr) -> bool {
        let (own, other) = (self.address.to_canonical(), address.to_canonical());
        own.is_ipv4() == other.is_ipv4() && prefix(own, self.bits) == prefix(other, self.bits)
    }
}

/// The leading bits of an address.
fn prefix(address: IpAddr, bits: u8) -> u128 {
    let (number, length) = match address {
        IpAddr::V4(address) => (u128::from(address.to_bits()), 32),
        IpAddr::V6(address) => (address.to_bits(), 128),
    };
    number.checked_shr(length - u32::from(bits)).unwrap_or(0)
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no address and no range such as 10.0.0.0/8");
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits.parse().map_err(|_| wrong())?)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let longest = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.unwrap_or(longest);
        if bits > longest {
            return Err(wrong());
        }
        Ok(Self { address, bits })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_hold_their_addresses() {
        struct Case(&'static str, &'static str, bool);
        for Case(network, address, expected) in [
            Case("10.1.2.3", "10.1.2.3", true),
            Case("10.1.2.3", "10.1.2.4", false),
            Case("10.0.0.0/8", "10.255.0.1", true),
            Case("10.0.0.0/8", "11.0.0.1", false),
            Case("10.0.0.0/8", "::ffff:10.1.1.1", true),
            Case("0.0.0.0/0", "192.0.2.1", true),
            Case("0.0.0.0/0", "::1", false),
            Case("::/0", "2001:db8::1", true),
            Case("2001:db8::/32", "2001:db8:1::1", true),
            Case("2001:db8::/32", "2001:db9::1", false),
        ] {
            let network: Network = network.parse().unwrap();
            let found = network.contains(address.parse().unwrap());
            assert_eq!(found, expected, "{network:?} {address}");
        }
        for wrong in [
            "",
            "x",
            "10.0.0.0/33",
            "10.0.0.0/-1",
            "10.0.0.0/x",
            "::/129",
        ] {
            assert!(wrong.parse::<Network>().is_err(), "{wrong}");
        }
    }
}
