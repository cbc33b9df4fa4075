"""The user that a run becomes, without becoming it."""

from __future__ import annotations

import os

import pytest

from torsion.application.runner import privileges
from torsion.application.runner.errors import StartError
from torsion.application.runner.privileges import Privileges
from torsion.application.runner.run import Run

NONE = {"rundir": None, "chroot": None, "uid": None, "gid": None, "umask": None, "daemon": 0}

pytestmark = pytest.mark.skipif(os.name != "posix", reason="users and groups are of POSIX systems")


class System:
    """Stands for ``os``: knows who the process is, and what was asked for."""

    name = "posix"

    def __init__(self, uid=0, gid=0, refuses=False):
        self.uid, self.gid, self.refuses, self.calls = uid, gid, refuses, []

    def getuid(self):
        return self.uid

    geteuid = getuid

    def getgid(self):
        return self.gid

    def __getattr__(self, name):
        def call(*args):
            self.calls.append((name, *args))
            if self.refuses:
                raise PermissionError(1, "Operation not permitted")
            if name == "setuid":
                self.uid = args[0]

        return call


def bound(monkeypatch, system, **options):
    monkeypatch.setattr(privileges, "os", system)
    run = Run(NONE | options, [])
    Privileges().fit(run)
    for hook in (*run.onMade, *run.onBound):
        hook()
    return system.calls


def test_nothing_is_done_that_is_not_asked_for(monkeypatch):
    assert bound(monkeypatch, System()) == []


def test_groups_go_before_the_user(monkeypatch):
    calls = bound(monkeypatch, System(), uid=54321, gid=54322)
    assert calls == [("setgroups", [54322]), ("setgid", 54322), ("setuid", 54321)]


def test_a_user_that_has_a_name_brings_its_groups(monkeypatch):
    import pwd

    account = next((each for each in pwd.getpwall() if each.pw_uid not in (0, os.getuid())), None)
    if account is None:
        pytest.skip("there is root only")
    calls = bound(monkeypatch, System(), uid=account.pw_uid)
    name, gid = pwd.getpwuid(account.pw_uid).pw_name, pwd.getpwuid(account.pw_uid).pw_gid
    assert calls == [("initgroups", name, gid), ("setgid", gid), ("setuid", account.pw_uid)]


def test_who_it_is_already_needs_nothing(monkeypatch):
    assert bound(monkeypatch, System(54321, 54322), uid=54321, gid=54322) == []


@pytest.mark.parametrize("options", [{"uid": 54321}, {"gid": 54321}, {"chroot": "/"}], ids=str)
def test_who_is_not_root_cannot(monkeypatch, options):
    monkeypatch.setattr("torsion.application.runner.preload.preload", lambda: None)
    with pytest.raises(StartError, match="needs root"):
        bound(monkeypatch, System(7, 7, refuses=True), **options)


def test_root_must_be_left(monkeypatch):
    class Sticky(System):
        def geteuid(self):
            return 0

    with pytest.raises(StartError, match="root was not left"):
        bound(monkeypatch, Sticky(), uid=54321, gid=1)


def test_the_umask(monkeypatch):
    for options, expected in (
        ({"umask": 0o27}, 0o27),
        ({"daemon": 1}, 0o77),
        ({"daemon": 1, "umask": 0}, 0),
        ({}, None),
    ):
        system = System()
        monkeypatch.setattr(privileges, "os", system)
        Privileges().begin(Run(NONE | options, []))
        assert system.calls == ([] if expected is None else [("umask", expected)])


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root can give files away")
def test_only_a_file_of_roots_own_is_given_away(tmp_path):
    run = Run(NONE | {"uid": 54321}, [])
    plain, linked, pointed = (tmp_path / name for name in ("plain", "linked", "pointed"))
    for each in plain, linked, pointed:
        each.touch()
    (tmp_path / "second").hardlink_to(linked)
    (tmp_path / "symbolic").symlink_to(pointed)
    os.mkfifo(tmp_path / "pipe")
    for name in "plain", "linked", "second", "symbolic", "pipe", "missing":
        privileges.give_away(run, str(tmp_path / name))
    assert [each.stat().st_uid for each in (plain, linked, pointed, tmp_path / "pipe")] == [54321, 0, 0, 0]
