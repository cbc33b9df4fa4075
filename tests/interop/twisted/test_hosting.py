"""torsion's reactor inside Twisted's loop, and both libraries' protocols in one process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

pytest.importorskip(
    "twisted.internet.posixbase", reason="needs Twisted, of the dependency group 'interop'", exc_type=ImportError
)

from twisted.internet import defer as twisted_defer
from twisted.internet import endpoints as twisted_endpoints
from twisted.internet import protocol as twisted_protocol
from twisted.internet.pollreactor import PollReactor
from twisted.internet.selectreactor import SelectReactor
from twisted.internet.task import Clock

from torsion.internet import defer, protocol
from torsion.internet._current import current_reactor
from torsion.internet.endpoints import TCP4ServerEndpoint
from torsion.internet.threads import deferToThread
from torsion.interop.twisted import TorsionReactor
from torsion.interop.twisted.defer import fromTwisted, toTwisted
from torsion.interop.twisted.hosting import GuestReactor

pytestmark = [pytest.mark.interop, pytest.mark.skipif(sys.platform == "win32", reason="POSIX only")]
TIMEOUT = 8


@pytest.fixture(params=[TorsionReactor, PollReactor, SelectReactor], ids=lambda kind: kind.__name__)
def host(request):
    made = request.param()
    late = made.callLater(TIMEOUT, made.crash)
    yield made
    assert late.active(), "it took too long"
    late.cancel()
    made.disconnectAll()
    for reader in list(made._internalReaders):
        made.removeReader(reader)
        reader.connectionLost(None)


class Echo(protocol.Protocol):
    def dataReceived(self, data: bytes) -> None:
        self.transport.write(data)


class Asks(twisted_protocol.Protocol):
    def __init__(self) -> None:
        self.answer: twisted_defer.Deferred[bytes] = twisted_defer.Deferred()

    def dataReceived(self, data: bytes) -> None:
        self.answer.callback(data)


def run(host, guest, program) -> object:
    """Run the coroutine function *program* of Twisted's while both run; return what it does."""
    results: list = []

    def start() -> None:
        twisted_defer.ensureDeferred(program()).addBoth(results.append).addBoth(lambda _: host.stop())

    host.callWhenRunning(start)
    host.run(installSignalHandlers=False)
    [result] = results
    if hasattr(result, "raiseException"):
        result.raiseException()
    return result


def test_a_client_of_twisted_s_and_a_server_of_torsion_s(host) -> None:
    guest = GuestReactor(host)

    async def program():
        port = await toTwisted(
            TCP4ServerEndpoint(guest, 0, interface="127.0.0.1").listen(protocol.Factory.forProtocol(Echo))
        )
        client = await twisted_endpoints.connectProtocol(
            twisted_endpoints.TCP4ClientEndpoint(host, "127.0.0.1", port.getHost().port), Asks()
        )
        client.transport.write(b"hello")
        answer = await client.answer
        client.transport.loseConnection()
        await toTwisted(defer.maybeDeferred(port.stopListening))
        return answer

    assert run(host, guest, program) == b"hello"


def test_timers_threads_and_coroutines_of_both(host) -> None:
    guest = GuestReactor(host)

    async def ours():
        assert current_reactor() is guest
        later: defer.Deferred[str] = defer.Deferred()
        guest.callLater(0.01, later.callback, "later")
        theirs: twisted_defer.Deferred[str] = twisted_defer.Deferred()
        host.callLater(0.01, theirs.callback, "theirs")
        return await later, await fromTwisted(theirs), await theirs_again(host), await deferToThread(lambda: "thread")

    async def theirs_again(host):
        theirs: twisted_defer.Deferred[int] = twisted_defer.Deferred()
        host.callLater(0, theirs.callback, 3)
        return await theirs

    async def program():
        return await toTwisted(defer.ensureDeferred(ours()))

    assert run(host, guest, program) == ("later", "theirs", 3, "thread")


def test_it_starts_and_ends_with_twisted_s(host) -> None:
    guest = GuestReactor(host)
    events: list[str] = []
    held: defer.Deferred[None] = defer.Deferred()

    def hold():
        events.append("before")
        guest.callLater(0.01, held.callback, None)
        return held

    guest.addSystemEventTrigger("after", "startup", events.append, "startup")
    guest.addSystemEventTrigger("before", "shutdown", hold)
    guest.addSystemEventTrigger("after", "shutdown", events.append, "after")
    host.addSystemEventTrigger("during", "shutdown", events.append, "Twisted's")
    guest.callWhenRunning(lambda: host.callLater(0, host.stop))
    host.run(installSignalHandlers=False)
    assert events == ["startup", "before", "after", "Twisted's"]
    assert not guest.running


def test_made_while_twisted_s_runs(host) -> None:
    def make() -> None:
        guest = GuestReactor(host)
        guest.callWhenRunning(host.callLater, 0, host.stop)

    host.callWhenRunning(make)
    host.run(installSignalHandlers=False)


def test_its_own_stop_leaves_twisted_s_running(host) -> None:
    guest = GuestReactor(host)
    events: list[str] = []

    def look() -> None:
        events.append(f"{guest.running} {host.running}")
        host.stop()

    guest.addSystemEventTrigger("after", "shutdown", lambda: host.callLater(0.01, look))
    guest.callWhenRunning(guest.callLater, 0, guest.stop)
    host.run(installSignalHandlers=False)
    assert events == ["False True"]


def test_its_own_run_runs_twisted_s(host) -> None:
    guest = GuestReactor(host)
    events: list[object] = []
    host.callLater(0.01, lambda: events.append((guest.running, host.running)) or guest.stop())
    guest.run(installSignalHandlers=False)
    assert events == [(True, True)]
    assert not host.running


@pytest.mark.parametrize("end", ["stop", "crash"])
def test_when_it_runs_twisted_s_and_that_is_ended(host, end) -> None:
    guest = GuestReactor(host)
    host.callLater(0.01, getattr(host, end))
    guest.run(installSignalHandlers=False)
    assert not guest.running
    assert not host.running


def test_a_crash_does_not_hold_up_twisted_s_end(host) -> None:
    guest = GuestReactor(host)

    def crash() -> None:
        host.callLater(0, guest.crash)
        host.stop()

    guest.addSystemEventTrigger("before", "shutdown", defer.Deferred)  # which would wait for ever
    host.callLater(0.01, crash)
    host.run(installSignalHandlers=False)


PROGRAM = """
import torsion.interop.twisted; torsion.interop.twisted.install()
from torsion.interop.twisted import hosting
made = hosting.install()
from twisted.internet import reactor as theirs
from torsion.internet import reactor as ours
assert ours is made and theirs is made.driver.reactor
ours.callWhenRunning(print, "runs", flush=True)
ours.addSystemEventTrigger("after", "shutdown", print, "ends", flush=True)
{}.run()
"""


@pytest.mark.parametrize("which", ["ours", "theirs"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_end_both(which, number) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM.format(which)], stdout=subprocess.PIPE, text=True, env=os.environ
    ) as running:
        try:
            assert running.stdout.readline() == "runs\n"
            running.send_signal(number)
            assert running.communicate(timeout=20)[0] == "ends\n"
        finally:
            running.kill()


DAEMON = """
import os
import torsion.interop.twisted; torsion.interop.twisted.install()
from torsion.interop.twisted import hosting
made = hosting.install()
from twisted.internet import reactor as theirs
if child := os.fork():
    os._exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))

def fork_again():
    if child := os.fork():
        print("again", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
        made.callLater(0, theirs.stop)
    else:
        try:
            made.callLater(0, print)
        except Exception as problem:
            os._exit(type(problem).__name__ == "WrongProcessError")
        os._exit(9)

made.callWhenRunning(made.callLater, 0, fork_again)
theirs.run()
print("ends", flush=True)
"""


def test_it_goes_along_into_the_background_until_it_has_started() -> None:
    done = subprocess.run([sys.executable, "-c", DAEMON], capture_output=True, text=True, check=False, timeout=30)
    assert (done.stdout, done.returncode) == ("again 1\nends\n", 0), done.stderr


def test_a_host_that_cannot_watch_is_refused() -> None:
    with pytest.raises(TypeError, match="cannot watch descriptors: give a reactor that does"):
        GuestReactor(Clock())


def test_a_second_one_is_told_where_the_first_was_installed() -> None:
    code = "from torsion.interop.twisted import hosting\ndef early(): hosting.install()\nearly()\nearly()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=30)
    assert "already, installed at <string>:2, in early;" in done.stderr.splitlines()[-1]
