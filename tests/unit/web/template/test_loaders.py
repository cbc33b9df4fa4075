"""Templates of XML."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from zope.interface.verify import verifyObject

from torsion.internet.defer import Deferred
from torsion.python.filepath import FilePath
from torsion.web.error import MisplacedDirective, TemplateSyntaxError
from torsion.web.iweb import ITemplateLoader
from torsion.web.template import (
    CDATA,
    TEMPLATE_NAMESPACE,
    Comment,
    Element,
    Tag,
    TagLoader,
    XMLFile,
    XMLString,
    flattenString,
    renderer,
    slot,
    tags,
)
from torsion.web.template.loaders import MAX_TEMPLATE
from torsion.web.template.reading import MAX_ENTITY, MAX_NESTED

T = f'xmlns:t="{TEMPLATE_NAMESPACE}"'


def flat(root: Any) -> bytes:
    found: list[Any] = []
    flattenString(None, root).addBoth(found.append)
    assert isinstance(found[0], bytes), found[0]
    return found[0]


def loaded(source: bytes | str) -> Any:
    return flat(XMLString(source).load())


@pytest.mark.parametrize(
    "xml",
    [
        b"<p>Hello &amp; <b>all</b>.</p>",
        b"<!-- a --><p><!-- b --></p><!-- c -->",
        b"<p>a<![CDATA[<b>]]>c</p>",
        b'<a xmlns:x="urn:x" k="v" x:k="w"><x:b></x:b></a>',
        b'<a xmlns="urn:x"><b xmlns=""></b></a>',
        b'<a xml:lang="en">\xe2\x98\x83</a>',
        b"<a>\n  <b> </b>\n</a>",
        b"<_-.1></_-.1>",
    ],
)
def test_a_template_is_written_as_it_was(xml: bytes) -> None:
    assert loaded(xml) == xml
    assert loaded(xml.decode()) == xml


@pytest.mark.parametrize(
    ("xml", "expected"),
    [
        ("<!DOCTYPE html><?pi x?><p/>", b"<p></p>"),
        ('<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN" "http://127.0.0.1:9/none.dtd"><p/>', b"<p></p>"),
        ('<!DOCTYPE p [<!ENTITY nbsp "&#160;"><!ENTITY amp "&#38;#38;">]><p a="&nbsp;">&nbsp;</p>', b'<p a="\xc2\xa0">\xc2\xa0</p>'),
        ("<p>&#9731;&lt;</p>", b"<p>\xe2\x98\x83&lt;</p>"),
        ('<?xml version="1.0" encoding="latin-1"?><p>\xe9</p>', b"<p>\xc3\xa9</p>"),
        ('<?xml version="1.0" encoding="latin-1"?><p>é</p>'.encode("latin-1"), b"<p>\xc3\xa9</p>"),
        ("<p>é</p>".encode("utf-16"), b"<p>\xc3\xa9</p>"),
        (f"<t:transparent {T}>a<b/></t:transparent>", b"a<b></b>"),
        (f'<transparent xmlns="{TEMPLATE_NAMESPACE}">a</transparent>', b"a"),
        (f'<a {T}><t:attr name="href">x<t:slot name="y" default="&lt;"/></t:attr>z</a>', b'<a href="x&lt;">z</a>'),
        (f'<a {T} t:else="x"><t:new/></a>', b'<a t:else="x"><new></new></a>'),
        (f'<a {T}><b xmlns:t="urn:t"><t:slot/></b></a>', b'<a><b xmlns:t="urn:t"><t:slot></t:slot></b></a>'),
    ],
)  # fmt: skip
def test_what_a_template_becomes(xml: bytes | str, expected: bytes) -> None:
    assert loaded(xml) == expected


def test_what_a_template_is_made_of() -> None:
    [first, second, root] = XMLString(
        f'<!--a-->\n<!--b--><p {T} t:render="m">x<t:slot name="s">y</t:slot><![CDATA[z]]></p>'
    ).load()
    assert isinstance(first, Comment)
    assert isinstance(second, Comment)
    assert isinstance(root, Tag)
    assert (root.render, root.attributes, root.lineNumber, root.columnNumber) == ("m", {}, 2, 8)
    text, place, section = root.children
    assert text == "x"
    assert isinstance(place, slot)
    assert (place.name, place.default, place.children, place.lineNumber) == ("s", None, ["y"], 2)
    assert isinstance(section, CDATA)
    assert section.data == "z"


@pytest.mark.parametrize(
    ("xml", "kind", "said"),
    [
        ("", TemplateSyntaxError, "line 1, column 0: no element found"),
        ("x", TemplateSyntaxError, "syntax error"),
        ("<p>\n<b></p>", TemplateSyntaxError, "line 2, column 5: mismatched tag"),
        ("<p/><p/>", TemplateSyntaxError, "junk after document element"),
        ('<p a="" a=""/>', TemplateSyntaxError, "duplicate attribute"),
        ("<p>&nbsp;</p>", TemplateSyntaxError, "undefined entity: .*&#160; for &nbsp;"),
        ('<!DOCTYPE p SYSTEM "x"><p>&nbsp;</p>', TemplateSyntaxError, "undefined entity 'nbsp': .*&#160;"),
        ('<p t:render="x"/>', TemplateSyntaxError, "unbound prefix 't' of 't:render': declare it with xmlns:t='http"),
        ("<a:b/>", TemplateSyntaxError, "unbound prefix 'a'"),
        ('<p :a=""/>', TemplateSyntaxError, "':a' is no name"),
        (f"<t:attr {T} name='x'/>", MisplacedDirective, "stands in the element whose attribute it is"),
        (f"<a {T}><t:slot name='s'><t:attr name='x'/></t:slot></a>", MisplacedDirective, "stands in the element"),
        (f"<a {T}><t:attr/></a>", MisplacedDirective, "'attr' has no attribute 'name'"),
        (f"<a {T}><t:slot/></a>", MisplacedDirective, "'slot' has no attribute 'name'"),
        ("\ud800", TemplateSyntaxError, "surrogates not allowed"),
        (b'<?xml version="1.0" encoding="none"?><p/>', TemplateSyntaxError, "unknown encoding"),
        (b'<?xml version="1.0" encoding="shift_jis"?><p/>', TemplateSyntaxError, "multi-byte"),
        (b'<?xml version="1.0" encoding="hex"?><p/>', TemplateSyntaxError, "hex"),
    ],
)
def test_what_is_no_template(xml: bytes | str, kind: type[Exception], said: str) -> None:
    with pytest.raises(TemplateSyntaxError, match=said) as caught:
        XMLString(xml)
    assert type(caught.value) is kind
    assert isinstance(caught.value, AssertionError) == (kind is MisplacedDirective)
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize("source", [None, 3, ["<p/>"], bytearray(b"<p/>")])
def test_a_template_is_text(source: Any) -> None:
    with pytest.raises(TypeError, match="a template is text or bytes of XML, not"):
        XMLString(source)


# --- nothing is fetched, and nothing grows --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "declaration",
    ['<!ENTITY e SYSTEM "{}">', '<!ENTITY e PUBLIC "-//x" "{}">', '<!ENTITY % e SYSTEM "{}"> %e;', '<!ENTITY % e "x">'],
)
def test_entities_that_are_elsewhere_are_refused(declaration: str, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret")
    with pytest.raises(TemplateSyntaxError, match="the entity 'e' is not declared by its text"):
        XMLString(f"<!DOCTYPE p [{declaration.format(secret.as_uri())}]><p>&e;</p>")


def test_entities_of_entities_are_refused() -> None:
    with pytest.raises(TemplateSyntaxError, match="the entity 'b' is made of other entities"):
        XMLString('<!DOCTYPE p [<!ENTITY a "x"><!ENTITY b "&a;&a;">]><p>&b;</p>')


def test_entities_are_short() -> None:
    XMLString(f'<!DOCTYPE p [<!ENTITY a "{"x" * MAX_ENTITY}">]><p>&a;</p>')
    with pytest.raises(TemplateSyntaxError, match=f"more than {MAX_ENTITY} characters"):
        XMLString(f'<!DOCTYPE p [<!ENTITY a "{"x" * (MAX_ENTITY + 1)}">]><p>&a;</p>')


@pytest.mark.parametrize("form", ["<p>{}</p>", "<p>{}</p>".replace("{}", "<b a='{}'/>")])
def test_many_references_are_refused(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torsion.web.template.reading.MAX_TEXT", 100_000)
    declared = f'<!DOCTYPE p [<!ENTITY a "{"x" * 1000}">]>'
    XMLString(declared + form.format("&a;" * 99))
    with pytest.raises(TemplateSyntaxError, match="more than 100000 characters, with entities put in"):
        XMLString(declared + form.format("&a;" * 101))


def test_a_template_has_a_size() -> None:
    with pytest.raises(TemplateSyntaxError, match=f"longer than {MAX_TEMPLATE} bytes"):
        XMLString("<p>" + " " * MAX_TEMPLATE + "</p>")


def test_a_template_has_a_depth() -> None:
    [root] = XMLString("<p>" * MAX_NESTED + "</p>" * MAX_NESTED).load()
    assert isinstance(root, Tag)
    assert flat(root.clone()).count(b"<p>") == MAX_NESTED
    with pytest.raises(TemplateSyntaxError, match=f"more than {MAX_NESTED} elements"):
        XMLString("<p>" * (MAX_NESTED + 1) + "</p>" * (MAX_NESTED + 1))


PIECES = st.sampled_from([
    "<p>", "</p>", "<a b='c'>", "</a>", "<t:slot name='x'/>", "<t:attr name='x'>", "</t:attr>", "<t:slot/>", "&amp;", "&x;",
    "<!--", "-->", "<![CDATA[", "]]>", f"<p {T}>", "<!DOCTYPE p [", '<!ENTITY x "y">', "]>", "<?xml version='1.0' encoding='", "'?>",
    "utf-16", "cp037", "euc-jp", "x", "\0", "é", "<?", "?>", ":", "<:/>", "<a:b/>", "xmlns:a=''", "<p xmlns:t=''>",
])  # fmt: skip


@given(st.one_of(st.binary(), st.text(), st.lists(PIECES).map("".join), st.lists(PIECES).map("".join).map(str.encode)))
@example(b"<?xml version='1.0' encoding='idna'?><p/>")
@example(b"<?xml version='1.0' encoding='undefined'?><p/>")
@example(b"<?xml version='1.0' encoding='rot13'?><p/>")
@example(b"<?xml version='1.0' encoding='unicode_escape'?><p/>")
def test_law_whatever_is_read_is_a_template_or_an_error_of_ours(source: bytes | str) -> None:
    with contextlib.suppress(TemplateSyntaxError):
        assert XMLString(source).load()


# --- files ---------------------------------------------------------------------------------------------------------------


def test_a_file_is_read_when_it_is_needed(tmp_path: Path) -> None:
    path = FilePath(str(tmp_path / "page.xml"))
    loader = XMLFile(path)
    assert repr(loader) == f"<XMLFile of {path!r}>"
    with pytest.raises(FileNotFoundError, match=r"page\.xml"):
        loader.load()
    path.setContent(b"<p><b/></p>")
    [tag] = loader.load()
    assert isinstance(tag, Tag)
    assert tag.filename == path.path
    assert loader.load()[0] is tag
    assert verifyObject(ITemplateLoader, loader)


def test_an_error_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "page.xml"
    path.write_text("<p>")
    with pytest.raises(TemplateSyntaxError, match=r"page\.xml, line 1, column 3: no element found") as caught:
        XMLFile(path).load()
    assert caught.value.filename == str(path)
    path.write_bytes(b" " * (MAX_TEMPLATE + 1))
    with pytest.raises(TemplateSyntaxError, match=r"page\.xml: longer than"):
        XMLFile(path).load()


def test_names_and_open_files_are_deprecated(tmp_path: Path) -> None:
    path = tmp_path / "page.xml"
    path.write_text("<p/>")
    for source in (str(path), path.read_text and io.StringIO("<p/>"), io.BytesIO(b"<p/>")):
        with pytest.warns(DeprecationWarning, match="Pass a FilePath instead") as warned:
            loader = XMLFile(source)
        assert warned[0].filename == __file__
        assert flat(loader.load()) == b"<p></p>"


def test_a_tag_is_a_template() -> None:
    loader = TagLoader(tags.p("x"))
    assert verifyObject(ITemplateLoader, loader)
    assert flat(Element(loader)) == b"<p>x</p>"


def test_a_template_is_filled_by_its_element() -> None:
    class Page(Element):
        loader = XMLString(f'<p {T}><b t:render="name"/><t:transparent t:render="later"/></p>')

        @renderer
        def name(self, request: Any, tag: Tag) -> Any:
            return tag("x")

        @renderer
        def later(self, request: Any, tag: Tag) -> Any:
            waited: Deferred[str] = Deferred()
            waited.callback("y")
            return waited

    assert flat([Page(), Page()]) == b"<p><b>x</b>y</p>" * 2
