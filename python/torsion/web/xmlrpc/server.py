"""Resources whose methods are called by XML-RPC."""

from __future__ import annotations

import xmlrpc.client
from collections.abc import Callable
from inspect import cleandoc
from typing import Any, Final, TypeVar

from torsion.internet.defer import Deferred, maybeDeferred
from torsion.logger import Logger
from torsion.python.failure import Failure
from torsion.python.reflect import prefixedMethodNames
from torsion.web.http.status import INTERNAL_SERVER_ERROR
from torsion.web.resource import NOT_DONE_YET, Resource

from .reading import MAX_LENGTH, TooLong, load

__all__ = [
    "FAILURE",
    "NOT_FOUND",
    "XMLRPC",
    "Handler",
    "NoSuchFunction",
    "XMLRPCIntrospection",
    "addIntrospection",
    "withRequest",
]

NOT_FOUND: Final = 8001
"""The code of the fault that says that there is no such method."""

FAILURE: Final = 8002
"""The code of the fault that says that a method has failed, or what was sent or returned cannot be read or written."""

_log: Final = Logger()
_Function = TypeVar("_Function", bound=Callable[..., Any])


def withRequest(f: _Function) -> _Function:
    """Have a method be called with the request before its arguments; a decorator."""
    f.withRequest = True  # type: ignore[attr-defined]  # any function takes attributes
    return f


class NoSuchFunction(xmlrpc.client.Fault):
    """There is no method of the name that was called."""


class Handler:
    """A call that goes on by itself: a method returns one, and its ``result`` is what the call returns.

    :ivar resource: the resource whose method returned it.
    :ivar result: a Deferred; :meth:`run` has it fire.
    """

    def __init__(self, resource: XMLRPC, *args: Any) -> None:
        """Begin.

        :param args: for :meth:`run`.
        """
        self.resource = resource
        self.result: Deferred[Any] = Deferred()
        self.run(*args)

    def run(self, *args: Any) -> None:
        """Do what was called for: override this."""
        raise NotImplementedError(f"{type(self).__name__} has no run()")


class XMLRPC(Resource):
    """A resource whose methods are called by XML-RPC: those whose names begin with ``xmlrpc_``.

    They are called with what was sent, and return what can be sent back, or a Deferred that fires with that, or are ``async
    def``.  A :class:`Fault` is sent as it is, returned or raised; what else is raised is logged, and the client only told that it was.

    :cvar NOT_FOUND: the code of the fault for a method that is not there.
    :cvar FAILURE: the code of the fault for whatever else goes wrong.
    :cvar separator: what stands in a name between that of another resource, given to :meth:`putSubHandler`, and its method.
    :cvar allowedMethods: what is answered of HTTP.
    :ivar allowNone: whether None can be sent, which not all clients know.
    :ivar useDateTime: whether methods get ``datetime`` objects, and not :class:`DateTime`.
    """

    NOT_FOUND = NOT_FOUND
    FAILURE = FAILURE

    isLeaf = True
    separator = "."
    allowedMethods: Any = (b"POST",)

    def __init__(self, allowNone: bool = False, useDateTime: bool = False) -> None:
        """Make a resource.

        :param allowNone: whether None can be sent.
        :param useDateTime: whether methods get ``datetime`` objects.
        """
        super().__init__()
        self.subHandlers: dict[str, XMLRPC] = {}
        self.allowNone = allowNone
        self.useDateTime = useDateTime

    def putSubHandler(self, prefix: str, handler: XMLRPC) -> None:
        """Have another resource answer for names that begin with *prefix* and :attr:`separator`."""
        self.subHandlers[prefix] = handler

    def getSubHandler(self, prefix: str) -> XMLRPC | None:
        """Return the resource that answers for names that begin so; None if there is none."""
        return self.subHandlers.get(prefix)

    def getSubHandlerPrefixes(self) -> list[str]:
        """Return what names can begin with that other resources answer for."""
        return list(self.subHandlers)

    def lookupProcedure(self, procedurePath: str) -> Callable[..., Any]:
        """Return what is to be called by a name; may be overridden.

        :raises NoSuchFunction: if there is nothing, or another :class:`Fault` to send instead.
        """
        prefix, separator, rest = procedurePath.partition(self.separator)
        if separator:
            handler = self.getSubHandler(prefix)
            if handler is None:
                raise NoSuchFunction(self.NOT_FOUND, f"no such subHandler {prefix}")
            return handler.lookupProcedure(rest)
        function = getattr(self, f"xmlrpc_{procedurePath}", None)
        if function is None:
            raise NoSuchFunction(self.NOT_FOUND, f"procedure {procedurePath} not found")
        if not callable(function):
            raise NoSuchFunction(self.NOT_FOUND, f"procedure {procedurePath} not callable")
        found: Callable[..., Any] = function
        return found

    def listProcedures(self) -> list[str]:
        """Return the names of the methods that can be called, for introspection."""
        return prefixedMethodNames(type(self), "xmlrpc_")

    def render_POST(self, request: Any) -> int:
        """Answer a call."""
        request.content.seek(0, 0)
        request.setHeader(b"content-type", b"text/xml; charset=utf-8")
        left: list[Failure] = []
        try:
            data = request.content.read(MAX_LENGTH + 1)
            args, path = load(data, self.useDateTime)
            if path is None:
                raise ValueError("there is no methodCall in it")
        except TooLong as error:
            self._cbRender(xmlrpc.client.Fault(self.FAILURE, f"Can't deserialize input: {error}"), request, left)
            return NOT_DONE_YET
        except Exception as error:  # noqa: BLE001 - the stdlib's reader raises anything for what it cannot read
            self._cbRender(xmlrpc.client.Fault(self.FAILURE, f"Can't deserialize input: {error}"), request, left)
            return NOT_DONE_YET
        request.notifyFinish().addErrback(left.append)
        maybeDeferred(self._called, path, args, request).addErrback(self._ebRender).addCallback(
            self._cbRender, request, left
        )
        return NOT_DONE_YET

    def _called(self, path: str, args: tuple[Any, ...], request: Any) -> Any:
        """Call a method, and return what it does."""
        function = self.lookupProcedure(path)
        if getattr(function, "withRequest", False):
            args = (request, *args)
        return maybeDeferred(function, *args).addCallback(_of_handler)

    def _cbRender(self, result: Any, request: Any, left: list[Failure]) -> None:
        """Send what a call returned, or a fault."""
        if left:
            return
        try:
            content = self._written(result)
        except Exception:  # noqa: BLE001 - a fault that cannot be written either
            _log.failure("what a call returned cannot be written")
            request.setResponseCode(INTERNAL_SERVER_ERROR)
        else:
            request.setHeader(b"content-length", b"%d" % len(content))
            request.write(content)
        request.finish()

    def _written(self, result: Any) -> bytes:
        """Return the XML of what a call returned."""
        if not isinstance(result, xmlrpc.client.Fault):
            result = (result,)
        try:
            text = xmlrpc.client.dumps(result, methodresponse=True, allow_none=self.allowNone)
            return text.encode("utf-8")
        except Exception as error:  # noqa: BLE001 - whatever the stdlib's writer or the value's own methods raise
            fault = xmlrpc.client.Fault(self.FAILURE, f"Can't serialize output: {error}")
            text = xmlrpc.client.dumps(fault, methodresponse=True, allow_none=self.allowNone)
            return text.encode("utf-8", "backslashreplace")

    def _ebRender(self, failure: Failure) -> xmlrpc.client.Fault:
        """Return the fault to send when a call has failed."""
        if isinstance(failure.value, xmlrpc.client.Fault):
            return failure.value
        _log.failure("a method called by XML-RPC has failed", failure=failure)
        return xmlrpc.client.Fault(self.FAILURE, "error")


def _of_handler(result: Any) -> Any:
    """Return what a call returned, which may go on in a handler."""
    return result.result if isinstance(result, Handler) else result


def _signature(*types: list[str]) -> Callable[[_Function], _Function]:
    """Say which types a method takes; a decorator."""

    def said(function: _Function) -> _Function:
        function.signature = list(types)  # type: ignore[attr-defined]  # any function takes attributes
        return function

    return said


class XMLRPCIntrospection(XMLRPC):
    """Tells which methods another resource has: ``system.listMethods`` and the like.

    A method's attribute ``signature`` is what types it takes, a list of lists whose first is of what it returns; its attribute ``help``,
    or its documentation, is what it is for.
    """

    def __init__(self, parent: XMLRPC) -> None:
        """Tell of *parent*."""
        super().__init__()
        self._parent = parent

    @_signature(["array"])
    def xmlrpc_listMethods(self) -> list[str]:
        """Return the names of all methods that can be called."""
        found: list[str] = []
        todo: list[tuple[XMLRPC, str]] = [(self._parent, "")]
        while todo:
            resource, prefix = todo.pop(0)
            found += [prefix + name for name in resource.listProcedures()]
            for each in resource.getSubHandlerPrefixes():
                handler = resource.getSubHandler(each)
                if handler is not None:
                    todo.append((handler, prefix + each + resource.separator))
        return found

    @_signature(["string", "string"])
    def xmlrpc_methodHelp(self, method: str) -> str:
        """Return what a method is for; an empty text if that is not known."""
        function = self._parent.lookupProcedure(method)
        text = getattr(function, "help", None) or getattr(function, "__doc__", None) or ""
        return cleandoc(text)

    @_signature(["array", "string"], ["string", "string"])
    def xmlrpc_methodSignature(self, method: str) -> Any:
        """Return which types a method takes, as lists of names of types; an empty text if that is not known."""
        function = self._parent.lookupProcedure(method)
        return getattr(function, "signature", None) or ""


def addIntrospection(xmlrpc: XMLRPC) -> None:
    """Have clients be able to ask which methods a resource has, by the names that begin with ``system``."""
    xmlrpc.putSubHandler("system", XMLRPCIntrospection(xmlrpc))
