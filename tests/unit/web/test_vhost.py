"""Several hosts on one site, by name and by path."""

from __future__ import annotations

from typing import Any

import pytest

from torsion.web.resource import Resource
from torsion.web.vhost import NameVirtualHost, VHostMonsterResource
from unit.web.talk import Answer, Fixed, Talk


def hosts(default: Any = None) -> NameVirtualHost:
    resource = NameVirtualHost()
    resource.default = default
    resource.addHost(b"Leaf.example", Fixed(lambda request: repr((request.prepath, request.postpath)).encode()))
    tree = Resource()
    tree.putChild(b"", Fixed(b"tree"))
    resource.addHost(b"tree.example", tree)
    resource.addHost(b"[::1]", Fixed(b"six"))
    return resource


def ask(resource: Any, host: str | None, target: str = "/") -> Answer:
    talk = Talk(resource)
    if host is None:
        talk.channel.dataReceived(f"GET {target} HTTP/1.0\r\n\r\n".encode())
    else:
        talk.channel.dataReceived(f"GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    return talk.answer()


@pytest.mark.parametrize("host", ["leaf.example", "LEAF.EXAMPLE", "leaf.example:8000"])
def test_a_leaf_has_all_of_the_path(host: str) -> None:
    assert ask(hosts(), host, "/a/b").body == b"([], [b'a', b'b'])"


def test_a_tree() -> None:
    assert ask(hosts(), "tree.example").body == b"tree"
    assert ask(hosts(), "tree.example", "/nothing").code == 404


def test_an_address_in_brackets() -> None:
    assert ask(hosts(), "[::1]:8080").body == b"six"


@pytest.mark.parametrize("host", ["other.example", "", None])
def test_a_host_that_is_not_known(host: str | None) -> None:
    answer = ask(hosts(), host)
    assert answer.code == 404
    assert ask(hosts(default=Fixed(b"default")), host).body == b"default"


def test_the_resource_itself_answers_for_the_host() -> None:
    root = Resource()
    root.putChild(b"here", hosts())
    talk = Talk(root)
    assert talk.ask("/here", headers={}).code == 404
    assert ask(root, "leaf.example", "/here").body == b"([b'here'], [])"


def test_hosts_come_and_go() -> None:
    resource = hosts()
    resource.removeHost(b"leaf.EXAMPLE")
    assert ask(resource, "leaf.example").code == 404
    with pytest.raises(KeyError):
        resource.removeHost(b"leaf.example")


def test_hosts_are_entities() -> None:
    resource = hosts()
    [(name, collection)] = resource.listStaticEntities()
    assert name == "Virtual Hosts"
    assert sorted(name for name, _ in collection.listStaticEntities()) == [b"[::1]", b"leaf.example", b"tree.example"]
    collection.reallyPutEntity(b"new.example", Fixed(b"new"))
    assert ask(resource, "new.example").body == b"new"
    collection.delEntity(b"new.example")
    assert collection.getStaticEntity(b"new.example") is None
    assert resource.getStaticEntity("Virtual Hosts").nvh is resource
    assert resource.getStaticEntity(b"x") is None


def monster() -> Resource:
    def render(request: Any) -> bytes:
        return b"%b %b %b" % (request.prePathURL(), request.uri, request.getHeader(b"host"))

    root = Resource()
    root.putChild(b"vhost_monster", VHostMonsterResource())
    root.putChild(b"page", Fixed(render))
    return root


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("http/example.com/page", b"http://example.com/page /page example.com"),
        ("http/example.com:81/page?a=/b", b"http://example.com:81/page /page?a=/b example.com:81"),
        ("https/example.com/page/x%20y", b"https://example.com/page /page/x%20y example.com"),
        ("https/example.com:444/page", b"https://example.com:444/page /page example.com:444"),
    ],
)
def test_the_path_says_the_host(target: str, said: bytes) -> None:
    assert Talk(monster()).ask("/vhost_monster/" + target).body == said


@pytest.mark.parametrize("target", ["ftp/example.com/page", "http/example.com:x/page", "http/example.com:99999/page"])
def test_what_says_no_host(target: str) -> None:
    assert Talk(monster()).ask("/vhost_monster/" + target).code == 404
