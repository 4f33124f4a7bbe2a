//! A compressor for the filtered rows of photographs.
//!
//! What is left of a photograph after filtering has next to no repetitions, so looking for them
//! is wasted time. What helps is a code of its own for the bytes of each image, found from a
//! sample of its rows, and short forms for runs of zeros, which flat areas leave. The stream is
//! one block of DEFLATE (RFC 1951) with dynamic codes, in a zlib envelope (RFC 1950).

use simd_adler32::Adler32;

use super::huffman;

/// Bits of the longest code: four bytes and what is left over from before fit into 64 bits.
const LONGEST: u8 = 12;

const END: usize = 256;
const SYMBOLS: usize = 286;

/// Shortest and longest run that has a form of its own.
const RUN: std::ops::RangeInclusive<usize> = 3..=258;

/// Least run and extra bits of the symbols from 257 on (RFC 1951, 3.2.5).
const RUNS: [(usize, u32); 29] = [
    (3, 0),
    (4, 0),
    (5, 0),
    (6, 0),
    (7, 0),
    (8, 0),
    (9, 0),
    (10, 0),
    (11, 1),
    (13, 1),
    (15, 1),
    (17, 1),
    (19, 2),
    (23, 2),
    (27, 2),
    (31, 2),
    (35, 3),
    (43, 3),
    (51, 3),
    (59, 3),
    (67, 4),
    (83, 4),
    (99, 4),
    (115, 4),
    (131, 5),
    (163, 5),
    (195, 5),
    (227, 5),
    (258, 0),
];

/// What a row consists of.
trait Parts {
    fn four(&mut self, bytes: [u8; 4]);

    fn one(&mut self, byte: u8);

    /// So many zeros after a zero.
    fn run(&mut self, length: usize);
}

/// Takes a row apart: zeros in whole groups of eight are runs.
#[inline]
fn take_apart(row: &[u8], parts: &mut impl Parts) {
    let mut zeros = 0;
    let (groups, rest) = row.as_chunks::<8>();
    for group in groups {
        if u64::from_ne_bytes(*group) == 0 {
            zeros += 8;
            continue;
        }
        if zeros > 0 {
            all_zeros(zeros, parts);
            zeros = 0;
        }
        let [a, b, c, d, e, f, g, h] = *group;
        parts.four([a, b, c, d]);
        parts.four([e, f, g, h]);
    }
    all_zeros(zeros, parts);
    for byte in rest {
        parts.one(*byte);
    }
}

#[cold]
fn all_zeros(count: usize, parts: &mut impl Parts) {
    let Some(mut left) = count.checked_sub(1) else {
        return;
    };
    parts.one(0);
    while left >= *RUN.start() {
        let run = left.min(*RUN.end());
        parts.run(run);
        left -= run;
    }
    (0..left).for_each(|_| parts.one(0));
}

/// The place in [`RUNS`] of a run of this length.
fn run_symbol(length: usize) -> usize {
    RUNS.partition_point(|(least, _)| *least <= length) - 1
}

/// Counts the symbols of some rows.
#[derive(Debug)]
pub(super) struct Tally {
    /// By place in the group: a byte that comes several times in a row would wait for itself.
    bytes: [[u32; 256]; 4],
    runs: [u32; RUNS.len()],
}

impl Tally {
    pub(super) fn new() -> Self {
        Self {
            bytes: [[0; 256]; 4],
            runs: [0; RUNS.len()],
        }
    }

    pub(super) fn add(&mut self, row: &[u8]) {
        take_apart(row, self);
    }
}

impl Parts for Tally {
    fn four(&mut self, bytes: [u8; 4]) {
        for (counts, byte) in self.bytes.iter_mut().zip(bytes) {
            counts[usize::from(byte)] += 1;
        }
    }

    fn one(&mut self, byte: u8) {
        self.bytes[0][usize::from(byte)] += 1;
    }

    fn run(&mut self, length: usize) {
        self.runs[run_symbol(length)] += 1;
    }
}

/// Bits to be written, and how many; the first is the lowest.
#[derive(Debug, Clone, Copy)]
struct Word {
    bits: u64,
    count: u32,
}

/// The code of one image.
#[derive(Debug)]
struct Codes {
    lengths: Vec<u8>,
    /// Of each byte the code in the lower half, and its length in the upper one.
    bytes: [u32; 256],
    /// By length of the run.
    runs: Vec<Word>,
    end: Word,
}

impl Codes {
    fn of(tally: &Tally) -> Self {
        let mut counts = [0; SYMBOLS];
        for byte in 0..256 {
            counts[byte] = tally.bytes.iter().map(|counts| counts[byte]).sum();
        }
        counts[END + 1..].copy_from_slice(&tally.runs);
        let lengths = huffman::lengths(&counts, LONGEST);
        let codes = huffman::codes(&lengths);
        let word = |symbol: usize| Word {
            bits: u64::from(codes[symbol]),
            count: u32::from(lengths[symbol]),
        };
        let run = |length: usize| {
            let place = run_symbol(length.max(*RUN.start()));
            let (least, extra_bits) = RUNS[place];
            let Word { bits, count } = word(END + 1 + place);
            let extra = length.saturating_sub(least) as u64;
            // The distance, one byte back, is the only one there is, and takes a bit.
            Word {
                bits: bits | extra << count,
                count: count + extra_bits + 1,
            }
        };
        Self {
            bytes: std::array::from_fn(|b| u32::from(codes[b]) | u32::from(lengths[b]) << 16),
            runs: (0..=*RUN.end()).map(run).collect(),
            end: word(END),
            lengths,
        }
    }

    #[inline]
    fn one(&self, byte: u8) -> Word {
        let entry = self.bytes[usize::from(byte)];
        Word {
            bits: u64::from(entry & 0xffff),
            count: entry >> 16,
        }
    }

    #[inline]
    fn four(&self, bytes: [u8; 4]) -> Word {
        let [a, b, c, d] = bytes.map(|byte| self.one(byte));
        let (low, high) = (a.bits | b.bits << a.count, c.bits | d.bits << c.count);
        let half = a.count + b.count;
        Word {
            bits: low | high << half,
            count: half + c.count + d.count,
        }
    }
}

/// Writes bits into a buffer that is large enough, eight bytes at a time.
struct Bits<'b> {
    out: &'b mut [u8],
    at: usize,
    /// Bits that do not fill a byte yet.
    pending: Word,
}

impl Bits<'_> {
    /// Takes at most 56 bits.
    #[inline]
    fn put(&mut self, word: Word) {
        let Word { bits, count } = self.pending;
        let (bits, count) = (bits | word.bits << count, count + word.count);
        self.out[self.at..self.at + 8].copy_from_slice(&bits.to_le_bytes());
        self.at += count as usize / 8;
        self.pending = Word {
            bits: bits >> (count & !7),
            count: count & 7,
        };
    }
}

struct Writer<'a, 'b> {
    codes: &'a Codes,
    bits: Bits<'b>,
}

impl Parts for Writer<'_, '_> {
    #[inline]
    fn four(&mut self, bytes: [u8; 4]) {
        self.bits.put(self.codes.four(bytes));
    }

    #[inline]
    fn one(&mut self, byte: u8) {
        self.bits.put(self.codes.one(byte));
    }

    fn run(&mut self, length: usize) {
        self.bits.put(self.codes.runs[length]);
    }
}

/// A zlib stream that grows row by row.
pub(super) struct Compressor {
    codes: Codes,
    out: Vec<u8>,
    pending: Word,
    checksum: Adler32,
}

impl Compressor {
    /// A stream that suits rows such as those counted; with room for `expected` bytes of output.
    pub(super) fn new(tally: &Tally, expected: usize) -> Self {
        let mut compressor = Self {
            codes: Codes::of(tally),
            out: Vec::with_capacity(expected),
            pending: Word { bits: 0, count: 0 },
            checksum: Adler32::new(),
        };
        compressor.header();
        compressor
    }

    /// The envelope, and the lengths of all codes (RFC 1951, 3.2.7).
    fn header(&mut self) {
        let lengths = std::mem::take(&mut self.codes.lengths);
        // All lengths up to 15 have codes of four bits.
        let of_lengths = huffman::codes(&[4; 16]);
        let coded = |length: &u8| (u64::from(of_lengths[usize::from(*length)]), 4);
        let mut fields = vec![(0x78, 8), (0x01, 8), (1, 1), (2, 2)];
        fields.extend([((SYMBOLS - 257) as u64, 5), (0, 5), (15, 4)]);
        fields.extend([(0, 3); 3]);
        fields.extend([(4, 3); 16]);
        fields.extend(lengths.iter().map(coded));
        fields.push(coded(&1));
        self.write(8 * fields.len(), |writer| {
            for (bits, count) in fields {
                writer.bits.put(Word { bits, count });
            }
        });
    }

    pub(super) fn write_row(&mut self, row: &[u8]) {
        self.checksum.write(row);
        let most = row.len() * usize::from(LONGEST) / 8;
        self.write(most, |writer| take_apart(row, writer));
    }

    /// The stream is complete.
    pub(super) fn finish(mut self) -> Vec<u8> {
        let end = self.codes.end;
        self.write(8, |writer| {
            writer.bits.put(end);
            let count = (8 - writer.bits.pending.count) % 8;
            writer.bits.put(Word { bits: 0, count });
        });
        self.out
            .extend_from_slice(&self.checksum.finish().to_be_bytes());
        self.out
    }

    /// Lets at most so many bytes be written.
    #[inline]
    fn write(&mut self, most: usize, write: impl FnOnce(&mut Writer<'_, '_>)) {
        let start = self.out.len();
        self.out.resize(start + most + 16, 0);
        let mut writer = Writer {
            codes: &self.codes,
            bits: Bits {
                out: &mut self.out[start..],
                at: 0,
                pending: self.pending,
            },
        };
        write(&mut writer);
        let Bits { at, pending, .. } = writer.bits;
        self.pending = pending;
        self.out.truncate(start + at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_have_the_symbols_of_the_standard() {
        let symbols = [3, 10, 11, 12, 13, 130, 131, 257, 258].map(|run| 257 + run_symbol(run));
        assert_eq!(symbols, [257, 264, 265, 265, 266, 280, 281, 284, 285]);
    }

    #[test]
    fn a_stream_ends_with_the_checksum_of_its_rows() {
        let rows: Vec<Vec<u8>> = (0..9).map(|n| vec![n * 31; 700]).collect();
        let mut compressor = Compressor::new(&Tally::new(), 0);
        let (mut a, mut b) = (1u32, 0u32);
        for row in &rows {
            compressor.write_row(row);
            for byte in row {
                a = (a + u32::from(*byte)) % 65_521;
                b = (b + a) % 65_521;
            }
        }
        let stream = compressor.finish();
        assert!(stream.ends_with(&(b << 16 | a).to_be_bytes()));
    }
}
