//! Parts of files between the bytes.

use super::*;

/// A file of `size` bytes that count up, and has no name any more.
fn file(size: usize) -> File {
    use std::sync::atomic::{AtomicU32, Ordering};
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let name = format!("torsion-outbox-{}-{number}", std::process::id());
    let path = std::env::temp_dir().join(name);
    let mut file = File::options()
        .read(true)
        .write(true)
        .create_new(true)
        .open(&path)
        .unwrap();
    std::fs::remove_file(&path).unwrap();
    file.write_all(&content(0, size)).unwrap();
    file
}

fn content(from: usize, size: usize) -> Vec<u8> {
    (from..from + size)
        .map(|number| u8::try_from(number % 251).unwrap())
        .collect()
}

#[test]
fn a_file_goes_between_what_was_written_before_and_behind() {
    let mut outbox = Outbox::new();
    outbox.push_small_or_shared(chunk(b'a', 3));
    assert!(!outbox.push_file(FilePart::new(file(100), 10, 20)));
    outbox.push_small_or_shared(chunk(b'b', 4));
    outbox.push_copy(b"c");
    assert_eq!(outbox.len(), 28);
    let mut script = Script::default();
    let (flush, released) = flushed(&mut outbox, &mut script);
    assert!(matches!(flush.outcome, Outcome::Drained));
    assert_eq!((flush.written, released.len()), (28, 1));
    let expected = [b"aaa".to_vec(), content(10, 20), b"bbbbc".to_vec()].concat();
    assert_eq!(script.taken, expected);
    assert_eq!(script.calls, [[3], [5]]);
    assert_eq!(
        script.before_file,
        [0],
        "only the head is held for the file"
    );
    assert_eq!(script.of_files, [(10, 20)]);
    assert!(outbox.is_empty() && outbox.rest.is_none());
}

#[test]
fn a_file_may_be_alone_or_follow_another() {
    let mut outbox: Outbox<Chunk> = Outbox::new();
    outbox.push_file(FilePart::new(file(5), 0, 5));
    outbox.push_file(FilePart::new(file(5), 2, 0));
    outbox.push_file(FilePart::new(file(5), 2, 3));
    let mut script = Script::default();
    let (flush, _) = flushed(&mut outbox, &mut script);
    assert!(matches!(flush.outcome, Outcome::Drained));
    assert_eq!(script.taken, [content(0, 5), content(2, 3)].concat());
    assert_eq!(
        script.of_files,
        [(0, 5), (2, 3)],
        "nothing is asked for none"
    );
}

#[test]
fn a_file_that_is_sent_in_parts_goes_on_where_it_was() {
    let mut outbox: Outbox<Chunk> = Outbox::new();
    outbox.push_file(FilePart::new(file(50), 0, 50));
    outbox.push_copy(b"end");
    let mut script = Script::new([Ok(7), blocked(), Ok(3), blocked(), blocked()]);
    for (written, left) in [(7, 46), (3, 43), (0, 43)] {
        let (flush, _) = flushed(&mut outbox, &mut script);
        assert!(matches!(flush.outcome, Outcome::Blocked));
        assert_eq!((flush.written, outbox.len()), (written, left));
    }
    let (flush, _) = flushed(&mut outbox, &mut script);
    assert!(matches!(flush.outcome, Outcome::Drained));
    assert_eq!(script.taken, [content(0, 50), b"end".to_vec()].concat());
}

#[test]
fn a_file_that_ends_early_is_an_error() {
    let mut outbox: Outbox<Chunk> = Outbox::new();
    outbox.push_file(FilePart::new(file(10), 0, 11));
    outbox.push_copy(b"never");
    let mut script = Script::default();
    let (flush, _) = flushed(&mut outbox, &mut script);
    let Outcome::Failed(error) = flush.outcome else {
        panic!("it must fail, and did not: {:?}", flush.outcome);
    };
    assert_eq!(error.raw_os_error(), Some(libc::ENODATA));
    assert_eq!(script.taken, content(0, 10));
    assert!(script.calls.is_empty(), "nothing is put in its place");
}

#[test]
fn a_file_is_sent_in_shares() {
    let size = 2 * FLUSH_SHARE + 5;
    let mut outbox: Outbox<Chunk> = Outbox::new();
    assert!(outbox.push_file(FilePart::new(file(size), 0, size)));
    let mut script = Script::default();
    let mut shares = Vec::new();
    loop {
        let (flush, _) = flushed(&mut outbox, &mut script);
        shares.push(flush.written);
        if matches!(flush.outcome, Outcome::Drained) {
            assert!(flush.relieved);
            break;
        }
        assert!(matches!(flush.outcome, Outcome::Yielded) && outbox.is_full());
    }
    assert_eq!(shares, [FLUSH_SHARE, FLUSH_SHARE, 5]);
    assert!(script.taken == content(0, size));
}

#[test]
fn what_is_taken_ends_before_a_file() {
    let mut outbox: Outbox<Chunk> = Outbox::new();
    outbox.push_copy(b"abc");
    outbox.push_file(FilePart::new(file(5), 0, 5));
    outbox.push_copy(b"def");
    let shown = outbox.take(100, drop, |slices| slices.concat());
    assert_eq!((shown.as_slice(), outbox.len()), (&b"abc"[..], 8));
}

#[cfg(target_os = "linux")]
#[test]
fn files_are_closed_when_they_are_sent_and_when_they_are_not() {
    use std::os::fd::AsRawFd;
    let ends: [fn(&mut Outbox<Chunk>); 3] = [
        |outbox| drop(flushed(outbox, &mut Script::default())),
        |outbox| outbox.clear(drop),
        |outbox| *outbox = Outbox::new(),
    ];
    for end in ends {
        let mut outbox: Outbox<Chunk> = Outbox::new();
        let mine = file(5);
        let name = std::fs::read_link(format!("/proc/self/fd/{}", mine.as_raw_fd())).unwrap();
        outbox.push_copy(b"x");
        outbox.push_file(FilePart::new(mine, 0, 5));
        assert_eq!(open_as(&name), 1);
        end(&mut outbox);
        assert_eq!(open_as(&name), 0);
    }
}

/// How many descriptors of this process are of the file that was at `name`.
#[cfg(target_os = "linux")]
fn open_as(name: &std::path::Path) -> usize {
    std::fs::read_dir("/proc/self/fd")
        .unwrap()
        .filter_map(|entry| std::fs::read_link(entry.unwrap().path()).ok())
        .filter(|other| other == name)
        .count()
}
