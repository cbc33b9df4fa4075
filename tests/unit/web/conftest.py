"""What tests of the web have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from torsion.logger import capturedLogs


@pytest.fixture
def flush_errors() -> Iterator[Callable[[type[BaseException]], list[Any]]]:
    """A function that returns the failures of a class that were logged so far; what else was logged fails the test."""
    with capturedLogs() as events:
        taken: list[Any] = []

        def flush(kind: type[BaseException]) -> list[Any]:
            failures = [event["log_failure"] for event in events if "log_failure" in event]
            found = [failure for failure in failures if failure.check(kind) and failure not in taken]
            assert found, f"no {kind.__name__} was logged, but {failures}"
            taken.extend(found)
            return found

        yield flush
        left = [event["log_failure"] for event in events if "log_failure" in event]
        assert [failure for failure in left if failure not in taken] == []
