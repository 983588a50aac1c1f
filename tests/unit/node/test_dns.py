"""`resolv.conf`."""

from __future__ import annotations

from corral.node.dns import Dns, parse, render

TEXT = "# by hand\nsearch old.example other.example\nnameserver 192.0.2.1\noptions edns0\nnameserver 192.0.2.2\n"


def test_what_the_resolver_reads_is_read() -> None:
    assert parse(TEXT) == Dns("old.example", ("192.0.2.1", "192.0.2.2"))
    assert parse("nameserver\n; nameserver 1.2.3.4\ndomain a.example\n") == Dns("a.example", ())


def test_other_lines_are_kept() -> None:
    text = render(TEXT, Dns("new.example", ("192.0.2.9",)))
    assert text == "search new.example\nnameserver 192.0.2.9\n# by hand\noptions edns0\n"
    assert parse(text) == Dns("new.example", ("192.0.2.9",))


def test_a_fourth_server_is_not_the_apis_to_remove() -> None:
    text = render("".join(f"nameserver 192.0.2.{n}\n" for n in range(1, 6)), Dns("a", ("192.0.2.9",)))
    assert parse(text).servers == ("192.0.2.9", "192.0.2.4", "192.0.2.5")


def test_the_wire_names_three_servers_at_most() -> None:
    assert Dns("", ("a", "b", "c", "d")).wire() == {"dns1": "a", "dns2": "b", "dns3": "c"}
