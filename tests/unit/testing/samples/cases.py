"""A suite as it might be ported: some of its tests are meant to fail.  ``test_cases.py`` runs it, by unittest and by pytest."""

import threading
import warnings

from torsion.internet import reactor
from torsion.internet.defer import Deferred, fail, inlineCallbacks, succeed
from torsion.internet.endpoints import TCP4ClientEndpoint, connectProtocol
from torsion.internet.protocol import Factory, Protocol
from torsion.internet.task import deferLater
from torsion.internet.threads import deferToThread
from torsion.python.deprecate import deprecated
from torsion.python.versions import Version
from torsion.trial import unittest

pause = threading.Event()


def warns():
    warnings.warn("new", UserWarning, stacklevel=1)


class Good(unittest.TestCase):
    order: list[str]

    def setUp(self):
        self.order = ["setUp"]
        return deferLater(reactor, 0.001, self.order.append, "set up")

    def tearDown(self):
        self.assertEqual(self.order[:2], ["setUp", "set up"])
        return deferLater(reactor, 0.001, self.order.append, "torn down")

    def test_deferred(self):
        return deferLater(reactor, 0.001, lambda: None)

    async def test_coroutine(self):
        await deferLater(reactor, 0.001, lambda: None)

    @inlineCallbacks
    def test_inline_callbacks(self):
        yield deferLater(reactor, 0.001, lambda: None)

    def test_cleanups_are_waited_for_last_first(self):
        for name in ("first", "second"):
            self.addCleanup(deferLater, reactor, 0.001, self.order.append, name)
        self.addCleanup(lambda: self.assertEqual(self.order[2:], ["torn down"]))

    async def test_connection_that_is_closed(self):
        port = reactor.listenTCP(0, Factory.forProtocol(Protocol), interface="127.0.0.1")
        self.addCleanup(port.stopListening)
        protocol = await connectProtocol(TCP4ClientEndpoint(reactor, "127.0.0.1", port.getHost().port), Protocol())
        protocol.transport.loseConnection()

    async def test_thread_of_the_pool(self):
        self.assertEqual(await deferToThread(lambda: 3), 3)

    def test_results(self):
        self.assertEqual(self.successResultOf(succeed(3)), 3)
        self.failureResultOf(fail(ValueError("no")), ValueError)
        self.assertNoResult(Deferred())
        for wrong in (
            lambda: self.successResultOf(Deferred()),
            lambda: self.successResultOf(fail(ValueError("no"))),
            lambda: self.failureResultOf(succeed(3)),
            lambda: self.failureResultOf(Deferred()),
            lambda: self.failureResultOf(fail(ValueError("no")), TypeError, KeyError),
            lambda: self.assertNoResult(succeed(3)),
            lambda: self.assertNoResult(fail(ValueError("no"))),
        ):
            self.assertRaises(unittest.FailTest, wrong)

    def test_failure_that_is_expected(self):
        return self.assertFailure(fail(ValueError("no")), ValueError)

    def test_logged_errors_are_flushed(self):
        fail(ValueError("no"))
        self.assertEqual([each.type for each in self.flushLoggedErrors(ValueError)], [ValueError])
        self.assertEqual(self.flushLoggedErrors(), [])

    def test_warnings_are_flushed(self):
        warnings.warn("old", DeprecationWarning, stacklevel=1)
        found = self.flushWarnings([self.test_warnings_are_flushed])
        self.assertEqual([(each["message"], each["category"]) for each in found], [("old", DeprecationWarning)])
        self.assertWarns(UserWarning, "new", __file__, warns)
        with self.assertWarns(UserWarning):
            warnings.warn("new", UserWarning, stacklevel=1)

    def test_patches_and_files(self):
        class Thing:
            colour = "red"

        thing = Thing()
        self.patch(thing, "colour", "blue").restore()
        self.assertEqual(thing.colour, "red")
        self.assertNotIn("colour", vars(thing))
        path = self.mktemp()
        with open(path, "w") as file:
            file.write("x")

    def test_old_names(self):
        error = self.failUnlessRaises(ZeroDivisionError, lambda: 1 / 0)
        self.assertIsInstance(error, ZeroDivisionError)
        self.assertApproximates(1.0, 1.01, 0.1)
        self.assertSubstring("b", "abc")
        self.assertIdentical(error, error)
        with self.assertRaises(KeyError) as raised:
            {}["x"]
        self.assertEqual(raised.exception.args, ("x",))

    def test_what_is_raised_is_described(self):
        def raises(error):
            raise error("marker")

        for wrong, said in (
            (lambda: self.assertRaises(ValueError, int, "3"), "ValueError not raised (3 returned)"),
            (
                lambda: self.assertRaises(ValueError, raises, TypeError),
                "builtins.TypeError raised instead of ValueError:",
            ),
            (lambda: self.assertRaises((ValueError, KeyError), int), "ValueError or KeyError not raised (0 returned)"),
            (lambda: self.callDeprecated(Version("x", 1, 0, 0), int), "<class 'int'> is not deprecated."),
        ):
            self.assertIn(said, str(self.assertRaises(unittest.FailTest, wrong)))

    def test_deprecations(self):
        old = deprecated(Version("x", 1, 2, 3), "new")(lambda: 3)
        self.assertEqual(self.callDeprecated((Version("x", 1, 2, 3), "new"), old), 3)
        self.assertAlmostEqual(self.assertNotAlmostEqual(1.0, 2.0), 1.0)
        self.assertIs(type(self).assertEquals, type(self).assertEqual)

    def test_skipped(self):
        raise unittest.SkipTest("not now")

    def test_skipped_by_its_attribute(self):
        self.fail("it runs")

    test_skipped_by_its_attribute.skip = "never"

    def test_known_to_fail(self):
        self.fail("as is known")

    test_known_to_fail.todo = "one day"


class Bad(unittest.TestCase):
    timeout = 0.1

    def test_fails(self):
        return deferLater(reactor, 0.001, self.assertEqual, "one", "two")

    def test_takes_too_long(self):
        return Deferred()

    def test_leaves_a_call(self):
        reactor.callLater(100, print, "never")

    def test_leaves_a_port(self):
        reactor.listenTCP(0, Factory.forProtocol(Protocol), interface="127.0.0.1")

    async def test_leaves_a_connection(self):
        port = reactor.listenTCP(0, Factory.forProtocol(Protocol), interface="127.0.0.1")
        self.addCleanup(port.stopListening)
        await connectProtocol(TCP4ClientEndpoint(reactor, "127.0.0.1", port.getHost().port), Protocol())

    def test_leaves_a_thread(self):
        threading.Thread(target=pause.wait, args=(20,), name="lingering", daemon=True).start()

    def test_leaves_an_error(self):
        fail(ValueError("nobody looks"))
