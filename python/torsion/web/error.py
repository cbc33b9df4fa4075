"""What goes wrong on the web: codes that are errors, redirections that lead nowhere, templates that cannot be rendered."""

from __future__ import annotations

import traceback as tracebacks
from collections.abc import Sequence
from typing import Any, Final

from torsion.web.codes import RESPONSES

__all__ = [
    "Error",
    "ExcessiveBufferingError",
    "FlattenerError",
    "InfiniteRedirection",
    "MisplacedDirective",
    "MissingRenderMethod",
    "MissingTemplateLoader",
    "PageRedirect",
    "RedirectWithNoLocation",
    "RenderError",
    "SchemeNotSupported",
    "TemplateSyntaxError",
    "UnexposedMethodError",
    "UnfilledSlot",
    "UnsupportedMethod",
    "UnsupportedSpecialHeader",
    "UnsupportedType",
]

_EXCERPT: Final = 20
"""So many characters of each end of a long text are shown where one stands in a template that cannot be rendered."""


def _codeToMessage(code: bytes | int) -> bytes | None:
    """Return the reason phrase of a status code; None if it has none, or is no number."""
    try:
        return RESPONSES.get(int(code))
    except (TypeError, ValueError):
        return None


class PotentialDataLoss(Exception):
    """The connection was closed, and whether the body was complete nobody can say: only its end would have told."""

    __module__ = "torsion.web.http"  # where it is public; clients, which raise it, do without the rest of that


class Error(Exception):
    """A response whose status code says that something is wrong.

    :ivar status: the code, as three digits.
    :ivar message: the reason; None if the code has none.
    :ivar response: the body of the response, or None.
    """

    status: bytes
    message: bytes | None
    response: bytes | None

    def __init__(self, code: int | bytes, message: bytes | None = None, response: bytes | None = None) -> None:
        """Say what came.

        :param code: the status code, a number or its digits.
        :param message: the reason; what belongs to the code if it is not given.
        :param response: the body.
        :raises ValueError: if *code* is no number.
        """
        if isinstance(code, bytes) and not code.isdigit():
            raise ValueError(f"{code!r} is no status code: one is three digits")
        self.status = b"%d" % code if isinstance(code, int) else code
        self.message = message or _codeToMessage(code)
        self.response = response
        super().__init__(self.status, self.message, response)

    def __str__(self) -> str:
        said = self.status if not self.message else self.status + b" " + self.message
        return said.decode("utf-8", "backslashreplace")


class _Moved(Error):
    """A redirection, which may say where to."""

    location: bytes | None

    def __init__(
        self,
        code: int | bytes,
        message: bytes | None = None,
        response: bytes | None = None,
        location: bytes | None = None,
    ) -> None:
        """Say what came.

        :param code: the status code, a number or its digits.
        :param message: the reason; what belongs to the code if it is not given.
        :param response: the body.
        :param location: where the response leads.
        :raises ValueError: if *code* is no number.
        """
        super().__init__(code, message, response)
        if self.message and location:
            self.message += b" to " + location
        self.location = location


class PageRedirect(_Moved):
    """A request was redirected, and this is not followed.

    :ivar location: where it leads.
    """


class InfiniteRedirection(_Moved):
    """A request was redirected more often than is followed.

    :ivar location: where the last one leads.
    """


class RedirectWithNoLocation(Error):
    """A redirection that does not say where to.

    :ivar uri: what was asked for.
    """

    def __init__(self, code: bytes | int, message: bytes, uri: bytes) -> None:
        """Say what came.

        :param code: the status code.
        :param message: the reason.
        :param uri: what was asked for.
        """
        super().__init__(code, message)
        self.message = (self.message or b"") + b" to " + uri
        self.uri = uri


class UnsupportedMethod(Exception):
    """A resource does not know the request's method.

    :ivar allowedMethods: those that it knows, as bytes.
    """

    allowedMethods: Sequence[bytes] = ()

    def __init__(self, allowedMethods: Sequence[bytes], *args: object) -> None:
        """Say which methods it knows.

        :raises TypeError: if *allowedMethods* is no sequence of methods.
        """
        super().__init__(allowedMethods, *args)
        if isinstance(allowedMethods, str | bytes) or not isinstance(allowedMethods, Sequence):
            raise TypeError(f"allowedMethods must be a list of the methods that are supported, not {allowedMethods!r}")
        self.allowedMethods = allowedMethods

    def __str__(self) -> str:
        return f"Expected one of {self.allowedMethods!r}"


class SchemeNotSupported(Exception):
    """A URI's scheme is none that is known here."""


class UnsupportedSpecialHeader(Exception):
    """A field of a request was given that has a meaning which is not supported."""


class ExcessiveBufferingError(Exception):
    """More would have to be kept in memory than is allowed."""


class RenderError(Exception):
    """Something is wrong with a template, or with what it is filled with."""


class MissingRenderMethod(RenderError):
    """A template asks for a render method that its element does not have.

    :ivar element: the element.
    :ivar renderName: the method's name.
    """

    def __init__(self, element: object, renderName: str) -> None:
        super().__init__(element, renderName)
        self.element = element
        self.renderName = renderName

    def __repr__(self) -> str:
        return f"{type(self).__name__!r}: {self.element!r} had no render method named {self.renderName!r}"


class MissingTemplateLoader(RenderError):
    """An element is rendered that has no template.

    :ivar element: the element.
    """

    def __init__(self, element: object) -> None:
        super().__init__(element)
        self.element = element

    def __repr__(self) -> str:
        return f"{type(self).__name__!r}: {self.element!r} had no loader"


class TemplateSyntaxError(RenderError, ValueError):
    """A template is not well-formed XML, or says what cannot be done.

    :ivar reason: what is wrong.
    :ivar filename: the file that it is from, or None.
    :ivar lineNumber: the line where it is, from 1, or None.
    :ivar columnNumber: the column, from 0, or None.
    """

    def __init__(
        self, reason: str, filename: str | None = None, lineNumber: int | None = None, columnNumber: int | None = None
    ) -> None:
        super().__init__(reason, filename, lineNumber, columnNumber)
        self.reason = reason
        self.filename = filename
        self.lineNumber = lineNumber
        self.columnNumber = columnNumber

    def __str__(self) -> str:
        where = [] if self.filename is None else [self.filename]
        if self.lineNumber is not None:
            where.append(f"line {self.lineNumber}, column {self.columnNumber}")
        return ": ".join([", ".join(where), self.reason] if where else [self.reason])


class MisplacedDirective(TemplateSyntaxError, AssertionError):
    """An element of a template that means something stands where it means nothing, or lacks its name."""


class UnexposedMethodError(Exception):
    """A template asks for a method that is not meant for it."""


class UnfilledSlot(Exception):
    """A slot of a template is filled with nothing, and has no default."""


class UnsupportedType(Exception):
    """Something is in a template that cannot become HTML."""


class FlattenerError(Exception):
    """What was raised while a template became bytes, and where in it that was."""

    def __init__(self, exception: BaseException, roots: Sequence[object], traceback: Any) -> None:
        """Say what was raised.

        :param exception: the exception.
        :param roots: what stands around the place, the outermost first.
        :param traceback: as ``traceback.extract_tb`` gives it; or None.
        """
        self._exception = exception
        self._roots = list(roots)
        self._traceback = traceback
        super().__init__(exception, roots, traceback)

    def _formatRoot(self, obj: Any) -> str:
        """Return what *obj* is, in a line."""
        if isinstance(obj, bytes | str):
            if len(obj) <= 2 * _EXCERPT:
                return ascii(obj)
            cut = obj[:_EXCERPT] + (b"<...>" if isinstance(obj, bytes) else "<...>") + obj[-_EXCERPT:]  # type: ignore[operator]  # all three are of one type
            return ascii(cut)
        name = getattr(obj, "tagName", None)  # templates stand on this module, not this module on them
        if name is None:
            return repr(obj)
        if getattr(obj, "filename", None) is None:
            return f"Tag <{name}>"
        return f'File "{obj.filename}", line {obj.lineNumber}, column {obj.columnNumber}, in "{name}"'

    def __repr__(self) -> str:
        lines = ["Exception while flattening:\n"]
        lines += [f"  {self._formatRoot(root)}\n" for root in self._roots]
        if self._traceback is not None:
            lines += tracebacks.format_list(self._traceback)
        lines += tracebacks.format_exception_only(type(self._exception), self._exception)
        return "".join(lines)

    def __str__(self) -> str:
        return repr(self)
