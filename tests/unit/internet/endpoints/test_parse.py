"""Endpoints from strings."""

from __future__ import annotations

import sys
from contextlib import suppress
from types import ModuleType, SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torsion.internet.endpoints import (
    EndpointDescriptionError,
    StandardIOEndpoint,
    TCP4ClientEndpoint,
    TCP4ServerEndpoint,
    TCP6ServerEndpoint,
    UNIXClientEndpoint,
    UNIXServerEndpoint,
    clientFromString,
    serverFromString,
)
from torsion.internet.endpoints.parse import wrapped_server
from torsion.internet.interfaces import IStreamClientEndpointStringParserWithReactor, IStreamServerEndpointStringParser
from torsion.internet.interfaces.binding import Binding
from torsion.internet.testing import MemoryReactorClock


@pytest.fixture(autouse=True)
def plugins(monkeypatch):
    """The plugins that are found; a test may add some."""
    found = []
    asked = []

    def get(interface):
        asked.append(interface)
        return [each for each in found if interface.providedBy(each)]

    module = ModuleType("torsion.plugin")
    module.getPlugins = get
    monkeypatch.setitem(sys.modules, "torsion.plugin", module)
    return SimpleNamespace(add=found.append, asked=asked)


def listened(description, kind):
    reactor = MemoryReactorClock()
    serverFromString(reactor, description).listen(None)
    [(place, _, *options)] = getattr(reactor, kind)
    return place, *options


def connected(description, kind):
    reactor = MemoryReactorClock()
    clientFromString(reactor, description).connect(None)
    [client] = getattr(reactor, kind)
    return tuple(each for each in client if not hasattr(each, "buildProtocol"))


@pytest.mark.parametrize(
    ("description", "expected"),
    [
        ("tcp:80", (80, 50, "")),
        (b"tcp:80", (80, 50, "")),
        ("tcp:port=80", (80, 50, "")),
        ("tcp:0", (0, 50, "")),
        ("tcp:80:interface=127.0.0.1", (80, 50, "127.0.0.1")),
        ("tcp:80:127.0.0.1:5", (80, 5, "127.0.0.1")),
        ("tcp:backlog=5:interface=\\:\\:1:port=80", (80, 5, "::1")),
        ("tcp6:80", (80, 50, "::")),
        ("tcp6:80:5:\\:\\:1", (80, 5, "::1")),
        ("tcp6:port=80:interface=\\:\\:1", (80, 50, "::1")),
        ("tcp:80:reusePort=no", (80, 50, "")),
        ("tcp:80:reusePort=0", (80, 50, "")),
    ],
)
def test_tcp_servers(description, expected):
    assert listened(description, "tcpServers") == expected


@pytest.mark.parametrize(
    ("description", "binding"),
    [
        ("tcp:80:reusePort=yes", Binding("", 80, reusePort=True)),
        ("tcp:80:interface=127.0.0.1:reusePort=1", Binding("127.0.0.1", 80, reusePort=True)),
        ("tcp6:80:reusePort=Yes", Binding("::", 80, reusePort=True)),
    ],
)
def test_shared_ports(description, binding):
    class Reactor:
        def listenTCP(self, port, factory, backlog):
            self.listened = port, backlog

    reactor = Reactor()
    serverFromString(reactor, description).listen(None)
    assert reactor.listened == (binding, 50)


@pytest.mark.parametrize(
    ("description", "expected"),
    [
        ("unix:/run/x", ("/run/x", 50, 0o666, True)),
        ("unix:address=/run/x:mode=660:lockfile=0:backlog=7", ("/run/x", 7, 0o660, False)),
        ("unix:/run/x:0600:5:no", ("/run/x", 5, 0o600, False)),
        ("unix:a\\:b\\=c\\\\:lockfile=yes", ("a:b=c\\", 50, 0o666, True)),
        ("unix:address=a=b", ("a=b", 50, 0o666, True)),
    ],
)
def test_unix_servers(description, expected):
    assert listened(description, "unixServers") == expected


def test_kinds_of_servers():
    assert type(serverFromString(None, "tcp:80")) is TCP4ServerEndpoint
    assert type(serverFromString(None, "tcp6:80")) is TCP6ServerEndpoint
    assert type(serverFromString(None, "unix:/a")) is UNIXServerEndpoint
    assert type(serverFromString(None, "stdio:")) is StandardIOEndpoint
    assert type(serverFromString(None, "stdio")) is StandardIOEndpoint
    assert type(clientFromString(None, "tcp:host:80")) is TCP4ClientEndpoint
    assert type(clientFromString(None, "unix:/a")) is UNIXClientEndpoint


@pytest.mark.parametrize(
    ("description", "expected"),
    [
        ("tcp:host.example:80", ("host.example", 80, 30, None)),
        (b"tcp:host.example:80", ("host.example", 80, 30, None)),
        ("tcp:host=host.example:port=80", ("host.example", 80, 30, None)),
        ("tcp:host.example:port=80", ("host.example", 80, 30, None)),
        ("tcp:host=host.example:80", ("host.example", 80, 30, None)),
        ("tcp:80:host=host.example", ("host.example", 80, 30, None)),
        ("tcp:port=80:host=h:timeout=7:bindAddress=127.0.0.2", ("h", 80, 7, ("127.0.0.2", 0))),
        ("tcp:\\:\\:1:80:timeout=0", ("::1", 80, 0, None)),
        ("tcp:h:80:timeout=0.5", ("h", 80, 0.5, None)),
    ],
)
def test_tcp_clients(description, expected):
    assert connected(description, "tcpClients") == expected


@pytest.mark.parametrize(
    ("description", "expected"),
    [
        ("unix:/run/x", ("/run/x", 30, False)),
        ("unix:path=/run/x:lockfile=1:timeout=9", ("/run/x", 9, True)),
        ("unix:/run/x:checkPID=1", ("/run/x", 30, True)),
    ],
)
def test_unix_clients(description, expected):
    assert connected(description, "unixClients") == expected


def refused(make, description):
    with pytest.raises(EndpointDescriptionError) as caught:
        make(None, description)
    error = caught.value
    assert repr(description) in str(error)
    return str(error).split("\n")[0], description[error.start : error.end]


@pytest.mark.parametrize(
    ("description", "complaint", "at"),
    [
        ("", "unknown type ''", ""),
        ("80", "unknown type '80'", "80"),
        ("bogus:80", "unknown type 'bogus'; known are fd, ssl, stdio, systemd, tcp, tcp6, tls, unix", "bogus"),
        (" tcp:80", "unknown type ' tcp'", " tcp"),
        ("tcp=80", "unknown type ''", "tcp=80"),
        ("TCP:80", "unknown type 'TCP'", "TCP"),
        ("tcp", "lacks its port; add port=VALUE", ""),
        ("tcp:", "port ''", ""),
        ("tcp:http", "port 'http', which is no whole number", "http"),
        ("tcp:80.5", "port '80.5'", "80.5"),
        ("tcp:-1", "port -1, which is not between 0 and 65535", "-1"),
        ("tcp:port=65536", "port 65536", "port=65536"),
        ("tcp:80:backlog=many", "backlog 'many'", "backlog=many"),
        ("tcp:80:backlog=0", "backlog 0", "backlog=0"),
        ("tcp:80:a:1:x:y", "has 5 values without a name, but only port, interface, backlog may be so", "x"),
        (
            "tcp:80:colour=red:backlog=5",
            "unknown argument 'colour'; known are port, interface, backlog, reusePort",
            "colour=red",
        ),
        ("tcp:80:port=81", "gives 'port' twice", "port=81"),
        ("tcp:port=80:port=81", "gives 'port' twice", "port=81"),
        ("tcp:80\\", "ends in a backslash", "\\"),
        ("tcp:80:reusePort=maybe", "reusePort 'maybe', which is neither yes nor no", "reusePort=maybe"),
        ("tcp:80::5:yes", "has 4 values", "yes"),
        ("unix", "lacks its address", ""),
        ("unix:", "no address between its colons", ""),
        ("unix:/a:mode=888", "mode '888', which is no octal number such as 660", "mode=888"),
        ("unix:/a:mode=10000", "mode 10000, which is not between 0 and 7777", "mode=10000"),
        ("unix:/a:lockfile=2", "neither yes nor no", "lockfile=2"),
        ("stdio:x", "but only none may be so", "x"),
        ("stdio:x=1", "unknown argument 'x'; there are none of this type", "x=1"),
    ],
)
def test_bad_servers(description, complaint, at):
    text, marked = refused(serverFromString, description)
    assert complaint in text
    assert marked == at


@pytest.mark.parametrize(
    ("description", "complaint", "at"),
    [
        ("tcp6:h:80", "unknown type 'tcp6'; known are ssl, tcp, tls, unix", "tcp6"),
        ("tcp", "lacks its host", ""),
        ("tcp::80", "no host between its colons", ""),
        ("tcp:h", "lacks its port", ""),
        ("tcp:h:0", "port 0", "0"),
        ("tcp:h:http", "port 'http'", "http"),
        ("tcp:h:80:timeout=soon", "timeout 'soon', which is no number of seconds", "timeout=soon"),
        ("tcp:h:80:timeout=-1", "timeout -1, which is not between 0 and", "timeout=-1"),
        ("tcp:h:80:timeout=nan", "timeout nan", "timeout=nan"),
        ("tcp:h:80:timeout=1e99", "timeout 1e99", "timeout=1e99"),
        ("tcp:h:80:9", "has 3 values", "9"),
        ("tcp:host=h:port=80:9", "only none may be so", "9"),
        ("tcp:h:80:colour=red", "unknown argument 'colour'; known are host, port, timeout, bindAddress", "colour=red"),
        ("unix:/a:/b", "has 2 values", "/b"),
        ("unix:/a:lockfile=1:checkPID=1", "by 'lockfile' and by 'checkPID'", "checkPID=1"),
        ("tls:h", "lacks its port", ""),
    ],
)
def test_bad_clients(description, complaint, at):
    text, marked = refused(clientFromString, description)
    assert complaint in text
    assert marked == at


@pytest.mark.parametrize("description", [None, 80, ["tcp:80"]])
def test_no_string(description):
    for function in (serverFromString, clientFromString):
        with pytest.raises(TypeError, match="is a str"):
            function(None, description)


@given(st.text() | st.text(alphabet="tcpunixsdohaf:=\\0123456789"))
def test_any_text_is_parsed_or_refused(text):
    for function in (serverFromString, clientFromString):
        with suppress(EndpointDescriptionError):
            function(None, text)


class Parser:
    """Reads descriptions of a type of its own."""

    prefix = "own"

    def parseStreamServer(self, reactor, *args, **kwargs):
        return "server", reactor, args, kwargs

    def parseStreamClient(self, reactor, *args, **kwargs):
        return "client", reactor, args, kwargs


@pytest.mark.parametrize(
    ("interface", "make", "what"),
    [
        (IStreamServerEndpointStringParser, serverFromString, "server"),
        (IStreamClientEndpointStringParserWithReactor, clientFromString, "client"),
    ],
)
class TestPlugins:
    @pytest.fixture
    def parser(self, interface, plugins):
        from zope.interface import directlyProvides

        parser = Parser()
        directlyProvides(parser, interface)
        plugins.add(parser)
        return parser

    def test_what_it_is_given(self, parser, make, what):
        assert make("reactor", "own:a:b\\:c:d=e:f=g") == (what, "reactor", ("a", "b:c"), {"d": "e", "f": "g"})

    def test_it_is_not_asked_for_what_is_known(self, plugins, parser, make, what):
        make(None, "unix:/a")
        assert plugins.asked == []

    def test_it_is_listed(self, parser, make, what):
        with pytest.raises(EndpointDescriptionError, match=r"known are .*own"):
            make(None, "bogus:1")

    @pytest.mark.parametrize("error", [ValueError("no such thing"), TypeError("one argument more"), KeyError("name")])
    def test_its_errors_tell_of_the_description(self, monkeypatch, parser, make, what, error):
        def refuse(*_, **__):
            raise error

        monkeypatch.setattr(Parser, f"parseStream{what.title()}", refuse)
        with pytest.raises(type(error)) as caught:
            make(None, "own:a")
        assert caught.value is error
        assert error.__notes__[-1] == "while making the endpoint 'own:a'"


@pytest.mark.parametrize(
    "inner", ["tcp:80", "tcp:80:interface=\\:\\:1", "unix:a\\=b\\:c\\\\", "unix:address=a=b:mode=600:lockfile=no"]
)
def test_wrapping(inner, plugins):
    from zope.interface import implementer

    @implementer(IStreamServerEndpointStringParser)
    class Wrapping:
        prefix = "wrap"

        def parseStreamServer(self, reactor, *args, **kwargs):
            return wrapped_server(reactor, args, kwargs)

    plugins.add(Wrapping())
    assert vars(serverFromString(None, f"wrap:wrap:{inner}")) == vars(serverFromString(None, inner))
    with pytest.raises(EndpointDescriptionError) as caught:
        serverFromString(None, "wrap:tcp:80:bogus=1")
    assert caught.value.description == "tcp:80:bogus=1"
    assert caught.value.__notes__ == ["while making the endpoint 'wrap:tcp:80:bogus=1'"]
