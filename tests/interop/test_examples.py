"""The examples work, each with a real peer."""

from __future__ import annotations

import io
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from contract.faultkit import Program, needs_posix

EXAMPLES = Path(__file__).parents[2] / "examples"
TRIED = {
    "chat",
    "client",
    "descriptors",
    "echo",
    "hosted",
    "inotify",
    "multicast",
    "portforward",
    "prefork",
    "process",
    "starttls",
    "stdio",
    "throttled",
    "tls_client",
    "tls_server",
    "udp",
    "unix",
    "unix_datagrams",
    "websocket_page",  # in web/test_websocket_page.py, with a browser
}

pytestmark = needs_posix

Start = Callable[..., Program]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts an example, with every warning an error."""
    with ExitStack() as stack:

        def start(name: str, *arguments: str) -> Program:
            path = str(EXAMPLES / f"{name}.py")
            return stack.enter_context(Program("-X", "dev", "-W", "error", path, *arguments))

        yield start


def port_of(program: Program) -> int:
    """Return the port at which *program* says that it listens."""
    said = program.line()
    assert said.startswith("listening on "), said
    return int(said.rpartition("port=")[2].rstrip(")"))


def dial(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), 10)


def ask(connected: socket.socket, question: bytes) -> bytes:
    """Send *question*, and nothing after it; return all that is answered."""
    connected.sendall(question)
    connected.shutdown(socket.SHUT_WR)
    return everything(connected)


def everything(connected: socket.socket) -> bytes:
    return b"".join(iter(lambda: connected.recv(65536), b""))


def lines_of(connected: socket.socket) -> io.BufferedReader:
    return connected.makefile("rb")


def interrupted(program: Program) -> None:
    """End *program* as its user would; it must have nothing to complain about."""
    program.signal(signal.SIGINT)
    assert program.finish() == (0, "", "")


@pytest.fixture
def answering() -> Iterator[int]:
    """A server of the standard library's, on this port: it reads all that a client says, and then answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    connected, _ = server.accept()
                except OSError:
                    return
                with connected:
                    connected.sendall(b"you said: " + everything(connected))

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
        thread.join(10)


def test_each_example_is_tried() -> None:
    assert {path.stem for path in EXAMPLES.glob("*.py")} == TRIED


@pytest.mark.parametrize("name", sorted(TRIED))
def test_examples_are_short_and_say_how_to_start_them(name: str) -> None:
    text = (EXAMPLES / f"{name}.py").read_text(encoding="utf-8")
    assert text.count("\n") <= 60
    assert f"``python examples/{name}.py" in text.partition('"""\n')[0]


# --- TCP -----------------------------------------------------------------------------------------------------------------


def test_echo(start: Start) -> None:
    program = start("echo", "tcp:0:interface=127.0.0.1")
    with dial(port_of(program)) as client:
        client.sendall(b"is anyone there?\n")
        assert lines_of(client).readline() == b"is anyone there?\n"
    interrupted(program)


def test_chat(start: Start) -> None:
    program = start("chat", "tcp:0:interface=127.0.0.1")
    port = port_of(program)
    with dial(port) as one, dial(port) as other:
        said = lines_of(other)
        one.sendall(b"a\n")  # which the other may be too late for
        while not said.readline().endswith(b": hello\n"):
            one.sendall(b"hello\n")
    interrupted(program)


def test_client(start: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(10)
        program = start("client", f"tcp:127.0.0.1:{server.getsockname()[1]}", "one", "two")
        connected, _ = server.accept()
        connected.settimeout(10)
        with connected, lines_of(connected) as questions:
            for question, answer in ((b"one\n", b"eins\n"), (b"two\n", b"zwei\n")):
                assert questions.readline() == question
                connected.sendall(answer)
            assert questions.readline() == b""
    assert program.finish() == (0, "eins\nzwei\n", "")


def test_portforward(start: Start, answering: int) -> None:
    program = start("portforward", "tcp:0:interface=127.0.0.1", "127.0.0.1", str(answering))
    with dial(port_of(program)) as client:
        assert ask(client, b"hello") == b"you said: hello"
    interrupted(program)


def test_throttled(start: Start) -> None:
    pace = 1_000_000
    program = start("throttled", "tcp:0:interface=127.0.0.1", str(pace))
    port = port_of(program)
    with dial(port) as client, dial(port), dial(port) as third:
        assert third.recv(1) == b""
        client.settimeout(0.3)
        received = 0
        with pytest.raises(TimeoutError):  # silence: it has had what may come at once
            while received < 10 * pace:
                received += len(client.recv(65536))
        assert pace < received < 3 * pace
    interrupted(program)


def test_hosted(start: Start) -> None:
    program = start("hosted", "0")
    with dial(port_of(program)) as client:
        answers = lines_of(client)
        client.sendall(b"hello\n")
        assert answers.readline() == b"HELLO\n"
    interrupted(program)


def test_prefork(start: Start) -> None:
    program = start("prefork", "0", "2")
    port = int(program.line().rpartition(", ")[2].rstrip(")"))
    seen = set()
    for _ in range(10):
        with dial(port) as client:
            said = lines_of(client).readline()
            seen.add(int(re.fullmatch(rb"process (\d+) greets you\r\n", said)[1]))  # type: ignore[index]
    assert program.process.pid not in seen
    interrupted(program)
    for worker in seen:
        with pytest.raises(ProcessLookupError):
            os.kill(worker, 0)


# --- Unix sockets --------------------------------------------------------------------------------------------------------

HERE = b"here it is"


def test_unix_serves(start: Start, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"what is in it")
    program = start("unix", "serve", f"unix:{tmp_path}/socket")
    assert program.line().startswith("listening on UNIXAddress(")
    for name, said in (("file", HERE), ("none", b"No such file or directory")):
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(10)
            client.connect(f"{tmp_path}/socket")
            client.sendall(os.fsencode(tmp_path / name) + b"\n")
            data, descriptors, _, _ = socket.recv_fds(client, 1000, 1)
            assert said in data
            assert len(descriptors) == (said == HERE)
            for descriptor in descriptors:
                with os.fdopen(descriptor, "rb") as file:
                    assert file.read() == b"what is in it"
            assert client.recv(1000) == b""
    interrupted(program)
    assert not (tmp_path / "socket").exists()


def test_unix_asks(start: Start, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"what is in it")
    with socket.socket(socket.AF_UNIX) as server, (tmp_path / "file").open("rb") as file:
        server.settimeout(10)
        server.bind(f"{tmp_path}/socket")
        server.listen()
        program = start("unix", "ask", f"unix:{tmp_path}/socket", "a name")
        connected, _ = server.accept()
        with connected:
            assert lines_of(connected).readline() == b"a name\n"
            socket.send_fds(connected, [HERE], [file.fileno()])
    assert program.finish() == (0, "what is in it", "here it is\n")


def test_unix_datagrams_are_printed(start: Start, tmp_path: Path) -> None:
    program = start("unix_datagrams", "serve", f"{tmp_path}/log")
    assert program.line() == "listening"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as client:
        client.sendto(b"hello there", f"{tmp_path}/log")
    assert program.line() == "hello there"
    interrupted(program)
    assert not (tmp_path / "log").exists()


def test_unix_datagrams_are_sent(start: Start, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.settimeout(10)
        server.bind(f"{tmp_path}/log")
        assert start("unix_datagrams", "say", f"{tmp_path}/log", "hello", "there").finish() == (0, "", "")
        assert server.recv(100) == b"hello there"
    program = start("unix_datagrams", "say", f"{tmp_path}/none", "hello")
    status, output, errors = program.finish()
    assert (status, output.startswith("nobody listens"), errors) == (0, True, "")


# --- TLS -----------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def pem(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A file with a certificate for localhost, its own issuer, and the key."""
    pytest.importorskip("cryptography")
    from torsion.internet.ssl import KeyPair

    path = tmp_path_factory.mktemp("pem") / "server.pem"
    path.write_bytes(KeyPair.generate().selfSignedCert(1, CN="localhost").dumpPEM())
    return str(path)


def client_context(pem: str) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=pem)


def server_context(pem: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context


@pytest.mark.parametrize("protocols", [[], ["greeting/1"], ["greeting/1", "greeting/2"]])
def test_tls_server(start: Start, pem: str, protocols: list[str]) -> None:
    program = start("tls_server", "0", pem)
    context = client_context(pem)
    if protocols:
        context.set_alpn_protocols(protocols)
    with context.wrap_socket(dial(port_of(program)), server_hostname="localhost") as client:
        chosen = max(protocols, default=None)
        assert client.selected_alpn_protocol() == chosen
        greeting = b"hello, who are you? (%s)\r\n" % (chosen or "greeting/1").encode()
        assert client.recv(1000) == greeting
        client.sendall(b"Ada\r\n")
        assert client.recv(1000) == b"hello, Ada\r\n"
        assert client.recv(1000) == b""
    interrupted(program)


def test_tls_server_makes_a_certificate(start: Start, tmp_path: Path) -> None:
    program = start("tls_server", "0", f"{tmp_path}/server.pem")
    port = port_of(program)
    assert (tmp_path / "server.pem").stat().st_mode & 0o077 == 0
    with client_context(f"{tmp_path}/server.pem").wrap_socket(dial(port), server_hostname="localhost") as client:
        assert client.recv(1000).startswith(b"hello")
    interrupted(program)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="there is no openssl here")
def test_tls_server_and_openssl(start: Start, pem: str) -> None:
    program = start("tls_server", "0", pem)
    where = f"127.0.0.1:{port_of(program)}"
    command = ["openssl", "s_client", "-connect", where, "-servername", "localhost", "-CAfile", pem]
    options = ["-alpn", "greeting/1", "-quiet", "-verify_return_error"]
    with subprocess.Popen([*command, *options], stdin=-1, stdout=-1, stderr=subprocess.DEVNULL) as client:
        assert client.stdout is not None
        assert client.stdin is not None
        assert client.stdout.readline() == b"hello, who are you? (greeting/1)\r\n"
        client.stdin.write(b"Ada\n")
        client.stdin.flush()
        assert client.stdout.readline() == b"hello, Ada\n"
    interrupted(program)


@pytest.mark.parametrize("trusted", [True, False])
def test_tls_client(start: Start, pem: str, trusted: bool) -> None:
    context = server_context(pem)
    context.set_alpn_protocols(["http/1.1"])
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(10)
        program = start("tls_client", "localhost", str(server.getsockname()[1]), *[pem] * trusted)
        connected, _ = server.accept()
        connected.settimeout(10)
        if not trusted:
            with connected, pytest.raises(ssl.SSLError):
                context.wrap_socket(connected, server_side=True).recv(1)
            status, _, errors = program.finish()
            assert status == 1
            assert "UnknownIssuer" in errors
            return
        with context.wrap_socket(connected, server_side=True) as secure:
            assert secure.selected_alpn_protocol() == "http/1.1"
            assert secure.recv(1000) == b"GET / HTTP/1.0\r\nHost: localhost\r\n\r\n"
            secure.sendall(b"HTTP/1.0 200 OK\r\n\r\nhello")
            with suppress(OSError):  # whether the client says goodbye is its business
                secure.unwrap()
    assert program.finish() == (0, "connected with localhost speaking b'http/1.1'\nHTTP/1.0 200 OK (24 bytes)\n", "")


def test_starttls_serves(start: Start, pem: str) -> None:
    program = start("starttls", "serve", "0", pem)
    plain = dial(port_of(program))
    plain.sendall(b"tell me\r\nSTARTTLS\r\n")
    with plain.makefile("rb", buffering=0) as answers:
        assert answers.readline() == b"not here\r\n"
        assert answers.readline() == b"go ahead\r\n"
    with client_context(pem).wrap_socket(plain, server_hostname="localhost") as secure:
        secure.sendall(b"tell me\r\n")
        assert secure.recv(1000) == b"the secret is 42\r\n"
    interrupted(program)


def test_starttls_asks(start: Start, pem: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(10)
        program = start("starttls", "ask", str(server.getsockname()[1]), pem)
        plain, _ = server.accept()
        plain.settimeout(10)
        assert plain.recv(1000) == b"STARTTLS\r\n"
        plain.sendall(b"go ahead\r\n")
        with server_context(pem).wrap_socket(plain, server_side=True) as secure:
            assert secure.recv(1000) == b"tell me\r\n"
            secure.sendall(b"nothing\r\n")
            assert program.finish() == (0, "nothing\n", "")


# --- datagrams -----------------------------------------------------------------------------------------------------------


def test_udp_answers(start: Start) -> None:
    program = start("udp", "0")
    with socket.socket(type=socket.SOCK_DGRAM) as client:
        client.settimeout(10)
        client.sendto(b"?", ("127.0.0.1", port_of(program)))
        assert re.fullmatch(rb"\w+ \w+ +\d+ \d\d:\d\d:\d\d \d{4}", client.recv(100))
    interrupted(program)


def test_udp_asks(start: Start) -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as server:
        server.settimeout(10)
        server.bind(("127.0.0.1", 0))
        program = start("udp", "ask", "127.0.0.1", str(server.getsockname()[1]))
        question, client = server.recvfrom(100)
        assert question == b"?"
        server.sendto(b"late", client)
        assert program.finish() == (0, "late\n", "")


def test_udp_hears_that_nobody_is_there(start: Start) -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    program = start("udp", "ask", "127.0.0.1", str(port))
    assert program.process.stderr.readline() == b"nobody there yet\n"


def test_multicast(start: Start) -> None:
    group, port = "239.255.70.5", 7005
    with socket.socket(type=socket.SOCK_DGRAM) as peer:
        peer.settimeout(10)
        peer.setsockopt(socket.SOL_SOCKET, getattr(socket, "SO_REUSEPORT", socket.SO_REUSEADDR), 1)
        peer.bind(("", port))
        here = socket.inet_aton("127.0.0.1")
        try:
            peer.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton(group) + here)
        except OSError as error:
            pytest.skip(f"there is no multicast here: {error}")
        peer.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, here)
        program = start("multicast", "Ada")
        while peer.recvfrom(100)[0] != b"Ada":
            pass
        peer.sendto(b"Bob", (group, port))
        while (line := program.line()) != "Bob is at 127.0.0.1":
            assert line == "Ada is at 127.0.0.1"
        program.signal(signal.SIGINT)
        assert program.finish()[::2] == (0, "")


# --- processes and descriptors -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "printed"),
    [
        (["sort", "-r"], "out: two\nout: three\nout: one\nit ended well\n"),
        (["sh", "-c", "cat >&2; exit 3"], "err: two\nerr: one\nerr: three\nit ended badly: "),
    ],
)
def test_process(start: Start, command: list[str], printed: str) -> None:
    program = start("process", *command)
    program.tell("two\none\nthree")
    status, output, errors = program.finish()
    assert (status, errors) == (0, "")
    assert output.startswith(printed)


def test_stdio_over_pipes(start: Start, answering: int) -> None:
    program = start("stdio", f"tcp:127.0.0.1:{answering}")
    program.tell("hello")
    assert program.finish() == (0, "you said: hello\n", "")


def test_stdio_over_files(answering: int, tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(bytes(range(256)) * 1000)
    with (tmp_path / "in").open("rb") as given, (tmp_path / "out").open("wb") as taken:
        command = [sys.executable, str(EXAMPLES / "stdio.py"), f"tcp:127.0.0.1:{answering}"]
        subprocess.run(command, stdin=given, stdout=taken, timeout=20, check=True)
    assert (tmp_path / "out").read_bytes() == b"you said: " + bytes(range(256)) * 1000


def test_descriptors(start: Start) -> None:
    assert start("descriptors", "10", "1000").finish() == (0, "10! has 7 digits\n1000! has 2568 digits\n", "")


@pytest.mark.skipif(sys.platform != "linux", reason="inotify is Linux's")
def test_inotify(start: Start, tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    program = start("inotify", str(tmp_path))
    assert program.line() == "watching"
    subprocess.run(["touch", "old/one"], cwd=tmp_path, check=True)
    assert program.line() == f"create {tmp_path}/old/one"
    subprocess.run(["mkdir", "new"], cwd=tmp_path, check=True)
    while program.line() != f"create is_dir {tmp_path}/new":
        pass
    subprocess.run(["touch", "new/two"], cwd=tmp_path, check=True)
    while program.line() != f"create {tmp_path}/new/two":
        pass
    program.signal(signal.SIGINT)
    status, _, errors = program.finish()
    assert (status, errors) == (0, "")
