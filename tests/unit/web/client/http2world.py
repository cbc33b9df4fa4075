"""Servers of HTTP/2 that are played by h2, at the other ends of connections in memory."""

from __future__ import annotations

from typing import Any

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, RequestReceived
from h2.settings import SettingCodes

from torsion.web.client import Agent, Timeouts
from unit.web.client.world import Asked, Wire, World


class Server:
    """The other end of a wire."""

    def __init__(self, wire: Wire, **settings: int) -> None:
        self.wire = wire
        self.h2 = H2Connection(config=H2Configuration(client_side=False, header_encoding="utf-8"))
        self.h2.initiate_connection()
        if settings:
            self.h2.update_settings({SettingCodes[name]: value for name, value in settings.items()})
        self.events: list[Any] = []
        self.flush()

    def flush(self) -> None:
        """Carry bytes both ways until there are none."""
        data, came = self.h2.data_to_send(), self.wire.take()
        while (data or came) and self.wire.open:
            if came:
                self.events += self.h2.receive_data(came)
            if data:
                self.wire.say(data)
            data, came = self.h2.data_to_send(), self.wire.take()

    def raw(self, *frames: Any) -> None:
        """Send frames that h2 would not."""
        self.flush()
        self.wire.say(b"".join(frame.serialize() for frame in frames))
        if self.wire.open:
            self.flush()

    def of(self, kind: type[Any]) -> list[Any]:
        self.flush()
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def asked(self) -> list[dict[str, str]]:
        return [dict(event.headers) for event in self.of(RequestReceived)]

    @property
    def body(self) -> bytes:
        return b"".join(event.data for event in self.of(DataReceived))

    def answer(self, number: int, body: bytes = b"", status: int = 200, *, end: bool = True, **fields: str) -> None:
        headers = {":status": str(status), **{name.replace("_", "-"): value for name, value in fields.items()}}
        self.flush()
        self.h2.send_headers(number, list(headers.items()), end_stream=end and not body)
        if body:
            self.h2.send_data(number, body, end_stream=end)
        self.flush()


class World2(World):
    """As :class:`World`, with HTTP/2."""

    def __init__(self, timeouts: Timeouts | None = None, *, persistent: bool = True, **settings: int) -> None:
        super().__init__(persistent=persistent, timeouts=timeouts)
        self.agent = Agent.usingEndpointFactory(self.clock, self, self.pool, timeouts=timeouts, http2="prior-knowledge")
        self.settings = settings
        self.servers: list[Server] = []

    def get(self, *args: Any, **kwargs: Any) -> Asked:
        asked = super().get(*args, **kwargs)
        self.meet()
        return asked

    def meet(self) -> None:
        """Have a server at the end of each new wire."""
        while len(self.servers) < len(self.wires):
            self.servers.append(Server(self.wires[len(self.servers)], **self.settings))

    @property
    def server(self) -> Server:
        self.meet()
        self.servers[-1].flush()
        return self.servers[-1]
