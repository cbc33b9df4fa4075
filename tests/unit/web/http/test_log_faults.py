"""An access log that fails costs its line, and no answer."""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest

from unit.web.http.wire import GET, Wire, say

pytestmark = pytest.mark.usefixtures("way")

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Full(StringIO):
    def write(self, text: str) -> int:
        raise ValueError("on purpose")


def fail(*_: Any) -> str:
    raise ValueError("on purpose")


@pytest.mark.parametrize("later", [False, True])
@pytest.mark.parametrize(
    "settings",
    [{"_logFormatter": fail, "logFile": StringIO()}, {"logFile": Full()}],
    ids=["formatter", "file"],
)
def test_the_answer_stands(flush_errors: Callable[..., list[Any]], settings: dict[str, Any], later: bool) -> None:
    wire = Wire(None if later else say(b"ok"), **settings)
    for count in (1, 2):
        wire.send(GET)
        if later:
            say(b"ok")(wire.asked[-1])
        assert wire.take() == OK
        assert len(flush_errors(ValueError)) == 1
        assert len(wire.asked) == count
    assert not wire.closed
    assert wire.channel.requests == []


def test_a_log_of_the_program_s_own_costs_the_connection() -> None:
    wire = Wire(log=fail)
    wire.send(GET)
    with pytest.raises(ValueError, match="on purpose"):
        say(b"ok")(wire.asked[-1])
    assert wire.take() == OK
    assert wire.closed
