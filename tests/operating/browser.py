"""A headless Chromium that is told what to do through a pipe: pages, devices, screenshots, and what scripts find there."""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import subprocess
import tempfile
import time
from contextlib import suppress

PATIENCE = 20
"""Seconds to wait for anything."""


def chromium():
    """Return the browser's path, or None if there is none."""
    return next(
        (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
    )


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
        """Return a picture of the page, as PNG."""
        return base64.b64decode(self.ask("Page.captureScreenshot", format="png", captureBeyondViewport=full)["data"])

    def complaints(self):
        """Return what the page has complained of so far: errors of scripts, and what its policy forbade."""
        kinds = ("Runtime.exceptionThrown", "Log.entryAdded")
        return [each["params"] for each in self.events if each.get("method") in kinds]
