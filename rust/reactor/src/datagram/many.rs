//! Many datagrams in one call, as Linux has it.

use std::cell::Cell;
use std::io::{self, IoSlice, IoSliceMut};
use std::net::{SocketAddr, SocketAddrV4, SocketAddrV6};
use std::os::fd::{AsFd, AsRawFd};

use nix::sys::socket::{MsgFlags, MultiHeaders, SockaddrIn, SockaddrIn6, SockaddrLike, recvmmsg};
use rustix::net::{MMsgHdr, SendAncillaryBuffer, SendFlags, SocketAddrAny, sendmmsg};

use super::batch::{BATCH, Batch};
use crate::address::Address;

thread_local! {
    // What the kernel is handed is full of pointers, so it stays in its thread.  One for each family: the kernel notes in
    // it how long an address was, which is how much room the next one has.
    static V4: Cell<Option<MultiHeaders<SockaddrIn>>> = const { Cell::new(None) };
    static V6: Cell<Option<MultiHeaders<SockaddrIn6>>> = const { Cell::new(None) };
}

/// Takes up to `asked` datagrams.
pub(super) fn receive(
    socket: &impl AsRawFd,
    v6: bool,
    batch: &mut Batch,
    asked: usize,
) -> io::Result<()> {
    let descriptor = socket.as_raw_fd();
    if v6 {
        let mut headers = V6
            .take()
            .unwrap_or_else(|| MultiHeaders::preallocate(BATCH, None));
        let outcome = receive_with(descriptor, &mut headers, batch, asked, |address| {
            SocketAddrV6::new(
                address.ip(),
                address.port(),
                address.flowinfo(),
                address.scope_id(),
            )
            .into()
        });
        V6.set(Some(headers));
        outcome
    } else {
        let mut headers = V4
            .take()
            .unwrap_or_else(|| MultiHeaders::preallocate(BATCH, None));
        let outcome = receive_with(descriptor, &mut headers, batch, asked, |address| {
            SocketAddrV4::new(address.ip(), address.port()).into()
        });
        V4.set(Some(headers));
        outcome
    }
}

fn receive_with<S: Copy + SockaddrLike>(
    descriptor: i32,
    headers: &mut MultiHeaders<S>,
    batch: &mut Batch,
    asked: usize,
    read: impl Fn(&S) -> SocketAddr,
) -> io::Result<()> {
    let mut pieces = batch.bytes.chunks_exact_mut(batch.room);
    let mut slices: [_; BATCH] =
        std::array::from_fn(|_| [IoSliceMut::new(pieces.next().unwrap_or_default())]);
    let received = recvmmsg(
        descriptor,
        headers,
        slices.iter_mut().take(asked),
        MsgFlags::MSG_DONTWAIT,
        None,
    )?;
    batch.sizes.extend(received.filter_map(|message| {
        let from = message.address.as_ref()?;
        Some((message.bytes, Address::Inet(read(from))))
    }));
    Ok(())
}

/// Sends the first of `datagrams` and as many of the next as the kernel takes; returns how many.
pub(super) fn send<C: AsRef<[u8]>>(
    socket: &impl AsFd,
    datagrams: &[(SocketAddr, C)],
) -> io::Result<usize> {
    let datagrams = &datagrams[..datagrams.len().min(BATCH)];
    let peers: [_; BATCH] = std::array::from_fn(|index| {
        datagrams
            .get(index)
            .map(|(peer, _)| SocketAddrAny::from(*peer))
    });
    let slices: [_; BATCH] = std::array::from_fn(|index| {
        [IoSlice::new(
            datagrams
                .get(index)
                .map_or(&[], |(_, chunk)| chunk.as_ref()),
        )]
    });
    let mut controls: [_; BATCH] = std::array::from_fn(|_| SendAncillaryBuffer::default());
    let mut messages = Vec::with_capacity(datagrams.len());
    for ((peer, slice), control) in peers.iter().zip(&slices).zip(&mut controls) {
        if let Some(peer) = peer {
            messages.push(MMsgHdr::new_with_addr(peer, slice, control));
        }
    }
    Ok(sendmmsg(socket, &mut messages, SendFlags::DONTWAIT)?)
}
