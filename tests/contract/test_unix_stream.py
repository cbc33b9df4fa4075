"""``IReactorUNIX``: streams at paths, and the files and locks of their ports."""

# ruff: noqa: ASYNC240 - paths of sockets and locks are short texts, relative to the test's own folder

from __future__ import annotations

import errno
import os
import socket
import stat
import sys
from pathlib import Path

import pytest
from zope.interface.verify import verifyObject

from contract.flavours import differs, needs
from contract.harness import Client, Recorder, Server, after, join_at, nothing_left_open, until
from torsion.internet import error
from torsion.internet.address import UNIXAddress
from torsion.internet.interfaces import IListeningPort, IReactorUNIX, IUNIXTransport

pytestmark = [
    needs("IReactorUNIX", "kernel"),
    pytest.mark.skipif(sys.platform == "win32", reason="there are no Unix sockets"),
]

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the abstract namespace is Linux's")


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Paths are relative here: a temporary folder's may be longer than a socket's path can be."""
    monkeypatch.chdir(tmp_path)


class TestStreams:
    def test_the_interfaces(self, reactor, run):
        assert verifyObject(IReactorUNIX, reactor)

        async def scenario():
            server, client, port = await join_at(reactor)
            assert verifyObject(IListeningPort, port)
            for each in (server, client):
                assert verifyObject(IUNIXTransport, each.transport)
            client.transport.loseConnection()
            await server.lost
            await port.stopListening()

        run(scenario)

    def test_bytes_go_both_ways_and_the_end_is_told(self, reactor, run):
        async def scenario():
            server, client, port = await join_at(reactor)
            client.transport.write(b"hello")
            assert await server.bytes(5) == b"hello"
            server.transport.writeSequence([b"hello", b" yourself"])
            assert await client.bytes(14) == b"hello yourself"
            server.transport.loseConnection()
            assert isinstance(await client.lost, error.ConnectionDone)
            assert isinstance(await server.lost, error.ConnectionDone)
            await port.stopListening()

        run(scenario)

    def test_much_goes_in_order(self, reactor, run):
        async def scenario():
            server, client, port = await join_at(reactor)
            much = os.urandom(1 << 16) * 64
            client.transport.write(much)
            client.transport.loseConnection()
            await server.lost
            assert server.received == much
            await port.stopListening()

        run(scenario)

    def test_addresses(self, reactor, run):
        async def scenario():
            server, client, port = await join_at(reactor)
            here, nowhere = UNIXAddress("s"), UNIXAddress(None)
            assert port.getHost() == here
            assert [address.name or None for address in server.factory.addresses] == [None]
            assert (server.transport.getHost(), server.transport.getPeer()) == (here, nowhere)
            assert (client.transport.getHost(), client.transport.getPeer()) == (nowhere, here)
            assert client.factory.address == here
            client.transport.loseConnection()
            await server.lost
            await port.stopListening()

        run(scenario)

    @linux
    def test_an_abstract_name(self, reactor, run):
        name = f"\0torsion {os.getpid()} \udcff"

        async def scenario():
            server, client, port = await join_at(reactor, path=name)
            assert port.getHost() == client.transport.getPeer() == UNIXAddress(name)
            assert not os.listdir()
            client.transport.loseConnection()
            await server.lost
            await port.stopListening()
            client = Client()
            reactor.connectUNIX(name, client)
            assert isinstance(await client.failed, error.ConnectionRefusedError)

        run(scenario)

    def test_options_of_tcp_are_harmless(self, reactor, run):
        async def scenario():
            server, client, port = await join_at(reactor)
            client.transport.setTcpNoDelay(True)
            assert not client.transport.getTcpNoDelay()
            client.transport.setTcpKeepAlive(1)
            assert client.transport.getTcpKeepAlive()
            client.transport.loseConnection()
            await server.lost
            await port.stopListening()

        run(scenario)

    @needs("IReactorUNIX", "kernel", "engine")
    def test_halves(self, reactor, run):
        async def scenario():
            server, client, port = await join_at(reactor)
            client.transport.write(b"question")
            client.transport.loseWriteConnection()
            await server.lost
            assert server.received == b"question"
            assert "#0 on s" in repr(server.transport)
            assert client.transport.reactor is reactor
            await port.stopListening()

        run(scenario)

    @needs("IReactorUNIX", "kernel", "engine")
    def test_a_hook_that_raises_costs_its_connection(self, reactor, run, logged):
        async def scenario():
            server, client, port = await join_at(reactor, Recorder({"dataReceived": lambda _: 1 / 0}))
            client.transport.write(b"x")
            assert isinstance(await server.lost, ZeroDivisionError)
            await client.lost
            await port.stopListening()

        run(scenario)
        assert logged.take(ZeroDivisionError)


class TestFiles:
    def test_the_file_has_its_permissions_and_goes_with_the_port(self, reactor, run):
        async def scenario():
            port = reactor.listenUNIX("s", Server(), mode=0o640)
            assert stat.S_ISSOCK(os.stat("s").st_mode)
            assert stat.S_IMODE(os.stat("s").st_mode) == 0o640
            await port.stopListening()
            assert not os.listdir()

        run(scenario)

    def test_a_port_listens_again(self, reactor, run):
        async def scenario():
            port = reactor.listenUNIX("s", Server(), wantPID=True)
            await port.stopListening()
            port.startListening()
            assert sorted(os.listdir()) == ["s", "s.lock"]
            await port.stopListening()
            assert not os.listdir()

        run(scenario)

    def test_the_reactors_end_removes_it(self, reactor, run):
        async def scenario():
            reactor.listenUNIX("s", Server(), wantPID=True)

        run(scenario)
        assert not os.listdir()

    @differs("Twisted removes whatever is at the path, or raises if nothing is")
    def test_what_has_taken_its_place_stays(self, reactor, run):
        async def scenario():
            port = reactor.listenUNIX("s", Server())
            os.rename("s", "elsewhere")
            os.mkdir("s")
            await port.stopListening()
            assert sorted(os.listdir()) == ["elsewhere", "s"]
            port = reactor.listenUNIX("t", Server(), wantPID=True)
            os.unlink("t")
            await port.stopListening()
            assert not os.path.lexists("t.lock")

        run(scenario)

    @differs("Twisted leaves the socket that it could not bind to the collector")
    def test_an_occupied_path_is_refused_and_left_alone(self, reactor, run):
        async def scenario():
            first = Server()
            port = reactor.listenUNIX("s", first)
            with pytest.raises(error.CannotListenError) as caught:
                reactor.listenUNIX("s", Server())
            assert caught.value.socketError.errno == errno.EADDRINUSE
            client = Client()
            reactor.connectUNIX("s", client)
            await client.one.made
            await until(reactor, lambda: first.protocols)
            client.one.transport.loseConnection()
            await client.one.lost
            await port.stopListening()

        run(scenario)

    @differs("Twisted leaves the socket that it could not bind to the collector")
    def test_a_regular_file_is_never_removed(self, reactor):
        Path("s").write_text("precious")
        os.symlink("999999999", "s.lock")
        with pytest.raises(error.CannotListenError):
            reactor.listenUNIX("s", Server(), wantPID=True)
        assert Path("s").read_text() == "precious"

    @differs("Twisted keeps the lock, and the words are the system's")
    def test_a_path_that_cannot_be_used_says_why(self, reactor):
        left_behind("s")
        for path, number, words in [
            ("x" * 200, errno.ENAMETOOLONG, "bytes at most, and this has 200"),
            ("nowhere/s", errno.ENOENT, "No such file"),
            ("", errno.EINVAL, "cannot be empty"),
            ("a\0b", errno.EINVAL, "no NUL"),
            ("s", errno.EADDRINUSE, "remove the file"),
        ]:
            for locked in (False, True) if "\0" not in path else (False,):
                factory = Server()
                with pytest.raises(error.CannotListenError, match=words) as caught:
                    reactor.listenUNIX(path, factory, wantPID=locked)
                if len(path) < 200 or not locked:
                    assert caught.value.socketError.errno == number
                assert not factory.events
        assert os.listdir() == ["s"]
        with pytest.raises(TypeError):
            reactor.listenUNIX(7, Server())

    @pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="nothing is forbidden to root")
    def test_a_folder_that_is_not_ours(self, reactor):
        os.mkdir("theirs", 0o500)
        with pytest.raises(error.CannotListenError) as caught:
            reactor.listenUNIX("theirs/s", Server())
        assert caught.value.socketError.errno == errno.EACCES

    @needs("IReactorUNIX", "kernel", "engine")
    def test_a_factory_that_does_not_start_leaves_nothing(self, reactor):
        class Bad(Server):
            def doStart(self):
                raise ZeroDivisionError

        with nothing_left_open():
            with pytest.raises(ZeroDivisionError):
                reactor.listenUNIX("s", Bad(), wantPID=True)
            assert not os.listdir()


def left_behind(path: str) -> None:
    """Make a socket that nobody serves."""
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(path)


class TestLocks:
    @differs("Twisted leaves the socket that it could not bind to the collector")
    def test_a_lock_tells_that_the_server_lives(self, reactor, run):
        async def scenario():
            port = reactor.listenUNIX("s", Server(), wantPID=True)
            assert os.readlink("s.lock") == str(os.getpid())
            with pytest.raises(error.CannotListenError):
                reactor.listenUNIX("s", Server(), wantPID=True)
            client = Client()
            reactor.connectUNIX("s", client, checkPID=True)
            await client.one.made
            client.one.transport.loseConnection()
            await client.lost
            await port.stopListening()
            assert not os.path.lexists("s.lock")

        run(scenario)

    def test_what_a_dead_server_left_is_removed(self, reactor, run):
        left_behind("s")
        os.symlink("999999999", "s.lock")

        async def scenario():
            port = reactor.listenUNIX("s", Server(), wantPID=True)
            client = Client()
            reactor.connectUNIX("s", client)
            await client.one.made
            client.one.transport.loseConnection()
            await client.lost
            await port.stopListening()
            assert not os.listdir()

        run(scenario)

    @differs("Twisted takes and releases the lock to look at it, after which nobody can tell that its holder died")
    def test_a_client_is_told_at_once_that_the_server_is_dead(self, reactor, run):
        left_behind("s")

        async def scenario():
            for holder in (None, "999999999", "nobody", str(1 << 80)):
                if holder is not None:
                    os.symlink(holder, "s.lock")
                client = Client()
                connector = reactor.connectUNIX("s", client, checkPID=True)
                assert connector.state == "connecting"
                assert isinstance(await client.failed, error.BadFileError)
                if holder is not None:
                    assert os.readlink("s.lock") == holder
                    os.unlink("s.lock")

        run(scenario)

    @needs("IReactorUNIX", "kernel", "engine")
    def test_a_lock_that_names_no_process(self, reactor):
        os.symlink("nobody", "s.lock")
        with pytest.raises(error.CannotListenError, match="remove it by hand"):
            reactor.listenUNIX("s", Server(), wantPID=True)
        assert os.listdir() == ["s.lock"]

    @needs("IReactorUNIX", "kernel", "engine")
    def test_a_lock_that_was_stolen_is_told_of(self, reactor, run, logged):
        async def scenario():
            port = reactor.listenUNIX("s", Server(), wantPID=True)
            os.unlink("s.lock")
            os.symlink("1", "s.lock")
            await port.stopListening()
            assert os.listdir() == ["s.lock"]

        run(scenario)
        assert logged.take(ValueError)


class TestConnecting:
    @differs("Twisted's failures are the system's words, and a path that is too long is an attempt that never ends")
    def test_failures_name_the_path(self, reactor, run):
        left_behind("stale")

        async def scenario():
            for path, kind, words in [
                ("nowhere", error.ConnectError, "'nowhere': No such file or directory"),
                ("stale", error.ConnectionRefusedError, "'stale': Connection refused"),
                ("x" * 200, error.ConnectError, "bytes at most"),
                ("", error.ConnectError, "cannot be empty"),
                ("a\0b", error.ConnectError, "no NUL"),
            ]:
                client = Client()
                connector = reactor.connectUNIX(path, client)
                assert connector.getDestination() == UNIXAddress(path)
                problem = await after(reactor, client.failed)
                assert type(problem) is kind
                assert words in str(problem)
                assert client.events == ["doStart", "startedConnecting", "clientConnectionFailed", "doStop"]

        run(scenario)

    def test_given_up(self, reactor, run):
        left_behind("s")

        async def scenario():
            client = Client()
            connector = reactor.connectUNIX("s", client)
            connector.stopConnecting()
            assert isinstance(await client.failed, error.UserError)

        run(scenario)

    @needs("IReactorUNIX", "kernel", "engine")
    def test_a_full_queue_is_waited_for_until_the_time_is_up(self, reactor, run):
        async def scenario():
            with socket.socket(socket.AF_UNIX) as busy, socket.socket(socket.AF_UNIX) as first:
                busy.bind("s")
                busy.listen(0)
                first.connect("s")
                late, patient = Client(), Client()
                reactor.connectUNIX("s", late, timeout=0.05)
                reactor.connectUNIX("s", patient)
                assert isinstance(await late.failed, error.TimeoutError)
                assert "buildProtocol" not in patient.events
                busy.accept()[0].close()
                await patient.one.made
                patient.one.transport.loseConnection()
                await patient.lost

        run(scenario)

    def test_it_connects_again(self, reactor, run):
        async def scenario():
            factory = Server()
            port = reactor.listenUNIX("s", factory)
            tries = []

            def again(connector):
                tries.append(connector)
                if len(tries) < 3:
                    client.one = Recorder({"connectionMade": lambda self: self.transport.loseConnection()})
                    connector.connect()

            client = Client(Recorder({"connectionMade": lambda self: self.transport.loseConnection()}))
            client.do = {"clientConnectionLost": again}
            reactor.connectUNIX("s", client)
            await until(reactor, lambda: len(tries) == 3)
            await port.stopListening()

        run(scenario)
