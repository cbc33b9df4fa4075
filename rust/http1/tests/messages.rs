//! Messages are read as they were meant, and what is written can be read.

mod util;

use torsion_http1::{Asked, Body, Error, Event, Limits, Reader, Refused, State, Version, Writer};
use util::{Driven, Seen, requests};

fn pair(name: &str, value: &str) -> (String, String) {
    (name.into(), value.into())
}

#[test]
fn a_pipeline() {
    let seen = requests(
        b"GET /a?b HTTP/1.1\r\nHost:  h \r\nX: \r\n\r\nPOST /c HTTP/1.1\r\nhost: h\r\ncontent-length: 3\r\n\r\nabcHEAD * HTTP/1.0\r\n\r\nrest",
    );
    assert_eq!(
        seen,
        [
            Seen::Request {
                method: "GET".into(),
                target: "/a?b".into(),
                version: Version::Http11,
                fields: vec![pair("Host", "h"), pair("X", "")],
                body: Body::None,
            },
            Seen::End(vec![]),
            Seen::Request {
                method: "POST".into(),
                target: "/c".into(),
                version: Version::Http11,
                fields: vec![pair("host", "h"), pair("content-length", "3")],
                body: Body::Length(3),
            },
            Seen::Data(b"abc".to_vec()),
            Seen::End(vec![]),
            Seen::Request {
                method: "HEAD".into(),
                target: "*".into(),
                version: Version::Http10,
                fields: vec![],
                body: Body::None,
            },
            Seen::End(vec![]),
        ],
        "after an HTTP/1.0 request nothing follows"
    );
}

#[test]
fn what_asks_for_another_protocol_waits_for_a_decision() {
    for head in [
        "GET /chat HTTP/1.1\r\nHost: h\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\r\n",
        "CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n",
    ] {
        let mut driven = Driven::server();
        driven.take(head.as_bytes());
        driven.take(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n");
        assert_eq!(driven.reader.state(), State::Switch);
        assert_eq!(driven.seen.len(), 2);
        assert_eq!(driven.kept.len(), 27, "they may be of the other protocol");
        driven.reader.go_on();
        driven.take(b"");
        assert_eq!(driven.seen.len(), 4);
    }
    let mut driven = Driven::server();
    driven.take(b"GET / HTTP/1.1\r\nHost: h\r\nUpgrade: h2c\r\n\r\n");
    assert_eq!(
        driven.reader.state(),
        State::Head,
        "no upgrade without the option"
    );
}

#[test]
fn expectations() {
    let mut reader = Reader::server(Limits::default());
    let step = reader
        .read(b"PUT / HTTP/1.1\r\nHost: h\r\nExpect: 100-Continue\r\nContent-Length: 1\r\n\r\n")
        .unwrap();
    let Some(Event::Request(request)) = step.event else {
        panic!("{step:?}")
    };
    assert!(request.wishes.expects_continue);
    assert_eq!(
        request.fields.named("CONTENT-length").collect::<Vec<_>>(),
        [b"1"]
    );
}

#[test]
fn ends() {
    for (input, expected) in [
        (&b""[..], None),
        (b"G", Some(Error::Incomplete)),
        (
            b"GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\na",
            Some(Error::Incomplete),
        ),
        (
            b"GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n",
            Some(Error::Incomplete),
        ),
        (b"GET / HTTP/1.1\r\nHost: h\r\n\r\n", None),
    ] {
        let mut driven = Driven::server();
        driven.take(input);
        driven.end();
        let failed = driven.seen.iter().find_map(|seen| {
            if let Seen::Failed(error) = seen {
                Some(*error)
            } else {
                None
            }
        });
        assert_eq!(failed, expected);
    }
}

fn response(asked: Asked, input: &[u8]) -> Vec<Seen> {
    let mut whole = Driven::client(asked);
    whole.take(input);
    whole.end();
    let mut driven = Driven::client(asked);
    for byte in input {
        driven.take(&[*byte]);
    }
    driven.end();
    assert_eq!(whole.seen, driven.seen);
    driven.seen
}

#[test]
fn responses() {
    let asked = Asked::default();
    let bodies = |seen: &[Seen]| -> Vec<Vec<u8>> {
        seen.iter()
            .filter_map(|each| {
                if let Seen::Data(data) = each {
                    Some(data.clone())
                } else {
                    None
                }
            })
            .collect()
    };
    let until_close = response(asked, b"HTTP/1.1 200 OK\r\n\r\nall of it");
    assert_eq!(bodies(&until_close), [b"all of it"]);
    assert!(matches!(until_close.last(), Some(Seen::End(_))));
    let continued = response(asked, b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200\r\nContent-Length: 1\r\n\r\na");
    assert!(matches!(
        continued[..],
        [
            Seen::Response { status: 100, .. },
            Seen::Response { status: 103, .. },
            Seen::Response { status: 200, .. },
            Seen::Data(_),
            Seen::End(_)
        ]
    ));
    let to_head = response(
        Asked {
            head: true,
            connect: false,
        },
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
    );
    assert!(matches!(
        to_head[..],
        [
            Seen::Response {
                body: Body::None,
                ..
            },
            Seen::End(_)
        ]
    ));
    for status in ["204 No Content", "304 Not Modified"] {
        let seen = response(
            asked,
            format!("HTTP/1.1 {status}\r\nContent-Length: 5\r\n\r\n").as_bytes(),
        );
        assert!(
            matches!(
                seen[..],
                [
                    Seen::Response {
                        body: Body::None,
                        ..
                    },
                    Seen::End(_)
                ]
            ),
            "{seen:?}"
        );
    }
    let unasked = response(
        asked,
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
    );
    assert_eq!(unasked.last(), Some(&Seen::Failed(Error::Unasked)));
    for (input, expected) in [
        (&b"HTTP/1.1 20 OK\r\n\r\n"[..], Error::StatusLine),
        (b"HTTP/2 200 OK\r\n\r\n", Error::Version),
        (b"ICY 200 OK\r\n\r\n", Error::StatusLine),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
            Error::ContentLength,
        ),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
            Error::Coding,
        ),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\na",
            Error::Incomplete,
        ),
    ] {
        assert_eq!(
            response(asked, input).last(),
            Some(&Seen::Failed(expected)),
            "{:?}",
            String::from_utf8_lossy(input)
        );
    }
}

#[test]
fn a_tunnel() {
    let mut driven = Driven::client(Asked {
        head: false,
        connect: true,
    });
    driven.take(b"HTTP/1.1 200 Connected\r\nTransfer-Encoding: chunked\r\n\r\n\x16\x03");
    assert_eq!(driven.reader.state(), State::Switch);
    assert_eq!(driven.kept, b"\x16\x03");
}

fn no_fields() -> [(&'static [u8], &'static [u8]); 0] {
    []
}

#[test]
fn responses_are_framed() {
    let mut writer = Writer::new();
    let mut out = Vec::new();
    assert_eq!(
        writer.response(&mut out, Version::Http11, false, 200, b"OK", no_fields()),
        Ok(Body::Chunked)
    );
    writer.data(&mut out, b"hello").unwrap();
    writer.data(&mut out, b"").unwrap();
    writer.data(&mut out, &[b'x'; 300]).unwrap();
    writer.end(&mut out, [(&b"T"[..], &b"t"[..])]).unwrap();
    let expected = format!(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n12c\r\n{}\r\n0\r\nT: t\r\n\r\n",
        "x".repeat(300)
    );
    assert_eq!(String::from_utf8(out).unwrap(), expected);

    let mut out = Vec::new();
    let length = [(&b"Content-Length"[..], &b"5"[..])];
    assert_eq!(
        writer.response(&mut out, Version::Http11, true, 200, b"OK", length),
        Ok(Body::None)
    );
    writer.data(&mut out, b"hello").unwrap();
    writer.end(&mut out, no_fields()).unwrap();
    assert_eq!(
        out, b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
        "the body of a HEAD is not sent"
    );

    let mut out = Vec::new();
    assert_eq!(
        writer.response(&mut out, Version::Http10, false, 200, b"", no_fields()),
        Ok(Body::UntilClose)
    );
    assert!(writer.until_close());
    writer.data(&mut out, b"x").unwrap();
    writer.end(&mut out, no_fields()).unwrap();
    assert_eq!(out, b"HTTP/1.1 200 \r\n\r\nx");
    assert_eq!(
        writer.response(&mut out, Version::Http11, false, 100, b"", no_fields()),
        Ok(Body::None)
    );
    assert!(!writer.busy(), "the response is still to come");
}

#[test]
fn what_could_be_misread_is_refused() {
    let mut writer = Writer::new();
    let mut out = b"before".to_vec();
    let host = (&b"Host"[..], &b"h"[..]);
    for (method, target, field, expected) in [
        (&b"GE T"[..], &b"/"[..], host, Refused::Method),
        (b"", b"/", host, Refused::Method),
        (b"GET", b"", host, Refused::Target),
        (b"GET", b"/ HTTP/1.1\r\nA: b", host, Refused::Target),
        (b"GET", b"/", (b"A\r\nB", b"c"), Refused::FieldName),
        (b"GET", b"/", (b"A:", b"c"), Refused::FieldName),
        (b"GET", b"/", (b"A", b"b\r\nC: d"), Refused::FieldValue),
        (b"GET", b"/", (b"A", b"b\nC: d"), Refused::FieldValue),
        (b"GET", b"/", (b"A", b"b\0"), Refused::FieldValue),
        (b"GET", b"/", (b"Content-Length", b"x"), Refused::Framing),
        (
            b"GET",
            b"/",
            (b"Transfer-Encoding", b"gzip"),
            Refused::Framing,
        ),
    ] {
        assert_eq!(
            writer.request(&mut out, method, target, [field]),
            Err(expected)
        );
        assert_eq!(out, b"before");
    }
    for (status, reason, expected) in [
        (99, &b""[..], Refused::Status),
        (1000, b"", Refused::Status),
        (200, b"a\r\nB: c", Refused::Reason),
    ] {
        assert_eq!(
            writer.response(&mut out, Version::Http11, false, status, reason, [host]),
            Err(expected)
        );
    }
    let chunked = (&b"Transfer-Encoding"[..], &b"chunked"[..]);
    assert_eq!(
        writer.response(&mut out, Version::Http11, false, 204, b"", [chunked]),
        Err(Refused::Framing)
    );
    assert_eq!(
        writer.response(&mut out, Version::Http10, false, 200, b"", [chunked]),
        Err(Refused::Framing)
    );
    assert_eq!(out, b"before");
    assert_eq!(writer.data(&mut out, b"x"), Err(Refused::OutOfTurn));
    assert_eq!(writer.end(&mut out, no_fields()), Err(Refused::OutOfTurn));

    let length = (&b"Content-Length"[..], &b"3"[..]);
    assert_eq!(
        writer.request(&mut out, b"PUT", b"/", [host, length]),
        Ok(Body::Length(3))
    );
    assert_eq!(
        writer.request(&mut out, b"GET", b"/", [host]),
        Err(Refused::OutOfTurn)
    );
    assert_eq!(writer.data(&mut out, b"abcd"), Err(Refused::TooMuch));
    writer.data(&mut out, b"ab").unwrap();
    assert_eq!(writer.end(&mut out, no_fields()), Err(Refused::TooLittle));
    writer.data(&mut out, b"c").unwrap();
    assert_eq!(
        writer.end(&mut out, [host]),
        Err(Refused::Framing),
        "there is no room for trailers"
    );
    writer.end(&mut out, no_fields()).unwrap();
    assert!(!writer.busy());
}
