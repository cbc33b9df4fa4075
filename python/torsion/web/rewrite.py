"""Rules that change the paths of requests before a resource sees them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from torsion.web.resource import Resource

__all__ = ["RewriterResource", "alias", "tildeToUsers"]

Rule: TypeAlias = Callable[[Any], object]


class RewriterResource(Resource):
    """A resource before another, which has rules change requests.

    :ivar resource: the other.
    :ivar rewriteRules: called with a request, one after the other; they change its ``postpath`` and ``path``.
    """

    def __init__(self, orig: Any, *rewriteRules: Rule) -> None:
        """Stand before a resource.

        :param orig: the resource.
        :param rewriteRules: the rules.
        """
        super().__init__()
        self.resource = orig
        self.rewriteRules = list(rewriteRules)

    def _rewrite(self, request: Any) -> None:
        for rule in self.rewriteRules:
            rule(request)

    def getChild(self, path: bytes, request: Any) -> Any:
        """Return the other's child for the path as it is by the rules."""
        request.postpath.insert(0, request.prepath.pop())
        self._rewrite(request)
        if not request.postpath:
            return self.resource
        segment = request.postpath.pop(0)
        request.prepath.append(segment)
        return self.resource.getChildWithDefault(segment, request)

    def render(self, request: Any) -> Any:
        """Answer as the other does."""
        self._rewrite(request)
        return self.resource.render(request)


def _set_path(request: Any) -> None:
    request.path = b"/" + b"/".join(request.prepath + request.postpath)


def tildeToUsers(request: Any) -> None:
    """Have ``/~name/…`` mean ``/users/name/…``: a rule."""
    if request.postpath and request.postpath[0][:1] == b"~":
        request.postpath[:1] = [b"users", request.postpath[0][1:]]
        _set_path(request)


def alias(aliasPath: bytes | str, sourcePath: bytes | str) -> Rule:
    """Return a rule that has a path mean another.

    :param aliasPath: the path that is asked for.
    :param sourcePath: the path that it means, from where the rule is applied.
    """
    asked, meant = _segments(aliasPath), _segments(sourcePath)

    def rewriter(request: Any) -> None:
        if request.postpath[: len(asked)] == asked:
            request.postpath[: len(asked)] = meant
            _set_path(request)

    return rewriter


def _segments(path: bytes | str) -> list[bytes]:
    data = path.encode("utf-8") if isinstance(path, str) else path
    return data.strip(b"/").split(b"/")
