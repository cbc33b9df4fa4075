"""The log as people read it, on a terminal: in colours, by rich where that is installed.

A terminal that can do nothing (``TERM=dumb``) gets plain text, and so does whoever wants it: the environment variable ``NO_COLOR``
(https://no-color.org), whatever it says, unless it is empty.
"""

from __future__ import annotations

import os
import re
from typing import IO, TYPE_CHECKING, Any

from torsion.logger import LogLevel, eventAsText, formatEvent, formatEventAsClassicLogText, formatTime

if TYPE_CHECKING:
    from collections.abc import Callable

    from torsion.logger import LogEvent

__all__ = ["coloured", "plainLogObserver", "plainly", "terminalLogObserver"]

_TIME = "%H:%M:%S"  # of today: whoever looks at a terminal knows the date

# By level: of rich, then of ANSI's sequences (ECMA-48, 8.3.117).
_STYLES = {
    LogLevel.debug: ("dim", "2"),
    LogLevel.info: ("green", "32"),
    LogLevel.warn: ("yellow", "33"),
    LogLevel.error: ("bold red", "1;31"),
    LogLevel.critical: ("bold white on red", "1;37;41"),
}
_NONE = ("none", "0")


def coloured(stream: Any) -> bool:
    """Tell whether *stream* is a terminal that shows colours, and is wanted to."""
    isatty = getattr(stream, "isatty", None)
    if isatty is None or not isatty():
        return False
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM", "") not in ("", "dumb")


def terminalLogObserver(stream: IO[str]) -> Callable[[LogEvent], object]:
    """Return an observer that writes to *stream*, a terminal, in colours."""
    try:
        from rich.console import Console
    except ImportError:
        return lambda event: _write(stream, _ansi(event))
    # Rich is told what is known already; as wide as it likes, since it is the terminal that breaks lines.
    console = Console(file=stream, force_terminal=True, highlight=False, soft_wrap=True, markup=False, emoji=False)
    return lambda event: _richly(console, event)


def plainLogObserver(stream: IO[str]) -> Callable[[LogEvent], object]:
    """Return an observer that writes to *stream*, a terminal, as it would to a file, but for what would control the terminal."""
    return lambda event: _write(stream, plainly(formatEventAsClassicLogText(event) or ""))


def _write(stream: IO[str], text: str) -> None:
    if text:
        stream.write(text)
        stream.flush()


def _parts(event: LogEvent) -> tuple[str, str, str, str]:
    """Return the time, the level, the namespace and the text of *event*."""
    level = event.get("log_level")
    name = "-" if level is None else level.name
    return formatTime(event.get("log_time"), _TIME), name, str(event.get("log_namespace", "-")), formatEvent(event)


def plainly(text: str) -> str:
    """Return *text* without what would control the terminal: whoever can make an event must not be able to."""
    return _CONTROLS.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


# All of C0 but tab and newline, DEL, and C1 (ECMA-48, 5.2 to 5.4).
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def _trace(event: LogEvent) -> str:
    """Return the traceback that *event* carries, or an empty text."""
    failure = event.get("log_failure")
    if failure is None:
        return ""
    whole = eventAsText(event, includeTimestamp=False, includeSystem=False)
    return whole[len(formatEvent(event)) :].strip("\n")


def _ansi(event: LogEvent) -> str:
    time, level, namespace, text = _parts(event)
    trace = _trace(event)
    if not text and not trace:
        return ""
    _, sequence = _STYLES.get(event.get("log_level"), _NONE)  # type: ignore[arg-type]  # an event need not have a level
    text = plainly(text).replace("\n", "\n    ")
    line = f"\x1b[2m{time}\x1b[0m \x1b[{sequence}m{level:<8}\x1b[0m \x1b[36m{plainly(namespace)}\x1b[0m {text}\n"
    return line + (f"\x1b[31m{plainly(trace)}\x1b[0m\n" if trace else "")


def _richly(console: Any, event: LogEvent) -> None:
    from rich.highlighter import ReprHighlighter
    from rich.text import Text

    time, level, namespace, text = _parts(event)
    trace = _trace(event)
    if not text and not trace:
        return
    style, _ = _STYLES.get(event.get("log_level"), _NONE)  # type: ignore[arg-type]  # as above
    message = Text(plainly(text).replace("\n", "\n    "))
    ReprHighlighter().highlight(message)
    line = Text.assemble((time, "dim"), " ", (f"{level:<8}", style), " ", (plainly(namespace), "cyan"), " ", message)
    console.print(line)
    if trace:
        console.print(Text(plainly(trace), style="red"))
