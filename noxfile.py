"""Every task of the project, and the only list of them: `nox -l` shows it, the workflows and .ci/run call it.

Without a name, `nox` runs what must pass before a commit.  Those marked (nightly) or (network) need what a plain machine does not have.
"""

from __future__ import annotations

import os
import platform
import shutil
import sys
import sysconfig
from pathlib import Path

import nox

ROOT = Path(__file__).parent
PROJECT = nox.project.load_toml(ROOT / "pyproject.toml")
PYTHONS = nox.project.python_versions(PROJECT)

# What the tests are built with: faults on demand, quick to build, overflow checks on.  The wheels are tested as they are shipped.
TEST_BUILD = {"MATURIN_PEP517_ARGS": "--profile dev --features test-support"}

nox.needs_version = ">=2025.2"
nox.options.sessions = ["lint", "floors", "types", "rust", "house", "tests"]
nox.options.reuse_venv = "yes"


def install(session: nox.Session, *groups: str, build: bool = True) -> None:
    """Install dependency groups and, unless told otherwise, torsion itself as the tests want it."""
    needed = dict.fromkeys(name for group in groups for name in nox.project.dependency_groups(PROJECT, group))
    if needed:
        session.install(*needed)
    if build:
        session.install("--force-reinstall", "--no-deps", ".", env=TEST_BUILD)
        session.install(*PROJECT["project"]["dependencies"])


def with_python() -> dict[str, str]:
    """Return the environment in which cargo finds this Python, and the test binaries its library."""
    library = "DYLD_LIBRARY_PATH" if sys.platform == "darwin" else "LD_LIBRARY_PATH"
    found = [sysconfig.get_config_var("LIBDIR") or "", os.environ.get(library, "")]
    return {"PYO3_PYTHON": sys.executable, library: os.pathsep.join(filter(None, found))}


@nox.session
def lint(session: nox.Session) -> None:
    """Style and spelling (`nox -s lint -- --fix` mends what can be mended)."""
    install(session, "lint", build=False)
    fix = "--fix" in session.posargs
    session.run("ruff", "check", *(["--fix"] if fix else []), ".")
    session.run("ruff", "format", *([] if fix else ["--check"]), ".")
    session.run("codespell")


@nox.session
def floors(session: nox.Session) -> None:
    """The import contracts of pyproject.toml, read from the sources."""
    install(session, "lint", build=False)
    session.install(*PROJECT["project"]["dependencies"])
    session.run("lint-imports", env={"PYTHONPATH": "python"})


@nox.session
def types(session: nox.Session) -> None:
    """Check the package with mypy, strictly."""
    install(session, "types", build=False)
    session.install(*PROJECT["project"]["dependencies"])
    session.run("mypy")


@nox.session
def rust(session: nox.Session) -> None:
    """Format, lint, document and test the crates."""
    env = with_python()
    session.run("cargo", "fmt", "--all", "--check", external=True)
    session.run(
        "cargo",
        "clippy",
        "--workspace",
        "--all-targets",
        "--all-features",
        "--",
        "-D",
        "warnings",
        env=env,
        external=True,
    )
    session.run("cargo", "test", "--workspace", "--locked", env=env, external=True)
    session.run("cargo", "doc", "--workspace", "--no-deps", env=env | {"RUSTDOCFLAGS": "-D warnings"}, external=True)


@nox.session
def house(session: nox.Session) -> None:
    """Sizes, floors, stub against binary, documents: the rules of the house."""
    install(session, "test", "lint", "types")
    session.run("pytest", "tests/house", *session.posargs)


@nox.session
def tests(session: nox.Session) -> None:
    """Build torsion and run its tests with this Python (`nox -s tests -- -k word` for some of them)."""
    install(session, "test")
    session.run("pytest", *session.posargs)


@nox.session(name="tests-on", python=PYTHONS, default=False, tags=["matrix"])
def tests_on(session: nox.Session) -> None:
    """Run the tests with one of the Pythons that torsion supports."""
    install(session, "test")
    session.run("pytest", *session.posargs)


@nox.session(default=False)
def nogil(session: nox.Session) -> None:
    """Run the stress of many threads without the GIL (needs a free-threaded Python).

    Once this passes, `gil_used` in rust/native/src/lib.rs may say so.
    """
    install(session, "test")
    env = {"PYTHON_GIL": "0", "PYTHONFAULTHANDLER": "1"}
    session.run("python", "-c", "import sys; assert not sys._is_gil_enabled(), 'this Python has a GIL'", env=env)
    session.run("pytest", "tests/contract/test_stress.py", "tests/contract/test_threads.py", *session.posargs, env=env)


@nox.session(default=False)
def wheel(session: nox.Session) -> None:
    """Run the tests on the wheel for this Python in a folder of wheels: `nox -s wheel -- dist`."""
    install(session, "test", build=False)
    session.install(*PROJECT["project"]["dependencies"])
    session.install("--no-deps", "--no-index", "--find-links", *(session.posargs or ["dist"]), "torsion")
    session.run("pytest", "--ignore=tests/house")


@nox.session(default=False)
def interop(session: nox.Session) -> None:
    """Run the tests that compare with stock Twisted, and those that other projects' packages take part in (network: installs them)."""
    install(session, "interop")
    session.run("pytest", "-m", "interop", *session.posargs)


@nox.session(default=False)
@nox.parametrize("version", [nox.param("oldest", id="oldest"), nox.param("newest", id="newest")])
def twisted(session: nox.Session, version: str) -> None:
    """Run what is for Twisted's applications, and Twisted's own tests of reactors, with the oldest Twisted that will do, or the newest."""
    install(session, "test")
    [promised] = PROJECT["project"]["optional-dependencies"]["twisted"]
    wanted = [promised.replace("twisted", "twisted[tls]"), "pyhamcrest"]
    if version == "oldest":
        # That one makes requests for certificates by what pyOpenSSL 26 has dropped.
        wanted = [wanted[0].replace(">=", "=="), *wanted[1:], "pyopenssl<26"]
    session.install("--upgrade", *wanted)
    session.run("pytest", "tests/interop/twisted", *session.posargs)


@nox.session(default=False)
def downstream(session: nox.Session) -> None:
    """Run other projects' own tests on torsion's reactor and on Twisted's (network, long): `nox -s downstream -- treq klein`."""
    given = list(session.posargs)
    if "--torsion" not in given:
        place = session.create_tmp()
        session.run("python", "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", place, ".")
        given += ["--torsion", str(max(Path(place).glob("torsion-*.whl"), key=lambda path: path.stat().st_mtime))]
    session.run("python", ".github/downstream.d/compare.py", *given)


@nox.session(default=False)
def coverage(session: nox.Session) -> None:
    """Run the tests and report the lines and branches that they missed."""
    install(session, "coverage")
    session.run("coverage", "run", "-m", "pytest", *session.posargs)
    session.run("coverage", "combine")
    session.run("coverage", "report")


@nox.session(default=False)
def changes(session: nox.Session) -> None:
    """Show the release notes as they would be now; fail if this branch has no fragment."""
    install(session, "changes", build=False)
    session.run("towncrier", "build", "--draft", "--version", "next")
    session.run("towncrier", "check", *session.posargs)


@nox.session(default=False)
def bench(session: nox.Session) -> None:
    """Measure against Twisted and uvloop, with a release build (benches/README.md): `nox -s bench -- timers`."""
    install(session, "bench", build=False)
    session.install(".")
    session.run("python", "benches/python/compare.py", *session.posargs)
    if not session.posargs:
        session.run("cargo", "bench", "-p", "torsion-reactor", external=True)


@nox.session(default=False, venv_backend="none")
def deny(session: nox.Session) -> None:
    """Licences and advisories of the crates (network; needs cargo-deny)."""
    session.run("cargo", "deny", "--all-features", "check", "--config", "rust/deny.toml", external=True)


@nox.session(default=False, venv_backend="none")
def msrv(session: nox.Session) -> None:
    """Build the crates with the oldest Rust that Cargo.toml promises (network; needs rustup)."""
    version = nox.project.load_toml(ROOT / "Cargo.toml")["workspace"]["package"]["rust-version"]
    session.run("rustup", "toolchain", "install", version, "--profile", "minimal", external=True)
    session.run("cargo", f"+{version}", "check", "--workspace", "--locked", env=with_python(), external=True)


@nox.session(default=False, venv_backend="none")
def minimal(session: nox.Session) -> None:
    """Build against the oldest dependencies that Cargo.toml admits (nightly)."""
    lock = ROOT / "Cargo.lock"
    kept = lock.read_bytes()
    try:
        session.run("cargo", "+nightly", "update", "-Z", "direct-minimal-versions", external=True)
        session.run("cargo", "check", "--workspace", env=with_python(), external=True)
    finally:
        lock.write_bytes(kept)


@nox.session(default=False, venv_backend="none")
def miri(session: nox.Session) -> None:
    """Run the parts of the reactor that touch no socket under Miri (nightly)."""
    session.run("rustup", "+nightly", "component", "add", "miri", external=True)
    env = {"MIRIFLAGS": "-Zmiri-strict-provenance", "PROPTEST_CASES": "16"}
    for part in ("timer", "buffer", "token", "stream::state"):
        session.run("cargo", "+nightly", "miri", "test", "-p", "torsion-reactor", "--lib", part, env=env, external=True)


@nox.session(default=False, venv_backend="none")
def sanitizers(session: nox.Session) -> None:
    """Run the reactor's tests under the address, leak and thread sanitizers (nightly, Linux): `-- address` for one."""
    session.run("rustup", "+nightly", "component", "add", "rust-src", external=True)
    target = f"{platform.machine()}-unknown-linux-gnu"
    tests = ["-p", "torsion-reactor", "--lib", "--tests", "--locked"]
    for each in session.posargs or ["address", "leak", "thread"]:
        # Each has a folder of its own, as their objects do not mix; std is built as well, for the thread sanitizer to see its locks.
        env = {"RUSTFLAGS": f"-Zsanitizer={each}", "CARGO_TARGET_DIR": f"target/{each}", "PROPTEST_CASES": "32"}
        session.run("cargo", "+nightly", "test", "-Zbuild-std", "--target", target, *tests, env=env, external=True)


@nox.session(default=False, venv_backend="none")
def fuzz(session: nox.Session) -> None:
    """Let a fuzzer try each target of rust/fuzz for a minute (nightly; needs cargo-fuzz): `-- 600` for ten."""
    seconds = session.posargs[0] if session.posargs else "60"
    place = ["--fuzz-dir", "rust/fuzz", "--target-dir", "target/fuzz"]
    for target in sorted(path.stem for path in (ROOT / "rust" / "fuzz" / "targets").glob("*.rs")):
        command = ["cargo", "+nightly", "fuzz", "run", *place, target, "--", f"-max_total_time={seconds}"]
        session.run(*command, external=True)


@nox.session(default=False, venv_backend="none")
def clean(session: nox.Session) -> None:
    """Remove what the tools left behind (not cargo's target, which is slow to make again)."""
    left = ".nox .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist htmlcov"
    session.log(f"removing {left}")
    for name in left.split():
        shutil.rmtree(ROOT / name, ignore_errors=True)
