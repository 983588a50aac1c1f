"""`resolv.conf`: the resolver's search domain and up to three servers; other lines are kept."""

from __future__ import annotations

from typing import NamedTuple


class Dns(NamedTuple):
    """What the API shows and sets; empty is unset."""

    search: str = ""
    servers: tuple[str, ...] = ()

    def wire(self) -> dict[str, str]:
        """As the API shows it."""
        out = {"search": self.search} if self.search else {}
        return out | {f"dns{index}": server for index, server in enumerate(self.servers[:3], start=1)}


def parse(text: str) -> Dns:
    """Read a `resolv.conf`. The last of `search` and `domain` counts, as for the resolver."""
    search, servers = "", []
    for line in text.splitlines():
        words = line.split("#")[0].split(";")[0].split()
        if len(words) < 2:
            continue
        if words[0] in ("search", "domain"):
            search = words[1]
        elif words[0] == "nameserver":
            servers.append(words[1])
    return Dns(search, tuple(servers))


def render(text: str, dns: Dns) -> str:
    """The text with these settings in place of its own; options, comments and further servers stay."""
    kept, seen = [], 0
    for line in text.splitlines():
        word = (line.split() or [""])[0]
        if word in ("search", "domain"):
            continue
        if word == "nameserver":
            seen += 1
            if seen <= 3:
                continue
        kept.append(line)
    head = [f"search {dns.search}"] if dns.search else []
    return "\n".join([*head, *(f"nameserver {server}" for server in dns.servers), *kept]) + "\n"
