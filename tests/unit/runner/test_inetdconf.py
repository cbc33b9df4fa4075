"""The files of inetd."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torsion.runner.inetdconf import (
    InetdConf,
    InvalidConfError,
    InvalidInetdConfError,
    InvalidServicesConfError,
    ServicesConf,
    SimpleConfFile,
    UnknownService,
)


def services(text):
    conf = ServicesConf()
    conf.parseFile(io.StringIO(text))
    return conf.services


@pytest.fixture
def conf():
    known = ServicesConf()
    known.services = {("echo", "tcp"): 7, ("echo", "udp"): 7, ("ftp", "tcp"): 21, ("tftp", "udp"): 69}
    return InetdConf(known)


def parsed(conf, text):
    conf.parseFile(io.StringIO(text))
    return [vars(each) for each in conf.services]


class TestServices:
    def test_names_aliases_comments(self):
        text = "# ports\n\nhttp\t80/tcp www web # the web\n  http 80/udp\nodd 1/sctp\n#http 81/tcp\n"
        assert services(text) == {
            ("http", "tcp"): 80,
            ("www", "tcp"): 80,
            ("web", "tcp"): 80,
            ("http", "udp"): 80,
            ("odd", "sctp"): 1,
        }

    @pytest.mark.parametrize(
        "line",
        [
            "http",
            "http 80",
            "http x/tcp",
            "http 80/",
            "http /tcp",
            "http 65536/tcp",
            "http 000000000065536/tcp",
            "http -1/tcp",
            "http ²/tcp",
        ],
    )
    def test_what_is_none(self, line):
        with pytest.raises(InvalidServicesConfError, match="line 2: "):
            services(f"ok 1/tcp\n{line}\n")

    def test_the_default_file(self, tmp_path):
        path = tmp_path / "services"
        path.write_bytes(b"a 1/tcp # \xff\n")
        conf = ServicesConf()
        conf.defaultFilename = str(path)
        conf.parseFile()
        assert conf.services == {("a", "tcp"): 1}
        path.unlink()
        with pytest.raises(FileNotFoundError):
            conf.parseFile()

    def test_no_default_file(self):
        with pytest.raises(ValueError, match="no default file"):
            SimpleConfFile().parseFile()


class TestInetd:
    def test_fields(self, conf):
        text = "ftp stream tcp nowait root /usr/sbin/ftpd ftpd -l # files\ntftp dgram udp wait nobody.nogroup /usr/sbin/tftpd\n"
        assert parsed(conf, text) == [
            {
                "name": "ftp",
                "port": 21,
                "socketType": "stream",
                "protocol": "tcp",
                "wait": "nowait",
                "user": "root",
                "group": None,
                "program": "/usr/sbin/ftpd",
                "programArgs": ("ftpd", "-l"),
            },
            {
                "name": "tftp",
                "port": 69,
                "socketType": "dgram",
                "protocol": "udp",
                "wait": "wait",
                "user": "nobody",
                "group": "nogroup",
                "program": "/usr/sbin/tftpd",
                "programArgs": (),
            },
        ]

    @pytest.mark.parametrize(
        ("service", "expected"),
        [
            ("echo", ("echo", 7, "")),
            ("7", ("echo", 7, "")),
            ("7000", ("unknown", 7000, "")),
            ("0", ("unknown", 0, "")),
            ("127.0.0.1:echo", ("echo", 7, "127.0.0.1")),
            ("*:echo", ("echo", 7, "")),
            ("[::1]:7000", ("unknown", 7000, "::1")),
        ],
    )
    def test_where(self, conf, service, expected):
        conf.parseFile(io.StringIO(f"{service} stream tcp nowait root internal"))
        [found] = conf.services
        assert (found.name, found.port, found.interface) == expected

    @pytest.mark.parametrize("user", ["root.staff", "root:staff"])
    def test_group(self, conf, user):
        [found] = parsed(conf, f"echo stream tcp6 nowait {user} internal")
        assert (found["user"], found["group"]) == ("root", "staff")

    @pytest.mark.parametrize("line", ["echo", "echo stream tcp nowait root", "65536 stream tcp nowait root internal"])
    def test_what_is_none(self, conf, line):
        with pytest.raises(InvalidInetdConfError, match="line 3: "):
            parsed(conf, f"\n# a comment\n{line}\n")

    @pytest.mark.parametrize("line", ["http stream tcp nowait root internal", "ftp dgram udp wait root /x"])
    def test_what_nobody_knows(self, conf, line):
        with pytest.raises(UnknownService, match="line 1: Unknown service: "):
            parsed(conf, line)

    def test_the_system_s_own_names(self, monkeypatch, tmp_path):
        path = tmp_path / "services"
        path.write_text("special 4711/tcp\n")
        monkeypatch.setattr(ServicesConf, "defaultFilename", str(path))
        [found] = parsed(InetdConf(), "special stream tcp nowait root internal")
        assert found["port"] == 4711

    def test_equal(self, conf):
        line = "echo stream tcp nowait root internal\n"
        conf.parseFile(io.StringIO(line + line + "ftp stream tcp nowait root internal\n"))
        one, same, other = conf.services
        assert one == same != other
        assert one != "echo"
        assert repr(one) == "<InetdService echo 7/tcp internal>"

    @given(st.text())
    def test_no_text_hurts(self, text):
        made = InetdConf(ServicesConf())
        try:
            made.parseFile(io.StringIO(text))
        except (InvalidConfError, UnknownService):
            pass
