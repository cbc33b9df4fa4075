"""Other programs' clients talk to our servers, and our clients to other programs' servers."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Self

import pytest

from contract.faultkit import Program, needs_posix
from contract.flavours import has_twisted

pytestmark = needs_posix

LISTEN = ("--listen", "tcp:0:interface=127.0.0.1")

PERL = """
$s = IO::Socket::INET->new('127.0.0.1:{port}') or die;
$| = 1;
if (!fork) { print while <$s>; exit }
print $s $_ while <STDIN>;
$s->shutdown(1);
wait;
"""

# Each is told the port's number, sends what it reads and prints what it receives.
TOOLS = {
    "nc": ["nc", "127.0.0.1", "{port}"],
    "ncat": ["ncat", "127.0.0.1", "{port}"],
    "socat": ["socat", "-", "TCP:127.0.0.1:{port}"],
    "telnet": ["telnet", "127.0.0.1", "{port}"],
    "curl": ["curl", "--silent", "--no-buffer", "telnet://127.0.0.1:{port}"],
    "bash": ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/{port}; cat <&3 & cat >&3; wait"],
    "perl": [
        "perl",
        "-MIO::Socket::INET",
        "-e",
        PERL,
    ],
    "node": [
        "node",
        "-e",
        "const s = require('net').connect({port}, '127.0.0.1'); process.stdin.pipe(s); s.pipe(process.stdout)",
    ],
}


class Tool:
    """A command-line client."""

    def __init__(self, name: str, port: int) -> None:
        command = [part.replace("{port}", str(port)) for part in TOOLS[name]]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True
        )

    def say(self, text: bytes) -> None:
        self.process.stdin.write(text)
        self.process.stdin.flush()

    def hear(self, text: bytes) -> bytes:
        """Read lines until one has *text* in it; return that."""
        while line := self.process.stdout.readline():
            if text in line:
                return line
        return b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def start() -> Iterator[object]:
    """Starts one of torsion's servers; returns it and its port's number."""
    with ExitStack() as stack:

        def start(kind: str) -> tuple[Program, int]:
            program = stack.enter_context(Program("-X", "dev", "-W", "error", "-m", "torsion", kind, *LISTEN))
            heard = next(line for line in iter(program.line, "") if ": listening on " in line)
            return program, int(heard.rpartition(":")[2])

        yield start


tools = pytest.mark.parametrize(
    "tool",
    [
        pytest.param(name, marks=pytest.mark.skipif(shutil.which(name) is None, reason=f"there is no {name} here"))
        for name in TOOLS
    ],
)


def assert_ended_well(server: Program) -> None:
    """Check that *server* has stopped because it was told to, and has nothing to complain of."""
    status, log, errors = server.finish()
    assert (status, errors) == (0, "")
    assert "torsion has stopped" in log.splitlines()[-1]
    assert not [line for line in log.splitlines() if "#info]" not in line]


@tools
def test_a_tool_is_echoed(start, tool):
    server, port = start("echo")
    with Tool(tool, port) as client:
        client.say(b"good morning\n")
        assert client.hear(b"morning") == b"good morning\n"
        client.say(b"good night\n")
        assert client.hear(b"night") == b"good night\n"
        server.signal()
        assert_ended_well(server)


@tools
def test_tools_chat(start, tool):
    server, port = start("chat")
    with Tool(tool, port) as one, socket.create_connection(("127.0.0.1", port), 10) as other:
        assert b"guest" in one.hear(b"* you are")
        assert b"you are" in other.recv(1000)
        one.say(b"/nick Ada\n")
        one.hear(b"is now Ada")
        one.say(b"hello\n")
        said = b""
        while b"<Ada> hello\n" not in said:
            said += other.recv(1000)
        other.sendall(b"hello to you\n")
        assert one.hear(b"hello to you").rstrip().endswith(b"> hello to you")
        server.signal(signal.SIGINT)
        assert_ended_well(server)


@pytest.mark.skipif(shutil.which("nc") is None, reason="there is no nc here")
def test_a_file_comes_back_whole(start, tmp_path):
    """The client half-closes when its input ends, and gets everything before the end."""
    _, port = start("echo")
    half = ["-N"] if b"-N" in subprocess.run(["nc", "-h"], capture_output=True, check=False).stderr else ["-q", "5"]
    sent = bytes(range(256)) * 8192
    (tmp_path / "file").write_bytes(sent)
    with (tmp_path / "file").open("rb") as file:
        command = ["nc", *half, "127.0.0.1", str(port)]
        answer = subprocess.run(command, stdin=file, capture_output=True, timeout=20, check=False)
    assert answer.stdout == sent


# --- Python's own, and Twisted's -----------------------------------------------------------------------------------------

ASYNCIO = """
import asyncio, sys

async def one(number):
    reader, writer = await asyncio.open_connection("127.0.0.1", int(sys.argv[1]))
    message = bytes([number]) * 100_000
    writer.write(message)
    assert await reader.readexactly(len(message)) == message
    writer.write_eof()
    assert await reader.read() == b""
    writer.close()
    await writer.wait_closed()

async def main():
    await asyncio.gather(*map(one, range(50)))

asyncio.run(main())
print("all")
"""

TWISTED = """
import sys
from twisted.internet import defer, endpoints, protocol, reactor, task

class One(protocol.Protocol):
    received = b""
    def __init__(self, number):
        self.message = bytes([number]) * 100_000
        self.done = defer.Deferred()
    def connectionMade(self):
        self.transport.write(self.message)
    def dataReceived(self, data):
        self.received += data
        if self.received == self.message:
            self.transport.loseConnection()
    def connectionLost(self, reason):
        self.done.callback(self.received == self.message)

def main(reactor):
    async def one(number):
        endpoint = endpoints.clientFromString(reactor, "tcp:127.0.0.1:" + sys.argv[1])
        assert await (await endpoints.connectProtocol(endpoint, One(number))).done
    everyone = defer.gatherResults([defer.ensureDeferred(one(number)) for number in range(50)])
    return everyone.addCallback(lambda _: print("all"))

task.react(main)
"""


@pytest.mark.parametrize(
    "script", [ASYNCIO, pytest.param(TWISTED, marks=pytest.mark.interop)], ids=["asyncio", "twisted"]
)
def test_another_loops_clients_are_echoed(start, script):
    if script is TWISTED and not has_twisted():
        pytest.skip("Twisted is not installed")
    server, port = start("echo")
    with Program("-c", script, str(port)) as client:
        assert client.finish(20) == (0, "all\n", "")
    server.signal()
    assert_ended_well(server)


ASYNCIO_SERVER = """
import asyncio

async def serve(reader, writer):
    while data := await reader.read(100_000):
        writer.write(data)
        await writer.drain()
    writer.close()

async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()

asyncio.run(main())
"""

TWISTED_SERVER = """
from twisted.internet import protocol, reactor

class Echo(protocol.Protocol):
    def dataReceived(self, data):
        self.transport.write(data)

port = reactor.listenTCP(0, protocol.Factory.forProtocol(Echo), interface="127.0.0.1")
print(port.getHost().port, flush=True)
reactor.run()
"""


@pytest.mark.parametrize(
    "script", [ASYNCIO_SERVER, pytest.param(TWISTED_SERVER, marks=pytest.mark.interop)], ids=["asyncio", "twisted"]
)
def test_our_clients_are_served(script):
    if script is TWISTED_SERVER and not has_twisted():
        pytest.skip("Twisted is not installed")
    ours = TWISTED.replace("twisted.internet", "torsion.internet")
    with Program("-c", script) as server, Program("-X", "dev", "-W", "error", "-c", ours, server.line()) as client:
        assert client.finish(20) == (0, "all\n", "")
