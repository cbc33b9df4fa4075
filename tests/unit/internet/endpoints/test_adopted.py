"""Sockets that were opened elsewhere: as endpoints, and by description."""

from __future__ import annotations

import os
import socket

import pytest
from zope.interface.verify import verifyObject

from torsion.internet.endpoints import AdoptedStreamServerEndpoint, EndpointDescriptionError, serverFromString
from torsion.internet.endpoints import inherited as module
from torsion.internet.error import AlreadyListened
from torsion.internet.interfaces import IStreamServerEndpoint
from torsion.internet.testing import MemoryReactor, RaisingMemoryReactor
from torsion.python.systemd import ListenFDs


def results(deferred):
    found = []
    deferred.addBoth(found.append)
    return found


@pytest.fixture
def reactor():
    return MemoryReactor()


@pytest.fixture
def descriptor():
    """A descriptor of a listening socket, which is closed if a test leaves it open."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        fileno = os.dup(server.fileno())
        server.setblocking(True)
        yield fileno
        if is_open(fileno):
            os.close(fileno)


def is_open(fileno):
    try:
        os.fstat(fileno)
    except OSError:
        return False
    return True


class TestAdopted:
    def test_listen(self, reactor, descriptor):
        blocking = []
        reactor.adoptStreamPort = lambda fileno, *_: blocking.append(os.get_blocking(fileno))
        endpoint = AdoptedStreamServerEndpoint(reactor, descriptor, socket.AF_INET)
        assert verifyObject(IStreamServerEndpoint, endpoint)
        assert (endpoint.reactor, endpoint.fileno, endpoint.addressFamily) == (reactor, descriptor, socket.AF_INET)
        assert repr(endpoint) == f"<AdoptedStreamServerEndpoint of descriptor {descriptor}>"
        results(endpoint.listen(None))
        assert blocking == [False]
        assert not is_open(descriptor)

    def test_what_the_reactor_is_given(self, reactor, descriptor):
        factory = object()
        [port] = results(AdoptedStreamServerEndpoint(reactor, descriptor, socket.AF_INET).listen(factory))
        assert reactor.adoptedPorts == [(descriptor, socket.AF_INET, factory)]
        assert port.getHost().port == 1234  # MemoryReactor's

    def test_once(self, reactor, descriptor):
        endpoint = AdoptedStreamServerEndpoint(reactor, descriptor, socket.AF_INET)
        results(endpoint.listen(None))
        [failure] = results(endpoint.listen(None))
        assert failure.check(AlreadyListened)
        assert str(descriptor) in str(failure.value)
        assert len(reactor.adoptedPorts) == 1

    def test_the_reactor_refuses(self, descriptor):
        endpoint = AdoptedStreamServerEndpoint(
            RaisingMemoryReactor(listenException=ZeroDivisionError()), descriptor, socket.AF_INET
        )
        for _ in range(2):  # it is there still
            [failure] = results(endpoint.listen(None))
            assert failure.check(ZeroDivisionError)
        assert is_open(descriptor)

    def test_no_descriptor(self, reactor, descriptor):
        os.close(descriptor)
        [failure] = results(AdoptedStreamServerEndpoint(reactor, descriptor, socket.AF_INET).listen(None))
        assert failure.check(OSError)


def refused(description):
    with pytest.raises(EndpointDescriptionError) as caught:
        serverFromString(None, description)
    return str(caught.value), description[caught.value.start : caught.value.end]


class TestNumbers:
    def test_the_family_is_found_out(self, descriptor):
        endpoint = serverFromString(None, f"fd:{descriptor}")
        assert isinstance(endpoint, AdoptedStreamServerEndpoint)
        assert (endpoint.fileno, endpoint.addressFamily) == (descriptor, socket.AF_INET)
        assert is_open(descriptor)

    @pytest.mark.parametrize("description", ["fd:{}:domain=INET6", "fd:number={}:domain=INET6", "fd:{}:INET6"])
    def test_a_family_that_is_given(self, descriptor, description):
        endpoint = serverFromString(None, description.format(descriptor))
        assert (endpoint.fileno, endpoint.addressFamily) == (descriptor, socket.AF_INET6)

    def test_nothing_there(self, descriptor):
        os.close(descriptor)
        text, at = refused(f"fd:{descriptor}")
        assert f"descriptor {descriptor}, which is no socket here" in text
        assert at == str(descriptor)

    def test_no_socket(self):
        with open(os.devnull) as file:
            assert "which is no socket here" in refused(f"fd:{file.fileno()}")[0]

    def test_a_family_that_nobody_listens_with(self, descriptor, monkeypatch):
        monkeypatch.setattr(module, "DOMAINS", {"INET6": socket.AF_INET6})
        text, at = refused(f"fd:{descriptor}")
        assert "a socket of" in text
        assert "known are INET6" in text
        assert at == str(descriptor)

    @pytest.mark.parametrize(
        ("description", "complaint", "marked"),
        [
            ("fd:", "number ''", ""),
            ("fd", "lacks its number", ""),
            ("fd:three", "number 'three'", "three"),
            ("fd:-1", "number -1, which is not between 0", "-1"),
            ("fd:3:domain=APPLETALK", "domain 'APPLETALK'; known are INET, INET6", "domain=APPLETALK"),
        ],
    )
    def test_bad(self, description, complaint, marked):
        text, at = refused(description)
        assert complaint in text
        assert at == marked


class TestSystemd:
    @pytest.fixture(autouse=True)
    def handed_over(self, monkeypatch):
        found = ListenFDs([5, 6, 7], ["web", "mail", "mail"])
        monkeypatch.setattr(module, "inherited", lambda: found)

    @pytest.mark.parametrize(
        ("description", "fileno", "family"),
        [
            ("systemd:domain=INET:index=0", 5, socket.AF_INET),
            ("systemd:domain=INET6:index=1", 6, socket.AF_INET6),
            ("systemd:INET:2", 7, socket.AF_INET),
            ("systemd:domain=INET:name=web", 5, socket.AF_INET),
        ],
    )
    def test_found(self, description, fileno, family):
        endpoint = serverFromString(None, description)
        assert (endpoint.fileno, endpoint.addressFamily) == (fileno, family)

    @pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="needs UNIX sockets")
    def test_unix(self):
        assert serverFromString(None, "systemd:domain=UNIX:name=web").addressFamily == socket.AF_UNIX

    @pytest.mark.parametrize(
        ("description", "complaint", "marked"),
        [
            ("systemd:domain=INET", "needs either an index or a name", ""),
            ("systemd:domain=INET:index=0:name=web", "needs either an index or a name", "name=web"),
            (
                "systemd:domain=INET:name=ftp",
                "'ftp', which systemd did not hand over; it did: 'web', 'mail'",
                "name=ftp",
            ),
            ("systemd:domain=INET:index=3", "means socket 3, counted from 0, and systemd handed 3 over", "index=3"),
            ("systemd:domain=INET:index=x", "index 'x'", "index=x"),
            ("systemd:domain=X:index=0", "domain 'X'; known are INET, INET6", "domain=X"),
        ],
    )
    def test_bad(self, description, complaint, marked):
        text, at = refused(description)
        assert complaint in text
        assert at == marked


def test_systemd_is_asked_once(monkeypatch):
    module.inherited.cache_clear()
    for name, value in {"PID": os.getpid(), "FDS": 1, "FDNAMES": "web"}.items():
        monkeypatch.setenv(f"LISTEN_{name}", str(value))
    try:
        for _ in range(2):
            assert serverFromString(None, "systemd:domain=INET:name=web").fileno == 3
        assert "LISTEN_FDS" not in os.environ
    finally:
        module.inherited.cache_clear()
