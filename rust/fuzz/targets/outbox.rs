//! The outbox against a plain vector of bytes: each byte leaves once and in order, each chunk is let go of once.

#![no_main]

use std::io::{self, IoSlice, Write};
use std::rc::Rc;

use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;
use torsion_reactor::buffer::outbox::{Outbox, Outcome};

const HIGH: u32 = 20_000;

#[derive(Arbitrary, Debug)]
enum Step {
    Push(u16),
    Copy(u16),
    Cheapest(u16),
    Pair(u16, u16),
    /// A flush whose writer takes so many bytes at its calls, then is blocked.
    Flush(Vec<u16>),
    Clear,
}

struct Peer {
    takes: std::vec::IntoIter<u16>,
    received: Vec<u8>,
}

impl Write for Peer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_vectored(&[IoSlice::new(bytes)])
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        let offered: Vec<u8> = slices
            .iter()
            .flat_map(|slice| slice.iter().copied())
            .collect();
        let Some(take) = self.takes.next() else {
            return Err(io::ErrorKind::WouldBlock.into());
        };
        let count = usize::from(take).clamp(1, offered.len());
        self.received.extend_from_slice(&offered[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[derive(Clone)]
struct Chunk(Rc<Vec<u8>>);

impl AsRef<[u8]> for Chunk {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

fuzz_target!(|script: Vec<Step>| {
    let mut outbox = Outbox::with_high_water(HIGH);
    let mut queued: Vec<u8> = Vec::new();
    let mut chunks: Vec<Chunk> = Vec::new();
    for (number, step) in script.into_iter().enumerate() {
        let bytes = |size: u16| {
            (0..size)
                .map(|index| (index as u8) ^ (number as u8))
                .collect::<Vec<u8>>()
        };
        match step {
            Step::Push(size) | Step::Cheapest(size) => {
                let chunk = Chunk(Rc::new(bytes(size)));
                queued.extend_from_slice(chunk.as_ref());
                if matches!(step, Step::Push(_)) {
                    outbox.push(chunk.clone());
                } else {
                    outbox.push_small_or_shared(chunk.clone());
                }
                chunks.push(chunk);
            }
            Step::Copy(size) => {
                queued.extend(bytes(size));
                outbox.push_copy(&bytes(size));
            }
            Step::Pair(head, tail) => {
                if outbox.push_pair(&bytes(head), &bytes(tail)).is_some() {
                    queued.extend(bytes(head));
                    queued.extend(bytes(tail));
                }
            }
            Step::Flush(takes) => {
                let mut peer = Peer {
                    takes: takes.into_iter(),
                    received: Vec::new(),
                };
                let flush = outbox.flush(&mut peer, drop);
                assert_eq!(flush.written, peer.received.len());
                assert!(queued.starts_with(&peer.received));
                queued.drain(..flush.written);
                assert_eq!(matches!(flush.outcome, Outcome::Drained), queued.is_empty());
            }
            Step::Clear => {
                outbox.clear(drop);
                queued.clear();
            }
        }
        assert_eq!(outbox.len(), queued.len());
        assert_eq!(outbox.is_empty(), queued.is_empty());
        if outbox.is_empty() {
            assert!(
                chunks
                    .drain(..)
                    .all(|chunk| Rc::strong_count(&chunk.0) == 1),
                "a chunk was kept"
            );
        }
    }
});
