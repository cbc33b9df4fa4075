"""The page of status in a browser: what it shows, how it looks, and that nothing on it is more than text."""

from __future__ import annotations

import pathlib
import signal

import pytest

from operating.browser import Browser, chromium, luminance
from operating.command import Command
from operating.pages import figures

APP = pathlib.Path(__file__).with_name("status_app.py")
STATUS = r"Status at (\S+)"

pytestmark = [
    pytest.mark.skipif(chromium() is None, reason="needs Chromium"),
    pytest.mark.timeout(120),
]

DEVICES = {
    "desktop, light": (1280, 900, False, False),
    "desktop, dark": (1280, 900, True, False),
    "phone, light": (390, 844, False, True),
    "phone, dark": (390, 844, True, True),
    "small phone": (320, 568, False, True),
}


@pytest.fixture(scope="module")
def browser():
    with Browser() as browser:
        yield browser


@pytest.fixture(scope="module")
def shop():
    """A program with something to show; ``url`` is where."""
    with Command("--status", "tcp:0", "-y", APP) as command:
        command.url = command.wait_for(STATUS)[1]
        numbers = [int(each["address"].rpartition(":")[2]) for each in figures(command.url)["listeners"]]
        held = [command.connect(number) for number in numbers for _ in range(6)]
        for number, connection in enumerate(held):
            connection.sendall(b"x" * (number + 1))
            connection.recv(1)
        held[0].sendall(b"fail")
        held[1].sendall(b"slow")
        held[1].recv(4)
        yield command
        for connection in held:
            connection.close()


@pytest.fixture
def page(browser, shop):
    """The page, open, with figures on it."""
    browser.device(*DEVICES["desktop, light"][:2])
    browser.go(shop.url)
    browser.wait_for(
        "document.querySelectorAll('#connections tbody tr').length >= 12 && document.querySelector('#lag .curve')"
    )
    return browser


def texts(browser, selector):
    return browser.run(f"[...document.querySelectorAll({selector!r})].map(each => each.innerText)")


def test_what_it_shows(page, shop):
    assert page.run("document.title").startswith("ready · 12 · torsion -y status_app.py")
    assert page.run("document.querySelector('#state').innerText") == "ready"
    cards = dict(each.split("\n")[:2] for each in texts(page, ".card"))
    assert cards["Connections"] == "12"
    assert cards["Unhandled errors"] == "1"
    assert cards["Memory"].endswith("MiB")
    assert f"pid {shop.pid}" in page.run("document.querySelector('#about').innerText")
    assert any("LoopingCall(__application__.Shop.inventory)" in each for each in texts(page, "#timers td"))
    assert "LookupError" in texts(page, "#errors .what")
    assert page.complaints() == []


def test_names_are_nothing_but_text(page):
    """Neither a class named like a script nor a message like a picture becomes one."""
    assert any("<\\script>" in each for each in texts(page, "#connections td"))
    assert any("<img src=x onerror=alert(1)>" in each for each in texts(page, "#errors .how"))
    assert page.run("document.querySelectorAll('main img, main script, main iframe, main object').length") == 0
    assert "taken" not in page.run("document.title")


@pytest.mark.parametrize("device", DEVICES)
def test_how_it_looks(browser, shop, device):
    width, height, dark, mobile = DEVICES[device]
    browser.device(width, height, dark=dark, mobile=mobile)
    browser.go(shop.url)
    browser.wait_for(
        "document.querySelectorAll('#connections tbody tr').length >= 12 && document.querySelector('#lag .curve')"
    )
    assert browser.run("document.documentElement.scrollWidth") <= width
    assert browser.run("document.body.scrollHeight") > height
    # What can be seen is within the page's width.
    out = browser.run(
        "[...document.querySelectorAll('header *, .card *, h2, td, th, figcaption')].filter(each => "
        "each.getClientRects().length && !each.closest('.scroll') && each.getBoundingClientRect().right > innerWidth + 1).map(each => each.outerHTML)"
    )
    assert out == []
    shown = browser.pixels("body", 0.25)
    lights = sorted(luminance(colour) for row in shown for colour in row)
    ground = lights[len(lights) // 2]  # most of it is background
    assert ground < 0.03 if dark else ground > 0.85
    # The text stands out from it: WCAG 2.2, 1.4.3 wants 4.5 to 1.
    for place in ("h1", ".about", ".card dt", ".card .more", "#state", "h2", "th", "td"):
        assert contrast(browser, place) >= 4.5, place
    browser.run("document.querySelector('#pause').click()")  # so that it stays as it is made now
    for mood in ("warn", "bad"):
        browser.run(f"document.querySelector('#state').className = 'pill {mood}'")
        browser.run(f"document.querySelector('.card').className = 'card {mood}'")
        assert contrast(browser, "#state") >= 4.5, mood
        assert contrast(browser, ".card .value") >= 4.5, mood


def contrast(browser, place):
    """Return the contrast between a text and what it stands on."""
    return browser.run(
        f"""(() => {{
        const parse = text => text.match(/[\\d.]+/g).map(Number);
        const over = (top, below) => {{ const a = top.length > 3 ? top[3] : 1; return [0, 1, 2].map(i => top[i] * a + below[i] * (1 - a)); }};
        const light = c => {{ const [r, g, b] = c.map(x => (x /= 255) <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4); return 0.2126 * r + 0.7152 * g + 0.0722 * b; }};
        const element = document.querySelector({place!r});
        const layers = [];
        for (let each = element; each; each = each.parentElement) layers.unshift(parse(getComputedStyle(each).backgroundColor));
        const ground = layers.reduce((below, top) => over(top, below), [255, 255, 255]);
        const text = over(parse(getComputedStyle(element).color), ground);
        const [a, b] = [light(text), light(ground)];
        return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05); }})()"""
    )


def test_the_lag_is_plotted(page):
    page.wait_for("document.querySelector('#lag .curve').getAttribute('d').split('L').length > 3")
    box = page.run(
        "(() => { const box = document.querySelector('#lag .curve').getBBox(); return [box.width, box.height]; })()"
    )
    assert box[0] > 2
    assert box[1] > 20  # the slow call of a moment ago stands out
    red, green, blue = 0x4F, 0x5B, 0xD5  # the curve's colour
    found = [
        colour
        for row in page.pixels("#lag")
        for colour in row
        if abs(colour[0] - red) + abs(colour[1] - green) + abs(colour[2] - blue) < 60
    ]
    assert len(found) > 30
    assert page.run("document.querySelector('#lag').getAttribute('aria-label')").startswith("Event-loop lag: ")


def test_it_lives(page, shop):
    before = page.run("document.querySelector('#lag .curve').getAttribute('d')")
    page.wait_for(f"document.querySelector('#lag .curve').getAttribute('d') !== {before!r}")
    with shop.connect(int(figures(shop.url)["listeners"][0]["address"].rpartition(":")[2])):
        page.wait_for("document.querySelector('.card .value').innerText === '13'")
    page.wait_for("document.querySelector('.card .value').innerText === '12'")


def test_tables_are_sorted(page):
    head = "[...document.querySelectorAll('#connections th')].find(each => each.innerText.trim() === 'Read')"
    column = "[...document.querySelectorAll('#connections tbody tr')].map(row => row.cells[6].innerText)"
    page.run(f"{head}.querySelector('button').click()")
    assert page.run(f"{head}.getAttribute('aria-sort')") == "descending"
    largest = [int(each.split("\u202f")[0]) for each in page.run(column)]
    assert largest == sorted(largest, reverse=True)
    page.run(f"{head}.querySelector('button').click()")
    smallest = [int(each.split("\u202f")[0]) for each in page.run(column)]
    assert smallest == sorted(largest)
    page.run(f"{head}.querySelector('button').click()")
    assert page.run(f"{head}.getAttribute('aria-sort')") is None


def test_an_error_stays_open(page):
    page.run("document.querySelector('#errors details').open = true")
    before = page.run("document.querySelector('#about').innerText")
    page.wait_for(f"document.querySelector('#about').innerText !== {before!r}")
    assert page.run("document.querySelector('#errors details').open")
    assert "in dataReceived" in texts(page, "#errors .trace")[0]


BUTTON = "document.querySelector('#pause').click()"
HIDE = "Object.defineProperty(document, 'hidden', {value: %s, configurable: true}); document.dispatchEvent(new Event('visibilitychange'))"


@pytest.mark.parametrize(
    ("pause", "go_on"), [(BUTTON, BUTTON), (HIDE % "true", HIDE % "false")], ids=["button", "hidden"]
)
def test_it_pauses(page, shop, pause, go_on):
    page.run(pause)
    if pause == BUTTON:
        assert page.run("document.querySelector('#pause').getAttribute('aria-pressed')") == "true"
    page.run(
        "window.asked = 0; const real = fetch; window.fetch = (...all) => { window.asked++; return real(...all); }"
    )
    before = page.run("document.querySelector('#about').innerText")
    with shop.connect(int(figures(shop.url)["listeners"][0]["address"].rpartition(":")[2])):
        page.run("new Promise(done => setTimeout(done, 1300))")  # what is looked for is that nothing happens
        assert page.run("window.asked") == 0
        assert page.run("document.querySelector('#about').innerText") == before
        page.run(go_on)
        page.wait_for("document.querySelector('.card .value').innerText === '13'")


def test_keys_are_enough(page):
    """All that can be done with a pointer can be done with keys: what is to be reached is a button, a summary or a link."""
    assert page.run(
        "[...document.querySelectorAll('th button, #pause, summary, a')].every(each => each.tabIndex === 0)"
    )
    assert page.run("document.querySelectorAll('[onclick]').length") == 0


def test_a_process_that_goes_and_comes_back(browser):
    with Command("--status", "tcp:0", "echo", "--listen", "tcp:0:interface=127.0.0.1") as command:
        url = command.wait_for(STATUS)[1]
        browser.device(900, 700)
        browser.go(url)
        browser.wait_for("document.querySelector('#state').innerText === 'ready'")
        assert command.end(signal.SIGTERM) == 0
        browser.wait_for(
            "!document.querySelector('#banner').hidden && document.querySelector('#banner').innerText.includes('does not answer')"
        )
        assert browser.run("document.querySelector('#state').innerText") == "no answer"
    number = url.rstrip("/").rpartition(":")[2]
    with Command("--status", f"tcp:{number}", "echo", "--listen", "tcp:0:interface=127.0.0.1") as again:
        again.wait_for(STATUS)
        browser.wait_for(
            "document.querySelector('#banner').hidden && document.querySelector('#state').innerText === 'ready'"
        )
        assert f"pid {again.pid}" in browser.run("document.querySelector('#about').innerText")
