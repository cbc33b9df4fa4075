//! What holds for any bytes and any message.

mod util;

use proptest::prelude::*;
use torsion_http1::{Asked, Limits, Reader, Version, Writer};
use util::{Driven, Seen};

/// Bytes that are nearly HTTP.
fn noise() -> impl Strategy<Value = Vec<u8>> {
    let part = prop_oneof![
        3 => prop::sample::select(vec![
            "GET / HTTP/1.1\r\n", "POST /x HTTP/1.1\r\n", "HTTP/1.1 200 OK\r\n", "Host: h\r\n", "Content-Length: 3\r\n",
            "Transfer-Encoding: chunked\r\n", "Connection: close\r\n", "\r\n", "abc", "3\r\nabc\r\n", "0\r\n\r\n", "1;x=y\r\nz\r\n",
            "\n", "\r", " ", ":", "0", "f", ";", "Upgrade: x\r\nConnection: upgrade\r\n",
        ]).prop_map(|text| text.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..8),
    ];
    prop::collection::vec(part, 0..24).prop_map(|parts| parts.concat())
}

fn token() -> impl Strategy<Value = String> {
    "[!#$%&'*+.^_`|~0-9A-Za-z-]{1,12}"
}

fn fields() -> impl Strategy<Value = Vec<(String, String)>> {
    let name = token().prop_filter("it says something about the framing", |name| {
        ![
            "host",
            "expect",
            "upgrade",
            "connection",
            "content-length",
            "transfer-encoding",
        ]
        .contains(&&*name.to_ascii_lowercase())
    });
    prop::collection::vec((name, "([!-~]([ -~\t]{0,20}[!-~])?)?"), 0..8)
}

fn borrowed(fields: &[(String, String)]) -> Vec<(&[u8], &[u8])> {
    fields
        .iter()
        .map(|(name, value)| (name.as_bytes(), value.as_bytes()))
        .collect()
}

fn driven(server: bool, limits: Limits) -> Driven {
    if server {
        return Driven::new(Reader::server(limits));
    }
    let mut reader = Reader::client(limits);
    reader.expect(Asked::default());
    Driven::new(reader)
}

proptest! {
    #[test]
    fn cuts_make_no_difference(input in noise(), cuts in prop::collection::vec(1usize..9, 1..9), server: bool) {
        let limits = Limits { line: 64, head: 160, fields: 6, extensions: 16 };
        let mut whole = driven(server, limits);
        whole.take(&input);
        let mut pieces = driven(server, limits);
        let mut rest = &input[..];
        for cut in cuts.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (piece, after) = rest.split_at(rest.len().min(*cut));
            pieces.take(piece);
            rest = after;
        }
        whole.end();
        pieces.end();
        prop_assert_eq!(whole.seen, pieces.seen);
        if pieces.reader.state() != torsion_http1::State::Switch {
            prop_assert!(pieces.most_kept <= limits.head, "{} bytes were kept", pieces.most_kept);
        }
    }

    #[test]
    fn what_is_written_is_read(
        method in token(), target in "[!-~]{1,30}", fields in fields(), trailers in fields(),
        chunked: bool, body in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..6),
    ) {
        let whole = body.concat();
        let length = whole.len().to_string();
        let mut sent = vec![(&b"Host"[..], &b"h"[..])];
        sent.extend(borrowed(&fields));
        if chunked {
            sent.push((b"Transfer-Encoding", b"chunked"));
        } else {
            sent.push((b"Content-Length", length.as_bytes()));
        }
        let (mut writer, mut out) = (Writer::new(), Vec::new());
        writer.request(&mut out, method.as_bytes(), target.as_bytes(), sent.iter().copied()).unwrap();
        for part in &body {
            writer.data(&mut out, part).unwrap();
        }
        writer.end(&mut out, if chunked { borrowed(&trailers) } else { vec![] }).unwrap();

        let mut driven = Driven::server();
        driven.take(&out);
        let Some(Seen::Request { method: read, target: place, fields: got, .. }) = driven.seen.first() else {
            panic!("{:?}", driven.seen);
        };
        prop_assert_eq!((read, place), (&method, &target));
        prop_assert_eq!(&got[1..got.len() - 1], &fields[..]);
        let data: Vec<u8> = driven.seen.iter().flat_map(|seen| if let Seen::Data(data) = seen { data.clone() } else { vec![] }).collect();
        prop_assert_eq!(data, whole);
        prop_assert_eq!(driven.seen.last(), Some(&Seen::End(if chunked { trailers } else { vec![] })));
    }

    #[test]
    fn responses_are_read_too(status in 200u16..600, fields in fields(), old: bool, body in prop::collection::vec(any::<u8>(), 0..100)) {
        let peer = if old { Version::Http10 } else { Version::Http11 };
        let (mut writer, mut out) = (Writer::new(), Vec::new());
        writer.response(&mut out, peer, false, status, b"Some Words", borrowed(&fields)).unwrap();
        writer.data(&mut out, &body).unwrap();
        writer.end(&mut out, []).unwrap();
        let mut driven = Driven::client(Asked::default());
        driven.take(&out);
        driven.end();
        let bodiless = status == 204 || status == 304;
        let data: Vec<u8> = driven.seen.iter().flat_map(|seen| if let Seen::Data(data) = seen { data.clone() } else { vec![] }).collect();
        prop_assert_eq!(data, if bodiless { vec![] } else { body });
        prop_assert_eq!(driven.seen.last(), Some(&Seen::End(vec![])));
    }
}
