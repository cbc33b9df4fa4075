"""Pages become bytes, piece by piece: what is known is written at once, what is not there yet is waited for in its place.

Nothing here calls itself: what is inside of what is kept in a list of frames, so that a page may be as deep as it likes up to
:data:`MAX_DEPTH`.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator
from types import CoroutineType, GeneratorType
from typing import Any, Final

from zope.interface import implementer

from torsion.internet.defer import CancelledError, Deferred, ensureDeferred
from torsion.internet.interfaces import IPushProducer
from torsion.python.failure import Failure
from torsion.web.error import FlattenerError, UnfilledSlot, UnsupportedType
from torsion.web.iweb import IRenderable

from .stan import CDATA, VOID_TAGS, CharRef, Comment, Flattenable, Tag, slot
from .writing import attribute_escaped, cdata, comment, encoded, tag_name, text_escaped

__all__ = ["BUFFER_SIZE", "MAX_DEPTH", "Flattening", "flatten", "flattenString"]

BUFFER_SIZE: Final = 64 * 1024
"""What is known is written in pieces of about so many bytes: larger ones would only be memory."""

MAX_DEPTH: Final = 10_000
"""So many things may be inside of each other: pages have dozens.  A slot that is filled with itself, and a render method that
returns the element that it belongs to, have no end, and would take all memory."""

_NOTHING: Final = object()


class _Markup:
    """Bytes that are written as they are."""

    __slots__ = ("data",)

    def __init__(self, data: bytes) -> None:
        self.data = data


class _Value:
    """What an attribute says, between its quotation marks."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value


class _Frame:
    """A place in a page where something is inside of something else.

    ``fillings`` are those of slots, the innermost first: a chain of pairs. ``quoted`` is inside of how many attributes the place is; what
    stands in an attribute itself, and not in a tag in it, is ``bare``: its text is escaped for an attribute only. ``end`` follows.
    """

    __slots__ = ("bare", "element", "end", "fillings", "items", "quoted", "root")

    def __init__(
        self, items: Iterator[Any], root: Any, fillings: Any, element: Any, quoted: int, bare: bool, end: bytes = b""
    ) -> None:
        self.items = items
        self.root = root
        self.fillings = fillings
        self.element = element
        self.quoted = quoted
        self.bare = bare
        self.end = end


@implementer(IPushProducer)
class Flattening:
    """The making of one page: a push producer, which can be held back between two pieces."""

    def __init__(self, request: Any, write: Callable[[bytes], object]) -> None:
        self._held: Deferred[None] | None = None
        self._request = request
        self._write = write
        self._pieces: list[bytes] = []
        self._size = 0
        self._frames: list[_Frame] = []

    async def run(self, root: Any) -> None:
        """Write the page that *root* is.

        :raises FlattenerError: if anything raises.
        """
        frames = self._frames
        frames.append(_Frame(iter((root,)), _NOTHING, None, None, 0, False))
        try:
            while frames:
                frame = frames[-1]
                for item in frame.items:
                    waited = self._add(item, frame)
                    if waited is not None:
                        self._flush()
                        frames[-1].items = iter((await waited,))
                    if self._held is not None:
                        await self._held
                    if frames[-1] is not frame:
                        break
                else:
                    frames.pop()
                    if frame.end:
                        self._put(frame.end)
            self._flush()
        except Exception as error:
            roots = [frame.root for frame in frames if frame.root is not _NOTHING]
            raise FlattenerError(error, roots, traceback.extract_tb(error.__traceback__)) from error

    def pauseProducing(self) -> None:
        """Make no more of the page for now."""
        if self._held is None:
            self._held = Deferred()

    def resumeProducing(self) -> None:
        """Go on."""
        held, self._held = self._held, None
        if held is not None:
            held.callback(None)

    def stopProducing(self) -> None:
        """Be told that nobody wants the page any more.  Whoever cancels its Deferred ends it."""

    def _put(self, data: bytes) -> None:
        """Write these bytes, some time."""
        self._pieces.append(data)
        self._size += len(data)
        if self._size >= BUFFER_SIZE:
            self._flush()

    def _flush(self) -> None:
        """Write what there is."""
        if self._pieces:
            data = b"".join(self._pieces)
            self._pieces.clear()
            self._size = 0
            self._write(data)

    def _put_text(self, data: bytes, frame: _Frame) -> None:
        """Write text at a place."""
        if not frame.bare:
            data = text_escaped(data)
        if frame.quoted:
            data = _quoted(data, frame.quoted)
        self._put(data)

    def _enter(self, inside: Iterator[Any], root: Any, frame: _Frame) -> None:
        """Go on with what is inside of *root*, which stands at *frame*.

        :raises RecursionError: if that is too deep.
        """
        if len(self._frames) >= MAX_DEPTH:
            raise RecursionError(
                f"more than {MAX_DEPTH} things inside of each other: is a slot filled with itself, or does a render method return its own element?"
            )
        self._frames.append(_Frame(inside, root, frame.fillings, frame.element, frame.quoted, frame.bare))

    def _add(self, item: Any, frame: _Frame) -> Deferred[Any] | None:
        """Write something that stands at *frame*, or enter it.

        :returns: what is to be waited for, if anything; what it gives goes into the frame that was entered.
        """
        kind = type(item)
        if kind is str:
            self._put_text(item.encode("utf-8"), frame)
        elif kind is Tag:
            self._add_tag(item, frame)
        elif kind is _Markup:
            self._put(item.data)
        elif kind is list or kind is tuple:
            self._enter(iter(item), item, frame)
        elif kind is _Value:
            self._enter(iter((item.value,)), _NOTHING, frame)
            entered = self._frames[-1]
            entered.quoted, entered.bare = frame.quoted + 1, True
        else:
            return self._add_other(item, frame)
        return None

    def _add_other(self, item: Any, frame: _Frame) -> Deferred[Any] | None:
        """Do so with what is less common, and with classes derived from the common ones."""
        if isinstance(item, str | bytes):
            self._put_text(encoded(item), frame)
        elif isinstance(item, slot):
            value = _filling(item, frame.fillings)
            if type(value) is str:
                self._put_text(value.encode("utf-8"), frame)
            else:
                self._enter(iter((value,)), item, frame)
        elif isinstance(item, Tag):
            self._add_tag(item, frame)
        elif isinstance(item, tuple | list | GeneratorType):
            self._enter(iter(item), item, frame)
        elif isinstance(item, CDATA):
            self._put(_quoted(cdata(encoded(item.data)), frame.quoted))
        elif isinstance(item, Comment):
            self._put(_quoted(comment(encoded(item.data)), frame.quoted))
        elif isinstance(item, CharRef):
            self._put(_quoted(b"&#%d;" % item.ordinal, frame.quoted - frame.bare))
        elif isinstance(item, Deferred):
            self._enter(iter(()), item, frame)
            return _fork(item)
        elif isinstance(item, CoroutineType):
            self._enter(iter(()), item, frame)
            return ensureDeferred(item)
        elif IRenderable.providedBy(item):
            self._enter(iter(()), item, frame)
            entered = self._frames[-1]
            entered.element = item
            entered.items = iter((item.render(self._request),))
        else:
            raise UnsupportedType(item)
        return None

    def _add_tag(self, tag: Tag, frame: _Frame) -> None:
        """Write a tag, or have it rendered."""
        fillings = frame.fillings if tag.slotData is None else (tag.slotData, frame.fillings)
        if tag.render is not None:
            if frame.element is None:
                raise ValueError(
                    f'Tag wants to be rendered by method "{tag.render}" but is not contained in any IRenderable'
                )
            clone = tag.clone(deep=False)
            clone.render = None
            self._enter(iter(()), tag, frame)
            self._frames[-1].items = iter((frame.element.lookupRenderMethod(tag.render)(self._request, clone),))
            return
        self._enter(iter(()), tag, frame)
        entered = self._frames[-1]
        entered.fillings = fillings
        children = tag.children
        if not tag.tagName:
            entered.items = iter(children)
            return
        entered.bare = False
        name = tag_name(tag.tagName)
        steps: list[Any] = []
        markup = b"<" + name
        for key, value in tag.attributes.items():
            markup += b" " + tag_name(key) + b'="'
            if isinstance(value, str | bytes):
                markup += attribute_escaped(encoded(value)) + b'"'
            else:
                steps += (_Markup(_quoted(markup, frame.quoted)), _Value(value))
                markup = b'"'
        if children or name not in VOID_TAGS:
            markup += b">"
            end = b"</" + name + b">"
        else:
            markup += b" />"
            end = b""
        if steps:
            steps += (_Markup(_quoted(markup, frame.quoted)), children)
            entered.items = iter(steps)
            entered.end = _quoted(end, frame.quoted)
        elif not children:
            self._frames.pop()
            self._put(_quoted(markup + end, frame.quoted))
        elif len(children) == 1 and type(children[0]) is str:  # most tags have a piece of text in them
            text = text_escaped(children[0].encode("utf-8"))
            self._frames.pop()
            self._put(_quoted(markup + text + end, frame.quoted))
        else:
            self._put(_quoted(markup, frame.quoted))
            entered.items = iter(children)
            entered.end = _quoted(end, frame.quoted)


def _quoted(data: bytes, times: int) -> bytes:
    """Return *data* as it stands inside of so many attributes."""
    for _ in range(times):
        data = attribute_escaped(data)
    return data


def _filling(place: slot, fillings: Any) -> Any:
    """Return what a slot is filled with.

    :raises UnfilledSlot: if that is nothing.
    """
    name = place.name
    while fillings is not None:
        filling, fillings = fillings
        if name in filling:
            return filling[name]
    if place.default is None:
        raise UnfilledSlot(name)
    return place.default


def _fork(source: Deferred[Any]) -> Deferred[Any]:
    """Return a Deferred that has what *source* has, and leaves it there; if it is cancelled, so is *source*."""

    def cancel(_: Deferred[Any]) -> None:
        source.cancel()
        source.addErrback(_quiet)  # those who hold it have been told, and nobody needs to read of it in a log

    forked: Deferred[Any] = Deferred(cancel)

    def passed(result: Any) -> Any:
        if isinstance(result, Failure):
            forked.errback(result)
        else:
            forked.callback(result)
        return result

    source.addBoth(passed)
    return forked


def _quiet(failure: Failure) -> None:
    failure.trap(CancelledError)


def flatten(request: Any, root: Flattenable, write: Callable[[bytes], object]) -> Deferred[None]:
    """Make bytes of a page, in pieces, as soon as they are known.

    Text is escaped where it stands: between tags ``&``, ``<`` and ``>``, in attributes ``"`` too; a tag in an attribute is escaped such
    that it can be read from there again.  A Deferred or a coroutine is waited for; what stands before it is written by then.

    :param request: what render methods are called with.
    :param root: the page: anything that can be flattened.
    :param write: called with each piece, about :data:`BUFFER_SIZE` bytes or fewer.
    :returns: fires with None once all is written.  It fails with a :class:`torsion.web.error.FlattenerError` when anything raises; if it is
        cancelled, so is what is being waited for.
    """
    return ensureDeferred(Flattening(request, write).run(root))


def flattenString(request: Any, root: Flattenable) -> Deferred[bytes]:
    """Make bytes of a page.

    :param request: what render methods are called with.
    :param root: the page: anything that can be flattened.
    :returns: fires with the page; fails as :func:`flatten` does.
    """
    pieces: list[bytes] = []

    def joined(_: None) -> bytes:
        return b"".join(pieces)

    return flatten(request, root, pieces.append).addCallback(joined)
