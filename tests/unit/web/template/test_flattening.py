"""Pages become bytes."""

from __future__ import annotations

import gc
import warnings
from collections.abc import Callable, Generator
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st
from zope.interface import implementer

from torsion.internet.defer import CancelledError, Deferred, fail, succeed
from torsion.python.failure import Failure
from torsion.web.error import FlattenerError, MissingRenderMethod, MissingTemplateLoader, UnfilledSlot, UnsupportedType
from torsion.web.iweb import IRenderable
from torsion.web.template import (
    CDATA,
    CharRef,
    Comment,
    Element,
    Tag,
    TagLoader,
    flatten,
    flattenString,
    renderer,
    slot,
    tags,
)
from torsion.web.template.flattening import BUFFER_SIZE, MAX_DEPTH


def result(deferred: Deferred[Any]) -> Any:
    found: list[Any] = []
    deferred.addBoth(found.append)
    [only] = found
    if isinstance(only, Failure):
        only.raiseException()
    return only


def flat(root: Any, request: Any = None) -> bytes:
    found: bytes = result(flattenString(request, root))
    return found


def refused(root: Any) -> FlattenerError:
    with pytest.raises(FlattenerError) as caught:
        flat(root)
    return caught.value


@pytest.mark.parametrize(
    ("root", "expected"),
    [
        ("<a&b>\"'", b"&lt;a&amp;b&gt;\"'"),
        (b"<\xff>", b"&lt;\xff&gt;"),
        ("\N{SNOWMAN}", b"\xe2\x98\x83"),
        (tags.html(tags.body("42"), hi="there"), b'<html hi="there"><body>42</body></html>'),
        (tags.p, b"<p></p>"),
        (tags.br, b"<br />"),
        (tags.br("x"), b"<br>x</br>"),
        (tags.img(src="a", alt="<&>\"'"), b'<img src="a" alt="&lt;&amp;&gt;&quot;\'" />'),
        (Tag(b"p", {b"k": b"v"}, [b"x"]), b'<p k="v">x</p>'),
        (tags.transparent("a", tags.b, ignored="x"), b"a<b></b>"),
        ([], b""),
        (["a", ("b", ["c"])], b"abc"),
        ((each for each in "ab"), b"ab"),
        (CharRef(9731), b"&#9731;"),
        (tags.a(title=CharRef(34)), b'<a title="&#34;"></a>'),
        (CDATA("a ]]> b"), b"<![CDATA[a ]]]]><![CDATA[> b]]>"),
        (Comment("a > b"), b"<!--a > b-->"),
        (Comment("a-"), b"<!--a- -->"),
        (Comment("-->x"), b"<!--- -&gt;x-->"),
        (Comment(">x>"), b"<!--&gt;x>-->"),
        (Comment("->x"), b"<!---&gt;x-->"),
        (Comment("x--!>y"), b"<!--x- -!&gt;y-->"),
        (Comment(b"-" * 5), b"<!--- - - - - -->"),
        (tags.img(src=tags.a("<", href='"')), b'<img src="&lt;a href=&quot;&amp;quot;&quot;&gt;&amp;lt;&lt;/a&gt;" />'),
        (tags.a(href=["x", tags.transparent("<"), succeed('"')]), b'<a href="x&lt;&quot;"></a>'),
        (tags.a(href=Comment('"')), b'<a href="&lt;!--&quot;--&gt;"></a>'),
        (tags.a(b="<", c=slot("s"), d=">").fillSlots(s="&"), b'<a b="&lt;" c="&amp;" d="&gt;"></a>'),
        (tags.p(slot("s", default="d<")), b"<p>d&lt;</p>"),
        (tags.p(slot("s", default="d")).fillSlots(s=""), b"<p></p>"),
        (tags.p(tags.b(slot("s")).fillSlots(s="in")).fillSlots(s="out"), b"<p><b>in</b></p>"),
        (tags.p(slot("s")).fillSlots(s=tags.b(slot("t")), t="deep"), b"<p><b>deep</b></p>"),
        (succeed(tags.p(succeed("x"))), b"<p>x</p>"),
    ],
    ids=repr,
)
def test_what_it_becomes(root: Any, expected: bytes) -> None:
    assert flat(root) == expected


@pytest.mark.parametrize(
    ("root", "kind", "roots"),
    [
        (None, UnsupportedType, []),
        (object(), UnsupportedType, []),
        ([("a", 1)], UnsupportedType, [list, tuple]),
        (tags.a(href=None), UnsupportedType, [Tag]),
        (slot("s"), UnfilledSlot, []),
        (tags.p(tags.b(slot("s"))).fillSlots(t="x"), UnfilledSlot, [Tag, Tag]),
        (tags.p(render="method"), ValueError, []),
        (Element(), MissingTemplateLoader, [Element]),
        (Element(TagLoader(tags.p(render="method"))), MissingRenderMethod, [Element, list, Tag]),
        ("\ud800", UnicodeEncodeError, []),
        (Tag("\N{SNOWMAN}"), UnicodeEncodeError, [Tag]),
        (Tag("a b"), ValueError, [Tag]),
        (Tag("a onclick=x"), ValueError, [Tag]),
        (Tag("a", {"x>": ""}), ValueError, [Tag]),
        (Tag("a", {"": ""}), ValueError, [Tag]),
        ((str(1 // each) for each in (1, 0)), ZeroDivisionError, [Generator]),
    ],
    ids=repr,
)
def test_what_cannot_be_flattened(root: Any, kind: type[Exception], roots: list[Any]) -> None:
    error = refused(root)
    assert type(error._exception) is kind
    assert len(error._roots) == len(roots)
    assert all(isinstance(found, expected) for found, expected in zip(error._roots, roots, strict=True))


def test_an_error_says_where_it_was() -> None:
    page = tags.body(Tag("div", filename="page.xml", lineNumber=3, columnNumber=5)(tags.p(slot("title"))))
    text = str(refused(page))
    assert text.startswith("Exception while flattening:\n  Tag <body>\n")
    assert '  File "page.xml", line 3, column 5, in "div"\n' in text
    assert text.endswith("UnfilledSlot: title\n")


def test_the_elements_of_html_are_closed_as_they_are() -> None:
    assert flat([tags.wbr, tags.track, tags.script]) == b"<wbr /><track /><script></script>"


# --- elements ------------------------------------------------------------------------------------------------------------


class Counter(Element):
    loader = TagLoader(tags.ul(tags.li(slot("n"), render="items"), render="list"))

    @renderer
    def list(self, request: Any, tag: Tag) -> Any:
        assert tag.render is None
        return tag(class_=request)

    @renderer
    async def items(self, request: Any, tag: Tag) -> Any:
        return [tag.clone().fillSlots(n=str(each)) for each in await succeed(range(3))]

    def private(self, request: Any, tag: Tag) -> Any:
        raise AssertionError


def test_render_methods_get_the_request_and_a_copy_of_the_tag() -> None:
    element = Counter()
    for _ in range(2):  # the template stays as it is
        assert flat(element, "c") == b'<ul class="c"><li>0</li><li>1</li><li>2</li></ul>'


def test_a_template_cannot_name_what_is_no_renderer() -> None:
    error = refused(Counter(TagLoader(tags.p(render="private"))))
    assert repr(error._exception).endswith("had no render method named 'private'")


def test_an_inner_element_answers_for_its_own_template() -> None:
    class Outer(Element):
        loader = TagLoader(tags.div(render="inner"))

        @renderer
        def inner(self, request: Any, tag: Tag) -> Any:
            return tag(Counter(), tags.p(render="word"))

        @renderer
        def word(self, request: Any, tag: Tag) -> Any:
            return "w"

    assert flat(Outer(), "c").endswith(b"</ul>w</div>")


def test_any_renderable_will_do() -> None:
    @implementer(IRenderable)
    class Page:
        def render(self, request: Any) -> Any:
            return ["<", tags.p(render="x")]

        def lookupRenderMethod(self, name: str) -> Callable[..., Any]:
            return lambda request, tag: tag(name)

    assert flat(Page()) == b"&lt;<p>x</p>"


# --- depth ---------------------------------------------------------------------------------------------------------------


def test_a_page_may_be_deep() -> None:
    page: Any = "x"
    for _ in range(MAX_DEPTH - 10):
        page = [page]
    assert flat(page) == b"x"
    while isinstance(page, list):  # or else the interpreter frees it, each list inside of the other
        [page] = page


@pytest.mark.parametrize("page", [tags.p(slot("s")).fillSlots(s=slot("s")), tags.p(slot("a")).fillSlots(a=[slot("a")])])
def test_what_has_no_end_is_refused(page: Tag) -> None:
    error = refused(page)
    assert isinstance(error._exception, RecursionError)
    assert f"more than {MAX_DEPTH} things" in str(error)


def test_an_element_that_renders_itself_is_refused() -> None:
    class Page(Element):
        def render(self, request: Any) -> Any:
            return [self]

    assert isinstance(refused(Page())._exception, RecursionError)


# --- pieces and waiting --------------------------------------------------------------------------------------------------


def test_what_is_known_is_written_in_large_pieces() -> None:
    pieces: list[bytes] = []
    result(flatten(None, [["x"] * BUFFER_SIZE, ["y"] * BUFFER_SIZE, "z"], pieces.append))
    assert pieces == [b"x" * BUFFER_SIZE, b"y" * BUFFER_SIZE, b"z"]


def test_what_stands_before_something_to_wait_for_is_written() -> None:
    pieces: list[bytes] = []
    first: Deferred[Any] = Deferred()
    second: Deferred[Any] = Deferred()

    async def later() -> Any:
        return await second

    done = flatten(None, tags.p("a", first, "b", tags.i(later()), "c"), pieces.append)
    assert pieces == [b"<p>a"]
    first.callback(tags.b("1"))
    assert pieces == [b"<p>a", b"<b>1</b>b<i>"]
    assert not done.called
    second.callback("2")
    assert pieces[2:] == [b"2</i>c</p>"]
    assert result(done) is None


def test_a_deferred_keeps_its_result() -> None:
    shared = succeed("x")
    assert flat([shared, shared]) == b"xx"
    assert result(shared) == "x"


def test_a_failure_goes_to_the_page_and_stays_where_it_was() -> None:
    failing: Deferred[Any] = Deferred()
    found: list[Any] = []
    done = flattenString(None, tags.p(failing)).addErrback(found.append)
    failing.errback(RuntimeError("example"))
    [failure] = found
    assert isinstance(failure.value, FlattenerError)
    assert "RuntimeError: example" in str(failure.value)
    assert failure.value._roots[-1] is failing
    with pytest.raises(RuntimeError, match="example"):
        result(failing)
    assert result(done) is None


def test_many_deferreds_that_have_fired_take_no_stack() -> None:
    assert flat([succeed("x") for _ in range(3000)]) == b"x" * 3000


def test_cancelling_cancels_what_is_waited_for() -> None:
    cancelled: list[Any] = []
    waited: Deferred[Any] = Deferred(cancelled.append)
    done = flattenString(None, [waited])
    done.cancel()
    assert cancelled == [waited]
    with pytest.raises(FlattenerError) as caught:
        result(done)
    assert isinstance(caught.value._exception, CancelledError)
    waited.addErrback(lambda _: None)


def test_a_writer_that_raises_ends_it() -> None:
    def write(data: bytes) -> None:
        raise OSError("disk full")

    with pytest.raises(FlattenerError, match="disk full"):
        result(flatten(None, "x", write))


def test_a_failed_page_leaves_nothing_behind() -> None:
    closed: list[bool] = []

    def items() -> Generator[Any, None, None]:
        try:
            yield "a"
            yield fail(ValueError("x")).addErrback(lambda _: object())
        finally:
            closed.append(True)

    refused(items())
    gc.collect()
    assert closed == [True]


# --- laws ----------------------------------------------------------------------------------------------------------------

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
XML_TEXT = st.text(
    st.one_of(
        st.sampled_from("<>&\"'-]![CDATA\n\t"),
        st.characters(min_codepoint=0x20, max_codepoint=0xFFFD, exclude_categories=["Cs"]),
        st.characters(min_codepoint=0x10000),
    )
)


class Parsed(HTMLParser):
    """What a page says."""

    def __init__(self, page: bytes) -> None:
        super().__init__(convert_charrefs=True)
        self.text = ""
        self.attributes: list[Any] = []
        self.comments: list[str] = []
        self.feed(page.decode())
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_comment(self, data: str) -> None:
        self.comments.append(data)


@given(TEXT, TEXT)
def test_law_html_has_what_was_put_in(text: str, value: str) -> None:
    parsed = Parsed(flat(tags.p(text, title=value)))
    assert parsed.text == text
    assert parsed.attributes == [("title", value)]


@given(XML_TEXT, XML_TEXT)
def test_law_xml_has_what_was_put_in(text: str, value: str) -> None:
    tree = ET.fromstring(flat(tags.p(text, tags.b(CDATA(text)), title=value)))
    assert (tree.text or "") == text
    assert (tree[0].text or "") == text
    # An attribute's line ends and tabs are spaces to XML (3.3.3), and to HTML what they are.
    assert tree.attrib["title"] == value.replace("\n", " ").replace("\t", " ")


@given(st.text(st.sampled_from("-><!x ")), TEXT)
def test_law_nothing_leaves_a_comment(data: str, after: str) -> None:
    page = flat(tags.p(Comment(data), after))
    parsed = Parsed(page)
    assert len(parsed.comments) == 1
    assert parsed.text == after
    inner = page[7 : page.index(b"-->", 7)]
    assert b"--" not in inner
    assert not inner.startswith((b">", b"->"))
    assert not inner.endswith(b"-")


@given(st.recursive(TEXT, lambda inside: st.builds(lambda each: tags.i(each, k=each), inside), max_leaves=5))
def test_law_a_page_in_an_attribute_can_be_read_from_there(page: Any) -> None:
    [(_, value)] = Parsed(flat(tags.p(title=tags.transparent(tags.b(page))))).attributes
    assert value.encode() == flat(tags.b(page))


def test_nothing_warns() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        flat(Counter(), "c")
