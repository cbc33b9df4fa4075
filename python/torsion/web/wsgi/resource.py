"""A resource that is an application."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from zope.interface import implementer

from torsion.web.resource import NOT_DONE_YET, IResource
from torsion.web.wsgi.response import Response

__all__ = ["WSGIResource"]


@implementer(IResource)
class WSGIResource:
    """A resource whose answers are those of an application of WSGI, at its URL and all below it.

    The application is called in a thread of a pool, when the body of the request is there as a whole.  What it sends goes to
    the client as fast as the client takes it, and the thread waits meanwhile: a pool has to have threads for slow clients.
    What it raises is logged, and answered with 500, or with the end of the connection if it has begun to answer.
    """

    isLeaf = True

    def __init__(self, reactor: Any, threadpool: Any, application: Callable[..., Any]) -> None:
        """Make a resource of an application.

        :param reactor: an ``IReactorFromThreads``, by which threads reach requests.
        :param threadpool: a running :class:`torsion.python.threadpool.ThreadPool`, such as ``reactor.getThreadPool()``.
        :param application: called with an environment and ``start_response``; returns the parts of a body (PEP 3333).
        """
        self._reactor = reactor
        self._threadpool = threadpool
        self._application = application

    def render(self, request: Any) -> int:
        """Have the application answer."""
        response = Response(self._reactor, request, self._application)
        self._threadpool.callInThread(response.run)
        return NOT_DONE_YET

    def getChildWithDefault(self, name: bytes, request: Any) -> Any:
        """Refuse: it is the application that leads on from here.

        :raises RuntimeError: always.
        """
        raise RuntimeError(
            "Cannot get IResource children from WSGIResource: it is a leaf, and the application leads on"
        )

    def putChild(self, path: bytes, child: Any) -> None:
        """Refuse: it is the application that leads on from here.

        :raises RuntimeError: always.
        """
        raise RuntimeError(
            "Cannot put IResource children under WSGIResource: put it beside them, below another resource"
        )
