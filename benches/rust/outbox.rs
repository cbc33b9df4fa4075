//! What queueing and flushing cost without the kernel: `cargo bench -p torsion-reactor --bench outbox`.

use std::fs::File;
use std::io::{self, IoSlice, Write};
use std::rc::Rc;

use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};
use torsion_reactor::buffer::outbox::{Outbox, Outcome};
use torsion_reactor::buffer::part::Way;
use torsion_reactor::ingress::Ingress;

fn main() {
    divan::main();
}

/// A chunk as the binding has it: a counted reference, one word wide.
#[derive(Clone)]
struct Chunk(Rc<Vec<u8>>);

impl Chunk {
    fn new(size: usize) -> Self {
        Self(Rc::new(vec![b'x'; size]))
    }
}

impl AsRef<[u8]> for Chunk {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// Takes everything and looks at nothing.
struct Void;

impl Write for Void {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(black_box(bytes).len())
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        Ok(black_box(slices).iter().map(|slice| slice.len()).sum())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Takes a quarter of what it is offered.
struct Quarter;

impl Write for Quarter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(black_box(bytes).len().div_ceil(4))
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        let offered: usize = black_box(slices).iter().map(|slice| slice.len()).sum();
        Ok(offered.div_ceil(4))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// No files are sent here.
macro_rules! no_files {
    ($($writer:ty),*) => {$(
        impl Way for $writer {
            fn send_file(&mut self, _: &File, _: u64, count: usize) -> io::Result<usize> {
                Ok(count)
            }
        }
    )*};
}

no_files!(Void, Quarter);

/// An echo: one chunk in, taken whole.
#[divan::bench(args = [64, 65_536])]
fn one_chunk(bencher: Bencher<'_, '_>, size: usize) {
    let chunk = Chunk::new(size);
    let mut outbox = Outbox::new();
    bencher.bench_local(|| {
        outbox.push_small_or_shared(chunk.clone());
        let _ = black_box(outbox.flush(&mut Void, drop));
    });
}

/// A response: 200 bytes of header, then a body.
#[divan::bench(args = [100, 16_384])]
fn header_and_body(bencher: Bencher<'_, '_>, body: usize) {
    let (header, body) = (Chunk::new(200), Chunk::new(body));
    let mut outbox = Outbox::new();
    bencher.bench_local(|| {
        outbox.push_small_or_shared(header.clone());
        outbox.push_small_or_shared(body.clone());
        let _ = black_box(outbox.flush(&mut Void, drop));
    });
}

/// A hundred short lines between two flushes.
#[divan::bench(args = [16, 64, 512])]
fn hundred_lines(bencher: Bencher<'_, '_>, size: usize) {
    let line = Chunk::new(size);
    let mut outbox = Outbox::new();
    bencher.counter(ItemsCount::new(100_usize)).bench_local(|| {
        for _ in 0..100 {
            outbox.push_small_or_shared(line.clone());
        }
        let _ = black_box(outbox.flush(&mut Void, drop));
    });
}

/// A megabyte in large chunks, to a peer that takes a quarter at a time.
#[divan::bench]
fn slow_peer(bencher: Bencher<'_, '_>) {
    let chunk = Chunk::new(16 * 1024);
    let mut outbox = Outbox::new();
    bencher
        .counter(BytesCount::new(1024_usize * 1024))
        .bench_local(|| {
            for _ in 0..64 {
                outbox.push_small_or_shared(chunk.clone());
            }
            while !matches!(outbox.flush(&mut Quarter, drop).outcome, Outcome::Drained) {}
        });
}

/// A thousand calls from a thread, taken at once.
#[divan::bench]
fn ingress(bencher: Bencher<'_, '_>) {
    let ingress = Ingress::new();
    let mut taken = Vec::new();
    bencher
        .counter(ItemsCount::new(1_000_usize))
        .bench_local(|| {
            for number in 0..1_000_usize {
                let _ = black_box(ingress.push(number));
            }
            ingress.take(&mut taken);
            black_box(&mut taken).clear();
        });
}

/// A look at an ingress that nobody used.
#[divan::bench]
fn ingress_idle(bencher: Bencher<'_, '_>) {
    let ingress: Ingress<usize> = Ingress::new();
    let mut taken = Vec::new();
    bencher.bench_local(|| ingress.take(black_box(&mut taken)));
}
