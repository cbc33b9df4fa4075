"""Tags, and what is in them."""

from __future__ import annotations

import pytest

from torsion.web.template import CDATA, VALID_HTML_TAG_NAMES, CharRef, Comment, Tag, slot, tags


def test_calling_a_tag_adds_to_it() -> None:
    tag = Tag("p")
    assert tag("a", ["b"], class_="c", from__="d", _e="f", render="method") is tag
    assert tag.children == ["a", ["b"]]
    assert tag.attributes == {"class": "c", "from_": "d", "_e": "f"}
    assert tag.render == "method"
    assert repr(tag) == "Tag('p', attributes={'class': 'c', 'from_': 'd', '_e': 'f'}, children=['a', ['b']])"
    assert tag.clear() is tag
    assert tag.children == []
    assert tag.attributes["class"] == "c"


def test_the_name_of_a_render_method_is_text() -> None:
    with pytest.raises(TypeError, match=r'Value for "render" attribute must be str, got 83'):
        tags.p(render=83)  # type: ignore[arg-type]  # that is the point


def test_a_shallow_clone_has_its_own_attributes_children_and_fillings() -> None:
    inner = Tag("b")
    tag = Tag("p", {"k": "v"}, [inner], "method", "page.xml", 3, 4).fillSlots(name="x")
    copy = tag.clone(deep=False)
    assert (copy.tagName, copy.render, copy.filename, copy.lineNumber, copy.columnNumber) == (
        "p", "method", "page.xml", 3, 4
    )  # fmt: skip
    assert copy.children[0] is inner
    copy("more", k="w").fillSlots(name="y")
    assert (tag.attributes, tag.children, tag.slotData) == ({"k": "v"}, [inner], {"name": "x"})


def test_a_deep_clone_shares_nothing_that_can_change() -> None:
    inner = Tag("b")
    tag = Tag("p", {"k": inner}, [inner, [inner], (inner, "x")]).fillSlots(name=inner)
    copy = tag.clone()
    found = [copy.attributes["k"], copy.children[0], copy.children[1][0], copy.children[2][0], copy.slotData["name"]]  # type: ignore[index]  # they are what was cloned
    assert all(isinstance(each, Tag) and each is not inner for each in found)
    assert isinstance(copy.children[2], tuple)


def test_what_can_be_used_once_is_not_to_be_cloned() -> None:
    async def later() -> str:
        return ""

    coroutine = later()
    with pytest.warns(DeprecationWarning, match="a coroutine is unsafe"):
        Tag("p", children=[coroutine]).clone()
    coroutine.close()
    with pytest.warns(DeprecationWarning, match="a generator is unsafe"):
        Tag("p", children=[(each for each in "ab")]).clone()


def test_what_they_look_like() -> None:
    assert repr(CDATA("a")) == "CDATA('a')"
    assert repr(Comment("a")) == "Comment('a')"
    assert repr(CharRef(9)) == "CharRef(9)"
    assert repr(slot("a", "b", "f", 1, 2)) == (
        "slot(name='a', children=[], default='b', filename='f', lineNumber=1, columnNumber=2)"
    )


def test_tags_of_html_are_made_by_name() -> None:
    assert tags.video.tagName == "video"
    assert tags.video is not tags.video
    assert tags.del_.tagName == "del"
    assert tags.transparent.tagName == ""
    assert {"main", "dialog", "track"} < VALID_HTML_TAG_NAMES
    for name in ("invalid", "xmp", "plaintext"):
        with pytest.raises(AttributeError, match=f"unknown tag '{name}'"):
            getattr(tags, name)
