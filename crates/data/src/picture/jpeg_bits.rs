//! The bits of the coded data of a JPEG, and the Huffman codes in them.
//!
//! # Source
//! ITU-T T.81, annexes B, C and F: stuffed bytes and restart markers, tables, decoding.

use super::jpeg_scan::{Flaw, Step};

/// The data between restart markers without stuffed and fill bytes, each with the number of the marker before it.
pub(super) fn intervals(data: &[u8]) -> Vec<(Option<u8>, Vec<u8>)> {
    let (mut all, mut restart, mut own) = (Vec::new(), None, Vec::new());
    let mut bytes = data.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        match (byte, bytes.peek().copied()) {
            (0xff, Some(marker @ 0xd0..=0xd7)) => {
                bytes.next();
                all.push((restart, std::mem::take(&mut own)));
                restart = Some(marker - 0xd0);
            }
            (0xff, Some(0)) => {
                bytes.next();
                own.push(0xff);
            }
            (0xff, _) => {}
            _ => own.push(byte),
        }
    }
    all.push((restart, own));
    all
}

/// A Huffman table; the default has no code.
#[derive(Default)]
pub(super) struct Table {
    /// By length: the first longer code, with 16 bits, and what makes a code of this length a place in `values`.
    lengths: Vec<(u32, u32)>,
    values: Vec<u8>,
}

impl Table {
    pub(super) fn new(counts: &[u8; 16], values: &[u8]) -> Self {
        let (mut code, mut place) = (0_u32, 0_u32);
        let lengths = (1..=16).zip(counts).map(|(length, &count)| {
            code <<= 1;
            let offset = place.wrapping_sub(code);
            code += u32::from(count);
            place += u32::from(count);
            (code << (16 - length), offset)
        });
        Self {
            lengths: lengths.collect(),
            values: values.to_vec(),
        }
    }
}

/// The bits of an interval.
pub(super) struct Bits {
    /// With four more bytes.
    bytes: Vec<u8>,
    at: usize,
}

impl Bits {
    pub(super) fn new(mut bytes: Vec<u8>) -> Self {
        bytes.extend([0; 4]);
        Self { bytes, at: 0 }
    }

    fn left(&self) -> usize {
        8 * (self.bytes.len() - 4) - self.at
    }

    /// The number of whole bytes that are left; none where they are padding, of ones or of zeros.
    pub(super) fn unread(&self) -> usize {
        let end = self.bytes.len() - 4;
        let rest = &self.bytes[self.at.div_ceil(8)..end];
        let is_padding = |bits: u8| rest.iter().all(|byte| *byte == bits);
        match is_padding(0xff) || is_padding(0) {
            true => 0,
            false => rest.len(),
        }
    }

    /// The next 16 bits, with zeros behind the last.
    fn next(&self) -> u32 {
        let from = self.bytes.get(self.at / 8..).unwrap_or(&[]);
        let word = from
            .first_chunk()
            .map_or(0, |bytes| u32::from_be_bytes(*bytes));
        word << (self.at % 8) >> 16
    }

    /// So many bits, at most 16.
    pub(super) fn take(&mut self, count: u8) -> Step<u32> {
        let bits = self.next() >> (16 - u32::from(count));
        self.skip(count).map(|()| bits)
    }

    pub(super) fn skip(&mut self, count: u8) -> Step {
        if usize::from(count) > self.left() {
            return Err(Flaw::Missing);
        }
        self.at += usize::from(count);
        Ok(())
    }

    pub(super) fn code(&mut self, table: &Table) -> Step<u8> {
        if table.values.is_empty() {
            return Err(Flaw::Table);
        }
        let next = self.next();
        let found = (1..).zip(&table.lengths).find(|(_, (end, _))| next < *end);
        let found = found.and_then(|(length, (_, offset))| {
            let place = (next >> (16 - u32::from(length))).wrapping_add(*offset);
            Some((length, *table.values.get(place as usize)?))
        });
        match found {
            Some((length, value)) => self.skip(length).map(|()| value),
            None if self.left() < 16 => Err(Flaw::Missing),
            None => Err(Flaw::Code),
        }
    }
}
