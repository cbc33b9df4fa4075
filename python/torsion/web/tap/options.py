"""The options of ``torsion web``."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar, Final

from torsion.application.runner.quantities import seconds
from torsion.internet._current import current_reactor
from torsion.python.reflect import requireModule
from torsion.python.usage import CompleteDirs, CompleteFiles, CompleteList, Completions, UsageError
from torsion.python.usage import Options as _Options
from torsion.web.http_headers import InvalidHeaderName, _nameEncoder
from torsion.web.tap.named import media_type, named, size
from torsion.web.tap.roots import folder, place, with_proxies

__all__ = ["Options"]

DEFAULT_ENDPOINT: Final = "tcp:8080:interface=127.0.0.1"
"""Where it listens if nothing is said: for this machine alone, since a folder may hold more than its owner thinks of."""

FORMATS: Final = {
    "combined": "apacheLogFormatter",
    "json": "jsonLogFormatter",
    "proxied": "apacheProxiedLogFormatter",
}

_LOG_FORMAT: Final = (
    "How requests are logged: combined, json, proxied (combined, with the client that X-Forwarded-For names), "
    "or the full name of a function of a time and a request that returns a line."
)


class Options(_Options):
    """What to serve, where, and how it is logged."""

    synopsis = "[--path PATH | --class NAME | --wsgi NAME | --asgi NAME | --resource-script FILE | --proxy URL]"
    longdesc = (
        "A web server. Without options it serves the current folder at http://127.0.0.1:8080/, for this machine alone, "
        "and logs the requests; --listen tcp:8080 serves everybody."
    )
    optParameters: ClassVar[Sequence[Sequence[Any]]] = [
        ["logfile", "l", None, "Log requests to this file, which a reload opens anew; else to the command's log."],
        ["log-format", None, "combined", _LOG_FORMAT],
        ["certificate", "c", "server.pem", "(DEPRECATED: use --listen) The certificate for --https."],
        ["privkey", "k", "server.pem", "(DEPRECATED: use --listen) The key for --https."],
        [
            "max-body",
            None,
            "default",
            "The largest body that a request may have, such as 500K, 64M or 2G; none for any. Larger ones are answered with 413.",
        ],
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
        ["hidden", None, "Serve and list files, too, whose names begin with a dot, such as .git and .env."],
        ["no-access-log", None, "Do not log requests."],
        ["no-http2", None, "Speak HTTP/1.1 alone, even where HTTP/2 is installed."],
        ["personal", None, "Publish a user's resources; needs Perspective Broker, which this version lacks."],
    ]
    compData = Completions(
        optActions={
            "path": CompleteDirs(),
            "resource-script": CompleteFiles("*.rpy"),
            "logfile": CompleteFiles(),
            "certificate": CompleteFiles("*.pem"),
            "privkey": CompleteFiles("*.pem"),
            "log-format": CompleteList(sorted(FORMATS)),
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
        self._root_of: str | None = None
        self._settings: dict[str, list[Callable[[Any], None]]] = {}

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
        if not (port.isascii() and port.isdecimal() and int(port) < 65536):
            raise UsageError(f"--https {port!r} is not the number of a port")
        self["https"] = port

    # --- what --------------------------------------------------------------------------------------------------------

    def _serve(self, option: str, root: Any) -> None:
        """Have a root; there can be one."""
        if self._root_of not in (None, option):
            raise UsageError(f"{self._root_of} and {option} do not go together: there is one root")
        self._root_of = option
        self["root"] = root

    def opt_path(self, path: str) -> None:
        """The folder, or the file, to serve; without any of these options, the current folder.

        Files .cgi, .epy and .rpy in it are run.
        """
        self._serve("--path", folder(path))

    def opt_class(self, className: str) -> None:
        """A class of resources, by its full name, that is made without arguments."""
        kind = named(className, "class")
        if not callable(kind):
            raise UsageError(f"--class {className!r} is no class, but {kind!r}")
        root = kind()
        if not hasattr(root, "render") or not hasattr(root, "isLeaf"):
            raise UsageError(f"--class {className!r} makes no resource, but {root!r}")
        self._serve("--class", root)

    def opt_resource_script(self, name: str) -> None:
        """A file .rpy whose resource is the root."""
        from torsion.web.script import ResourceScriptWrapper

        if not Path(name).is_file():
            raise UsageError(f"there is no file {name!r} for --resource-script")
        self._serve("--resource-script", ResourceScriptWrapper(name))

    def opt_wsgi(self, name: str) -> None:
        """A WSGI application, by its full name, such as shop.wsgi.application or shop:app."""
        application = named(name, "WSGI application")
        from torsion.python.threadpool import ThreadPool
        from torsion.web.wsgi import WSGIResource

        reactor = current_reactor()
        pool = ThreadPool()
        reactor.callWhenRunning(pool.start)
        reactor.addSystemEventTrigger("after", "shutdown", pool.stop)
        self._serve("--wsgi", WSGIResource(reactor, pool, application))
        self["application"] = ("--wsgi", name, application)

    def opt_asgi(self, name: str) -> None:
        """An ASGI application, by its full name, such as shop.asgi.application or shop:app."""
        application = named(name, "ASGI application")
        from torsion.web.asgi import ASGIResource

        self._serve("--asgi", ASGIResource(application))
        self["application"] = ("--asgi", name, application)

    def opt_proxy(self, url: str) -> None:
        """Pass requests on to another server: http://HOST:PORT/PATH, or /BELOW=http://HOST:PORT/PATH for what is below; may be given several times."""
        proxied = place(url)
        if not proxied[0]:
            self._serve("--proxy " + url, None)
        self["proxies"].append(proxied)

    def opt_user(self) -> None:
        """Serve users' folders; needs Perspective Broker, which this version lacks."""
        raise UsageError("--user needs Perspective Broker, which this version lacks")

    opt_u = opt_user

    # --- how files are served: these hold for --path, wherever they stand --------------------------------------------

    def _set(self, option: str, setting: Callable[[Any], None]) -> None:
        self._settings.setdefault(option, []).append(setting)

    def opt_index(self, indexName: str) -> None:
        """The name of a file that shows a folder, in the place of index.html; may be given several times."""
        if "/" in indexName or not indexName:
            raise UsageError(f"--index {indexName!r} is not the name of a file, without folders")
        self["indexes"].append(indexName)
        self._set("--index", lambda root: setattr(root, "indexNames", self["indexes"]))

    opt_i = opt_index

    def opt_mime_type(self, defaultType: str) -> None:
        """The type of files whose names do not tell it."""
        kind = media_type(defaultType)
        self._set("--mime-type", lambda root: setattr(root, "defaultType", kind))

    opt_m = opt_mime_type

    def opt_processor(self, proc: str) -> None:
        """EXTENSION=CLASS: what makes resources of files with an extension; may be given several times."""
        extension, equals, name = proc.partition("=")
        if not equals or not extension:
            raise UsageError(f"--processor {proc!r} is not EXTENSION=CLASS")
        extension = (extension if extension.startswith(".") else "." + extension).lower()
        processor = named(name, "processor")
        if not callable(processor):
            raise UsageError(f"--processor {proc!r}: {name} is no class, but {processor!r}")
        self._set("--processor", lambda root: root.processors.__setitem__(extension, processor))

    def opt_ignore_ext(self, ext: str) -> None:
        """An extension that clients may leave out, such as .html; may be given several times."""
        self._set("--ignore-ext", lambda root: root.ignoreExt(ext if ext.startswith((".", "*")) else "." + ext))

    def opt_allow_ignore_ext(self) -> None:
        """Whether any extension may be left out."""
        self._set("--allow-ignore-ext", lambda root: root.ignoreExt("*"))

    def opt_add_header(self, header: str) -> None:
        """A header for all responses, as NAME: VALUE; may be given several times."""
        name, colon, value = header.partition(":")
        try:
            _nameEncoder.encode(name.strip())
        except (InvalidHeaderName, UnicodeEncodeError):
            colon = ""
        if not colon or not name.strip() or any(each in "\r\n\0" for each in value.strip()):
            raise UsageError(f"--add-header {header!r} is not NAME: VALUE")
        self["extraHeaders"].append((name.strip(), value.strip()))

    # --- all of it ---------------------------------------------------------------------------------------------------

    def parseArgs(self, *arguments: str) -> None:
        """Take no arguments, and say what was probably meant.

        :raises torsion.python.usage.UsageError: if there is one.
        """
        if arguments:
            option = "--proxy" if "://" in arguments[0] else "--path"
            raise UsageError(f"it takes options only, not {arguments[0]!r}: did you mean {option} {arguments[0]}?")

    def postOptions(self) -> None:
        """Put it together.

        :raises torsion.python.usage.UsageError: if something cannot be used.
        """
        if self["personal"]:
            raise UsageError("--personal needs Perspective Broker, which this version lacks")
        if self["logfile"] is not None:
            if self["no-access-log"]:
                raise UsageError("--logfile and --no-access-log contradict each other; leave one out")
            self["logfile"] = str(Path(self["logfile"]).absolute())  # whatever folder it runs in
        self._postLogFormat()
        if self["max-body"] != "default":
            try:
                self["max-body"] = size(self["max-body"])
            except ValueError as problem:
                raise UsageError(f"option --max-body does not take {self['max-body']!r}: {problem}") from None
        self._postEndpoints()
        self._postRoot()

    def _postLogFormat(self) -> None:
        format = self["log-format"]
        if format in FORMATS:
            from torsion.web import http

            self["logFormatter"] = getattr(http, FORMATS[format])
            return
        known = ", ".join(sorted(FORMATS))
        if "." not in format:
            raise UsageError(f"--log-format is one of {known}, or the full name of a function, not {format!r}")
        self["logFormatter"] = named(format, "function for --log-format")
        if not callable(self["logFormatter"]):
            raise UsageError(f"--log-format {format!r} is no function, but {self['logFormatter']!r}")

    def _postEndpoints(self) -> None:
        from torsion.internet.endpoints import serverFromString

        ports = self["ports"]
        given = [("--listen", port) for port in ports]
        if self["port"] is not None:
            ports.append(f"tcp:{self['port']}" if self["port"].isdecimal() else self["port"])
            given.append(("--port", ports[-1]))
        reactor = current_reactor()
        for option, endpoint in given:
            try:
                serverFromString(reactor, endpoint)
            except (ValueError, OSError, ImportError) as problem:
                raise UsageError(f"{option} {endpoint}: {problem}") from problem
        if self["https"] is not None:
            if requireModule("cryptography") is None:
                raise UsageError("SSL support not installed")
            ports.append(f"ssl:{self['https']}:privateKey={self['privkey']}:certKey={self['certificate']}")
        if not ports:
            ports.append(DEFAULT_ENDPOINT)

    def _postRoot(self) -> None:
        from torsion.web.static import File

        if self._root_of is None:
            self._serve("--path", folder(os.curdir))
        root = self["root"]
        flags = [f"--{name}" for name in ("follow-links", "hidden") if self[name]]
        if isinstance(root, File):
            for attribute, flag in (("followLinks", "follow-links"), ("hidden", "hidden")):
                setattr(root, attribute, bool(self[flag]))
            for settings in self._settings.values():
                for setting in settings:
                    setting(root)
        elif self._settings or flags:
            raise UsageError(f"{', '.join([*self._settings, *flags])}: for folders only; say --path")
        if self["proxies"]:
            self["root"] = with_proxies(root, self["proxies"])
