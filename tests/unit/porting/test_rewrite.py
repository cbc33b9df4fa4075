"""Modules moved from Twisted to torsion."""

from __future__ import annotations

import ast
import sys
from textwrap import dedent

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from torsion.porting import Available, Unportable, port

AVAILABLE = Available()


def ported(text: str) -> str:
    return port(dedent(text).encode(), AVAILABLE).data.decode()


def lacking(text: str) -> list[tuple[str, int]]:
    return list(port(dedent(text).encode(), AVAILABLE).lacking)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("from twisted.internet import defer\n", "from torsion.internet import defer\n"),
        ("from twisted.internet import defer", "from torsion.internet import defer"),
        ("from twisted.internet.defer import *\n", "from torsion.internet.defer import *\n"),
        ("from twisted import internet\n", "from torsion import internet\n"),
        ("from\ttwisted.internet  import ( defer )  # so\n", "from\ttorsion.internet  import ( defer )  # so\n"),
        ("from \\\n  twisted.python import log\n", "from \\\n  torsion.python import log\n"),
        ("import twisted.internet.reactor as r\n", "import torsion.internet.reactor as r\n"),
        ("import os, twisted as t ; x = t\n", "import os, torsion as t ; x = t\n"),
        ("import twisted.internet.defer\n", "import torsion.internet.defer\n"),
        ("if True:\n\tfrom twisted.python import log\n", "if True:\n\tfrom torsion.python import log\n"),
        # Some modules are called otherwise.
        ("from twisted.test.proto_helpers import StringTransport\n", "from torsion.internet.testing import StringTransport\n"),
        (
            "from twisted . test.proto_helpers import StringTransport as S, nought\n",
            "from torsion.internet.testing import StringTransport as S\nfrom twisted.test.proto_helpers import nought\n",
        ),
        (
            "from twisted.test.proto_helpers import (\n    nought,\n    StringTransport,\n)\n",
            "from torsion.internet.testing import (\n    StringTransport,\n)\nfrom twisted.test.proto_helpers import (\n    nought,\n)\n",
        ),
        (
            "from twisted.test import proto_helpers as p; p.StringIO\n",
            "from torsion.internet import testing as p; p.StringIO\n",
        ),
        ("from twisted.test import proto_helpers  # x\n", "from torsion.internet import testing as proto_helpers  # x\n"),
        ("from twisted.test import proto_helpers, iosim\n", "from twisted.test import proto_helpers, iosim\n"),
        ("from twisted.test import (proto_helpers)\n", "from twisted.test import (proto_helpers)\n"),
        # What torsion lacks goes on coming from Twisted.
        ("from twisted.pair import rawudp\n", "from twisted.pair import rawudp\n"),
        ("import twisted.pair.rawudp as h\n", "import twisted.pair.rawudp as h\n"),
        (
            "from twisted.internet import defer, nought as n, task as t  # noqa: F401\n",
            "from torsion.internet import defer, task as t  # noqa: F401\nfrom twisted.internet import nought as n  # noqa: F401\n",
        ),
        ("from twisted.internet import nought, defer # why", "from torsion.internet import defer # why\nfrom twisted.internet import nought"),
        ("if 1: from twisted.internet import defer, nought\n", "if 1: from torsion.internet import defer; from twisted.internet import nought\n"),
        ("from twisted.internet import defer, nought; x = 1\n", "from torsion.internet import defer; from twisted.internet import nought; x = 1\n"),
        ("from twisted.internet import defer, \\\n    nought\n", "from torsion.internet import defer\nfrom twisted.internet import nought\n"),
    ],
)  # fmt: skip
def test_import_statements(before: str, after: str) -> None:
    assert ported(before) == after
    assert ported(after) == after


def test_lines_in_brackets_keep_their_layout_and_their_comments() -> None:
    before = """\
        from twisted.internet.defer import (
            # First:
            Deferred,  # a
            nought,  # b
            inlineCallbacks as i,
            nothing # c
        )  # noqa: F401
    """
    after = """\
        from torsion.internet.defer import (
            # First:
            Deferred,  # a
            inlineCallbacks as i,
        )  # noqa: F401
        from twisted.internet.defer import (
            nought,  # b
            nothing,  # c
        )  # noqa: F401
    """
    assert ported(before) == dedent(after)


def test_several_names_in_one_of_several_lines() -> None:
    before = "from twisted.internet.defer import (Deferred, nought, # a\n  # b\n  nothing\n  , succeed)\n"
    after = "from torsion.internet.defer import (Deferred, # a\n  # b\n  \n   succeed)\nfrom twisted.internet.defer import nought, nothing\n"
    assert ported(before) == after


def test_dotted_names_go_with_their_import() -> None:
    before = """\
        import twisted.internet.defer, twisted.internet.error as e
        from typing import TYPE_CHECKING, Literal
        if TYPE_CHECKING:
            from twisted.python.failure import Failure

        class D(twisted.internet.defer.Deferred):
            x: "twisted.internet.defer.Deferred[Failure]" = twisted.internet.defer.succeed(1)
            y: Literal["twisted.internet.defer.Deferred"]

        def f(a, b):  # type: (int, twisted.internet.defer.Deferred) -> None
            z = []  # type: ignore  # twisted.internet.defer.Deferred
            return foo.twisted.internet.defer, D().twisted
    """
    after = dedent(before).replace("twisted.", "torsion.")
    for kept in ('Literal["twisted.', "ignore  # twisted.", "foo.twisted."):
        after = after.replace(kept.replace("twisted", "torsion"), kept)
    assert ported(before) == after


def test_a_module_of_which_one_name_is_lacking_is_imported_from_both() -> None:
    before = "import twisted.internet.defer\nx = twisted.internet.defer.succeed(twisted.internet.defer.nought)\n"
    after = (
        "import torsion.internet.defer, twisted.internet.defer\n"
        "x = torsion.internet.defer.succeed(twisted.internet.defer.nought)\n"
    )
    assert ported(before) == after
    assert ported(after) == after
    assert lacking(before) == lacking(after) == [("twisted.internet.defer.nought", 2)]


def test_the_package_s_version_is_not_torsion_s() -> None:
    text = "import twisted\nprint(twisted.__version__)\n"
    assert ported(text) == text
    assert lacking(text) == [("twisted.__version__", 2)]


@pytest.mark.parametrize(
    ("text", "remark"),
    [
        ("import twisted.internet.defer\nprint(twisted)\n", ("the package is used as an object", 2)),
        (
            "import twisted.pair.rawudp\ntwisted.internet.defer.succeed(1)\n",
            ("twisted.internet.defer.succeed is not imported here", 2),
        ),
        (
            "import twisted.internet.defer\ntwisted = 1\n",
            ("twisted is also the name of something else here", 1),
        ),
        (
            "import twisted.internet.defer\ndef f(torsion): return twisted.internet.defer\n",
            ("torsion is also the name of something else here", 1),
        ),
    ],
)
def test_what_nobody_can_tell_is_left_and_remarked_on(text: str, remark: tuple[str, int]) -> None:
    done = port(text.encode(), AVAILABLE)
    assert done.data == text.encode()
    assert done.remarks == (remark,)


def test_names_that_are_lacking_are_found_wherever_they_are_used() -> None:
    text = """\
        from twisted.internet import defer as d, task, nought
        import twisted.pair.rawudp as http, twisted.internet.error as e
        from twisted.python.gone import *
        from twisted.internet.defer import _private
        d.nothing, d.Deferred.whatever, http.Request, e.Nonesuch, d.__doc__
        def f(task): return task.anything
    """
    assert lacking(text) == [
        ("twisted.internet.nought", 1),
        ("twisted.pair.rawudp", 2),
        ("twisted.python.gone", 3),
        ("twisted.internet.defer._private", 4),
        ("twisted.internet.defer.nothing", 5),
        ("twisted.internet.error.Nonesuch", 5),
    ]


def test_names_that_are_lacking_of_a_module_that_is_called_otherwise() -> None:
    text = "from twisted.test import proto_helpers\nproto_helpers.StringTransport, proto_helpers.nought\n"
    assert lacking(text) == [("twisted.internet.testing.nought", 2)]


def test_names_that_are_lacking_are_found_in_ported_modules_too() -> None:
    text = "from torsion.internet import defer\nfrom torsion.internet._current import _here\ndefer.nothing\n"
    assert lacking(text) == [("twisted.internet.defer.nothing", 3)]


def test_a_reactor_s_methods_are_nobody_s_business() -> None:
    text = "from twisted.internet import reactor\nreactor.anything\nfrom twisted.internet.reactor import callLater\n"
    assert lacking(text) == []
    assert ported(text) == text.replace("twisted", "torsion")


def test_texts_are_told_and_stay() -> None:
    text = 'x = namedAny("twisted.internet.defer.Deferred"), "twisted.example", "see twisted.internet"\n'
    done = port(text.encode(), AVAILABLE)
    assert done.data == text.encode()
    assert done.strings == (("twisted.internet.defer.Deferred", 1),)


def test_within_f_strings() -> None:
    text = 'import twisted.internet.defer\nx = f"{twisted.internet.defer.succeed(1)}"\n'
    assert ported(text) == text.replace("twisted", "torsion")


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1", "iso-8859-15"])
def test_line_ends_and_encodings_stay(newline: str, encoding: str) -> None:
    lines = [
        f"# coding: {encoding.removesuffix('-sig')}",
        "é = 'ü' ; import twisted.internet.task ; ö = twisted.internet.task.Clock",
        "from twisted.internet import (",
        "    defer,  # é",
        "    nought,",
        ")",
        "",
    ]
    before = newline.join(lines).encode(encoding)
    expected = [each.replace("twisted.internet", "torsion.internet") for each in lines]
    expected[4:] = [")", "from twisted.internet import (", "    nought,", ")", ""]
    assert port(before, AVAILABLE).data == newline.join(expected).encode(encoding)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"import twisted\nprint 'x'\n", r"is no Python that this interpreter reads: .*, line 2"),
        (b"import twisted\n'\xff'\n", "cannot be decoded"),
        (b"# coding: nonesuch\nimport twisted\n", "cannot be decoded: .*nonesuch"),
        (b"import twisted\n\0\n", "is no Python that this interpreter reads: .*null bytes(, line 2)?$"),
        (b"import twisted\nx = " + b"(" * 5000, "is no Python that this interpreter reads"),
        (b"import twisted\nx = " + b"+".join([b"y"] * 4000), "is nested too deeply|is no Python that"),
    ],
)
def test_what_cannot_be_read_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(Unportable, match=reason):
        port(data, AVAILABLE)


def test_what_has_nothing_to_do_with_twisted_need_not_even_be_python() -> None:
    assert port(b"print 'x' \xff\0", AVAILABLE).data == b"print 'x' \xff\0"


# --- laws --------------------------------------------------------------------------------------------------------------

NAMES = [
    "Deferred",
    "succeed",
    "nought",
    "nothing",
    "inlineCallbacks as i",
    "fail as _f",
    "gone as g",
    "StringTransport",
]
MODULES = [
    "internet.defer",
    "internet.task",
    "internet",
    "python.log",
    "web.http",
    "internet.nought",
    "python.failure",
    "test.proto_helpers",
]
COMMENTS = st.sampled_from(["", "  # é", " # noqa: F401", "\t# type: ignore[x]"])
MOVED = st.sampled_from(["from twisted.test import proto_helpers", "from twisted.test import (proto_helpers as p)"])
BLANKS = st.sampled_from([" ", "  ", " \\\n"])
GAPS = st.sampled_from([" ", "", "  ", "\n    ", "  # why, oh why\n", " \n\n ", " \\\n "])


@st.composite
def from_imports(draw: st.DrawFn) -> str:
    module = draw(st.sampled_from(MODULES))
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=4))
    head = f"from{draw(BLANKS)}twisted.{module} import "
    if draw(st.booleans()):
        return head + ", ".join(names) + draw(COMMENTS)
    inner = "".join(f"{draw(GAPS)}{name}{draw(GAPS)}," for name in names)
    if draw(st.booleans()):
        inner = inner[:-1]
    return f"{head}({inner}{draw(GAPS)}){draw(COMMENTS)}"


@st.composite
def plain_imports(draw: st.DrawFn) -> str:
    parts = draw(
        st.lists(
            st.sampled_from(["os", "twisted", *(f"twisted.{each}" for each in MODULES), "twisted.internet.task as t"]),
            min_size=1,
            max_size=3,
        )
    )
    return f"import {', '.join(parts)}{draw(COMMENTS)}"


USES = st.sampled_from(
    [
        "x = twisted.internet.defer.succeed(twisted.internet.defer.nought)",
        "def f(a: 'twisted.internet.defer.Deferred[int]'): return twisted.pair.rawudp.foo",
        "y = 'é', twisted.python.log.msg  # twisted.web",
        "z = t.Clock, twisted.__version__, f'{twisted.internet.task.Clock}'",
        "w = []  # type: twisted.internet.defer.Deferred",
        "'''twisted.internet\r is\x0c here'''",
        "print(twisted)",
    ]
)


@st.composite
def modules(draw: st.DrawFn) -> bytes:
    lines = []
    for statement in draw(st.lists(st.one_of(from_imports(), plain_imports(), USES, MOVED), max_size=6)):
        shape = draw(st.sampled_from(["{}", "if x:\n    {}", "if x: {}", "a = 1; {}", "try:\n  {}\nexcept E: pass"]))
        lines.append(shape.format(statement))
    text = "\n".join(lines) + draw(st.sampled_from(["", "\n"]))
    text = text.replace("\n", draw(st.sampled_from(["\n", "\r\n", "\r"])))
    return text.encode(draw(st.sampled_from(["utf-8", "utf-8-sig"])))


def bindings(data: bytes) -> set[str]:
    """Return the names that a module imports, but for those of packages."""
    found = set()
    for node in ast.walk(ast.parse(data)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            found |= {each.asname or each.name.partition(".")[0] for each in node.names}
    return found - {"twisted", "torsion"}


def parses(data: bytes) -> bool:
    try:
        ast.parse(data)
    except SyntaxError:
        return False
    return True


@settings(max_examples=150, deadline=None)
@given(modules().filter(parses))
@example(b"from twisted.internet.defer import (nought,\n Deferred\n)")
@example(b"import twisted, twisted.internet.defer\ntwisted.internet.defer.nought, twisted.internet.defer.succeed")
def test_to_port_twice_is_to_port_once_and_what_comes_of_it_parses(data: bytes) -> None:
    once = port(data, AVAILABLE)
    assert parses(once.data)
    assert bindings(once.data) == bindings(data)
    twice = port(once.data, AVAILABLE)
    assert twice.data == once.data
    assert twice.changes == 0
    assert {name for name, _ in twice.lacking} >= {name for name, _ in once.lacking} - {"twisted"}
    if b"twisted" not in data:
        assert once.data == data


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200))
def test_bytes_that_do_not_name_it_stay_as_they_are(data: bytes) -> None:
    if b"twisted" not in data and b"torsion" not in data:
        assert port(data, AVAILABLE).data == data


@pytest.mark.skipif(sys.version_info < (3, 12), reason="the syntax is newer than this Python")
def test_newer_syntax() -> None:
    text = "import twisted.internet.defer\ndef f[T: twisted.internet.defer.Deferred](x: T): ...\n"
    assert ported(text) == text.replace("twisted", "torsion")
