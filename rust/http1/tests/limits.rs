//! No peer can have more kept than the limits say, nor be read from for ever.

mod util;

use torsion_http1::{Error, Limits, Reader};
use util::{Driven, Seen};

const SMALL: Limits = Limits {
    line: 40,
    head: 120,
    fields: 4,
    extensions: 20,
};

fn small(input: &[u8], piece: usize) -> (Vec<Seen>, usize) {
    let mut driven = Driven::new(Reader::server(SMALL));
    for bytes in input.chunks(piece) {
        driven.take(bytes);
    }
    (driven.seen, driven.most_kept)
}

fn refuses(input: &[u8], expected: Error) {
    for piece in [1, 2, 7, input.len()] {
        let (seen, kept) = small(input, piece);
        assert_eq!(
            seen.last(),
            Some(&Seen::Failed(expected)),
            "in pieces of {piece}"
        );
        assert!(kept <= SMALL.head, "{kept} bytes were kept");
    }
}

#[test]
fn a_request_line() {
    let long = format!("GET /{} HTTP/1.1\r\nHost: h\r\n\r\n", "a".repeat(40));
    refuses(long.as_bytes(), Error::LongRequestLine);
    refuses("G".repeat(1000).as_bytes(), Error::LongRequestLine);
    let fits = format!("GET /{} HTTP/1.1\r\nHost: h\r\n\r\n", "a".repeat(40 - 16));
    assert!(matches!(
        small(fits.as_bytes(), 1).0[..],
        [Seen::Request { .. }, Seen::End(_)]
    ));
}

#[test]
fn a_head() {
    let large = format!(
        "GET / HTTP/1.1\r\nHost: h\r\nA: {}\r\n\r\n",
        "a".repeat(120)
    );
    refuses(large.as_bytes(), Error::LargeHead);
    let unfinished = format!("GET / HTTP/1.1\r\nHost: h\r\nA: {}", "a".repeat(1000));
    refuses(unfinished.as_bytes(), Error::LargeHead);
    refuses(
        b"GET / HTTP/1.1\r\nHost: h\r\nA:b\r\nA:b\r\nA:b\r\nA:b\r\n\r\n",
        Error::LargeHead,
    );
    assert_eq!(
        small(b"GET / HTTP/1.1\r\nHost: h\r\nA:b\r\nA:b\r\nA:b\r\n\r\n", 1)
            .0
            .len(),
        2
    );
}

#[test]
fn trailers() {
    let start = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n";
    refuses(
        format!("{start}A: {}\r\n\r\n", "a".repeat(120)).as_bytes(),
        Error::LargeHead,
    );
    refuses(
        format!("{start}A:b\r\nA:b\r\nA:b\r\nA:b\r\nA:b\r\n\r\n").as_bytes(),
        Error::LargeHead,
    );
}

#[test]
fn extensions_of_all_chunks_together() {
    let start = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
    refuses(
        format!("{start}1;{}\r\na\r\n", "e".repeat(21)).as_bytes(),
        Error::ChunkExtensions,
    );
    refuses(
        format!("{start}{}", "1;eeeee\r\na\r\n".repeat(4)).as_bytes(),
        Error::ChunkExtensions,
    );
    let (seen, _) = small(
        format!("{start}{}0\r\n\r\n", "1;eeeee\r\na\r\n".repeat(3)).as_bytes(),
        1,
    );
    assert_eq!(seen[1..], [Seen::Data(b"aaa".to_vec()), Seen::End(vec![])]);
}

#[test]
fn empty_lines_before_a_request() {
    let request = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
    assert_eq!(
        small(format!("\r\n\r\n{request}\r\n{request}").as_bytes(), 1)
            .0
            .len(),
        4
    );
    refuses("\r\n".repeat(5).as_bytes(), Error::RequestLine);
}
