//! As whom a server answers: by the name that the client asks for.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

/// What a client said in its hello that rustls does not keep.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wish {
    pub(crate) server_name: Option<Box<str>>,
    pub(crate) alpn: Vec<Vec<u8>>,
}

thread_local! {
    /// The last wish that was resolved in this thread.  A resolver is not told for which connection it is asked; but it is
    /// asked while that connection's record is being worked on, by the thread that takes the wish right after.
    static WISH: RefCell<Wish> = RefCell::default();
}

/// Takes what the client of the handshake that this thread has just worked on said.
pub(crate) fn take_wish() -> Wish {
    WISH.take()
}

/// A server's certificates.
#[derive(Debug)]
pub(crate) struct Resolver {
    /// For a client that names nobody, or somebody who is not known.
    default: Arc<CertifiedKey>,
    /// By name, in lower case; `*.` stands for one label.
    names: HashMap<String, Arc<CertifiedKey>>,
}

impl Resolver {
    pub(crate) fn new(
        default: Arc<CertifiedKey>,
        names: HashMap<String, Arc<CertifiedKey>>,
    ) -> Self {
        Self { default, names }
    }

    fn find(&self, name: &str) -> Option<&Arc<CertifiedKey>> {
        if self.names.is_empty() {
            return None;
        }
        let name = name.to_ascii_lowercase();
        let name = name.strip_suffix('.').unwrap_or(&name);
        self.names.get(name).or_else(|| {
            let (_, parent) = name.split_once('.')?;
            self.names.get(&format!("*.{parent}"))
        })
    }
}

impl ResolvesServerCert for Resolver {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        WISH.set(Wish {
            server_name: hello.server_name().map(Box::from),
            alpn: hello
                .alpn()
                .map(|offered| offered.map(<[u8]>::to_vec).collect())
                .unwrap_or_default(),
        });
        let found = hello.server_name().and_then(|name| self.find(name));
        Some(Arc::clone(found.unwrap_or(&self.default)))
    }
}
