"""Sending files through a consumer."""

from io import BytesIO

import pytest
from zope.interface.verify import verifyObject

from torsion.internet.interfaces import IPullProducer
from torsion.internet.testing import StringTransport
from torsion.protocols.basic import FileSender


class Broken:
    """A file that cannot be read."""

    def read(self, size):
        raise OSError("the disk has gone")


@pytest.fixture
def consumer():
    return StringTransport()


@pytest.fixture
def sender():
    return FileSender()


def results(deferred):
    found = []
    deferred.addBoth(found.append)
    return found


def test_it_is_a_pull_producer(sender, consumer):
    assert verifyObject(IPullProducer, sender)
    sender.beginFileTransfer(BytesIO(b"data"), consumer)
    assert (consumer.producer, consumer.streaming) == (sender, False)
    sender.pauseProducing()
    assert consumer.value() == b""


def test_a_chunk_each_time(sender, consumer):
    sender.CHUNK_SIZE = 4
    found = results(sender.beginFileTransfer(BytesIO(b"abcdef"), consumer))
    for sent in (b"abcd", b"abcdef"):
        sender.resumeProducing()
        assert consumer.value() == sent
        assert sender.lastSent == sent[-1:]
    assert (found, consumer.producer) == ([], sender)
    sender.resumeProducing()
    assert (found, consumer.producer) == ([b"f"], None)


def test_it_begins_where_the_file_stands_and_leaves_it_open(sender, consumer):
    file = BytesIO(b"abcdef")
    file.seek(3)
    sender.beginFileTransfer(file, consumer)
    sender.resumeProducing()
    sender.resumeProducing()
    assert consumer.value() == b"def"
    assert not file.closed


def test_an_empty_file(sender, consumer):
    found = results(sender.beginFileTransfer(BytesIO(b""), consumer))
    sender.resumeProducing()
    assert found == [b""]


def test_chunks_may_be_changed(sender, consumer):
    found = results(sender.beginFileTransfer(BytesIO(b"abc"), consumer, transform=bytes.upper))
    sender.resumeProducing()
    sender.resumeProducing()
    assert (consumer.value(), found) == (b"ABC", [b"C"])


def test_a_chunk_may_vanish(sender, consumer):
    sender.CHUNK_SIZE = 1
    found = results(sender.beginFileTransfer(BytesIO(b"abc"), consumer, lambda chunk: chunk.strip(b"b")))
    for _ in range(4):
        sender.resumeProducing()
    assert (consumer.value(), found) == (b"ac", [b"c"])


def test_the_consumer_may_stop_it(sender, consumer):
    found = results(sender.beginFileTransfer(BytesIO(b"abc"), consumer))
    sender.stopProducing()
    [failure] = found
    assert str(failure.value) == "Consumer asked us to stop producing"
    sender.stopProducing()
    sender.resumeProducing()
    assert consumer.value() == b""


def test_nothing_happens_after_the_end(sender, consumer):
    found = results(sender.beginFileTransfer(BytesIO(b"abc"), consumer))
    for _ in range(3):
        sender.resumeProducing()
    sender.stopProducing()
    assert found == [b"c"]


def test_one_sender_may_send_several_files_in_turn(sender, consumer):
    for data in (b"one", b"two"):
        found = results(sender.beginFileTransfer(BytesIO(data), consumer))
        sender.resumeProducing()
        sender.resumeProducing()
        assert found == [data[-1:]]
    assert consumer.value() == b"onetwo"


@pytest.mark.parametrize(
    ("file", "transform", "error"), [(Broken(), None, OSError), (BytesIO(b"a"), lambda chunk: chunk / 0, TypeError)]
)
def test_what_goes_wrong_is_the_deferred_s(sender, consumer, file, transform, error):
    found = results(sender.beginFileTransfer(file, consumer, transform))
    sender.resumeProducing()
    [failure] = found
    assert failure.check(error)
    assert consumer.producer is None
