"""Services: names, collections, starting, stopping, and what becomes of those that fail."""

import copy
import pickle

import pytest
from zope.interface import implementer
from zope.interface.verify import verifyClass, verifyObject

from torsion.application import service
from torsion.application.draining import DrainError, IDrains, IListens
from torsion.application.reloading import IReloads, ReloadError
from torsion.application.service import (
    Application,
    IProcess,
    IService,
    IServiceCollection,
    IServiceMaker,
    MultiService,
    Process,
    Service,
    ServiceMaker,
)
from torsion.internet.defer import Deferred
from torsion.logger import globalLogPublisher
from torsion.plugin import IPlugin
from torsion.python import usage


@pytest.fixture
def logged():
    events = []
    globalLogPublisher.addObserver(events.append)
    yield events
    globalLogPublisher.removeObserver(events.append)


def results(deferred):
    found = []
    deferred.addBoth(found.append)
    return found


@implementer(IDrains, IListens, IReloads)
class Part(Service):
    """Writes down what it is told, and does as its ``does`` says."""

    def __init__(self, name, told, **does):
        self.setName(name)
        self.told = told
        self.does = does

    def _tell(self, what):
        self.told.append(f"{what} {self.name}")
        result = self.does.get(what)
        if isinstance(result, Exception):
            raise result
        return result

    def privilegedStartService(self):
        self._tell("privileged")

    def startService(self):
        super().startService()
        self._tell("start")

    def stopService(self):
        super().stopService()
        return self._tell("stop")

    def stopListening(self):
        return self._tell("deaf")

    def drain(self):
        return self._tell("drain")

    def reload(self):
        return self._tell("reload")


def collection(told, **parts):
    """Make a MultiService of parts, each by its name and what it does."""
    made = MultiService()
    for name, does in parts.items():
        Part(name, told, **does).setServiceParent(made)
    return made


class TestService:
    def test_is_what_it_says(self):
        assert verifyObject(IService, Service())
        assert verifyClass(IService, MultiService)
        assert verifyClass(IServiceCollection, MultiService)
        assert verifyObject(IProcess, Process())

    def test_runs_from_start_to_stop(self):
        one = Service()
        assert not one.running
        one.startService()
        assert one.running
        one.stopService()
        assert not one.running

    def test_a_copy_does_not_run(self):
        one = Service()
        one.startService()
        assert not copy.copy(one).running
        assert not pickle.loads(pickle.dumps(one)).running
        assert one.running

    def test_is_not_renamed_in_a_collection(self):
        one = Service()
        one.setName("one")
        one.setServiceParent(MultiService())
        with pytest.raises(RuntimeError, match="name it before"):
            one.setName("other")
        assert one.name == "one"


class TestCollections:
    def test_a_service_moves(self):
        first, second, one = MultiService(), MultiService(), Service()
        one.setName("one")
        one.setServiceParent(first)
        assert first.getServiceNamed("one") is one
        one.setServiceParent(second)
        assert list(first) == []
        assert list(second) == [one]
        assert one.parent is second
        with pytest.raises(KeyError):
            first.getServiceNamed("one")
        one.disownServiceParent()
        assert one.parent is None
        assert list(second) == []

    def test_two_of_one_name(self):
        both = collection([], one={})
        other = Part("one", [])
        with pytest.raises(RuntimeError, match="'one'"):
            other.setServiceParent(both)
        assert other.parent is None
        assert len(list(both)) == 1
        other.setName("two")
        other.setServiceParent(both)
        assert len(list(both)) == 2

    def test_what_is_not_there_cannot_be_removed(self):
        with pytest.raises(RuntimeError, match="in no collection"):
            Service().disownServiceParent()
        with pytest.raises(ValueError):
            MultiService().removeService(Service())

    def test_one_that_comes_into_a_running_one_is_started(self):
        told = []
        both = collection(told)
        both.startService()
        one = Part("one", told)
        one.setServiceParent(both)
        assert told == ["privileged one", "start one"]
        stopped = results(one.disownServiceParent())
        assert told[2:] == ["stop one"]
        assert stopped == [None]

    def test_one_that_cannot_be_started_there_stays(self):
        both = collection([])
        both.startService()
        one = Part("one", [], start=ValueError("no"))
        with pytest.raises(ValueError, match="no"):
            one.setServiceParent(both)
        assert one.parent is both
        assert list(both) == [one]

    def test_who_leaves_a_running_one_is_waited_for(self):
        stopping = Deferred()
        both = collection([], one={"stop": stopping})
        both.startService()
        stopped = results(both.getServiceNamed("one").disownServiceParent())
        assert stopped == []
        stopping.callback(None)
        assert stopped == [None]

    def test_services_may_leave_while_they_are_started(self):
        class Leaver(Service):
            def startService(self):
                super().startService()
                self.disownServiceParent()

        told = []
        both = MultiService()
        Leaver().setServiceParent(both)
        Part("last", told).setServiceParent(both)
        both.startService()
        assert told == ["start last"]


class TestStarting:
    def test_in_order(self):
        told = []
        both = collection(told, one={}, two={})
        both.privilegedStartService()
        both.startService()
        assert told == ["privileged one", "privileged two", "start one", "start two"]

    def test_one_that_raises_ends_it(self):
        told = []
        three = collection(told, one={}, two={"start": ValueError("no")}, three={})
        with pytest.raises(ValueError, match="no"):
            three.startService()
        assert told == ["start one", "start two"]
        assert three.getServiceNamed("one").running
        assert not three.getServiceNamed("three").running
        results(three.stopService())
        assert not three.getServiceNamed("one").running

    @pytest.mark.parametrize("what", ["privileged", "start"])
    def test_within_another(self, what):
        outer = MultiService()
        collection([], one={what: ValueError("no")}).setServiceParent(outer)
        with pytest.raises(ValueError, match="no"):
            (outer.privilegedStartService if what == "privileged" else outer.startService)()


class TestStopping:
    def test_the_last_one_first_and_all_at_once(self):
        told = []
        first, second = Deferred(), Deferred()
        both = collection(told, one={"stop": first}, two={"stop": second})
        both.startService()
        stopped = results(both.stopService())
        assert told[2:] == ["stop two", "stop one"]
        assert not both.running
        first.callback("1")
        assert stopped == []
        second.callback("2")
        assert stopped == [[(True, "2"), (True, "1")]]

    def test_one_that_raises_keeps_nobody_from_stopping(self, logged):
        told = []
        both = collection(told, one={}, two={"stop": ValueError("no")})
        both.startService()
        [result] = results(both.stopService())
        assert told[2:] == ["stop two", "stop one"]
        assert [success for success, _ in result] == [False, True]
        assert result[0][1].check(ValueError)
        [event] = [event for event in logged if "log_failure" in event]
        assert event["name"] == "two (Part)"
        assert event["log_failure"].check(ValueError)

    def test_one_whose_stop_fails_later(self, logged):
        stopping = Deferred()
        both = collection([], one={"stop": stopping})
        both.startService()
        stopped = results(both.stopService())
        stopping.errback(ValueError("late"))
        [[(success, failure)]] = stopped
        assert not success
        assert failure.check(ValueError)
        assert [event["name"] for event in logged if "log_failure" in event] == ["one (Part)"]

    def test_waiting_can_be_given_up(self, logged):
        inner = collection([], one={"stop": Deferred()}, two={})
        inner.setName("inner")
        outer = MultiService()
        inner.setServiceParent(outer)
        outer.startService()
        stopping = outer.stopService()
        stopped = results(stopping)
        stopping.cancel()
        assert len(stopped) == 1
        assert [event["name"] for event in logged if event["log_level"].name == "error"] == ["one (Part)"]

    def test_one_that_never_stops_is_waited_for(self):
        both = collection([], one={"stop": Deferred()}, two={})
        both.startService()
        assert results(both.stopService()) == []
        assert not both.getServiceNamed("two").running


class TestEnding:
    def test_all_listen_no_more_at_once(self, logged):
        told = []
        waits = Deferred()
        some = collection(told, one={}, two={"deaf": ValueError("no")}, three={"deaf": waits})
        Service().setServiceParent(some)
        deaf = results(some.stopListening())
        assert told == ["deaf three", "deaf two", "deaf one"]
        assert deaf == []
        waits.callback(None)
        assert len(deaf) == 1
        assert [event["name"] for event in logged if "log_failure" in event] == ["two (Part)"]

    def test_who_does_not_wait_for_that_is_not_told(self, logged):
        some = collection([], one={"deaf": Deferred()})
        closing = some.stopListening()
        closed = results(closing)
        closing.cancel()
        assert len(closed) == 1
        assert [event for event in logged if "log_failure" in event] == []

    def test_drained_one_after_the_other(self):
        told = []
        last = Deferred()
        outer = MultiService()
        Part("base", told).setServiceParent(outer)
        collection(told, one={}, two={"drain": last}).setServiceParent(outer)
        Service().setServiceParent(outer)
        drained = results(outer.drain())
        assert told == ["drain two"]
        last.callback(None)
        assert told == ["drain two", "drain one", "drain base"]
        assert drained == [None]

    def test_one_that_cannot_be_drained(self, logged):
        told = []
        some = collection(told, one={}, two={"drain": ValueError("no")})
        [failure] = results(some.drain())
        assert told == ["drain two", "drain one"]
        assert failure.check(DrainError)
        assert failure.value.services == ["two (Part)"]

    def test_reloaded_in_the_order_of_their_start(self):
        told = []
        outer = collection(told, one={})
        collection(told, two={}, three={"reload": ValueError("no")}, four={}).setServiceParent(outer)
        [failure] = results(outer.reload())
        assert told == ["reload one", "reload two", "reload three", "reload four"]
        assert failure.check(ReloadError)
        assert failure.value.reloaded == ["one (Part)", "two (Part)", "four (Part)"]


class TestApplication:
    def test_is_all_of_it(self):
        made = Application("shop", 5, 6)
        assert verifyObject(IService, IService(made))
        assert IService(made) is IServiceCollection(made)
        assert IService(made).name == "shop"
        assert IService(made).parent is None
        assert (IProcess(made).uid, IProcess(made).gid, IProcess(made).processName) == (5, 6, None)
        assert (IProcess(Application("x")).uid, IProcess(Application("x")).gid) == (None, None)

    def test_takes_services(self):
        made, one = Application("shop"), Service()
        one.setServiceParent(made)
        assert one.parent is IServiceCollection(made)
        IService(made).startService()
        assert one.running


class Options(usage.Options):
    pass


def makeService(options):
    made = Service()
    made.setName("made")
    return made


class TestServiceMaker:
    def test_looks_into_its_module_when_asked(self):
        maker = ServiceMaker("Shop", __name__, "Sells things.", "shop")
        assert verifyObject(IServiceMaker, maker)
        assert IPlugin.providedBy(maker)
        assert (maker.name, maker.description, maker.tapname) == ("Shop", "Sells things.", "shop")
        assert maker.options is Options
        assert maker.makeService(maker.options()).name == "made"

    def test_of_a_module_that_is_not_there(self):
        maker = ServiceMaker("Shop", "no.such.shop", "Sells things.", "shop")
        with pytest.raises(Exception, match="no"):
            _ = maker.options


def test_all_names_are_there():
    assert all(hasattr(service, name) for name in service.__all__)
