"""The files of the guide to production are read by those they are for."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from house.tree import ROOT

GUIDE = (ROOT / "docs" / "howto" / "production.md").read_text(encoding="utf-8")


def written(folder: Path, *names: str) -> None:
    """Write files of the guide."""
    for name in names:
        [content] = re.findall(
            rf"<!-- file: {re.escape(name)} -->\n```\w*\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL
        )
        (folder / name).write_text(content, encoding="utf-8")


def program(name: str) -> str:
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")
    if found is None:
        pytest.skip(f"needs {name}")
    return found


def said(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=50)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_systemd_knows_the_units(tmp_path: Path) -> None:
    checker = program("systemd-analyze")
    written(tmp_path, "echo.service", "echo.socket")
    service = tmp_path / "echo.service"
    # What is started is not there on this machine, which it would complain of.
    service.write_text(
        service.read_text(encoding="utf-8").replace("/opt/echo/bin/torsion", "/bin/true"), encoding="utf-8"
    )
    told = said(checker, "verify", "--man=no", str(service), str(tmp_path / "echo.socket"))
    assert "echo." not in told


def test_haproxy_takes_its_configuration(tmp_path: Path) -> None:
    checker = program("haproxy")
    written(tmp_path, "haproxy.cfg")
    said(checker, "-c", "-f", str(tmp_path / "haproxy.cfg"))


def test_nginx_takes_its_configuration(tmp_path: Path) -> None:
    checker = program("nginx")
    written(tmp_path, "nginx.conf")
    configuration = tmp_path / "nginx.conf"
    modules = [each for each in ("/usr/lib/nginx/modules/ngx_stream_module.so",) if Path(each).exists()]
    text = "".join(f"load_module {each};\n" for each in modules) + f"pid {tmp_path}/pid;\nerror_log {tmp_path}/log;\n"
    configuration.write_text(text + configuration.read_text(encoding="utf-8"), encoding="utf-8")
    done = subprocess.run(
        [checker, "-t", "-c", str(configuration)], capture_output=True, text=True, check=False, timeout=50
    )
    if 'unknown directive "stream"' in done.stderr:
        pytest.skip("needs nginx with its module stream")
    assert done.returncode == 0, done.stderr


def test_logrotate_takes_its_configuration(tmp_path: Path) -> None:
    checker = program("logrotate")
    written(tmp_path, "logrotate.conf")
    (tmp_path / "logrotate.conf").chmod(0o644)
    assert "error" not in said(checker, "--debug", "--state", str(tmp_path / "state"), str(tmp_path / "logrotate.conf"))


def test_the_metrics_that_are_to_be_watched_exist() -> None:
    source = "".join(
        path.read_text(encoding="utf-8")
        for path in (ROOT / "python" / "torsion" / "application" / "status").glob("*.py")
    )
    named = set(re.findall(r"`(torsion_\w+?)(?:_total)?`", GUIDE))
    assert named
    assert {name for name in named if name not in source} == set()
