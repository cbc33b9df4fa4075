//! The outbox against a plain vector of bytes, with a writer that takes what it likes.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, IoSlice, Write};
use std::rc::Rc;

use proptest::prelude::*;
use torsion_reactor::buffer::outbox::{COALESCE_LIMIT, Outbox, Outcome, TAIL_LIMIT};
use torsion_reactor::buffer::part::{FilePart, Way};

/// A chunk that is counted: nobody may lose one, or release one twice.
#[derive(Clone, Debug)]
struct Chunk(Rc<Vec<u8>>);

impl AsRef<[u8]> for Chunk {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// How a writer answers one call.
#[derive(Clone, Debug)]
enum Answer {
    /// Takes this many thousandths of what it is offered, rounded up.
    Take(usize),
    Blocked,
    Interrupted,
    Broken,
}

struct Peer {
    answers: VecDeque<Answer>,
    received: Vec<u8>,
}

impl Write for Peer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_vectored(&[IoSlice::new(bytes)])
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        assert!(!slices.is_empty() && slices.len() <= 64);
        assert!(slices.iter().all(|slice| !slice.is_empty()));
        let offered: usize = slices.iter().map(|slice| slice.len()).sum();
        let mut left = match self.answers.pop_front() {
            Some(Answer::Take(thousandths)) => (offered * thousandths).div_ceil(1_000).max(1),
            Some(Answer::Blocked) => return Err(io::ErrorKind::WouldBlock.into()),
            Some(Answer::Interrupted) => return Err(io::ErrorKind::Interrupted.into()),
            Some(Answer::Broken) => return Err(io::ErrorKind::BrokenPipe.into()),
            None => offered,
        };
        let taken = left;
        for slice in slices {
            let part = left.min(slice.len());
            self.received.extend_from_slice(&slice[..part]);
            left -= part;
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What stands at `offset` in the file that is sent parts of.
fn written(offset: u64) -> u8 {
    (offset % 251) as u8
}

impl Way for Peer {
    /// The file itself is not looked at: what it has at a place is known.
    fn send_file(&mut self, _: &File, offset: u64, count: usize) -> io::Result<usize> {
        let bytes: Vec<u8> = (offset..).take(count).map(written).collect();
        self.write(&bytes)
    }
}

#[derive(Clone, Debug)]
enum Step {
    File(u64, usize),
    Push(usize),
    Copy(usize),
    Cheapest(usize),
    Flush(Vec<Answer>),
    Clear,
}

fn size() -> impl Strategy<Value = usize> {
    prop_oneof![
        Just(0),
        1..40_usize,
        COALESCE_LIMIT - 2..COALESCE_LIMIT + 2,
        TAIL_LIMIT - 2..TAIL_LIMIT + 2,
    ]
}

fn answer() -> impl Strategy<Value = Answer> {
    prop_oneof![
        4 => (1..=1_000_usize).prop_map(Answer::Take),
        2 => Just(Answer::Take(1_000)),
        1 => Just(Answer::Blocked),
        1 => Just(Answer::Interrupted),
        1 => Just(Answer::Broken),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => size().prop_map(Step::Push),
        3 => size().prop_map(Step::Copy),
        4 => size().prop_map(Step::Cheapest),
        3 => (0..1_000_u64, size()).prop_map(|(offset, size)| Step::File(offset, size)),
        4 => proptest::collection::vec(answer(), 0..4).prop_map(Step::Flush),
        1 => Just(Step::Clear),
    ]
}

proptest! {
    #[test]
    fn every_byte_arrives_once_and_in_order(script in proptest::collection::vec(step(), 1..120)) {
        const HIGH: usize = 20_000;
        let mut outbox = Outbox::with_high_water(20_000);
        let mut peer = Peer { answers: VecDeque::new(), received: Vec::new() };
        let mut queued: Vec<u8> = Vec::new();
        let mut chunks: Vec<Chunk> = Vec::new();
        let mut full = false;
        for (number, step) in (0_u8..).zip(script) {
            let bytes = |size: usize| (0..size).map(|index| (index % 251) as u8 ^ number).collect::<Vec<u8>>();
            let mut told = None;
            match step {
                Step::Push(size) => {
                    let chunk = Chunk(Rc::new(bytes(size)));
                    queued.extend_from_slice(chunk.as_ref());
                    told = Some(outbox.push(chunk.clone()));
                    chunks.push(chunk);
                }
                Step::Copy(size) => {
                    queued.extend(bytes(size));
                    told = Some(outbox.push_copy(&bytes(size)));
                }
                Step::File(offset, size) => {
                    let file = File::open(env!("CARGO_MANIFEST_PATH")).unwrap();
                    queued.extend((offset..).take(size).map(written));
                    told = Some(outbox.push_file(FilePart::new(file, offset, size)));
                }
                Step::Cheapest(size) => {
                    let chunk = Chunk(Rc::new(bytes(size)));
                    let alone = outbox.is_empty() && size > 0;
                    queued.extend_from_slice(chunk.as_ref());
                    told = Some(outbox.push_small_or_shared(chunk.clone()));
                    let kept = Rc::strong_count(&chunk.0) == 2;
                    prop_assert_eq!(kept, alone || size >= COALESCE_LIMIT);
                    chunks.push(chunk);
                }
                Step::Flush(answers) => {
                    peer.answers = answers.into();
                    peer.received.clear();
                    let mut released = 0;
                    let flush = outbox.flush(&mut peer, |chunk| {
                        assert_eq!(Rc::strong_count(&chunk.0), 2, "released once");
                        released += 1;
                    });
                    prop_assert_eq!(flush.written, peer.received.len());
                    let rest = queued.split_off(flush.written);
                    prop_assert!(peer.received == queued, "in order");
                    queued = rest;
                    prop_assert_eq!(matches!(flush.outcome, Outcome::Drained), queued.is_empty());
                    prop_assert_eq!(flush.relieved, full && queued.is_empty());
                    full &= !queued.is_empty();
                    if queued.is_empty() {
                        prop_assert!(chunks.iter().all(|chunk| Rc::strong_count(&chunk.0) == 1));
                        chunks.clear();
                    } else {
                        let before = chunks.len();
                        chunks.retain(|chunk| Rc::strong_count(&chunk.0) == 2 || chunk.0.is_empty());
                        prop_assert!(before - chunks.len() >= released);
                    }
                }
                Step::Clear => {
                    outbox.clear(|chunk| assert_eq!(Rc::strong_count(&chunk.0), 2, "released once"));
                    prop_assert!(chunks.iter().all(|chunk| Rc::strong_count(&chunk.0) == 1));
                    queued.clear();
                    chunks.clear();
                    full = false;
                }
            }
            if let Some(told) = told {
                let crossed = !full && queued.len() > HIGH;
                prop_assert_eq!(told, crossed);
                full |= crossed;
            }
            prop_assert_eq!(outbox.len(), queued.len());
            prop_assert_eq!(outbox.is_empty(), queued.is_empty());
            prop_assert_eq!(outbox.is_full(), full);
        }
        drop(outbox);
        prop_assert!(chunks.iter().all(|chunk| Rc::strong_count(&chunk.0) == 1), "dropped with the outbox");
    }
}
