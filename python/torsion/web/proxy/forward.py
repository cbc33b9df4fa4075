"""A forward proxy: its clients ask for any URL."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from torsion.internet import _current
from torsion.web import http
from torsion.web.pages import errorPage
from torsion.web.proxy.client import ProxyClientFactory
from torsion.web.proxy.passing import bodyOf, fieldsOf

__all__ = ["Proxy", "ProxyRequest"]


class ProxyRequest(http.Request):
    """A request to a forward proxy: for an absolute URL, which the server of that name is asked for.

    It goes wherever the client says: serve it to those only who may go there.

    :cvar protocols: factories of connections, by the schemes of URLs.
    :cvar ports: the ports of schemes.
    """

    protocols: dict[bytes, Any] = {b"http": ProxyClientFactory}  # noqa: RUF012 - a subclass's own, as it is documented
    ports: dict[bytes, int] = {b"http": 80}  # noqa: RUF012 - likewise

    def __init__(self, channel: Any, queued: Any = False, reactor: Any = None) -> None:
        """Make a request.

        :param channel: over which it comes.
        :param queued: means nothing any more.
        :param reactor: connects; the current one by default.
        """
        super().__init__(channel, queued)
        self.reactor = _current.current_reactor() if reactor is None else reactor

    def process(self) -> None:
        """Ask the other server."""
        try:
            parts = urlsplit(self.uri)
            port = parts.port
        except ValueError:
            parts, port = urlsplit(b""), None
        factory = self.protocols.get(parts.scheme)
        host = parts.hostname
        if factory is None or not host:
            self._refuse()
            return
        rest = parts.path or b"/"
        if b"?" in self.uri:
            rest += b"?" + parts.query
        headers = fieldsOf(self)
        # The URL says which host is meant, whatever the client's field says (RFC 9112 section 3.2.2).
        headers[b"host"] = parts.netloc.rpartition(b"@")[2]
        made = factory(self.method, rest, self.clientproto, headers, bodyOf(self), self)
        self.reactor.connectTCP(host.decode("ascii", "replace"), port or self.ports[parts.scheme], made)

    def _refuse(self) -> None:
        detail = "This is a proxy: it is asked for absolute URLs, with a scheme that it knows."
        body = errorPage(http.BAD_REQUEST, "Bad Request", detail).render(self)
        self.setHeader(b"content-length", b"%d" % len(body))
        self.write(body)
        self.finish()


class Proxy(http.HTTPChannel):
    """A connection to a forward proxy: ``HTTPFactory`` with this as its ``protocol`` is one."""

    requestFactory: Any = ProxyRequest
