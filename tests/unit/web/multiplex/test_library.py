"""What h2 is told."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("h2")

from hyperframe.frame import Frame, SettingsFrame

from torsion.web.multiplex.library import make


def test_frames_are_not_written_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """h2 has each frame's ``repr`` for a log that is off: all its bytes, in hexadecimal digits.  Ours has nothing to write."""
    seen: list[str] = []
    written = Frame.__repr__

    def spy(frame: Any) -> str:
        seen.append(written(frame))
        return seen[-1]

    monkeypatch.setattr(Frame, "__repr__", spy)
    connection = make(True, {"MAX_HEADER_LIST_SIZE": 1000})
    connection.initiate_connection()
    [event] = connection.receive_data(SettingsFrame(0, {3: 12345}).serialize())
    assert event.changed_settings[3].new_value == 12345
    assert not any("12345" in each for each in seen)


def test_limits() -> None:
    connection = make(False, {"MAX_HEADER_LIST_SIZE": 1000, "MAX_CONCURRENT_STREAMS": 7})
    assert connection.local_settings.max_concurrent_streams == 7
    assert connection.decoder.max_header_list_size == 1000
