"""Forms with files in them."""

from __future__ import annotations

import io
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torsion.internet.defer import CancelledError, Deferred, ensureDeferred
from torsion.internet.error import ConnectionDone
from torsion.logger import capturedLogs
from torsion.python.failure import Failure
from torsion.web.http.body import MOST_IN_MEMORY, BodyStream
from torsion.web.http.forms import MOST_IN_ARGS, MOST_WITHOUT, FormError, parseForm
from torsion.web.http.parts import MAX_PARTS, FormReader, boundaryOf
from torsion.web.http.uploads import Form, Upload, readForm

pytest.importorskip("multipart")

KIND = b"multipart/form-data; boundary=AaB03x"


def part(head: str, value: bytes = b"value") -> bytes:
    return b"--AaB03x\r\nContent-Disposition: form-data; " + head.encode() + b"\r\n\r\n" + value + b"\r\n"


END = b"--AaB03x--\r\n"
SMALL = part('name="text"', b"a\r\n\xff") + part('name="file"; filename="a*.txt"', b"content") + END


class Asked:
    """A request."""

    _stream: BodyStream | None = None

    def __init__(self, body: bytes = b"", kind: bytes | None = KIND) -> None:
        self.content = io.BytesIO(body)
        self._kind = kind

    def getHeader(self, name: bytes) -> bytes | None:
        assert name == b"content-type"
        return self._kind


class Channel:
    """What a streamed body comes from."""

    def __init__(self) -> None:
        self.held = False

    def pauseBody(self) -> None:
        self.held = True

    def resumeBody(self) -> None:
        self.held = False


def result(reading: Any) -> Any:
    found: list[Any] = []
    reading.addBoth(found.append)
    [only] = found
    if isinstance(only, Failure):
        only.raiseException()
    return only


def read(body: bytes, kind: bytes | None = KIND, **limits: Any) -> Form:
    form: Form = result(ensureDeferred(readForm(Asked(body, kind), **limits)))
    return form


def test_what_is_in_a_form() -> None:
    with read(SMALL) as form:
        assert form.fields == {b"text": [b"a\r\n\xff"]}
        [upload] = form.files[b"file"]
        assert (upload.name, upload.filename, upload.rawFilename, upload.size) == (b"file", "a_.txt", "a*.txt", 7)
        assert upload.contentType == "application/octet-stream"
        assert upload.file.read() == b"content"
        assert repr(upload) == "<Upload b'file' 'a_.txt', 7 bytes>"
    assert upload.file.closed


def test_names_and_order() -> None:
    body = part('name="a"', b"1") + part('name="\N{SNOWMAN}"', b"") + part('name="a"', b"2") + END
    assert read(body).fields == {b"a": [b"1", b"2"], "\N{SNOWMAN}".encode(): [b""]}


def test_names_may_be_in_any_encoding() -> None:
    utf8 = part('name="\N{SNOWMAN}"; filename="\N{SNOWMAN}.txt"', b"1")
    latin1 = part('name="@"; filename="@.txt"', b"2").replace(b"@", b"\xe9")
    with read(utf8 + latin1 + END) as form:
        assert {name: each.filename for name, [each] in form.files.items()} == {
            "\N{SNOWMAN}".encode(): "\N{SNOWMAN}.txt",
            b"\xe9": "\xe9.txt",
        }


def test_parts_that_say_nothing_are_left_out() -> None:
    body = b"--AaB03x\r\nContent-Disposition: form-data\r\n\r\nvalue\r\n" + part('name="f"; filename=""', b"") + END
    form = read(body)  # a part without a name, and a field for a file that was not chosen
    assert (form.fields, form.files) == ({}, {})


def test_a_form_without_files() -> None:
    form = read(b"a=1&a=2&b=%ff", b"application/x-www-form-urlencoded; charset=utf-8")
    assert (form.fields, form.files) == ({b"a": [b"1", b"2"], b"b": [b"\xff"]}, {})
    with pytest.raises(FormError, match="more fields than may be kept"):
        read(b"a" * 11, b"application/x-www-form-urlencoded", maxFieldsSize=10)


def test_what_comes_is_read_as_it_comes() -> None:
    request = Asked()
    channel = Channel()
    request._stream = stream = BodyStream(channel)
    reading = ensureDeferred(readForm(request))
    for start in range(len(SMALL)):
        stream.dataReceived(SMALL[start : start + 1])
    assert not channel.held
    assert not reading.called
    stream.finished(())
    with result(reading) as form:
        assert form.fields == {b"text": [b"a\r\n\xff"]}
        assert form.files[b"file"][0].file.read() == b"content"


def test_large_files_go_to_the_disk_and_memory_stays_flat() -> None:
    import tracemalloc

    request = Asked()
    request._stream = stream = BodyStream(Channel())
    reading = ensureDeferred(readForm(request))
    block = b"x" * 65536
    stream.dataReceived(part('name="f"; filename="large"', b"")[:-2])
    stream.dataReceived(block * 2)
    tracemalloc.start()
    try:
        for _ in range(256):  # 16 MiB
            stream.dataReceived(block)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 2 * 1024 * 1024
    stream.dataReceived(b"\r\n" + END)
    stream.finished(())
    with result(reading) as form:
        [upload] = form.files[b"f"]
        assert upload.size == 258 * 65536
        assert upload.file._rolled  # it is a file, and not memory


def test_small_files_stay_in_memory() -> None:
    with read(part('name="f"; filename="f"', b"x" * (MOST_IN_MEMORY - 1)) + END) as form:
        assert not form.files[b"f"][0].file._rolled  # type: ignore[attr-defined]  # it is a SpooledTemporaryFile


def test_a_file_is_saved_where_nothing_is(tmp_path: Path) -> None:
    with read(SMALL) as form:
        [upload] = form.files[b"file"]
        upload.saveTo(tmp_path / upload.filename)
        assert (tmp_path / "a_.txt").read_bytes() == b"content"
        with pytest.raises(FileExistsError):
            upload.saveTo(tmp_path / "a_.txt")
        assert upload.file.read() == b"content"


def test_a_file_that_cannot_be_saved_is_not_half_there(tmp_path: Path) -> None:
    class Bad(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell():
                raise OSError("cannot be read")
            return super().read(2)

    upload = Upload(b"f", "f", "text/plain", Bad(b"content"))
    with pytest.raises(OSError, match="cannot be read"):
        upload.saveTo(tmp_path / "f")
    assert list(tmp_path.iterdir()) == []


# --- bad input -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"junk",
        b"--AaB03x",
        SMALL[: -len(END)],
        part('name="a"')[:-3],
        b"--AaB03x\r\n\r\nvalue\r\n" + END,
        b"--AaB03x\r\nContent-Disposition: attachment; name=x\r\n\r\nvalue\r\n" + END,
        b"--AaB03x\r\nnone\r\n\r\nvalue\r\n" + END,
        b"--AaB03x\r\n" + b"a: b\r\n" * 20 + b"\r\nvalue\r\n" + END,
        b"--AaB03x\r\nContent-Disposition: form-data; name=" + b"x" * 5000 + b"\r\n\r\nvalue\r\n" + END,
    ],
)
def test_what_is_no_form(body: bytes) -> None:
    with pytest.raises(FormError, match="a form cannot be read: "):
        read(body)
    with pytest.raises(FormError, match="a form cannot be read: "):
        parseForm(KIND, io.BytesIO(body))


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (None, "the body is no form: its type is b''"),
        (b"text/plain", "the body is no form: its type is b'text/plain'"),
        (b"multipart/form-data", "a form needs a boundary"),
        (b"multipart/form-data; boundary=", "a form needs a boundary"),
        (b"multipart/form-data; boundary=" + b"x" * 71, "a form needs a boundary"),
        (b'multipart/form-data; boundary="x "', "a form needs a boundary"),
        (b'multipart/form-data; boundary="x\x00"', "a form needs a boundary"),
        (b"multipart/form-data; boundary=x\r\ny", "a form needs a boundary|cannot be read"),
        (b"multipart/form-data; boundary=\xe2\x98\x83", "the boundary of a form is written in ASCII"),
    ],
)
def test_what_is_no_type_of_a_form(kind: bytes | None, said: str) -> None:
    with pytest.raises(FormError, match=said):
        read(SMALL, kind)


def test_boundaries() -> None:
    assert boundaryOf(b'Multipart/Form-Data; charset=x; Boundary="a b\'()+_,-./:=?"') == "a b'()+_,-./:=?"
    assert boundaryOf(b"multipart/form-data; boundary=" + b"x" * 70) == "x" * 70


def test_a_form_has_so_many_parts() -> None:
    assert len(read(part('name="a"') * MAX_PARTS + END).fields[b"a"]) == MAX_PARTS
    with pytest.raises(FormError, match="a form cannot be read"):
        read(part('name="a"') * (MAX_PARTS + 1) + END)


def test_fields_and_files_have_a_size() -> None:
    read(SMALL, maxFieldsSize=12, maxFilesSize=7).close()
    with pytest.raises(FormError, match="more fields than may be kept"):
        read(SMALL, maxFieldsSize=11)
    with pytest.raises(FormError, match="more files than may be kept"):
        read(SMALL, maxFilesSize=6)


class Kept:
    """Makes files, and keeps them."""

    def __init__(self, full_after: int | None = None) -> None:
        self.files: list[Any] = []
        self._left = full_after

    def __call__(self) -> Any:
        left = self._left

        class File(tempfile.SpooledTemporaryFile[bytes]):
            def write(self, data: Any) -> int:
                if left is not None and self.tell() + len(data) > left:
                    raise OSError(28, "No space left on device")
                return super().write(data)

        self.files.append(File())
        return self.files[-1]


@pytest.mark.parametrize("left", [None, 3])
def test_what_fails_leaves_no_file_open(left: int | None) -> None:
    kept = Kept(left)
    body = part('name="a"; filename="a"', b"ab") + part('name="b"; filename="b"', b"content")
    with pytest.raises((FormError, OSError)) as caught:
        read(body, newFile=kept)
    assert isinstance(caught.value, OSError) == (left is not None)
    assert len(kept.files) == 2
    assert all(file.closed for file in kept.files)


@pytest.mark.parametrize("ending", ["lost", "cancelled"])
def test_a_client_that_leaves_in_the_midst_leaves_no_file_open(ending: str) -> None:
    kept = Kept()
    request = Asked()
    request._stream = stream = BodyStream(Channel())
    reading = ensureDeferred(readForm(request, newFile=kept))
    stream.dataReceived(SMALL[:-20])
    if ending == "lost":
        stream.failed(Failure(ConnectionDone()))
    else:
        reading.cancel()
    with pytest.raises(ConnectionDone if ending == "lost" else CancelledError):
        result(reading)
    assert len(kept.files) == 1
    assert kept.files[0].closed


@given(
    st.one_of(
        st.binary(),
        st.lists(st.sampled_from([SMALL, END, b"--AaB03x", b"\r\n", b": ", b"name=x", part('name="a"')])).map(b"".join),
    )
)
def test_law_whatever_comes_is_a_form_or_an_error(body: bytes) -> None:
    try:
        parseForm(KIND, io.BytesIO(body))
    except FormError:
        return
    read(body).close()  # what one reader takes, so does the other


VALUES = st.binary().filter(lambda value: b"--AaB03x" not in value)


@given(st.lists(VALUES), st.integers(1, 50))
def test_law_values_come_as_they_were_sent(values: list[bytes], size: int) -> None:
    body = b"".join(part(f'name="n"; filename="{number}"', value) for number, value in enumerate(values)) + END
    reader = FormReader("AaB03x")
    for start in range(0, len(body), size):
        reader.feed(body[start : start + size])
    with reader.end() as form:
        assert [upload.file.read() for upload in form.files.get(b"n", [])] == values


# --- args ----------------------------------------------------------------------------------------------------------------


def test_small_forms_are_args_as_a_whole() -> None:
    assert parseForm(KIND, io.BytesIO(SMALL)) == {b"text": [b"a\r\n\xff"], b"file": [b"content"]}
    body = b"--AaB03x\r\nContent-Disposition: form-data; name=x\r\nContent-Transfer-Encoding: {}\r\n\r\n{}\r\n" + END
    for encoding, value, expected in (
        (b"quoted-printable", b"a=3Db", b"a=b"),
        (b"base64", b"YWI=", b"ab"),
        (b"base64", b"Y", b"Y"),
        (b"8bit", b"\xff", b"\xff"),
    ):
        sent = body.replace(b"{}", encoding, 1).replace(b"{}", value, 1)
        assert parseForm(KIND, io.BytesIO(sent)) == {b"x": [expected]}


@pytest.mark.parametrize("kind", [KIND, b"application/x-www-form-urlencoded"])
def test_large_forms_are_not_args(kind: bytes) -> None:
    assert parseForm(b"text/plain", io.BytesIO(SMALL)) == {}
    with capturedLogs() as events:
        assert parseForm(kind, io.BytesIO(b" " * (MOST_IN_ARGS + 1))) == {}
    assert "readForm" in events[0]["log_format"]


def test_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "multipart", None)
    assert parseForm(KIND, io.BytesIO(SMALL)) == {b"text": [b"a\r\n\xff"], b"file": [b"content"]}
    with pytest.raises(FormError, match=r"at most 1048576 bytes where .* pip install torsion\[forms\]"):
        parseForm(KIND, io.BytesIO(SMALL + b" " * MOST_WITHOUT))
    with pytest.raises(ImportError, match=r"pip install torsion\[forms\]"):
        read(SMALL)


def test_a_large_stored_body_lets_others_have_their_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    from torsion.internet.task import Clock

    class Counting(Clock):
        turns = 0

        def callLater(self, *args: Any, **kw: Any) -> Any:
            self.turns += 1
            return super().callLater(*args, **kw)

    clock = Counting()
    monkeypatch.setattr("torsion.web.http.uploads._current.current_reactor", lambda: clock)
    body = part('name="f"; filename="f"', b"x" * 2**20) + END
    reading: Deferred[Form] = ensureDeferred(readForm(Asked(body)))
    assert not reading.called
    while not reading.called:
        clock.advance(0)
    assert clock.turns == 4
    with result(reading) as form:
        assert form.files[b"f"][0].size == 2**20
