"""Helpers of all sorts."""

from __future__ import annotations

import errno
import functools
import io
import os
import subprocess
import sys
import warnings
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torsion.python import util

# --- mixins -----------------------------------------------------------------------------------------------------------


class Point(util.FancyEqMixin, util.FancyStrMixin):
    compareAttributes = ("x", "y")
    showAttributes = ("x", ("y", lambda value: f"<{value}>"), ("x", "ex", "%.2f"))

    def __init__(self, x, y):
        self.x, self.y = x, y


class Pixel(Point):
    fancybasename = "px"


class Other(util.FancyEqMixin):
    compareAttributes = ("x", "y")
    x = y = 1


def test_equal_by_attributes():
    assert Point(1, 2) == Point(1, 2) == Pixel(1, 2)
    assert Pixel(1, 2) == Point(1, 2)
    assert Point(1, 2) != Point(2, 2)
    assert Point(1, 1) != Other()
    assert Point(1, 2) != 7
    assert hash(Point(1, 2)) == hash(Point(1, 2))
    plain = util.FancyEqMixin()
    assert plain == plain
    assert plain != util.FancyEqMixin()
    assert hash(plain) == hash(plain)


def test_shown_by_attributes():
    assert str(Point(1, 2)) == repr(Point(1, 2)) == "<Point x=1 y=<2> ex=1.00>"
    assert str(Pixel(1, 2)).startswith("<px x=1 ")


# --- dictionaries -----------------------------------------------------------------------------------------------------


def test_case_does_not_count():
    made = util.InsensitiveDict({"Foo": 1, b"Bar": 2, 3: 4})
    assert (made["FOO"], made[b"bar"], made[3], made.get("nothing", 5)) == (1, 2, 4, 5)
    assert "foo" in made
    assert made.has_key("fOO")
    assert made.keys() == ["Foo", b"Bar", 3]
    assert made.values() == [1, 2, 4]
    assert made.items() == list(made.iteritems()) == [("Foo", 1), (b"Bar", 2), (3, 4)]
    assert list(made) == list(made.iterkeys()) == made.keys()
    assert list(made.itervalues()) == made.values()
    assert made == {"foo": 1, b"BAR": 2, 3: 4}
    assert made.copy() == made
    assert made != 7
    assert repr(made) == "InsensitiveDict({'Foo': 1, b'Bar': 2, 3: 4})"
    del made["fOo"]
    assert len(made) == 2
    with pytest.raises(KeyError):
        made["foo"]
    with pytest.raises(TypeError):
        hash(made)


def test_keys_are_kept_as_they_were_set_last_or_in_lower_case():
    made = util.InsensitiveDict({"a": 1})
    made["A"] = 2
    assert made.items() == [("A", 2)]
    assert util.InsensitiveDict({"A": 1, b"B": 2}, preserve=False).keys() == ["a", b"b"]


# --- functions --------------------------------------------------------------------------------------------------------


def test_until_it_is_not_interrupted():
    outcomes = [OSError(errno.EINTR, ""), InterruptedError(errno.EINTR, ""), 3]

    def f(*args, **kwargs):
        outcome = outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome, args, kwargs

    assert util.untilConcludes(f, 1, a=2) == (3, (1,), {"a": 2})
    outcomes.append(OSError(errno.EIO, "real"))
    with pytest.raises(OSError, match="real"):
        util.untilConcludes(f)


def test_metadata_are_merged():
    def f():
        """F's."""

    def g():
        """G's."""
        return "g"

    f.a, g.a, g.b = 1, 2, 3
    assert util.mergeFunctionMetadata(f, g) is g
    assert (g.__name__, g.__doc__, g.__module__, g.a, g.b, g()) == ("f", "F's.", __name__, 1, 3, "g")
    assert util.mergeFunctionMetadata(functools.partial(f), g) is g
    assert util.mergeFunctionMetadata(f, len) is len


def test_raises():
    assert util.raises(ZeroDivisionError, divmod, 1, 0)
    assert not util.raises(ZeroDivisionError, divmod, 0, 1)
    with pytest.raises(ZeroDivisionError):
        util.raises(TypeError, divmod, 1, 0)


def test_warnings_are_suppressed_for_a_while():
    filters = [(("ignore", ".*foo.*"), {}), ((), {"action": "ignore", "message": "bar"})]
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        for text in ("a foo", "bar", "else"):
            util.runWithWarningsSuppressed(filters, warnings.warn, text)
        warnings.warn("a foo", stacklevel=1)
    assert [str(each.message) for each in seen] == ["else", "a foo"]
    assert util.runWithWarningsSuppressed([], lambda x, y: (x, y), 1, y=2) == (1, 2)


def test_calls_are_spewed(capsys):
    class Called:
        def method(self):
            return plain()

    def plain():
        return 1

    before = sys.gettrace()
    sys.settrace(util.spewer)
    try:
        Called().method()
    finally:
        sys.settrace(before)
    text = capsys.readouterr().err
    assert "Called.method of 0x" in text
    assert f"method plain at {__file__}" in text


# --- lists ------------------------------------------------------------------------------------------------------------


def test_lists():
    assert util.uniquify(["a", 1, "a", 2, 1]) == ["a", 1, 2]
    assert util.padTo(3, [1]) == [1, None, None]
    assert util.padTo(2, (1, 2), "x") == [1, 2]
    with pytest.raises(ValueError, match="more than 1"):
        util.padTo(1, [1, 2])


def test_intervals_side_by_side():
    assert list(islice(util.IntervalDifferential([5, 7], 10), 12)) == [
        (5, 0), (2, 1), (3, 0), (4, 1), (1, 0), (5, 0), (1, 1), (4, 0), (3, 1), (2, 0), (5, 0), (0, 1),
    ]  # fmt: skip
    assert list(islice(util.IntervalDifferential([], 10), 2)) == [(10, None), (10, None)]


@given(st.lists(st.integers(1, 9), min_size=1, max_size=4))
def test_every_interval_ends_when_it_should(intervals):
    now, ends = 0, [0] * len(intervals)
    for delay, index in islice(util.IntervalDifferential(intervals), 50):
        now += delay
        ends[index] += intervals[index]
        assert ends[index] == now


def test_the_last_lines():
    log = util.LineLog(2)
    assert bytes(log) == b""
    for line in (b"a", b"b", b"c"):
        log.append(line)
    assert (log.str(), log[0], log[-1], log.log) == (b"b\nc", b"b", b"c", [b"b", b"c"])
    log.clear()
    assert log.str() == b""
    with pytest.raises(ValueError, match="at least one line"):
        util.LineLog(0)


# --- text -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "label"), [("f", "F"), ("foo", "Foo"), ("fooBarBaz", "Foo Bar Baz"), ("", ""), ("aHTTP", "A H T T P")]
)
def test_labels(name, label):
    assert util.nameToLabel(name) == label


def test_bars(capsys):
    bar = util.makeStatBar(10, 100)
    assert [bar(each) for each in (0, 50, 100, 1000, -1)] == [
        "[>-------]", "[===>----]", "[=======>]", "[=======>]", "[>-------]",
    ]  # fmt: skip
    assert util.makeStatBar(5, 0, "#", ".", "*")(0) == "[##*]"
    util.println("a", 1)
    assert capsys.readouterr().out == "a 1\n"
    assert util.str_xor(b"ab", 1) == b"`c"


def test_files(tmp_path):
    assert util.sibpath(str(tmp_path / "a.py"), "b") == str(tmp_path / "b")
    assert util.sibpath(os.fsencode(tmp_path / "a.py"), b"b") == os.fsencode(tmp_path / "b")
    (tmp_path / "x" / "y" / "marks").mkdir(parents=True)
    (tmp_path / "marker.torsion").touch()
    (tmp_path / "marks").mkdir()
    start = str(tmp_path / "x" / "y")
    assert util.searchupwards(start, files=["marker.torsion"], dirs=["marks"]) == str(tmp_path) + os.sep
    assert util.searchupwards(start, dirs=["marks"]) == start + os.sep
    assert util.searchupwards(start, files=["no such file anywhere"]) is None


# --- users ------------------------------------------------------------------------------------------------------------

posix = pytest.mark.skipif(os.name != "posix", reason="users have no numbers there")


@posix
def test_numbers_of_users_and_groups():
    import grp
    import pwd

    user, group = pwd.getpwuid(os.getuid()), grp.getgrgid(os.getgid())
    assert util.uidFromString("100") == util.gidFromString("100") == 100
    assert util.uidFromString(user.pw_name) == user.pw_uid
    assert util.gidFromString(group.gr_name) == group.gr_gid
    for ask in (util.uidFromString, util.gidFromString):
        with pytest.raises(KeyError):
            ask("nobody of this name")
    assert util.getgroups() == os.getgroups()


@pytest.fixture
def system(monkeypatch):
    """Have the process's user and group be pretended."""

    class System:
        uid = euid = egid = 0
        calls: list[tuple] = []  # noqa: RUF012 - replaced below

    made = System()
    made.calls = []

    def record(name, attribute=None):
        def called(*args):
            made.calls.append((name, *args))
            if attribute:
                setattr(made, attribute, args[0])

        monkeypatch.setattr(os, name, called)

    record("setuid", "uid")
    record("seteuid", "euid")
    record("setegid", "egid")
    record("initgroups")
    monkeypatch.setattr(os, "getuid", lambda: made.uid)
    monkeypatch.setattr(os, "geteuid", lambda: made.euid)
    monkeypatch.setattr(os, "getegid", lambda: made.egid)
    return made


@posix
def test_becoming_another_user(system):
    import pwd

    other = next(each for each in pwd.getpwall() if each.pw_uid != 0)
    util.switchUID(other.pw_uid, 7)
    assert system.calls == [("initgroups", other.pw_name, 7), ("setuid", other.pw_uid)]
    system.calls.clear()
    util.switchUID(other.pw_uid, None, euid=True)
    assert system.calls == [("initgroups", other.pw_name, other.pw_gid), ("seteuid", other.pw_uid)]
    system.calls.clear()
    with pytest.warns(UserWarning, match=f"setuid {other.pw_uid} but uid is already {other.pw_uid}"):
        util.switchUID(other.pw_uid, None)
    with pytest.warns(UserWarning, match="seteuid .* but euid is already"):
        util.switchUID(other.pw_uid, None, euid=True)
    assert system.calls == []


@posix
@pytest.mark.parametrize("uid", [0, 1])
@pytest.mark.parametrize("gid", [0, 1])
@pytest.mark.parametrize("euid", [0, 1, 2])
@pytest.mark.parametrize("egid", [0, 1, 2])
def test_running_as_another_user(system, uid, gid, euid, egid):
    system.euid, system.egid = uid, gid
    regid = os.setegid

    def only_root(group):
        assert system.euid == 0
        regid(group)

    os.setegid = only_root

    def function(*args):
        assert (system.euid, system.egid) == (euid, egid)
        if args:
            raise LookupError
        return "done"

    assert util.runAsEffectiveUser(euid, egid, function) == "done"
    assert (system.euid, system.egid) == (uid, gid)
    with pytest.raises(LookupError):
        util.runAsEffectiveUser(euid, egid, function, 1)
    assert (system.euid, system.egid) == (uid, gid)


# --- passwords --------------------------------------------------------------------------------------------------------


def test_a_password_from_a_pipe():
    script = "import sys\nfrom torsion.python.util import getPassword\nsys.stdout.write(repr(getPassword()))"
    run = subprocess.run(
        [sys.executable, "-c", script], input="se cret \r\nmore\n", capture_output=True, text=True, check=True
    )
    assert run.stdout == repr("se cret ")


def test_a_password_typed_twice(monkeypatch, capsys):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    asked, answers = [], iter(["one", "two", "same", "same"])
    monkeypatch.setattr(sys, "stdin", Terminal())
    monkeypatch.setattr("getpass.getpass", lambda prompt: asked.append(prompt) or next(answers))
    assert util.getPassword(confirm=True, confirmPrompt="Again: ", mismatchMessage="No.") == "same"
    assert asked == ["Password: ", "Again: "] * 2
    assert capsys.readouterr().out == "No.\n"


def test_a_password_needs_a_terminal():
    script = "from torsion.python.util import getPassword\ntry:\n    getPassword(forceTTY=True)\nexcept RuntimeError as e:\n    print(e)"
    run = subprocess.run(
        [sys.executable, "-c", script], input="", capture_output=True, text=True, check=True, start_new_session=True
    )
    assert "Cannot obtain a TTY" in run.stdout
