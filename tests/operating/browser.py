"""A headless Chromium that is told what to do through a pipe: pages, devices, screenshots, and what scripts find there."""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import struct
import subprocess
import tempfile
import time
import zlib
from contextlib import suppress

PATIENCE = 20
"""Seconds to wait for anything."""


def chromium():
    """Return the browser's path, or None if there is none."""
    return next(
        (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
    )


def decode(png):
    """Return the rows of a PNG of 8 bits and three or four channels (RFC 2083), as lists of (red, green, blue)."""
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    chunks, at = {}, 8
    while at < len(png):
        (length,) = struct.unpack_from(">I", png, at)
        kind = png[at + 4 : at + 8]
        chunks[kind] = chunks.get(kind, b"") + png[at + 8 : at + 8 + length]
        at += 12 + length
    width, height, depth, colour = struct.unpack_from(">IIBB", chunks[b"IHDR"])
    assert (depth, colour) in {(8, 2), (8, 6)}
    step = 3 if colour == 2 else 4
    data = zlib.decompress(chunks[b"IDAT"])
    above, rows = bytearray(width * step), []
    for y in range(height):
        start = y * (width * step + 1)
        row = bytearray(data[start + 1 : start + 1 + width * step])
        unfilter(data[start], row, above, step)
        rows.append([tuple(row[x : x + 3]) for x in range(0, len(row), step)])
        above = row
    return rows


def unfilter(kind, row, above, step):
    """Undo the filter of a row; RFC 2083, 6."""
    for i in range(len(row)) if kind else ():
        left = row[i - step] if i >= step else 0
        corner = above[i - step] if i >= step else 0
        if kind == 1:
            guess = left
        elif kind == 2:
            guess = above[i]
        elif kind == 3:
            guess = (left + above[i]) // 2
        else:
            near = left + above[i] - corner
            guess = min((left, above[i], corner), key=lambda each: abs(near - each))
        row[i] = (row[i] + guess) & 255


def luminance(colour):
    """Return how light a colour is, from 0 to 1; WCAG 2.2, relative luminance."""
    red, green, blue = ((c / 255 / 12.92 if c <= 10 else ((c / 255 + 0.055) / 1.055) ** 2.4) for c in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


class Browser:
    """One browser with one page; the protocol is that of Chromium's developer tools."""

    def __init__(self):
        """Start it."""
        self._folder = tempfile.mkdtemp(prefix="torsion-browser-")
        theirs, self._write = os.pipe()
        self._read, answers = os.pipe()
        self._number = 0
        self._buffer = b""
        self.events = []
        script = f'exec "$@" 3<&{theirs} 4>&{answers}'  # the numbers that --remote-debugging-pipe has
        arguments = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"]
        arguments += ["--disable-extensions", "--disable-background-networking", "--remote-debugging-pipe"]
        arguments += ["--hide-scrollbars", f"--user-data-dir={self._folder}", "about:blank"]
        self.process = subprocess.Popen(
            ["/bin/bash", "-c", script, "browser", chromium(), *arguments],
            pass_fds=(theirs, answers),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(theirs)
        os.close(answers)
        self._session = None
        pages = self.ask("Target.getTargets")["targetInfos"]
        page = next(each["targetId"] for each in pages if each["type"] == "page")
        self._session = self.ask("Target.attachToTarget", targetId=page, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self.ask(f"{domain}.enable")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        os.close(self._write)
        with suppress(OSError):
            os.close(self._read)
        shutil.rmtree(self._folder, ignore_errors=True)

    def ask(self, method, **parameters):
        """Ask for something and return the answer."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        until = time.monotonic() + PATIENCE
        while True:
            answer = self._next(until, method)
            if answer.get("id") == self._number:
                assert "error" not in answer, (method, answer)
                return answer["result"]
            self.events.append(answer)

    def _next(self, until, what):
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._read], [], [], max(0, until - time.monotonic()))
            assert ready, f"the browser does not answer {what}"
            data = os.read(self._read, 1 << 20)
            assert data, f"the browser ended while it was asked {what}"
            self._buffer += data
        message, _, self._buffer = self._buffer.partition(b"\0")
        return json.loads(message)

    def device(self, width, height, *, dark=False, mobile=False):
        """Be a device of that size, in pixels."""
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=mobile)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.ask("Emulation.setEmulatedMedia", features=[scheme])

    def go(self, url):
        """Open a page."""
        answer = self.ask("Page.navigate", url=url)
        assert "errorText" not in answer, answer

    def run(self, script):
        """Return what an expression gives; promises are waited for."""
        answer = self.ask("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def wait_for(self, condition):
        """Wait until an expression is true."""
        looking = f"""new Promise((done, failed) => {{
            const until = performance.now() + {PATIENCE * 900};
            const look = () => {{ let found = false; try {{ found = {condition}; }} catch (none) {{ }}
                if (found) done(found); else if (performance.now() > until) failed(new Error('not so: ' + document.body.innerText.slice(0, 2000)));
                else setTimeout(look, 30); }};
            look(); }})"""
        return self.run(looking)

    def shoot(self, *, full=True):
        """Return a picture of the page, or of what of it is to be seen, as PNG."""
        return base64.b64decode(self.ask("Page.captureScreenshot", format="png", captureBeyondViewport=full)["data"])

    def pixels(self, selector="body", scale=1):
        """Return the colours of an element's pixels, row by row, as lists of (red, green, blue)."""
        box = self.run(
            f"""(() => {{ const box = document.querySelector({json.dumps(selector)}).getBoundingClientRect();
            return {{ x: box.x + scrollX, y: box.y + scrollY, width: box.width, height: box.height }}; }})()"""
        )
        answer = self.ask(
            "Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=box | {"scale": scale}
        )
        return decode(base64.b64decode(answer["data"]))

    def complaints(self):
        """Return what the page has complained of so far: errors of scripts, and what its policy forbade."""
        kinds = ("Runtime.exceptionThrown", "Log.entryAdded")
        return [each["params"] for each in self.events if each.get("method") in kinds]
