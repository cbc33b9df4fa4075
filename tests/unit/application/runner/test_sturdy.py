"""Observers that outlive the place that they write to."""

from __future__ import annotations

import os

import pytest

from torsion.application.runner.sturdy import Descriptor, SturdyObserver, unbuffered


class Place:
    """Takes events, or raises."""

    problem = None

    def __init__(self):
        self.events = []

    def __call__(self, event):
        if self.problem is not None:
            raise self.problem
        self.events.append(event)


def test_it_tells_once_and_when_it_is_over(capsys):
    place = Place()
    observer = SturdyObserver(place, "it.log")
    observer(1)
    place.problem = OSError(28, "No space left on device")
    observer(2)
    observer(3)
    assert capsys.readouterr().err == (
        "torsion: cannot write to the log it.log: No space left on device; events are lost until it can be written to\n"
    )
    place.problem = None
    observer(4)
    observer(5)
    assert capsys.readouterr().err == "torsion: the log it.log can be written to again; 2 events were lost\n"
    assert place.events == [1, 4, 5]


def test_other_errors_are_not_its_business():
    place = Place()
    place.problem = TypeError()
    with pytest.raises(TypeError):
        SturdyObserver(place, "it")(1)


def test_it_can_be_silent(capsys):
    place = Place()
    place.problem = ValueError("closed")
    SturdyObserver(place, "it", tell=False)(1)
    assert capsys.readouterr() == ("", "")


def test_a_descriptor_writes_all_at_once():
    reading, writing = os.pipe()
    with os.fdopen(writing, "w", encoding="ascii") as stream, os.fdopen(reading, "rb") as reader:
        stream.write("before ")
        descriptor = unbuffered(stream)
        assert isinstance(descriptor, Descriptor)
        assert descriptor.write("é\n") == 2
        descriptor.flush()
        assert descriptor.fileno() == writing
        assert not descriptor.isatty()
        assert reader.readline() == b"before \\xe9\n"


def test_what_has_no_descriptor_is_left_as_it_is():
    import io

    stream = io.StringIO()
    assert unbuffered(stream) is stream
