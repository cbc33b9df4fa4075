"""What is served where, and to whom."""

from __future__ import annotations

import base64
import hashlib
import json
import re

import pytest

from torsion.application.status.names import HostNames
from torsion.application.status.requests import Request
from torsion.application.status.site import PATHS, Site
from torsion.internet.defer import Deferred, maybeDeferred, succeed
from torsion.internet.task import Clock
from unit.application.status.sample import sample


def ask(site, path, host="127.0.0.1", accept="*/*"):
    """Return the answer to a request."""
    answers = []
    maybeDeferred(site.answer, Request("GET", path, host, accept, True)).addCallback(answers.append)
    return answers[0]


def site(source=sample, **keywords):
    return Site(Clock(), source, names=HostNames(["status.example"]), **keywords)


def test_health():
    assert ask(site(), "/health")[:3] == (200, "text/plain; charset=utf-8", b"alive\n")


@pytest.mark.parametrize(
    ("state", "status"), [("starting", 503), ("ready", 200), ("reloading", 200), ("draining", 503)]
)
@pytest.mark.parametrize(
    "given", [lambda state: {"state": lambda: state}, lambda state: {"state": lambda: succeed(state)}]
)
def test_ready(state, status, given):
    answer = ask(site(**given(state)), "/ready")
    assert (answer.status, answer.body) == (status, f"{state}\n".encode())


def test_ready_by_the_snapshot_where_nothing_else_is_known():
    assert ask(site(lambda: sample(state="draining")), "/ready").status == 503


def test_the_figures():
    answer = ask(site(), "/status.json")
    assert answer.type == "application/json"
    assert json.loads(answer.body) == json.loads(json.dumps(sample()))


def test_the_figures_of_one_who_takes_his_time():
    later = Deferred()
    answers = []
    site(lambda: later).answer(Request("GET", "/status.json", "127.0.0.1", "", True)).addCallback(answers.append)
    assert answers == []
    later.callback(sample())
    assert answers[0].status == 200


def test_metrics():
    assert ask(site(), "/metrics").type == "text/plain; version=0.0.4; charset=utf-8"
    open_metrics = ask(site(), "/metrics", accept="application/openmetrics-text;version=1.0.0,text/plain;q=0.5")
    assert open_metrics.type == "application/openmetrics-text; version=1.0.0; charset=utf-8"
    assert open_metrics.body.endswith(b"# EOF\n")


@pytest.mark.parametrize("path", ["/nothing", "//", "/status.json/", "/../etc/passwd", "/%2F", "/index.html"])
def test_what_is_not_there(path):
    answer = ask(site(), path)
    assert answer.status == 404
    assert path.encode() not in answer.body
    assert all(each.encode() in answer.body for each in PATHS)


# --- to whom

OURS = [
    "127.0.0.1",
    "192.0.2.1",
    "::1",
    "localhost",
    "LOCALHOST.",
    "shop.localhost",
    "status.example",
    "Status.Example.",
]
STRANGERS = [
    "evil.example",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "",
    "status.example.evil",
    "0x7f000001",
]


@pytest.mark.parametrize("path", ["/", "/status.json", "/metrics", "/nothing"])
def test_names_that_are_ours_and_those_that_are_not(path):
    for host in OURS:
        assert ask(site(), path, host.lower()).status in (200, 404), host
    for host in STRANGERS:
        answer = ask(site(), path, host)
        assert answer.status == 421
        assert b"--status-name" in answer.body


def test_this_machines_own_name(monkeypatch):
    monkeypatch.setattr("socket.gethostname", lambda: "Shop7")
    assert HostNames().allow("shop7")


def test_probes_may_use_any_name():
    assert ask(site(), "/health", "evil.example").status == 200
    assert ask(site(), "/ready", "evil.example").status == 200


def test_any_name_may_be_allowed():
    assert HostNames(["*"]).allow("evil.example")
    assert ask(Site(Clock(), sample), "/metrics", "evil.example").status == 200  # on a UNIX socket


def test_whoever_does_not_say_is_no_browser():
    assert ask(site(), "/metrics", None).status == 200


# --- the page


def test_the_page_is_all_there_is_to_it():
    answer = ask(site(), "/")
    assert answer.type == "text/html; charset=utf-8"
    text = answer.body.decode()
    assert re.findall(r"https?://(?!www\.w3\.org/2000/svg)", text) == []
    assert re.findall(r"\b(innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval|Function)\b", text) == []
    assert re.findall(r"<[^>]*\s(on\w+|style)=", text) == []
    assert '<html lang="en">' in text


def test_its_policy_names_its_style_and_script():
    answer = ask(site(), "/")
    policy = dict(each.strip().split(" ", 1) for each in answer.policy.split(";"))
    for kind in ("style", "script"):
        (part,) = re.findall(rf"<{kind}>(.*?)</{kind}>", answer.body.decode(), re.DOTALL)
        assert policy[f"{kind}-src"] == f"'sha256-{base64.b64encode(hashlib.sha256(part.encode()).digest()).decode()}'"
    assert policy["connect-src"] == "'self'"
    assert "unsafe" not in answer.policy
    assert answer.data(head=True, persistent=True).count(b"Content-Security-Policy: default-src 'none'; ") == 1
