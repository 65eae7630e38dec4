//! The coded data of a JPEG: whether they hold every block of their scan and nothing behind the last one. A bit that
//! changed moves where later blocks begin; decoders go on all the same, and pixels move with them.
//!
//! # Source
//! ITU-T T.81, annexes B, F and G: frames and scans, sequential and progressive Huffman coding.

use super::jpeg_bits::{Bits, Table, intervals};
use super::value::check_size;

/// Of a block.
const COEFFICIENTS: usize = 64;

/// Why coded data are not those of their scan.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Flaw {
    /// They end before the last block.
    Missing,
    /// So many bytes are left behind the last block.
    Left(usize),
    /// No code begins with the bits that are there, or one leaves its block.
    Code,
    /// The restart markers are not those of the restart interval.
    Restart,
    /// A table is not in the file.
    Table,
}

pub(super) type Step<T = ()> = Result<T, Flaw>;

/// A picture as the segments so far declare it.
#[derive(Default)]
pub(super) struct Frame {
    is_progressive: bool,
    width: usize,
    pub(super) height: usize,
    components: Vec<Component>,
    /// Of DC and AC coefficients.
    tables: [[Table; 4]; 2],
    /// Units between restart markers; 0 for none.
    interval: usize,
}

struct Component {
    number: u8,
    /// Blocks of a unit.
    across: usize,
    down: usize,
    /// The lowest bit that is there of each coefficient.
    lowest: [u8; COEFFICIENTS],
    /// Which coefficients of each block are not 0; empty before the first scan.
    known: Vec<u64>,
}

/// What a scan brings of its components.
struct Scan {
    /// Each component by its place in the frame, with the numbers of its two tables.
    parts: Vec<(usize, usize, usize)>,
    first: usize,
    last: usize,
    is_refined: bool,
    lowest: u8,
}

impl Frame {
    /// Takes in a segment.
    pub(super) fn see(&mut self, marker: u8, segment: &[u8]) {
        match marker {
            0xc0..=0xc2 => {
                self.frame(marker, segment);
            }
            0xc4 => {
                self.huffman(segment);
            }
            0xda => {
                self.note(segment);
            }
            0xdd => {
                let interval = segment.first_chunk::<2>().copied().map(u16::from_be_bytes);
                self.interval = interval.unwrap_or(0).into();
            }
            _ => {}
        }
    }

    /// Frames of the kinds that are read; others are for the decoder to refuse.
    fn frame(&mut self, marker: u8, segment: &[u8]) -> Option<()> {
        let [_, y0, y1, x0, x1, _] = *segment.first_chunk()?;
        self.is_progressive = marker == 0xc2;
        self.width = u16::from_be_bytes([x0, x1]).into();
        self.height = u16::from_be_bytes([y0, y1]).into();
        let components = segment[6..].chunks_exact(3).map(|own| Component {
            number: own[0],
            across: usize::from(own[1] >> 4).max(1),
            down: usize::from(own[1] & 15).max(1),
            lowest: [u8::MAX; COEFFICIENTS],
            known: Vec::new(),
        });
        self.components = components.collect();
        Some(())
    }

    fn huffman(&mut self, mut rest: &[u8]) -> Option<()> {
        while let Some((head, after)) = rest.split_first_chunk::<17>() {
            let [place, counts @ ..] = head;
            let number = counts.iter().map(|count| usize::from(*count)).sum();
            let (values, after) = after.split_at_checked(number)?;
            let table = self.tables.get_mut(usize::from(place >> 4))?;
            *table.get_mut(usize::from(place & 15))? = Table::new(counts, values);
            rest = after;
        }
        Some(())
    }

    fn scan(&self, head: &[u8]) -> Option<Scan> {
        let (count, rest) = head.split_first()?;
        let (components, rest) = rest.split_at_checked(2 * usize::from(*count))?;
        let [first, last, bits] = *rest.first_chunk::<3>()?;
        let parts = components.chunks_exact(2).map(|own| {
            let mut all = self.components.iter();
            let place = all.position(|component| component.number == own[0])?;
            Some((place, usize::from(own[1] >> 4), usize::from(own[1] & 15)))
        });
        let parts = parts.collect::<Option<_>>()?;
        let (first, last, bits) = match self.is_progressive {
            true => (first.into(), last.into(), bits),
            false => (0, COEFFICIENTS - 1, 0),
        };
        (first <= last && last < COEFFICIENTS).then_some(Scan {
            parts,
            first,
            last,
            is_refined: bits >> 4 > 0,
            lowest: bits & 15,
        })
    }

    /// Notes what a scan brings; nothing of one whose head is broken.
    fn note(&mut self, head: &[u8]) -> Option<()> {
        let scan = self.scan(head)?;
        for (place, ..) in scan.parts {
            self.components[place].lowest[scan.first..=scan.last].fill(scan.lowest);
        }
        Some(())
    }

    /// Whether the scans so far bring every bit of every coefficient.
    pub(super) fn is_whole(&self) -> bool {
        let mut lowest = self.components.iter().flat_map(|own| own.lowest);
        lowest.all(|bit| bit == 0)
    }

    /// Reads the coded data of a scan, of a picture of a kind and a size that are read. A flaw comes with the first
    /// pixel row that it concerns.
    pub(super) fn read(&mut self, head: &[u8], data: &[u8]) -> Result<(), (usize, Flaw)> {
        if self.components.is_empty() || check_size(self.width as u64, self.height as u64).is_err()
        {
            return Ok(());
        }
        let Some(scan) = self.scan(head) else {
            return Err((0, Flaw::Code));
        };
        let most = |factor: fn(&Component) -> usize| self.components.iter().map(factor).max();
        let (across, down) = (most(|own| own.across), most(|own| own.down));
        let (across, down) = (across.unwrap_or(1), down.unwrap_or(1));
        let units = [
            self.width.div_ceil(8 * across),
            self.height.div_ceil(8 * down),
        ];
        for own in &mut self.components {
            let blocks = units[0] * own.across * units[1] * own.down;
            own.known.resize(blocks, 0);
        }
        // A scan of one component has no blocks beyond the last one with a pixel.
        let alone = match scan.parts[..] {
            [(place, ..)] => {
                let own = &self.components[place];
                let wide = (self.width * own.across).div_ceil(8 * across);
                Some([wide, (self.height * own.down).div_ceil(8 * down)])
            }
            _ => None,
        };
        let [wide, high] = alone.unwrap_or(units);
        let number = wide * high;
        let mut parts = intervals(data).into_iter().enumerate();
        let mut unit = 0;
        while unit < number {
            let row = |unit: usize| self.height * unit / number;
            let (place, (restart, bytes)) = parts.next().ok_or((row(unit), Flaw::Missing))?;
            let is_next = restart.is_none_or(|own| usize::from(own) == (place + 7) % 8);
            if !is_next || (place > 0 && self.interval == 0) {
                return Err((row(unit), Flaw::Restart));
            }
            let end = match self.interval {
                0 => number,
                some => number.min(unit + some),
            };
            let mut bits = Bits::new(bytes);
            let mut run = 0;
            while unit < end {
                let at = [unit % wide, unit / wide];
                let done = self.unit(&scan, alone.is_some(), at, units[0], &mut bits, &mut run);
                done.map_err(|flaw| (self.height * unit / number, flaw))?;
                unit += 1;
            }
            let row = self.height * (unit - 1) / number;
            match bits.unread() {
                0 if run == 0 => {}
                0 => return Err((row, Flaw::Code)),
                bytes => return Err((row, Flaw::Left(bytes))),
            }
        }
        // Nothing stands behind a last restart marker.
        let left = parts.map(|(_, (_, bytes))| bytes.len()).sum();
        match left {
            0 => Ok(()),
            bytes => Err((self.height.saturating_sub(1), Flaw::Left(bytes))),
        }
    }

    /// The blocks of a unit.
    fn unit(
        &mut self,
        scan: &Scan,
        is_alone: bool,
        [x, y]: [usize; 2],
        wide: usize,
        bits: &mut Bits,
        run: &mut u32,
    ) -> Step {
        let [dc_tables, ac_tables] = &self.tables;
        for &(place, dc, ac) in &scan.parts {
            let own = &mut self.components[place];
            let (across, down) = if is_alone {
                (1, 1)
            } else {
                (own.across, own.down)
            };
            let stride = wide * own.across;
            let dc = dc_tables.get(dc).ok_or(Flaw::Table)?;
            let ac = ac_tables.get(ac).ok_or(Flaw::Table)?;
            for block in 0..across * down {
                let (column, row) = (x * across + block % across, y * down + block / across);
                let known = own.known.get_mut(row * stride + column);
                let known = known.ok_or(Flaw::Missing)?;
                match (self.is_progressive, scan.first, scan.is_refined) {
                    (false, ..) => {
                        difference(bits, dc)?;
                        coefficients(bits, ac, 1..=scan.last, known, run)?;
                        // Runs of blocks are for progressive pictures.
                        if *run > 0 {
                            return Err(Flaw::Code);
                        }
                    }
                    (true, 0, false) => difference(bits, dc)?,
                    (true, 0, true) => bits.skip(1)?,
                    (true, first, false) => {
                        coefficients(bits, ac, first..=scan.last, known, run)?;
                    }
                    (true, first, true) => refined(bits, ac, first..=scan.last, known, run)?,
                }
            }
        }
        Ok(())
    }
}

/// A DC coefficient as its difference from the last.
fn difference(bits: &mut Bits, table: &Table) -> Step {
    match bits.code(table)? {
        size @ 0..=11 => bits.skip(size),
        _ => Err(Flaw::Code),
    }
}

/// The AC coefficients of a block. `run` counts blocks to come that have no others.
fn coefficients(
    bits: &mut Bits,
    table: &Table,
    range: std::ops::RangeInclusive<usize>,
    known: &mut u64,
    run: &mut u32,
) -> Step {
    if *run > 0 {
        *run -= 1;
        return Ok(());
    }
    let mut at = *range.start();
    while at <= *range.end() {
        let code = bits.code(table)?;
        match (code >> 4, code & 15) {
            (15, 0) => at += 16,
            (length, 0) => {
                *run = (1 << length) - 1 + bits.take(length)?;
                return Ok(());
            }
            (zeros, size) => {
                at += usize::from(zeros);
                if at > *range.end() {
                    return Err(Flaw::Code);
                }
                bits.skip(size)?;
                *known |= 1 << at;
                at += 1;
            }
        }
    }
    match at > *range.end() + 1 {
        true => Err(Flaw::Code),
        false => Ok(()),
    }
}

/// One more bit of the AC coefficients of a block, and those that begin with it.
fn refined(
    bits: &mut Bits,
    table: &Table,
    range: std::ops::RangeInclusive<usize>,
    known: &mut u64,
    run: &mut u32,
) -> Step {
    let (mut at, last) = range.into_inner();
    while *run == 0 && at <= last {
        let code = bits.code(table)?;
        let (mut zeros, size) = (code >> 4, code & 15);
        match size {
            0 if zeros < 15 => {
                *run = (1 << zeros) + bits.take(zeros)?;
                break;
            }
            0 => {}
            1 => bits.skip(1)?,
            _ => return Err(Flaw::Code),
        }
        while at <= last {
            if *known >> at & 1 == 1 {
                bits.skip(1)?;
            } else if zeros == 0 {
                break;
            } else {
                zeros -= 1;
            }
            at += 1;
        }
        if size == 1 {
            if at > last {
                return Err(Flaw::Code);
            }
            *known |= 1 << at;
        }
        at += 1;
    }
    if *run > 0 {
        for at in at..=last {
            if *known >> at & 1 == 1 {
                bits.skip(1)?;
            }
        }
        *run -= 1;
    }
    Ok(())
}
