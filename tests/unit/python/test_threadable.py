"""The I/O thread, and methods for one thread at a time."""

from __future__ import annotations

import pickle
import threading
from collections.abc import Callable
from typing import ClassVar

import pytest

from torsion.python import threadable


def in_thread(function: Callable[[], object]) -> object:
    results: list[object] = []
    thread = threading.Thread(target=lambda: results.append(function()))
    thread.start()
    thread.join()
    return results[0]


def test_one_thread_is_the_io_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threadable, "ioThread", None)
    assert not threadable.isInIOThread()
    threadable.registerAsIOThread()
    assert threadable.isInIOThread()
    assert threadable.ioThread == threadable.getThreadID()
    assert in_thread(threadable.isInIOThread) is False


def test_threads_cannot_be_switched_off() -> None:
    threadable.init()
    assert threadable.threaded
    with pytest.raises(RuntimeError):
        threadable.init(False)


class Meeting:
    synchronized: ClassVar = ["enter", "both"]

    def __init__(self) -> None:
        self.inside = 0
        self.most = 0
        self.somebody = threading.Event()
        self.leave = threading.Event()

    def enter(self) -> int:
        """Come in, stay, go."""
        self.inside += 1
        self.most = max(self.most, self.inside)
        self.somebody.set()
        self.leave.wait(10)
        self.inside -= 1
        return self.most

    def both(self) -> int:
        return self.enter()

    def free(self) -> str:
        return "free"


threadable.synchronize(Meeting)


def test_one_thread_at_a_time() -> None:
    meeting = Meeting()
    threads = [threading.Thread(target=meeting.enter) for _ in range(4)]
    for thread in threads:
        thread.start()
    assert meeting.somebody.wait(10)
    assert meeting.free() == "free"
    assert meeting.inside == 1
    meeting.leave.set()
    for thread in threads:
        thread.join()
    assert meeting.most == 1


def test_objects_do_not_share_a_lock() -> None:
    first, second = Meeting(), Meeting()
    second.leave.set()
    thread = threading.Thread(target=first.enter)
    thread.start()
    assert first.somebody.wait(10)
    assert in_thread(second.enter) == 1
    first.leave.set()
    thread.join()


def test_one_synchronized_method_may_call_another() -> None:
    meeting = Meeting()
    meeting.leave.set()
    assert meeting.both() == 1


def test_inherited_methods_may_be_named() -> None:
    class Base:
        def method(self) -> str:
            return "base"

    class Derived(Base):
        synchronized: ClassVar = ["method"]

    threadable.synchronize(Derived)
    assert Derived().method() == "base"
    assert Derived.method is not Base.method


def test_synchronized_methods_keep_name_and_docstring() -> None:
    assert Meeting.enter.__name__ == "enter"
    assert Meeting.enter.__doc__ == "Come in, stay, go."


def test_classes_that_name_no_methods_are_left_alone() -> None:
    class Plain:
        def method(self) -> None:
            pass

    before = Plain.method
    threadable.synchronize(Plain)
    assert Plain.method is before


@pytest.mark.parametrize("kind", [threadable.XLock, threadable.DummyLock])
def test_locks_pickle_as_new_locks(kind: type) -> None:
    copy = pickle.loads(pickle.dumps(kind()))
    assert type(copy) is threadable.XLock
    with copy, copy:
        assert in_thread(lambda: copy.acquire(False)) is False
    assert in_thread(lambda: copy.acquire(False)) is True
