"""Flask's and Django's applications."""

from __future__ import annotations

import pytest

from contract.faultkit import needs_posix
from interop.web.served import WSGI, serving

pytestmark = [needs_posix, pytest.mark.interop]

FLASK = """
from flask import Flask, Response, request

application = Flask(__name__)

@application.get("/hello/<name>")
def hello(name):
    return f"hello, {name}"

@application.post("/form")
def form():
    upload = request.files.get("file")
    return {"form": request.form.to_dict(), "size": len(upload.read()) if upload else None}

@application.post("/length")
def length():
    return str(len(request.stream.read()))

@application.get("/stream")
def stream():
    return Response((b"%d\\n" % n for n in range(1000)), mimetype="text/plain")

@application.get("/fails")
def fails():
    raise RuntimeError("on purpose")
"""

DJANGO = """
import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import FileResponse, HttpResponse, JsonResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from io import BytesIO

settings.configure(DEBUG=False, SECRET_KEY="x", ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__)
urlpatterns = [
    path("hello/<str:name>", lambda request, name: HttpResponse(f"hello, {name}")),
    path("length", csrf_exempt(lambda request: JsonResponse(len(request.body), safe=False))),
    path("file", lambda request: FileResponse(BytesIO(bytes(300_000)))),
]
application = get_wsgi_application()
"""


def test_flask() -> None:
    pytest.importorskip("flask")
    with serving(WSGI.format(application=FLASK)) as server:
        assert server.ask("/hello/d%C3%A9j%C3%A0?x=1") == (200, "hello, déjà".encode())
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        assert server.ask("/form", "POST", "a=1&b=%20", form) == (200, b'{"form":{"a":"1","b":" "},"size":null}\n')
        upload = b'--x\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n%b\r\n--x--\r\n' % bytes(
            200_000
        )
        multipart = {"Content-Type": "multipart/form-data; boundary=x"}
        assert server.ask("/form", "POST", upload, multipart) == (200, b'{"form":{},"size":200000}\n')
        chunked = {"Transfer-Encoding": "chunked"}
        assert server.ask("/length", "POST", b"5\r\nabcde\r\n0\r\n\r\n", chunked) == (200, b"5")
        assert server.ask("/stream") == (200, b"".join(b"%d\n" % n for n in range(1000)))
        assert server.ask("/nothing")[0] == 404
        assert server.ask("/fails")[0] == 500
        assert server.ask("/hello/a", "HEAD") == (200, b"")
        assert "on purpose" in server.stop()  # Flask has said it to wsgi.errors


def test_django() -> None:
    pytest.importorskip("django")
    with serving(WSGI.format(application=DJANGO)) as server:
        assert server.ask("/hello/you") == (200, b"hello, you")
        assert server.ask("/length", "POST", bytes(150_000)) == (200, b"150000")
        assert server.ask("/file") == (200, bytes(300_000))
        assert server.ask("/nothing")[0] == 404
        server.stop()
