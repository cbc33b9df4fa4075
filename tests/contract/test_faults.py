"""A hook that raises costs its own connection and nothing else."""

from __future__ import annotations

import pytest
from zope.interface import implementer

from contract import faultkit
from contract.faultkit import Echo, Loop, Maker
from contract.flavours import needs
from torsion.internet.error import ConnectionDone, ConnectionRefusedError
from torsion.internet.interfaces import IHalfCloseableProtocol, IPullProducer, IPushProducer
from torsion.internet.protocol import ClientFactory, Factory
from torsion.python.failure import Failure

pytestmark = needs("IReactorTCP", "engine")

loop = faultkit.loop


class Fault(Exception):
    """What the hooks raise."""


class Unusual(BaseException):
    """No Exception, as SystemExit is none."""


EXCEPTIONS = [Fault, SystemExit, KeyboardInterrupt, GeneratorExit, Unusual]


@implementer(IHalfCloseableProtocol)
class Faulty(Echo):
    """Raises in one hook."""

    def __init__(self, hook: str, exception: type[BaseException]) -> None:
        super().__init__()
        self.hook = hook
        self.exception = exception
        self.called: list[str] = []

    def _called(self, hook: str) -> None:
        self.called.append(hook)
        if hook == self.hook:
            raise self.exception(hook)

    def makeConnection(self, transport):
        self.transport = transport
        self._called("makeConnection")
        super().makeConnection(transport)

    def connectionMade(self):
        self._called("connectionMade")

    def dataReceived(self, data):
        self._called("dataReceived")
        super().dataReceived(data)

    def readConnectionLost(self):
        self._called("readConnectionLost")
        self.transport.loseWriteConnection()

    def writeConnectionLost(self):
        self._called("writeConnectionLost")

    def connectionLost(self, reason):
        super().connectionLost(reason)
        self._called("connectionLost")


def set_off(hook, peer):
    """Do what makes the reactor call *hook*, beyond connecting."""
    if hook == "dataReceived":
        peer.send(b"x")
    elif hook in {"readConnectionLost", "writeConnectionLost"}:
        peer.half_close()
    elif hook == "connectionLost":
        peer.reset()


HOOKS = ["makeConnection", "connectionMade", "dataReceived", "readConnectionLost", "writeConnectionLost"]


@pytest.mark.parametrize("exception", EXCEPTIONS)
@pytest.mark.parametrize("hook", HOOKS)
def test_a_hook_that_raises_costs_its_own_connection(loop: Loop, logged, hook, exception):
    factory = Maker(Echo, lambda: Faulty(hook, exception))
    port = loop.listen(factory)
    bystander = loop.peer(port)
    assert bystander.answers()
    victim = loop.peer(port)
    set_off(hook, victim)
    assert victim.ended()
    loop.until(lambda: factory.made[1].reasons)
    (reason,) = factory.made[1].reasons
    assert isinstance(reason, Failure)
    assert reason.type is exception
    assert reason.value.args == (hook,)
    assert reason.getTracebackObject() is not None
    assert logged.take(exception) == [reason.value], "logged once, and the same that connectionLost is given"
    assert factory.made[1].transport.disconnected
    assert bystander.answers()
    assert loop.peer(port).answers()
    assert [protocol.reasons for protocol in factory.made] == [[], [reason], []]


@pytest.mark.parametrize("exception", EXCEPTIONS)
def test_connectionLost_that_raises_is_called_once(loop: Loop, logged, exception):
    factory = Maker(Echo, lambda: Faulty("connectionLost", exception))
    port = loop.listen(factory)
    bystander = loop.peer(port)
    assert bystander.answers()
    victim = loop.peer(port)
    assert victim.answers()
    victim.reset()
    loop.until(lambda: factory.made[1].reasons)
    loop.turn()
    assert factory.made[1].called.count("connectionLost") == 1
    assert [error.args for error in logged.take(exception)] == [("connectionLost",)]
    assert bystander.answers()


def test_a_second_fault_in_connectionLost_is_logged_too(loop: Loop, logged):
    class Twice(Echo):
        def dataReceived(self, data):
            raise Fault("first")

        def connectionLost(self, reason):
            raise Fault("second") from reason.value

    port = loop.listen(Maker(Twice))
    victim = loop.peer(port)
    victim.send(b"x")
    assert victim.ended()
    loop.until(lambda: len(logged) == 2)
    assert [error.args for error in logged.take(Fault)] == [("first",), ("second",)]


@pytest.mark.parametrize("exception", EXCEPTIONS)
def test_buildProtocol_that_raises(loop: Loop, logged, exception):
    def fail():
        raise exception("buildProtocol")

    factory = Maker(Echo, fail)
    port = loop.listen(factory)
    bystander = loop.peer(port)
    assert bystander.answers()
    assert loop.peer(port).ended()
    assert [error.args for error in logged.take(exception)] == [("buildProtocol",)]
    assert bystander.answers()
    assert loop.peer(port).answers()


@pytest.mark.parametrize("thing", [42, "protocol", object()], ids=repr)
def test_buildProtocol_that_makes_no_protocol(loop: Loop, logged, thing):
    class Wrong(Factory):
        noisy = False

        def buildProtocol(self, addr):
            return thing

    port = loop.listen(Wrong())
    assert loop.peer(port).ended()
    loop.until(lambda: len(logged) == 2)  # neither makeConnection nor connectionLost is there
    assert len(logged.take(AttributeError)) == 2


def test_buildProtocol_may_want_no_connection(loop: Loop):
    class Unwilling(Factory):
        noisy = False

        def buildProtocol(self, addr):
            return None

    assert loop.peer(loop.listen(Unwilling())).ended()


def test_bytes_that_a_failing_hook_wrote_are_not_waited_for(loop: Loop, logged):
    class Generous(Echo):
        def dataReceived(self, data):
            self.transport.write(b"x" * 50_000_000)
            raise Fault

    factory = Maker(Generous)
    victim = loop.peer(loop.listen(factory))
    victim.send(b"x")
    loop.until(lambda: factory.made and factory.made[0].reasons)
    assert len(logged.take(Fault)) == 1


def test_a_fault_outranks_a_close_that_was_asked_for(loop: Loop, logged):
    class Leaving(Echo):
        def dataReceived(self, data):
            getattr(self.transport, data.decode())()
            raise Fault(data)

    factory = Maker(Leaving, Leaving)
    port = loop.listen(factory)
    for number, way in enumerate([b"loseConnection", b"abortConnection"]):
        victim = loop.peer(port)
        victim.send(way)
        loop.until(lambda n=number: len(factory.made) > n and factory.made[n].reasons)
        assert factory.made[number].reasons[0].check(Fault)
    assert len(logged.take(Fault)) == 2


# --- producers ---------------------------------------------------------------------------------------------------------


@implementer(IPushProducer, IPullProducer)
class FaultyProducer:
    def __init__(self, hook, exception):
        self.hook = hook
        self.exception = exception
        self.called = []

    def _called(self, hook):
        self.called.append(hook)
        if hook == self.hook:
            raise self.exception(hook)

    def pauseProducing(self):
        self._called("pauseProducing")

    def resumeProducing(self):
        self._called("resumeProducing")

    def stopProducing(self):
        self._called("stopProducing")


class Producing(Echo):
    """Registers a producer when bytes come in; "pull" and "push" say which kind."""

    def __init__(self, producer):
        super().__init__()
        self.producer = producer

    def dataReceived(self, data):
        self.transport.registerProducer(self.producer, data == b"push")
        if data == b"push":
            self.transport.write(b"x" * 20_000_000)


@pytest.mark.parametrize("exception", EXCEPTIONS)
@pytest.mark.parametrize(
    ("hook", "kind"), [("pauseProducing", b"push"), ("resumeProducing", b"push"), ("resumeProducing", b"pull")]
)
def test_a_producer_that_raises(loop: Loop, logged, hook, kind, exception):
    producer = FaultyProducer(hook, exception)
    factory = Maker(Echo, lambda: Producing(producer))
    port = loop.listen(factory)
    bystander = loop.peer(port)
    assert bystander.answers()
    victim = loop.peer(port)
    victim.send(kind)
    if kind == b"push":
        loop.until(lambda: "pauseProducing" in producer.called)
    victim.receive(30_000_000)  # all there is
    loop.until(lambda: factory.made[1].reasons)
    assert factory.made[1].reasons[0].check(exception)
    assert [error.args for error in logged.take(exception)] == [(hook,)]
    assert producer.called.count(hook) == 1
    assert bystander.answers()


@pytest.mark.parametrize("exception", EXCEPTIONS)
def test_a_pull_producer_that_raises_later(loop: Loop, logged, exception):
    class Later(FaultyProducer):
        def resumeProducing(self):
            if "resumeProducing" in self.called:
                super().resumeProducing()
            self.called.append("resumeProducing")
            factory.made[0].transport.write(b"one")

    producer = Later("resumeProducing", exception)
    factory = Maker(lambda: Producing(producer))
    victim = loop.peer(loop.listen(factory))
    victim.send(b"pull")
    assert victim.receive(10) == b"one"
    loop.until(lambda: factory.made[0].reasons)
    assert len(logged.take(exception)) == 1
    assert factory.made[0].reasons[0].check(exception)


@pytest.mark.parametrize("exception", EXCEPTIONS)
def test_stopProducing_that_raises(loop: Loop, logged, exception):
    producer = FaultyProducer("stopProducing", exception)
    factory = Maker(lambda: Producing(producer))
    port = loop.listen(factory)
    victim = loop.peer(port)
    victim.send(b"push")
    loop.until(lambda: producer.called)
    victim.reset()
    loop.until(lambda: factory.made[0].reasons)
    assert producer.called == ["pauseProducing", "stopProducing"]
    assert [error.args for error in logged.take(exception)] == [("stopProducing",)]
    assert factory.made[0].reasons[0].type.__name__ == "ConnectionLost"
    assert loop.peer(port).answers()


# --- factories ---------------------------------------------------------------------------------------------------------


class FaultyClients(ClientFactory):
    """Raises in one hook."""

    noisy = False

    def __init__(self, hook: str, exception: type[BaseException]) -> None:
        self.hook = hook
        self.exception = exception
        self.called: list[str] = []
        self.reasons: list[Failure] = []
        self.protocols: list[Echo] = []

    def _called(self, hook):
        self.called.append(hook)
        if hook == self.hook:
            raise self.exception(hook)

    def doStart(self):
        self._called("doStart")

    def doStop(self):
        self._called("doStop")

    def startedConnecting(self, connector):
        self._called("startedConnecting")

    def buildProtocol(self, addr):
        self._called("buildProtocol")
        self.protocols.append(Echo())
        return self.protocols[-1]

    def clientConnectionFailed(self, connector, reason):
        self.reasons.append(reason)
        self._called("clientConnectionFailed")

    def clientConnectionLost(self, connector, reason):
        self.reasons.append(reason)
        self._called("clientConnectionLost")


def connect(loop, factory, port_number):
    return loop.reactor.connectTCP("127.0.0.1", port_number, factory)


@pytest.fixture
def free_port(loop):
    """The number of a port that nobody listens at."""
    port = loop.listen(Maker())
    number = port.getHost().port
    loop.result(port.stopListening())
    return number


@pytest.mark.parametrize("exception", EXCEPTIONS)
def test_a_factory_that_cannot_start(loop: Loop, exception):
    factory = FaultyClients("doStart", exception)
    with pytest.raises(exception, match="doStart"):
        connect(loop, factory, 1)
    with pytest.raises(exception, match="doStart"):
        loop.listen(factory)
    loop.turn()
    assert factory.called == ["doStart", "doStart"]
    assert not loop.reactor.open_handles


@pytest.mark.parametrize("exception", EXCEPTIONS)
def test_startedConnecting_that_raises_fails_the_attempt(loop: Loop, logged, exception):
    factory = FaultyClients("startedConnecting", exception)
    connector = connect(loop, factory, loop.listen(Maker()).getHost().port)
    loop.until(lambda: "doStop" in factory.called)
    assert factory.called == ["doStart", "startedConnecting", "clientConnectionFailed", "doStop"]
    assert factory.reasons[0].check(exception)
    assert logged.take(exception) == [factory.reasons[0].value]
    assert connector.state == "disconnected"
    assert loop.reactor.getDelayedCalls() == []


@pytest.mark.parametrize("exception", EXCEPTIONS)
def test_a_clients_buildProtocol_that_raises_fails_the_attempt(loop: Loop, logged, exception):
    server = Maker()
    factory = FaultyClients("buildProtocol", exception)
    connect(loop, factory, loop.listen(server).getHost().port)
    loop.until(lambda: "doStop" in factory.called)
    assert factory.called == ["doStart", "startedConnecting", "buildProtocol", "clientConnectionFailed", "doStop"]
    assert factory.reasons[0].check(exception)
    assert logged.take(exception) == [factory.reasons[0].value]
    loop.until(lambda: server.made and server.made[0].reasons)


@pytest.mark.parametrize("exception", EXCEPTIONS)
def test_clientConnectionFailed_that_raises(loop: Loop, logged, free_port, exception):
    factory = FaultyClients("clientConnectionFailed", exception)
    connect(loop, factory, free_port)
    loop.until(lambda: "doStop" in factory.called)
    assert factory.called == ["doStart", "startedConnecting", "clientConnectionFailed", "doStop"]
    assert factory.reasons[0].check(ConnectionRefusedError)
    assert [error.args for error in logged.take(exception)] == [("clientConnectionFailed",)]


@pytest.mark.parametrize("exception", EXCEPTIONS)
@pytest.mark.parametrize("hook", ["clientConnectionLost", "doStop"])
def test_a_clients_last_hooks_that_raise(loop: Loop, logged, hook, exception):
    server = Maker()
    port = loop.listen(server)
    bystander = loop.peer(port)
    assert bystander.answers()
    factory = FaultyClients(hook, exception)
    connector = connect(loop, factory, port.getHost().port)
    loop.until(lambda: len(server.made) == 2 and factory.protocols)
    server.made[1].transport.loseConnection()
    loop.until(lambda: "doStop" in factory.called)
    assert factory.called[-2:] == ["clientConnectionLost", "doStop"]
    assert factory.protocols[0].reasons[0].check(ConnectionDone)
    assert [error.args for error in logged.take(exception)] == [(hook,)]
    assert connector.state == "disconnected"
    assert bystander.answers()


@pytest.mark.parametrize("exception", EXCEPTIONS)
def test_a_clients_protocol_that_raises_in_connectionLost(loop: Loop, logged, exception):
    server = Maker()
    factory = FaultyClients("none", exception)
    connect(loop, factory, loop.listen(server).getHost().port)
    loop.until(lambda: server.made and factory.protocols)
    factory.protocols[0].connectionLost = lambda reason: factory._called("none")
    server.made[0].transport.loseConnection()
    loop.until(lambda: "doStop" in factory.called)
    assert factory.called[-3:] == ["none", "clientConnectionLost", "doStop"]
    assert len(logged.take(exception)) == 1


@pytest.mark.parametrize("exception", [Fault, SystemExit, KeyboardInterrupt])
def test_doStop_that_raises_fails_stopListening(loop: Loop, exception):
    port = loop.listen(FaultyClients("doStop", exception))
    failure = loop.result(port.stopListening())
    assert failure.check(exception)
    assert not port.connected
    assert not loop.reactor.open_handles


def test_doStop_that_raises_does_not_keep_the_reactor_from_stopping(loop: Loop, logged):
    first, second = (FaultyClients("doStop", Fault) for _ in range(2))
    loop.listen(first)
    loop.listen(second)
    loop.reactor.stop()
    loop.reactor.mainLoop()
    assert first.called == second.called == ["doStart", "doStop"]
    assert len(logged.take(Fault)) == 2


# --- calls that are nobody's connection ----------------------------------------------------------------------------------


@pytest.mark.parametrize("exception", EXCEPTIONS)
def test_a_call_that_raises_is_logged_and_the_others_are_made(loop: Loop, logged, exception):
    made = []

    def fail(why):
        raise exception(why)

    loop.reactor.callLater(0, fail, "timer")
    loop.reactor.callLater(0, made.append, "timer")
    loop.reactor.callFromThread(fail, "thread")
    loop.reactor.callFromThread(made.append, "thread")
    loop.until(lambda: len(made) == 2)
    assert made == ["thread", "timer"]
    assert [error.args for error in logged.take(exception)] == [("thread",), ("timer",)]


@pytest.mark.parametrize("exception", EXCEPTIONS)
def test_run_goes_on_after_a_call_that_raises(loop: Loop, logged, exception):
    def fail():
        raise exception

    loop.reactor.callLater(0, fail)
    loop.reactor.callFromThread(fail)
    loop.reactor.callLater(0.01, loop.reactor.stop)
    loop.reactor.mainLoop()
    assert len(logged.take(exception)) == 2


def test_an_observer_that_raises_is_survived(loop: Loop, logged):
    """What ``raised`` itself cannot handle must not end the loop."""

    class Nameless(Echo):
        def __repr__(self):
            raise Fault("repr")

        def dataReceived(self, data):
            raise Fault("dataReceived")

    factory = Maker(Nameless)
    port = loop.listen(factory)
    victim = loop.peer(port)
    victim.send(b"x")
    assert victim.ended()
    loop.until(lambda: factory.made[0].reasons)
    assert factory.made[0].reasons[0].value.args == ("dataReceived",)
    logged.take(Fault)
    assert loop.peer(port).answers()
