"""The page of a folder in a browser: how it looks on devices, in light and dark, what it says to those who do not see it."""

from __future__ import annotations

import os
import urllib.request

import pytest

from operating.browser import Browser, chromium, luminance
from operating.command import Command
from operating.test_status_page import contrast

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

SIZES = {
    "README": 30,
    "very-" + "long-" * 40 + "name.tar.gz": 50,
    "x" * 200: 1_048_576,
    "Grüße 日本語 🎉.txt": 10,
    "مرحبا بالعالم.pdf": 2048,
    "report\u202egpj.exe": 1,
    "line\nfeed\x07.txt": 2,
    "<img src=x onerror=document.title='taken'>": 3,
    "100% #1 ? & \"quotes\" 'single'.txt": 4,
}


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    for name, size in SIZES.items():
        (folder / name).write_bytes(b"x" * size)
    os.utime(folder / "README", (1_000_000_000, 1_000_000_000))
    os.utime(folder / ("x" * 200), (1e13, 1e13))  # as a broken archive may leave it: a year with six digits
    (folder / "empty").mkdir()
    (folder / "a folder" / "below it").mkdir(parents=True)
    (folder / "many").mkdir()
    for number in range(1000):
        (folder / "many" / f"{number:04}").write_bytes(b"x" * number)
    with Command("web", "--listen", "tcp:0:interface=127.0.0.1", cwd=folder) as server:
        yield f"http://127.0.0.1:{server.port()}"


@pytest.fixture(scope="module")
def browser():
    with Browser() as browser:
        yield browser


def show(browser, url):
    browser.events.clear()
    browser.go(url)
    browser.wait_for(f"location.href === {url!r} && document.readyState === 'complete'")


def follow(browser, link):
    """Go where a link leads."""
    show(browser, browser.run(f"{link}.href"))


def names(browser):
    return browser.run("[...document.querySelectorAll('tbody tr td:first-child')].map(each => each.innerText)")


@pytest.mark.parametrize("device", DEVICES)
def test_how_it_looks(browser, site, device):
    width, height, dark, mobile = DEVICES[device]
    browser.device(width, height, dark=dark, mobile=mobile)
    for path in ("/", "/empty/", "/nothing"):
        show(browser, site + path)
        assert browser.run("innerWidth") == width
        assert browser.run("document.documentElement.scrollWidth") <= width
        out = browser.run(
            "[...document.querySelectorAll('body *')].filter(each => each.getClientRects().length && "
            "(each.getBoundingClientRect().right > innerWidth + 1 || each.getBoundingClientRect().left < 0)).map(each => each.outerHTML)"
        )
        assert out == []
        shown = browser.pixels("html" if path == "/nothing" else "body", 0.25)
        lights = sorted(luminance(colour) for row in shown for colour in row)
        ground = lights[len(lights) // 2]  # most of it is background
        assert ground < 0.03 if dark else ground > 0.85
        # The text stands out from it: WCAG 2.2, 1.4.3 wants 4.5 to 1.
        places = {
            "/": ("h1 a", "h1 span", "th a", "td a", "td time", "td data", "footer"),
            "/empty/": ("h1 a", ".empty"),
            "/nothing": ("h1", "h1 small", "p"),
        }[path]
        for place in places:
            assert contrast(browser, place) >= 4.5, (path, place)
    if mobile:  # names have the whole width, and what is said of them is below
        show(browser, site + "/")
        assert browser.run(
            "[...document.querySelectorAll('tbody tr')].every(row => row.cells[0].getBoundingClientRect().width > innerWidth * 0.8)"
        )


def test_what_it_shows(browser, site):
    browser.device(1280, 900)
    show(browser, site + "/")
    shown = names(browser)
    assert shown[:3] == ["a folder/", "empty/", "many/"]
    assert "README" in shown
    assert "report\ufffdgpj.exe" in shown, "nothing runs from right to left that should not"
    assert "line\ufffdfeed\ufffd.txt" in shown
    assert "<img src=x onerror=document.title='taken'>" in shown
    assert browser.run("document.title") == "/"
    assert browser.run("document.querySelectorAll('main img, main script').length") == 0
    assert browser.run("document.querySelector('footer').innerText") == "3 folders, 9 files, 1.0 MiB"
    assert browser.run("[...document.querySelectorAll('time')].some(each => each.innerText === '2001-09-09 01:46')")
    assert not [each for each in browser.complaints() if "favicon" not in str(each)]
    # Nothing comes from elsewhere, and nothing else than the page itself is loaded.
    assert (
        browser.run("performance.getEntriesByType('resource').filter(each => !each.name.includes('favicon')).length")
        == 0
    )


def test_every_name_leads_to_its_file(browser, site):
    show(browser, site + "/")
    links = browser.run("[...document.querySelectorAll('tr.file a')].map(each => each.getAttribute('href'))")
    read = sorted(len(urllib.request.urlopen(f"{site}/{href}", timeout=20).read()) for href in links)
    assert read == sorted(SIZES.values())


def test_it_is_sorted_by_its_headings(browser, site):
    show(browser, site + "/many/")
    assert len(names(browser)) == 1001
    assert browser.run("document.querySelector('th[aria-sort]').innerText.trim()") == "Name"
    for expected in (["0000", "0001"], ["0999", "0998"]):
        follow(browser, "[...document.querySelectorAll('th a')].find(each => each.innerText === 'Size')")
        assert names(browser)[:3] == ["..", *expected]
    assert browser.run("document.querySelector('th[aria-sort=descending]').innerText.trim()") == "Size"


def test_keys_are_enough_and_what_it_is_is_said(browser, site):
    """All links are reached by Tab, in their order; a screen reader is told of a table with headings, by which it is sorted."""
    show(browser, site + "/a%20folder/")
    assert browser.run("document.documentElement.lang") == "en"
    for expected in ("top", "a folder", "Name", "Size", "Changed", "..", "below it/"):
        for kind in ("keyDown", "keyUp"):
            browser.ask("Input.dispatchKeyEvent", type=kind, key="Tab", code="Tab", windowsVirtualKeyCode=9)
        assert browser.run("document.activeElement.innerText") == expected
        assert browser.run("getComputedStyle(document.activeElement).outlineStyle") != "none"
    for width in (1280, 390):
        browser.device(width, 800, mobile=width < 500)
        tree = browser.ask("Accessibility.getFullAXTree")["nodes"]
        roles = [node["role"]["value"] for node in tree if not node.get("ignored")]
        assert roles.count("columnheader") == 3
        assert roles.count("row") == 3
        assert roles.count("table") == 1
        labels = [node["name"]["value"] for node in tree if not node.get("ignored") and node["role"]["value"] == "link"]
        assert "The folder above" in labels


def test_an_empty_folder_says_so(browser, site):
    show(browser, site + "/empty/")
    assert browser.run("document.querySelector('.empty').innerText") == "There is nothing in this folder."
    follow(browser, "document.querySelector('h1 a')")
    assert browser.run("location.href") == f"{site}/"
