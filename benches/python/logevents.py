"""Log events: `logevents.py IMPLEMENTATION` prints one JSON object, CPU nanoseconds for each event.

IMPLEMENTATION: torsion, twisted.

nobody       log.info with two fields, and no observer
filtered     the same, and the one observer filters: it takes warnings
text-only    log.info without fields, and no observer
of-a-class   log.info with two fields through a class's attribute, and no observer
heard        log.info with two fields, and an observer that does nothing
json         log.info with two fields, and an observer that makes JSON of it
line         log.info with two fields, and an observer that makes a line of a log file of it

`compare.py log` runs it for both, in turns, and compares them.
"""

from __future__ import annotations

import gc
import json
import sys
import time
from collections.abc import Callable
from importlib import import_module
from typing import Any

ROUNDS = 3
TIMES = int(20_000 * (float(sys.argv[2]) if len(sys.argv) > 2 else 1.0))


def info_to(logger: Any, *observers: Any) -> Callable[[], None]:
    """Return a function that logs an event with two fields to *observers*."""
    log = logger.Logger("bench.events", observer=logger.LogPublisher(*observers))

    def info() -> None:
        log.info("{user} left after {seconds} s", user="ana", seconds=3)

    return info


def operations(logger: Any) -> dict[str, Callable[[], None]]:
    """Return what is measured, by name."""
    silent = logger.Logger("bench.events", observer=logger.LogPublisher())

    class Session:
        log = logger.Logger("bench.events", observer=logger.LogPublisher())

    session = Session()

    def text_only() -> None:
        silent.info("somebody left")

    def of_a_class() -> None:
        session.log.info("{user} left after {seconds} s", user="ana", seconds=3)

    warnings = logger.LogLevelFilterPredicate(logger.LogLevel.warn)
    return {
        "nobody": info_to(logger),
        "filtered": info_to(logger, logger.FilteringLogObserver(lambda _: None, [warnings])),
        "text-only": text_only,
        "of-a-class": of_a_class,
        "heard": info_to(logger, lambda _: None),
        "json": info_to(logger, logger.eventAsJSON),
        "line": info_to(logger, logger.formatEventAsClassicLogText),
    }


def measure(operation: Callable[[], None], times: int) -> float:
    """Return the CPU nanoseconds that *operation* takes."""
    gc.collect()
    begun = time.process_time_ns()
    for _ in range(times):
        operation()
    return (time.process_time_ns() - begun) / times


def main() -> None:
    figures = {}
    for name, operation in operations(import_module(f"{sys.argv[1]}.logger")).items():
        measure(operation, TIMES // 10)
        figures[name] = sorted(measure(operation, TIMES) for _ in range(ROUNDS))[ROUNDS // 2]
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
