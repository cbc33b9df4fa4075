"""``IReactorMulticast``: datagrams to groups."""

from __future__ import annotations

import errno
import socket
import sys
from pathlib import Path
from typing import Any

import pytest
from zope.interface.verify import verifyObject

from contract.datagrams import Post
from contract.flavours import differs, needs
from contract.harness import pause
from torsion.internet import error
from torsion.internet.interfaces import IMulticastTransport

pytestmark = needs("IReactorMulticast", "kernel")

GROUP = "225.0.0.250"
GROUP6 = "ff03::1"


def joinable(family: int, group: str) -> bool:
    """Tell whether this computer's network knows groups of *family* at all."""
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            if family == socket.AF_INET:
                option = socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP
            else:
                option = socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP
            probe.setsockopt(*option, socket.inet_pton(family, group) + bytes(4))
    except OSError:
        return False
    return True


def loopback() -> int:
    """Return the number of the loopback."""
    return next(number for number, name in socket.if_nameindex() if name.startswith("lo"))


FOUR = pytest.param(GROUP, "", marks=pytest.mark.skipif(not joinable(socket.AF_INET, GROUP), reason="no IPv4 groups"))
SIX = pytest.param(
    GROUP6, "::", marks=pytest.mark.skipif(not joinable(socket.AF_INET6, GROUP6), reason="no IPv6 groups")
)
both = pytest.mark.parametrize(("group", "interface"), [FOUR, SIX])


def neighbours(reactor: Any, interface: str, count: int = 1, **options: Any) -> list[tuple[Any, Post]]:
    """Return ports that can join groups, and their protocols."""
    posts = [Post() for _ in range(count)]
    return [(reactor.listenMulticast(0, post, interface=interface, **options), post) for post in posts]


class TestGroups:
    """Who has joined a group receives what is sent to it."""

    @both
    def test_members_hear_and_others_do_not(self, reactor, run, group, interface):
        async def scenario():
            [(member, heard), (speaker, _)] = neighbours(reactor, interface, 2)
            number = member.getHost().port
            assert await member.joinGroup(group) is not NotImplemented
            speaker.write(b"one", (group, number))
            assert await heard.got(1) == [b"one"]
            await member.leaveGroup(group)
            speaker.write(b"two", (group, number))
            if interface:
                member.write(b"end", ("::1", number))
            else:
                speaker.write(b"end", ("127.0.0.1", number))
            assert await heard.got(2) == [b"one", b"end"]

        run(scenario)

    @both
    def test_several_can_have_one_port(self, reactor, run, group, interface):
        async def scenario():
            [(first, heard)] = neighbours(reactor, interface, listenMultiple=True)
            also = Post()
            number = first.getHost().port
            second = reactor.listenMulticast(number, also, interface=interface, listenMultiple=True)
            for member in (first, second):
                await member.joinGroup(group)
            first.write(b"all", (group, number))
            assert await heard.got(1) == await also.got(1) == [b"all"]

        run(scenario)

    @differs("Twisted leaves the socket open")
    @both
    def test_but_not_unless_they_say_so(self, reactor, run, group, interface):
        async def scenario():
            [(first, _)] = neighbours(reactor, interface)
            with pytest.raises(error.CannotListenError):
                reactor.listenMulticast(first.getHost().port, Post(), interface=interface)

        run(scenario)

    @pytest.mark.parametrize(
        ("interface", "group", "where"),
        [
            ("", "127.0.0.1", ""),
            ("", GROUP, "::1"),
            ("", GROUP6, ""),
            ("::", "::1", ""),
            ("::", GROUP6, "127.0.0.1"),
            ("::", GROUP, ""),
        ],
    )
    def test_what_cannot_be_joined_is_told(self, reactor, run, interface, group, where):
        async def scenario():
            [(member, _)] = neighbours(reactor, interface)
            for change in (member.joinGroup, member.leaveGroup):
                with pytest.raises(error.MulticastJoinError):
                    await change(group, where)

        run(scenario)

    @differs("Twisted's Deferred fails with an AttributeError, or what else there is, that names nothing")
    @pytest.mark.parametrize("interface", ["", "::"])
    @pytest.mark.parametrize(
        ("group", "where", "named"),
        [
            (None, "", "addr"),
            (b"225.0.0.1", "", "addr"),
            (5, "", "addr"),
            (GROUP, b"lo", "interface"),
            (GROUP, None, "interface"),
        ],
    )
    def test_an_argument_of_a_wrong_type_is_named(self, reactor, run, interface, group, where, named):
        async def scenario():
            [(member, _)] = neighbours(reactor, interface)
            for change in (member.joinGroup, member.leaveGroup):
                with pytest.raises(TypeError, match=rf"^{named} is a str"):
                    await change(group, where)
            for ttl in ("1", None, 1.5):
                with pytest.raises(TypeError, match="int from 0 to 255"):
                    member.setTTL(ttl)

        run(scenario)

    @both
    def test_leaving_without_having_joined_is_told(self, reactor, run, group, interface):
        async def scenario():
            [(member, _)] = neighbours(reactor, interface)
            with pytest.raises(error.MulticastJoinError) as caught:
                await member.leaveGroup(group)
            assert errno.EADDRNOTAVAIL in caught.value.args

        run(scenario)

    @pytest.mark.parametrize("interface", ["127.0.0.1", "localhost"])
    def test_an_interface_has_an_address_or_a_name(self, reactor, run, interface):
        async def scenario():
            [(member, heard), (speaker, _)] = neighbours(reactor, "", 2)
            await speaker.setOutgoingInterface("127.0.0.1")
            await member.joinGroup(GROUP, interface)
            speaker.write(b"local", (GROUP, member.getHost().port))
            assert await heard.got(1) == [b"local"]

        run(scenario)

    @differs("Twisted takes every IPv6 address for the system's choice")
    @pytest.mark.skipif(sys.platform != "linux" or not Path("/proc/net/if_inet6").exists(), reason="Linux's table")
    def test_an_interface_of_ipv6_has_a_number_a_name_or_an_address(self, reactor, run):
        number = loopback()

        async def scenario():
            [(member, _)] = neighbours(reactor, "::")
            for interface in (number, str(number), socket.if_indextoname(number), "::1", f"fe80::1%{number}"):
                await member.joinGroup(GROUP6, interface)
                with pytest.raises(error.MulticastJoinError):
                    await member.leaveGroup(GROUP6, number + 1000)
                await member.leaveGroup(GROUP6, number)  # by whichever name it was joined
            for interface in ("no such interface", "2001:db8::1", "fe80::1%nowhere"):
                with pytest.raises(error.MulticastJoinError):
                    await member.joinGroup(GROUP6, interface)

        run(scenario)

    def test_a_name_without_an_address_is_told(self, reactor, run):
        async def scenario():
            [(member, _)] = neighbours(reactor, "")
            with pytest.raises(error.DNSLookupError):
                await member.joinGroup("nowhere.invalid")

        run(scenario)


class TestOptions:
    """How datagrams to groups are sent."""

    def test_it_provides_its_interface(self, reactor, run):
        async def scenario():
            [(member, _)] = neighbours(reactor, "")
            assert verifyObject(IMulticastTransport, member)

        run(scenario)

    @both
    def test_how_far_they_go(self, reactor, run, group, interface):
        async def scenario():
            [(member, _)] = neighbours(reactor, interface)
            assert member.getTTL() == 1
            if not interface:  # Twisted sets nothing for IPv6
                for ttl in (2, 0, 255):
                    member.setTTL(ttl)
                    assert member.getTTL() == ttl

        run(scenario)

    @differs("Twisted raises struct.error, and sets nothing for IPv6")
    @both
    def test_how_far_they_go_at_most(self, reactor, run, group, interface):
        async def scenario():
            [(member, _)] = neighbours(reactor, interface)
            member.setTTL(9)
            for ttl in (-1, 256):
                with pytest.raises(ValueError, match="time to live"):
                    member.setTTL(ttl)
            assert member.getTTL() == 9

        run(scenario)

    @both
    def test_whether_they_come_back(self, reactor, run, group, interface):
        async def scenario():
            [(member, heard)] = neighbours(reactor, interface)
            there = group, member.getHost().port
            await member.joinGroup(group)
            assert member.getLoopbackMode()
            member.setLoopbackMode(False)
            assert not member.getLoopbackMode()
            member.write(b"unheard", there)
            await pause(reactor)
            member.setLoopbackMode(True)
            member.write(b"heard", there)
            assert await heard.got(1) == [b"heard"]

        run(scenario)

    def test_by_which_interface_they_leave(self, reactor, run):
        async def scenario():
            [(member, _)] = neighbours(reactor, "")
            assert member.getOutgoingInterface() == "0.0.0.0"
            await member.setOutgoingInterface("127.0.0.1")
            assert member.getOutgoingInterface() == "127.0.0.1"
            await member.setOutgoingInterface("localhost")
            assert member.getOutgoingInterface() == "127.0.0.1"
            with pytest.raises(OSError, match=r".*"):
                await member.setOutgoingInterface("192.0.2.1")

        run(scenario)

    def test_over_ipv6_it_is_a_number(self, reactor, run):
        async def scenario():
            [(member, _)] = neighbours(reactor, "::")
            assert member.getOutgoingInterface() == 0
            await member.setOutgoingInterface(loopback())
            assert member.getOutgoingInterface() == loopback()

        run(scenario)

    @differs("Twisted's port has lost its socket")
    def test_a_stopped_port_has_none_of_this(self, reactor, run):
        async def scenario():
            [(member, _)] = neighbours(reactor, "")
            await member.stopListening()
            for ask in (member.getTTL, member.getLoopbackMode, member.getOutgoingInterface):
                with pytest.raises(OSError, match="no socket"):
                    ask()
            with pytest.raises(error.MulticastJoinError):
                await member.joinGroup(GROUP)

        run(scenario)
