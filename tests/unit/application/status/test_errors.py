"""Unhandled errors are counted and kept, within bounds."""

from __future__ import annotations

import gc
import threading
import weakref

from torsion.application.status.errors import KEPT, OTHERS, TYPES, ErrorLog
from torsion.logger import Logger, LogLevel, LogPublisher
from torsion.python.failure import Failure


def logged():
    errors = ErrorLog()
    return errors, Logger("shop", observer=LogPublisher(errors))


def fail(log, problem, text="Order {number} cannot be filled", **fields):
    try:
        raise problem
    except BaseException:
        log.failure(text, **{"number": 17} | fields)


def test_an_error_is_kept_with_its_traceback():
    errors, log = logged()
    fail(log, LookupError("no such article"))
    figures = errors.figures()
    assert (figures["count"], figures["by_type"]) == (1, {"LookupError": 1})
    (error,) = figures["list"]
    assert error["type"] == "LookupError"
    assert error["message"] == "no such article"
    assert error["text"] == "Order 17 cannot be filled"
    assert "raise problem" in error["traceback"]
    assert error["at"] > 0


def test_levels_are_counted():
    errors, log = logged()
    log.info("a")
    log.info("b")
    log.emit(LogLevel.warn, "c")
    fail(log, ValueError())
    assert errors.levels() == {"debug": 0, "info": 2, "warn": 1, "error": 0, "critical": 1}


def test_only_what_nobody_handled_is_an_error():
    errors, log = logged()
    log.critical("no failure")
    log.info("handled", log_failure=Failure(ValueError("x")))
    assert errors.figures()["count"] == 0


def test_the_latest_are_kept():
    errors, log = logged()
    for number in range(KEPT + 5):
        fail(log, ValueError(number))
    figures = errors.figures()
    assert figures["count"] == KEPT + 5
    assert [each["message"] for each in figures["list"]] == [str(number) for number in range(KEPT + 4, 4, -1)]


def test_types_that_are_made_up_are_counted_together():
    errors, log = logged()
    for number in range(TYPES + 7):
        fail(log, type(f"Error{number}", (Exception,), {})())
    types = errors.figures()["by_type"]
    assert len(types) == TYPES + 1
    assert types[OTHERS] == 7


def test_nothing_of_the_program_is_kept_alive():
    class Large:
        pass

    errors, log = logged()

    def use():
        large = Large()
        try:
            raise ValueError
        except ValueError:
            log.failure("with {large}", large=large)
        return weakref.ref(large)

    seen = use()
    gc.collect()
    assert seen() is None
    assert errors.figures()["count"] == 1


def test_errors_that_do_not_want_to_be_shown():
    class Shy(Exception):
        def __str__(self):
            raise RuntimeError

        __repr__ = __str__

    errors, log = logged()
    fail(log, Shy())
    fail(log, ValueError("x"), text="{broken")
    fail(log, ValueError("x" * 100_000))
    figures = errors.figures()
    assert figures["count"] == 3
    assert all(len(each["traceback"]) <= 20_000 and len(each["message"]) <= 500 for each in figures["list"])


def test_from_several_threads():
    errors, log = logged()
    threads = [threading.Thread(target=lambda: [fail(log, ValueError(n)) for n in range(50)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors.figures()["by_type"] == {"ValueError": 200}
