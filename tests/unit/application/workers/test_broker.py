"""How workers get their sockets from the master: both ends, over a real socket pair."""

from __future__ import annotations

import errno
import os
import socket
import threading

import pytest
from zope.interface.verify import verifyObject

from torsion.application.workers.asking import Asking
from torsion.application.workers.broker import LONGEST_QUESTION, MOST_ADDRESSES, Broker, Desk
from torsion.application.workers.sockets import Shared, Wanted
from torsion.internet.interfaces.handover import IListeningSockets, ListeningAddress
from torsion.internet.testing import StringTransport
from torsion.logger import LogLevel, capturedLogs

pytestmark = pytest.mark.skipif(os.name != "posix", reason="workers need Unix sockets")

HTTP = ListeningAddress("TCP", "127.0.0.1", 0)


class Port:
    backlog = 10


class Transport(StringTransport):
    """Sends what is written over a socket at once, descriptors along with it."""

    def __init__(self, sock):
        super().__init__()
        self.sock = sock
        self.descriptors = []

    def sendFileDescriptor(self, descriptor):
        self.descriptors.append(descriptor)

    def write(self, data):
        socket.send_fds(self.sock, [data], self.descriptors)
        self.descriptors = []


class Served:
    """A worker's way to the broker: questions are answered in a thread, as the master is another process."""

    def __init__(self, broker, slot=0, patience=5.0):
        ours, theirs = socket.socketpair()
        self.desk = Desk(broker, slot, f"worker {slot}")
        self.transport = Transport(ours)
        self.desk.makeConnection(self.transport)
        self.asking = Asking(theirs, patience)
        self._ours = ours
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self):
        while data := self._ours.recv(65536):
            self.desk.dataReceived(data)
        self._ours.close()

    def close(self):
        self.asking.close()
        self._thread.join(5)
        self.desk.connectionLost()


@pytest.fixture
def broker():
    made = Broker(2)
    yield made
    made.close()


@pytest.fixture
def serve(broker):
    served = []

    def start(*arguments):
        served.append(Served(broker, *arguments))
        return served[-1]

    yield start
    for each in served:
        each.close()


def test_it_is_what_a_reactor_asks(serve):
    assert verifyObject(IListeningSockets, serve().asking)


def test_workers_get_sockets_of_one_port(broker, serve):
    numbers = set()
    for slot in (0, 1, 0):
        with serve(slot).asking.take(HTTP, Port()) as taken:
            numbers.add(taken.getsockname())
            assert taken.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
            assert not taken.get_inheritable()
    assert len(numbers) == 1
    assert len(broker.shared) == 1


def test_the_successor_serves_what_waits_in_the_queue(broker, serve):
    broker.serving([1])
    first = serve(1)
    with first.asking.take(HTTP, Port()) as taken:
        address = taken.getsockname()
    first.close()  # as if it had been killed
    with socket.create_connection(address, timeout=5) as client, serve(1).asking.take(HTTP, Port()) as taken:
        taken.settimeout(5)
        accepted, _ = taken.accept()
        with accepted:
            accepted.sendall(b"welcome")
            assert client.recv(10) == b"welcome"


def test_ports_at_the_same_address_are_told_apart_by_their_order(broker, serve):
    one, two = serve(0).asking, serve(1).asking
    numbers = []
    for asking in (one, two):
        mine = []
        for port in (Port(), Port()):
            with asking.take(HTTP, port) as taken:
                mine.append(taken.getsockname()[1])
            asking.opened(HTTP, port)
        numbers.append(mine)
    assert numbers[0] == numbers[1]
    assert len({*numbers[0]}) == 2


def test_a_port_that_failed_to_open_leaves_its_place(serve):
    asking = serve().asking
    with asking.take(HTTP, Port()) as first, asking.take(HTTP, Port()) as second:
        assert first.getsockname() == second.getsockname()


def test_when_all_workers_have_closed_a_port_the_master_does(broker, serve):
    one, two = serve(0), serve(1)
    ports = []
    for each in (one, two):
        port = Port()
        with each.asking.take(HTTP, port) as taken:
            address = taken.getsockname()
        each.asking.opened(HTTP, port)
        ports.append(port)
    one.asking.closed(HTTP, ports[0])
    with one.asking.take(HTTP, port):  # it comes back meanwhile, and the address is the same
        one.asking.opened(HTTP, ports[0])
    one.asking.closed(HTTP, ports[0])
    socket.create_connection(address, timeout=5).close()
    two.asking.closed(HTTP, ports[1])
    with serve(0).asking.take(HTTP, Port()) as taken:  # asked after that was understood
        pass
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address, timeout=5).close()


def test_what_a_worker_closes_as_it_ends_stays_open(broker, serve):
    served, port = serve(), Port()
    with served.asking.take(HTTP, port) as taken:
        address = taken.getsockname()
    served.asking.opened(HTTP, port)
    served.asking.ending = True
    served.asking.closed(HTTP, port)
    served.close()
    socket.create_connection(address, timeout=5).close()


def test_why_a_socket_cannot_be_had_is_told(serve):
    asking = serve().asking
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        pytest.raises(OSError, match="Address already in use") as caught,
    ):
        asking.take(HTTP._replace(port=taken.getsockname()[1]), Port())
    assert caught.value.errno == errno.EADDRINUSE
    with pytest.raises(OSError, match="between 0 and 65535"):
        asking.take(HTTP._replace(port=70000), Port())
    with asking.take(HTTP, Port()):  # and others are to be had all the same
        pass


def test_nothing_is_opened_for_one_without_privileges_or_at_the_end(broker, serve):
    served = serve()
    with served.asking.take(HTTP, Port()):
        served.desk.sealed = True
    with served.asking.take(HTTP, Port()):
        pass  # that is known
    with pytest.raises(PermissionError, match="listen there while the service starts"):
        served.asking.take(HTTP._replace(interface="127.0.0.2"), Port())
    served.desk.sealed = False
    broker.close()
    with pytest.raises(OSError, match="the master is ending"):
        served.asking.take(HTTP, Port())


def test_addresses_are_bounded():
    made = Broker(2, lambda wanted, slots: Shared([]))
    made.shared = {("TCP", "", number, 0): Shared([]) for number in range(MOST_ADDRESSES)}
    with pytest.raises(OSError, match=f"{MOST_ADDRESSES} addresses"):
        made.take(0, Wanted("TCP", "127.0.0.1", 999))


@pytest.mark.parametrize(
    "line",
    [
        b"{",
        b"[]",
        b"7",
        b'{"id": 1}',
        b'{"id": 1, "take": ["TCP"]}',
        b'{"id": 1, "take": ["TCP", "", "80", 0, 50, 438, false]}',
        b'{"id": 1, "take": ["TCP", "", 80, 0, 50, 438, false, 1]}',
        b'{"closed": 7}',
        b"[" * 5000,
        b"x" * (LONGEST_QUESTION + 1),
    ],
)
def test_a_question_that_makes_no_sense_ends_it(broker, line):
    desk = Desk(broker, 0, "worker 0")
    transport = StringTransport()
    desk.makeConnection(transport)
    with capturedLogs() as events:
        desk.dataReceived(line + b"\n")
    assert transport.disconnected
    assert [event["log_level"] for event in events] == [LogLevel.error]


def test_a_master_that_does_not_answer_is_not_waited_for_for_ever():
    ours, theirs = socket.socketpair()
    asking = Asking(theirs, 0.01)
    with ours:
        with pytest.raises(OSError, match=r"did not hand over a socket for TCP 127.0.0.1:0 within 0.01 seconds"):
            asking.take(HTTP, Port())
        # An answer that comes too late is no answer to the next question.
        with socket.create_server(("127.0.0.1", 0)) as late:
            socket.send_fds(ours, [b'{"id": 1, "taken": true}\n'], [late.fileno()])
            ours.sendall(b'{"id": 2, "errno": 13, "error": "Permission denied"}\n')
            with pytest.raises(PermissionError):
                asking.take(HTTP, Port())
    with pytest.raises(OSError):  # the master is gone
        asking.take(HTTP, Port())
    asking.close()


def test_addresses_are_told(broker, tmp_path):
    with broker.take(0, Wanted(*HTTP)) as taken:
        number = taken.getsockname()[1]
        broker.take(0, Wanted("UNIX", str(tmp_path / "s"), 0))
        assert broker.addresses() == [f"TCP 127.0.0.1:{number}", f"UNIX {tmp_path}/s"]
