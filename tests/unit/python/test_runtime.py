"""What the process runs on."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from torsion.python import runtime
from torsion.python.runtime import Platform


def test_this_platform() -> None:
    assert runtime.platformType == runtime.platform.getType() == runtime.knownPlatforms[os.name]
    assert runtime.platform.isKnown()
    assert runtime.platform.isWindows() == (os.name == "nt")
    assert runtime.platform.isLinux() == sys.platform.startswith("linux")
    assert runtime.platform.supportsThreads()
    assert runtime.shortPythonVersion() == ".".join(map(str, sys.version_info[:3]))
    assert abs(runtime.seconds() - time.time()) < 60
    assert abs(runtime.platform.seconds() - time.time()) < 60


@pytest.mark.parametrize(
    ("name", "system", "kind", "windows", "mac", "linux"),
    [
        ("posix", "linux", "posix", False, False, True),
        ("posix", "darwin", "posix", False, True, False),
        ("nt", "win32", "win32", True, False, False),
        ("riscos", "riscos", None, False, False, False),
    ],
)
def test_other_platforms(name: str, system: str, kind: str | None, windows: bool, mac: bool, linux: bool) -> None:
    platform = Platform(name, system)
    assert platform.getType() == kind
    assert platform.isKnown() == (kind is not None)
    assert platform.isWindows() == platform.isWinNT() == windows
    assert platform.isMacOSX() == mac
    assert platform.isLinux() == platform.supportsINotify() == linux


def test_vista_is_windows() -> None:
    assert Platform("posix", "linux").isVista() is False


@pytest.mark.parametrize(
    ("groups", "docker"),
    [
        ("2:cpu:/docker/104155a6453cb67590027e397dc90fc25a06a7508403c797bc89ea43adf8d35f\n", True),
        ("2:cpu:/system.slice/docker-9a3f.scope\n", True),
        ("2:cpu:/user.slice\n0::/init.scope\n", False),
        ("", False),
    ],
)
def test_docker_is_told_by_control_groups(tmp_path: Path, groups: str, docker: bool) -> None:
    (tmp_path / "cgroup").write_text(groups)
    assert Platform("posix", "linux").isDocker(str(tmp_path / "cgroup")) == docker


def test_no_docker_without_control_groups(tmp_path: Path) -> None:
    assert not Platform("posix", "linux").isDocker(str(tmp_path / "nothing"))
    assert not Platform("posix", "darwin").isDocker()
