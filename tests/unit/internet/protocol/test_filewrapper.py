"""A file in the place of a connection."""

import io
import sys

import pytest
from zope.interface.verify import verifyObject

from torsion.internet.interfaces import IAddress, ITransport
from torsion.internet.protocol import FileWrapper


class Noting(FileWrapper):
    """Notes what its file raises."""

    def __init__(self, file):
        super().__init__(file)
        self.raised = []

    def handleException(self):
        self.raised.append(sys.exc_info()[0])


class Producer:
    """Makes some pieces of data, one for each time it is asked."""

    def __init__(self, consumer, pieces):
        self.consumer = consumer
        self.pieces = list(pieces)
        self.calls = []

    def resumeProducing(self):
        self.calls.append("resume")
        if self.pieces:
            self.consumer.write(self.pieces.pop(0))
        else:
            self.consumer.unregisterProducer()

    def stopProducing(self):
        self.calls.append("stop")


def test_interface():
    wrapper = FileWrapper(io.BytesIO())
    verifyObject(ITransport, wrapper)
    verifyObject(IAddress, wrapper.getHost())
    verifyObject(IAddress, wrapper.getPeer())
    assert repr(wrapper.getPeer()) == "<file>"


def test_write():
    wrapper = FileWrapper(io.BytesIO())
    wrapper.write(b"one ")
    wrapper.writeSequence([b"two ", b"three"])
    assert wrapper.file.getvalue() == b"one two three"


def test_text_is_the_callers_error_in_a_sequence():
    with pytest.raises(TypeError):
        FileWrapper(io.BytesIO()).writeSequence(["text"])


def test_what_the_file_raises_is_told_to_the_hook():
    wrapper = Noting(io.BytesIO())
    wrapper.write("text")
    assert wrapper.raised == [TypeError]
    wrapper.file = None
    wrapper.loseConnection()
    assert wrapper.raised == [TypeError, AttributeError]
    FileWrapper(None).write(b"")


def test_close():
    wrapper = FileWrapper(io.BytesIO())
    assert not wrapper.closed
    wrapper.pauseProducing()
    wrapper.resumeProducing()
    assert not wrapper.closed
    wrapper.loseConnection()
    assert wrapper.closed
    assert wrapper.file.closed
    assert not wrapper.disconnecting


def test_stop_producing_closes():
    wrapper = FileWrapper(io.BytesIO())
    wrapper.stopProducing()
    assert wrapper.file.closed


def test_stop_consuming():
    wrapper = FileWrapper(io.BytesIO())
    wrapper.registerProducer(Producer(wrapper, []), True)
    wrapper.stopConsuming()
    assert wrapper.producer is None
    assert wrapper.file.closed


@pytest.mark.parametrize("count", [0, 1, 5000])
def test_a_pull_producer_is_emptied(count):
    wrapper = FileWrapper(io.BytesIO())
    producer = Producer(wrapper, [b"x"] * count)
    wrapper.registerProducer(producer, False)
    assert wrapper.file.getvalue() == b"x" * count
    assert wrapper.producer is None


def test_a_pull_producer_that_answers_later():
    wrapper = FileWrapper(io.BytesIO())
    asked = []

    class Slow:
        def resumeProducing(self):
            asked.append(len(wrapper.file.getvalue()))

    wrapper.registerProducer(Slow(), False)
    assert asked == [0]
    wrapper.write(b"x")
    assert asked == [0, 1]


def test_a_push_producer_is_not_asked():
    wrapper = FileWrapper(io.BytesIO())
    producer = Producer(wrapper, [b"x"])
    wrapper.registerProducer(producer, True)
    wrapper.write(b"y")
    assert producer.calls == []
    assert wrapper.producer is producer
    assert wrapper.streamingProducer


def test_a_producer_that_comes_too_late_is_stopped():
    wrapper = FileWrapper(io.BytesIO())
    wrapper.loseConnection()
    producer = Producer(wrapper, [b"x"])
    wrapper.registerProducer(producer, False)
    assert producer.calls == ["stop"]
    assert wrapper.producer is None


def test_a_producer_that_raises():
    wrapper = FileWrapper(io.BytesIO())

    class Broken:
        def resumeProducing(self):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        wrapper.registerProducer(Broken(), False)
    wrapper.unregisterProducer()
    wrapper.registerProducer(Producer(wrapper, [b"x"]), False)
    assert wrapper.file.getvalue() == b"x"
