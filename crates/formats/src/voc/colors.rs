//! The colours of the original challenge.

/// The classes of the original challenge with the background, in the order of their colours.
pub(super) const CLASSES: [&str; 21] = [
    "background",
    "aeroplane",
    "bicycle",
    "bird",
    "boat",
    "bottle",
    "bus",
    "car",
    "cat",
    "chair",
    "cow",
    "diningtable",
    "dog",
    "horse",
    "motorbike",
    "person",
    "pottedplant",
    "sheep",
    "sofa",
    "train",
    "tvmonitor",
];

/// The colour of a number: its bits go in turn to the highest bits of red, green and blue.
pub(super) fn color(number: u8) -> [u8; 3] {
    let mut rgb = [0; 3];
    for bit in 0..8 {
        rgb[bit % 3] |= (number >> bit & 1) << (7 - bit / 3);
    }
    rgb
}

/// The number of a colour.
pub(super) fn number(rgb: [u8; 3]) -> Option<u8> {
    (0..=255).find(|number| color(*number) == rgb)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_those_of_the_challenge() {
        assert_eq!(
            [color(0), color(1), color(8)],
            [[0, 0, 0], [128, 0, 0], [64, 0, 0]]
        );
        assert_eq!([color(20), color(255)], [[0, 64, 128], [224, 224, 192]]);
        assert!((0..=255).all(|n| number(color(n)) == Some(n)));
    }
}
