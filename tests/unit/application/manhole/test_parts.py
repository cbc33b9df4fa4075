"""The parts of a prompt that know nothing of each other: blocks, values, tracebacks, names, streams."""

from __future__ import annotations

import collections
import linecache
import sys
from contextlib import contextmanager
from contextvars import copy_context

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torsion.application.manhole import compiling, streams
from torsion.application.manhole.compiling import Blocks
from torsion.application.manhole.completing import NAMES_OFFERED, complete
from torsion.application.manhole.namespace import Leave, Rows, names_of
from torsion.application.manhole.showing import ITEMS_SHOWN, TEXT_SHOWN, show
from torsion.application.manhole.tracebacks import report


@pytest.fixture
def blocks():
    made = Blocks()
    yield made
    made.forget()


class TestBlocks:
    @pytest.mark.parametrize(
        ("source", "statements"),
        [
            ("1", 1),
            ("x = 1; y = 2", 1),
            ("x = 1\ny = 2\n", 2),
            ("# nothing", 1),
            ("if x:", None),
            ("if x:\n  pass", None),
            ("if x:\n  pass\n", 1),
            ("if x:\n  pass\n\ny", 2),
            ("(", None),
            ("(1,\n2)", 1),
            ("'''a", None),
            ("'''a\nb'''", 1),
            ("@f", None),
            ("x \\", None),
            ("await x", 1),
            ("async with x: pass\n", 1),
            ("[x async for x in y]", 1),
        ],
    )
    def test_is_it_complete(self, blocks, source, statements):
        codes = blocks.compile(source)
        assert (codes if codes is None else len(codes)) == statements

    @pytest.mark.parametrize("source", ["x y", "x = 1\ny z\n", ")", "return 1", "yield 1", "\tx\n  y", "\0", "é\ud800"])
    def test_what_is_no_python(self, blocks, source):
        with pytest.raises((SyntaxError, ValueError)):
            blocks.compile(source)

    @pytest.mark.parametrize("source", ["(", "if x:", "'''", "x \\"])
    def test_what_remains_incomplete(self, blocks, source):
        with pytest.raises(SyntaxError):
            blocks.compile(source, final=True)

    def test_a_final_block_needs_no_empty_line(self, blocks):
        assert len(blocks.compile("if x:\n  pass", final=True)) == 1
        assert blocks.compile("", final=True) == []

    def test_what_comes_from_the_future_stays(self, blocks):
        with pytest.raises(SyntaxError):
            blocks.compile("1 <> 2")
        for code in blocks.compile("from __future__ import barry_as_FLUFL"):
            exec(code)
        assert blocks.compile("1 <> 2")
        assert blocks.compile("1 <> 2\n3 <> 4\n")

    def test_the_source_is_there_for_tracebacks_and_goes(self, blocks):
        [code] = blocks.compile("x = (1,\n2)")
        assert linecache.getline(code.co_filename, 2) == "2)\n"
        blocks.forget()
        assert linecache.getline(code.co_filename, 2) == ""

    def test_old_sources_are_forgotten(self, blocks, monkeypatch):
        monkeypatch.setattr(compiling, "BLOCKS_KEPT", 2)
        names = [blocks.compile(f"x = {number}")[0].co_filename for number in range(4)]
        assert [bool(linecache.getline(name, 1)) for name in names] == [False, False, True, True]

    @given(st.text(), st.booleans())
    def test_no_text_hurts(self, source, final):
        made = Blocks()
        try:
            made.compile(source, final)
        except (SyntaxError, ValueError, OverflowError, MemoryError, RecursionError):
            pass
        finally:
            made.forget()

    def test_brackets_without_end(self, blocks):
        with pytest.raises((SyntaxError, MemoryError, RecursionError)):
            blocks.compile("(" * 100_000 + ")" * 100_000)


class Broken:
    def __repr__(self):
        raise ZeroDivisionError


class Long:
    def __repr__(self):
        return "x" * (TEXT_SHOWN + 5)


class Name(dict):
    """Its own repr is what counts."""

    def __repr__(self):
        return "mine"


Name.__name__ = "dict"


class TestShowing:
    @pytest.mark.parametrize(
        "value",
        [
            1,
            -(10**100),
            1.5,
            "text",
            b"bytes",
            bytearray(b"x"),
            [],
            [1, [2, [3]]],
            (1,),
            (),
            {1: 2, "a": [3]},
            {3, 1},
            set(),
            frozenset({1}),
            frozenset(),
            range(3),
            collections.deque([1]),
            None,
            True,
            list,
            Name(),
            {"b": 1, "a": 2},
        ],
    )
    def test_as_python_does(self, value):
        assert show(value) == repr(value)

    def test_what_is_too_long(self):
        assert show("x" * (TEXT_SHOWN + 1)) == "'" + "x" * TEXT_SHOWN + "'... (20001 characters)"
        assert len(show(["x" * TEXT_SHOWN] * 100)) < 2 * TEXT_SHOWN
        assert show(b"x" * (TEXT_SHOWN + 1)).endswith("... (20001 bytes)")
        assert show(Long()) == "x" * TEXT_SHOWN + "... (20005 characters)"
        assert show([0] * 10_000).endswith(", ...]")
        assert len(show([[[0] * 1000] * 1000] * 1000)) < 10 * ITEMS_SHOWN
        assert show(1 << 100_000) == "<int of 100001 bits>"

    def test_what_is_without_end(self):
        own: list = []
        own.append(own)
        assert show(own) == repr(own)
        twice: list = []
        assert show([twice, twice]) == "[[], []]"
        deep: list = []
        for _ in range(100_000):
            deep = [deep]
        assert len(show(deep)) < 200

    def test_a_repr_that_raises(self):
        assert "whose repr raised ZeroDivisionError" in show(Broken())
        assert "whose repr raised ZeroDivisionError" in show([Broken()])


class TestTracebacks:
    def test_a_traceback_begins_in_the_operator_s_line(self, blocks):
        [code] = blocks.compile("def f(): return 1 / 0\n")
        names: dict = {}
        exec(code, names)
        try:
            exec(blocks.compile("f()")[0], names)
        except ZeroDivisionError as problem:
            problem.__traceback__ = problem.__traceback__.tb_next
            told = report(problem)
        lines = told.splitlines()
        assert lines[1] == '  File "<manhole 2>", line 1, in <module>'
        assert "    def f(): return 1 / 0" in lines
        assert lines[-1] == "ZeroDivisionError: division by zero"

    def test_a_syntax_error_has_no_frames(self, blocks):
        try:
            blocks.compile("x y")
        except SyntaxError as problem:
            told = report(problem, frames=False)
        assert told.splitlines()[0] == '  File "<manhole 1>", line 1'
        assert "Traceback" not in told

    def test_one_that_is_too_long(self):
        told = report(ValueError("begin" + "x" * 10 * TEXT_SHOWN + "end"))
        assert len(told) < TEXT_SHOWN + 100
        assert told.startswith("ValueError: begin")
        assert told.endswith("end\n")

    def test_one_that_cannot_be_printed(self):
        class Odd(Exception):
            @property
            def __notes__(self):
                raise ZeroDivisionError

        assert "Odd" in report(Odd())


class Things:
    alpha = 1
    also = 2
    _hidden = 3

    @property
    def angry(self):
        raise RuntimeError


NAMES = {"things": Things(), "other": {}, "thing": 1, "_private": 2}


class TestCompleting:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("thin", ["thing", "things"]),
            ("_pr", ["_private"]),
            ("things.a", ["things.alpha", "things.also", "things.angry"]),
            ("things.", ["things.alpha", "things.also", "things.angry"]),
            ("things._h", ["things._hidden"]),
            ("things.alpha.bit_l", ["things.alpha.bit_length"]),
            ("things.angry.x", []),
            ("nothing.x", []),
            ("whil", ["while"]),
            ("isinst", ["isinstance"]),
            ("str.casef", ["str.casefold"]),
            ("f(x).", []),
            ("things[0].", []),
            ("things..", []),
        ],
    )
    def test_names(self, text, expected):
        assert complete(text, NAMES) == expected

    def test_not_too_many(self):
        many = {f"name{number}": None for number in range(2 * NAMES_OFFERED)}
        assert len(complete("name", many)) == NAMES_OFFERED

    def test_a_dir_that_raises(self):
        class Odd:
            def __dir__(self):
                raise ZeroDivisionError

        assert complete("odd.", {"odd": Odd()}) == []

    @given(st.text())
    def test_no_text_hurts(self, text):
        assert all(isinstance(name, str) for name in complete(text, NAMES))


def of(stream, method):
    """Call a method of a stream as it is by then."""
    return getattr(getattr(sys, stream), method)()


class Prompt:
    def __init__(self):
        self.shown = []

    def emit(self, kind, text):
        self.shown.append((kind, text))

    def display(self, value):
        self.shown.append(("value", value))


class TestStreams:
    @pytest.fixture
    def prompt(self):
        return Prompt()

    @contextmanager
    def attached(self):
        # Not in a fixture: pytest puts its own streams there after those.
        streams.attach()
        try:
            yield
        finally:
            streams.detach()

    def within(self, prompt, function, *args):
        context = copy_context()
        context.run(streams.CURRENT.set, prompt)
        with self.attached():
            return context.run(function, *args)

    def test_output_goes_to_whose_it_is(self, prompt, capsys):
        other = Prompt()
        self.within(prompt, print, "mine")
        self.within(other, print, "another's", 5)
        self.within(prompt, lambda: sys.stderr.write("wrong\n"))
        self.within(prompt, lambda: sys.displayhook(5))
        with self.attached():
            sys.stdout.write("nobody's\n")
            sys.stderr.writelines(["a", "b"])
        assert "".join(text for kind, text in prompt.shown if kind == "out") == "mine\n"
        assert "".join(text for kind, text in prompt.shown if kind == "err") == "wrong\n"
        assert prompt.shown[-1] == ("value", 5)
        assert "".join(text for _, text in other.shown) == "another's 5\n"
        assert capsys.readouterr() == ("nobody's\n", "ab")

    def test_input_is_at_its_end(self, prompt):
        with pytest.raises(EOFError):
            self.within(prompt, input, "what? ")
        assert self.within(prompt, of, "stdin", "read") == ""
        assert self.within(prompt, of, "stdin", "isatty") is False
        with pytest.raises(OSError, match="fileno"):
            self.within(prompt, of, "stdin", "fileno")

    def test_output_is_no_terminal(self, prompt):
        assert self.within(prompt, of, "stdout", "isatty") is False
        with pytest.raises(OSError, match="fileno"):
            self.within(prompt, of, "stdout", "fileno")
        with pytest.raises(TypeError, match="not bytes"):
            self.within(prompt, lambda: sys.stdout.write(b"x"))
        self.within(prompt, of, "stdout", "close")
        self.within(prompt, of, "stdout", "flush")
        assert not sys.stdout.closed

    def test_all_is_as_before_at_the_end(self):
        before = sys.stdout, sys.stderr, sys.stdin, sys.displayhook
        streams.attach()
        streams.attach()
        streams.detach()
        assert sys.stdout is not before[0]
        held = sys.stdout
        streams.detach()
        assert before == (sys.stdout, sys.stderr, sys.stdin, sys.displayhook)
        assert held.encoding == before[0].encoding

    def test_what_others_have_put_there_stays(self, monkeypatch):
        import io

        monkeypatch.setattr(sys, "stdout", sys.stdout)
        streams.attach()
        mine = sys.stdout = io.StringIO()
        streams.detach()
        assert sys.stdout is mine

    def test_a_process_without_streams(self, monkeypatch):
        for name in ("stdout", "stderr", "stdin"):
            monkeypatch.setattr(sys, name, None)
        with self.attached():
            sys.stdout.write("nowhere")
            sys.stdout.flush()
            assert (sys.stdin.read(), sys.stdout.isatty(), sys.stdout.closed) == ("", False, False)


class TestNames:
    def test_services_by_their_names(self):
        from torsion.application.service import MultiService, Service

        root, inner = MultiService(), MultiService()
        named, odd, taken = Service(), Service(), Service()
        for service, name in ((named, "mail"), (odd, "not a name"), (taken, "reactor"), (inner, "inner")):
            service.setName(name)
        inner.setServiceParent(root)
        for service in (named, odd, taken):
            service.setServiceParent(inner)

        class Run:
            service = root

        reactor = object()
        names = names_of(reactor, Run)
        assert names["mail"] is named
        assert names["inner"] is inner
        assert names["reactor"] is reactor
        assert names["service"] is root
        assert {"run", "exit", "quit", "connections", "listeners"} <= set(names)
        with pytest.raises(LookupError, match="object does not keep account of its connections"):
            names["connections"]()

    def test_leaving(self):
        with pytest.raises(SystemExit):
            Leave()()
        assert "run.stop()" in repr(Leave())

    def test_connections_and_listeners_are_tables(self):
        from torsion.internet.protocol import Factory
        from torsion.internet.reactors.memory import MemoryReactor
        from torsion.protocols.wire import Echo

        reactor = MemoryReactor()
        reactor.listenTCP(7000, Factory.forProtocol(Echo))
        names = names_of(reactor)
        assert repr(names["connections"]()).split() == ["KIND", "PEER", "PROTOCOL", "AGE", "READ", "WRITTEN", "OUTBOX"]
        assert repr(names["listeners"]()).splitlines()[1].split() == ["TCP", "0.0.0.0:7000", "Factory", "0", "0"]

    def test_a_long_table(self):
        class Numbers(Rows):
            heading = ("NUMBER",)

        lines = repr(Numbers(range(1000))).splitlines()
        assert len(lines) == 202
        assert lines[-1] == "... and 800 more"
