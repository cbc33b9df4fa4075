"""Private sockets, with the real reactor and real files."""

from __future__ import annotations

import errno
import os
import socket
import stat
import subprocess
import sys
import threading

import pytest

from contract.harness import run_scenario
from torsion.application import localpeer, localsocket
from torsion.application.localpeer import Credentials, LocalConnectError, connectLocally, peerCredentials
from torsion.application.localsocket import (
    LocalSocketError,
    LocalSocketInUse,
    NotASocketError,
    PrivateUNIXServerEndpoint,
    holdsPath,
    listenPrivately,
)
from torsion.internet.error import CannotListenError
from torsion.internet.protocol import Factory
from torsion.internet.reactors.native import NativeReactor
from torsion.internet.threads import deferToThreadPool
from torsion.logger.global_ import globalLogPublisher
from torsion.protocols.wire import Daytime, Echo

fcntl = pytest.importorskip("fcntl", reason="there are no private sockets on Windows")

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there are no private sockets on Windows")


@pytest.fixture
def reactor():
    return NativeReactor()


@pytest.fixture
def logged():
    events: list = []
    globalLogPublisher.addObserver(events.append)
    yield events
    globalLogPublisher.removeObserver(events.append)


@pytest.fixture
def path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # the test's folder may have a longer name than a socket may
    return "door"


def in_thread(reactor, function, *args):
    return deferToThreadPool(reactor, reactor.getThreadPool(), function, *args)


def talk(path, data=b"hello"):
    with connectLocally(path) as connection:
        if data:
            connection.sendall(data)
        return connection.recv(100)


def listening(path, factory=None):
    """Return an ordinary socket that listens at *path*."""
    made = socket.socket(socket.AF_UNIX)
    made.bind(path)
    made.listen()
    return made


def serve(reactor, scenario, path, **options):
    """Run *scenario* while an echo is served at *path*."""

    async def story():
        port = listenPrivately(reactor, path, Factory.forProtocol(options.pop("protocol", Echo)), **options)
        try:
            return await scenario(port)
        finally:
            await port.stopListening()

    return run_scenario(reactor, story)


@pytest.mark.parametrize("umask", [0, 0o777])
def test_it_is_private_whatever_the_umask_and_goes_at_the_end(reactor, path, umask):
    before = os.umask(umask)
    try:

        async def scenario(port):
            assert stat.S_IMODE(os.lstat(path).st_mode) == 0o600
            assert port.getHost().name == path.encode()
            return await in_thread(reactor, talk, path)

        assert serve(reactor, scenario, path) == b"hello"
    finally:
        os.umask(before)
    assert not os.path.exists(path)


@pytest.mark.skipif(
    not sys.platform.startswith("linux"),
    reason="elsewhere the file has its mode before it listens, not before it is there",
)
def test_it_is_private_from_the_first_moment(reactor, path, monkeypatch):
    modes = []
    lstat = os.lstat

    def watched(name):
        status = lstat(name)
        modes.append(stat.S_IMODE(status.st_mode))
        return status

    before = os.umask(0)
    try:
        monkeypatch.setattr(os, "lstat", watched)
        serve(reactor, lambda port: in_thread(reactor, int), path)
    finally:
        os.umask(before)
    assert modes
    assert set(modes) == {0o600}


def test_what_a_dead_process_left_is_removed(reactor, path):
    listening(path).close()

    async def scenario(port):
        return await in_thread(reactor, talk, path)

    assert serve(reactor, scenario, path) == b"hello"


def test_one_that_is_served_is_refused(reactor, path):
    with listening(path) as other:
        with pytest.raises(LocalSocketInUse) as caught:
            listenPrivately(reactor, path, Factory.forProtocol(Echo))
        assert os.path.exists(path)
        assert (
            str(caught.value)
            == f"cannot listen at {path}: this process listens there already; end that, or take another path"
        )
        assert isinstance(caught.value, CannotListenError)
        if sys.platform.startswith("linux"):
            assert caught.value.pid == os.getpid()
        other.accept()[0].close()


def test_one_whose_queue_is_full_is_served_as_well(reactor, path):
    with listening(path) as other:
        other.listen(0)
        with socket.socket(socket.AF_UNIX) as first, pytest.raises(LocalSocketInUse):
            first.connect(path)
            listenPrivately(reactor, path, Factory.forProtocol(Echo))


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere nobody tells a process's number")
def test_another_process_is_named_and_can_be_replaced(reactor, path):
    code = f"import socket; s = socket.socket(socket.AF_UNIX); s.bind({path!r}); s.listen(); print(flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        other.stdout.readline()
        with pytest.raises(LocalSocketInUse, match=f"process {other.pid} listens there already"):
            listenPrivately(reactor, path, Factory.forProtocol(Echo))
        with pytest.raises(LocalSocketInUse):
            listenPrivately(reactor, path, Factory.forProtocol(Echo), replaces=other.pid + 1)

        async def scenario(port):
            return await in_thread(reactor, talk, path)

        assert serve(reactor, scenario, path, replaces=other.pid) == b"hello"
        other.communicate(b"\n", timeout=20)


@pytest.mark.parametrize("kind", ["file", "folder", "link", "pipe", "datagram"])
def test_what_is_no_socket_is_left_alone(reactor, path, kind):
    match kind:
        case "file":
            open(path, "w").close()
        case "folder":
            os.mkdir(path)
        case "link":
            os.symlink("nowhere", path)
        case "pipe":
            os.mkfifo(path)
        case "datagram":
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other:
                other.bind(path)
                with pytest.raises(NotASocketError, match="of another kind"):
                    listenPrivately(reactor, path, Factory.forProtocol(Echo))
                return
    before = os.lstat(path)
    with pytest.raises(NotASocketError, match="no socket; remove it, or take another path"):
        listenPrivately(reactor, path, Factory.forProtocol(Echo))
    assert os.lstat(path).st_ino == before.st_ino


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("missing/door", "the folder missing does not exist; make it first"),
        ("/dev/null/door", "/dev/null is no folder"),
        ("d" * 200, "bytes at most, and this has 200"),
        ("", "cannot be empty"),
        ("a\0b", "no NUL"),
    ],
)
def test_where_none_can_be_made(reactor, path, name, words):
    with pytest.raises(LocalSocketError, match=words):
        listenPrivately(reactor, name, Factory.forProtocol(Echo))


def test_a_folder_that_others_hold_a_lock_on(reactor, path, monkeypatch):
    monkeypatch.setattr(localsocket, "LOCK_SECONDS", 0.02)
    folder = os.open(".", os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        with pytest.raises(LocalSocketError, match="holds a lock on its folder"):
            listenPrivately(reactor, path, Factory.forProtocol(Echo))
    finally:
        os.close(folder)


def test_of_two_that_find_a_dead_socket_one_has_it(path):
    listening(path).close()
    barrier = threading.Barrier(8)
    made, refused = [], []

    def start() -> None:
        barrier.wait()
        try:
            made.append(localsocket._bound(path, None)[0])
        except LocalSocketInUse as problem:
            refused.append(problem)

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert (len(made), len(refused)) == (1, 7)
    with made[0]:
        connectLocally(path).close()


def test_a_file_that_took_its_place_stays(reactor, path):
    async def scenario(port):
        os.unlink(path)
        os.mkdir(path)

    serve(reactor, scenario, path)
    assert os.path.exists(path)


def test_another_s_socket_that_took_its_place_stays(reactor, path):
    async def story():
        first = listenPrivately(reactor, path, Factory.forProtocol(Echo))
        os.unlink(path)
        stopped = first.stopListening()  # the number of the file that has gone may be given to the next one
        second = listenPrivately(reactor, path, Factory.forProtocol(Echo))
        await stopped
        assert holdsPath(second)
        assert not holdsPath(first)
        assert await in_thread(reactor, talk, path) == b"hello"
        await second.stopListening()

    run_scenario(reactor, story)


def test_it_goes_from_another_working_directory_as_well(reactor, path, tmp_path):
    async def scenario(port):
        os.chdir("/")

    serve(reactor, scenario, path)
    assert not (tmp_path / path).exists()


def test_a_reactor_that_does_not_take_it(path):
    class Unwilling:
        def adoptStreamPort(self, *_):
            raise RuntimeError("no")

    with pytest.raises(RuntimeError, match=r"^no$"):
        listenPrivately(Unwilling(), path, Factory.forProtocol(Echo))
    assert not os.path.exists(path)


@pytest.mark.parametrize("uid", [12345, None])
def test_a_stranger_is_refused_and_told_of(reactor, path, monkeypatch, logged, uid):
    def ask(descriptor):
        if uid is None:
            raise OSError(errno.ENOTSUP, "this system does not tell")
        return Credentials(uid, 678)

    monkeypatch.setattr(localsocket, "peerCredentials", ask)

    def stranger():
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(20)
            connection.connect(path)
            try:
                return connection.recv(100)
            except ConnectionResetError:
                return b""

    async def scenario(port):
        return await in_thread(reactor, stranger)

    assert serve(reactor, scenario, path, protocol=Daytime) == b""
    [event] = [each for each in logged if each["log_namespace"] == "torsion.application.localsocket"]
    assert event["log_level"].name == "warn"
    assert (event.get("uid"), event["path"]) == (uid, path)


def test_a_factory_that_makes_no_protocol(reactor, path):
    factory = Factory()
    factory.buildProtocol = lambda address: None

    async def story():
        port = PrivateUNIXServerEndpoint(reactor, path).listen(factory)
        port = await port
        assert await in_thread(reactor, talk, path, b"") == b""
        await port.stopListening()

    run_scenario(reactor, story)


def test_an_endpoint_s_error_is_its_deferred_s(reactor, path):
    found = []
    PrivateUNIXServerEndpoint(reactor, "missing/door").listen(Factory()).addErrback(found.append)
    assert found[0].check(LocalSocketError)
    assert repr(PrivateUNIXServerEndpoint(reactor, "door")) == "<PrivateUNIXServerEndpoint 'door'>"


class TestCredentials:
    def test_our_own(self):
        one, other = socket.socketpair()
        with one, other:
            assert peerCredentials(one.fileno()).uid == os.geteuid()
            if sys.platform.startswith("linux"):
                assert peerCredentials(one.fileno()).pid == os.getpid()

    def test_no_socket(self, tmp_path):
        with open(tmp_path / "file", "w") as file, pytest.raises(OSError, match=r"[Ss]ocket"):
            peerCredentials(file.fileno())

    def test_no_unix_socket(self):
        with socket.socket() as other, pytest.raises(OSError, match=r"no Unix socket|not supported"):
            peerCredentials(other.fileno())

    def test_no_peer(self):
        with socket.socket(socket.AF_UNIX) as alone, pytest.raises(OSError, match="not connected"):
            peerCredentials(alone.fileno())

    @pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere there is the function")
    def test_a_system_that_does_not_tell(self):
        with pytest.raises(OSError, match="does not tell"):
            localpeer._getpeereid(0)


class TestConnecting:
    def test_nothing_there(self, path):
        with pytest.raises(LocalConnectError, match="cannot connect to door: there is no such socket"):
            connectLocally(path)

    def test_nobody_there(self, path):
        listening(path).close()
        with pytest.raises(LocalConnectError, match="nobody listens there any more"):
            connectLocally(path)

    def test_another_kind(self, path):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other:
            other.bind(path)
            with pytest.raises(LocalConnectError, match="of another kind"):
                connectLocally(path)

    def test_too_long(self):
        with pytest.raises(LocalConnectError, match="too long"):
            connectLocally("d" * 300)

    def test_a_server_that_hangs(self, path):
        with listening(path) as other:
            other.listen(0)
            with connectLocally(path), pytest.raises(LocalConnectError, match="does not accept"):
                connectLocally(path, timeout=0.01)

    def test_a_stranger_s_server(self, path, monkeypatch):
        with listening(path):
            monkeypatch.setattr(localpeer, "peerCredentials", lambda descriptor: Credentials(12345, 6))
            with pytest.raises(LocalConnectError, match="user 12345 serves it"):
                connectLocally(path)

    def test_root_may_connect_to_the_owner_s(self, path, monkeypatch):
        monkeypatch.setattr(os, "geteuid", lambda: 0)
        with listening(path):
            monkeypatch.setattr(localpeer, "peerCredentials", lambda descriptor: Credentials(os.stat(path).st_uid, 6))
            connectLocally(path).close()
