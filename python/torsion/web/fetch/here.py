"""The client of those who make none: one for each reactor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from torsion.internet._current import current_reactor
from torsion.web.client import Timeouts
from torsion.web.fetch.client import _DEFAULT, Client

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torsion.web.fetch.answer import Answer

__all__ = ["fetch"]

_clients: WeakKeyDictionary[Any, Client] = WeakKeyDictionary()


async def fetch(
    url: str,
    method: str | None = None,
    *,
    headers: Mapping[str, str] | None = None,
    params: Mapping[str, Any] | None = None,
    json: Any = None,
    form: Any = None,
    body: Any = None,
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
        body=body,
        timeout=timeout,
        redirects=redirects,
    )
