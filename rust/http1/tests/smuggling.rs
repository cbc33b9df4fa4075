//! Messages that two programs could read differently are refused: what request smuggling is made of.

mod util;

use torsion_http1::Error;
use util::{Seen, requests, wrong};

fn get(fields: &str) -> Vec<u8> {
    format!("GET / HTTP/1.1\r\nHost: h\r\n{fields}\r\n").into_bytes()
}

fn post(fields: &str, body: &str) -> Vec<u8> {
    format!("POST / HTTP/1.1\r\nHost: h\r\n{fields}\r\n{body}").into_bytes()
}

#[test]
fn lengths_that_contradict_each_other() {
    for fields in [
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
        "Content-Length: 5\r\nContent-Length: 6\r\n",
        "Content-Length: 5\r\nContent-Length: 5\r\n",
        "Content-Length: 5, 5\r\n",
        "Content-Length: +5\r\n",
        "Content-Length: -5\r\n",
        "Content-Length: 0x5\r\n",
        "Content-Length: 5 5\r\n",
        "Content-Length: 5_0\r\n",
        "Content-Length:\r\n",
        "Content-Length: 18446744073709551616\r\n",
        "Content-Length: 99999999999999999999999999\r\n",
    ] {
        assert_eq!(
            wrong(&post(fields, "hello")),
            Some(Error::ContentLength),
            "{fields:?}"
        );
    }
}

#[test]
fn transfer_codings() {
    for (fields, expected) in [
        ("Transfer-Encoding: xchunked\r\n", Error::TransferEncoding),
        ("Transfer-Encoding: identity\r\n", Error::TransferEncoding),
        (
            "Transfer-Encoding: chunked, identity\r\n",
            Error::TransferEncoding,
        ),
        (
            "Transfer-Encoding: chunked, gzip\r\n",
            Error::TransferEncoding,
        ),
        ("Transfer-Encoding:\r\n", Error::TransferEncoding),
        ("Transfer-Encoding: ,\r\n", Error::TransferEncoding),
        (
            "Transfer-Encoding: \"chunked\"\r\n",
            Error::TransferEncoding,
        ),
        ("Transfer-Encoding: gzip, chunked\r\n", Error::Coding),
        ("Transfer-Encoding: chunked, chunked\r\n", Error::Coding),
        (
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
            Error::Coding,
        ),
        (
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
            Error::TransferEncoding,
        ),
        (
            "Transfer-Encoding: chunked;q=1\r\n",
            Error::TransferEncoding,
        ),
        ("Transfer-Encoding: \x0bchunked\r\n", Error::Field),
        ("Transfer-Encoding : chunked\r\n", Error::Field),
        ("Transfer-Encoding\r\n: chunked\r\n", Error::Field),
        (" Transfer-Encoding: chunked\r\n", Error::Field),
        ("X: y\r\n Transfer-Encoding: chunked\r\n", Error::Field),
    ] {
        assert_eq!(
            wrong(&post(fields, "0\r\n\r\n")),
            Some(expected),
            "{fields:?}"
        );
    }
    let old = b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
    assert_eq!(wrong(old), Some(Error::TransferEncoding));
    assert_eq!(
        wrong(&post("Transfer-Encoding: CHUNKED\r\n", "0\r\n\r\n")),
        None
    );
    assert_eq!(
        wrong(&post("Transfer-Encoding: , chunked ,\r\n", "0\r\n\r\n")),
        None
    );
}

#[test]
fn line_ends() {
    for (input, expected) in [
        (&b"GET / HTTP/1.1\nHost: h\r\n\r\n"[..], Error::BareLineEnd),
        (b"GET / HTTP/1.1\r\nHost: h\n\r\n", Error::BareLineEnd),
        (b"GET / HTTP/1.1\r\nHost: h\r\n\n", Error::BareLineEnd),
        (
            b"GET / HTTP/1.1\r\nHost: h\r\nA: b\rC: d\r\n\r\n",
            Error::BareLineEnd,
        ),
        (
            b"GET / HTTP/1.1\r\nHost: h\r\nA: b\r\r\n\r\n",
            Error::BareLineEnd,
        ),
        (b"GET / HTTP/1.1\r\r\nHost: h\r\n\r\n", Error::BareLineEnd),
    ] {
        assert_eq!(
            wrong(input),
            Some(expected),
            "{:?}",
            String::from_utf8_lossy(input)
        );
    }
}

#[test]
fn fields() {
    for line in [
        "A b: c",
        ": c",
        "A\t: c",
        "A: b\0c",
        "A: b\x7fc",
        "A",
        "\u{e4}: c",
        "A(b): c",
        "A: b\r\n\tfolded",
    ] {
        assert_eq!(
            wrong(&get(&format!("{line}\r\n"))),
            Some(Error::Field),
            "{line:?}"
        );
    }
    assert_eq!(wrong(&get("A: b\tc \u{e4}\r\n")), None);
}

#[test]
fn hosts() {
    for fields in [
        "",
        "Host: a\r\nHost: a\r\n",
        "Host: a\r\nhost: b\r\n",
        "Host: a b\r\n",
        "Host: a/b\r\n",
        "Host: a@b\r\n",
        "Host: a,b\r\n",
    ] {
        let input = format!("GET / HTTP/1.1\r\n{fields}\r\n");
        assert_eq!(wrong(input.as_bytes()), Some(Error::Host), "{fields:?}");
    }
    assert_eq!(wrong(b"GET / HTTP/1.0\r\n\r\n"), None);
    assert_eq!(
        wrong(b"GET / HTTP/1.1\r\nHost:\r\n\r\n"),
        None,
        "a target without authority has an empty one"
    );
    assert_eq!(wrong(b"GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n"), None);
}

#[test]
fn request_lines() {
    for (line, expected) in [
        ("GET  / HTTP/1.1", Error::RequestLine),
        ("GET / HTTP/1.1 ", Error::RequestLine),
        ("GET / HTTP/1.2", Error::Version),
        ("GET / HTTP/2.0", Error::Version),
        ("GET / http/1.1", Error::RequestLine),
        ("GET /", Error::RequestLine),
        ("GET", Error::RequestLine),
        (" GET / HTTP/1.1", Error::RequestLine),
        ("G@T / HTTP/1.1", Error::RequestLine),
        ("GET /a b HTTP/1.1", Error::RequestLine),
        ("GET / HTTP/1.1x", Error::RequestLine),
        ("GET / HTTP/11", Error::RequestLine),
        ("GET /\u{7f} HTTP/1.1", Error::RequestLine),
        ("GET\t/ HTTP/1.1", Error::RequestLine),
        ("GET /\0 HTTP/1.1", Error::RequestLine),
    ] {
        let input = format!("{line}\r\nHost: h\r\n\r\n");
        assert_eq!(wrong(input.as_bytes()), Some(expected), "{line:?}");
    }
}

#[test]
fn chunks() {
    for (body, expected) in [
        ("x\r\n", Error::Chunk),
        ("-1\r\n", Error::Chunk),
        ("+1\r\na\r\n", Error::Chunk),
        ("0x1\r\na\r\n", Error::Chunk),
        (" 1\r\na\r\n", Error::Chunk),
        ("1_0\r\n", Error::Chunk),
        ("1\na\r\n", Error::Chunk),
        ("1\ra\r\n", Error::Chunk),
        ("1\r\nab\r\n", Error::Chunk),
        ("1\r\na\n0\r\n\r\n", Error::Chunk),
        ("1\r\na0\r\n\r\n", Error::Chunk),
        ("10000000000000000\r\n", Error::Chunk),
        ("00000000000000001\r\na\r\n", Error::Chunk),
        ("1;a\nb\r\na\r\n", Error::Chunk),
        ("1;a\rb\r\na\r\n", Error::Chunk),
        ("1;a\0\r\na\r\n", Error::Chunk),
        ("\r\n", Error::Chunk),
        (";\r\n", Error::Chunk),
        ("0\r\nA b: c\r\n\r\n", Error::Field),
        ("0\r\nA: c\n\r\n", Error::BareLineEnd),
    ] {
        let input = post("Transfer-Encoding: chunked\r\n", body);
        assert_eq!(wrong(&input), Some(expected), "{body:?}");
    }
    for body in [
        "1\r\na\r\n0\r\n\r\n",
        "1;a=b\r\na\r\n0\r\n\r\n",
        "01 ; a=\"b\"\r\na\r\n00\r\nT: t\r\n\r\n",
        "A\r\n0123456789\r\n0\r\n\r\n",
    ] {
        assert_eq!(
            wrong(&post("Transfer-Encoding: chunked\r\n", body)),
            None,
            "{body:?}"
        );
    }
}

#[test]
fn what_follows_a_refused_message_is_not_read() {
    let mut input = post(
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        "0\r\n\r\n",
    );
    input.extend(get(""));
    assert_eq!(requests(&input), [Seen::Failed(Error::ContentLength)]);
}

#[test]
fn what_is_no_http_is_refused_at_once() {
    for input in [
        &b"\x16\x03\x01"[..],
        b"\0",
        b"\x80\x2e",
        b"{\"a\"",
        b"\r\r",
        b" ",
    ] {
        assert_eq!(wrong(input), Some(Error::RequestLine), "{input:?}");
    }
}
