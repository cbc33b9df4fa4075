"""URLs as values."""

from __future__ import annotations

import importlib
import sys

import pytest


def test_it_is_hyperlink_s():
    hyperlink = pytest.importorskip("hyperlink", reason="an extra")
    from torsion.python.url import URL

    assert URL is hyperlink.URL
    assert URL.fromText("http://x/y").child("z").asText() == "http://x/y/z"


def test_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "hyperlink", None)
    monkeypatch.delitem(sys.modules, "torsion.python.url", raising=False)
    with pytest.raises(ImportError, match=r"pip install torsion\[url\]"):
        importlib.import_module("torsion.python.url")
