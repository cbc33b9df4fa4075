"""Resources: the tree that a site is made of.  Each answers for a URL, and leads to those below."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from zope.interface import Attribute, Interface, implementer

from torsion.python.components import proxyForInterface
from torsion.python.deprecate import deprecatedModuleAttribute
from torsion.python.reflect import prefixedMethodNames
from torsion.python.versions import Version
from torsion.web.error import UnsupportedMethod
from torsion.web.http.status import FORBIDDEN, NOT_FOUND
from torsion.web.pagestyle import styled

__all__ = [
    "NOT_DONE_YET",
    "EncodingResourceWrapper",
    "ErrorPage",
    "ForbiddenResource",
    "IResource",
    "NoResource",
    "Resource",
    "getChildForRequest",
]


NOT_DONE_YET: Final = 1
"""What a renderer returns if the response is written and finished by whoever is at it; ``web.server`` has it, too."""


class IResource(Interface):
    """What answers for a URL, and for those below it."""

    isLeaf = Attribute(
        "Whether it answers for all URLs below it, too: then it is not asked for children, and finds the rest of the "
        "path in the request's ``postpath``."
    )

    def getChildWithDefault(name: bytes, request: Any) -> Any:  # noqa: N805 - an interface's methods have no self
        """Return the resource for the next segment of a path.

        :param name: the segment, its escapes resolved; empty behind a slash at the end.
        :param request: it may be looked at; its ``prepath`` and ``postpath`` say where we are.
        :returns: a resource; there always is one, if only to say that nothing is there.
        """

    def putChild(path: bytes, child: Any) -> None:  # noqa: N805 - as above
        """Put a resource below this one.

        :param path: the segment, its escapes resolved, without slashes.
        :param child: the resource.
        """

    def render(request: Any) -> Any:  # noqa: N805 - as above
        """Answer a request.

        :returns: the body, as bytes; or ``server.NOT_DONE_YET`` where ``request.write`` and ``request.finish`` are called
            by whoever is at it; or a Deferred or a coroutine of either.
        :raises UnsupportedMethod: if the request's method is none for it.
        """


def _checked(resource: Any) -> Any:
    """Return *resource*, which must not be a class, or text: what is forgotten easily would only be told of with each request.

    :raises TypeError: if it is.
    """
    if isinstance(resource, type) and not IResource.providedBy(resource):
        raise TypeError(f"a resource is an object, not the class {resource.__name__}: write {resource.__name__}()")
    if isinstance(resource, (str, bytes)):
        raise TypeError(
            f"a resource is an object, not {resource!r}: static.File serves files, static.Data serves bytes"
        )
    return resource


_RENDERERS: Final = {
    method: "render_" + method.decode()
    for method in (b"GET", b"HEAD", b"POST", b"PUT", b"DELETE", b"PATCH", b"OPTIONS", b"CONNECT", b"TRACE")
}
"""The names of the usual methods' renderers, made beforehand."""


@implementer(IResource)
class Resource:
    """A resource that has children by name, and a method ``render_GET`` (or ``render_POST``, …) for each of HTTP's.

    Such a method takes the request, and gives what :meth:`IResource.render` says.  A subclass may make children as they
    are asked for, in :meth:`getChild`; or be a leaf.

    :ivar children: those that were put, by their names.
    :cvar isLeaf: whether it answers for everything below it.
    :cvar allowedMethods: the methods that it knows, as bytes; without this, those that it has renderers for.
    """

    entityType = IResource
    server: Any = None
    isLeaf: bool | int = False
    children: dict[bytes, Any]
    allowedMethods: Sequence[bytes]

    def __init__(self) -> None:
        self.children = {}

    # What it leads to

    def getChild(self, path: bytes, request: Any) -> Any:
        """Return a resource that was not put: here, one that says that nothing is there.  For subclasses.

        :param path: the segment of the path.
        :param request: the request.
        """
        return _Missing("No such child resource.")

    def getChildWithDefault(self, path: bytes, request: Any) -> Any:
        """Return the child that was put for *path*, else what :meth:`getChild` makes."""
        child = self.children.get(path)
        return self.getChild(path, request) if child is None else child

    def getChildForRequest(self, request: Any) -> Any:
        """Return what the rest of the request's path leads to; deprecated, see the function of this name."""
        import warnings

        warnings.warn("Please use module level getChildForRequest.", DeprecationWarning, 2)
        return getChildForRequest(self, request)

    def putChild(self, path: bytes, child: Any) -> None:
        """Have *child* answer for what is below *path*, a segment as bytes, its escapes resolved.

        :raises TypeError: if *path* is not bytes, or *child* is a class.
        """
        if not isinstance(path, bytes):
            raise TypeError(f"Path segment must be bytes, but {path!r} is {type(path)}")
        self.children[path] = _checked(child)
        child.server = self.server

    # Children by another name: they are the entities of a resource.

    def listStaticNames(self) -> list[bytes]:
        """Return the names of the children that were put."""
        return list(self.children)

    def listStaticEntities(self) -> list[tuple[bytes, Any]]:
        """Return the children that were put, each after its name."""
        return list(self.children.items())

    def listDynamicNames(self) -> list[bytes]:
        """Return the names of children that are made as they are asked for: here, none.  For subclasses."""
        return []

    def listDynamicEntities(self, request: Any = None) -> list[tuple[bytes, Any]]:
        """Return children that are made as they are asked for: here, none.  For subclasses."""
        return []

    def listNames(self) -> list[bytes]:
        """Return the names of all children that are known."""
        return self.listStaticNames() + self.listDynamicNames()

    def listEntities(self) -> list[tuple[bytes, Any]]:
        """Return all children that are known, each after its name."""
        return self.listStaticEntities() + self.listDynamicEntities()

    def getStaticEntity(self, name: bytes) -> Any:
        """Return the child that was put for *name*, or None."""
        return self.children.get(name)

    def getDynamicEntity(self, name: bytes, request: Any) -> Any:
        """Return a child that is made as it is asked for, or None: here, always.  For subclasses."""
        return None

    def delEntity(self, name: bytes) -> None:
        """Take the child of that name away.

        :raises KeyError: if there is none.
        """
        del self.children[name]

    def reallyPutEntity(self, name: bytes, entity: Any) -> None:
        """Put a child."""
        self.children[name] = entity

    # What it says

    def render(self, request: Any) -> Any:
        """Answer a request, through the ``render_…`` of its method.

        :returns: what that returns.
        :raises UnsupportedMethod: if there is none.
        """
        method = request.method
        name = _RENDERERS.get(method)
        if name is None:  # stand-ins for requests may say the method as text
            name = "render_" + (method if isinstance(method, str) else method.decode("iso-8859-1"))
        renderer = getattr(self, name, None)
        if renderer is None:
            raise UnsupportedMethod(allowedMethodsOf(self))
        return renderer(request)

    def render_HEAD(self, request: Any) -> Any:
        """Answer as to ``GET``; the request leaves the body out.

        :raises UnsupportedMethod: if that is none for it.
        """
        renderer = getattr(self, "render_GET", None)
        if renderer is None:
            raise UnsupportedMethod(allowedMethodsOf(self))
        return renderer(request)


def allowedMethodsOf(resource: Any) -> Sequence[bytes]:
    """Return the methods that a resource says it allows; else those that it has renderers for."""
    try:
        allowed: Sequence[bytes] = resource.allowedMethods
    except AttributeError:
        return _computeAllowedMethods(resource)
    return allowed


def _computeAllowedMethods(resource: Any) -> list[bytes]:
    """Return the methods that a resource has renderers for."""
    names = prefixedMethodNames(type(resource), "render_")
    if "GET" not in names and getattr(type(resource), "render_HEAD", None) is Resource.render_HEAD:
        names = [name for name in names if name != "HEAD"]  # that of all resources, which asks for another
    return sorted(name.encode("iso-8859-1", "replace") for name in names)


def getChildForRequest(resource: Any, request: Any) -> Any:
    """Return the resource that the rest of a request's path leads to, from *resource* on.

    Segments that are gone over move from the request's ``postpath`` to its ``prepath``; it ends at a leaf.
    """
    before, behind = request.prepath, request.postpath
    while behind and not resource.isLeaf:
        segment = behind.pop(0)
        before.append(segment)
        resource = resource.getChildWithDefault(segment, request)
        # A child may have put other lists in their places: rewriters and virtual hosts do.
        before, behind = request.prepath, request.postpath
    return resource


class _UnsafeErrorPageBase(Resource):
    """A page that says that something is wrong, and puts HTML into it as it is given."""

    template = """
<html>
  <head><title>%(code)s - %(brief)s</title></head>
  <body>
    <h1>%(brief)s</h1>
    <p>%(detail)s</p>
  </body>
</html>
"""

    _plain = False  # whether it looks as Twisted's whatever the request says

    def __init__(self, status: int, brief: str, detail: str) -> None:
        """Make a page.

        :param status: the code of the response.
        :param brief: the title; **as HTML**, nothing of which may come from a peer.
        :param detail: the text; likewise.
        """
        super().__init__()
        self.code = status
        self.brief = brief
        self.detail = detail

    def render(self, request: Any) -> bytes:
        """Answer with the page, whatever the method."""
        request.setResponseCode(self.code)
        request.setHeader(b"content-type", b"text/html; charset=utf-8")
        own = self._plain or self.template is not _UnsafeErrorPageBase.template
        made = None if own else styled(request, self.code, self.brief, self.detail)
        return made or (self.template % {"code": self.code, "brief": self.brief, "detail": self.detail}).encode()

    def getChild(self, path: bytes, request: Any) -> Resource:
        """Return itself: it stands for all that is below it, too."""
        return self


class ErrorPage(_UnsafeErrorPageBase):
    """A page for any status code, whose texts are HTML (deprecated: ``pages.errorPage`` has text escaped)."""


class NoResource(_UnsafeErrorPageBase):
    """A page that says that nothing is there, with HTML (deprecated: use ``pages.notFound``)."""

    def __init__(self, message: str = "Sorry. No luck finding that resource.") -> None:
        """Make a page.

        :param message: says it; **as HTML**.
        """
        super().__init__(NOT_FOUND, "No Such Resource", message)


class ForbiddenResource(_UnsafeErrorPageBase):
    """A page that says that something is for others, with HTML (deprecated: use ``pages.forbidden``)."""

    def __init__(self, message: str = "Sorry, resource is forbidden.") -> None:
        """Make a page.

        :param message: says it; **as HTML**.
        """
        super().__init__(FORBIDDEN, "Forbidden Resource", message)


# What is used here and beside, which warns nobody.
_Missing, _PlainErrorPage, _Forbidden = NoResource, ErrorPage, ForbiddenResource

for _name, _function in (("ErrorPage", "errorPage"), ("NoResource", "notFound"), ("ForbiddenResource", "forbidden")):
    deprecatedModuleAttribute(
        Version("Twisted", 22, 10, 0),
        f"Use torsion.web.pages.{_function} instead, which properly escapes HTML.",
        "torsion.web.resource",
        _name,
    )
del _name, _function


class _IEncodingResource(Interface):
    """A resource whose body is encoded on its way."""

    def getEncoder(request: Any) -> Any:  # noqa: N805 - as above
        """Return an ``iweb._IRequestEncoder`` for the request, or None."""


@implementer(_IEncodingResource)
class EncodingResourceWrapper(proxyForInterface(IResource)):  # type: ignore[misc]  # a class made at run time
    """A resource whose body is compressed, or encoded otherwise, if the client can take it.

    :ivar original: the resource as such.
    """

    def __init__(self, original: Any, encoders: Iterable[Any]) -> None:
        """Wrap a resource.

        :param original: the resource.
        :param encoders: ``iweb._IRequestEncoderFactory``: the first that has an encoder for a request is taken.  There is
            ``server.GzipEncoderFactory``.
        """
        super().__init__(original)
        self._encoders = list(encoders)

    def getEncoder(self, request: Any) -> Any:
        """Return an encoder for the request's response, or None if it goes as it is."""
        for factory in self._encoders:
            encoder = factory.encoderForRequest(request)
            if encoder is not None:
                return encoder
        return None
