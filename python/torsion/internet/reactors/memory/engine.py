"""The engine in memory: what is served in its turns, and how that comes about."""

from __future__ import annotations

import errno
from collections import deque
from threading import get_ident
from typing import TYPE_CHECKING, Any

from torsion.internet._current import here
from torsion.internet.reactors.memory.connecting import MemoryConnector
from torsion.internet.reactors.memory.datagram import MemoryDatagram
from torsion.internet.reactors.memory.listening import MemoryListener
from torsion.internet.reactors.memory.machine import WILDCARDS, check_name, name_address
from torsion.internet.reactors.memory.sockets import ListeningSocket, StreamSocket, system_error
from torsion.internet.reactors.memory.state import Action, Input
from torsion.internet.reactors.memory.stream import FAIR_SHARE, READ_SIZE, REASON_ABORTED, REASONS, MemoryStream
from torsion.internet.reactors.memory.turns import Entry, Turns

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from torsion.internet.reactors.memory.machine import Machine
    from torsion.internet.reactors.memory.network import Network
    from torsion.internet.reactors.memory.sockets import Address

__all__ = ["MemoryEngine"]

_DONE = REASONS[Action.CLOSE_DONE]


class MemoryEngine(Turns):
    """What a reactor in memory runs on: the methods of ``torsion._native.Engine``, as far as a network in memory goes.

    :ivar machine: the computer that it is a process of.
    """

    def __init__(self, owner: Any, network: Network, machine: Machine, streams: Mapping[type, type]) -> None:
        """Make an engine.

        :param owner: the reactor; its ``raised`` is told what escapes from calls.
        :param network: where it is to be.
        :param machine: on which computer there.
        :param streams: the class of streams to make for each class of native ones that is asked for.
        """
        super().__init__(owner, network)
        self.machine = machine
        self._classes = streams
        self._dirty: deque[MemoryStream] = deque()
        self._closed: deque[MemoryStream] = deque()
        self._alone = (owner,)
        self.timers.shift = machine.skew
        machine.engines.add(self)

    # --- what a reactor asks -----------------------------------------------------------------------------------------

    def listen(self, address: Address, backlog: int, owner: Any, streams: type, /) -> MemoryListener:
        """Listen on *address*; each connection becomes a stream.  Raises :class:`OSError`."""
        self.enter()
        return MemoryListener(self, self.machine.listen(address, backlog), owner, self.class_for(streams))

    def connect(self, address: Address, bind: Address | None, owner: Any, streams: type, /) -> MemoryConnector:
        """Start to connect to *address*, from *bind*.

        Raises :class:`OSError` where that fails at once; the outcome never arrives before this returns.
        """
        self.enter()
        network, machine = self.network, self.machine
        target, remote = network.route(machine, address)
        local = machine.local_for(remote)
        if local is None:
            raise system_error(errno.ENETUNREACH)
        if bind is None:
            here: Address = (local, machine.free_port("TCP", (local, 0, *remote[2:])), *remote[2:])
        else:
            here = machine.bind("TCP", bind)
            if here[0] in WILDCARDS:
                here = (local, *here[1:])

        def find() -> ListeningSocket | int | None:
            if target is None:
                return errno.EHOSTUNREACH
            if target.down:
                return None
            listening: ListeningSocket | None = target.find("TCP", remote)
            return errno.ECONNREFUSED if listening is None else listening

        end = StreamSocket(network, here, remote, machine)
        return MemoryConnector(self, end, find, owner, self.class_for(streams))

    def listen_unix(self, path: bytes, backlog: int, mode: int, owner: Any, streams: type, /) -> MemoryListener:
        """Listen at *path*, a name on this computer; permissions are nobody's concern here.  Raises :class:`OSError`."""
        self.enter()
        check_name(path)
        if self.machine.find("UNIX", name_address(path)) is not None:
            raise system_error(errno.EADDRINUSE)
        listening = ListeningSocket(self.machine, name_address(path), backlog)
        self.machine.keep("UNIX", name_address(path), listening)
        return MemoryListener(self, listening, owner, self.class_for(streams))

    def connect_unix(self, path: bytes, owner: Any, streams: type, /) -> MemoryConnector:
        """Start to connect to *path*.  Raises as :meth:`connect`."""
        self.enter()
        check_name(path)
        address = name_address(path)

        def find() -> ListeningSocket | int:
            listening: ListeningSocket | None = self.machine.find("UNIX", address)
            return errno.ECONNREFUSED if listening is None else listening

        if find() == errno.ECONNREFUSED:
            raise system_error(errno.ENOENT if path[:1] != b"\0" else errno.ECONNREFUSED)
        end = StreamSocket(self.network, name_address(b""), address, self.machine)
        return MemoryConnector(self, end, find, owner, self.class_for(streams))

    def bind_datagram(self, address: Address, reuse: bool, room: int, owner: Any, /) -> MemoryDatagram:
        """Bind a datagram socket to *address*; with *reuse*, others that ask for it as well may bind the same.

        No more than *room* bytes of a datagram are delivered.  Raises :class:`OSError`.
        """
        self.enter()
        bound = self.machine.bind("UDP", address, reuse)
        datagram = MemoryDatagram(self, bound, room, owner)
        self.machine.keep("UDP", bound, datagram, reuse)
        self.network.enlist(datagram, self.machine)
        return datagram

    def connections(self, owner: Any = None, /) -> list[tuple[MemoryStream, float, int, int, int]]:
        """Return of each stream of *owner*, or of all: itself, when it was opened, and bytes read, written, and waiting."""
        self.enter()
        return [
            (entry, entry.opened, *entry.statistics().values())  # type: ignore[misc]  # three of them
            for entry in self.entries
            if isinstance(entry, MemoryStream) and (owner is None or entry.owner is owner)
        ]

    def holdings(self) -> dict[str, int]:
        """Return connections, connecting, listeners, datagrams, pipes and watched: how many of each there are."""
        self.enter()
        kinds = {
            "connections": MemoryStream,
            "connecting": MemoryConnector,
            "listeners": MemoryListener,
            "datagrams": MemoryDatagram,
        }
        return {
            **{name: sum(isinstance(entry, kind) for entry in self.entries) for name, kind in kinds.items()},
            "pipes": 0,
            "watched": 0,
        }

    def class_for(self, streams: type) -> type:
        """Return the class of streams in memory that stands for *streams*.

        :raises TypeError: if there is none: the network has no such transport.
        """
        if issubclass(streams, MemoryStream):
            return streams
        try:
            return self._classes[streams]
        except KeyError:
            raise TypeError(f"there is no {streams.__name__} in memory; use a reactor with sockets") from None

    def close(self) -> None:
        """Close everything; streams are lost as aborted, at once.  Timers and calls from threads stay."""
        self.enter()
        entries = self.forget_entries()
        self._dirty.clear()
        self._closed.clear()
        streams = [entry for entry in entries if isinstance(entry, MemoryStream)]
        codes = [REASON_ABORTED if each.code is None else each.code for each in streams]
        for stream in streams:
            stream.dirty = False
        for entry in entries:
            if not isinstance(entry, MemoryStream):
                entry.dismiss()
        for stream, code in zip(streams, codes, strict=True):
            stream.close(_DONE)  # the peer is to see an end, not a reset: it may be reading what it was sent
            stream.code = code
        for stream in streams:
            self._tell_lost(stream)

    def vanish(self) -> None:
        """Be gone at once, as a process whose computer has lost its power: nobody is told, here or elsewhere."""
        for entry in self.forget_entries():
            entry.vanish()
        self._dirty.clear()
        self._closed.clear()
        self._calls.clear()
        self.timers.clear()
        self.machine.engines.discard(self)
        self.network.detach(self.number)

    # --- turns -------------------------------------------------------------------------------------------------------

    def step(self) -> bool:
        """Take a turn as :meth:`turn` does that lets no time pass; return whether there was anything to do."""
        network = self.network
        network.busy.pop(self.number, None)
        self.listed = True
        if not self._touched and not self.has_work():
            self.relist()
            return False
        before, self._thread = self._thread, get_ident()
        others = here.running
        here.running = self._alone  # whoever asks for the reactor within this turn means this one
        try:
            self._turns += 1
            if self._calls or not self._ingress.empty():
                self._make_calls()
            if self.timers.alarm <= network.clock.now:
                self._fire_timers()
            if self._dirty or self._closed:
                self.settle()
            touched = self._touched
            if len(touched) == 1 and not self._ready:
                self._serve_alone(touched.popitem()[0])
            elif touched:
                self._collect()
            if self._ready:
                self._serve_ready()
            if self._dirty or self._closed:
                self.settle()
        finally:
            self._thread = before
            here.running = others
        if (
            self._touched or self._dirty or self._ready or self._closed or self._calls
            or self.timers.alarm <= network.clock.now or not self._ingress.empty()
        ):  # fmt: skip
            self.relist()
        else:
            self.listed = False
        return True

    def _serve_alone(self, entry: Entry) -> None:
        """Serve the only one for which there is something to do, without the list of those; in a simulation that is the rule."""
        entry.noticed()
        if entry.busy:
            self.enqueue(entry)
        elif not entry.queued and entry in self.entries:
            entry.serve()
            if self._closed:
                self.tell_closed()

    def owes(self) -> bool:
        """Tell whether the next turn has something to do without any event."""
        if self._dirty:
            return True
        for stream in self._closed:
            if not stream.busy:
                return True
        return super().owes()

    def settle(self) -> None:
        """Flush what was written and tell of what was closed."""
        # Those that are dirty now: what the flushes' hooks write comes after the wait, which is then none.
        for _ in range(len(self._dirty)):
            if not self._dirty:
                break
            stream = self._dirty.popleft()
            stream.dirty = False
            self.flush(stream)
        self.tell_closed()

    def tell_closed(self) -> None:
        """Tell the owners of closed streams, the last that they hear of them."""
        for _ in range(len(self._closed)):
            if not self._closed:
                return
            stream = self._closed.popleft()
            if stream.busy:
                self._closed.append(stream)  # its hook is on the stack: a nested turn must not get ahead of it
            else:
                self._tell_lost(stream)

    def _tell_lost(self, stream: MemoryStream) -> None:
        self.discard(stream)
        self.gone += 1
        stream.disconnected = True
        stream.disconnecting = stream.streamingProducer = False
        producer, stream.producer = stream.producer, None
        if producer is not None:
            self.upcall(stream, producer.stopProducing)
        reason, stream.reason = stream.reason, None
        self.upcall(stream, stream.owner.lost, stream, stream.code, stream.errno, reason)

    def upcall(self, stream: MemoryStream, hook: Callable[..., object], *args: object) -> None:
        """Call *hook*; what it raises is told to the owner of *stream*, and has no other consequence."""
        try:
            hook(*args)
        except BaseException as exception:  # noqa: BLE001 - the loop goes on in every case
            self.complain(stream.owner, stream, exception)

    # --- streams -----------------------------------------------------------------------------------------------------

    def soil(self, stream: MemoryStream) -> None:
        """Have *stream* flushed before the next wait; while one of its hooks is on the stack, that is followed by a flush."""
        if not stream.busy and not stream.dirty and stream in self.entries:
            stream.dirty = True
            self._dirty.append(stream)
            if not self.listed:
                self.call_for_turn()

    def fail(self, stream: MemoryStream, exception: BaseException) -> None:
        """Lose *stream* because a hook raised *exception*."""
        stream.reason = self.complain(stream.owner, stream, exception)
        for action in stream.state.apply(Input.HOOK_RAISED):
            if action in REASONS:
                self.close_stream(stream, action)

    def close_stream(self, stream: MemoryStream, how: Action) -> None:
        """Close *stream*; its owner is told later."""
        stream.close(REASONS[how])
        self._closed.append(stream)
        self.call_for_turn()

    def serve_stream(self, stream: MemoryStream) -> None:
        """Read this turn's share, then write what waits; where something was read, each hook is followed by that."""
        left = FAIR_SHARE
        while stream.wants_input:
            try:
                data = stream.receive(READ_SIZE)
            except BlockingIOError:
                break
            except OSError as error:
                how = stream.failed(error.errno or 0)
                if how is not None:
                    self.close_stream(stream, how)
                break
            stream.busy = True
            if not data:
                self._peer_ended(stream)
                return
            left -= len(data)
            self._deliver(stream, data)
            self.leave(stream)
            if not stream.readable:
                return
            if left <= 0:
                self.enqueue(stream)
                return
        self.flush(stream)

    def _deliver(self, stream: MemoryStream, data: bytes) -> None:
        protocol = stream.protocol
        if protocol is None:
            return  # nobody listens yet, or no more
        try:
            protocol.dataReceived(data)
        except BaseException as exception:  # noqa: BLE001 - whatever it is, the connection is lost for it
            self.fail(stream, exception)

    def _peer_ended(self, stream: MemoryStream) -> None:
        if stream.state.apply(Input.PEER_END):
            goes_on = self._ask_whether_it_goes_on(stream)
            for action in stream.state.apply(Input.END_KEPT if goes_on else Input.END_REFUSED):
                if action in REASONS:
                    self.close_stream(stream, action)
        self.leave(stream)

    def _ask_whether_it_goes_on(self, stream: MemoryStream) -> bool:
        try:
            # Most protocols do not care for half a connection.
            return hasattr(stream.protocol, "readConnectionLost") and bool(stream.owner.eof(stream))
        except BaseException as exception:  # noqa: BLE001 - as above
            self.fail(stream, exception)
            return False

    def leave(self, stream: MemoryStream) -> None:
        """A hook of *stream* has returned: send what it wrote."""
        stream.busy = False
        self.flush(stream)

    def flush(self, stream: MemoryStream) -> None:
        """Write what is taken, and do what an empty outbox was waited for."""
        if stream.busy or stream.socket is None:
            return  # its hook is on the stack and is followed by a flush; or it is over
        owed, again = stream.send()
        if again:
            self.enqueue(stream)
        elif owed in REASONS:
            self.close_stream(stream, owed)
        elif owed is not None:
            stream.busy = True
            try:
                if owed is Action.DELIVER_WRITE_CLOSED:
                    stream.owner.write_closed(stream)
                elif stream.producer is not None:
                    stream.producer.resumeProducing()
            except BaseException as exception:  # noqa: BLE001 - as above
                self.fail(stream, exception)
            stream.busy = False
            # What the hook wrote is flushed with the others, so that a producer that never stops takes turns.
            self.soil(stream)

    def begin(self, owner: Any, socket: StreamSocket, make: type, tell: Callable[[MemoryStream], object]) -> None:
        """Make a stream of *socket*, and have *tell* tell its owner; what the hooks write is sent then."""
        try:
            stream = make(self, owner, socket)
        except BaseException as exception:  # noqa: BLE001 - it costs the connection, no more
            self.complain(owner, make, exception)
            socket.close(reset=True)
            return
        self.add(stream)
        self.opened += 1
        stream.busy = True
        try:
            tell(stream)
        except BaseException as exception:  # noqa: BLE001 - as above
            self.fail(stream, exception)
        self.leave(stream)
        if stream.socket is not None:
            socket.watcher = stream
            if socket.readable:
                self.touch(stream)
