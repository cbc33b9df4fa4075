"""By what a process knows that it is a worker."""

from __future__ import annotations

import pytest

from torsion.application.workers.membership import environment, membership


def test_what_a_master_writes_can_be_read():
    written = environment(7, {"PATH": "/bin", "TORSION_WORKER": "of another master"})
    assert written.keys() == {"PATH", "TORSION_WORKER"}
    assert membership(written["TORSION_WORKER"]) == (7, 3, 4)


@pytest.mark.parametrize("value", ["", "1", "1:2", "1:2:3:4", "a:3:4", "-1:3:4", "1:3:٤", "1::4", "1:3:99999999999"])
def test_nothing_else_can(value):
    with pytest.raises(ValueError, match=r"TORSION_WORKER is .* unset it"):
        membership(value)
