"""inetd with real sockets and real programs."""

from __future__ import annotations

import os
import socket
import sys

import pytest

from contract.harness import run_scenario, until
from torsion.internet.defer import maybeDeferred
from torsion.internet.error import CannotListenError
from torsion.internet.protocol import Protocol
from torsion.internet.reactors.native import NativeReactor
from torsion.internet.threads import deferToThreadPool
from torsion.logger.global_ import globalLogPublisher
from torsion.python.usage import UsageError
from torsion.runner import doors, inetd, users
from torsion.runner.doors import Door, most_starts
from torsion.runner.inetd import InetdFactory
from torsion.runner.inetdconf import InetdService, ServicesConf, UnknownService
from torsion.runner.inetdtap import Options, makeService, protocolDict
from torsion.runner.superserver import Inetd, InetdError
from torsion.runner.users import ids_of

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="its programs are given sockets")

ME = "root"
if sys.platform != "win32":
    import pwd

    ME = pwd.getpwuid(os.geteuid()).pw_name


@pytest.fixture
def logged():
    events: list = []
    globalLogPublisher.addObserver(events.append)
    yield events
    globalLogPublisher.removeObserver(events.append)


@pytest.fixture
def reactor():
    return NativeReactor()


def service(program="/bin/cat", *arguments, kind="stream", protocol="tcp", wait="nowait", user=ME, port=0):
    made = InetdService("test", port, kind, protocol, wait, user, None, program, arguments)
    made.interface = "::1" if protocol.endswith("6") else "127.0.0.1"
    return made


def shell(code, **keywords):
    return service("/bin/sh", "sh", "-c", code, **keywords)


def ask(address, data=b"", kind=socket.SOCK_STREAM):
    """Send *data* and the end; return the answer."""
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    with socket.socket(family, kind) as connection:
        connection.settimeout(20)
        connection.connect(address)
        connection.sendall(data)
        if kind == socket.SOCK_DGRAM:
            return connection.recv(65536)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while received := connection.recv(65536):
            answer += received
        return answer


def asking(reactor, *args, **keywords):
    return deferToThreadPool(reactor, reactor.getThreadPool(), ask, *args, **keywords)


def serve(reactor, what, scenario):
    """Run *scenario* with the address at which *what* is served, and the door."""

    async def story():
        door = Door(reactor, what)
        door.privilegedStartService()
        door.startService()
        host = door.getHost()
        try:
            return await scenario((host.host, host.port), door)
        finally:
            door.stopService()

    return run_scenario(reactor, story)


class TestDoor:
    @pytest.mark.parametrize("protocol", ["tcp", "tcp4", "tcp6"])
    def test_a_program_for_each_connection(self, reactor, protocol):
        data = os.urandom(300_000)

        async def scenario(address, door):
            answers = [asking(reactor, address, data + bytes([number])) for number in range(5)]
            got = [await each for each in answers]
            assert got == [data + bytes([number]) for number in range(5)]
            await maybeDeferred(door.drain)
            assert door.programs == set()

        serve(reactor, service(protocol=protocol), scenario)

    def test_it_has_the_connection_itself_on_all_three(self, reactor):
        code = "import os, socket, stat; s = socket.socket(fileno=0); print(s.getpeername()[0], s.getblocking(), [os.fstat(0).st_ino == os.fstat(n).st_ino for n in (1, 2)])"

        async def scenario(address, door):
            return await asking(reactor, address)

        answer = serve(reactor, service(sys.executable, "python", "-c", code), scenario)
        assert answer == b"127.0.0.1 True [True, True]\n"

    def test_arguments_and_environment(self, reactor, monkeypatch):
        monkeypatch.setenv("TORSION_TEST_WORD", "hello")

        async def scenario(address, door):
            return await asking(reactor, address)

        what = service("/bin/sh", "name", "-c", 'echo "$0 $1 $TORSION_TEST_WORD"', "zero", "one")
        assert serve(reactor, what, scenario) == b"zero one hello\n"

    def test_a_program_that_waits_for_connections_itself(self, reactor):
        code = "import socket, sys\nl = socket.socket(fileno=0)\nfor _ in '12':\n  c, _ = l.accept(); c.sendall(b'served'); c.close()\n"

        async def scenario(address, door):
            answers = [await asking(reactor, address) for _ in range(4)]
            await until(reactor, lambda: not door.programs)
            return answers, len(door._starts)

        answers, starts = serve(reactor, service(sys.executable, "python", "-c", code, wait="wait"), scenario)
        assert answers == [b"served"] * 4
        assert starts == 2

    def test_a_program_for_datagrams(self, reactor):
        code = "import socket\ns = socket.socket(fileno=0)\ndata, peer = s.recvfrom(100)\ns.sendto(data[::-1], peer)\n"

        async def scenario(address, door):
            return [await asking(reactor, address, b"abc", socket.SOCK_DGRAM) for _ in range(2)]

        what = service(sys.executable, "python", "-c", code, kind="dgram", protocol="udp", wait="wait")
        assert serve(reactor, what, scenario) == [b"cba", b"cba"]

    def test_stopping_leaves_connections_to_their_programs(self, reactor):
        def talk(address):
            with socket.create_connection(address, timeout=20) as connection, connection.makefile("rwb", 0) as file:
                file.write(b"a\n")
                assert file.readline() == b"a\n"
                reactor.callFromThread(doors_[0].stopService)
                stopped.wait(10)
                file.write(b"b\n")
                return file.readline()

        import threading

        doors_, stopped = [], threading.Event()

        async def scenario(address, door):
            doors_.append(door)
            talking = deferToThreadPool(reactor, reactor.getThreadPool(), talk, address)
            await until(reactor, lambda: not door.running)
            stopped.set()
            answer = await talking
            await until(reactor, lambda: not door.programs)
            return answer

        assert serve(reactor, service(), scenario) == b"b\n"

    def test_draining_waits_for_programs(self, reactor):
        async def scenario(address, door):
            with socket.create_connection(address, timeout=20):
                await until(reactor, lambda: door.programs)
                door.stopListening()
                drained = door.drain()
                assert not drained.called
            await drained

        serve(reactor, service(), scenario)

    def test_draining_ends_a_program_that_waits_for_more(self, reactor):
        async def scenario(address, door):
            with socket.create_connection(address, timeout=20):
                await until(reactor, lambda: door.programs)
            await door.drain()

        serve(reactor, shell("exec sleep 1000", wait="wait"), scenario)

    def test_a_program_that_is_not_there(self, reactor, logged):
        async def scenario(address, door):
            return await asking(reactor, address), await asking(reactor, address)

        assert serve(reactor, service("/no/such/program"), scenario) == (b"", b"")
        assert any("/no/such/program" in str(each["problem"]) for each in logged if "problem" in each)

    def test_too_many_starts_in_a_minute(self, reactor, logged):
        clock = [1000.0]
        reactor.seconds = lambda: clock[0]

        async def scenario(address, door):
            for _ in range(3):
                assert await asking(reactor, address) == b"hello\n"
            fourth = asking(reactor, address)
            await until(reactor, lambda: door._later is not None)
            assert not fourth.called
            clock[0] += 61
            door._later.reset(0)
            assert await fourth == b"hello\n"

        serve(reactor, service("/bin/echo", "echo", "hello", wait="nowait.3"), scenario)
        assert any("3 times in a minute" in each["log_format"].format(**each) for each in logged if each.get("most"))

    def test_a_failed_program_is_told_of(self, reactor, logged):
        async def scenario(address, door):
            await asking(reactor, address)
            await until(reactor, lambda: not door.programs)

        serve(reactor, shell("exit 3"), scenario)
        [event] = [each for each in logged if "status" in each]
        assert event["log_format"].format(**event) == "/bin/sh has ended with status 3"

    def test_without_descriptors_it_waits(self, reactor, monkeypatch, logged):
        monkeypatch.setattr(doors, "PAUSE_SECONDS", 0.01)
        full = [True]

        class Socket(socket.socket):
            def accept(self):
                if full and full.pop():
                    raise OSError(24, "too many open files")
                return super().accept()

        monkeypatch.setattr(doors.socket, "socket", Socket)

        async def scenario(address, door):
            return await asking(reactor, address)

        assert serve(reactor, service("/bin/echo", "echo", "hello"), scenario) == b"hello\n"
        assert any("cannot accept" in each["log_format"] for each in logged)

    def test_a_port_that_is_taken(self, reactor):
        with socket.create_server(("127.0.0.1", 0)) as other, pytest.raises(CannotListenError, match="in use"):
            Door(reactor, service(port=other.getsockname()[1])).privilegedStartService()

    @pytest.mark.parametrize(
        ("keywords", "words"),
        [
            ({"kind": "raw"}, "raw tcp is not served"),
            ({"kind": "dgram"}, "dgram tcp is not served"),
            ({"protocol": "rpc/tcp"}, "is not served"),
            ({"wait": "maybe"}, "neither wait nor nowait"),
            ({"wait": "nowait.x"}, "neither wait nor nowait"),
            ({"wait": "nowait.0"}, "neither wait nor nowait"),
            ({"kind": "dgram", "protocol": "udp"}, "say wait"),
            ({"user": "no-such-user"}, "no user 'no-such-user'"),
        ],
    )
    def test_what_cannot_be_served(self, reactor, keywords, words):
        with pytest.raises((ValueError, LookupError), match=words):
            Door(reactor, service(**keywords))

    def test_starts(self):
        assert [most_starts(service(wait=each)) for each in ("wait", "nowait", "nowait.5")] == [256, 256, 5]

    def test_sockets_come_from_the_reactor_s_source(self, reactor):
        told = []

        class Sockets:
            def take(self, address, port):
                told.append(("take", address, port))
                return ours.dup()

            def opened(self, address, port):
                told.append(("opened", address, port))

            def closed(self, address, port):
                told.append(("closed", address, port))

        with socket.create_server(("127.0.0.1", 0)) as ours:
            reactor.sockets = Sockets()

            async def scenario(address, door):
                assert address == ours.getsockname()
                return await asking(reactor, address), door

            answer, door = serve(reactor, service("/bin/echo", "echo", "hello"), scenario)
        assert answer == b"hello\n"
        assert told == [(each, ("TCP", "127.0.0.1", 0), door) for each in ("take", "opened", "closed")]


class TestUsers:
    def test_ourselves(self):
        assert ids_of(ME, None) == (None, None)

    def test_nobody(self):
        with pytest.raises(LookupError, match="no user 'no-such-user'"):
            ids_of("no-such-user", None)
        with pytest.raises(LookupError, match="no group 'no-such-group'"):
            ids_of(ME, "no-such-group")

    def test_as_root(self, monkeypatch):
        import grp

        monkeypatch.setattr(users.os, "geteuid", lambda: 0)
        nobody = pwd.getpwnam("nobody")
        group = grp.getgrgid(0).gr_name
        assert ids_of("nobody", None) == (nobody.pw_uid, nobody.pw_gid)
        assert ids_of("nobody", group) == (nobody.pw_uid, 0)
        assert ids_of("root", group) == (0, 0)

    def test_not_as_root(self, monkeypatch):
        monkeypatch.setattr(users.os, "geteuid", lambda: 12345)
        with pytest.raises(PermissionError, match="only root may run a program as user 'nobody'"):
            ids_of("nobody", None)

    @pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can become somebody else")
    def test_programs_run_as_their_user(self, reactor):
        async def scenario(address, door):
            return await asking(reactor, address)

        answer = serve(reactor, shell("id -u; id -g; id -G", user="nobody"), scenario).split()
        nobody = pwd.getpwnam("nobody")
        assert answer[:2] == [b"%d" % nobody.pw_uid, b"%d" % nobody.pw_gid]
        assert b"0" not in answer


class TestFactory:
    """Programs behind connections of the reactor."""

    def play(self, reactor, what, scenario, **attributes):
        async def story():
            factory = InetdFactory(what)
            vars(factory).update(attributes)
            port = reactor.listenTCP(0, factory, interface="127.0.0.1")
            try:
                return await scenario(("127.0.0.1", port.getHost().port))
            finally:
                await port.stopListening()

        return run_scenario(reactor, story)

    def test_bytes_go_both_ways(self, reactor):
        data = os.urandom(1_000_000)

        async def scenario(address):
            return await asking(reactor, address, data)

        assert self.play(reactor, service(), scenario) == data

    @pytest.mark.parametrize("to_file", [False, True])
    def test_errors_go_out_too_or_to_a_file(self, reactor, tmp_path, to_file):
        async def scenario(address):
            return await asking(reactor, address)

        file = tmp_path / "errors"
        if to_file:
            answer = self.play(reactor, shell("echo wrong >&2"), scenario, stderrFile=str(file))
            assert (answer, file.read_text()) == (b"", "wrong\n")
        else:
            assert self.play(reactor, shell("echo wrong >&2"), scenario) == b"wrong\n"

    def test_a_program_that_is_not_there(self, reactor, logged):
        async def scenario(address):
            try:
                return await asking(reactor, address)
            except ConnectionResetError:
                return b""

        assert self.play(reactor, service("/no/such/program"), scenario) == b""
        assert any("log_failure" in each for each in logged)

    def test_a_peer_that_goes(self, reactor, logged, tmp_path):
        mark = tmp_path / "hung up"

        async def scenario(address):
            with socket.create_connection(address) as connection:
                assert await deferToThreadPool(reactor, reactor.getThreadPool(), connection.recv, 10) == b"ready\n"
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            await until(reactor, mark.exists)

        self.play(
            reactor, shell(f"trap 'touch \"{mark}\"; exit' HUP; echo ready; while :; do sleep 0.02; done"), scenario
        )

    def test_the_internal_ones(self):
        assert set(inetd.internalProtocols) == {"echo", "chargen", "discard", "daytime", "time"}
        assert all(issubclass(each, Protocol) for each in inetd.internalProtocols.values())


class TestSuperserver:
    @pytest.fixture
    def file(self, tmp_path, monkeypatch):
        names = tmp_path / "services"
        names.write_text("echo 7/tcp\nother 4711/tcp\n")
        monkeypatch.setattr(ServicesConf, "defaultFilename", str(names))
        return tmp_path / "inetd.conf"

    def ports(self, reactor):
        return {host.port for host in (each.getHost() for each in reactor.getReaders() if isinstance(each, Door))}

    def play(self, reactor, file, scenario, **keywords):
        async def story():
            made = Inetd(reactor, str(file), **keywords)
            made.privilegedStartService()
            made.startService()
            try:
                return await scenario(made)
            finally:
                await made.stopService()

        return run_scenario(reactor, story)

    def where(self, made, index):
        found = list(made)[index]
        host = (found if isinstance(found, Door) else found._port).getHost()
        return host.host, host.port

    def test_programs_and_internal_services(self, reactor, file):
        file.write_text(
            f"127.0.0.1:0 stream tcp nowait {ME} internal echo\n"
            f"127.0.0.1:0 stream tcp4 nowait {ME} internal daytime\n"
            f"127.0.0.1:0 stream tcp nowait {ME} /bin/echo echo hello\n"
        )

        async def scenario(made):
            return [await asking(reactor, self.where(made, index), data) for index, data in enumerate([b"a", b"", b""])]

        echo, daytime, hello = self.play(reactor, file, scenario)
        assert (echo, hello) == (b"a", b"hello\n")
        assert daytime.endswith(b"\r\n")

    def test_without_the_internal_ones(self, reactor, file):
        file.write_text(f"127.0.0.1:0 stream tcp nowait {ME} internal echo\n")

        async def scenario(made):
            return list(made)

        assert self.play(reactor, file, scenario, internal=False) == []

    def test_what_cannot_be_offered_is_told_and_the_rest_is(self, reactor, file, logged):
        file.write_text(
            f"127.0.0.1:0 stream tcp nowait {ME} internal sing\n"
            f"127.0.0.1:0 dgram udp nowait {ME} internal echo\n"
            f"127.0.0.1:other stream tcp nowait no-such-user /bin/cat\n"
            f"127.0.0.1:0 stream tcp nowait {ME} /bin/cat\n"
            f"127.0.0.1:0 stream tcp nowait {ME} /bin/echo\n"
        )

        async def scenario(made):
            return await asking(reactor, self.where(made, 0), b"x"), len(list(made))

        assert self.play(reactor, file, scenario) == (b"x", 1)
        told = [each["problem"] for each in logged if "problem" in each]
        for words, line in zip(
            ("no internal service 'sing'", "over stream tcp only", "no user", "at the same place"), told, strict=True
        ):
            assert words in line

    def test_reloading(self, reactor, file, logged):
        def port():
            with socket.create_server(("127.0.0.1", 0)) as probe:
                return probe.getsockname()[1]

        kept, gone, new = port(), port(), port()
        file.write_text(
            f"127.0.0.1:{kept} stream tcp nowait {ME} /bin/echo echo one\n127.0.0.1:{gone} stream tcp nowait {ME} internal echo\n"
        )

        async def scenario(made):
            before = self.where(made, 0)
            with socket.create_connection(("127.0.0.1", gone), timeout=20):
                file.write_text(
                    f"127.0.0.1:{kept} stream tcp nowait {ME} /bin/echo echo two\n"
                    f"127.0.0.1:{new} stream tcp nowait {ME} /bin/echo echo three\n"
                )
                await made.reload()
            assert await asking(reactor, before) == b"two\n"
            assert await asking(reactor, ("127.0.0.1", new)) == b"three\n"
            with pytest.raises(ConnectionRefusedError):
                await asking(reactor, ("127.0.0.1", gone))
            file.write_text("nobody-knows stream tcp nowait root internal\n")
            with pytest.raises(UnknownService, match="line 1"):
                await made.reload()
            file.unlink()
            with pytest.raises(FileNotFoundError):
                await made.reload()
            assert await asking(reactor, before) == b"two\n", "it goes on as it was"
            with socket.create_server(("127.0.0.1", 0)) as other:
                taken = other.getsockname()[1]
                file.write_text(
                    f"127.0.0.1:{taken} stream tcp nowait {ME} /bin/cat\n127.0.0.1:{kept} stream tcp nowait no-such-user /bin/cat\n"
                )
                with pytest.raises(InetdError, match=r"in use.*no user 'no-such-user'"):
                    await made.reload()
            assert await asking(reactor, before) == b"two\n", "as there is no other to take its place"
            assert len(list(made)) == 1
            return made

        made = self.play(reactor, file, scenario)
        assert not any(each.running for each in made)

    def test_a_port_that_is_taken_at_first(self, reactor, file, logged):
        with socket.create_server(("127.0.0.1", 0)) as other:
            file.write_text(f"127.0.0.1:{other.getsockname()[1]} stream tcp nowait {ME} internal echo\n")

            async def scenario(made):
                return list(made)

            assert self.play(reactor, file, scenario) == []
        assert any("in use" in each["problem"] for each in logged if "problem" in each)


class TestTap:
    def test_options(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        options = Options()
        options.parseOptions([])
        assert (options["file"], options["nointernal"], options["rpc"]) == ("/etc/inetd.conf", 0, "/etc/rpc")
        options = Options()
        options.parseOptions(["-f", "my.conf", "-i"])
        assert (options["file"], options["nointernal"]) == (str(tmp_path / "my.conf"), 1)
        (tmp_path / "my.conf").write_text("7000 stream tcp nowait root internal\n")
        assert makeService(options).path == str(tmp_path / "my.conf")

    @pytest.mark.parametrize("text", [None, "echo\n", "nobody-knows stream tcp nowait root internal\n"])
    def test_a_file_that_cannot_be_used(self, tmp_path, text):
        path = tmp_path / "inetd.conf"
        if text is not None:
            path.write_text(text)
        options = Options()
        options.parseOptions(["--file", str(path)])
        with pytest.raises(UsageError, match=str(path)) as caught:
            makeService(options)
        assert ("; name the file of services with --file" in str(caught.value)) is (text is None)

    def test_protocols(self):
        assert protocolDict == {"tcp": 6, "udp": 17}
