"""The help that is shown."""

# ruff: noqa: RUF012 - options are declared as the documentation shows it

from __future__ import annotations

import sys

import pytest

from torsion.python import usage


def one_of(text):
    return text


one_of.coerceDoc = "One of the known."


class Sub(usage.Options):
    synopsis = "[--fast] FILE"
    optFlags = [["fast", "f", "Be fast."]]
    longdesc = "Does one thing."


class Program(usage.Options):
    longdesc = "First paragraph,\nover two lines.\n\nSecond paragraph."
    optFlags = [["all", "a", "\n\n     Take\n     everything.   "]]
    optParameters = [["kind", "k", "plain", "Which kind", one_of], ["bare"]]
    subCommands = [["sub", None, Sub, "Do it."], ["longer-name", None, Sub, ""]]


@pytest.fixture(autouse=True)
def called(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["/usr/bin/prog"])
    monkeypatch.delenv("COLUMNS", raising=False)


def test_the_whole_of_it():
    assert str(Program()) == (
        "Usage: prog [options]\n"
        "Options:\n"
        "  -a, --all      Take everything.\n"
        "      --bare=\n"
        "      --help     Display this help and exit.\n"
        "  -k, --kind=    Which kind [default: plain] One of the known.\n"
        "      --version  Display torsion's version and exit.\n"
        "\n"
        "First paragraph, over two lines.\n"
        "\n"
        "Second paragraph.\n"
        "Commands:\n"
        "    sub            Do it.\n"
        "    longer-name\n"
        "\n"
    )


def test_of_a_sub_command():
    made = Program()
    made.parseOptions(["sub"])
    assert made.subOptions.getSynopsis() == "Usage: prog [options] sub [--fast] FILE"
    assert made.getUsage() == made.subOptions.getUsage()
    assert "Does one thing." in made.getUsage()


def test_a_synopsis_of_one_s_own():
    class Own(usage.Options):
        synopsis = "Usage: it --like-this"

    assert str(Own()).startswith("Usage: it --like-this\nOptions:")


@pytest.mark.parametrize("width", [40, 60])
def test_it_keeps_to_the_width(width, monkeypatch):
    class Wordy(usage.Options):
        longdesc = "word " * 50
        optFlags = [["flag", "f", "word " * 40]]
        subCommands = [["sub", None, Sub, "word " * 40]]

    assert max(map(len, Wordy().getUsage(width).splitlines())) <= width
    monkeypatch.setenv("COLUMNS", str(width))
    assert Wordy().getUsage() == Wordy().getUsage(width)


@pytest.mark.parametrize("columns", ["", "many", "-3", "0"])
def test_a_width_that_makes_no_sense(columns, monkeypatch):
    expected = Program().getUsage(80)
    monkeypatch.setenv("COLUMNS", columns)
    assert Program().getUsage() == expected


def test_the_narrowest_terminal_shows_something():
    assert "everything" in Program().getUsage(1)


def test_the_main_module_s_docstring(monkeypatch):
    monkeypatch.setattr(sys.modules["__main__"], "__doc__", "What the script does.")
    assert "What the script does." in str(usage.Options())


def test_chunks():
    assert usage.docMakeChunks([]) == []
    assert usage.docMakeChunks(
        [
            {"long": "long", "short": "l", "doc": "With both", "optType": "parameter", "default": 1},
            {"short": "s", "doc": "A letter only", "optType": "flag", "default": 1},
            {"long": "undocumented"},
        ]
    ) == [
        "  -l, --long=         With both [default: 1]\n",
        "  -s                  A letter only\n",
        "      --undocumented\n",
    ]
