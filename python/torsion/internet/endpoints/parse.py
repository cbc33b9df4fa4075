r"""Endpoints from strings, such as ``tcp:8080:interface=127.0.0.1``.

A description is a type and its arguments, parted by colons.  An argument is a value, or a name, ``=`` and a value; values
without a name come in the order that the type lays down.  A backslash takes the meaning from a colon, an equals sign or a
backslash after it, so that ``tcp:interface=\:\:1:port=80`` listens at ``::1``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torsion.internet.endpoints.tcp import TCP4ClientEndpoint, TCP4ServerEndpoint, TCP6ServerEndpoint

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from torsion.internet.interfaces import IStreamClientEndpoint, IStreamServerEndpoint

__all__ = ["clientFromString", "quoteStringArgument", "serverFromString", "split"]


def quoteStringArgument(argument: str) -> str:
    """Return *argument* so that it can be put into a description as a value, whatever is in it."""
    return argument.replace("\\", "\\\\").replace(":", "\\:")


def split(description: str) -> tuple[list[str], dict[str, str]]:
    """Take a description apart.

    :returns: the values without a name, of which the first is the type, and the others by name.
    :raises ValueError: if a name is given twice, or a backslash stands at the end.
    """
    values: list[str] = []
    named: dict[str, str] = {}
    name: str | None = None
    part: list[str] = []
    letters = iter(description)

    def end() -> None:
        value = "".join(part)
        if name is None:
            values.append(value)
        elif name in named:
            raise ValueError(f"{description!r} gives {name!r} twice")
        else:
            named[name] = value

    for letter in letters:
        if letter == "\\":
            escaped = next(letters, None)
            if escaped is None:
                raise ValueError(f"{description!r} ends in a backslash, which has nothing to quote; write two for one")
            part.append(escaped)
        elif letter == ":":
            end()
            name, part = None, []
        elif letter == "=" and name is None:
            name, part = "".join(part), []
        else:
            part.append(letter)
    end()
    return values, named


class _Arguments:
    """The arguments of one description; what is wrong with them is said with the description."""

    def __init__(
        self,
        description: str,
        values: list[str],
        named: dict[str, str],
        order: tuple[str, ...],
        others: tuple[str, ...] = (),
    ) -> None:
        """Put names to the values that have none.

        :param order: the names of the arguments, in the order of values without a name.
        :param others: the names of arguments that are given by name only.
        """
        self._description = description
        self._given = named
        if len(values) > len(order):
            raise self.wrong(
                f"has {len(values)} values without a name, but only {', '.join(order) or 'none'} may be so"
            )
        for name, value in zip(order, values, strict=False):
            if name in named:
                raise self.wrong(f"gives {name!r} twice, once without its name")
            named[name] = value
        unknown = sorted(set(named) - {*order, *others})
        if unknown:
            raise self.wrong(f"has an unknown argument {unknown[0]!r}; known are {', '.join((*order, *others))}")

    def wrong(self, what: str) -> ValueError:
        """Return an error that tells *what* is wrong."""
        return ValueError(f"endpoint description {self._description!r} {what}")

    def text(self, name: str, default: str | None = None) -> str:
        """Return an argument, or *default*; None means that it has to be given."""
        value = self._given.get(name, default)
        if value is None:
            raise self.wrong(f"lacks its {name}")
        return value

    def number(self, name: str, least: int, most: int, default: int | None = None) -> int:
        """Return an argument as a number from *least* to *most*."""
        text = self.text(name, None if default is None else str(default))
        try:
            number = int(text)
        except ValueError:
            raise self.wrong(f"has {name} {text!r}, which is no whole number") from None
        if not least <= number <= most:
            raise self.wrong(f"has {name} {number}, which is not between {least} and {most}")
        return number


_MOST = 65535
_LONG = 2**31 - 1


def _tcp_server(kind: type[TCP4ServerEndpoint | TCP6ServerEndpoint], interface: str) -> Callable[..., Any]:
    def make(reactor: Any, description: str, values: list[str], named: dict[str, str]) -> IStreamServerEndpoint:
        given = _Arguments(description, values, named, ("port", "interface", "backlog"))
        return kind(
            reactor,
            given.number("port", 0, _MOST),
            backlog=given.number("backlog", 1, _LONG, 50),
            interface=given.text("interface", interface),
        )

    return make


def _tcp_client(reactor: Any, description: str, values: list[str], named: dict[str, str]) -> IStreamClientEndpoint:
    unnamed = tuple(name for name in ("host", "port") if name not in named)  # so that tcp:host=HOST:PORT is understood
    others = tuple(name for name in ("host", "port", "timeout", "bindAddress") if name not in unnamed)
    given = _Arguments(description, values, named, unnamed, others)
    if not given.text("host"):
        raise given.wrong("lacks its host")
    bind = given.text("bindAddress", "")
    return TCP4ClientEndpoint(
        reactor,
        given.text("host"),
        given.number("port", 1, _MOST),
        timeout=given.number("timeout", 0, _LONG, 30),
        bindAddress=(bind, 0) if bind else None,
    )


_SERVERS: Mapping[str, Callable[..., Any]] = {
    "tcp": _tcp_server(TCP4ServerEndpoint, ""),
    "tcp6": _tcp_server(TCP6ServerEndpoint, "::"),
}
_CLIENTS: Mapping[str, Callable[..., Any]] = {"tcp": _tcp_client}


def _make(table: Mapping[str, Callable[..., Any]], reactor: Any, description: str) -> Any:
    if not isinstance(description, str):
        raise TypeError(f"an endpoint's description is a str, unlike {description!r}")
    values, named = split(description)
    kind = values.pop(0) if values else ""
    make = table.get(kind)
    if make is None:
        raise ValueError(
            f"endpoint description {description!r} has an unknown type {kind!r}; known are {', '.join(sorted(table))}"
        )
    return make(reactor, description, values, named)


def serverFromString(reactor: Any, description: str) -> IStreamServerEndpoint:
    """Make an endpoint to listen at.

    ``tcp:PORT``, also with ``interface=ADDRESS`` and ``backlog=NUMBER``; ``tcp6`` takes the same.

    :param reactor: what the endpoint is to use.
    :param description: see this module.
    :returns: the endpoint.
    :raises ValueError: if the description is of no known type, or its arguments are wrong; it is quoted in the error.
    """
    return _make(_SERVERS, reactor, description)  # type: ignore[no-any-return]


def clientFromString(reactor: Any, description: str) -> IStreamClientEndpoint:
    """Make an endpoint to connect to.

    ``tcp:HOST:PORT``, also with ``timeout=SECONDS`` and ``bindAddress=ADDRESS``.

    :param reactor: what the endpoint is to use.
    :param description: see this module.
    :returns: the endpoint.
    :raises ValueError: if the description is of no known type, or its arguments are wrong; it is quoted in the error.
    """
    return _make(_CLIENTS, reactor, description)  # type: ignore[no-any-return]
