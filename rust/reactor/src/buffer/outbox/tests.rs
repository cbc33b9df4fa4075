//! The outbox with a writer that follows a script.

use super::*;
use std::fs::File;
use std::io::Write;
use std::rc::Rc;

mod files;

/// Takes what it is told to at each call, and remembers how it was called.
#[derive(Default)]
struct Script {
    answers: VecDeque<io::Result<usize>>,
    taken: Vec<u8>,
    /// The sizes of the slices of each call.
    calls: Vec<Vec<usize>>,
    /// Which of them were of bytes before a file, and how many parts of files were asked for.
    before_file: Vec<usize>,
    of_files: Vec<(u64, usize)>,
}

impl Script {
    fn new(answers: impl IntoIterator<Item = io::Result<usize>>) -> Self {
        Self {
            answers: answers.into_iter().collect(),
            ..Self::default()
        }
    }
}

impl Write for Script {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_vectored(&[IoSlice::new(bytes)])
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        self.calls
            .push(slices.iter().map(|slice| slice.len()).collect());
        let all: Vec<u8> = slices
            .iter()
            .flat_map(|slice| slice.iter().copied())
            .collect();
        let count = self
            .answers
            .pop_front()
            .unwrap_or(Ok(usize::MAX))?
            .min(all.len());
        self.taken.extend_from_slice(&all[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Way for Script {
    fn write_before_file(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.before_file.push(self.calls.len());
        self.write(bytes)
    }

    fn send_file(&mut self, file: &File, offset: u64, count: usize) -> io::Result<usize> {
        self.of_files.push((offset, count));
        let most = self.answers.pop_front().unwrap_or(Ok(usize::MAX))?;
        let mut room = vec![0; count.min(most)];
        let read = std::os::unix::fs::FileExt::read_at(file, &mut room, offset)?;
        self.taken.extend_from_slice(&room[..read]);
        Ok(read)
    }
}

type Chunk = Rc<[u8]>;

fn chunk(byte: u8, size: usize) -> Chunk {
    vec![byte; size].into()
}

fn blocked() -> io::Result<usize> {
    Err(io::ErrorKind::WouldBlock.into())
}

fn flushed(outbox: &mut Outbox<Chunk>, script: &mut Script) -> (Flush, Vec<Chunk>) {
    let mut released = Vec::new();
    let flush = outbox.flush(script, |chunk| released.push(chunk));
    (flush, released)
}

#[test]
fn an_idle_outbox_is_small() {
    assert!(
        size_of::<Outbox<Chunk>>() <= 48,
        "a fat reference and 32 bytes"
    );
    assert!(
        size_of::<Outbox<Rc<u64>>>() <= 40,
        "a thin reference, as a binding has them, and 32 bytes"
    );
}

#[test]
fn a_lone_chunk_is_kept_by_reference_and_goes_by_a_plain_write() {
    let mut outbox = Outbox::new();
    let only = chunk(b'x', 5);
    assert!(!outbox.push_small_or_shared(Rc::clone(&only)));
    assert!(outbox.rest.is_none());
    let mut script = Script::default();
    let (flush, released) = flushed(&mut outbox, &mut script);
    assert!(matches!(
        flush,
        Flush {
            written: 5,
            relieved: false,
            outcome: Outcome::Drained
        }
    ));
    assert!(Rc::ptr_eq(&released[0], &only));
    assert_eq!(script.calls, [[5]]);
    assert!(outbox.is_empty());
}

#[test]
fn small_followers_are_copied_together_and_large_ones_kept() {
    let mut outbox = Outbox::new();
    let large = chunk(b'l', COALESCE_LIMIT);
    for piece in [
        chunk(b'a', 9),
        chunk(b'b', 10),
        chunk(b'c', 11),
        Rc::clone(&large),
        chunk(b'd', 12),
    ] {
        outbox.push_small_or_shared(piece);
    }
    outbox.push_copy(&[b'e'; 13]);
    outbox.push(chunk(b'f', 14));
    outbox.push_copy(&[b'g'; 15]);
    let mut script = Script::default();
    let (flush, released) = flushed(&mut outbox, &mut script);
    assert_eq!(flush.written, script.taken.len());
    assert_eq!(script.calls, [[30, COALESCE_LIMIT, 25, 14, 15]]);
    assert_eq!(
        released.iter().map(|chunk| chunk[0]).collect::<Vec<_>>(),
        *b"lf"
    );
    assert_eq!(Rc::strong_count(&large), 2);
}

#[test]
fn a_short_write_ends_the_flush_and_the_next_goes_on_behind_it() {
    let mut outbox = Outbox::new();
    outbox.push(chunk(b'a', 4));
    outbox.push(chunk(b'b', 4));
    outbox.push_copy(b"cccc");
    let mut script = Script::new([Ok(3), Ok(2), Ok(7)]);
    let (flush, released) = flushed(&mut outbox, &mut script);
    assert!(matches!(flush.outcome, Outcome::Blocked));
    assert_eq!((flush.written, released.len(), outbox.len()), (3, 0, 9));
    let (flush, released) = flushed(&mut outbox, &mut script);
    assert!(matches!(flush.outcome, Outcome::Blocked));
    assert_eq!((flush.written, released.len(), outbox.len()), (2, 1, 7));
    outbox.push_copy(b"d");
    let (flush, _) = flushed(&mut outbox, &mut script);
    assert!(matches!(flush.outcome, Outcome::Blocked));
    let (flush, _) = flushed(&mut outbox, &mut script);
    assert!(matches!(flush.outcome, Outcome::Drained));
    assert_eq!(
        script.calls,
        [vec![4, 4, 4], vec![1, 4, 4], vec![3, 5], vec![1]]
    );
    assert_eq!(script.taken, b"aaaabbbbccccd");
}

#[test]
fn an_interrupted_write_is_tried_again() {
    let mut outbox = Outbox::new();
    outbox.push(chunk(b'a', 4));
    let mut script = Script::new([Err(io::ErrorKind::Interrupted.into()), Ok(4)]);
    let (flush, _) = flushed(&mut outbox, &mut script);
    assert!(matches!(
        flush,
        Flush {
            written: 4,
            outcome: Outcome::Drained,
            ..
        }
    ));
}

#[test]
fn a_broken_writer_is_told_and_what_it_did_not_take_stays() {
    for answer in [Err(io::Error::from_raw_os_error(104)), Ok(0)] {
        let mut outbox = Outbox::new();
        outbox.push(chunk(b'a', 4));
        let (flush, released) = flushed(&mut outbox, &mut Script::new([answer]));
        assert!(matches!(
            flush,
            Flush {
                written: 0,
                outcome: Outcome::Failed(_),
                ..
            }
        ));
        assert_eq!((outbox.len(), released.len()), (4, 0));
    }
}

#[test]
fn no_call_gets_more_than_the_most_slices() {
    let mut outbox = Outbox::new();
    for _ in 0..2 * MAX_SLICES + 1 {
        outbox.push(chunk(b'a', 1));
    }
    let mut script = Script::default();
    let (flush, released) = flushed(&mut outbox, &mut script);
    assert!(matches!(flush.outcome, Outcome::Drained));
    assert_eq!(
        script.calls.iter().map(Vec::len).collect::<Vec<_>>(),
        [MAX_SLICES, MAX_SLICES, 1]
    );
    assert_eq!(released.len(), 2 * MAX_SLICES + 1);
}

#[test]
fn fullness_is_told_when_it_begins_and_when_it_ends() {
    let mut outbox = Outbox::with_high_water(10);
    assert!(!outbox.push(chunk(b'a', 10)));
    assert!(outbox.push_copy(b"b"));
    assert!(!outbox.push_small_or_shared(chunk(b'c', 1)), "told once");
    let mut script = Script::new([Ok(11), blocked()]);
    let (flush, _) = flushed(&mut outbox, &mut script);
    assert!(
        !flush.relieved && outbox.is_full(),
        "below the mark is not yet empty"
    );
    assert!(!outbox.push(chunk(b'd', 20)), "still the same fullness");
    let (flush, _) = flushed(&mut outbox, &mut script);
    assert!(matches!(
        flush,
        Flush {
            written: 0,
            relieved: false,
            outcome: Outcome::Blocked
        }
    ));
    let (flush, _) = flushed(&mut outbox, &mut script);
    assert!(flush.relieved && !outbox.is_full());
    assert!(outbox.push_copy(&[0; 11]), "a new fullness");
}

#[test]
fn nothing_is_nothing() {
    let mut outbox = Outbox::new();
    assert!(
        !outbox.push(chunk(0, 0))
            && !outbox.push_copy(b"")
            && !outbox.push_small_or_shared(chunk(0, 0))
    );
    let mut script = Script::default();
    let (flush, _) = flushed(&mut outbox, &mut script);
    assert!(matches!(
        flush,
        Flush {
            written: 0,
            relieved: false,
            outcome: Outcome::Drained
        }
    ));
    assert!(script.calls.is_empty());
}

#[test]
fn copies_are_cut_into_buffers_of_bounded_size() {
    let mut outbox: Outbox<Chunk> = Outbox::new();
    for _ in 0..100 {
        outbox.push_copy(&[b'x'; 1_000]);
    }
    outbox.push_copy(&[b'y'; 3 * TAIL_LIMIT]);
    let mut script = Script::default();
    let _ = flushed(&mut outbox, &mut script);
    let (last, rest) = script.calls[0].split_last().unwrap();
    assert_eq!(*last, 3 * TAIL_LIMIT);
    assert!(
        rest.iter()
            .all(|size| *size <= TAIL_LIMIT && *size > TAIL_LIMIT / 2
                || size == rest.last().unwrap())
    );
}

#[test]
fn clearing_hands_every_chunk_out_and_starts_afresh() {
    let mut outbox = Outbox::with_high_water(1);
    outbox.push(chunk(b'a', 4));
    outbox.push_copy(b"b");
    outbox.push(chunk(b'c', 4));
    let _ = flushed(&mut outbox, &mut Script::new([Ok(2)]));
    let mut released = Vec::new();
    outbox.clear(|chunk| released.push(chunk[0]));
    assert_eq!(released, *b"ac");
    assert!(outbox.is_empty() && !outbox.is_full());
    outbox.push(chunk(b'd', 3));
    let mut script = Script::default();
    let _ = flushed(&mut outbox, &mut script);
    assert_eq!(script.taken, b"ddd");
}

#[test]
fn a_drained_outbox_lets_go_of_its_memory() {
    let mut outbox = Outbox::new();
    outbox.push(chunk(b'a', 1));
    outbox.push(chunk(b'b', 1));
    assert!(outbox.rest.is_some());
    let _ = flushed(&mut outbox, &mut Script::default());
    assert!(outbox.rest.is_none() && outbox.first.is_none());
}

#[test]
fn pairs_are_copied_behind_something_only() {
    let mut outbox = Outbox::with_high_water(20);
    assert_eq!(outbox.push_pair(b"line", b"\n"), None);
    assert!(outbox.is_empty());
    assert!(!outbox.push(chunk(b'a', 3)));
    assert_eq!(outbox.push_pair(b"line", b"\n"), Some(false));
    assert_eq!(outbox.push_pair(b"", b""), None);
    assert_eq!(outbox.push_pair(&[b'x'; COALESCE_LIMIT], b"\n"), None);
    assert_eq!(outbox.push_pair(b"another line", b"\n"), Some(true));
    assert_eq!(outbox.push_pair(b"", b"\n"), Some(false));
    let mut script = Script::default();
    let (flush, _) = flushed(&mut outbox, &mut script);
    assert!(flush.relieved);
    assert_eq!(script.taken, b"aaaline\nanother line\n\n");
    assert_eq!(script.calls, [vec![22]]);
}

#[test]
fn a_long_queue_is_written_in_shares_although_the_writer_takes_all() {
    let size = 64 * 1024;
    let mut outbox = Outbox::new();
    for byte in 0..200 {
        outbox.push(chunk(byte, size));
    }
    let mut script = Script::default();
    let mut shares = Vec::new();
    loop {
        let (flush, _) = flushed(&mut outbox, &mut script);
        shares.push(flush.written);
        match flush.outcome {
            Outcome::Yielded => assert!(!outbox.is_empty()),
            outcome => {
                assert!(matches!(outcome, Outcome::Drained) && outbox.is_empty());
                break;
            }
        }
    }
    // A call takes up to 64 chunks and is not cut short.
    assert_eq!(shares, [64 * size, 64 * size, 64 * size, 8 * size]);
    assert!(64 * size >= FLUSH_SHARE);
}
