"""The service that options of ``torsion web`` ask for."""

from __future__ import annotations

import errno
import warnings
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from torsion.application.runner.errors import StartError
from torsion.application.service import Service
from torsion.internet.defer import Deferred, DeferredList
from torsion.internet.error import CannotListenError
from torsion.python.usage import UsageError
from torsion.tap.serving import Server, shown
from torsion.web.accesslog import AccessLogService
from torsion.web.http.accesslog import BackgroundLines
from torsion.web.tap.options import DEFAULT_ENDPOINT
from torsion.web.tap.roots import _AddHeadersResource

if TYPE_CHECKING:
    from torsion.python.failure import Failure
    from torsion.web.tap.options import Options

__all__ = ["makePersonalServerFactory", "makeService"]


class _WebServer(Server):
    """Tells where it is to be found as browsers want it, and of a port that is taken what to do."""

    def told(self, address: Any, number: int) -> str:
        """Return the URL of an address."""
        where = shown(address)
        secure = self.endpoints[number].lower().startswith(("ssl:", "tls:"))
        return f"{'https' if secure else 'http'}://{where}" if hasattr(address, "port") else where

    def privilegedStartService(self) -> None:
        """Begin to listen, where that takes rights."""
        try:
            super().privilegedStartService()
        except CannotListenError as problem:
            if getattr(problem.socketError, "errno", None) != errno.EADDRINUSE:
                raise
            if isinstance(problem.port, int):
                where = f"{problem.interface or 'any interface'}, port {problem.port}"
                other = DEFAULT_ENDPOINT.replace("8080", str(problem.port % 65535 + 1))
            else:
                where, other = problem.port, "unix:PATH"
            raise StartError(
                f"cannot listen on {where}: another program does. Say where else: --listen {other}"
            ) from problem


class _ApplicationServer(_WebServer):
    """Is ready when its application of ASGI has started, and ends with it."""

    def begin(self, name: str, resource: Any) -> None:
        """Learn which application it is: its name for messages, and its resource."""
        self._application = name
        self._resource = resource

    def whenListening(self) -> Deferred[None]:
        """Return a Deferred that fires when the application has started; the command ends if it cannot."""

        def cannot(failure: Failure) -> None:
            if self._resource.stopping:
                return  # it was not given the time to
            why = failure.getErrorMessage()
            raise StartError(f"cannot start the application {self._application}: {why}") from failure.value

        started: Deferred[None] = self._resource.whenStarted()
        return started.addErrback(cannot)

    def stopService(self) -> Deferred[Any]:
        """Have the application end, too, in the time that the command has for that."""
        return DeferredList([super().stopService(), self._resource.stop()], consumeErrors=True)


class _CommandLog(BackgroundLines):
    """Lines that are events of the command's log."""

    def __init__(self) -> None:
        super().__init__("in the command's log")
        from torsion.logger import Logger

        self._log = Logger(namespace="torsion.web.access")

    def put(self, lines: list[str]) -> int:
        """Log some lines."""
        for line in lines:
            self._log.info("{line}", line=line.rstrip("\n"))
        return 0


class _CommandLogService(Service):
    """Gives a site the command's log for its requests."""

    def __init__(self, site: Any) -> None:
        self._site = site
        self.setName("access log")

    def startService(self) -> None:
        """Begin to log."""
        super().startService()
        self._log = self._site.logFile = _CommandLog()

    def stopService(self) -> None:
        """Log what is left."""
        super().stopService()
        self._log.close()


class _FileLogService(AccessLogService):
    """An access log that says which option is wrong."""

    def privilegedStartService(self) -> None:
        """Open the file, before the process becomes another user."""
        try:
            super().privilegedStartService()
        except OSError as problem:
            raise StartError(
                f"cannot log requests to {self.path}: {problem.strerror}; name another file with --logfile"
            ) from problem


class _Quiet:
    """A file that is not kept."""

    def write(self, text: str) -> None:
        """Do nothing."""


def makePersonalServerFactory(site: Any) -> Any:
    """Return a factory of Perspective Broker that publishes a site.

    :raises NotImplementedError: always, as this version has no Perspective Broker.
    """
    raise NotImplementedError("this needs Perspective Broker, which this version lacks")


def _site(config: Options) -> Any:
    from torsion.web.server import Site

    root = config["root"]
    site: Any = Site(
        _AddHeadersResource(root, config["extraHeaders"]) if config["extraHeaders"] else root,
        logFormatter=config["logFormatter"],
    )
    site.displayTracebacks = bool(config["display-tracebacks"])
    site.streamsBodies = bool(getattr(root, "streamsBody", False))
    if config["max-body"] != "default":
        site.maxBodySize = config["max-body"]
    if config["no-http2"]:
        site.http2 = None
    return site


def _check(config: Options) -> None:
    """Look at what is not looked at before a service is wanted.

    :raises UsageError: if it cannot be used.
    """
    if "application" in config:
        option, name, application = config["application"]
        if isinstance(application, ModuleType):
            inside = next(
                (each for each in ("application", "app") if callable(getattr(application, each, None))), "NAME"
            )
            raise UsageError(f"{option} {name!r} is a module; say {name}:{inside} for the application in it")
        if not callable(application):
            raise UsageError(f"{option} {name!r} is no application, which would be called, but {application!r}")
    if config["https"] is not None:
        for option in ("certificate", "privkey"):
            try:
                Path(config[option]).open("rb").close()
            except OSError as problem:
                raise UsageError(f"--{option} {config[option]!r} cannot be read: {problem.strerror}") from problem


def makeService(config: Options) -> Server:
    """Make the service that *config* asks for.

    :raises UsageError: if something cannot be used.
    """
    if config["notracebacks"]:
        warnings.warn("--notracebacks was deprecated in Twisted 19.7.0", DeprecationWarning, stacklevel=2)
    _check(config)
    site = _site(config)
    option, name = config["application"][:2] if "application" in config else ("", "")
    kind = _ApplicationServer if option == "--asgi" else _WebServer
    service = kind("web", config["ports"], site, config["drain"])
    if isinstance(service, _ApplicationServer):
        service.begin(name, config["root"])
    if config["no-access-log"]:
        site.logFile = _Quiet()
    else:
        log = _FileLogService(site, config["logfile"]) if config["logfile"] else _CommandLogService(site)
        log.setServiceParent(service)
    return service
