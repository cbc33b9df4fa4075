"""Whatever is handed to the native classes, they answer with an ordinary exception, or not at all."""

from __future__ import annotations

import array
import gc
import random
from collections.abc import Iterator
from typing import Any

import pytest

from torsion import _native


class Contrary:
    """Refuses everything."""

    __hash__ = None

    def _refuse(self, *args: object) -> Any:
        raise ValueError("no")

    __bool__ = __len__ = __iter__ = __index__ = __float__ = __repr__ = __eq__ = __call__ = _refuse

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise RuntimeError(name)


class Owner:
    def __init__(self) -> None:
        self.streams: list[Any] = []

    def raised(self, source: object, exception: BaseException) -> None:
        assert isinstance(exception, Exception)

    def accepted(self, stream: Any, address: object) -> None:
        self.streams.append(stream)

    def connected(self, stream: Any) -> None:
        self.streams.append(stream)

    def lost(self, *args: object) -> None:
        pass

    accept_failed = connect_failed = write_closed = lost


def odd_values() -> list[Any]:
    numbers = [0, -1, 1, 2**31, 2**63, 10**400, 0.0, -0.0, 1.5, float("nan"), float("inf"), -1e300, 5e-324, True]
    texts = ["", "x", "\0", "\ud800", b"", b"x", bytearray(b"x"), memoryview(b"abcdef")[::2], array.array("d", [1.0])]
    addresses = [
        ("127.0.0.1", 0),
        ("::1", 0, 0, 0),
        ("127.0.0.1", -1),
        ("::1", 0, 2**40, 0),
        (None, 0),
        ("x" * 9999, 1),
        (),
    ]
    others = [None, [], {}, object(), int, len, iter([b"x", 3]), [b"a", "b"], NotImplemented, Contrary(), Contrary]
    classes = [_native.Stream, type("Mine", (_native.Stream,), {}), _native.Engine, Owner()]
    return numbers + texts + addresses + others + classes


SELDOM = {"run", "turn", "close"}  # which might take for ever, or end the play


@pytest.fixture
def things() -> Iterator[list[Any]]:
    """One of each class, joined."""
    owner = Owner()
    engine = _native.Engine(owner)
    listener = engine.listen(("127.0.0.1", 0), 5, owner, _native.Stream)
    connector = engine.connect(listener.address(), None, owner, _native.Stream)
    patience = engine.call_later(5, len, ())
    while len(owner.streams) < 2:
        assert patience.active()
        engine.turn(0.01)
    yield [engine, listener, connector, *owner.streams, patience, engine.call_later(60, len, ())]
    engine.close()


def try_it(function: Any, *args: Any, **kwargs: Any) -> None:
    """Call *function*.  A panic's exception is no Exception, and would end the test."""
    raised = None
    try:
        function(*args, **kwargs)
    except Exception as error:
        raised = error
    assert not isinstance(raised, SystemError), (function, args)


@pytest.mark.parametrize("seed", range(3))
def test_odd_values_are_refused(things: list[Any], seed: int) -> None:
    chance = random.Random(seed)
    values = odd_values()
    for thing in things:
        for name in dir(thing):
            if name.startswith("__") or name in SELDOM:
                continue
            member = getattr(thing, name)
            if callable(member):
                try_it(member)
                for value in values:
                    try_it(member, value)
                for _ in range(60):
                    try_it(member, *chance.choices(values, k=chance.randrange(2, 6)))
                try_it(member, no_such_argument=1)
            else:
                for value in values:
                    try_it(setattr, thing, name, value)
                try_it(delattr, thing, name)
        for value in values:
            try_it(type(thing), value)
            try_it(type(thing), things[0], value)
    for timeout in (0.0, -1, float("nan"), "x", Contrary()):
        try_it(things[0].turn, timeout)
    for _ in range(5):
        try_it(things[0].turn, 0.0)
    gc.collect()
