"""``torsion web``: a server of a folder, of applications, of resources, or in front of other servers."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar, Final
from urllib.parse import urlsplit

from torsion.application.runner.quantities import seconds
from torsion.internet._current import current_reactor
from torsion.python.reflect import namedAny, requireModule
from torsion.python.usage import CompleteFiles, CompleteList, Completions, UsageError
from torsion.python.usage import Options as _Options
from torsion.tap.serving import Server
from torsion.web.http_headers import InvalidHeaderName, _nameEncoder
from torsion.web.resource import Resource, getChildForRequest

__all__ = ["Options", "makePersonalServerFactory", "makeService"]

DEFAULT_ENDPOINT: Final = "tcp:8080:interface=127.0.0.1"
"""Where it listens if nothing is said: for this machine alone, since a folder may hold more than its owner thinks of."""

PLAIN: Final = "text/plain"
"""The type of files whose names do not tell: README, LICENSE and Makefile can be read, and nothing is run in the browser."""

_FORMATS: Final = {
    "combined": "combinedLogFormatter",
    "json": "jsonLogFormatter",
    "proxied": "proxiedLogFormatter",
}


class Options(_Options):
    """What to serve, where, and how it is logged."""

    synopsis = "[--path PATH | --class NAME | --wsgi NAME | --asgi NAME | --resource-script FILE | --proxy URL]"
    longdesc = (
        "A web server. Without options it serves the current folder at http://127.0.0.1:8080/, for this machine alone, "
        "and logs the requests; --listen tcp:8080 serves everybody."
    )
    optParameters: ClassVar[Sequence[Sequence[Any]]] = [
        [
            "logfile",
            "l",
            None,
            "Log requests to this file, which a reload opens anew; without it, to the command's log.",
        ],
        [
            "log-format",
            None,
            "combined",
            "How requests are logged: combined, json, or proxied (trusts X-Forwarded-For).",
        ],
        ["certificate", "c", "server.pem", "(DEPRECATED: use --listen) The certificate for --https."],
        ["privkey", "k", "server.pem", "(DEPRECATED: use --listen) The key for --https."],
        [
            "drain",
            None,
            None,
            "Seconds that requests may take to end when the server stops, if less than --grace.",
            seconds(),
        ],
    ]
    optFlags: ClassVar[Sequence[Sequence[Any]]] = [
        ["notracebacks", "n", "(DEPRECATED: tracebacks are not shown unless --display-tracebacks is given.)"],
        ["display-tracebacks", None, "Show clients the tracebacks of what fails. Never do that in public."],
        ["follow-links", None, "Serve what symbolic links lead to outside of the folder."],
        ["no-access-log", None, "Do not log requests."],
        ["personal", None, "Publish a user's resources; needs Perspective Broker, which this version lacks."],
    ]
    compData = Completions(
        optActions={
            "logfile": CompleteFiles(),
            "certificate": CompleteFiles("*.pem"),
            "privkey": CompleteFiles("*.pem"),
            "log-format": CompleteList(sorted(_FORMATS)),
            "listen": CompleteList(["tcp:", "tls:", "ssl:", "unix:"]),
        },
        multiUse=["listen", "add-header", "index", "processor", "ignore-ext", "proxy"],
    )

    def __init__(self) -> None:
        """Serve nothing yet."""
        super().__init__()
        self["indexes"] = []
        self["root"] = None
        self["extraHeaders"] = []
        self["ports"] = []
        self["port"] = self["https"] = None
        self["proxies"] = []
        self._settings: list[Callable[[Any], None]] = []

    # --- where -------------------------------------------------------------------------------------------------------

    def opt_listen(self, port: str) -> None:
        """Where to listen, such as tcp:8080, tls:FOLDER:443 or unix:PATH; may be given several times."""
        self["ports"].append(port)

    def opt_port(self, port: str) -> None:
        """(DEPRECATED: use --listen) A port, or the description of an endpoint."""
        self["port"] = port

    opt_p = opt_port

    def opt_https(self, port: str) -> None:
        """(DEPRECATED: use --listen) A port for HTTPS, with --certificate and --privkey."""
        self["https"] = port

    # --- what --------------------------------------------------------------------------------------------------------

    def opt_path(self, path: str) -> None:
        """The folder, or the file, to serve; without any of these options, the current folder.

        Files .cgi, .epy and .rpy in it are run.
        """
        self["root"] = _folder(path)

    def opt_class(self, className: str) -> None:
        """A class of resources, by its full name, that is made without arguments."""
        self["root"] = self._named(className, "class")()

    def opt_resource_script(self, name: str) -> None:
        """A file .rpy whose resource is the root."""
        from torsion.web.script import ResourceScriptWrapper

        if not Path(name).is_file():
            raise UsageError(f"there is no file {name!r} for --resource-script")
        self["root"] = ResourceScriptWrapper(name)

    def opt_wsgi(self, name: str) -> None:
        """A WSGI application, by its full name, such as shop.wsgi.application."""
        try:
            application = namedAny(name)
        except Exception:  # noqa: BLE001 - whatever its module raises
            raise UsageError(f"No such WSGI application: {name!r}") from None
        make = _from("torsion.web.wsgi", "WSGIResource", "--wsgi")
        from torsion.python.threadpool import ThreadPool

        reactor = current_reactor()
        pool = ThreadPool()
        reactor.callWhenRunning(pool.start)
        reactor.addSystemEventTrigger("after", "shutdown", pool.stop)
        self["root"] = make(reactor, pool, application)

    def opt_asgi(self, name: str) -> None:
        """An ASGI application, by its full name, such as shop.asgi.application or shop:app."""
        application = self._named(name.replace(":", "."), "ASGI application")
        self["root"] = _from("torsion.web.asgi", "ASGIResource", "--asgi")(application)

    def opt_proxy(self, place: str) -> None:
        """Pass requests on to another server: http://HOST:PORT/PATH, or /BELOW=http://HOST:PORT/PATH for what is below; may be given several times."""
        below, equals, url = place.partition("=") if place.startswith("/") else ("", "=", place)
        parts = urlsplit(url)
        try:
            port = parts.port or 80
        except ValueError:
            port = 0
        if not equals or parts.scheme != "http" or not parts.hostname or not port or parts.query or parts.fragment:
            raise UsageError(f"--proxy {place!r} is not http://HOST[:PORT][/PATH], nor that after /BELOW=")
        self["proxies"].append((below.strip("/"), parts.hostname, port, parts.path.rstrip("/").encode()))

    def opt_user(self) -> None:
        """Serve users' folders; needs Perspective Broker, which this version lacks."""
        raise UsageError("--user needs Perspective Broker, which this version lacks")

    opt_u = opt_user

    def _named(self, name: str, what: str) -> Any:
        try:
            return namedAny(name)
        except Exception as error:
            raise UsageError(f"No such {what}: {name!r} ({error})") from error

    # --- how files are served: these hold for --path, wherever they stand --------------------------------------------

    def opt_index(self, indexName: str) -> None:
        """The name of a file that shows a folder, in the place of index.html; may be given several times."""
        self["indexes"].append(indexName)

    opt_i = opt_index

    def opt_mime_type(self, defaultType: str) -> None:
        """The type of files whose names do not tell it."""
        self._settings.append(lambda root: setattr(root, "defaultType", defaultType))

    opt_m = opt_mime_type

    def opt_processor(self, proc: str) -> None:
        """EXTENSION=CLASS: what makes resources of files with an extension; may be given several times."""
        extension, equals, name = proc.partition("=")
        if not equals or not extension:
            raise UsageError(f"--processor {proc!r} is not EXTENSION=CLASS")
        extension = extension if extension.startswith(".") else "." + extension
        processor = self._named(name, "processor")
        self._settings.append(lambda root: root.processors.__setitem__(extension, processor))

    def opt_ignore_ext(self, ext: str) -> None:
        """An extension that clients may leave out; may be given several times."""
        self._settings.append(lambda root: root.ignoreExt(ext))

    def opt_allow_ignore_ext(self) -> None:
        """Whether any extension may be left out."""
        self._settings.append(lambda root: root.ignoreExt("*"))

    def opt_add_header(self, header: str) -> None:
        """A header for all responses, as NAME: VALUE; may be given several times."""
        name, colon, value = header.partition(":")
        try:
            _nameEncoder.encode(name.strip())
        except (InvalidHeaderName, UnicodeEncodeError):
            colon = ""
        if not colon:
            raise UsageError(f"--add-header {header!r} is not NAME: VALUE")
        self["extraHeaders"].append((name.strip(), value.strip()))

    # --- all of it ---------------------------------------------------------------------------------------------------

    def postOptions(self) -> None:
        """Put it together.

        :raises torsion.python.usage.UsageError: if something cannot be used.
        """
        if self["personal"]:
            raise UsageError("--personal needs Perspective Broker, which this version lacks")
        if self["log-format"] not in _FORMATS:
            raise UsageError(f"--log-format is one of {', '.join(sorted(_FORMATS))}, not {self['log-format']!r}")
        self._postEndpoints()
        self._postRoot()

    def _postEndpoints(self) -> None:
        from torsion.internet.endpoints import serverFromString

        ports = self["ports"]
        if self["port"] is not None:
            ports.append(f"tcp:{self['port']}" if self["port"].isdecimal() else self["port"])
        reactor = current_reactor()
        for endpoint in ports:
            try:
                serverFromString(reactor, endpoint)
            except (ValueError, OSError) as problem:
                raise UsageError(f"--listen {endpoint}: {problem}") from problem
        if self["https"] is not None:
            if requireModule("cryptography") is None:
                raise UsageError("SSL support not installed")
            ports.append(f"ssl:{self['https']}:privateKey={self['privkey']}:certKey={self['certificate']}")
        if not ports:
            ports.append(DEFAULT_ENDPOINT)

    def _postRoot(self) -> None:
        from torsion.web.static import File

        if self["root"] is None and not any(not proxy[0] for proxy in self["proxies"]):
            self["root"] = _folder(os.curdir)
        root = self["root"]
        if isinstance(root, File):
            if self["indexes"]:
                root.indexNames = self["indexes"]
            if self["follow-links"]:
                root.followLinks = True
            for setting in self._settings:
                setting(root)
        elif self._settings or self["indexes"]:
            raise UsageError("--index, --mime-type, --processor and --ignore-ext are for folders: say --path")
        if self["proxies"]:
            self["root"] = _with_proxies(root, self["proxies"])


def _folder(path: str) -> Any:
    from torsion.web import script, static, twcgi

    if not Path(path).exists():
        raise UsageError(f"there is no file or folder {path!r} for --path")
    root = static.File(Path(path).resolve().as_posix() if path == os.curdir else path, PLAIN)
    root.processors = {".cgi": twcgi.CGIScript, ".epy": script.PythonScript, ".rpy": script.ResourceScript}
    return root


def _from(module: str, name: str, option: str) -> Any:
    """Return what this version may have, or not yet."""
    try:
        return namedAny(f"{module}.{name}")
    except (ImportError, AttributeError):
        raise UsageError(f"{option} cannot be used: this version of torsion has no {module}") from None


def _with_proxies(root: Any, proxies: Sequence[tuple[str, str, int, bytes]]) -> Any:
    from torsion.web.proxy import ReverseProxyResource

    places = {below: ReverseProxyResource(host, port, path) for below, host, port, path in proxies}
    whole = places.pop("", root)
    return _Places(whole, places) if places else whole


class _Places(Resource):
    """Some places that other resources answer for, and one for the rest."""

    isLeaf = True

    def __init__(self, rest: Any, places: dict[str, Any]) -> None:
        super().__init__()
        self._rest = rest
        self._places = sorted(
            ((below.encode().split(b"/"), place) for below, place in places.items()), key=lambda each: -len(each[0])
        )

    def render(self, request: Any) -> Any:
        """Have the resource answer that has the longest part of the path."""
        path = request.postpath
        for below, place in self._places:
            if path[: len(below)] == below:
                request.prepath.extend(path[: len(below)])
                del path[: len(below)]
                return getChildForRequest(place, request).render(request)
        return getChildForRequest(self._rest, request).render(request)


class _AddHeadersResource(Resource):
    """Gives all responses some headers, and leaves the rest to another resource."""

    def __init__(self, originalResource: Any, headers: Sequence[tuple[str, str]]) -> None:
        super().__init__()
        self._originalResource = originalResource
        self._headers = headers

    def _add(self, request: Any) -> None:
        for name, value in self._headers:
            request.responseHeaders.addRawHeader(name, value)

    def getChildWithDefault(self, path: Any, request: Any) -> Any:
        """Return the other's child."""
        self._add(request)
        original = self._originalResource
        if original.isLeaf and request.prepath:
            request.postpath.insert(0, request.prepath.pop())
            return original
        return original.getChildWithDefault(path, request)

    def render(self, request: Any) -> Any:
        """Answer as the other does."""
        self._add(request)
        return self._originalResource.render(request)


class _Site:
    """Makes the site that options ask for."""

    def __init__(self, config: Options) -> None:
        from torsion.web import http
        from torsion.web.server import Site

        root = config["root"]
        if config["extraHeaders"]:
            root = _AddHeadersResource(root, config["extraHeaders"])
        self.site: Any = Site(root, logFormatter=getattr(http, _FORMATS[config["log-format"]]))
        self.site.displayTracebacks = bool(config["display-tracebacks"])
        self.site.streamsBodies = bool(getattr(config["root"], "streamsBody", False))


class _CommandLog:
    """A file whose lines are events of the command's log."""

    def __init__(self) -> None:
        from torsion.logger import Logger

        self._log = Logger(namespace="torsion.web.access")

    def write(self, text: str) -> None:
        """Log a line."""
        self._log.info("{line}", line=text.rstrip("\n"))


class _Quiet:
    """A file that is not kept."""

    def write(self, text: str) -> None:
        """Do nothing."""


def makePersonalServerFactory(site: Any) -> Any:
    """Return a factory of Perspective Broker that publishes a site.

    :raises NotImplementedError: always, as this version has no Perspective Broker.
    """
    raise NotImplementedError("this needs Perspective Broker, which this version lacks")


def makeService(config: Options) -> Server:
    """Make the service that *config* asks for."""
    if config["notracebacks"]:
        warnings.warn("--notracebacks was deprecated in Twisted 19.7.0", DeprecationWarning, stacklevel=2)
    site = _Site(config).site
    service = Server("web", config["ports"], site, config["drain"])
    if config["logfile"]:
        from torsion.web.accesslog import AccessLogService

        AccessLogService(site, config["logfile"]).setServiceParent(service)
    else:
        site.logFile = _Quiet() if config["no-access-log"] else _CommandLog()
    return service
