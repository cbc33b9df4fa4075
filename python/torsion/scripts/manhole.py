"""``torsion manhole``: the terminal of a prompt into a running process."""

from __future__ import annotations

import os
import re
import sys
from typing import TYPE_CHECKING, Any, ClassVar

from torsion.python import usage

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from torsion.application.manhole.client import Client

__all__ = ["HISTORY_LINES", "Options", "run"]

HISTORY_LINES = 1000
"""How many lines are kept for the next session."""

DESCRIPTION = """\
Open a Python prompt into a process that was started with --manhole SOCKET. Deferreds are waited for and await may be used; Ctrl-C interrupts
what runs, Ctrl-D leaves. Where standard input is no terminal, commands are read from it. The exit status is 0 if all went well, 1 if a
command raised or the session was cut off, 2 if there is no such prompt, and 130 if Ctrl-C ended it."""

_INTERRUPTED = 130

_COLOURS = {"value": "\x1b[36m", "traceback": "\x1b[31m", "err": "\x1b[33m", "note": "\x1b[2m"}
_PLAIN = "\x1b[0m"

# What goes on with the statement before it, or says nothing, though it is not indented.
_GOES_ON = re.compile(r"(else|elif|except|finally)\b|#")


class Options(usage.Options):
    """Which process, and what to have it do."""

    synopsis = "[options] SOCKET"
    longdesc = DESCRIPTION
    optParameters: ClassVar[Sequence[Sequence[Any]]] = [
        ["command", "c", None, "Run this instead of what is typed."],
    ]
    optFlags: ClassVar[Sequence[Sequence[Any]]] = [
        ["no-history", None, "Neither read nor keep what was typed."],
    ]
    compData = usage.Completions(extraActions=[usage.CompleteFiles(descr="the socket")])

    def parseOptions(self, options: Sequence[str | bytes] | None = None) -> None:
        """Take the arguments, the options of which may also stand behind the socket."""
        words = [os.fsdecode(word) for word in (sys.argv[1:] if options is None else options)]
        if len(words) > 1 and not words[0].startswith("-"):
            words = [*words[1:], words[0]]
        super().parseOptions(words)

    def parseArgs(self, path: str) -> None:  # type: ignore[override]  # the parser sees to the number of arguments
        """Take the path.

        :raise torsion.python.usage.UsageError: if it is empty.
        """
        if not path:
            raise usage.UsageError("the path of the socket is empty")
        self["path"] = path


def run(options: Options) -> int:
    """Open the prompt; return the exit status."""
    from torsion.application.localpeer import LocalConnectError
    from torsion.application.manhole.client import Client, LeftError

    terminal = options["command"] is None and sys.stdin is not None and sys.stdin.isatty()
    shown = _Shown(terminal)
    try:
        client = Client(options["path"], shown)
    except (LocalConnectError, LeftError) as problem:
        _tell(f"torsion manhole: {problem}")
        return 2
    try:
        if options["command"] is not None:
            return _commands(client, [options["command"]], whole=True)
        if terminal:
            return _converse(client, shown, not options["no-history"])
        return _commands(client, sys.stdin)
    except LeftError as problem:
        _tell(f"torsion manhole: {problem}")
        return 1
    finally:
        client.close()


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - a command's own words


class _Shown:
    """Writes what comes from the prompt, in colours on a terminal; around the line that is being typed, if one is."""

    def __init__(self, terminal: bool) -> None:
        self.typing: str | None = None
        self._terminal = terminal
        self._coloured = terminal and sys.stdout.isatty() and "NO_COLOR" not in os.environ
        self._broken = False

    def __call__(self, kind: str, text: str) -> None:
        stream = sys.stdout if self._terminal or kind in ("out", "value") else sys.stderr
        encoding = stream.encoding or "utf-8"
        text = text.encode(encoding, "backslashreplace").decode(encoding)
        if self._coloured and kind in _COLOURS:
            text = f"{_COLOURS[kind]}{text}{_PLAIN}"
        if self.typing is not None:
            text = f"\r\x1b[K{text if text.endswith(chr(10)) else text + chr(10)}{self.typing}{_line_buffer()}"
        try:
            stream.write(text)
            stream.flush()
        except OSError:  # nobody reads it any more
            self._broken = True

    def coloured(self, code: str, text: str) -> str:
        """Return a prompt in a colour, with the signs by which readline knows what takes no room."""
        return f"\x01{code}\x02{text}\x01{_PLAIN}\x02" if self._coloured else text


def _line_buffer() -> str:
    readline = sys.modules.get("readline")
    return "" if readline is None else str(readline.get_line_buffer())


# --- without a terminal --------------------------------------------------------------------------------------------


def _commands(client: Client, lines: Iterable[str], whole: bool = False) -> int:
    """Run what the lines say; return the exit status.

    They are read as a file of Python is: a block ends where a line begins that is not indented and does not belong to it.
    """
    if whole:
        answers = [client.run(each, final=True) for each in lines]
        return _INTERRUPTED if client.interrupted else 0 if all(each["ok"] for each in answers) else 1
    ok = True
    block = ""
    for raw in lines:
        line = raw.rstrip("\n")
        begins = bool(line.strip()) and not line[0].isspace()
        answer = {}
        if block and begins and not _GOES_ON.match(line):
            answer = client.run(block + "\n")
            if answer["is"] == "done":
                block = ""
                ok &= answer["ok"]
        if not (answer.get("leave") or client.interrupted):
            block = f"{block}\n{line}" if block else line
            if begins:
                answer = client.run(block)
                if answer["is"] == "done":
                    block = ""
                    ok &= answer["ok"]
        if answer.get("leave") or client.interrupted:
            block = ""
            break
    if block.strip() and not client.interrupted:
        ok &= client.run(block, final=True)["ok"]
    return _INTERRUPTED if client.interrupted else 0 if ok else 1


# --- at a terminal -------------------------------------------------------------------------------------------------


def _converse(client: Client, shown: _Shown, history: bool) -> int:
    """Run what is typed, until the operator leaves."""
    kept = _History() if history else None
    _completing(client)
    shown("note", client.welcome)
    block = ""
    try:
        while True:
            try:
                line = _line(shown, "... " if block else ">>> ")
                block = f"{block}\n{line}" if block else line
                if not block.strip():
                    block = ""
                    continue
                answer = client.run(block)
            except EOFError:
                shown("note", "\n")
                return 0
            except KeyboardInterrupt:
                shown("note", "\nKeyboardInterrupt\n")
                block = ""
                continue
            if answer["is"] == "done":
                block = ""
                if answer["leave"]:
                    return 0
    finally:
        if kept is not None:
            kept.save()


def _line(shown: _Shown, prompt: str) -> str:
    try:
        shown.typing = prompt
        return input(shown.coloured("\x1b[1;32m", prompt))
    finally:
        shown.typing = None


def _completing(client: Client) -> None:
    """Have Tab ask the prompt for names, if there is a readline."""
    try:
        import readline
    except ImportError:  # Windows, where input() edits by itself
        return
    found: list[str] = []

    def complete(text: str, state: int) -> str | None:
        if state == 0:
            found.clear()
            if not text.strip():
                readline.insert_text("    ")
                readline.redisplay()
            else:
                found.extend(client.complete(text))
        return found[state] if state < len(found) else None

    readline.set_completer(complete)
    readline.set_completer_delims(" \t\n`~!@#$%^&*()-=+[{]}\\|;:'\",<>/?")
    readline.parse_and_bind("bind ^I rl_complete" if "libedit" in (readline.__doc__ or "") else "tab: complete")


class _History:
    """What was typed in earlier sessions: a file that only its owner may read."""

    def __init__(self) -> None:
        folder = os.environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state")  # noqa: PTH111 - a text
        self._path = os.path.join(folder, "torsion", "manhole_history")  # noqa: PTH118 - a text, as readline has it
        try:
            import readline

            readline.set_history_length(HISTORY_LINES)
            readline.read_history_file(self._path)
        except (ImportError, OSError):
            pass

    def save(self) -> None:
        """Keep what was typed; if that cannot be done, it is not."""
        try:
            import readline

            os.makedirs(os.path.dirname(self._path), mode=0o700, exist_ok=True)  # noqa: PTH103, PTH120 - as above
            os.close(os.open(self._path, os.O_WRONLY | os.O_CREAT, 0o600))
            readline.write_history_file(self._path)
        except (ImportError, OSError):
            pass
