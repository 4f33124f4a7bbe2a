//! Numbers of 5 bits a letter, least first, the sixth bit for "more", as `pycocotools` packs
//! them; from the fourth run on each is the difference from the one before the last.

/// Run lengths from packed text.
pub(super) fn unpack(text: &str) -> Result<Vec<u64>, String> {
    let mut runs: Vec<i64> = Vec::new();
    let (mut value, mut shift) = (0_i64, 0_u32);
    for byte in text.bytes() {
        let bits = i64::from(byte.wrapping_sub(48));
        if bits > 63 || shift > 50 {
            return Err("the mask's counts are damaged".to_owned());
        }
        value |= (bits & 31) << shift;
        shift += 5;
        if bits & 32 != 0 {
            continue;
        }
        if bits & 16 != 0 {
            value |= -1 << shift;
        }
        if let [_, .., before, _] = runs[..] {
            value = value.wrapping_add(before);
        }
        runs.push(value);
        (value, shift) = (0, 0);
    }
    if shift > 0 {
        return Err("the mask's counts end too early".to_owned());
    }
    let unsigned = runs
        .into_iter()
        .map(u64::try_from)
        .collect::<Result<_, _>>();
    unsigned.map_err(|_| "the mask has a run of negative length".to_owned())
}

/// Packed text of run lengths.
pub(super) fn pack(runs: &[u32]) -> String {
    let mut text = String::new();
    for (index, run) in runs.iter().enumerate() {
        let before = if index > 2 {
            i64::from(runs[index - 2])
        } else {
            0
        };
        let mut value = i64::from(*run) - before;
        loop {
            let bits = value & 31;
            value >>= 5;
            let done = if bits & 16 == 0 {
                value == 0
            } else {
                value == -1
            };
            let more = if done { 0 } else { 32 };
            text.push(char::from((bits | more) as u8 + 48));
            if done {
                break;
            }
        }
    }
    text
}
