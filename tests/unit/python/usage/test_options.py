"""Command lines that are taken apart, and those that cannot be."""

# ruff: noqa: RUF012 - options are declared as the documentation shows it

from __future__ import annotations

import os
import sys

import pytest

import torsion
from torsion.python import usage


class Base(usage.Options):
    optFlags = [["quiet", "q", "Say nothing."]]
    optParameters = [["port", "p", 80, "The port.", usage.portCoerce], ["host", None, "localhost"]]


class Server(Base):
    optFlags = [["daemon", "d"], ["once"]]
    optParameters = [["retries", "r", None, "How often.", int]]

    def __init__(self):
        super().__init__()
        self.logs: list[str] = []

    def opt_log_file(self, name):
        """Where to log."""
        self.logs.append(name)

    opt_l = opt_log_file

    def opt_verbose(self):
        """Say more."""
        self["verbosity"] = self.get("verbosity", 0) + 1


def parsed(*words, options=Server):
    made = options()
    made.parseOptions(words)
    return made


def refused(*words, options=Server):
    with pytest.raises(usage.UsageError) as caught:
        parsed(*words, options=options)
    return str(caught.value)


def test_defaults():
    assert dict(parsed()) == {"quiet": 0, "daemon": 0, "once": 0, "port": 80, "host": "localhost", "retries": None}


def test_every_spelling():
    made = parsed(
        "-qp", "8080", "--host=example.org", "--dae", "-r3", "--log-file", "a", "-lb", "--verbose", "--verbose"
    )
    assert made.opts is made
    assert (made["quiet"], made["port"], made["host"], made["daemon"], made["retries"]) == (
        1,
        8080,
        "example.org",
        1,
        3,
    )
    assert made.logs == ["a", "b"]
    assert made["verbosity"] == 2


def test_the_last_value_wins():
    assert parsed("-p1", "--port", "2")["port"] == 2


def test_options_are_told_apart_by_identity():
    assert len({Server(), Server()}) == 2


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--nope"], "option --nope not recognized"),
        (["-Z"], "option -Z not recognized"),
        (["--port"], "option --port requires argument"),
        (["--quiet=1"], "option --quiet must not have an argument"),
        (["-p", "many"], "option --port does not take 'many': invalid literal"),
        (["--port=70000"], "option --port does not take '70000': a port's number is from 0 to 65535"),
        (["--retries", "x"], "option --retries does not take 'x'"),
        (["stray"], "Wrong number of arguments. It takes none and was given 'stray'."),
    ],
)
def test_what_cannot_be_names_the_option(words, told):
    assert refused(*words).startswith(told)


def test_what_a_coercion_raises_else_is_a_bug_to_be_seen():
    def broken(text):
        raise LookupError(text)

    class Broken(usage.Options):
        optParameters = [["a", None, None, "", broken], ["b", None, None, "", "no function"]]

    with pytest.raises(LookupError):
        parsed("--a", "1", options=Broken)
    with pytest.raises(TypeError):
        parsed("--b", "1", options=Broken)


def test_a_parameter_without_a_text():
    with pytest.raises(usage.UsageError, match="option -p requires an argument"):
        usage.CoerceParameter(Server(), int).dispatch("p", None)


# --- arguments, and what comes after ---------------------------------------------------------------------------------


class Copy(usage.Options):
    optFlags = [["force", "f"]]

    def parseArgs(self, source, target="."):
        self["both"] = (source, target)

    def postOptions(self):
        if self["both"][0] == self["both"][1]:
            raise usage.UsageError("the same file")
        self["checked"] = True


def test_arguments():
    assert parsed("-f", "a", options=Copy)["both"] == ("a", ".")
    assert parsed("--", "-f", "b", options=Copy)["both"] == ("-f", "b")
    assert parsed("a", "b", options=Copy)["checked"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "none."),
        (["a", "b", "c"], "'a' 'b' 'c'."),
        (["a", "b", "-f"], "'a' 'b' '-f'. Options stand before the arguments."),
        (["--", "a", "-", "b"], "'a' '-' 'b'."),
        (["x"] * 11, f"{' '.join(10 * [repr('x')])} ...."),
    ],
)
def test_too_few_or_too_many_arguments(words, told):
    assert refused(*words, options=Copy) == f"Wrong number of arguments. It takes SOURCE [TARGET] and was given {told}"


def test_the_default_takes_no_arguments():
    with pytest.raises(usage.UsageError, match="It takes none and was given 'a' 'b'"):
        usage.Options().parseArgs("a", "b")


def test_as_many_as_one_likes():
    class Many(usage.Options):
        def parseArgs(self, first, *others):
            self["all"] = (first, *others)

    assert parsed("a", "b", options=Many)["all"] == ("a", "b")
    assert refused(options=Many) == "Wrong number of arguments. It takes FIRST [OTHERS ...] and was given none."


class Coloured(usage.Options):
    def opt_color(self, name):
        if name == "none":
            raise usage.UsageError("no colour")
        if name == "bug":
            raise LookupError(name)
        raise ValueError(f"{name} is no colour")

    opt_c = opt_color

    def opt_flag(self):
        raise ValueError("a bug: there is no text")


@pytest.mark.parametrize("word", ["--color=blau", "-cblau"])
def test_a_text_that_a_method_does_not_take_names_the_option(word):
    with pytest.raises(usage.UsageError) as caught:
        parsed(word, options=Coloured)
    assert str(caught.value) == "option --color does not take 'blau': blau is no colour"
    assert isinstance(caught.value, ValueError), "as with Twisted, where it goes through"


def test_what_a_method_raises_else_goes_through():
    assert refused("--color=none", options=Coloured) == "no colour"
    with pytest.raises(LookupError):
        parsed("--color=bug", options=Coloured)
    with pytest.raises(ValueError, match="a bug") as caught:
        parsed("--flag", options=Coloured)
    assert type(caught.value) is ValueError


def test_the_program_has_the_last_word():
    assert refused("a", "a", options=Copy) == "the same file"


def test_a_bug_in_parseArgs_is_not_blamed_on_who_types():
    class Buggy(usage.Options):
        def parseArgs(self, *names):
            raise TypeError("a bug")

    with pytest.raises(TypeError, match="a bug"):
        parsed("a", options=Buggy)


def test_the_program_s_own_command_line(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["copy", "x", "y"])
    made = Copy()
    made.parseOptions()
    assert made["both"] == ("x", "y")


# --- bytes that are no text ------------------------------------------------------------------------------------------


def test_names_of_files_need_not_be_text():
    name = b"\xff\xfe.txt"
    made = parsed(b"--host", name)
    assert os.fsencode(made["host"]) == name
    assert parsed(os.fsdecode(name), options=Copy)["both"][0] == made["host"]


@pytest.mark.skipif(sys.platform == "win32", reason="arguments are Unicode there")
@pytest.mark.parametrize("words", [[b"--\xff"], [b"-p", b"\xff"], [b"--retries=\xe9"]])
def test_an_error_about_undecodable_bytes_can_be_printed(words):
    refused(*words).encode("utf-8")


# --- sub-commands ----------------------------------------------------------------------------------------------------


class Tool(usage.Options):
    optFlags = [["loud", None]]
    subCommands = [["copy", "cp", Copy, "Copies."], ["serve", None, Server, "Serves."]]


@pytest.mark.parametrize("name", ["copy", "cp"])
def test_a_sub_command(name):
    made = parsed("--loud", name, "-f", "a", options=Tool)
    assert (made["loud"], made.subCommand, type(made.subOptions)) == (1, "copy", Copy)
    assert made.subOptions["force"] == 1
    assert made.subOptions.parent is made


def test_no_sub_command():
    made = parsed(options=Tool)
    assert made.subCommand is None
    assert not hasattr(made, "subOptions")


def test_the_default_sub_command():
    class Defaulting(Tool):
        defaultSubCommand = "serve"

    assert parsed(options=Defaulting).subOptions["port"] == 80


def test_an_unknown_sub_command_is_told_which_there_are():
    assert refused("mv", options=Tool) == "Unknown command: mv (there are: copy, serve)"


def test_errors_within_a_sub_command():
    assert refused("serve", "--port", "x", options=Tool).startswith("option --port does not take")


# --- a subclass has the last word ------------------------------------------------------------------------------------


def test_a_flag_that_becomes_a_parameter():
    class Changed(Base):
        optParameters = [["quiet", "q", "no", "How quiet."]]

    assert parsed("-q", "very", options=Changed)["quiet"] == "very"
    assert parsed("--quiet=very", options=Changed)["quiet"] == "very"


def test_a_method_that_replaces_a_declaration():
    class Changed(Base):
        def opt_quiet(self):
            self["quiet"] = "replaced"

    assert parsed("--quiet", options=Changed)["quiet"] == "replaced"
    assert parsed("-q", options=Changed)["quiet"] == "replaced"


def test_an_alias_leads_to_the_overriding_method():
    class Changed(Server):
        def opt_log_file(self, name):
            self.logs.append(name.upper())

    assert parsed("--log-file", "a", options=Changed).logs == ["A"]


# --- help and version ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "shown"), [("--help", "--port="), ("--version", f"torsion version: {torsion.__version__}")]
)
def test_to_show_and_leave(word, shown, capsys):
    with pytest.raises(SystemExit) as caught:
        parsed(word)
    assert caught.value.code == 0
    assert shown in capsys.readouterr().out


# --- the parts -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["0", "443", "65535"])
def test_ports(text):
    assert usage.portCoerce(text) == int(text)


@pytest.mark.parametrize("text", ["", "-1", "65536", "http", "1.5"])
def test_what_is_no_port(text):
    with pytest.raises(ValueError):
        usage.portCoerce(text)


def test_flags_and_parameters_are_told_apart_by_their_methods():
    class Methods:
        def none(self): ...
        def one(self, value): ...
        def optional(self, value=None): ...
        def two(self, a, b): ...

    methods = Methods()
    assert usage.flagFunction(methods.none) is True
    assert usage.flagFunction(methods.one) is False
    assert usage.flagFunction(methods.optional) is False
    with pytest.raises(usage.UsageError, match="Invalid Option function for two"):
        usage.flagFunction(methods.two)
    with pytest.raises(usage.UsageError, match="Invalid Option function for pair"):
        usage.flagFunction(methods.two, "pair")


def test_decorated_methods_are_looked_through():
    import functools

    def logged(function):
        @functools.wraps(function)
        def wrapper(*args, **kwargs):
            return function(*args, **kwargs)

        return wrapper

    class Decorated(usage.Options):
        @logged
        def opt_name(self, value):
            self["name"] = value

    assert parsed("--name", "x", options=Decorated)["name"] == "x"


def test_the_old_name_of_the_error():
    assert usage.error is usage.UsageError
