"""The observer that keeps the events it is shown."""

import unittest

from zope.interface.verify import verifyObject

from torsion.internet.testing import EventLoggingObserver
from torsion.logger import ILogObserver, Logger, LogPublisher


def test_it_is_a_sequence_of_events():
    observer = EventLoggingObserver()
    verifyObject(ILogObserver, observer)
    one, two = {"number": 1}, {"number": 2}
    observer(one)
    observer(two)
    assert len(observer) == 2
    assert list(observer) == [one, two]
    assert observer[0] is one
    assert observer[1:] == [two]


def test_cleanup():
    publisher, test = LogPublisher(), unittest.TestCase()
    observer = EventLoggingObserver.createWithCleanup(test, publisher)
    log = Logger("here", observer=publisher)
    log.info("seen")
    test.doCleanups()
    log.info("not seen")
    assert [event["log_format"] for event in observer] == ["seen"]
