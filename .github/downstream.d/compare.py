"""Run other projects' own tests on Twisted's epoll reactor and on torsion's, and compare what came of them.

    python .github/downstream.d/compare.py                  # every script of this folder
    python .github/downstream.d/compare.py treq klein

Each project gets an environment of its own below ``--work``, which is used again the next time.  The README beside this file tells what a script is.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import venv
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
# A suite that fails now and then, on any reactor, has this many tries to give the same twice.
TRIES = 3
# How many names to show of those that fail on one of the two only; the logs have all.
SHOWN = 20
# Seconds for one run of one suite; the longest takes a tenth of it.
PATIENCE = 3600

TRIAL = re.compile(r"^(?:PASSED|FAILED)(?: \((?P<counts>[^)]*)\))?$", re.MULTILINE)
PYTEST = re.compile(
    r"^=* ?(?P<counts>\d+ (?:passed|failed|skipped|error|xfailed|xpassed|deselected).*) in [\d.]+s.*$", re.MULTILINE
)
COUNT = re.compile(
    r"(?P<name>\w+)=(?P<trial>\d+)|(?P<pytest>\d+) (?P<word>passed|failed|skipped|errors?|xfailed|xpassed)"
)
BLOCK = re.compile(
    r"^={79}\n\[(?:FAIL|ERROR|SUCCESS!\?!)\]\n(?P<body>.*?)(?=^={79}$|^-{79}$|\Z)", re.MULTILINE | re.DOTALL
)
NAME = re.compile(r"^[A-Za-z_][\w-]*(?:\.[\w-]+){2,}$", re.MULTILINE)
# A line of a script that names a test which fails on torsion, and is known to.
KNOWN = re.compile(r"^# Differs: (?P<name>\S+) ", re.MULTILINE)
SHORT = re.compile(r"^(?:FAILED|ERROR) (?P<name>\S+)", re.MULTILINE)


@dataclass(frozen=True)
class Outcome:
    """What came of one run: how many tests of each kind, and the names of those that failed."""

    counts: tuple[tuple[str, int], ...]
    failed: frozenset[str]

    def __str__(self) -> str:
        return ", ".join(f"{name} {number}" for name, number in self.counts) or "no summary"


def equal(epoll: Outcome, ours: Outcome, known: frozenset[str]) -> bool:
    """Return whether the same came of both runs, the tests that are *known* to fail on torsion aside."""
    if not {"passed", "successes"} & dict(epoll.counts).keys():
        return False  # where nothing ran, nothing was compared
    if not known & ours.failed:
        return epoll == ours
    # One more failed, and one less succeeded; all else has to be as before.
    return (
        ours.failed - known == epoll.failed
        and dict(ours.counts).get("skips") == dict(epoll.counts).get("skips")
        and (sum(number for _, number in ours.counts) == sum(number for _, number in epoll.counts))
    )


def outcome(output: str) -> Outcome:
    """Read the summary that trial or pytest ends with, and the names of the tests that failed."""
    summaries = [*TRIAL.finditer(output), *PYTEST.finditer(output)]
    counts: dict[str, int] = {}
    for summary in summaries:
        for count in COUNT.finditer(summary["counts"] or ""):
            name = count["name"] or count["word"].removesuffix("s")
            counts[name] = counts.get(name, 0) + int(count["trial"] or count["pytest"])
    failed = {name for block in BLOCK.finditer(output) for name in NAME.findall(block["body"])}
    failed.update(match["name"] for match in SHORT.finditer(output) if "::" in match["name"] or "/" in match["name"])
    return Outcome(tuple(sorted(counts.items())), frozenset(failed))


def environment(home: Path) -> dict[str, str]:
    """Return the environment variables with which `python` is the one in *home*."""
    kept = {name: value for name, value in os.environ.items() if name not in {"PYTHONHOME", "VIRTUAL_ENV"}}
    return kept | {"PATH": f"{home / 'bin'}{os.pathsep}{kept['PATH']}", "VIRTUAL_ENV": str(home)}


def prepare(script: Path, place: Path, torsion: str) -> dict[str, str]:
    """Make the project's environment unless it is there, and return its variables."""
    home = place / "venv"
    env = environment(home)
    ready = place / "ready"
    if not ready.exists():
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        venv.create(home, with_pip=True)
        pip = ["python", "-m", "pip", "install", "--quiet"]
        subprocess.run([*pip, "--upgrade", "pip"], env=env, check=True)
        subprocess.run([*pip, f"{torsion}[twisted]"], env=env, check=True)
        subprocess.run(["bash", str(script), "install"], cwd=place, env=env, check=True)
        # The first look at Twisted's plugins imports all of them, and some install a reactor; later ones read a cache.
        subprocess.run(["python", "-m", "twisted.trial", "--help-reactors"], env=env, capture_output=True, check=False)
        ready.touch()
    return env


def run(script: Path, place: Path, env: dict[str, str], reactor: str) -> Outcome:
    """Run the project's tests on *reactor*; everything they print stays in a file beside them."""
    # trial has an option; pytest knows nothing of reactors, and takes the one that is there first.
    early = {"PYTEST_ADDOPTS": "-p torsion.interop.twisted.pytest"} if reactor == "torsion" else {}
    log = place / f"{reactor}.log"
    with (
        log.open("w") as output,
        subprocess.Popen(
            ["bash", str(script), "run"],
            cwd=place,
            env=env | early | {"REACTOR": reactor},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        ) as running,
    ):
        try:
            running.wait(
                PATIENCE
            )  # its status says nothing: a suite that fails on both reactors alike is no fault of ours
        except subprocess.TimeoutExpired:
            output.write(f"\nnot done after {PATIENCE} seconds\n")
        finally:
            with suppress(ProcessLookupError):
                os.killpg(running.pid, signal.SIGKILL)  # and with it whatever the tests have left running
    return outcome(log.read_text(errors="replace"))


def compare(script: Path, place: Path, torsion: str) -> bool:
    """Run one project's tests on both reactors, and tell whether the same came of them."""
    try:
        env = prepare(script, place, torsion)
    except subprocess.CalledProcessError as problem:
        print(f"{script.stem}: NOT INSTALLED: {problem}", flush=True)
        return False
    known = frozenset(KNOWN.findall(script.read_text()))
    for attempt in range(1, TRIES + 1):
        begun = time.monotonic()
        epoll = run(script, place, env, "epoll")
        half = time.monotonic()
        ours = run(script, place, env, "torsion")
        # To be looked at: a test that waits in vain may pass in the end.
        seconds = half - begun, time.monotonic() - half
        same = equal(epoll, ours, known)
        print(f"{script.stem}: {'the same' if same else 'DIFFERENT'} (try {attempt})", flush=True)
        print(f"  epoll:   {epoll} ({seconds[0]:.0f} s)\n  torsion: {ours} ({seconds[1]:.0f} s)", flush=True)
        if same:
            return True
        different = sorted(ours.failed ^ epoll.failed)
        for name in different[:SHOWN]:
            print(f"  only on {'torsion' if name in ours.failed else 'epoll'}: {name}", flush=True)
        if len(different) > SHOWN:
            print(f"  and {len(different) - SHOWN} more", flush=True)
    return False


def main() -> int:
    """Compare what the command line names; the status is how many projects differ."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--torsion", default=str(HERE.parents[1]), help="what pip installs: a folder, a wheel, a requirement"
    )
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()) / "torsion-downstream")
    parser.add_argument("names", nargs="*", help="scripts of this folder, without `.sh`; all, if none is named")
    options = parser.parse_args()
    scripts = [HERE / f"{name}.sh" for name in options.names] or sorted(HERE.glob("*.sh"))
    return sum(not compare(script, options.work.resolve() / script.stem, options.torsion) for script in scripts)


if __name__ == "__main__":
    sys.exit(main())
