"""Resources that are called by XML-RPC."""

from __future__ import annotations

import sys
import xmlrpc.client
from datetime import datetime
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torsion.internet.defer import Deferred, fail, succeed
from torsion.internet.error import ConnectionDone
from torsion.logger import capturedLogs
from torsion.python.failure import Failure
from torsion.web.error import UnsupportedMethod
from torsion.web.xmlrpc import (
    FAILURE,
    NOT_FOUND,
    XMLRPC,
    Binary,
    DateTime,
    Fault,
    Handler,
    NoSuchFunction,
    addIntrospection,
    withRequest,
)
from torsion.web.xmlrpc.reading import MAX_LENGTH, load


class Asked:
    """A request that keeps what is written."""

    method: bytes = b"POST"

    def __init__(self, body: bytes) -> None:
        self.content = BytesIO(body)
        self.headers: dict[bytes, bytes] = {}
        self.written = b""
        self.finished = 0
        self.code = 200
        self.notified: list[Deferred[None]] = []

    def setHeader(self, name: bytes, value: bytes) -> None:
        self.headers[name] = value

    def setResponseCode(self, code: int) -> None:
        self.code = code

    def write(self, data: bytes) -> None:
        self.written += data

    def finish(self) -> None:
        self.finished += 1

    def notifyFinish(self) -> Deferred[None]:
        self.notified.append(Deferred())
        return self.notified[-1]


class Adding(Handler):
    def run(self, a: int, b: int) -> None:
        self.result.callback(a + b)


def typed(function: Any) -> Any:
    function.signature = [["int", "int", "int"]]
    return function


class Service(XMLRPC):
    xmlrpc_constant = 3

    def xmlrpc_echo(self, value: Any) -> Any:
        return value

    @typed
    def xmlrpc_add(self, a: int, b: int) -> int:
        """
        Add two numbers.
          Or texts.
        """
        return a + b

    def xmlrpc_later(self) -> Any:
        return succeed("later")

    async def xmlrpc_coroutine(self) -> Any:
        return await succeed("coroutine")

    def xmlrpc_handled(self, *args: int) -> Any:
        return Adding(self, *args)

    @withRequest
    def xmlrpc_method(self, request: Any, suffix: str) -> Any:
        return request.method.decode() + suffix

    def xmlrpc_raises(self) -> Any:
        raise RuntimeError("secret")

    def xmlrpc_raises_later(self) -> Any:
        return fail(RuntimeError("secret"))

    def xmlrpc_fault(self) -> Any:
        raise Fault(12, "raised")

    def xmlrpc_returns_fault(self) -> Any:
        return Fault(13, "returned")

    def xmlrpc_none(self) -> None:
        return None

    def xmlrpc_object(self) -> Any:
        return object()

    def xmlrpc_deep(self) -> Any:
        found: Any = []
        for _ in range(5000):
            found = [found]
        return found


@pytest.fixture(params=["defusedxml", "stdlib"], autouse=True)
def _reader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "stdlib":
        monkeypatch.setitem(sys.modules, "defusedxml.xmlrpc", None)
    else:
        pytest.importorskip("defusedxml.xmlrpc")


def ask(body: bytes | str, resource: XMLRPC | None = None) -> Asked:
    request = Asked(body.encode() if isinstance(body, str) else body)
    (resource or Service()).render(request)
    return request


def call(name: str, *args: Any, resource: XMLRPC | None = None) -> Any:
    request = ask(xmlrpc.client.dumps(args, name, allow_none=True), resource)
    assert request.finished == 1
    assert request.headers == {
        b"content-type": b"text/xml; charset=utf-8",
        b"content-length": b"%d" % len(request.written),
    }
    return xmlrpc.client.loads(request.written.decode(), use_datetime=bool(resource and resource.useDateTime))[0][0]


def fault(name: str, *args: Any, resource: XMLRPC | None = None) -> tuple[int, str]:
    with pytest.raises(Fault) as caught:
        call(name, *args, resource=resource)
    return caught.value.faultCode, caught.value.faultString


def test_what_methods_return() -> None:
    assert call("echo", {"a": [1, 2.5, "\N{SNOWMAN}<", True, {}]}) == {"a": [1, 2.5, "\N{SNOWMAN}<", True, {}]}
    assert call("echo", Binary(b"\0\xff")) == Binary(b"\0\xff")
    assert call("echo", DateTime(0)) == DateTime(0)
    assert call("add", 2, 3) == 5
    assert call("later") == "later"
    assert call("coroutine") == "coroutine"
    assert call("handled", 2, 3) == 5
    assert call("method", "!") == "POST!"


def test_what_goes_wrong() -> None:
    assert fault("fault") == (12, "raised")
    assert fault("returns_fault") == (13, "returned")
    assert fault("nothing") == (NOT_FOUND, "procedure nothing not found")
    assert fault("constant") == (NOT_FOUND, "procedure constant not callable")
    assert fault("sub.nothing") == (NOT_FOUND, "no such subHandler sub")
    assert fault("none")[1].startswith("Can't serialize output: cannot marshal None")
    assert fault("object")[1].startswith("Can't serialize output: cannot marshal <class 'object'>")
    assert fault("deep")[1].startswith("Can't serialize output: maximum recursion depth")
    assert call("none", resource=Service(allowNone=True)) is None


@pytest.mark.parametrize(("name", "args"), [("raises", ()), ("raises_later", ()), ("add", (1,)), ("add", (1, "a"))])
def test_what_raises_is_logged_and_not_told(name: str, args: tuple[Any, ...]) -> None:
    with capturedLogs() as events:
        assert fault(name, *args) == (FAILURE, "error")
    assert len(events) == 1


def test_a_fault_that_cannot_be_written_ends_the_request() -> None:
    class Broken(Service):
        def xmlrpc_fault(self) -> Any:
            class Odd(Fault):
                @property
                def __dict__(self) -> Any:  # type: ignore[override]  # that is what makes it odd
                    raise RuntimeError("x")

            return Odd(1, "x")

        def _written(self, result: Any) -> bytes:
            raise RuntimeError("x")

    with capturedLogs() as events:
        request = ask(xmlrpc.client.dumps((), "fault"), Broken())
    assert len(events) == 1
    assert (request.finished, request.code, request.written) == (1, 500, b"")


def test_a_client_that_has_left_is_not_answered() -> None:
    waited: Deferred[Any] = Deferred()

    class Waiting(XMLRPC):
        def xmlrpc_wait(self) -> Any:
            return waited

    request = ask(xmlrpc.client.dumps((), "wait"), Waiting())
    request.notified[0].errback(Failure(ConnectionDone()))
    waited.callback("x")
    assert (request.written, request.finished) == (b"", 0)


def test_only_calls_are_answered() -> None:
    request = Asked(b"")
    request.method = b"GET"
    with pytest.raises(UnsupportedMethod) as caught:
        Service().render(request)
    assert list(caught.value.allowedMethods) == [b"POST"]


def test_dates_as_datetime() -> None:
    when = datetime(2000, 12, 28, 3, 45, 59)  # noqa: DTZ001 - XML-RPC has no time zones
    resource = Service(useDateTime=True)
    assert call("echo", when, resource=resource) == when


def test_other_resources_answer_for_prefixes() -> None:
    outer, inner = Service(), Service()
    outer.putSubHandler("a", inner)
    inner.putSubHandler("b", Service())
    assert outer.getSubHandler("a") is inner
    assert outer.getSubHandlerPrefixes() == ["a"]
    assert call("a.echo", 1, resource=outer) == 1
    assert call("a.b.echo", 2, resource=outer) == 2
    assert fault("a.c.echo", 2, resource=outer) == (NOT_FOUND, "no such subHandler c")


def test_what_is_called_can_be_looked_up_otherwise() -> None:
    class Own(XMLRPC):
        def lookupProcedure(self, procedurePath: str) -> Any:
            if procedurePath == "upper":
                return str.upper
            raise NoSuchFunction(self.NOT_FOUND, "nothing")

    assert call("upper", "a", resource=Own()) == "A"
    assert fault("lower", "a", resource=Own()) == (NOT_FOUND, "nothing")


def test_introspection() -> None:
    resource, inner = XMLRPC(), Service()
    resource.putSubHandler("inner", inner)
    addIntrospection(resource)
    names = call("system.listMethods", resource=resource)
    assert {"inner.echo", "inner.add", "system.listMethods", "system.methodHelp", "system.methodSignature"} < set(names)
    assert "echo" not in names
    assert call("system.methodHelp", "inner.add", resource=resource) == "Add two numbers.\n  Or texts."
    assert call("system.methodHelp", "inner.echo", resource=resource) == ""
    assert call("system.methodSignature", "inner.add", resource=resource) == [["int", "int", "int"]]
    assert call("system.methodSignature", "inner.echo", resource=resource) == ""
    assert call("system.methodSignature", "system.methodHelp", resource=resource) == [["string", "string"]]
    assert fault("system.methodHelp", "nothing", resource=resource)[0] == NOT_FOUND


# --- bad input -----------------------------------------------------------------------------------------------------------

CALL = "<methodCall><methodName>echo</methodName>{}</methodCall>"


@pytest.mark.parametrize(
    "body",
    [
        "",
        "junk",
        "<a/>",
        CALL.format("")[:-3],
        xmlrpc.client.dumps((1,)),
        CALL.format("<params><param><value><int>x</int></value></param></params>"),
        CALL.format(f"<params><param><value><int>{'9' * 5000}</int></value></param></params>"),
        CALL.format("<params><param><value><nothing>x</nothing></value></param></params>"),
        CALL.format("<params><param><value><base64>\N{SNOWMAN}</base64></value></param></params>"),
        "<methodResponse><fault><value/></fault></methodResponse>",
        "<!DOCTYPE a>" + CALL.format(""),
        '<!DOCTYPE a [<!ENTITY b "c">]>' + CALL.format("<params><param><value>&b;</value></param></params>"),
        '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]>' + CALL.format(""),
        '<?xml version="1.0" encoding="none"?><a/>',
    ],
)
def test_what_cannot_be_read_is_a_fault(body: str) -> None:
    request = ask(body)
    assert request.finished == 1
    with pytest.raises(Fault) as caught:
        xmlrpc.client.loads(request.written.decode())
    assert caught.value.faultCode == FAILURE
    assert caught.value.faultString.startswith("Can't deserialize input: ")


def test_a_call_has_a_size() -> None:
    request = ask(b" " * (MAX_LENGTH + 1))
    assert f"longer than {MAX_LENGTH} bytes".encode() in request.written


PIECES = st.sampled_from([
    "<methodCall>", "</methodCall>", "<methodName>", "</methodName>", "<params>", "<param>", "<value>", "</value>", "<int>", "</int>", "<struct>",
    "<member>", "<name>", "</name>", "</member>", "</struct>", "<array>", "<data>", "</data>", "</array>", "<base64>", "</base64>", "<boolean>",
    "</boolean>", "<dateTime.iso8601>", "</dateTime.iso8601>", "<nil/>", "<double>", "</double>", "<bigdecimal>", "</bigdecimal>", "1", "x",
    "</params>", "</param>", "<fault>", "</fault>", "<methodResponse>", "</methodResponse>",
])  # fmt: skip


@given(st.one_of(st.binary(), st.lists(PIECES).map(lambda pieces: "".join(pieces).encode())))
def test_law_whatever_comes_is_answered(body: bytes) -> None:
    with capturedLogs():
        assert ask(body).finished == 1


TEXT = st.text(st.characters(min_codepoint=0x20, max_codepoint=0xFFFD, exclude_categories=["Cs"]))
VALUES = st.recursive(
    st.one_of(
        st.booleans(),
        st.integers(-(2**31), 2**31 - 1),
        st.floats(allow_nan=False, allow_infinity=False),
        TEXT,
        st.binary().map(Binary),
        st.datetimes(min_value=datetime(1900, 1, 1)).map(lambda when: DateTime(when.replace(microsecond=0))),  # noqa: DTZ001 - as above
    ),
    lambda inside: st.one_of(st.lists(inside), st.dictionaries(TEXT, inside)),
)


@given(VALUES)
def test_law_values_come_back_as_they_were(value: Any) -> None:
    assert call("echo", value) == value
    text = xmlrpc.client.dumps((value,), "echo")
    assert load(text) == load(text.encode()) == ((value,), "echo")
