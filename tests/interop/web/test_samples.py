"""Small but whole applications of Flask, Django and FastAPI, used as a browser uses them: forms, uploads, cookies, files."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from contract.faultkit import needs_posix
from interop.web.served import ASGI, HOSTED, WSGI, serving

httpx = pytest.importorskip("httpx")
pytestmark = [needs_posix, pytest.mark.interop]

FLASK = """
from wsgiref.validate import validator
from flask import Flask, flash, get_flashed_messages, redirect, render_template_string, request, send_file, session, stream_with_context

app = Flask(__name__, static_folder={folder!r}, static_url_path="/static")
app.secret_key = "x"

@app.route("/", methods=["GET", "POST"])
def notes():
    if request.method == "POST":
        session["notes"] = session.get("notes", []) + [request.form["note"]]
        flash("kept")
        return redirect("/")
    return render_template_string(
        "{{% for said in get_flashed_messages() %}}[{{{{ said }}}}]{{% endfor %}}{{% for note in notes %}}<li>{{{{ note }}}}{{% endfor %}}",
        notes=session.get("notes", []))

@app.post("/upload")
def upload():
    got = request.files["file"]
    data = got.read()
    return {{"name": got.filename, "size": len(data), "sum": sum(data[:1000]), "more": request.form.getlist("more")}}

@app.get("/download")
def download():
    return send_file({folder!r} + "/large.bin", as_attachment=True, conditional=True)

@app.get("/stream")
def stream():
    return app.response_class(stream_with_context(f"{{n}} {{request.args['word']}}\\n" for n in range(2000)), mimetype="text/plain")

application = app if {lenient} else validator(app)
"""

DJANGO = """
import django
from django import forms
from django.conf import settings
from django.contrib.staticfiles.handlers import {handler}
from django.core.{kind} import get_{kind}_application
from django.http import FileResponse, HttpResponse, HttpResponseRedirect, JsonResponse, StreamingHttpResponse
from django.template import engines
from django.urls import path

settings.configure(
    DEBUG=True, SECRET_KEY="x", ALLOWED_HOSTS=["127.0.0.1"], ROOT_URLCONF=__name__, STATIC_URL="/static/",
    STATICFILES_DIRS=[{folder!r}], FILE_UPLOAD_MAX_MEMORY_SIZE=100_000, SESSION_ENGINE="django.contrib.sessions.backends.signed_cookies",
    INSTALLED_APPS=["django.contrib.staticfiles", "django.contrib.sessions"],
    MIDDLEWARE=["django.contrib.sessions.middleware.SessionMiddleware", "django.middleware.csrf.CsrfViewMiddleware",
                "django.middleware.gzip.GZipMiddleware"],
    TEMPLATES=[{{"BACKEND": "django.template.backends.django.DjangoTemplates"}}],
)

class Note(forms.Form):
    note = forms.CharField(max_length=10)
    file = forms.FileField(required=False)

def notes(request):
    form = Note(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        got = form.cleaned_data["file"]
        size = "" if got is None else f" {{sum(len(part) for part in got.chunks())}} {{type(got).__name__}}"
        request.session["notes"] = request.session.get("notes", []) + [form.cleaned_data["note"] + size]
        return HttpResponseRedirect("/")
    page = engines["django"].from_string("<form>{{% csrf_token %}}{{{{ form }}}}</form>{{% for note in notes %}}<li>{{{{ note }}}}{{% endfor %}}")
    return HttpResponse(page.render({{"form": form, "notes": request.session.get("notes", [])}}, request))

def stream(request):
    return StreamingHttpResponse((f"{{n}} {{request.GET['word']}}\\n" for n in range(2000)), content_type="text/plain")

async def stream_async(request):
    async def parts():
        for n in range(2000):
            yield f"{{n}} {{request.GET['word']}}\\n"
    return StreamingHttpResponse(parts(), content_type="text/plain")

urlpatterns = [
    path("", notes), path("stream", stream if {kind!r} == "wsgi" else stream_async),
    path("download", lambda request: FileResponse(open({folder!r} + "/large.bin", "rb"), as_attachment=True)),
]
django.setup()
application = {handler}(get_{kind}_application())
"""

FASTAPI = """
import contextlib
from typing import Annotated
from fastapi import BackgroundTasks, Cookie, FastAPI, Form, Request, Response, UploadFile
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse, StreamingResponse
from fastapi.staticfiles import StaticFiles

@contextlib.asynccontextmanager
async def lifespan(app):
    yield {{"notes": []}}
    print("closed", flush=True)

application = FastAPI(lifespan=lifespan)
application.mount("/static", StaticFiles(directory={folder!r}))

@application.post("/")
async def keep(request: Request, note: Annotated[str, Form(max_length=10)]):
    request.state.notes.append(note)
    answer = RedirectResponse("/", 303)
    answer.set_cookie("last", note.encode().hex())
    return answer

@application.get("/")
async def notes(request: Request, last: Annotated[str | None, Cookie()] = None):
    return HTMLResponse("".join(f"<li>{{note}}" for note in request.state.notes) + f"[{{last}}]")

@application.post("/upload")
async def upload(file: UploadFile, more: Annotated[list[str], Form()], after: BackgroundTasks):
    data = await file.read()
    after.add_task(lambda: print("after", flush=True))
    return {{"name": file.filename, "size": len(data), "sum": sum(data[:1000]), "more": more}}

@application.get("/download")
async def download():
    return FileResponse({folder!r} + "/large.bin", filename="large.bin")

@application.get("/stream")
async def stream(word: str):
    async def parts():
        for n in range(2000):
            yield f"{{n}} {{word}}\\n"
    return StreamingResponse(parts(), media_type="text/plain")
"""

LARGE = bytes(range(256)) * 8000


@pytest.fixture
def folder(tmp_path: Path) -> str:
    (tmp_path / "large.bin").write_bytes(LARGE)
    (tmp_path / "page.css").write_text("body { color: black }\n")
    return str(tmp_path)


def client(server: Any) -> Any:
    return httpx.Client(base_url=f"http://127.0.0.1:{server.port}", follow_redirects=True, timeout=20, trust_env=False)


def check_what_all_have(user: Any, ranges: bool = True) -> None:
    words = "".join(f"{n} w\u00f6rd\n" for n in range(2000))
    plain = {"Accept-Encoding": "identity"}  # Django packs each part for itself, which few clients can read
    assert user.get("/stream", params={"word": "w\u00f6rd"}, headers=plain).text == words
    whole = user.get("/download")
    assert (whole.status_code, whole.content) == (200, LARGE)
    assert "attachment" in whole.headers["content-disposition"]
    style = user.get("/static/page.css")
    assert (style.text, style.headers["content-type"].split(";")[0]) == ("body { color: black }\n", "text/css")
    assert (
        user.get("/static/page.css", headers={"If-Modified-Since": style.headers["last-modified"]}).status_code == 304
    )
    assert user.head("/static/page.css").content == b""
    assert user.get("/static/nothing").status_code == 404
    if ranges:
        part = user.get("/download", headers={"Range": "bytes=256-511"})
        assert (part.status_code, part.content) == (206, bytes(range(256)))


def upload(user: Any, path: str = "/upload") -> Any:
    return user.post(path, files={"file": ("L\u00e4rge.bin", LARGE)}, data={"more": ["a", "b"]}).json()


UPLOADED = {"name": "L\u00e4rge.bin", "size": len(LARGE), "sum": sum(LARGE[:1000]), "more": ["a", "b"]}


@pytest.mark.parametrize("lenient", [True, False], ids=["plain", "validated"])
def test_flask(folder: str, lenient: bool) -> None:
    pytest.importorskip("flask")
    with serving(WSGI.format(application=FLASK.format(folder=folder, lenient=lenient))) as server:
        with client(server) as user:
            if lenient:  # the validator has bodies read by sizes, and Flask reads to the end
                assert user.post("/", data={"note": "<Gr\u00fc\u00dfe>"}).text == "[kept]<li>&lt;Gr\u00fc\u00dfe&gt;"
                assert user.post("/", data={"note": "2"}).text.endswith("<li>2")
                assert upload(user) == UPLOADED
            check_what_all_have(user)
        said = server.stop()
        assert "Traceback" not in said, said


@pytest.mark.parametrize("kind", ["wsgi", "native", "hosted"])
def test_django(folder: str, kind: str) -> None:
    pytest.importorskip("django")
    names = ("wsgi", "StaticFilesHandler") if kind == "wsgi" else ("asgi", "ASGIStaticFilesHandler")
    text = DJANGO.format(folder=folder, kind=names[0], handler=names[1])
    install = HOSTED if kind == "hosted" else ""
    program = WSGI.format(application=text) if kind == "wsgi" else ASGI.format(install=install, application=text)
    with serving(program) as server, client(server) as user:

        def say(**fields: Any) -> str:
            found = re.search('name="csrfmiddlewaretoken" value="([^"]+)"', user.get("/").text)
            assert found is not None
            fields["data"]["csrfmiddlewaretoken"] = found[1]
            text: str = user.post("/", **fields).text
            return text

        assert user.post("/", data={"note": "x"}).status_code == 403
        assert say(data={"note": "<Gr\u00fc\u00dfe>"}).endswith("<li>&lt;Gr\u00fc\u00dfe&gt;")
        assert "at most 10" in say(data={"note": "x" * 11})
        sent = say(data={"note": "f"}, files={"file": ("f", LARGE)})
        assert sent.endswith(f"<li>f {len(LARGE)} TemporaryUploadedFile")
        check_what_all_have(user, ranges=False)
        said = server.stop()
        assert "Traceback" not in said, said


@pytest.mark.parametrize("install", ["", HOSTED], ids=["native", "hosted"])
def test_fastapi(folder: str, install: str) -> None:
    pytest.importorskip("fastapi")
    pytest.importorskip("python_multipart")
    with serving(ASGI.format(install=install, application=FASTAPI.format(folder=folder))) as server:
        with client(server) as user:
            kept = "Gr\u00fc\u00dfe"
            assert user.post("/", data={"note": kept}).text == f"<li>{kept}[{kept.encode().hex()}]"
            assert user.post("/", data={"note": "x" * 11}).status_code == 422
            assert upload(user) == UPLOADED
            assert server.program.stdout is not None
            assert server.program.stdout.readline() == "after\n"
            check_what_all_have(user)
        assert server.stop() == "closed\n"
