//! Bodies in chunks: RFC 9112, 7.1.

use crate::error::Error;
use crate::limits::Limits;

/// The longest size there is: 16 hexadecimal digits, leading zeros included.
const MOST_DIGITS: usize = 16;

/// What the next bytes of a body in chunks are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    /// Nothing can be said until more comes; so many bytes were framing, and are done with.
    More(usize),
    /// After so many bytes of framing so many of data.
    Data(usize, usize),
    /// After so many bytes of framing the trailers, and the empty line that ends them.
    Trailers(usize),
}

/// Reads the framing of chunks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Chunks {
    step: Step,
    /// How many bytes of extensions there were.
    extensions: usize,
    /// How many bytes of an unfinished size line were looked at.
    looked: usize,
}

#[derive(Clone, Copy, Debug)]
enum Step {
    /// The line with the next chunk's size.
    Size,
    /// So many bytes of data.
    Data(u64),
    /// The line end after the data.
    End,
}

impl Chunks {
    pub(crate) const NEW: Self = Self {
        step: Step::Size,
        extensions: 0,
        looked: 0,
    };

    /// Reads the piece that `input` begins with.
    pub(crate) fn next(&mut self, input: &[u8], limits: &Limits) -> Result<Piece, Error> {
        let mut done = 0;
        loop {
            match self.step {
                Step::Data(left) => {
                    let here = usize::try_from(left)
                        .unwrap_or(usize::MAX)
                        .min(input.len() - done);
                    if here == 0 {
                        return Ok(Piece::More(done));
                    }
                    let left = left - here as u64;
                    self.step = if left == 0 {
                        Step::End
                    } else {
                        Step::Data(left)
                    };
                    return Ok(Piece::Data(done, here));
                }
                Step::End => {
                    match input[done..] {
                        [b'\r', b'\n', ..] => {}
                        [] | [b'\r'] => return Ok(Piece::More(done)),
                        _ => return Err(Error::Chunk),
                    }
                    done += 2;
                    self.step = Step::Size;
                }
                Step::Size => {
                    let Some((length, size)) = self.size_line(&input[done..], limits)? else {
                        return Ok(Piece::More(done));
                    };
                    done += length;
                    if size == 0 {
                        return Ok(Piece::Trailers(done));
                    }
                    self.step = Step::Data(size);
                }
            }
        }
    }

    /// Reads a chunk's first line: how long it is with its end, and the chunk's size.
    fn size_line(&mut self, input: &[u8], limits: &Limits) -> Result<Option<(usize, u64)>, Error> {
        let mut size: u64 = 0;
        let digits = input
            .iter()
            .take(MOST_DIGITS + 1)
            .take_while(|byte| byte.is_ascii_hexdigit())
            .count();
        for byte in &input[..digits] {
            let digit = (*byte as char).to_digit(16).map_or(0, u64::from);
            // The seventeenth digit overflows, or is refused below.
            size = size
                .checked_mul(16)
                .and_then(|upper| upper.checked_add(digit))
                .ok_or(Error::Chunk)?;
        }
        if digits > MOST_DIGITS || (digits == 0 && !input.is_empty()) {
            return Err(Error::Chunk);
        }
        match input[digits..] {
            [] | [b'\r'] => Ok(None),
            [b'\r', b'\n', ..] => Ok(Some((digits + 2, size))),
            [b';' | b' ' | b'\t', ..] => self
                .extension(input, digits, limits)
                .map(|end| end.map(|end| (end, size))),
            _ => Err(Error::Chunk),
        }
    }

    /// Skips the extensions from `start` on: where the line ends, or None if it goes on.
    fn extension(
        &mut self,
        input: &[u8],
        start: usize,
        limits: &Limits,
    ) -> Result<Option<usize>, Error> {
        let allowed = limits.extensions - self.extensions;
        let begin = self.looked.max(start);
        for (index, byte) in input.iter().enumerate().skip(begin) {
            match byte {
                b'\r' => match input.get(index + 1) {
                    Some(b'\n') => {
                        self.extensions += index - start;
                        self.looked = 0;
                        return Ok(Some(index + 2));
                    }
                    Some(_) => return Err(Error::Chunk),
                    None => {
                        self.looked = index;
                        return Ok(None);
                    }
                },
                b'\t' | b' '..=b'~' | 0x80.. if index - start < allowed => {}
                b'\t' | b' '..=b'~' | 0x80.. => return Err(Error::ChunkExtensions),
                _ => return Err(Error::Chunk),
            }
        }
        self.looked = input.len();
        Ok(None)
    }
}
