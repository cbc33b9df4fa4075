"""URLs walked like paths."""

from __future__ import annotations

import pytest

from torsion.python.urlpath import URLPath

TEXT = "http://example.com:80/foo/bar?yes=no&no=yes#footer"


@pytest.fixture(
    params=[lambda: URLPath.fromString(TEXT), lambda: URLPath.fromBytes(TEXT.encode())], ids=["text", "bytes"]
)
def url(request):
    return request.param()


def test_parts(url):
    assert str(url) == TEXT
    assert bytes(url) == TEXT.encode()
    assert (url.scheme, url.netloc, url.path) == (b"http", b"example.com:80", b"/foo/bar")
    assert (url.query, url.fragment) == (b"yes=no&no=yes", b"footer")
    assert repr(url).startswith("URLPath(scheme=b'http', netloc=b'example.com:80'")


@pytest.mark.parametrize("kind", [str, str.encode])
def test_parts_may_be_set(url, kind):
    url.scheme, url.netloc, url.path = kind("https"), kind("x"), kind("/y")
    url.query, url.fragment = kind("a=1"), kind("z")
    assert str(url) == "https://x/y?a=1#z"
    assert url.path == b"/y"


@pytest.mark.parametrize(
    ("walk", "result"),
    [
        (lambda url: url.child(b"hello"), "/foo/bar/hello"),
        (lambda url: url.child("").child("x"), "/foo/bar/x"),
        (lambda url: url.child("a/b?c#d"), "/foo/bar/a%2Fb%3Fc%23d"),
        (lambda url: url.child("é"), "/foo/bar/%C3%A9"),
        (lambda url: url.child("%2F"), "/foo/bar/%2F"),
        (lambda url: url.sibling("baz"), "/foo/baz"),
        (lambda url: url.child("").sibling("baz"), "/foo/bar/baz"),
        (lambda url: url.parent(), "/"),
        (lambda url: url.parent().parent().parent(), "/"),
        (lambda url: url.child("").parent(), "/foo/"),
        (lambda url: url.here(), "/foo/"),
        (lambda url: url.child("x", keepQuery=True), "/foo/bar/x?yes=no&no=yes"),
        (lambda url: url.parent(keepQuery=True), "/?yes=no&no=yes"),
        (lambda url: url.click("../up?q#f"), "/up?q#f"),
        (lambda url: url.click(b"/root"), "/root"),
    ],
)
def test_walking(url, walk, result):
    assert str(walk(url)) == "http://example.com:80" + result


def test_segments(url):
    quoted = url.child("%00é")
    assert quoted.pathList() == [b"", b"foo", b"bar", b"%00%C3%A9"]
    assert quoted.pathList(unquote=True)[-1] == "\0é".encode()


def test_defaults_and_what_is_no_ascii():
    assert str(URLPath()) == "http://localhost/"
    assert str(URLPath.fromBytes(b"http://x")) == "http://x/"
    assert str(URLPath.fromString("http://x/\xff\0")) == "http://x/%C3%BF%00"
    assert str(URLPath.fromBytes(b"http://x/\xff\0")) == "http://x/%FF%00"


def test_equality(url):
    assert url == URLPath.fromString(TEXT)
    assert url != URLPath()
    assert url != TEXT
    with pytest.raises(TypeError):
        hash(url)


@pytest.mark.parametrize("wrong", [None, 7])
def test_what_is_no_url(wrong):
    for make, text in ((URLPath.fromString, b"http://x"), (URLPath.fromBytes, "http://x")):
        for each in (wrong, text):
            with pytest.raises(ValueError, match="'url' must be"):
                make(each)
    with pytest.raises(ValueError):
        URLPath.fromString("http://[")


def test_of_a_request():
    class Request:
        def prePathURL(self):
            return b"http://x/y"

    assert str(URLPath.fromRequest(Request())) == "http://x/y"
