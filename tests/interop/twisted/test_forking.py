"""What becomes of Twisted's reactor over torsion's engine when its process forks, each in a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import urllib.request
from contextlib import suppress

import pytest

pytest.importorskip(
    "twisted.internet.posixbase", reason="needs Twisted, of the dependency group 'interop'", exc_type=ImportError
)

from twisted.internet.interfaces import IReactorDaemonize

from torsion.interop.twisted import TorsionReactor

pytestmark = [pytest.mark.interop, pytest.mark.skipif(sys.platform == "win32", reason="POSIX only")]

PRELUDE = """
import os, signal, socket, sys, threading
import torsion.interop.twisted
reactor = torsion.interop.twisted.install()
from torsion.internet.error import WrongProcessError
from twisted.internet import protocol

def say(*words):
    os.write(1, (" ".join(map(str, words)) + "\\n").encode())

def refusal(function, *args):
    try:
        function(*args)
    except WrongProcessError as error:
        return str(error)
    raise AssertionError(f"{function} was not refused")

class Echo(protocol.Protocol):
    def dataReceived(self, data):
        self.transport.write(data)

def talk(port, word):
    with socket.create_connection(("127.0.0.1", port.getHost().port), timeout=20) as peer:
        peer.sendall(word)
        return peer.recv(100)

def wait(pid):
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

def in_thread(function):
    def call():
        try:
            function()
        except BaseException as problem:
            say(repr(problem))
        reactor.callFromThread(reactor.stop)
    thread = threading.Thread(target=call)
    reactor.callWhenRunning(thread.start)
    reactor.run()
    thread.join()

port = reactor.listenTCP(0, protocol.Factory.forProtocol(Echo), interface="127.0.0.1")
"""


def run(code: str) -> list[str]:
    """Run *code*, where a reactor of Twisted's listens with ``Echo``; return the lines that come out."""
    done = subprocess.run(
        [sys.executable, "-c", PRELUDE + textwrap.dedent(code)],
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()


def test_a_process_that_is_forked_off_is_refused_the_reactor_and_the_other_goes_on() -> None:
    code = """
    def main():
        assert talk(port, b"1") == b"1"
        child = os.fork()
        if not child:
            for function, *args in (
                (reactor.callFromThread, print), (reactor.callLater, 0, print), (reactor.wakeUp,), (reactor.run,),
                (port.stopListening,), (reactor.iterate,), (reactor.getDelayedCalls,),
            ):
                assert f"process {parent}" in refusal(function, *args)
            assert not reactor.running
            try:
                os.fstat(descriptor)
            except OSError:
                os._exit(5)
            os._exit(6)
        say("child", wait(child))
        say("parent", talk(port, b"2"))

    parent, descriptor = os.getpid(), port.fileno()
    in_thread(main)
    """
    assert run(code) == ["child 5", "parent b'2'"]


def test_a_fork_in_the_reactors_own_thread_ends_the_childs_loop() -> None:
    code = """
    def fork():
        pid = os.fork()
        if pid:
            say("child", wait(pid))
            reactor.stop()

    parent = os.getpid()
    reactor.callWhenRunning(reactor.callLater, 0, fork)
    try:
        reactor.run()
    except WrongProcessError:
        os._exit(7 if os.getpid() != parent else 8)
    """
    assert run(code) == ["child 7"]


def test_the_child_gets_the_signals_back() -> None:
    code = """
    def fork():
        pid = os.fork()
        if pid:
            say("child", wait(pid))
            reactor.stop()
            return
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
        assert signal.set_wakeup_fd(-1) == -1
        os._exit(9)

    reactor.callWhenRunning(fork)
    reactor.run()
    """
    assert run(code) == ["child 9"]


def test_a_program_that_forks_itself_into_the_background_before_it_runs_keeps_its_reactor() -> None:
    code = """
    pid = os.fork()
    if pid:
        os._exit(wait(pid))
    in_thread(lambda: say(talk(port, b"daemon")))
    """
    assert run(code) == ["b'daemon'"]


@pytest.mark.parametrize("ends", ["os.fork()", "not os.fork()"])
def test_of_two_processes_before_the_first_run_one_may_end_as_programs_do(ends) -> None:
    """It must not take from the poller, which both know, what is the other's now."""
    code = f"""
    ended, end = os.pipe()
    if {ends}:
        os.close(ended)
        sys.exit(0)
    os.close(end)
    os.read(ended, 1)  # nothing: it has gone
    in_thread(lambda: say(talk(port, b"the other")))
    """
    assert run(code) == ["b'the other'"]


def test_a_daemon_takes_its_reactor_along() -> None:
    code = """
    def daemonize():
        reactor.beforeDaemonize()
        pid = os.fork()
        if pid:
            os._exit(wait(pid))
        reactor.afterDaemonize()
        threading.Thread(target=main).start()

    def main():
        say(talk(port, b"daemon"))
        child = os.fork()  # from here on, it is this process's
        if not child:
            os._exit(4 if refusal(reactor.callFromThread, print) else 5)
        say("its child", wait(child))
        reactor.callFromThread(reactor.stop)

    reactor.callWhenRunning(daemonize)
    reactor.run()
    """
    assert run(code) == ["b'daemon'", "its child 4"]
    assert IReactorDaemonize.implementedBy(TorsionReactor)


def test_a_process_that_is_spawned_can_be_given_a_ports_descriptor() -> None:
    code = '''
    SERVE = """
    import socket
    with socket.socket(fileno=0) as port:
        port.setblocking(True)
        port.accept()[0].sendall(b"spawned")
    """

    class Spawned(protocol.ProcessProtocol):
        def processEnded(self, reason):
            say(reason.value.exitCode)
            reactor.stop()

    def start():
        import textwrap
        reactor.spawnProcess(
            Spawned(), sys.executable, [sys.executable, "-c", textwrap.dedent(SERVE)], env=None,
            childFDs={0: port.fileno(), 1: 1, 2: 2},
        )
        port.stopListening()

    host = port.getHost().port
    reactor.callWhenRunning(start)
    peer = socket.socket()
    peer.connect(("127.0.0.1", host))
    port.pauseProducing()
    reactor.run()
    say(peer.recv(100))
    '''
    assert run(code) == ["0", "b'spawned'"]


def test_twistd_serves_in_the_background_until_its_process_is_told_to_stop(tmp_path) -> None:
    (tmp_path / "page.txt").write_text("from a daemon")
    program = tmp_path / "app.py"
    program.write_text(
        "from twisted.application import internet, service\n"
        "from twisted.web import server, static\n"
        "class Telling(internet.TCPServer):\n"
        "    def startService(self):\n"
        "        super().startService()\n"
        "        from twisted.internet import reactor\n"
        "        with open('where', 'w') as where:\n"
        "            print(type(reactor).__name__, self._port.getHost().port, file=where)\n"
        "application = service.Application('daemon')\n"
        f"Telling(0, server.Site(static.File({str(tmp_path)!r})), interface='127.0.0.1').setServiceParent(application)\n"
    )
    twistd = "from twisted.scripts.twistd import run; run()"
    arguments = ["--reactor=torsion", "--pidfile=pid", "--logfile=log", "-y", str(program)]
    # The first process ends once the one in the background has started everything.
    subprocess.run([sys.executable, "-c", twistd, *arguments], cwd=tmp_path, check=True, timeout=50)
    pid = int((tmp_path / "pid").read_text())
    try:
        name, number = (tmp_path / "where").read_text().split()
        assert name == "TorsionReactor"
        assert pid != os.getpid()
        with urllib.request.urlopen(f"http://127.0.0.1:{number}/page.txt", timeout=20) as answer:
            assert answer.read() == b"from a daemon"
    finally:
        gone = os.pidfd_open(pid) if hasattr(os, "pidfd_open") else None
        os.kill(pid, signal.SIGTERM)
        if gone is not None:
            import select

            assert select.select([gone], [], [], 20)[0], "it goes on"
            os.close(gone)
    with suppress(FileNotFoundError):
        assert not (tmp_path / "pid").read_text()
    assert "Server Shut Down" in (tmp_path / "log").read_text()
