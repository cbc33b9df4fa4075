"""A site: a tree of resources, served over HTTP."""

from __future__ import annotations

import os
from collections import OrderedDict
from typing import Any, Final

from torsion.logger import Logger
from torsion.web import http
from torsion.web.resource import _checked, getChildForRequest
from torsion.web.server.request import Request
from torsion.web.server.session import Session

__all__ = ["Site"]

_SESSION_BYTES: Final = 32
"""So many bytes of entropy are in the name of a session: nobody guesses 256 bits."""

MOST_SESSIONS: Final = 50_000
"""How many sessions a site has at once: whoever sends no cookie begins one with each request, and they take 1 KiB each before
anything is kept in them, so that these are 50 MiB.  As many people are seldom at one process in a quarter of an hour."""

_log = Logger(namespace="torsion.web.server")


class Site(http.HTTPFactory):
    """A factory for connections of HTTP, whose requests are answered by resources.

    :ivar resource: the root of the tree.
    :ivar sessions: by their names; those that have not been used for longest come first.
    :cvar maxSessions: how many there may be: for one more, the one that has not been used for longest ends; None for any number.
    :ivar requestFactory: makes requests: :class:`torsion.web.server.Request`, or a subclass.
    :cvar sessionFactory: makes sessions.
    :cvar streamsBodies: whether resources are looked for before the bodies of requests have come: then those whose own
        ``streamsBody`` is true have them as streams.  What looks for children must not look into forms and bodies then.
    :cvar displayTracebacks: whether clients see the tracebacks of what fails; only while a site is being built.
    :ivar counter: how many sessions have been begun.
    """

    counter = 0
    requestFactory: Any = Request
    displayTracebacks = False
    streamsBodies = False
    sessionFactory: Any = Session
    sessionCheckTime = 1800
    maxSessions: int | None = MOST_SESSIONS
    isLeaf = False

    _toldOfSessions = False
    _entropy = staticmethod(os.urandom)

    def __init__(
        self,
        resource: Any,
        requestFactory: Any = None,
        *args: Any,
        parsePOSTFormSubmission: bool = True,
        **kwargs: Any,
    ) -> None:
        """Serve a tree of resources.

        :param resource: its root.
        :raises TypeError: if *resource* is a class, or a path.
        :param requestFactory: makes requests.
        :param parsePOSTFormSubmission: whether forms in bodies are read into the ``args`` of requests.
        :param args: for ``HTTPFactory``; so are *kwargs*: ``logPath``, ``timeout`` in seconds, ``logFormatter``, ``reactor``.
        """
        super().__init__(*args, **kwargs)
        self.sessions: dict[bytes, Any] = OrderedDict()
        self.resource = _checked(resource)
        if requestFactory is not None:
            self.requestFactory = requestFactory
        self._parsePOSTFormSubmission = parsePOSTFormSubmission

    def makeSession(self) -> Any:
        """Begin a session; it ends if it is not used for a while, or if :attr:`maxSessions` others are used later."""
        if self.maxSessions is not None and len(self.sessions) >= self.maxSessions:
            for _ in range(len(self.sessions) - self.maxSessions + 1):
                self._endOldest()
        self.counter += 1
        uid = self._entropy(_SESSION_BYTES).hex().encode("ascii")
        session = self.sessions[uid] = self.sessionFactory(self, uid)
        session.startCheckingExpiration()
        return session

    def _endOldest(self) -> None:
        """End the session that has not been used for longest."""
        if not self.sessions:
            return
        if not self._toldOfSessions:
            self._toldOfSessions = True
            _log.warn(
                "There are {count} sessions: those that have not been used for longest end (Site.maxSessions; told once)",
                count=self.maxSessions,
            )
        uid, session = next(iter(self.sessions.items()))
        try:
            session.expire()
        except Exception:  # noqa: BLE001 - a class of the program's: what it raises is no reason to keep more and more
            _log.failure("A session could not be ended")
        finally:
            self.sessions.pop(uid, None)

    def getSession(self, uid: bytes | None) -> Any:
        """Return the session of that name.

        :raises KeyError: if there is none, or it has ended.
        """
        return self.sessions[uid]  # type: ignore[index]  # None is never there: a client without a cookie has no session

    def buildProtocol(self, addr: Any) -> Any:
        """Return a channel that makes this site's requests."""
        channel = super().buildProtocol(addr)
        channel.requestFactory = self.requestFactory
        channel.site = self
        return channel

    def render(self, request: Any) -> None:
        """Send a client that has asked for a folder without its slash there (for resources that this site is one of)."""
        request.redirect(request.prePathURL() + b"/")
        request.finish()

    def getChildWithDefault(self, pathEl: bytes, request: Any) -> Any:
        """Return a child of the root, as if this were it."""
        request.site = self
        return self.resource.getChildWithDefault(pathEl, request)

    def getResourceFor(self, request: Any) -> Any:
        """Return the resource that a request's path leads to."""
        request.site = self
        if request.prepath:
            # Something before this site has used it up, and its sessions are told apart by that.
            request.sitepath = list(request.prepath)
        return getChildForRequest(self.resource, request)
