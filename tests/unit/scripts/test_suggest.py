"""What somebody may have meant."""

from __future__ import annotations

import pytest

from torsion.python import usage
from torsion.scripts.suggest import one_line


class Inner(usage.Options):
    optParameters = [["listen", None, None, "x"]]  # noqa: RUF012 - as users write it


class Outer(usage.Options):
    optFlags = [["daemon", None, "x"], ["debug", None, "x"]]  # noqa: RUF012 - as users write it
    subCommands = [["echo", None, Inner, "x"], ["chat", None, Inner, "x"]]  # noqa: RUF012 - as users write it


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["--deamon"], "there is no option --deamon; did you mean --daemon?"),
        (["--xyzzy"], "there is no option --xyzzy; see --help"),
        (["--d"], "--d may be --daemon or --debug; write it out"),
        (["ehco"], "there is no command 'ehco'; did you mean echo?"),
        (["xyzzy"], "there is no command 'xyzzy'; there are: echo, chat"),
        (["echo", "--lisen", "x"], "there is no option --lisen; did you mean --listen?"),
        (["echo", "--daemon"], "there is no option --daemon; see --help"),
        (["-z"], "option -z not recognized"),
    ],
    ids=" ".join,
)
def test_mistyped(words, line):
    options = Outer()
    with pytest.raises(usage.UsageError) as caught:
        options.parseOptions(words)
    assert one_line(str(caught.value), options) == line


def test_other_errors_stay_as_they_are():
    assert one_line("two\nlines\n", Outer()) == "two\nlines"


def test_endpoints():
    from torsion.internet.endpoints import EndpointDescriptionError

    known = "has an unknown type 'tpc'; known are tcp, unix"
    problem = EndpointDescriptionError("tpc:80", known, 0, 3)
    assert one_line(str(problem), Outer()) == f"endpoint description 'tpc:80' {known}; did you mean tcp?"
