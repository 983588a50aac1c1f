"""What storage could be used from here: exports, shares, targets, volume groups, pools."""

from __future__ import annotations

import json
from typing import Any

from corral.core.errors import CommandError, Error
from corral.core.secret import Secret
from corral.system.run import ANY, Run


class Scans:
    """Looks around from this node. All raise `CommandError` where a program is missing or a server does not answer."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def nfs(self, server: str) -> list[dict[str, str]]:
        """Exports of an NFS server."""
        output = self._run(["showmount", "--no-headers", "--exports", "--", server], timeout=30)
        return parse_exports(output.stdout)

    def cifs(self, server: str, user: str | None, password: Secret | None, domain: str | None) -> list[dict[str, str]]:
        """Shares of an SMB server."""
        words: list[str | Secret] = ["smbclient", "--list", server, "--grepable"]
        environment = {}
        if user:
            words += ["--user", f"{domain}\\{user}" if domain else user]
            environment["PASSWD"] = password.reveal() if password else ""
        else:
            words.append("--no-pass")
        return parse_shares(self._run(words, timeout=30, env=environment).stdout)

    def iscsi(self, portal: str) -> list[dict[str, str]]:
        """Targets behind an iSCSI portal."""
        words = ["iscsiadm", "--mode", "discovery", "--type", "sendtargets", "--portal", portal]
        return parse_targets(self._run(words, timeout=30).stdout)

    def lvm(self) -> list[dict[str, str]]:
        """Volume groups."""
        report = self._report(["vgs", "--reportformat", "json", "-o", "vg_name"], "vg")
        return [{"vg": row["vg_name"]} for row in report]

    def lvmthin(self, group: str) -> list[dict[str, str]]:
        """Thin pools of a volume group."""
        report = self._report(["lvs", "--reportformat", "json", "-o", "lv_name,segtype", "--", group], "lv")
        return [{"lv": row["lv_name"]} for row in report if row.get("segtype") == "thin-pool"]

    def zfs(self) -> list[dict[str, str]]:
        """ZFS pools and datasets."""
        output = self._run(["zfs", "list", "-t", "filesystem", "-Hp", "-o", "name"], timeout=30)
        return [{"pool": line} for line in output.stdout.splitlines() if line]

    def pbs(self) -> list[dict[str, str]]:
        """Datastores of a backup server."""
        raise Error("backup servers are not supported by this version")

    def _report(self, words: list[str], what: str) -> list[dict[str, Any]]:
        output = self._run(words, timeout=30, ok=ANY)
        if output.code:
            raise CommandError(words, output.code, output.stderr)
        rows: list[dict[str, Any]] = json.loads(output.stdout)["report"][0][what]
        return rows


def parse_exports(text: str) -> list[dict[str, str]]:
    """showmount's lines: `/path clients`."""
    found = []
    for line in text.splitlines():
        path, _, options = line.strip().partition(" ")
        if path.startswith("/"):
            found.append({"path": path, "options": options.strip()})
    return found


def parse_shares(text: str) -> list[dict[str, str]]:
    """smbclient's grepable lines: `Disk|name|comment`; administrative shares are left out."""
    rows = [line.split("|") for line in text.splitlines()]
    return [
        {"share": row[1], "description": row[2]}
        for row in rows
        if len(row) == 3 and row[0] == "Disk" and not row[1].endswith("$")
    ]


def parse_targets(text: str) -> list[dict[str, str]]:
    """iscsiadm's lines: `portal,group target`; portals of one target are joined."""
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        portal, _, target = line.partition(" ")
        if target:
            found.setdefault(target.strip(), []).append(portal.partition(",")[0])
    return [{"target": target, "portal": ",".join(portals)} for target, portals in sorted(found.items())]
