"""Rules that change paths."""

from __future__ import annotations

from typing import Any

import pytest

from torsion.web.resource import Resource
from torsion.web.rewrite import RewriterResource, alias, tildeToUsers
from unit.web.talk import Fixed, Talk


class Everywhere(Resource):
    def getChild(self, path: bytes, request: Any) -> Resource:
        return self

    def render_GET(self, request: Any) -> bytes:
        return b"%b %b" % (b"/".join(request.prepath), request.path)


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("/~me/page", b"users/me/page /users/me/page"),
        ("/~me", b"users/me /users/me"),
        ("/me/~x", b"me/~x /me/~x"),
        ("/", b" /"),
    ],
)
def test_folders_of_users(target: str, said: bytes) -> None:
    assert Talk(RewriterResource(Everywhere(), tildeToUsers)).ask(target).body == said


@pytest.mark.parametrize(
    ("target", "said"),
    [("/old/one/page", b"new/page /new/page"), ("/old/one", b"new /new"), ("/old/two", b"old/two /old/two")],
)
@pytest.mark.parametrize("rule", [alias("/old/one", "new"), alias(b"old/one/", b"/new/")])
def test_a_path_may_mean_another(target: str, said: bytes, rule: Any) -> None:
    assert Talk(RewriterResource(Everywhere(), rule)).ask(target).body == said


def test_rules_go_one_after_the_other() -> None:
    rules = (alias("a", "b"), alias("b", "c"))
    assert Talk(RewriterResource(Everywhere(), *rules)).ask("/a").body == b"c /c"


def test_the_resource_itself() -> None:
    seen: list[Any] = []
    root = Resource()
    root.putChild(b"here", RewriterResource(Fixed(b"x"), seen.append))
    assert Talk(root).ask("/here").body == b"x"
    assert len(seen) == 1


def test_a_rule_that_uses_all_up() -> None:
    def swallow(request: Any) -> None:
        request.postpath.clear()

    assert Talk(RewriterResource(Fixed(b"x"), swallow)).ask("/a/b").body == b"x"
