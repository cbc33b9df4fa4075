"""Programs that answer requests through the Common Gateway Interface: RFC 3875."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

from zope.interface import implementer

from torsion.internet import _current
from torsion.internet.error import ProcessExitedAlready
from torsion.internet.interfaces import IPullProducer, IPushProducer, IReactorTime
from torsion.internet.protocol import ProcessProtocol
from torsion.logger import Logger
from torsion.python.filepath import FilePath, InsecurePath
from torsion.web.http.status import FOUND, INTERNAL_SERVER_ERROR
from torsion.web.pages import errorPage, notFound
from torsion.web.resource import NOT_DONE_YET, Resource
from torsion.web.server.request import version

if TYPE_CHECKING:
    from torsion.python.failure import Failure

__all__ = ["CGIDirectory", "CGIProcessProtocol", "CGIScript", "FilteredScript"]

_log = Logger()

MOST_HEADERS: Final = 64 * 1024
"""A head of more bytes is none: the script writes something else.  Servers take no larger ones from clients, either."""

MOST_ERRORS: Final = 64 * 1024
"""So many bytes of what a script writes to its standard error are logged; the rest is read and forgotten."""

_CHUNK: Final = 64 * 1024
"""So much of a body is given to a script at once: what a pipe holds on Linux."""

KILLED: Final = 5.0
"""Seconds that a script has to end by itself, after SIGTERM; then comes SIGKILL."""

_OURS: Final = frozenset((
    b"server", b"date",  # this server says who it is, and when
    b"connection", b"keep-alive", b"proxy-connection", b"trailer", b"transfer-encoding", b"upgrade",  # RFC 9110, 7.6.1
))  # fmt: skip
"""Fields that are not the script's to say."""


class CGIDirectory(Resource, FilePath[str]):  # type: ignore[misc]  # `children` is a method of paths, but an attribute of resources
    """A folder of scripts: each is a child by its name."""

    def __init__(self, pathname: Any) -> None:
        """Make one.

        :param pathname: the folder.
        """
        Resource.__init__(self)
        FilePath.__init__(self, os.fsdecode(pathname))

    def getChild(self, path: Any, request: Any) -> Any:
        """Return the script *path*, or a folder below this one."""
        try:
            found = self.child(os.fsdecode(path))
            is_folder, is_there = found.isdir(), found.exists()
        except (InsecurePath, ValueError):  # a name that leads elsewhere, or has a null in it
            return notFound()
        if is_folder:
            return CGIDirectory(found.path)
        return CGIScript(found.path) if is_there else notFound()

    def render(self, request: Any) -> Any:
        """Say that nothing is there: the folder is no page."""
        return notFound("No Such Resource", "CGI directories do not support directory listing.").render(request)


class CGIScript(Resource):
    """A program that is run for each request.

    :ivar filename: the program.
    """

    isLeaf = True

    def __init__(self, filename: str | bytes, registry: Any = None, reactor: Any = None) -> None:
        """Make one.

        :param filename: the program; its folder is where it runs.
        :param registry: is not used.
        :param reactor: runs the program; the current one by default.
        """
        super().__init__()
        self.filename = os.fsdecode(filename)
        self._reactor = reactor

    def render(self, request: Any) -> int:
        """Run the program, with what RFC 3875 section 4.1 says in its environment."""
        query = request.uri.partition(b"?")[2]
        env = self._environment(request)
        arguments: list[str] = []
        if query and b"=" not in query:
            # A search for words, each an argument (section 4.4); none may look like an option of the program.
            words = [unquote(word.decode("iso-8859-1")) for word in query.split(b"+")]
            if not any("\0" in word or word.startswith("-") for word in words):
                arguments = words
        self.runProcess(env, request, arguments)
        return NOT_DONE_YET

    def _environment(self, request: Any) -> dict[str, str]:
        script = "/" + "/".join(map(_text, request.prepath))
        env = {
            "SERVER_SOFTWARE": _text(version),
            "SERVER_NAME": _text(request.getRequestHostname()),
            "GATEWAY_INTERFACE": "CGI/1.1",
            "SERVER_PROTOCOL": _text(request.clientproto),
            "SERVER_PORT": str(getattr(request.getHost(), "port", "")),
            "REQUEST_METHOD": _text(request.method),
            "SCRIPT_NAME": script,
            "SCRIPT_FILENAME": self.filename,
            "REQUEST_URI": _text(request.uri),
            "QUERY_STRING": _text(request.uri.partition(b"?")[2]),
        }
        secure = getattr(request, "isSecure", None)
        if secure is not None and secure():
            env["HTTPS"] = "on"
        client = getattr(request.getClientAddress(), "host", None)
        if client is not None:
            env["REMOTE_ADDR"] = str(client)
        if request.postpath:
            env["PATH_INFO"] = "/" + "/".join(map(_text, request.postpath))
        for name, values in request.requestHeaders.getAllRawHeaders():
            if b"_" in name:  # it would be taken for the hyphen of another header, which a proxy may have looked at
                continue
            key = _text(name).upper().replace("-", "_")
            if key in ("CONTENT_TYPE", "CONTENT_LENGTH"):
                env[key] = _text(values[-1])
            elif key != "PROXY":  # programs take HTTP_PROXY for a setting of theirs: https://httpoxy.org
                env["HTTP_" + key] = _text(b"; ".join(values) if key == "COOKIE" else b", ".join(values))
        if "CONTENT_LENGTH" not in env and getattr(request, "content", None) is not None:
            # Bodies in chunks have their length now.
            length = request.content.seek(0, 2)
            request.content.seek(0)
            if length:
                env["CONTENT_LENGTH"] = str(length)
        for key, value in os.environ.items():
            env.setdefault(key, value)
        return {key: value.replace("\0", "") for key, value in env.items()}

    def runProcess(self, env: dict[str, str], request: Any, qargs: Any = ()) -> None:
        """Run the program.

        :param env: its environment.
        :param request: the request that it answers.
        :param qargs: its arguments.
        """
        self._spawn(self.filename, [self.filename, *qargs], env, request)

    def _spawn(self, program: str, arguments: list[str], env: dict[str, str], request: Any) -> None:
        reactor = _current.current_reactor() if self._reactor is None else self._reactor
        folder = os.path.split(self.filename)[0] or None
        protocol = CGIProcessProtocol(request)
        if IReactorTime.providedBy(reactor):
            protocol.clock = reactor
        reactor.spawnProcess(protocol, program, arguments, env, folder)


class FilteredScript(CGIScript):
    """A script that an interpreter runs, or another program that gets its name as an argument.

    :cvar filter: the interpreter.
    """

    filter = "/usr/bin/cat"

    def runProcess(self, env: dict[str, str], request: Any, qargs: Any = ()) -> None:
        """Run the interpreter with the script.

        :param env: its environment.
        :param request: the request that it answers.
        :param qargs: the script's arguments.
        """
        self._spawn(self.filter, [self.filter, self.filename, *qargs], env, request)


def _text(data: bytes | str) -> str:
    """Return *data* as what the same bytes are in an environment."""
    return os.fsdecode(data)


@implementer(IPullProducer)
class _Input:
    """Writes the body of a request to a script, as fast as it reads."""

    def __init__(self, content: Any, process: Any) -> None:
        self._content = content
        self._process = process

    def resumeProducing(self) -> None:
        """Write some more; close the script's input behind the last."""
        data = self._content.read(_CHUNK)
        if data:
            self._process.write(data)
        else:
            self._process.unregisterProducer()
            self._process.closeStdin()

    def stopProducing(self) -> None:
        """Do nothing: the script reads no more."""


@implementer(IPushProducer)
class CGIProcessProtocol(ProcessProtocol):
    """The output of a script, which becomes a response.  The script waits while the client does not take it.

    If the client leaves, the script is ended: by SIGTERM, and by SIGKILL if that is of no avail.

    :ivar request: the request that is answered.
    :ivar clock: for that, an ``IReactorTime``; None if the script is to have all the time.
    """

    handling_headers = 1
    headers_written = 0
    headertext = b""
    errortext = b""
    clock: Any = None
    _left = False
    _last: Any = None

    def __init__(self, request: Any) -> None:
        """Answer a request."""
        self.request = request

    def pauseProducing(self) -> None:
        """Read nothing from the script for now."""
        if self.transport is not None:
            self.transport.pauseProducing()

    def resumeProducing(self) -> None:
        """Read from it again."""
        if self.transport is not None:
            self.transport.resumeProducing()

    def stopProducing(self) -> None:
        """End the script: its client has left."""
        if self._left:
            return
        self._left = True
        self._kill()

    def _kill(self) -> None:
        process = self.transport
        if process is not None:
            process.loseConnection()
            self._signal("TERM")
            if self.clock is not None and self._last is None:
                self._last = self.clock.callLater(KILLED, self._signal, "KILL")

    def _signal(self, name: str) -> None:
        process: Any = self.transport
        try:
            process.signalProcess(name)
        except ProcessExitedAlready:
            pass

    def connectionMade(self) -> None:
        """Give the script the body of the request."""
        self.request.notifyFinish().addErrback(self._clientLeft)
        self.request.registerProducer(self, True)
        content = self.request.content
        content.seek(0, 0)
        process: Any = self.transport
        process.registerProducer(_Input(content, process), False)

    def _clientLeft(self, reason: Failure) -> None:
        self.stopProducing()

    def errReceived(self, error: bytes) -> None:
        """Keep what the script says of its errors, for the log."""
        self.errortext += error[: MOST_ERRORS - len(self.errortext)]

    def outReceived(self, output: bytes) -> None:
        """Read the head of the script's output; send what is behind it to the client."""
        if self._left:
            return
        if not self.handling_headers:
            self.request.write(output)
            return
        text = self.headertext + output
        end, after = _end_of_head(text)
        if end < 0:
            self.headertext = text
            if len(text) > MOST_HEADERS:
                self.headertext = b""
                self._noHead("The script has written no head, but {length} bytes of something else", length=len(text))
                self._kill()
            return
        self.handling_headers = 0
        self.headertext = b""
        self._handleHead(text[:end])
        if text[after:]:
            self.request.write(text[after:])

    def _handleHead(self, head: bytes) -> None:
        """Take the fields of the script's head (section 6.3)."""
        request = self.request
        begun: set[bytes] = set()
        status = None
        for line in head.splitlines():
            name, colon, value = line.partition(b":")
            name, value = name.strip().lower(), value.strip()
            if name == b"status":
                code, _, reason = value.partition(b" ")
                if len(code) == 3 and code.isdigit() and code[:1] in b"2345":
                    status = int(code)
                    request.setResponseCode(status, reason or None)
                    continue
                colon = b""
            if not colon:
                _log.info("ignoring malformed CGI header: {header!r}", header=line)
                continue
            if name in _OURS:
                continue
            try:
                if name in begun:
                    request.responseHeaders.addRawHeader(name, value)
                else:
                    request.responseHeaders.setRawHeaders(name, [value])
            except ValueError:  # a name that is no token
                _log.info("ignoring malformed CGI header: {header!r}", header=line)
            begun.add(name)
        if status is None and b"location" in begun:
            request.setResponseCode(FOUND)

    def _noHead(self, message: str, **fields: Any) -> None:
        """Answer that the script has gone wrong before its head was complete."""
        self.handling_headers = 0
        _log.error(message + ": {uri}", uri=self.request.uri, **fields)
        if not self._left:
            page = errorPage(INTERNAL_SERVER_ERROR, "CGI Script Error", "Premature end of script headers.")
            body = page.render(self.request)
            self._finish(body)

    def _finish(self, body: bytes = b"") -> None:
        self.request.unregisterProducer()
        if body:
            self.request.write(body)
        self._left = True  # whatever comes now is too late
        self.request.finish()

    def processEnded(self, reason: Failure) -> None:
        """End the response."""
        if self._last is not None and self._last.active():
            self._last.cancel()
        code, signal = getattr(reason.value, "exitCode", None), getattr(reason.value, "signal", None)
        if code:
            _log.error("The CGI script of {uri} has exited with the status {code}", uri=self.request.uri, code=code)
        if self.errortext:
            _log.error("Errors of the CGI script of {uri}: {text!r}", uri=self.request.uri, text=self.errortext)
        if self._left or getattr(self.request, "_disconnected", False):
            return
        if signal is not None:
            _log.error("The CGI script of {uri} was ended by the signal {signal}", uri=self.request.uri, signal=signal)
        if self.handling_headers:
            self._noHead("The script has ended before its head was complete: {head!r}", head=self.headertext)
        elif signal is not None:  # a usual end would have the client take it for all that there was to be
            self._left = True
            self.request.unregisterProducer()
            self.request.processingFailed(reason)
        else:
            self._finish()


def _end_of_head(text: bytes) -> tuple[int, int]:
    """Return where a script's head ends, and what is behind it begins; -1 twice if it does not end there.

    Scripts write the line ends of their system; a head without a field is an empty line.
    """
    if text.startswith(b"\n"):
        return 0, 1
    if text.startswith(b"\r\n"):
        return 0, 2
    ends = [(at, at + len(mark)) for mark in (b"\n\n", b"\n\r\n") if (at := text.find(mark)) >= 0]
    return min(ends, default=(-1, -1))
