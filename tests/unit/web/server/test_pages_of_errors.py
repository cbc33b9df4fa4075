"""What pages of errors show of what a client sent: nothing that a browser would run."""

from __future__ import annotations

from typing import Any

import pytest

from torsion.logger import capturedLogs
from torsion.web.resource import Resource
from torsion.web.static import File
from torsion.web.vhost import NameVirtualHost
from unit.web.talk import Fixed, Talk

SCRIPT = "<script>alert(1)</script>"
TARGETS = ["/" + SCRIPT, "/%3Cscript%3Ealert(1)%3C/script%3E", "/?" + SCRIPT, "/a/" + SCRIPT + "/?x=" + SCRIPT]


def fails(request: Any) -> bytes:
    raise ValueError(request.uri.decode("latin-1") + SCRIPT)


def other(request: Any) -> Any:
    return request.uri.decode("latin-1")


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("method", ["GET", "POST", "BREW", "<b>"])
@pytest.mark.parametrize("kind", ["none", "file", "fails", "shown", "other", "host"])
def test_nothing_comes_back_as_it_was_sent(target: str, method: str, kind: str, tmp_path: Any) -> None:
    leaf = Fixed({"fails": fails, "shown": fails, "other": other}.get(kind, b""))
    root = {"none": Resource(), "file": File(str(tmp_path)), "host": NameVirtualHost()}.get(kind, leaf)
    talk = Talk(root)
    talk.site.displayTracebacks = kind == "shown"
    with capturedLogs():
        answer = talk.ask(target, method, {"X-Header": SCRIPT, "Referer": SCRIPT})
    assert answer.code >= 400 or (kind, method) == ("file", "GET")  # a folder's list
    for part in (b"<script>", b"<b>1", SCRIPT.encode()):
        assert part not in answer.body
    kind_of_body = answer.one("content-type")
    assert kind_of_body is None or kind_of_body.startswith("text/html")
    assert not [value for values in answer.headers.values() for value in values if "<" in value]


@pytest.mark.parametrize("make", [Resource, lambda: File("/")])
def test_pages_of_errors_are_no_news_for_head(make: Any) -> None:
    with capturedLogs() as events:
        assert Talk(make()).ask("/none", "HEAD").code == 404
    assert [event for event in events if "HEAD" in event["log_format"]] == []
