"""Resources: their children, and their methods."""

from __future__ import annotations

import warnings
from typing import Any

import pytest
from zope.interface.verify import verifyObject

from torsion.web import pages
from torsion.web.error import UnsupportedMethod
from torsion.web.resource import IResource, Resource, getChildForRequest
from torsion.web.server import Site
from unit.web.talk import Asked, Talk


def test_it_is_what_it_says() -> None:
    assert verifyObject(IResource, Resource())
    assert Resource.entityType is IResource


def test_children_are_found_by_name() -> None:
    resource, child, made = Resource(), Resource(), Resource()
    resource.putChild(b"a", child)
    resource.getChild = lambda path, request: made
    assert resource.getChildWithDefault(b"a", None) is child
    assert resource.getChildWithDefault(b"b", None) is made


@pytest.mark.parametrize("given", [Resource, "public", b"page"])
def test_what_is_no_resource_is_told_of_at_once(given: Any) -> None:
    with pytest.raises(TypeError, match=r"a resource is an object, not .*: (write Resource\(\)|static\.File)"):
        Resource().putChild(b"a", given)
    with pytest.raises(TypeError, match="a resource is an object"):
        Site(given)


def test_children_are_entities() -> None:
    resource, child = Resource(), Resource()
    resource.putChild(b"a", child)
    assert resource.listNames() == resource.listStaticNames() == [b"a"]
    assert resource.listEntities() == resource.listStaticEntities() == [(b"a", child)]
    assert resource.getStaticEntity(b"a") is child
    assert resource.getStaticEntity(b"b") is resource.getDynamicEntity(b"a", None) is None
    assert resource.listDynamicNames() == resource.listDynamicEntities() == []
    resource.reallyPutEntity(b"b", child)
    resource.delEntity(b"a")
    assert resource.listNames() == [b"b"]


@pytest.mark.parametrize("path", ["a", None, 1])
def test_a_segment_is_bytes(path: Any) -> None:
    with pytest.raises(TypeError, match="must be bytes"):
        Resource().putChild(path, Resource())


def test_what_is_not_there() -> None:
    root = Resource()
    root.putChild(b"a", Resource())
    answer = Talk(root).ask("/a/b/c")
    assert (answer.code, answer.one("content-type")) == (404, "text/html; charset=utf-8")
    assert b"No such child resource" in answer.body


class Two(Resource):
    def render_GET(self, request: Any) -> bytes:
        return b"got"

    def render_PROPFIND(self, request: Any) -> bytes:
        return b"found"


@pytest.mark.parametrize(("method", "said"), [(b"GET", b"got"), (b"HEAD", b"got"), (b"PROPFIND", b"found")])
def test_a_method_has_a_renderer(method: bytes, said: bytes) -> None:
    request = Asked()
    request.method = method
    assert Two().render(request) == said


@pytest.mark.parametrize("method", [b"POST", b"get", b"\xff", b"GET\r\n"])
def test_a_method_without_a_renderer(method: bytes) -> None:
    request = Asked()
    request.method = method
    with pytest.raises(UnsupportedMethod) as raised:
        Two().render(request)
    assert raised.value.allowedMethods == [b"GET", b"HEAD", b"PROPFIND"]


def test_what_cannot_be_got_has_no_head() -> None:
    class Only(Resource):
        def render_POST(self, request: Any) -> bytes:
            return b""

    request = Asked()
    request.method = b"HEAD"
    with pytest.raises(UnsupportedMethod) as raised:
        Only().render(request)
    assert raised.value.allowedMethods == [b"POST"]


def test_a_resource_may_say_what_it_allows() -> None:
    resource = Two()
    resource.allowedMethods = (b"BREW",)
    request = Asked()
    request.method = b"POST"
    with pytest.raises(UnsupportedMethod) as raised:
        resource.render(request)
    assert raised.value.allowedMethods == (b"BREW",)


def test_the_way_ends_at_a_leaf() -> None:
    request = Asked(b"a", b"b", b"c")
    root, leaf = Resource(), Resource()
    leaf.isLeaf = True
    root.putChild(b"a", leaf)
    assert getChildForRequest(root, request) is leaf
    assert (request.prepath, request.postpath) == ([b"a"], [b"b", b"c"])
    assert getChildForRequest(leaf, request) is leaf


def test_the_method_of_that_name_warns() -> None:
    resource = Resource()
    with pytest.warns(DeprecationWarning, match="getChildForRequest"):
        assert resource.getChildForRequest(Asked()) is resource


@pytest.mark.parametrize(("name", "code"), [("NoResource", 404), ("ForbiddenResource", 403)])
def test_pages_of_old(name: str, code: int) -> None:
    from torsion.web import resource

    with pytest.warns(DeprecationWarning, match=r"torsion\.web\.pages"):
        made = getattr(resource, name)("<b>so</b>")
    request = Asked()
    body = made.render(request)
    assert b"<p><b>so</b></p>" in body, "it is HTML that they are given"
    assert request.code == code
    assert made.getChild(b"x", request) is made


def test_pages_of_today_warn_nobody() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Resource().getChild(b"x", None)
        pages.notFound()


@pytest.mark.parametrize(
    ("page", "code", "title"),
    [
        (pages.notFound(), 404, b"No Such Resource"),
        (pages.forbidden(), 403, b"Forbidden Resource"),
        (pages.errorPage(418, "<Tea & pot>", "no <b>coffee</b>"), 418, b"&lt;Tea &amp; pot&gt;"),
    ],
)
def test_pages(page: Any, code: int, title: bytes) -> None:
    talk = Talk(page)
    for method in ("GET", "POST", "BREW"):
        answer = talk.ask("/any/where", method=method)
        assert (answer.code, answer.one("content-type")) == (code, "text/html; charset=utf-8")
        assert b"<title>%d - %b</title>" % (code, title) in answer.body
        assert b"<b>" not in answer.body
    assert talk.ask(method="HEAD").code == code
