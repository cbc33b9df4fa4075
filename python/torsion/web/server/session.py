"""Sessions: what is known of a client from one request to the next."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from torsion.logger import Logger
from torsion.python.components import Componentized

if TYPE_CHECKING:
    from torsion.web.server.site import Site

__all__ = ["Session"]

_log = Logger(namespace="torsion.web.server")


class Session(Componentized):
    """What is known of one client; it ends if the client is away for long.

    Applications keep theirs in components: ``request.getSession(IMine)`` is the adapter that was registered for sessions,
    the same one at each request.

    :cvar sessionTimeout: after so many seconds without a request, the session ends.
    :ivar secure: whether it is for TLS alone: only the cookie that is never sent in the clear leads to it, and that cookie leads
        to no other.  None until a request has asked for it.
    :ivar uid: its name, which only the client knows: bytes.
    :ivar lastModified: when it was used last, by the reactor's clock.
    :ivar site: whose session it is.
    """

    sessionTimeout: float = 900
    lastModified: float
    secure: bool | None = None
    _expireCall: Any = None

    def __init__(self, site: Site | None, uid: bytes, reactor: Any = None) -> None:
        """Begin a session.

        :param site: whose it is.
        :param uid: its name.
        :param reactor: has the clock; the site's if it is not given.
        """
        super().__init__()
        if reactor is None and site is not None:
            reactor = site.reactor
        self._reactor = reactor
        self.site = site
        self.uid = uid
        self.expireCallbacks: list[Callable[[], Any]] = []
        self.touch()
        self.sessionNamespaces: dict[Any, Any] = {}

    def startCheckingExpiration(self) -> None:
        """Have the session end :attr:`sessionTimeout` seconds after it was used last."""
        self._expireCall = self._reactor.callLater(self.sessionTimeout, self.expire)

    def notifyOnExpire(self, callback: Callable[[], Any]) -> None:
        """Have *callback* called, without arguments, when the session ends."""
        self.expireCallbacks.append(callback)

    def expire(self) -> None:
        """End the session: the site forgets it, and those who wanted to know are told, each of them.

        :raises KeyError: if it has ended already.
        """
        assert self.site is not None, "a session without a site cannot end"
        del self.site.sessions[self.uid]
        call, self._expireCall = self._expireCall, None
        if call is not None and call.active():
            call.cancel()
        callbacks, self.expireCallbacks = self.expireCallbacks, []
        for callback in callbacks:
            try:
                callback()
            except Exception:  # noqa: BLE001 - what one of them raises is no reason not to tell the others
                _log.failure("A callback at the end of a session has failed")

    def touch(self) -> None:
        """Say that the session is in use: it lives on for :attr:`sessionTimeout` seconds."""
        self.lastModified = self._reactor.seconds()
        if self._expireCall is not None:
            self._expireCall.reset(self.sessionTimeout)
        sessions = getattr(self.site, "sessions", None)
        if isinstance(sessions, OrderedDict) and sessions.get(self.uid) is self:
            sessions.move_to_end(self.uid)  # those that go when there are too many stand at the beginning
