"""A site with what Twisted's guides to its web teach, by the names that both packages have: `situations.py PACKAGE FOLDER`.

It prints where it listens, and runs until its standard input ends.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

from zope.interface import Attribute, Interface, implementer

PACKAGE, FOLDER = sys.argv[1:]


def of(name: str) -> Any:
    return import_module(f"{PACKAGE}.{name}")


def say(*words: Any) -> None:
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


reactor = of("internet.reactor")
defer, task = of("internet.defer"), of("internet.task")
resource, server, static, util = of("web.resource"), of("web.server"), of("web.static"), of("web.util")
guard, pages, proxy, rewrite = of("web.guard"), of("web.pages"), of("web.proxy"), of("web.rewrite")
script, template, twcgi, vhost = of("web.script"), of("web.template"), of("web.twcgi"), of("web.vhost")
wsgi, xmlrpc, http = of("web.wsgi"), of("web.xmlrpc"), of("web.http")


class Page(resource.Resource):
    """Answers GET with what a function returns."""

    isLeaf = True

    def __init__(self, function: Any) -> None:
        super().__init__()
        self.render_GET = function


class Files(static.File):
    contentTypes = {**static.File.contentTypes, ".odd": "application/x-odd"}  # noqa: RUF012 - as the guide has it


class Year(resource.Resource):
    """Is made for whatever number stands in the path."""

    def __init__(self, year: int) -> None:
        super().__init__()
        self.year = year

    def render_GET(self, request: Any) -> bytes:
        return b"the year %d of %b" % (self.year, b"/".join(request.prepath))


class Calendar(resource.Resource):
    def getChild(self, name: bytes, request: Any) -> Any:
        if name == b"":
            return self
        return Year(int(name)) if name.isdigit() else pages.notFound("Strange", f"{name.decode()} is no <year>")

    def render_GET(self, request: Any) -> bytes:
        return b"a calendar"


def path(request: Any) -> bytes:
    return repr((request.prepath, request.postpath, request.path, request.uri, request.args)).encode()


def later(request: Any) -> Any:
    def ready(request: Any) -> None:
        request.write(b"sorry for")
        request.write(b" the delay")
        request.finish()

    task.deferLater(reactor, 0.01, lambda: request).addCallback(ready)
    return server.NOT_DONE_YET


events: list[str] = []


def left(request: Any) -> Any:
    request.write(b"x" * 10)
    request.notifyFinish().addErrback(lambda reason: events.append(reason.type.__name__))
    return server.NOT_DONE_YET


def fails(request: Any) -> bytes:
    raise RuntimeError("on purpose")


def cookies(request: Any) -> bytes:
    request.addCookie(b"plain", b"1")
    request.addCookie(b"full", b"2", path=b"/", max_age=b"60", secure=True, httpOnly=True, sameSite="lax")
    return repr((request.getCookie(b"a"), request.getCookie(b"none"))).encode()


def codes(request: Any) -> bytes:
    request.setResponseCode(int(request.args[b"code"][0]), request.args.get(b"say", [None])[0])
    return b"" if request.args[b"code"][0] in (b"204", b"304") else b"as you say"


def cached(request: Any) -> Any:
    if request.setETag(b'"one"') == http.CACHED or request.setLastModified(1_000_000_000) == http.CACHED:
        return b""
    return b"fresh"


def moved(request: Any) -> bytes:
    return util.redirectTo(b"/calendar/2026", request)


def anew(request: Any) -> None:
    request.postpath.insert(0, b"calendar")
    request.path = b"/" + b"/".join(request.prepath + request.postpath)


class Form(resource.Resource):
    isLeaf = True

    def render_GET(self, request: Any) -> bytes:
        return b"<form method=post></form>"

    def render_POST(self, request: Any) -> bytes:
        return repr((request.args, request.content.read())).encode()


class ICount(Interface):
    value = Attribute("how often")


@implementer(ICount)
class Count:
    def __init__(self, session: Any) -> None:
        self.value = 0


of("python.components").registerAdapter(Count, server.Session, ICount)


class Short(server.Session):
    sessionTimeout = 0.05


def counts(request: Any) -> bytes:
    session = request.getSession()
    count = ICount(session)
    count.value += 1
    session.notifyOnExpire(lambda: events.append("expired"))
    if b"end" in request.args:
        session.expire()
    return b"%d %d" % (count.value, len(request.site.sessions))


def told(request: Any) -> bytes:
    told, events[:] = repr(sorted(events)), []
    return told.encode()


class Element(template.Element):
    loader = template.XMLString(
        '<div xmlns:t="http://twistedmatrix.com/ns/twisted.web.template/0.1"><h1 t:render="title">x</h1>'
        '<ul><li t:render="items"><t:slot name="item" default="none"/></li></ul><t:transparent t:render="soon"/>'
        '<a><t:attr name="href"><t:slot name="where"/></t:attr>&lt;</a></div>'
    )

    @template.renderer
    def title(self, request: Any, tag: Any) -> Any:
        return tag("<title> & ", template.tags.b("bold"), class_='a"b')

    @template.renderer
    def items(self, request: Any, tag: Any) -> Any:
        for item in ("one", "<two>", template.CharRef(233)):
            yield tag.clone().fillSlots(item=item)

    @template.renderer
    def soon(self, request: Any, tag: Any) -> Any:
        return task.deferLater(reactor, 0.01, lambda: template.Comment("soon"))


class Filled(Element):
    def render(self, request: Any) -> Any:
        return template.tags.transparent(super().render(request)).fillSlots(where="/x?a=1&b=2")


def element(request: Any) -> Any:
    return template.renderElement(request, Filled())


def flat(request: Any) -> Any:
    tag = template.tags.p("some ", template.slot("x"), template.CDATA("<raw>"), id="é").fillSlots(
        x=["a", ("b", template.tags.br)]
    )
    template.flattenString(None, tag).addCallback(request.write).addCallback(lambda _: request.finish())
    return server.NOT_DONE_YET


class Remote(xmlrpc.XMLRPC):
    def xmlrpc_add(self, a: int, b: int) -> int:
        """Add two numbers."""
        return a + b

    xmlrpc_add.signature = [["int"] * 3]  # noqa: RUF012 - of a function, not of the class

    def xmlrpc_soon(self, value: Any) -> Any:
        return task.deferLater(reactor, 0.01, lambda: value)

    def xmlrpc_fault(self) -> None:
        raise xmlrpc.Fault(123, "a fault")

    def xmlrpc_fails(self) -> None:
        raise RuntimeError("on purpose")

    @xmlrpc.withRequest
    def xmlrpc_method(self, request: Any, more: str) -> str:
        return f"{request.method.decode()} {more}"


def application(environ: dict[str, Any], start_response: Any) -> Any:
    names = ("REQUEST_METHOD", "SCRIPT_NAME", "PATH_INFO", "QUERY_STRING", "CONTENT_TYPE", "CONTENT_LENGTH", "HTTP_X_A")
    start_response("203 Well", [("Content-Type", "text/plain"), ("X-B", "c")])
    return [repr([environ.get(name) for name in names]).encode(), environ["wsgi.input"].read()]


class Realm:
    def requestAvatar(self, avatarId: Any, mind: Any, *interfaces: Any) -> Any:
        return resource.IResource, Page(lambda request: b"the home of " + avatarId), lambda: None


def guarded() -> Any:
    checkers, portal = of("cred.checkers"), of("cred.portal")
    implementer(portal.IRealm)(Realm)
    checker = checkers.InMemoryUsernamePasswordDatabaseDontUse(me=b"secret")
    return guard.HTTPAuthSessionWrapper(portal.Portal(Realm(), [checker]), [guard.BasicCredentialFactory("a place")])


def made() -> Any:
    """Return the root of it all."""
    root = resource.Resource()
    functions = {
        "path": path, "later": later, "left": left, "fails": fails, "cookies": cookies, "codes": codes, "cached": cached,
        "moved": moved, "counts": counts, "told": told, "element": element, "flat": flat,
    }  # fmt: skip
    for name, function in functions.items():
        root.putChild(name.encode(), Page(function))
    files = Files(FOLDER, defaultType="text/x-default", ignoredExts=(".html",))
    files.indexNames = ["start.txt"]
    files.processors = {".rpy": script.ResourceScript, ".cgi": twcgi.CGIScript}
    files.childNotFound = pages.notFound(message="not in the folder")
    hosts = vhost.NameVirtualHost()
    hosts.addHost(b"one.example", static.Data(b"one", "text/plain"))
    hosts.default = static.Data(b"another", "text/plain")
    remote = Remote()
    remote.putSubHandler("sub", Remote())
    xmlrpc.addIntrospection(remote)
    deferred = util.DeferredResource(defer.succeed(static.Data(b"deferred", "text/plain")))
    zipped = resource.EncodingResourceWrapper(static.Data(b"zip " * 500, "text/plain"), [server.GzipEncoderFactory()])
    children = {
        "": static.Data(b"<html>root</html>", "text/html"), "calendar": Calendar(), "files": files, "hosts": hosts, "form": Form(),
        "rpc": remote, "wsgi": wsgi.WSGIResource(reactor, reactor.getThreadPool(), application), "home": guarded(),
        "forbidden": pages.forbidden(), "error": pages.errorPage(418, "Tea", "no <coffee>"), "redirect": util.Redirect(b"/calendar/"),
        "parent": util.ParentRedirect(), "deferred": deferred, "zipped": zipped, "vhost": vhost.VHostMonsterResource(),
        "cgi": twcgi.CGIScript(f"{FOLDER}/script.cgi"),
    }  # fmt: skip
    for name, child in children.items():
        root.putChild(name.encode(), child)
    root.putChild(b"old", rewrite.RewriterResource(root, anew))
    return root


def main() -> None:
    site = server.Site(made(), logPath=f"{FOLDER}/access.log")
    site.displayTracebacks = False
    port = reactor.listenTCP(0, site, interface="127.0.0.1")
    short = server.Site(Page(counts))
    short.sessionFactory = Short
    other = reactor.listenTCP(0, short, interface="127.0.0.1")
    front = server.Site(proxy.ReverseProxyResource("127.0.0.1", port.getHost().port, b""))
    before = reactor.listenTCP(0, front, interface="127.0.0.1")
    say(*(each.getHost().port for each in (port, other, before)))
    of("internet.stdio").StandardIO(Ends())
    reactor.run()


class Ends(of("internet.protocol").Protocol):
    def connectionLost(self, reason: Any = None) -> None:
        reactor.stop()


main()
