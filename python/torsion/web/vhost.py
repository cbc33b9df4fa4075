"""Several hosts on one site: by the name that the client asks, or by the path that a proxy in front puts before."""

from __future__ import annotations

from typing import Any

from torsion.web.pages import notFound
from torsion.web.resource import Resource

__all__ = ["NameVirtualHost", "VHostMonsterResource", "VirtualHostCollection"]


class VirtualHostCollection:
    """The hosts of a :class:`NameVirtualHost`, as its entities.

    :ivar nvh: the resource.
    """

    def __init__(self, nvh: NameVirtualHost) -> None:
        self.nvh = nvh

    def listStaticEntities(self) -> list[tuple[bytes, Any]]:
        """Return the hosts, each after its name."""
        return list(self.nvh.hosts.items())

    def getStaticEntity(self, name: bytes) -> Any:
        """Return the resource of a host, or None."""
        return self.nvh.hosts.get(name)

    def reallyPutEntity(self, name: bytes, entity: Any) -> None:
        """Add a host."""
        self.nvh.addHost(name, entity)

    def delEntity(self, name: bytes) -> None:
        """Remove a host."""
        self.nvh.removeHost(name)


class NameVirtualHost(Resource):
    """A resource that is another one for each host, by the name in the request's ``Host``, whatever its port.

    :ivar default: for requests to hosts that are not known, and those without a host; None to have nothing found.
    :ivar hosts: the resources by names, in lower case.
    """

    default: Any = None

    def __init__(self) -> None:
        super().__init__()
        self.hosts: dict[bytes, Any] = {}

    def listStaticEntities(self) -> list[tuple[Any, Any]]:
        """Return the hosts as one entity, and the children that were put."""
        return [("Virtual Hosts", VirtualHostCollection(self)), *super().listStaticEntities()]

    def getStaticEntity(self, name: Any) -> Any:
        """Return the hosts for ``"Virtual Hosts"``; else a child that was put, or None."""
        return VirtualHostCollection(self) if name == "Virtual Hosts" else super().getStaticEntity(name)

    def addHost(self, name: bytes, resrc: Any) -> None:
        """Have *resrc* answer for a host.

        :param name: the host's name, as bytes, without a port.
        :param resrc: the root of its resources.
        """
        self.hosts[name.lower()] = resrc

    def removeHost(self, name: bytes) -> None:
        """Answer for a host no more.

        :raises KeyError: if it is not known.
        """
        del self.hosts[name.lower()]

    def _resourceFor(self, request: Any) -> Any:
        header = request.getHeader(b"host")
        if header is None:
            found = None
        elif header.startswith(b"["):
            found = self.hosts.get(header[: header.find(b"]") + 1].lower())
        else:
            found = self.hosts.get(header.partition(b":")[0].lower())
        if found is None:
            found = self.default
        return (
            notFound("No Such Host", "This server has nothing for the host that was asked.") if found is None else found
        )

    def render(self, request: Any) -> Any:
        """Answer as the host's resource does."""
        return self._resourceFor(request).render(request)

    def getChild(self, path: bytes, request: Any) -> Any:
        """Return a child of the host's resource."""
        resrc = self._resourceFor(request)
        if resrc.isLeaf:
            request.postpath.insert(0, request.prepath.pop())
            return resrc
        return resrc.getChildWithDefault(path, request)


class _HostResource(Resource):
    """Takes the host out of a path, and goes on with the rest from the root of the site."""

    def getChild(self, path: bytes, request: Any) -> Any:
        """Return what the rest of the path leads to on the host *path*, which may have a port."""
        host, colon, digits = path.rpartition(b":") if not path.endswith(b"]") else (b"", b"", b"")
        if not colon:
            host, port = path, 443 if request.isSecure() else 80
        elif digits.isdigit() and int(digits) < 65536:
            port = int(digits)
        else:
            return notFound("No Such Host", "This is no name of a host, with or without a port.")
        request.setHost(host, port)
        written, mark, query = request.uri.partition(b"?")
        # As it was written, escapes and all: the segments that have led here go.
        rest = written.split(b"/", len(request.prepath) + 1)[len(request.prepath) + 1 :]
        request.path = b"/" + b"".join(rest)
        request.uri = request.path + mark + query
        request.prepath = []
        return request.site.getResourceFor(request)


class VHostMonsterResource(Resource):
    """A resource for proxies in front of this server, to say by the path what they were asked for.

    Put at ``/vhost_monster``, it has a request to ``/vhost_monster/https/example.com:8443/path`` seem to be one to
    ``https://example.com:8443/path``.  Whoever can ask for such paths can do so: they must be for the proxy only.
    """

    def getChild(self, path: bytes, request: Any) -> Any:
        """Return what takes the host, after the scheme."""
        if path not in (b"http", b"https"):
            return notFound("No Such Scheme", "The scheme must be http or https.")
        secure = path == b"https"
        request.isSecure = lambda: secure
        return _HostResource()
