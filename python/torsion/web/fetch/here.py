"""The client of those who make none: one for each reactor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from torsion.internet._current import current_reactor
from torsion.web.client import Timeouts
from torsion.web.fetch.client import _DEFAULT, Client

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from torsion.web.fetch.answer import Answer
    from torsion.web.http_headers import Headers

__all__ = ["fetch"]

_clients: WeakKeyDictionary[Any, Client] = WeakKeyDictionary()


async def fetch(
    url: str,
    method: str | None = None,
    *,
    headers: Mapping[str, str] | Headers | None = None,
    params: Mapping[str, Any] | Iterable[tuple[str, Any]] | None = None,
    json: Any = None,
    form: Any = None,
    files: Any = None,
    body: Any = None,
    auth: tuple[str, str] | None = None,
    timeout: float | Timeouts | None = _DEFAULT,  # noqa: ASYNC109 - asyncio is not there
    redirects: int = 20,
) -> Answer:
    """Make a request with the reactor's client, which keeps connections, and no cookies.

    For cookies, fields that each request has, or another agent, make a :class:`Client`; the arguments and the result are
    those of :meth:`Client.fetch`.
    """
    reactor = current_reactor()
    client = _clients.get(reactor)
    if client is None:
        from http.cookiejar import DefaultCookiePolicy

        client = _clients[reactor] = Client(reactor=reactor)
        client.cookies.set_policy(
            DefaultCookiePolicy(allowed_domains=())
        )  # what one part of a program is, another is not
    return await client.fetch(
        url,
        method,
        headers=headers,
        params=params,
        json=json,
        form=form,
        files=files,
        body=body,
        auth=auth,
        timeout=timeout,
        redirects=redirects,
    )
