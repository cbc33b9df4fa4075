"""The law of two ends: what one says, the other hears, whatever the network does that a network may."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from torsion.internet.protocol import ClientFactory, Factory
from torsion.testing.laws.checking import check_callable, check_how, check_strategy
from torsion.testing.laws.codecs import PATIENT
from torsion.testing.network import Conditions, World
from torsion.testing.strategies import conditions, conversations

__all__ = ["agreement_laws"]

PORT = 7000
LONG_ENOUGH = 36_000.0
"""After how many seconds everything must have arrived: with the worst conditions that are drawn, a long conversation takes one of
the ten hours."""


def agreement_laws(
    server: Callable[[], Any],
    client: Callable[[], Any],
    messages: st.SearchStrategy[Any],
    say: Callable[[Any, Any], object],
    heard: Callable[[Any], Any],
    answers: st.SearchStrategy[Any] | None = None,
    how: settings = PATIENT,
) -> type:
    """Return a class of tests: two protocols on a simulated network agree on what was said.

    :param server: makes the server's protocol.
    :param client: makes the client's.
    :param messages: what the client may say.
    :param say: called with a protocol and a message: sends it.
    :param heard: called with a protocol: returns the list of all messages that it has heard.
    :param answers: what the server may say; nothing, if it is not given.
    :param how: hypothesis's settings: how many examples, and so on.
    :raises TypeError: naming the argument that is something else.
    """
    for name, given_one in (("server", server), ("client", client), ("say", say), ("heard", heard)):
        check_callable(name, given_one)
    check_strategy("messages", messages, "messages")
    if answers is not None:
        check_strategy("answers", answers, "messages")
    check_how(how)
    talk = conversations(messages, st.nothing() if answers is None else answers)
    pauses = st.sampled_from([0.0, 0.0, 0.1, 1.0])

    class AgreementLaws:
        """The law, for two protocols."""

        @how
        @given(talk, conditions(), st.integers(0, 2**32 - 1), pauses)
        def test_what_is_said_is_heard(
            self, talk: list[tuple[str, Any]], weather: Conditions, seed: int, pause: float
        ) -> None:
            world = World(seed, weather)
            there, here = _connected(world, server, client)
            for who, message in talk:
                say(here if who == "one" else there, message)
                world.advance(pause)
            world.advance(LONG_ENOUGH)
            assert list(heard(there)) == [message for who, message in talk if who == "one"], "what the server heard"
            assert list(heard(here)) == [message for who, message in talk if who == "other"], "what the client heard"

    return AgreementLaws


def _connected(world: World, server: Callable[[], Any], client: Callable[[], Any]) -> tuple[Any, Any]:
    """Return the protocols of a server and a client that are connected."""
    made: dict[str, Any] = {}

    def factory(kind: Any, name: str, make: Callable[[], Any]) -> Any:
        class Made(kind):  # type: ignore[misc]  # one of the two kinds of factories
            noisy = False

            def buildProtocol(self, addr: object) -> Any:
                made[name] = protocol = make()
                if getattr(protocol, "factory", None) is None:
                    protocol.factory = self
                return protocol

        return Made()

    world.host("server").reactor.listenTCP(PORT, factory(Factory, "server", server))
    world.host("client").reactor.connectTCP("server", PORT, factory(ClientFactory, "client", client), timeout=0)
    world.run_until(lambda: len(made) == 2 and all(each.connected for each in made.values()), LONG_ENOUGH)
    return made["server"], made["client"]
