"""Users that are made up."""

from __future__ import annotations

import pytest

from torsion.python.fakepwd import ShadowDatabase, UserDatabase


def test_users():
    users = UserDatabase()
    users.addUser("ann", "secret", 1, 2, "Ann", "/at/ann", "/bin/zsh")
    users.addUser("ben")
    users.addUser("cas")
    ann, ben, cas = users.getpwall()
    assert tuple(ann) == ("ann", "secret", 1, 2, "Ann", "/at/ann", "/bin/zsh")
    assert users.getpwnam("ann") == users.getpwuid(1) == ann
    assert (ann.pw_name, ann.pw_dir, len(ann), ann[5]) == ("ann", "/at/ann", 7, "/at/ann")
    assert ben.pw_uid != cas.pw_uid
    assert ben.pw_gid != cas.pw_gid
    for ask, error in (
        (lambda: users.getpwnam("dan"), KeyError),
        (lambda: users.getpwuid(7), KeyError),
        (lambda: users.getpwnam(b"ann"), TypeError),
    ):
        with pytest.raises(error):
            ask()
    with pytest.raises(TypeError):
        UserDatabase().getpwnam(b"ann")


def test_shadows():
    users = ShadowDatabase()
    users.addUser("ann", "hash", 1, 2, 3, 4, 5, 6, 7)
    [ann] = users.getspall()
    assert tuple(ann) == ("ann", "hash", 1, 2, 3, 4, 5, 6, 7)
    assert (ann.sp_nam, ann.sp_namp, ann.sp_pwd, ann.sp_pwdp, ann.sp_flag) == ("ann", "ann", "hash", "hash", 7)
    assert users.getspnam("ann") is ann
    with pytest.raises(KeyError):
        users.getspnam("ben")
    with pytest.raises(TypeError):
        ShadowDatabase().getspnam(b"ann")
