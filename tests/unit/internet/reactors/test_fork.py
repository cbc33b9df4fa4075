"""What becomes of a reactor in a process that is forked off its own, and that its own notices nothing.

Each in a process of its own, which forks; what the processes print comes out in the order in which they write it.
"""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest

from torsion.internet.interfaces import IReactorDaemonize
from torsion.internet.reactors.native import NativeReactor

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows does not fork")

PRELUDE = """
import gc, os, signal, socket, sys, threading
from torsion.internet import _current
from torsion.internet.error import WrongProcessError
from torsion.internet.protocol import Factory, Protocol
from torsion.internet.reactors import install

def say(*words):
    os.write(1, (" ".join(map(str, words)) + "\\n").encode())

def refusal(function, *args):
    try:
        function(*args)
    except WrongProcessError as error:
        return str(error)
    raise AssertionError(f"{function} was not refused")

class Echo(Protocol):
    def dataReceived(self, data):
        self.transport.write(hook(self, data) or data)

def hook(protocol, data):
    pass

def talk(port, *words):
    with socket.create_connection(("127.0.0.1", port.getHost().port), timeout=20) as peer:
        answers = []
        for word in words:
            peer.sendall(word)
            answers.append(peer.recv(100))
        return answers

def wait(pid):
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

def in_thread(function):
    thread = threading.Thread(target=function)
    reactor.callWhenRunning(thread.start)
    reactor.run()
    thread.join()
"""


def run(code, reactor="native"):
    """Run *code*, which has an installed *reactor* that listens with ``Echo``, and return the lines that come out."""
    setup = f"""
reactor = install({reactor!r})
port = reactor.listenTCP(0, Factory.forProtocol(Echo), interface="127.0.0.1")
"""
    done = subprocess.run(
        [sys.executable, "-c", PRELUDE + setup + textwrap.dedent(code)],
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()


FLAVOURS = pytest.mark.parametrize("flavour", ["native", "hosted-asyncio"])


@FLAVOURS
def test_a_fork_within_a_hook(flavour):
    """The child goes back into the loop; that ends, and takes nothing that is the parent's."""
    code = """
    def hook(protocol, data):
        if data != b"fork":
            return None
        protocol.pid = os.fork()
        if protocol.pid:
            reactor.callLater(0, lambda: say("child", wait(protocol.pid)))
            return b"parent"
        refusal(protocol.transport.write, b"child")
        return None if refusal(protocol.transport.loseConnection) else None

    def main():
        before = talk(port, b"1", b"fork", *[b"%d" % number for number in range(100)])
        assert before == [b"1", b"parent", *[b"%d" % number for number in range(100)]], before
        assert talk(port, b"2") == [b"2"]
        reactor.callFromThread(reactor.stop)

    parent = os.getpid()
    def write(self, data, original=Echo.dataReceived):
        try:
            original(self, data)
        except WrongProcessError:
            assert os.getpid() != parent
            raise
    Echo.dataReceived = write
    try:
        in_thread(main)
    except WrongProcessError as error:
        os._exit(7 if os.getpid() != parent and f"process {parent}" in str(error) else 8)
    say("parent")
    """
    assert run(code, flavour) == ["child 7", "parent"]


@FLAVOURS
def test_a_fork_while_another_thread_waits_in_the_reactor(flavour):
    code = """
    def main():
        assert talk(port, b"1") == [b"1"]
        open_before = set(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else set()
        child = os.fork()
        if not child:
            for function, *args in (
                (reactor.callFromThread, print), (reactor.callLater, 0, print), (reactor.wakeUp,), (reactor.run,),
                (reactor.disconnectAll,), (port.stopListening,), (reactor.iterate,), (reactor.getDelayedCalls,),
            ):
                assert f"process {parent}" in refusal(function, *args)
            assert not reactor.running
            gc.collect()
            os._exit(5)
        say("child", wait(child))
        assert talk(port, b"2", b"3") == [b"2", b"3"]
        reactor.callFromThread(reactor.stop)

    parent = os.getpid()
    in_thread(main)
    """
    assert run(code, flavour) == ["child 5"]


def test_the_child_may_have_a_reactor_of_its_own():
    code = """
    def child():
        assert _current.installed_reactor() is None
        from torsion.internet import reactor as other
        assert other is not reactor
        mine = other.listenTCP(0, Factory.forProtocol(Echo), interface="127.0.0.1")
        def main():
            assert talk(mine, b"child") == [b"child"]
            other.callFromThread(other.stop)
        thread = threading.Thread(target=main)
        other.callWhenRunning(thread.start)
        other.run()
        thread.join()
        os._exit(6)

    def main():
        assert talk(port, b"1") == [b"1"]
        reactor.callFromThread(reactor.stop)

    pid = os.fork()
    if not pid:
        child()
    say("child", wait(pid))
    in_thread(main)
    """
    assert run(code) == ["child 6"]


def test_the_child_gives_descriptors_and_signals_back():
    code = """
    def fork():
        pid = os.fork()
        if pid:
            say("child", wait(pid))
            reactor.stop()
            return
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
        assert signal.set_wakeup_fd(-1) == -1
        try:
            socket.create_server(("127.0.0.1", 0)).close()
            os.fstat(listening)
        except OSError:
            os._exit(9)
        os._exit(10)

    listening = port.fileno()
    reactor.callWhenRunning(fork)
    reactor.run()
    """
    assert run(code) == ["child 9"]


def test_the_peer_of_a_connection_is_told_nothing_by_the_child():
    code = """
    def main():
        with socket.create_connection(("127.0.0.1", port.getHost().port), timeout=20) as peer:
            peer.sendall(b"1")
            assert peer.recv(10) == b"1"
            pid = os.fork()
            if not pid:
                os._exit(0)
            wait(pid)
            peer.sendall(b"2")
            say(peer.recv(10).decode())
            reactor.callFromThread(reactor.stop)

    in_thread(main)
    """
    assert run(code) == ["2"]


def test_a_worker_adopts_the_port():
    """A descriptor that was duplicated before the fork is the child's to adopt."""
    code = """
    spare = os.dup(port.fileno())
    pid = os.fork()
    if not pid:
        from torsion.internet import reactor as other
        mine = other.adoptStreamPort(spare, socket.AF_INET, Factory.forProtocol(Echo))
        os.close(spare)
        other.callLater(10, os._exit, 9)
        def hook(protocol, data):
            other.callLater(0.01, os._exit, 8)
            return b"child"
        other.run()
    port.stopListening()
    os.close(spare)
    with socket.create_connection(("127.0.0.1", port.getHost().port), timeout=20) as peer:
        peer.sendall(b"x")
        say(peer.recv(10).decode())
    say("status", wait(pid))
    """
    assert run(code) == ["child", "status 8"]


def test_a_daemon_takes_its_reactor_along():
    """As ``IReactorDaemonize`` has it: the parent ends, and what listens goes on listening in the child."""
    code = """
    reactor.beforeDaemonize()
    pid = os.fork()
    if pid:
        status = wait(pid)
        say("daemon", status)
        os._exit(status)
    reactor.afterDaemonize()

    def main():
        assert talk(port, b"1", b"2") == [b"1", b"2"]
        again = os.fork()  # from here on, it is this process's
        if not again:
            os._exit(4 if refusal(reactor.callFromThread, print) else 5)
        say("its child", wait(again))
        reactor.callFromThread(reactor.stop)

    in_thread(main)
    """
    assert run(code) == ["its child 4", "daemon 0"]


def test_the_process_that_a_daemon_has_left_may_end_as_programs_do():
    """It must not take from the poller, which both know, what is the daemon's now."""
    code = """
    reactor.beforeDaemonize()
    ended, end = os.pipe()
    if os.fork():
        os.close(ended)
        sys.exit(0)
    reactor.afterDaemonize()
    os.close(end)
    os.read(ended, 1)  # nothing: it has gone

    def main():
        say(*talk(port, b"1"))
        reactor.callFromThread(reactor.stop)

    in_thread(main)
    """
    assert run(code) == ["b'1'"]


def test_the_thread_pool_begins_anew():
    code = """
    from torsion.python.threadpool import ThreadPool
    pool = ThreadPool(1, 3)
    pool.start()
    held, go_on, inside = threading.Event(), threading.Event(), threading.Event()
    pool.callInThread(lambda: (inside.set(), go_on.wait()))
    inside.wait()
    pid = os.fork()
    if not pid:
        assert pool.statistics()[2:6] == (0, 0, 0, 0), pool.statistics()
        pool.callInThread(held.set)
        assert held.wait(20)
        pool.stop()
        sys.exit(3)
    say("child", wait(pid))
    go_on.set()
    pool.stop()
    """
    assert run(code) == ["child 3"]


def test_a_call_in_a_thread_of_the_pool_may_fork():
    code = """
    from torsion.python.threadpool import ThreadPool
    def fork():
        pids.append(os.fork())
    pids = []
    pool = ThreadPool(0, 3)
    pool.start()
    forked, done = threading.Event(), threading.Event()
    pool.callInThreadWithCallback(lambda *_: forked.set() if pids[0] else pool.callInThread(os._exit, 2), fork)
    assert forked.wait(20)
    pool.callInThread(done.set)
    assert done.wait(20)
    say("child", wait(pids[0]))
    pool.stop()
    """
    assert run(code) == ["child 2"]


def test_claims_to_go_along():
    assert IReactorDaemonize.providedBy(NativeReactor())
