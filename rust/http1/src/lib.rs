//! HTTP/1.1 as bytes (RFC 9112): a reader that turns bytes into messages, and a writer that does the opposite.
//!
//! It knows no sockets, no clock and nothing of Python.  [`Reader`] and [`Writer`] are functions of their input: how bytes
//! are cut makes no difference to what is read, and nothing is kept of them but what [`Limits`] allow.
//!
//! ```
//! use torsion_http1::{Event, Limits, Reader};
//!
//! let mut reader = Reader::server(Limits::default());
//! let input = b"GET / HTTP/1.1\r\nHost: example.org\r\n\r\n";
//! let step = reader.read(input)?;
//! assert_eq!(step.taken, input.len());
//! let Some(Event::Request(request)) = step.event else { unreachable!() };
//! assert_eq!(request.target, b"/");
//! assert!(matches!(reader.read(b"")?.event, Some(Event::End(_))));
//! # Ok::<(), torsion_http1::Error>(())
//! ```
//!
//! ```text
//! reader    writer
//! head      chunked
//! lines     framing
//! fields
//! error     limits
//! ```

#![forbid(unsafe_code)]

mod chunked;
mod error;
mod fields;
mod framing;
mod head;
mod limits;
mod lines;
mod reader;
mod writer;

pub use error::{Error, Refused};
pub use fields::Fields;
pub use framing::{Body, Version, Wishes};
pub use head::{Request, Response};
pub use limits::Limits;
pub use reader::{Asked, Event, Reader, State, Step};
pub use writer::Writer;
