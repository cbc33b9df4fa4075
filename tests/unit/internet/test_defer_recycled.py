"""A Deferred that is made where another one was begins as any other: nothing of that one is left on it."""

import gc
import sys

import pytest

from torsion.internet.defer import Deferred

BURST = 300  # more than the native twin keeps memory for


def made(count=BURST):
    return [Deferred() for _ in range(count)]


@pytest.mark.parametrize(
    "mark",
    [
        lambda deferred: setattr(deferred, "mark", "old"),
        lambda deferred: deferred.__dict__.update(mark="old"),
        lambda deferred: object.__setattr__(deferred, "mark", "old"),
        lambda deferred: setattr(deferred, "__dict__", {"mark": "old"}),
    ],
    ids=["setattr", "dict", "object", "whole"],
)
def test_attributes_go_with_their_owner(mark):
    for _ in range(3):
        for deferred in made():
            mark(deferred)
            assert deferred.mark == "old"
        del deferred
        assert not any(hasattr(deferred, "mark") for deferred in made())


def test_each_has_attributes_of_its_own():
    made()
    deferreds = made()
    for number, deferred in enumerate(deferreds):
        deferred.number = number
    assert [deferred.number for deferred in deferreds] == list(range(BURST))
    assert len({id(deferred.__dict__) for deferred in deferreds}) == BURST


def test_a_dictionary_that_somebody_has_stays_theirs():
    for _ in range(3):
        kept = [deferred.__dict__ for deferred in made()]
        for each in kept:
            each["mark"] = "old"
        others = made()
        assert not any(hasattr(deferred, "mark") for deferred in others)
        assert not {id(each) for each in kept} & {id(deferred.__dict__) for deferred in others}


def test_a_dictionary_of_another_kind_is_not_handed_on():
    class Strange(dict):
        pass

    for deferred in made():
        deferred.__dict__ = Strange()
    del deferred
    assert {type(deferred.__dict__) for deferred in made()} == {dict}


def test_an_attribute_that_was_deleted_leaves_nothing():
    for deferred in made():
        deferred.mark = "old"
        del deferred.mark
    del deferred
    assert not any(hasattr(deferred, "mark") for deferred in made())


def test_hooks_on_an_object_are_called_and_go_with_it():
    def heard(result):
        calls.append(result)

    calls = []
    for _ in range(2):
        deferred = Deferred()
        deferred.callback = heard
        outer = Deferred()
        outer.chainDeferred(deferred)
        outer.callback("one")
        assert calls.pop() == "one"
        del deferred, outer
        made(5)
        fresh = Deferred()
        fresh.addCallback(calls.append)
        fresh.callback("two")
        assert calls.pop() == "two"
        del fresh


def test_what_was_used_is_given_back():
    def use():
        for deferred in made():
            deferred.mark = "old"
        made()
        gc.collect()

    for _ in range(3):
        use()
    before = sys.getallocatedblocks()
    for _ in range(10):
        use()
    assert sys.getallocatedblocks() - before < BURST


def test_a_subclass_has_its_own():
    class Own(Deferred):
        pass

    for _ in range(3):
        for one in [Own() for _ in range(BURST)]:
            one.mark = "old"
        del one
        assert not any(hasattr(deferred, "mark") for deferred in [*made(), *(Own() for _ in range(BURST))])
