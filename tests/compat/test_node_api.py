"""The calls of nodes and of the cluster, against a running node."""

from __future__ import annotations

import base64
import http.server
import json
import os
import socket
import ssl
import struct
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.lab.node import ApiError, Node, NotReady

exercises = pytest.mark.exercises


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """A node with one administrator, logged in."""
    if os.geteuid():
        pytest.skip("a node needs root")
    made = Node(tmp_path_factory.mktemp("node") / "root")
    try:
        made.start()
    except NotReady as error:
        pytest.fail(f"the node does not come up: {error}")
    try:
        made.login()
        yield made
    finally:
        made.__exit__()


def _patiently(ask: Callable[[], str]) -> str:
    """The answer, once the daemon is there again."""
    end = time.monotonic() + 40
    while True:
        try:
            return ask()
        except (ApiError, OSError) as error:
            if getattr(error, "status", 500) < 500 or time.monotonic() > end:
                raise
            time.sleep(0.3)


def names(rows: list[dict[str, Any]], key: str) -> set[Any]:
    return {row[key] for row in rows}


# --- the node itself


@exercises("GET /nodes")
@exercises("GET /nodes/{node}")
@exercises("GET /nodes/{node}/version")
@exercises("GET /nodes/{node}/status")
def test_a_node_says_what_it_is(node: Node) -> None:
    (row,) = node.call("GET", "/nodes")
    assert (row["node"], row["status"], row["type"], row["id"]) == ("n1", "online", "node", "node/n1")
    assert row["maxcpu"] == os.cpu_count()
    assert row["ssl_fingerprint"].replace(":", "").lower() == node.fingerprint.replace(":", "").lower()
    assert {"status", "storage", "tasks", "network"} <= names(node.call("GET", "/nodes/{node}"), "name")
    assert node.call("GET", "/nodes/{node}/version")["release"] == "9.2"
    status = node.call("GET", "/nodes/{node}/status")
    assert status["memory"]["total"] == status["memory"]["used"] + status["memory"]["available"]
    assert status["current-kernel"]["release"] == os.uname().release
    assert len(status["loadavg"]) == 3
    assert status["rootfs"]["total"] > status["rootfs"]["used"] > 0
    assert status["cpuinfo"]["cpus"] == os.cpu_count()
    assert status["boot-info"]["mode"] in ("efi", "legacy-bios")


@exercises("GET /nodes/{node}/status", refused=True)
def test_another_node_is_not_there(node: Node) -> None:
    with pytest.raises(ApiError) as caught:
        node.call("GET", "/nodes/elsewhere/status")
    assert "no such cluster node" in caught.value.reason


@exercises("GET /nodes/{node}/dns")
@exercises("PUT /nodes/{node}/dns", "search", "dns1", "dns2", "dns3")
def test_dns_is_kept_in_the_nodes_own_file(node: Node) -> None:
    machine = Path("/etc/resolv.conf").read_bytes()
    for servers in (("192.0.2.1", "192.0.2.2", "2001:db8::3"), ("192.0.2.9", None, None)):
        dns1, dns2, dns3 = servers
        node.call("PUT", "/nodes/{node}/dns", search="example.com", dns1=dns1, dns2=dns2, dns3=dns3)
        seen = node.call("GET", "/nodes/{node}/dns")
        assert seen["search"] == "example.com"
        assert [seen.get(f"dns{number}") for number in (1, 2, 3)] == list(servers)
    assert (node.root / "etc/resolv.conf").read_text().startswith("search example.com\nnameserver 192.0.2.9\n")
    assert Path("/etc/resolv.conf").read_bytes() == machine


@exercises("PUT /nodes/{node}/dns", "dns1", refused=True)
def test_wrong_dns_is_refused_with_every_reason(node: Node) -> None:
    with pytest.raises(ApiError) as caught:
        node.call("PUT", "/nodes/{node}/dns", search="a\nb", dns1="not-an-address")
    assert caught.value.status == 400
    assert caught.value.errors.keys() == {"search", "dns1"}


@exercises("GET /nodes/{node}/hosts")
@exercises("POST /nodes/{node}/hosts", "data", "digest")
def test_hosts_are_changed_by_the_digest_read(node: Node) -> None:
    before = node.call("GET", "/nodes/{node}/hosts")
    node.call("POST", "/nodes/{node}/hosts", data="127.0.0.1 localhost\n", digest=before["digest"])
    after = node.call("GET", "/nodes/{node}/hosts")
    assert after["data"] == "127.0.0.1 localhost\n"
    assert (node.root / "etc/hosts").read_text() == after["data"]
    with pytest.raises(ApiError, match="detected modified configuration"):
        node.call("POST", "/nodes/{node}/hosts", data="x\n", digest=before["digest"] + "0")


@exercises("GET /nodes/{node}/time")
@exercises("PUT /nodes/{node}/time", "timezone")
def test_the_time_zone_is_the_nodes_own(node: Node) -> None:
    if not Path("/usr/share/zoneinfo/Asia/Tokyo").exists():
        pytest.skip("no time zones are installed (package tzdata)")
    node.call("PUT", "/nodes/{node}/time", timezone="Asia/Tokyo")
    seen = node.call("GET", "/nodes/{node}/time")
    assert seen["timezone"] == "Asia/Tokyo"
    assert seen["localtime"] - seen["time"] == 9 * 3600
    assert abs(seen["time"] - time.time()) < 5
    with pytest.raises(ApiError) as caught:
        node.call("PUT", "/nodes/{node}/time", timezone="../../etc/passwd")
    assert "timezone" in caught.value.errors


@exercises("GET /nodes/{node}/config", "property")
@exercises(
    "PUT /nodes/{node}/config", "description", "wakeonlan", "ballooning-target", "startall-onboot-delay", "location",
    "acme", "acmedomain0", "delete", "digest",
)  # fmt: skip
def test_a_nodes_options(node: Node) -> None:
    options: dict[str, Any] = {
        "description": "first line\nsecond: line",
        "wakeonlan": "BC:24:11:00:00:01,broadcast-address=192.0.2.255",
        "ballooning-target": 70,
        "startall-onboot-delay": 5,
        "location": "latitude=48.2,longitude=16.4,name=Vienna",
        "acme": "account=default,domains=a.example.com",
        "acmedomain0": "b.example.com,plugin=dns",
    }
    node.call("PUT", "/nodes/{node}/config", **options)
    seen = node.call("GET", "/nodes/{node}/config")
    assert seen["description"].rstrip("\n") == options["description"]
    assert {key: seen[key] for key in options if key != "description"} == {
        key: value for key, value in options.items() if key != "description"
    }
    assert node.call("GET", "/nodes/{node}/config", property="acme") == {"acme": options["acme"]}
    node.call("PUT", "/nodes/{node}/config", delete="acmedomain0,location", digest=seen["digest"])
    after = node.call("GET", "/nodes/{node}/config")
    assert not after.keys() & {"acmedomain0", "location"}
    with pytest.raises(ApiError, match="detected modified configuration"):
        node.call("PUT", "/nodes/{node}/config", delete="acme", digest=seen["digest"])


@exercises("POST /nodes/{node}/wakeonlan")
def test_a_node_with_an_address_is_woken(node: Node) -> None:
    node.call("PUT", "/nodes/{node}/config", wakeonlan="BC:24:11:00:00:02,broadcast-address=127.0.0.1")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sleeper:
        try:
            sleeper.bind(("127.0.0.1", 9))
        except OSError:
            pytest.skip("UDP port 9 is taken")
        sleeper.settimeout(10)
        assert node.call("POST", "/nodes/{node}/wakeonlan") == "BC:24:11:00:00:02"
        assert sleeper.recv(200) == b"\xff" * 6 + bytes.fromhex("bc2411000002") * 16


@exercises("POST /nodes/{node}/wakeonlan", refused=True)
def test_a_node_without_an_address_can_not_be_woken(node: Node) -> None:
    with pytest.raises(ApiError, match="No wake on LAN MAC address defined for 'other'!"):
        node.call("POST", "/nodes/other/wakeonlan")


@exercises("POST /nodes/{node}/status", "command", refused=True)
def test_a_node_below_a_root_does_not_take_the_machine_with_it(node: Node) -> None:
    with pytest.raises(ApiError, match="its machine is not its own to reboot"):
        node.call("POST", "/nodes/{node}/status", command="reboot")


@exercises("GET /nodes/{node}/subscription")
@exercises("POST /nodes/{node}/subscription", "force")
def test_no_subscription_is_needed(node: Node) -> None:
    assert node.call("GET", "/nodes/{node}/subscription")["status"] == "notfound"
    node.call("POST", "/nodes/{node}/subscription", force=True)


@exercises("GET /nodes/{node}/report")
@exercises("GET /nodes/{node}/netstat")
@exercises("GET /nodes/{node}/aplinfo")
@exercises("GET /nodes/{node}/certificates")
@exercises("GET /nodes/{node}/certificates/info")
def test_what_else_a_node_tells(node: Node) -> None:
    report = node.call("GET", "/nodes/{node}/report")
    assert "==== memory ====" in report
    assert "corral-test-password" not in report
    assert node.call("GET", "/nodes/{node}/netstat") == []
    assert node.call("GET", "/nodes/{node}/aplinfo") == []
    assert names(node.call("GET", "/nodes/{node}/certificates"), "name") == {"info"}
    infos = node.call("GET", "/nodes/{node}/certificates/info")
    prints = {info["filename"]: info["fingerprint"].replace(":", "").lower() for info in infos}
    assert prints["node.pem"] == node.fingerprint.replace(":", "").lower()
    assert "localhost" in next(info["san"] for info in infos if info["filename"] == "node.pem")


# --- logs and services


@exercises("GET /nodes/{node}/syslog", "start", "limit", "service", "since", "until")
def test_the_system_log_is_paged_and_filtered(node: Node) -> None:
    lines = node.call("GET", "/nodes/{node}/syslog", limit=0)
    assert any("corrald of node n1 is ready" in line["t"] for line in lines)
    assert [line["n"] for line in lines] == list(range(1, len(lines) + 1))
    page = node.call("GET", "/nodes/{node}/syslog", start=1, limit=1)
    assert page == lines[1:2]
    own = node.call("GET", "/nodes/{node}/syslog", service="corral-api", limit=0)
    assert own
    assert all("corral-api" in line["t"] for line in own)
    assert node.call("GET", "/nodes/{node}/syslog", since="2990-01-01") == []
    assert node.call("GET", "/nodes/{node}/syslog", until="2001-01-01 10:00:00") == []
    with pytest.raises(ApiError):
        node.call("GET", "/nodes/{node}/syslog", since="2024-99-99")


@exercises(
    "GET /nodes/{node}/journal",
    "lastentries", "startcursor", "endcursor", "since", "until", "service", "unit", "priority", "kernel", "structured",
    "units", "identifiers",
)  # fmt: skip
def test_the_journal_has_cursors(node: Node) -> None:
    first, *lines, last = node.call("GET", "/nodes/{node}/journal")
    assert len(lines) >= 2
    two = node.call("GET", "/nodes/{node}/journal", lastentries=2)
    assert two[-1] == last
    assert len(two) == 4
    rest = node.call("GET", "/nodes/{node}/journal", startcursor=first)
    assert lines[0] not in rest[1:-1]
    before = node.call("GET", "/nodes/{node}/journal", endcursor=last)
    assert last not in before[1:]
    filters: dict[str, Any]
    for filters in ({"since": int(time.time()) + 99}, {"until": 1}, {"priority": "0..2"}, {"kernel": True}):
        assert node.call("GET", "/nodes/{node}/journal", **filters) == []
    assert len(node.call("GET", "/nodes/{node}/journal", unit="corral-api", service="nothing")) > 2
    entry = json.loads(node.call("GET", "/nodes/{node}/journal", structured=True)[0])
    assert entry["text"] == lines[0]
    assert "corrald" in node.call("GET", "/nodes/{node}/journal", units=True)
    assert "corrald" in node.call("GET", "/nodes/{node}/journal", identifiers=True)


@exercises("GET /nodes/{node}/services")
@exercises("GET /nodes/{node}/services/{service}")
@exercises("GET /nodes/{node}/services/{service}/state")
@exercises("POST /nodes/{node}/services/{service}/restart")
@exercises("POST /nodes/{node}/services/{service}/reload")
@exercises("POST /nodes/{node}/services/{service}/reload", refused=True)
@exercises("POST /nodes/{node}/services/{service}/stop")
@exercises("POST /nodes/{node}/services/{service}/stop", refused=True)
@exercises("POST /nodes/{node}/services/{service}/start")
def test_services_are_the_supervisors(node: Node) -> None:
    rows = {row["service"]: row for row in node.call("GET", "/nodes/{node}/services")}
    assert rows["pvedaemon"]["state"] == "running"
    assert rows["corosync"]["unit-state"] == "not-found"
    assert node.call("GET", "/nodes/{node}/services/pveproxy/state") == rows["pveproxy"]
    assert "restart" in names(node.call("GET", "/nodes/{node}/services/pveproxy"), "subdir")
    node.do("POST", "/nodes/{node}/services/pvedaemon/start")  # it runs already
    node.do("POST", "/nodes/{node}/services/corosync/stop")  # it does not
    with pytest.raises(ApiError, match="keeps 'pvedaemon' running"):
        node.call("POST", "/nodes/{node}/services/pvedaemon/stop")
    with pytest.raises(ApiError, match="does not run on this node"):
        node.call("POST", "/nodes/{node}/services/sshd/reload")
    reload = node.call("POST", "/nodes/{node}/services/pveproxy/reload")
    assert _patiently(lambda: node.wait(reload)) == "OK"
    upid = _patiently(lambda: str(node.call("POST", "/nodes/{node}/services/pvedaemon/restart")))
    assert ":srvrestart:pvedaemon:" in upid
    # corrald itself goes away meanwhile; the worker outlives it.
    assert _patiently(lambda: node.wait(upid, 30)) == "OK"
    assert node.call("GET", "/nodes/{node}/services/pvedaemon/state")["state"] == "running"


# --- what the machine has


@exercises("GET /nodes/{node}/hardware")
@exercises("GET /nodes/{node}/hardware/pci", "pci-class-blacklist", "verbose")
@exercises("GET /nodes/{node}/hardware/usb")
def test_hardware(node: Node) -> None:
    assert names(node.call("GET", "/nodes/{node}/hardware"), "type") == {"pci", "usb"}
    everything: dict[str, Any] = {"pci-class-blacklist": ""}
    found = node.call("GET", "/nodes/{node}/hardware/pci", **everything)
    devices = Path("/sys/bus/pci/devices")
    assert names(found, "id") == (set(os.listdir(devices)) if devices.is_dir() else set())
    brief = node.call("GET", "/nodes/{node}/hardware/pci", verbose=False, **everything)
    assert all(row.keys() == {"id", "class"} for row in brief)
    if found:
        hidden = brief[0]["class"][2:]
        shown = node.call("GET", "/nodes/{node}/hardware/pci", **{**everything, "pci-class-blacklist": hidden})
        assert not any(row["class"] == brief[0]["class"] for row in shown)
    assert isinstance(node.call("GET", "/nodes/{node}/hardware/usb"), list)


@exercises("GET /nodes/{node}/hardware/pci/{pci-id-or-mapping}")
@exercises("GET /nodes/{node}/hardware/pci/{pci-id-or-mapping}/mdev")
@exercises("GET /nodes/{node}/hardware/pci/{pci-id-or-mapping}/mdev", refused=True)
def test_a_pci_device_by_its_address(node: Node) -> None:
    devices = Path("/sys/bus/pci/devices")
    if not devices.is_dir() or not (addresses := sorted(os.listdir(devices))):
        pytest.skip("this machine has no PCI devices")
    base = f"/nodes/{{node}}/hardware/pci/{addresses[0]}"
    assert names(node.call("GET", base), "method") == {"mdev"}
    kinds = devices / addresses[0] / "mdev_supported_types"
    assert len(node.call("GET", f"{base}/mdev")) == (len(os.listdir(kinds)) if kinds.is_dir() else 0)
    with pytest.raises(ApiError, match=r"no such PCI device 'ff:1f\.7'"):
        node.call("GET", "/nodes/{node}/hardware/pci/ff:1f.7/mdev")


@exercises("GET /nodes/{node}/capabilities/qemu/cpu", "arch")
@exercises("GET /nodes/{node}/capabilities/qemu/cpu-flags", "arch", "accel")
@exercises("GET /nodes/{node}/capabilities/qemu/machines", "arch")
@exercises("GET /nodes/{node}/capabilities/qemu/migration")
@exercises("GET /nodes/{node}/capabilities")
@exercises("GET /nodes/{node}/capabilities/qemu")
def test_capabilities(node: Node) -> None:
    base = "/nodes/{node}/capabilities/qemu"
    assert names(node.call("GET", "/nodes/{node}/capabilities"), "name") == {"qemu"}
    assert names(node.call("GET", base), "name") == {"cpu", "cpu-flags", "machines", "migration"}
    models = {row["name"]: row for row in node.call("GET", f"{base}/cpu", arch="x86_64")}
    assert models["host"]["custom"] == 0
    assert models["EPYC"]["vendor"] == "AuthenticAMD"
    assert "x86-64-v2-AES" in models
    assert "cortex-a72" not in models
    assert "aes" in names(node.call("GET", f"{base}/cpu-flags", arch="x86_64", accel="kvm"), "name")
    machines = node.call("GET", f"{base}/machines", arch="x86_64")
    assert {"q35", "i440fx"} == names(machines, "type")
    assert machines[0]["id"].endswith(machines[0]["version"])
    assert "has-dbus-vmstate" in node.call("GET", f"{base}/migration")


@exercises("GET /nodes/{node}/network", "type")
@exercises("GET /nodes/{node}/network/{iface}")
@exercises("GET /nodes/{node}/network/{iface}", refused=True)
def test_network_interfaces_are_the_machines_and_the_files(node: Node) -> None:
    directory = node.root / "etc/network"
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "interfaces").write_text(
        "auto vmbr7\niface vmbr7 inet static\n\taddress 192.0.2.7/24\n"
        "\tbridge-ports none\n\tbridge-vlan-aware yes\n#office\n"
    )
    rows = {row["iface"]: row for row in node.call("GET", "/nodes/{node}/network")}
    assert "lo" not in rows
    bridge = rows["vmbr7"]
    assert (bridge["type"], bridge["cidr"], bridge["autostart"]) == ("bridge", "192.0.2.7/24", 1)
    assert bridge["bridge_vlan_aware"] == 1
    assert "active" not in bridge
    assert names(node.call("GET", "/nodes/{node}/network", type="any_bridge"), "iface") >= {"vmbr7"}
    assert "vmbr7" not in names(node.call("GET", "/nodes/{node}/network", type="eth"), "iface")
    assert node.call("GET", "/nodes/{node}/network/vmbr7")["comments"] == "office\n"
    with pytest.raises(ApiError) as caught:
        node.call("GET", "/nodes/{node}/network/nothing0")
    assert caught.value.errors == {"iface": "interface does not exist"}


@exercises("GET /nodes/{node}/scan")
@exercises("GET /nodes/{node}/scan/pbs", "server", "username", "password", refused=True)
def test_scans_say_what_is_missing(node: Node) -> None:
    assert {"nfs", "lvm", "zfs"} <= names(node.call("GET", "/nodes/{node}/scan"), "method")
    with pytest.raises(ApiError, match="not supported"):
        node.call("GET", "/nodes/{node}/scan/pbs", server="127.0.0.1", username="a@pbs", password="b")
    with pytest.raises(ApiError) as caught:
        node.call("GET", "/nodes/{node}/scan/nfs", server="-oProxyCommand=x")
    assert caught.value.status == 400


# --- the cluster


@exercises("GET /cluster")
@exercises("GET /cluster/status")
@exercises("GET /cluster/resources", "type")
def test_the_cluster_of_one(node: Node) -> None:
    assert {"resources", "status", "options", "log"} <= names(node.call("GET", "/cluster"), "name")
    (status,) = node.call("GET", "/cluster/status")
    assert (status["type"], status["name"], status["local"], status["online"]) == ("node", "n1", 1, 1)
    rows = node.call("GET", "/cluster/resources")
    assert {"node", "storage"} <= names(rows, "type")
    for kind in ("node", "storage"):
        assert names(node.call("GET", "/cluster/resources", type=kind), "type") == {kind}
    local = next(row for row in rows if row.get("storage") == "local")
    assert (local["id"], local["status"], local["plugintype"]) == ("storage/n1/local", "available", "dir")
    assert local["maxdisk"] > local["disk"] > 0
    assert node.call("GET", "/cluster/resources", type="sdn") == []


def test_a_new_storage_is_listed_at_once(node: Node, tmp_path: Path) -> None:
    node.call("POST", "/storage", storage="extra", type="dir", path=str(tmp_path))
    assert "extra" in names(node.call("GET", "/cluster/resources", type="storage"), "storage")
    node.call("DELETE", "/storage/extra")
    assert "extra" not in names(node.call("GET", "/cluster/resources", type="storage"), "storage")


@exercises("GET /nodes/{node}/query-url-metadata", "url", "verify-certificates")
def test_a_file_on_the_web_is_described(node: Node) -> None:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _OneFile) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        where: dict[str, Any] = {"url": f"http://127.0.0.1:{server.server_port}/x", "verify-certificates": 0}
        seen = node.call("GET", "/nodes/{node}/query-url-metadata", **where)
        server.shutdown()
    assert seen == {"filename": "disk.iso", "size": 12, "mimetype": "application/x-iso9660-image"}


class _OneFile(http.server.BaseHTTPRequestHandler):
    def do_HEAD(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "12")
        self.send_header("Content-Type", "application/x-iso9660-image")
        self.send_header("Content-Disposition", 'attachment; filename="disk.iso"')
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing."""


@exercises("GET /cluster/options")
@exercises(
    "PUT /cluster/options",
    "keyboard", "language", "console", "description", "email_from", "fencing", "ha", "http_proxy", "mac_prefix",
    "max_workers", "migration", "migration_unsecure", "next-id", "notify", "registered-tags", "replication",
    "tag-style", "u2f", "user-tag-access", "webauthn", "bwlimit", "consent-text", "crs", "location", "delete",
)  # fmt: skip
@exercises("GET /cluster/nextid", "vmid")
def test_every_option_of_the_cluster_is_kept(node: Node) -> None:
    options: dict[str, Any] = {
        "bwlimit": "default=1024,restore=512",
        "consent-text": "be nice",
        "console": "html5",
        "crs": "ha=static,ha-rebalance-on-start=1",
        "description": "ours",
        "email_from": "root@example.com",
        "fencing": "watchdog",
        "ha": "shutdown_policy=migrate",
        "http_proxy": "http://proxy.example.com:3128",
        "keyboard": "de",
        "language": "fr",
        "location": "latitude=1.5,longitude=2",
        "mac_prefix": "AA:BB:CC",
        "max_workers": 3,
        "migration": "secure,network=192.0.2.0/24",
        "migration_unsecure": 0,
        "next-id": "lower=700,upper=800",
        "notify": "fencing=always",
        "registered-tags": "a;b",
        "replication": "insecure",
        "tag-style": "shape=full",
        "u2f": "appid=https://a.example.com",
        "user-tag-access": "user-allow=list,user-allow-list=c",
        "webauthn": "id=a.example.com,rp=a",
    }
    node.call("PUT", "/cluster/options", **options)
    seen = node.call("GET", "/cluster/options")
    assert options.keys() <= seen.keys()
    for key in ("keyboard", "mac_prefix", "bwlimit", "max_workers", "http_proxy"):
        assert seen[key] == options[key]
    assert seen["migration"] == {"type": "secure", "network": "192.0.2.0/24"}
    assert seen["registered-tags"] == ["a", "b"]
    assert seen["allowed-tags"] == ["a", "b", "c"]
    first, second = node.call("GET", "/cluster/nextid"), node.call("GET", "/cluster/nextid")
    assert 700 <= int(first) < int(second) < 800
    assert node.call("GET", "/cluster/nextid", vmid=4321) == 4321
    node.call("PUT", "/cluster/options", delete=",".join(options))
    assert node.call("GET", "/cluster/options") == {"allowed-tags": []}


@exercises("PUT /cluster/options", "next-id", refused=True)
def test_a_wrong_option_of_the_cluster_is_refused(node: Node) -> None:
    wrong: dict[str, Any] = {"next-id": "lower=x", "keyboard": "klingon"}
    with pytest.raises(ApiError) as caught:
        node.call("PUT", "/cluster/options", **wrong)
    assert caught.value.errors.keys() == {"next-id", "keyboard"}


@exercises("GET /cluster/log", "max")
@exercises("GET /cluster/tasks")
def test_the_clusters_log_says_who_changed_what(node: Node) -> None:
    node.call("PUT", "/cluster/options", keyboard="it")
    entries = node.call("GET", "/cluster/log", max=3)
    assert entries[0]["user"] == "admin@pve"
    assert entries[0]["msg"].startswith("changed datacenter.cfg") or entries[0]["msg"].startswith(
        "created datacenter.cfg"
    )
    assert entries[0]["node"] == "n1"
    node.call("PUT", "/cluster/options", delete="keyboard")
    assert isinstance(node.call("GET", "/cluster/tasks"), list)


# --- history


@exercises("GET /nodes/{node}/rrddata", "timeframe", "cf")
def test_the_history_has_every_time_frame(node: Node) -> None:
    end = time.monotonic() + 25
    rows: list[dict[str, Any]] = []
    while not any("memused" in row for row in rows):
        assert time.monotonic() < end, "no sample within 25 s"
        time.sleep(0.2)
        rows = node.call("GET", "/nodes/{node}/rrddata", timeframe="hour")
    assert len(rows) == 60
    assert [row["time"] % 60 for row in rows] == [0] * 60
    for timeframe, count in (("day", 1440), ("week", 336), ("month", 1440), ("year", 1460), ("decade", 570)):
        assert len(node.call("GET", "/nodes/{node}/rrddata", timeframe=timeframe, cf="MAX")) == count


# --- several calls, and the shell


@exercises("POST /nodes/{node}/execute", "commands", refused=True)
def test_a_batch_is_for_root_alone(node: Node) -> None:
    batch = json.dumps([{"method": "GET", "path": "version"}])
    with pytest.raises(ApiError) as caught:
        node.call("POST", "/nodes/{node}/execute", commands=batch)
    assert (caught.value.status, caught.value.reason) == (403, "Permission check failed (user != root@pam)")


@exercises("POST /nodes/{node}/execute", "commands")
def test_root_makes_several_calls_at_once(node: Node) -> None:
    batch = [
        {"method": "GET", "path": "version"},
        {"method": "GET", "path": "/nodes/n1/nonsense"},
        {"method": "PUT", "path": "cluster/options", "args": {"keyboard": "klingon"}},
        {"method": "PUT", "path": "cluster/options", "args": {"keyboard": "sl"}},
    ]
    done = node.tool("pvesh", "create", "/nodes/n1/execute", "--commands", json.dumps(batch), "--output-format", "json")
    assert done.returncode == 0, done.stderr
    outcomes = json.loads(done.stdout)
    assert [outcome["status"] for outcome in outcomes] == [200, 501, 400, 200]
    assert outcomes[0]["data"]["release"] == "9.2"
    assert "keyboard" in outcomes[2]["errors"]
    assert node.call("GET", "/cluster/options")["keyboard"] == "sl"
    node.call("PUT", "/cluster/options", delete="keyboard")


@exercises("POST /nodes/{node}/termproxy", "cmd", "cmd-opts")
@exercises("GET /nodes/{node}/vncwebsocket", "port", "vncticket")
def test_the_nodes_shell_asks_for_a_log_in(node: Node) -> None:
    none: dict[str, Any] = {"cmd-opts": ""}
    session = node.call("POST", "/nodes/{node}/termproxy", cmd="login", **none)
    assert session["user"] == "admin@pve"
    with _websocket(node, session) as terminal:
        terminal.send(f"{session['user']}:{session['ticket']}\n".encode())
        assert terminal.until(b"OK").startswith(b"OK")
        terminal.send(b"1:100:30:")
        assert b"login:" in terminal.until(b"login:")


@exercises("POST /nodes/{node}/vncshell", "cmd", "cmd-opts", "websocket", "width", "height")
def test_the_nodes_shell_as_pixels(node: Node) -> None:
    none: dict[str, Any] = {"cmd-opts": ""}
    session = node.call("POST", "/nodes/{node}/vncshell", cmd="login", websocket=True, width=800, height=390, **none)
    assert session["cert"].startswith("-----BEGIN CERTIFICATE-----")
    with _websocket(node, session) as console:
        console.until(b"RFB 003.008\n")
        console.send(b"RFB 003.008\n")
        console.until(b"\x01\x01")
        console.send(b"\x01")
        console.until(b"\0\0\0\0")
        console.send(b"\x01")
        hello = console.until(b"shell")
        assert struct.unpack("!HH", hello[:4]) == (800, 390)
        time.sleep(0.5)
        console.send(struct.pack("!BBHHHH", 3, 0, 0, 0, 800, 390))
        update = console.take(4 + 30 * 12 + 800 * 390 * 4)
        assert update[:4] == struct.pack("!BxH", 0, 30)
        assert len({update[at : at + 4] for at in range(16, 16 + 800 * 13 * 4, 4)}) > 1, "the screen is blank"


@exercises("POST /nodes/{node}/termproxy", "cmd", refused=True)
def test_other_commands_are_for_root_alone(node: Node) -> None:
    with pytest.raises(ApiError) as caught:
        node.call("POST", "/nodes/{node}/termproxy", cmd="upgrade")
    assert caught.value.status == 403


class _websocket:
    """A minimal WebSocket client: masked, unfragmented binary frames."""

    def __init__(self, node: Node, session: dict[str, Any]) -> None:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        raw = socket.create_connection(("127.0.0.1", node.port), timeout=20)
        self._socket = context.wrap_socket(raw)
        query = urllib.parse.urlencode({"port": session["port"], "vncticket": session["ticket"]})
        key = base64.b64encode(os.urandom(16)).decode()
        head = [
            f"GET /api2/json/nodes/{node.name}/vncwebsocket?{query} HTTP/1.1",
            "Host: localhost",
            "Upgrade: websocket",
            "Connection: Upgrade",
            f"Sec-WebSocket-Key: {key}",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Protocol: binary",
            *(f"{name}: {value}" for name, value in node.headers.items()),
        ]
        self._socket.sendall(("\r\n".join(head) + "\r\n\r\n").encode())
        self._buffer = b""
        while b"\r\n\r\n" not in self._buffer:
            self._more()
        answer, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
        assert b" 101 " in answer.split(b"\r\n")[0], answer
        self._seen = b""

    def __enter__(self) -> _websocket:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def _more(self) -> None:
        data = self._socket.recv(65536)
        assert data, "the connection ended"
        self._buffer += data

    def send(self, data: bytes) -> None:
        mask = os.urandom(4)
        masked = bytes(byte ^ mask[index % 4] for index, byte in enumerate(data))
        length = struct.pack("!B", 0x80 | len(data)) if len(data) < 126 else struct.pack("!BH", 0xFE, len(data))
        self._socket.sendall(b"\x82" + length + mask + masked)

    def until(self, wanted: bytes) -> bytes:
        """Bytes up to and with `wanted`."""
        while wanted not in self._seen:
            self._seen += self._frame()
        seen, _, self._seen = self._seen.partition(wanted)
        return seen + wanted

    def take(self, count: int) -> bytes:
        """That many bytes."""
        while len(self._seen) < count:
            self._seen += self._frame()
        taken, self._seen = self._seen[:count], self._seen[count:]
        return taken

    def _frame(self) -> bytes:
        while len(self._buffer) < 4:
            self._more()
        length, start = self._buffer[1] & 0x7F, 2
        if length == 126:
            length, start = struct.unpack("!H", self._buffer[2:4])[0], 4
        elif length == 127:
            while len(self._buffer) < 10:
                self._more()
            length, start = struct.unpack("!Q", self._buffer[2:10])[0], 10
        while len(self._buffer) < start + length:
            self._more()
        code, data = self._buffer[0] & 0x0F, self._buffer[start : start + length]
        self._buffer = self._buffer[start + length :]
        return data if code in (0, 1, 2) else b""


# --- a bridge for a fresh machine


@exercises("GET /nodes/{node}/nat")
def test_the_plan_of_a_nat_bridge_names_what_it_would_do_and_does_nothing(node: Node) -> None:
    before = set(os.listdir("/sys/class/net"))
    answer = node.call("POST", "/nodes/{node}/nat", headers={"corral-plan": "1"}, bridge="vmbr9")
    text = json.dumps(answer["plan"])
    assert "makes bridge vmbr9" in text
    assert "dnsmasq" in text
    assert set(os.listdir("/sys/class/net")) == before
    assert node.call("GET", "/nodes/{node}/nat") == {"active": 0}


def test_what_is_planned_for_the_node_is_applied_by_token(node: Node) -> None:
    answer = node.call(
        "PUT", "/nodes/{node}/dns", headers={"corral-plan": "1"}, search="planned.example", dns1="192.0.2.8"
    )
    assert node.call("GET", "/nodes/{node}/dns").get("search") != "planned.example"
    headers = {"corral-apply": answer["token"]}
    node.call("PUT", "/nodes/{node}/dns", headers=headers, search="planned.example", dns1="192.0.2.8")
    assert node.call("GET", "/nodes/{node}/dns") == {"search": "planned.example", "dns1": "192.0.2.8"}
