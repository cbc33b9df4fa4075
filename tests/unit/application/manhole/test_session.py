"""A prompt over its private socket, with the real reactor and the client that the command has."""

from __future__ import annotations

import json
import os
import queue
import re
import signal
import socket
import sys
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.harness import run_scenario, until
from torsion.application.localpeer import connectLocally
from torsion.application.localsocket import LocalSocketInUse, holdsPath, listenPrivately
from torsion.application.manhole import server, service, session
from torsion.application.manhole.client import Client, LeftError
from torsion.application.manhole.messages import LONGEST, encode
from torsion.application.manhole.namespace import names_of
from torsion.application.manhole.server import ManholeFactory
from torsion.application.manhole.service import ManholeService
from torsion.internet.defer import Deferred
from torsion.internet.reactors.native import NativeReactor
from torsion.internet.task import deferLater
from torsion.internet.testing import StringTransport
from torsion.internet.threads import deferToThreadPool

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there are no private sockets on Windows")


class Operator:
    """A client that keeps what it is shown."""

    def __init__(self, path):
        self.shown = []
        self.note = queue.Queue()
        self.client = Client(path, self._show)
        self.complete = self.client.complete
        self.close = self.client.close

    def _show(self, kind, text):
        self.shown.append((kind, text))
        if kind == "note":
            self.note.put(text)

    def run(self, source, final=False):
        """Run a block; return what came of it, and what was shown of each kind meanwhile."""
        del self.shown[:]
        answer = self.client.run(source, final)
        return answer, {
            kind: "".join(text for each, text in self.shown if each == kind) for kind, _ in dict.fromkeys(self.shown)
        }

    def says(self, source):
        """Run a block; return all that was shown meanwhile."""
        self.run(source, final=True)
        return "".join(text for _, text in self.shown)

    def start(self, source):
        """Run a block, and do not wait."""
        self.client._number += 1
        self.client._send({"do": "run", "id": self.client._number, "source": source, "final": True})

    def interrupt(self):
        self.client._send({"do": "interrupt", "id": self.client._number})

    def answer(self):
        return self.client._next()


class World:
    """A reactor with a manhole, and operators in threads."""

    def __init__(self, path):
        self.path = path
        self.reactor = NativeReactor()
        self.names = names_of(self.reactor) | {"wait": self.wait, "started": threading.Event()}
        self.started = self.names["started"]
        self.factory = ManholeFactory(self.reactor, lambda: dict(self.names))

    def wait(self, seconds, result=None):
        return deferLater(self.reactor, seconds, lambda: result)

    def play(self, *stories):
        """Have each of *stories* played in a thread by an operator of its own; return what they return."""

        def one(story):
            operator = Operator(self.path)
            try:
                return story(operator)
            finally:
                operator.close()

        return self.threads(*(lambda story=story: one(story) for story in stories))

    def threads(self, *functions):
        async def scenario():
            port = listenPrivately(self.reactor, self.path, self.factory)
            waiting = [
                deferToThreadPool(self.reactor, self.reactor.getThreadPool(), function) for function in functions
            ]
            try:
                return [await each for each in waiting]
            finally:
                await port.stopListening()

        return run_scenario(self.reactor, scenario)


@pytest.fixture
def world(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return World("manhole")


def play(world, story):
    [result] = world.play(story)
    return result


class TestTalk:
    def test_values_and_output(self, world):
        def story(operator):
            assert operator.client.welcome.startswith("torsion ")
            assert operator.run("1 + 1") == ({"is": "done", "id": 1, "ok": True, "leave": False}, {"value": "2\n"})
            assert operator.run("_ + 1")[1] == {"value": "3\n"}
            assert operator.run("None")[1] == {}
            assert operator.run("print('a', 'b')")[1] == {"out": "a b\n"}
            assert operator.run("import sys; sys.stderr.write('x')")[1] == {"err": "x", "value": "1\n"}
            assert operator.run("x = 5")[1] == {}
            assert operator.run("x\nx * 2", True)[1] == {"value": "5\n10\n"}
            assert operator.run("# nothing")[1] == {}
            assert operator.run("'\\ud800 é'")[1] == {"value": "'\\ud800 é'\n"}
            assert operator.run("print('\\ud800 é \\0')")[1] == {"out": "\ud800 é \0\n"}

        play(world, story)

    def test_blocks_of_several_lines(self, world):
        def story(operator):
            assert operator.run("for i in range(2):")[0]["is"] == "more"
            assert operator.run("for i in range(2):\n  i")[0]["is"] == "more"
            assert operator.run("for i in range(2):\n  i\n")[1] == {"value": "0\n1\n"}
            assert "was never closed" in operator.run("(", True)[1]["traceback"]

        play(world, story)

    def test_what_takes_time_is_waited_for(self, world):
        def story(operator):
            assert operator.says("wait(0, 7)") == "7\n"
            assert operator.says("_") == "7\n"
            assert operator.says("await wait(0, 8)") == "8\n"
            assert operator.says("for x in 1, 2: wait(0, x)\n") == "1\n2\n"
            assert operator.says("x = await wait(0, 9)\nprint(x)\nx") == "9\n9\n"
            assert operator.says("async def f():\n  await wait(0)\n  print('after')\n  return 3\n") == ""
            assert operator.says("await f()") == "after\n3\n"
            assert "await it" in operator.says("f()")
            assert operator.says("[await wait(0, y) for y in 'ab']") == "['a', 'b']\n"

        with pytest.warns(RuntimeWarning, match="never awaited"):
            play(world, story)

    def test_a_deferred_of_the_program_keeps_its_result(self, world):
        theirs: Deferred = Deferred()
        world.names["theirs"] = theirs
        world.names["later"] = lambda: world.reactor.callLater(0, theirs.callback, 5) and None
        play(world, lambda operator: operator.says("later()\ntheirs"))
        assert theirs.result == 5

    def test_errors(self, world):
        def story(operator):
            answer, shown = operator.run("1 / 0")
            assert answer["ok"] is False
            assert shown["traceback"].splitlines()[:2] == [
                "Traceback (most recent call last):",
                '  File "<manhole 1>", line 1, in <module>',
            ]
            told = operator.says("x y").splitlines()
            assert told[0] == '  File "<manhole 2>", line 1'
            assert "SyntaxError" in told[-1]
            operator.says("async def f():\n  await wait(0)\n  raise ValueError('wrong')")
            told = operator.says("await f()")
            assert re.fullmatch(
                r'Traceback \(most recent call last\):\n  File "<manhole 3>", line 1, in <module>\n(.*\n)*ValueError: wrong\n',
                told,
            ), told
            assert "torsion/application" not in told
            assert "ZeroDivisionError" in operator.says("wait(0).addCallback(lambda _: 1 / 0)")
            assert operator.says("1 / 0\nprint('not reached')").endswith("ZeroDivisionError: division by zero\n")
            assert operator.says("'still here'") == "'still here'\n"

        play(world, story)

    @pytest.mark.parametrize(
        ("source", "ok", "leave", "shown"),
        [
            ("raise SystemExit", True, True, ""),
            ("exit()", True, True, ""),
            ("quit('so long')", True, True, "so long"),
            ("await wait(0); exit()", True, True, ""),
            ("raise KeyboardInterrupt", False, False, "KeyboardInterrupt"),
            ("raise GeneratorExit", False, False, "GeneratorExit"),
            ("raise BaseException('odd')", False, False, "BaseException: odd"),
            ("await wait(0); raise KeyboardInterrupt", False, False, "KeyboardInterrupt"),
            ("wait(0).addCallback(lambda _: exit())", True, True, ""),
            ("def f(): return f()\nf()", False, False, "RecursionError"),
            ("'x' * 10 ** 6", True, False, "(1000000 characters)"),
            ("input()", False, False, "EOFError"),
            ("import os; os.fspath(exit)", False, False, "TypeError"),
            ("del __builtins__; x", False, False, "NameError"),
        ],
    )
    def test_nothing_ends_the_process(self, world, source, ok, leave, shown):
        def story(operator):
            answer, told = operator.run(source, True)
            assert (answer["ok"], answer["leave"]) == (ok, leave)
            assert shown in "".join(told.values())
            assert operator.says("1") == "1\n"

        play(world, story)

    def test_names(self, world):
        def story(operator):
            operator.says("thing = 'x'")
            assert operator.complete("thing.casef") == ["thing.casefold"]
            assert operator.complete("nothing.") == []
            assert "reactor.callLater" in operator.complete("reactor.call")

        play(world, story)

    def test_sessions_have_names_and_output_of_their_own(self, world, capsys):
        both = threading.Barrier(2)

        def one(operator, name):
            operator.says(f"mine = {name!r}")
            both.wait(10)
            told = operator.says("for _ in range(20):\n  print(mine)\n  await wait(0)\n")
            assert told == f"{name}\n" * 20

        world.play(lambda operator: one(operator, "a"), lambda operator: one(operator, "b"))
        assert capsys.readouterr().out == ""

    def test_output_from_threads(self, world):
        def story(operator):
            operator.says(
                "import contextvars, threading\n"
                "t = threading.Thread(target=contextvars.copy_context().run, args=(print, 'from a thread'))\n"
                "t.start(); t.join()"
            )
            operator.says("await wait(0)")
            return "".join(text for _, text in operator.shown)

        def both(operator):
            story(operator)
            return operator

        # It may come during either command.
        operator = play(world, both)
        assert operator is not None

    def test_too_many(self, world, monkeypatch):
        monkeypatch.setattr(server, "SESSIONS", 1)

        def story(operator):
            with pytest.raises(LeftError, match="1 sessions are open"):
                Operator(world.path)
            assert operator.says("1") == "1\n"

        play(world, story)

    def test_blocking_is_said(self, world):
        def story(operator):
            return operator.says("import time; time.sleep(0.55)"), operator.says("await wait(0.55)")

        blocked, waited = play(world, story)
        assert re.fullmatch(r"\[this blocked the whole process for 0\.\d s; .*deferToThread\]\n", blocked)
        assert waited == ""

    def test_the_process_hangs_up(self, world):
        def story(operator):
            world.reactor.callFromThread(world.factory.hangUp, "the process ends")
            with pytest.raises(LeftError, match="the process ends"):
                operator.answer()

        play(world, story)


class TestInterrupting:
    def test_what_is_waited_for_is_cancelled(self, world):
        def story(operator):
            for source in "wait(1000)", "await wait(1000)", "for _ in 1, 2: await wait(1000)\n":
                operator.start(f"started.set()\n{source}")
                assert world.started.wait(10)
                world.started.clear()
                operator.interrupt()
                answer = operator.answer()
                assert answer["ok"] is False
            assert "KeyboardInterrupt" in "".join(text for _, text in operator.shown)
            assert operator.says("1").endswith("1\n")

        play(world, story)

    @pytest.mark.parametrize(
        "source",
        [
            "while True: pass",
            "import time; time.sleep(1000)",
            "import select; select.select([], [], [])",
            "import itertools\nfor i in itertools.count(): x = str(i)\n",
            "await wait(0)\nwhile True: pass\n",
            "async def f():\n  await wait(0)\n  while True: pass\n\nawait f()",
        ],
    )
    def test_what_blocks_is_interrupted(self, world, source):
        def story(operator):
            operator.start(f"started.set()\n{source}")
            assert world.started.wait(10)
            operator.interrupt()
            answer = operator.answer()
            assert answer["ok"] is False
            assert "KeyboardInterrupt" in "".join(text for _, text in operator.shown)
            assert operator.says("1").endswith("1\n"), "the request is not heard twice"
            assert operator.says("await wait(0.01, 2)") == "2\n"

        before = signal.getsignal(signal.SIGURG)
        play(world, story)
        assert signal.getsignal(signal.SIGURG) is before

    def test_code_that_catches_it_is_interrupted_again(self, world):
        def story(operator):
            operator.start(
                "try:\n  started.set()\n  while True: pass\nexcept KeyboardInterrupt: pass\nstarted.set()\nwhile True: pass\n"
            )
            for _ in range(2):
                assert world.started.wait(10)
                world.started.clear()
                operator.interrupt()
            assert operator.answer()["ok"] is False
            assert operator.says("1").endswith("1\n")

        play(world, story)

    def test_what_will_not_end_is_left_alone(self, world):
        def story(operator):
            operator.says(
                "async def stubborn():\n  while not done:\n    started.set()\n    try: await wait(0.01)\n    except: pass\n  print('ended')\n"
            )
            operator.start("done = []\nawait stubborn()")
            assert world.started.wait(10)
            operator.interrupt()
            operator.interrupt()
            assert operator.answer()["ok"] is False
            assert "nobody waits" in operator.shown[-1][1]
            operator.says("done.append(1)\nawait wait(0.05)")
            return "".join(text for _, text in operator.shown)

        assert "ended" in play(world, story)

    @pytest.mark.parametrize("what", ["descriptor", "thread"])
    def test_where_nobody_can_listen_code_runs_all_the_same(self, world, monkeypatch, what):
        import torsion.application.manhole.interrupts as tested

        def refuse(*_):
            raise OSError(24, "too many open files") if what == "descriptor" else RuntimeError("can't start new thread")

        class Thread(threading.Thread):
            start = refuse

        def story(operator):
            if what == "descriptor":
                monkeypatch.setattr(tested, "os", type("os", (), {"dup": refuse}))
            else:
                monkeypatch.setattr(tested.threading, "Thread", Thread)
            return operator.says("1 + 1")

        before = len(os.listdir("/dev/fd"))
        assert play(world, story) == "2\n"
        assert len(os.listdir("/dev/fd")) <= before + 5  # a reactor's

    def test_nothing_runs(self, world):
        def story(operator):
            operator.interrupt()
            return operator.says("1")

        assert play(world, story) == "1\n"

    @pytest.mark.parametrize("source", ["await wait(1000)", "while True: pass", "while True: print('x' * 1000)"])
    def test_an_operator_who_goes(self, world, source):
        def story():
            connection = connectLocally(world.path)
            with connection.makefile("rb") as lines:
                lines.readline()
                connection.sendall(encode({"do": "run", "id": 1, "source": f"started.set()\n{source}", "final": True}))
                assert world.started.wait(10)
            connection.close()
            other = Operator(world.path)
            assert other.says("1") == "1\n"
            other.close()

        world.threads(story)
        assert not world.factory.sessions


class TestOutputWithoutEnd:
    def test_code_that_blocks_is_stopped(self, world, monkeypatch):
        monkeypatch.setattr(session, "UNREAD", 200_000)

        def story(operator):
            answer, shown = operator.run("while True: print('x' * 99)", True)
            assert answer["ok"] is False
            assert len(shown["out"]) == 200_000
            assert "more than 200000 characters of output wait to be read" in shown["note"]
            assert operator.says("1") == "1\n"

        play(world, story)

    def test_one_text_that_is_much_too_long(self, world):
        def story(operator):
            answer, shown = operator.run("print('x' * 50_000_000)")
            assert answer["ok"] is False
            assert len(shown["out"]) == session.UNREAD
            assert operator.run("import sys; sys.stdout.write('y' * 1000000) and None")[1] == {"out": "y" * 1_000_000}

        play(world, story)

    def test_what_nobody_waits_for_is_counted(self, world, monkeypatch):
        monkeypatch.setattr(session, "UNREAD", 100_000)

        def story(operator):
            operator.says("async def loud():\n  await wait(0.05)\n  print('x' * 150_001)\n")
            operator.says("from torsion.internet.defer import Deferred; background = Deferred.fromCoroutine(loud())")
            return operator.note.get(timeout=10)

        assert play(world, story) == "[50002 characters of output were not shown]\n"

    def test_code_that_waits_goes_on_when_it_is_read(self, world, monkeypatch):
        monkeypatch.setattr(session, "UNREAD", 100_000)

        def story():
            connection = connectLocally(world.path)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            source = "n = 0\nwhile n < 2000:\n  print('x' * 999)\n  n += 1\n  await wait(0)\n"
            with connection.makefile("rb") as lines:
                lines.readline()
                connection.sendall(encode({"do": "run", "id": 1, "source": source}))
                other = Operator(world.path)
                assert other.says("1") == "1\n", "the process goes on"
                [factory] = {each.factory for each in world.factory.sessions}
                kept = [each._kept for each in factory.sessions]
                other.close()
                assert max(kept) < 200_000
                shown = 0
                while (message := json.loads(lines.readline()))["is"] == "output":
                    assert message["kind"] == "out"
                    shown += len(message["text"])
                assert message == {"is": "done", "id": 1, "ok": True, "leave": False}
            connection.close()
            return shown

        assert world.threads(story) == [2_000_000]


class TestAnyBytes:
    """Whatever a client sends, the prompt answers or hangs up, and the next one is served."""

    messages = st.sampled_from(["run", "interrupt", "complete", "sing", None]).flatmap(
        lambda do: st.fixed_dictionaries(
            {"do": st.just(do)},
            optional={
                "id": st.integers() | st.text(),
                "source": st.text(alphabet="x1+() \n:if") | st.none(),
                "text": st.text() | st.integers(),
                "final": st.booleans() | st.integers(),
            },
        )
    )

    @settings(deadline=None)
    @given(st.lists(st.binary() | messages.map(encode), max_size=6), st.integers(1, 40))
    def test_it_survives(self, pieces, size):
        reactor = NativeReactor()
        factory = ManholeFactory(reactor)
        made = factory.buildProtocol(None)
        transport = StringTransport()
        made.makeConnection(transport)
        data = b"".join(pieces)
        for start in range(0, len(data), size):
            if not transport.disconnecting:
                made.dataReceived(data[start : start + size])
        for line in transport.value().splitlines():
            assert json.loads(line)["is"] in {"welcome", "output", "more", "done", "names", "refused"}
        made.connectionLost()
        assert not factory.sessions
        for call in reactor.getDelayedCalls():
            call.cancel()

    def test_a_line_too_long(self, world):
        def story():
            connection = connectLocally(world.path)
            with connection, connection.makefile("rb") as lines:
                lines.readline()
                try:
                    connection.sendall(b"x" * (LONGEST + 10))
                except OSError:  # it has hung up already
                    pass
                return lines.readline()

        assert b"bytes at most" in world.threads(story)[0]

    def test_two_commands_at_a_time(self, world):
        def story(operator):
            operator.start("await wait(1000)")
            operator.start("1")
            with pytest.raises(LeftError, match="a command is running"):
                operator.answer()

        play(world, story)


class TestService:
    def test_one_that_is_patient_listens_once_the_place_is_free(self, world, monkeypatch):
        monkeypatch.setattr(service, "AGAIN_SECONDS", 0.01)
        first = ManholeService(world.reactor, world.path)
        second = ManholeService(world.reactor, world.path, patient=True)

        async def scenario():
            first.startService()
            second.startService()
            await world.wait(0.05)
            assert second._port is None
            await first.stopService()
            await until(world.reactor, lambda: second._port is not None)
            third = ManholeService(world.reactor, world.path, patient=True)
            third.startService()
            await third.stopService()
            with pytest.raises(LocalSocketInUse):
                first.startService()
            await second.stopService()

        run_scenario(world.reactor, scenario)
        assert not os.path.exists(world.path)

    def test_a_place_that_is_taken_over(self, world):
        class Run:
            predecessor = os.getpid()
            service = None

        old, new = ManholeService(world.reactor, world.path), ManholeService(world.reactor, world.path, Run)

        async def scenario():
            old.startService()
            new.startService()
            assert new._port is None, "it is the predecessor's still"
            new.take()
            new.take()
            await old.stopService()
            assert holdsPath(new._port)
            await new.stopService()

        run_scenario(world.reactor, scenario)
        assert not os.path.exists(world.path)

    def test_a_successor_that_is_gone(self, world):
        old = ManholeService(world.reactor, world.path)

        async def scenario():
            old.startService()
            os.unlink(world.path)
            old.take()
            operator = await deferToThreadPool(world.reactor, world.reactor.getThreadPool(), Operator, world.path)
            operator.close()
            await old.stopService()

        run_scenario(world.reactor, scenario)


def test_descriptors_are_not_leaked(world):
    def story(operator):
        for _ in range(20):
            operator.says("1")

    play(world, story)
    before = len(os.listdir("/dev/fd"))
    play(World(world.path), story)
    assert len(os.listdir("/dev/fd")) <= before + 5  # another reactor's
