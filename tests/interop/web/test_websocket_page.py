"""The example of a page that talks over a WebSocket, in a browser."""

from __future__ import annotations

import subprocess
import sys

import pytest

from contract.faultkit import needs_posix
from house.tree import ROOT
from operating.browser import Browser, chromium

pytest.importorskip("wsproto")
pytestmark = [needs_posix, pytest.mark.skipif(chromium() is None, reason="there is no Chromium here")]

TEXT = "Gr\\u00fc\\u00dfe " + "x" * 20
SAID = "[...document.querySelectorAll('li')].map(each => each.className + ' ' + each.textContent)"
OTHER = """new Promise(done => {
    const socket = new WebSocket('ws://127.0.0.1:' + location.port + '/echo', 'echo');
    socket.onopen = () => done('open');
    socket.onclose = event => done(event.code);
})"""

TALK = """new Promise(done => {
    const heard = [], socket = new WebSocket('ws://127.0.0.1:' + location.port + '/echo', ['other', 'echo']);
    socket.binaryType = 'arraybuffer';
    socket.onopen = () => { socket.send('Gr\u00fc\u00dfe ' + 'x'.repeat(100000)); socket.send(new Uint8Array([0, 255, 7])); };
    socket.onmessage = event => {
        heard.push(typeof event.data === 'string' ? event.data.length : Array.from(new Uint8Array(event.data)).join('.'));
        if (heard.length === 2) socket.close(3001, 'enough');
    };
    socket.onclose = event => done([...heard, socket.protocol, event.code, event.wasClean]);
})"""


def send(browser: Browser, text: str) -> None:
    browser.run(f"input.value = '{text}', document.forms[0].requestSubmit()")


def test_a_page_talks() -> None:
    command = [sys.executable, str(ROOT / "examples" / "websocket_page.py"), "tcp:0:interface=127.0.0.1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as program:
        try:
            assert program.stdout is not None
            url = program.stdout.readline().split()[-1]
            with Browser() as browser:
                browser.device(390, 600, mobile=True)
                browser.go(url)
                browser.wait_for("state.textContent === 'connected, echo'")
                send(browser, TEXT)
                browser.wait_for("document.querySelectorAll('li').length === 2")
                browser.run("document.querySelector('#bytes').click()")
                browser.wait_for("document.querySelectorAll('li').length === 4")
                theirs, ours, second, first = browser.run(SAID)
                assert (first, second) == (
                    "ours " + TEXT.encode().decode("unicode-escape"),
                    first.replace("ours", "theirs"),
                )
                assert theirs == ours.replace("ours", "theirs")
                assert theirs.count(" ") == 9
                assert browser.run("socket.extensions").startswith("permessage-deflate")
                assert browser.run("document.documentElement.scrollWidth") <= 390, "nothing sticks out on a phone"
                assert browser.run(OTHER) == "open"
                assert browser.run(TALK) == [100006, "0.255.7", "echo", 3001, True]
                send(browser, "bye")
                browser.wait_for("state.textContent === 'closed: 1000 bye'")
                assert browser.complaints() == []
                browser.go(url.replace("127.0.0.1", "other.localhost"))  # another page, as the server sees it
                browser.wait_for("document.querySelector('h1')")
                assert browser.run(OTHER) == 1006, "another page may not open it"
        finally:
            program.kill()
