"""One web server to be measured: `websites.py IMPLEMENTATION KIND PORT`.

IMPLEMENTATION: torsion, hosted (torsion inside asyncio, on uvloop; asgi alone), twisted (twisted.web, on its epoll reactor), uvicorn (with httptools and uvloop), granian (one worker; its own
interface RSGI, but for asgi), nginx (one worker).
KIND: hello (13 bytes), asgi (the same, from an application of ASGI), static (a file of 100 KiB at /file), post (reads a body, and answers
with it).  No access log is written: nginx's and uvicorn's are off, and no program that has not
begun to log has one.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from importlib import import_module
from pathlib import Path
from typing import Any

HELLO = b"Hello, World!"
PLAIN = (b"content-type", b"text/plain")

NGINX = """
daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/errors; {user}
events {{ worker_connections 4096; }}
http {{
  access_log off; sendfile on; tcp_nopush on; tcp_nodelay on; keepalive_requests 1000000000; open_file_cache max=100;
  client_body_temp_path {folder}/a; proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c; uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
  server {{ listen 127.0.0.1:{port} backlog=1024; {location} }}
}}
"""


def folder() -> Path:
    """Return a folder with what is served; what started this process removes it with its own."""
    made = Path(tempfile.mkdtemp(prefix="websites"))
    made.chmod(0o755)
    (made / "file").write_bytes(bytes(range(256)) * 400)
    return made


def serve_twisted(package: str, kind: str, port: int) -> None:
    """Serve with the API that torsion and Twisted share."""
    if package == "hosted":
        package = "torsion"
        if kind != "asgi":
            sys.exit("it is of interest for applications only")
        import_module("torsion.internet.asyncioreactor").install(import_module("uvloop").new_event_loop())
    elif package == "twisted" and sys.platform == "linux":
        import_module("twisted.internet.epollreactor").install()
    reactor = import_module(f"{package}.internet.reactor")
    server = import_module(f"{package}.web.server")

    class Hello(import_module(f"{package}.web.resource").Resource):
        isLeaf = True

        def render_GET(self, request: Any) -> bytes:
            request.setHeader(*PLAIN)
            return HELLO

        def render_POST(self, request: Any) -> bytes:
            return request.content.read()

    match kind:
        case "static":
            root = import_module(f"{package}.web.static").File(str(folder()))
        case "asgi" if package == "torsion":
            root = import_module("torsion.web.asgi").ASGIResource(asgi, lifespan=False)
        case "asgi":
            sys.exit("Twisted serves no applications of ASGI")
        case _:
            root = Hello()
    site = server.Site(root)
    site.noisy = False
    site.streamsBodies = kind == "asgi"
    reactor.listenTCP(port, site, backlog=1024, interface="127.0.0.1")
    reactor.run()


async def asgi(scope: Any, receive: Any, send: Any) -> None:
    """Answer a request by ASGI: with what it holds, if it holds something."""
    body, more = HELLO, scope["method"] == "POST"
    if more:
        parts = []
        while more:
            message = await receive()
            parts.append(message.get("body", b""))
            more = message.get("more_body", False)
        body = b"".join(parts)
    length = (b"content-length", b"%d" % len(body))
    await send({"type": "http.response.start", "status": 200, "headers": [PLAIN, length]})
    await send({"type": "http.response.body", "body": body})


async def rsgi(scope: Any, proto: Any) -> None:
    """Answer a request by granian's interface."""
    if scope.method == "POST":
        proto.response_bytes(200, [("content-type", "text/plain")], await proto())
    elif scope.path == "/file":
        proto.response_file(200, [("content-type", "text/plain")], os.environ["WEBSITES_FILE"])
    else:
        proto.response_bytes(200, [("content-type", "text/plain")], HELLO)


def serve_uvicorn(kind: str, port: int) -> None:
    """Serve with uvicorn."""
    if kind == "static":
        sys.exit("uvicorn serves no files")
    import_module("uvicorn").run(
        asgi, host="127.0.0.1", port=port, loop="uvloop", http="httptools", lifespan="off", access_log=False,
        log_level="warning", backlog=1024, timeout_keep_alive=60,
    )  # fmt: skip


def serve_granian(kind: str, port: int) -> None:
    """Serve with granian, whose worker imports this file."""
    os.environ["WEBSITES_FILE"] = str(folder() / "file")
    os.chdir(Path(__file__).parent)
    interface = "asgi" if kind == "asgi" else "rsgi"
    import_module("granian").Granian(
        f"websites:{interface}", address="127.0.0.1", port=port, interface=interface, workers=1, runtime_threads=1,
        loop="uvloop", log_enabled=False, log_access=False, backlog=1024, http="1", websockets=False,
    ).serve()  # fmt: skip


def serve_nginx(kind: str, port: int) -> None:
    """Become nginx."""
    place = folder()
    locations = {
        "hello": f'location / {{ default_type text/plain; return 200 "{HELLO.decode()}"; }}',
        "static": f"location / {{ root {place}; }}",
    }
    if kind not in locations:
        sys.exit("nginx runs no programs")
    file = place / "nginx.conf"
    user = "user root;" if os.getuid() == 0 else ""
    file.write_text(NGINX.format(folder=place, port=port, location=locations[kind], user=user))
    nginx = shutil.which("nginx") or "/usr/sbin/nginx"
    os.execv(nginx, [nginx, "-p", str(place), "-c", str(file), "-e", str(place / "errors")])


if __name__ == "__main__":
    implementation, what, where = sys.argv[1:]
    match implementation:
        case "uvicorn":
            serve_uvicorn(what, int(where))
        case "granian":
            serve_granian(what, int(where))
        case "nginx":
            serve_nginx(what, int(where))
        case _:
            serve_twisted(implementation, what, int(where))
