"""What ``torsion web`` says of options that cannot be used; the real command is in tests/operating/test_web_options.py."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from torsion.python.usage import UsageError
from torsion.web.tap import Options, makeService
from torsion.web.tap.named import size


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "shop.py").write_text("number = 5\n\n\ndef wsgi(environ, start_response): ...\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(__import__("sys").modules, "shop", raising=False)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("--listen nowhere:1", "--listen nowhere:1: endpoint description 'nowhere:1' has an unknown type 'nowhere'"),
        ("--listen tls:/no/folder:443", "/no/folder: cannot be read: No such file or directory"),
        ("--port nowhere", "--port nowhere: "),
        ("--https nowhere", "--https 'nowhere' is not the number of a port"),
        ("--https 0 --certificate /no.pem", "--certificate '/no.pem' cannot be read: No such file or directory"),
        ("--add-header nonsense", "--add-header 'nonsense' is not NAME: VALUE"),
        ("--add-header X:a\r\nY:b", r"--add-header 'X:a\r\nY:b' is not NAME: VALUE"),
        ("--proxy ftp://host", "--proxy 'ftp://host' is not http://HOST[:PORT][/PATH]"),
        ("--proxy https://host", "--proxy 'https://host': other servers are asked over http only"),
        ("--proxy http://host:99999", "--proxy 'http://host:99999' is not http://HOST"),
        ("--proxy http://[::1", "--proxy 'http://[::1' is not http://HOST"),
        ("--wsgi no.such.thing", "No such WSGI application: 'no.such.thing'"),
        ("--asgi shop", "--asgi 'shop' is a module; say shop:NAME for the application in it"),
        ("--asgi shop:none", "No such ASGI application: 'shop:none'"),
        ("--class shop.none", "No such class: 'shop.none'"),
        ("--class shop.number", "--class 'shop.number' is no class, but 5"),
        ("--class collections.OrderedDict", "--class 'collections.OrderedDict' makes no resource"),
        ("--resource-script /no.rpy", "there is no file '/no.rpy' for --resource-script"),
        ("--processor tea", "--processor 'tea' is not EXTENSION=CLASS"),
        ("--processor tea=shop.none", "No such processor: 'shop.none'"),
        ("--mime-type text", "--mime-type 'text' is not TYPE/SUBTYPE, such as text/plain"),
        ("--index a/b", "--index 'a/b' is not the name of a file"),
        ("--log-format xml", "--log-format is one of combined, json, proxied, or the full name of a function, not 'xml'"),
        ("--log-format shop.number", "--log-format 'shop.number' is no function, but 5"),
        ("--drain soon", "option --drain does not take 'soon'"),
        ("--logfile x --no-access-log", "--logfile and --no-access-log contradict each other"),
        ("--wsgi shop.wsgi --path site", "--wsgi and --path do not go together"),
        ("--wsgi shop.wsgi --index x --hidden", "--index, --hidden: for folders only; say --path"),
        ("http://host", "it takes options only, not 'http://host': did you mean --proxy http://host?"),
        ("--personal", "--personal needs Perspective Broker, which this version lacks"),
        ("--user", "--user needs Perspective Broker, which this version lacks"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_told(arguments: str, said: str) -> None:
    options = Options()
    with pytest.raises(UsageError, match=re.escape(said)):
        options.parseOptions(arguments.split(" "))
        makeService(options)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", 0),
        ("65536", 65536),
        ("500K", 512_000),
        ("64m", 64 << 20),
        ("2GiB", 2 << 30),
        ("1TB", 1 << 40),
        ("none", None),
    ],
)
def test_sizes(text: str, number: int | None) -> None:
    assert size(text) == number


@pytest.mark.parametrize("text", ["", "-1", "1.5M", "K", "1P", "\u0661", "1 000", "9" * 16])
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(ValueError, match="64M"):
        size(text)
