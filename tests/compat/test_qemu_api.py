"""Configurations of virtual machines over HTTP, by an unmodified client library: every option goes in and comes out."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import urllib3
from proxmoxer import ProxmoxAPI, ResourceException

from tests.lab.node import PASSWORD, Node

pytestmark = pytest.mark.timeout(120)

OPTIONS: dict[str, Any] = {
    "acpi": 1,
    "affinity": "0-1",
    "amd-sev": "type=std",
    "agent": "1,fstrim_cloned_disks=1",
    "allow-ksm": 0,
    "arch": "x86_64",
    "audio0": "device=ich9-intel-hda,driver=none",
    "autostart": 1,
    "balloon": 256,
    "bios": "seabios",
    "boot": "order=scsi0;net0",
    "bootdisk": "scsi0",
    "cicustom": "user=local:snippets/user.yaml",
    "ciupgrade": 0,
    "ciuser": "ops",
    "citype": "nocloud",
    "cores": 2,
    "cpu": "qemu64,flags=+aes",
    "cpulimit": 1.5,
    "cpuunits": 200,
    "description": "# Notes\nwith a second line: 100 %",
    "freeze": 1,
    "hotplug": "network,disk",
    "hugepages": "any",
    "ide2": "none,media=cdrom",
    "ipconfig0": "ip=10.0.0.5/24,gw=10.0.0.1",
    "intel-tdx": "type=tdx,attestation=0",
    "ivshmem": "size=32",
    "keephugepages": 1,
    "keyboard": "de",
    "kvm": 0,
    "localtime": 1,
    "machine": "q35",
    "memory": "1024",
    "migrate_downtime": 0.5,
    "migrate_speed": 100,
    "name": "web-1.example.org",
    "nameserver": "10.0.0.2",
    "net0": "virtio=BC:24:11:00:00:01,link_down=1,rate=5",
    "numa": 1,
    "numa0": "cpus=0-1,memory=1024",
    "onboot": 1,
    "ostype": "l26",
    "protection": 1,
    "reboot": 0,
    "rng0": "source=/dev/urandom,max_bytes=1024,period=1000",
    "sata0": "none,media=cdrom",
    "scsihw": "virtio-scsi-single",
    "searchdomain": "example.org",
    "serial0": "socket",
    "shares": 500,
    "smbios1": "uuid=11111111-2222-3333-4444-555555555555,serial=MTIz,base64=1",
    "smp": 1,
    "sockets": 1,
    "spice_enhancements": "foldersharing=1",
    "sshkeys": "ssh-ed25519%20AAAA%20me",
    "startdate": "2026-01-31T12:00:00",
    "startup": "order=1,up=10,down=20",
    "tablet": 0,
    "tags": "prod;web",
    "tdf": 1,
    "usb0": "spice,usb3=1",
    "vcpus": 1,
    "vga": "virtio,memory=64",
    "vmgenid": "11111111-2222-3333-4444-666666666666",
    "vmstatestorage": "local",
    "watchdog": "model=i6300esb,action=reset",
}


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    with Node(tmp_path_factory.mktemp("qemu") / "root") as started:
        started.login()
        yield started


@pytest.fixture
def vms(node: Node) -> Any:
    urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
    api = ProxmoxAPI(f"127.0.0.1:{node.port}", user="admin@pve", password=PASSWORD, verify_ssl=False)
    return api.nodes("n1")


def wait(vms: Any, upid: str) -> None:
    end = time.monotonic() + 60
    while (status := vms.tasks(upid).status.get())["status"] == "running":
        assert time.monotonic() < end
        time.sleep(0.05)
    assert status["exitstatus"] == "OK", vms.tasks(upid).log.get()


def remove(vms: Any, vmid: int) -> None:
    vms.qemu(vmid).config.put(protection=0)
    wait(vms, vms.qemu(vmid).delete())


@pytest.mark.exercises("POST /nodes/{node}/qemu", "vmid", *OPTIONS)
@pytest.mark.exercises("GET /nodes/{node}/qemu/{vmid}/config")
def test_every_option_is_set_by_create(vms: Any) -> None:
    wait(vms, vms.qemu.post(vmid=200, **OPTIONS))
    config = vms.qemu(200).config.get()
    assert {key: config.get(key) for key in OPTIONS} == OPTIONS
    assert set(config) == {*OPTIONS, "digest", "meta"}
    remove(vms, 200)


@pytest.mark.exercises("PUT /nodes/{node}/qemu/{vmid}/config", *OPTIONS, "delete", "digest")
@pytest.mark.exercises("PUT /nodes/{node}/qemu/{vmid}/config", "digest", refused=True)
def test_every_option_is_set_and_removed_by_put(vms: Any) -> None:
    wait(vms, vms.qemu.post(vmid=201))
    digest = vms.qemu(201).config.get()["digest"]
    vms.qemu(201).config.put(digest=digest, **OPTIONS)
    config = vms.qemu(201).config.get()
    assert {key: config.get(key) for key in OPTIONS} == OPTIONS
    with pytest.raises(ResourceException, match="detected modified configuration - file changed by other user"):
        vms.qemu(201).config.put(digest=digest, memory=64)
    vms.qemu(201).config.put(protection=0)
    vms.qemu(201).config.put(delete=",".join(OPTIONS))
    assert set(vms.qemu(201).config.get()) == {"digest", "meta"}
    remove(vms, 201)


@pytest.mark.exercises("POST /nodes/{node}/qemu/{vmid}/config", *OPTIONS, "delete", "digest")
def test_every_option_is_set_and_removed_by_a_task(vms: Any) -> None:
    wait(vms, vms.qemu.post(vmid=202))
    digest = vms.qemu(202).config.get()["digest"]
    wait(vms, vms.qemu(202).config.post(digest=digest, **OPTIONS))
    config = vms.qemu(202).config.get()
    assert {key: config.get(key) for key in OPTIONS} == OPTIONS
    wait(vms, vms.qemu(202).config.post(delete="memory,cores"))
    assert not {"memory", "cores"} & set(vms.qemu(202).config.get())
    remove(vms, 202)


@pytest.mark.exercises("POST /nodes/{node}/qemu", "vmid", "ide0", "sata1", "scsi0", "virtio0", "cdrom")
@pytest.mark.exercises("PUT /nodes/{node}/qemu/{vmid}/unlink", "idlist")
@pytest.mark.exercises("PUT /nodes/{node}/qemu/{vmid}/config", "scsi1")
def test_disks_on_every_bus_are_made_dropped_and_attached_again(vms: Any) -> None:
    disks = {"ide0": "local:1", "sata1": "local:1,format=qcow2", "scsi0": "local:0.5", "virtio0": "local:1,serial=abc"}
    wait(vms, vms.qemu.post(vmid=203, cdrom="none", **disks))
    config = vms.qemu(203).config.get()
    assert config["scsi0"] == "local:203/vm-203-disk-2.raw,size=512M"
    assert config["virtio0"] == "local:203/vm-203-disk-3.raw,serial=abc,size=1G"
    assert config["ide2"] == "none,media=cdrom"
    vms.qemu(203).unlink.put(idlist="scsi0,ide0")
    config = vms.qemu(203).config.get()
    assert {config["unused0"], config["unused1"]} == {"local:203/vm-203-disk-0.raw", "local:203/vm-203-disk-2.raw"}
    vms.qemu(203).config.put(scsi1=config["unused0"])
    after = vms.qemu(203).config.get()
    assert "unused0" not in after
    assert after["scsi1"].startswith(config["unused0"])
    wait(vms, vms.qemu(203).delete(**{"destroy-unreferenced-disks": 1}))
    assert vms.storage("local").content.get(vmid=203) == []


@pytest.mark.exercises("POST /nodes/{node}/qemu", "vmid", "memory", refused=True)
@pytest.mark.exercises("PUT /nodes/{node}/qemu/{vmid}/config", "delete", "revert", refused=True)
@pytest.mark.exercises("DELETE /nodes/{node}/qemu/{vmid}", refused=True)
def test_refusals_have_the_words_that_clients_match(vms: Any) -> None:
    wait(vms, vms.qemu.post(vmid=204))
    with pytest.raises(ResourceException, match="VM 204 already exists on node 'n1'") as caught:
        vms.qemu.post(vmid=204)
    assert caught.value.status_code == 500
    with pytest.raises(ResourceException) as caught:
        vms.qemu.post(vmid=205, memory="much", cores=0, net0="no-such-card", nonsense=1)
    assert caught.value.status_code == 400
    assert set(caught.value.errors) == {"memory", "cores", "net0", "nonsense"}
    with pytest.raises(ResourceException, match=r"nodes/n1/qemu-server/999\.conf' does not exist"):
        vms.qemu(999).config.get()
    with pytest.raises(ResourceException) as caught:
        vms.qemu(204).config.put(delete="no-such-option")
    assert "unknown option" in str(caught.value.errors)
    with pytest.raises(ResourceException):
        vms.qemu(204).config.put(memory=64, delete="memory")
    with pytest.raises(ResourceException):
        vms.qemu(204).config.put(memory=64, revert="memory")
    with pytest.raises(ResourceException, match="only root"):
        vms.qemu(204).config.put(lock="backup")
    vms.qemu(204).config.put(protection=1)
    with pytest.raises(ResourceException, match="can't remove VM 204 - protection mode enabled"):
        vms.qemu(204).delete()
    remove(vms, 204)


@pytest.mark.exercises("POST /nodes/{node}/qemu", "pool", "start", "memory")
@pytest.mark.exercises("POST /nodes/{node}/qemu/{vmid}/vncproxy", "websocket", "generate-password")
@pytest.mark.exercises("POST /nodes/{node}/qemu/{vmid}/status/stop", "timeout", "overrule-shutdown")
def test_a_guest_without_a_number_gets_one_and_starts_in_its_pool(node: Node, vms: Any) -> None:
    node.call("POST", "/pools", poolid="lab")
    upid = vms.qemu.post(memory=32, pool="lab", start=1)
    wait(vms, upid)
    vmid = int(upid.split(":")[6])
    assert vms.qemu(vmid).status.current.get()["status"] == "running"
    members = node.call("GET", "/pools/lab")["members"]
    assert [member["vmid"] for member in members] == [vmid]
    console = vms.qemu(vmid).vncproxy.post(websocket=1, **{"generate-password": 1})
    assert len(console["password"]) == 8
    assert 5900 <= console["port"] <= 5999
    shutdown = vms.qemu(vmid).status.shutdown.post(timeout=600)
    wait(vms, vms.qemu(vmid).status.stop.post(timeout=5, **{"overrule-shutdown": 1}))
    assert vms.tasks(shutdown).status.get()["exitstatus"] != "OK"
    wait(vms, vms.qemu(vmid).delete())
    assert node.call("GET", "/pools/lab")["members"] == []


@pytest.mark.exercises(
    "PUT /nodes/{node}/qemu/{vmid}/config", "cipassword", "efidisk0", "tpmstate0", "cdrom", "virtio0"
)
@pytest.mark.exercises("POST /nodes/{node}/qemu/{vmid}/config", "cipassword", "efidisk0", "cdrom", "virtio1", "force")
@pytest.mark.exercises("POST /nodes/{node}/qemu/{vmid}/config", "revert", "memory")
def test_volumes_and_secrets_of_a_stopped_guest(vms: Any) -> None:
    wait(vms, vms.qemu.post(vmid=206))
    vms.qemu(206).config.put(
        cipassword="a secret word", tpmstate0="local:1,version=v2.0", cdrom="none", virtio0="local:1"
    )
    config = vms.qemu(206).config.get()
    assert config["cipassword"] == "**********"
    assert config["tpmstate0"] == "local:206/vm-206-disk-0.raw,size=4M,version=v2.0"
    assert config["ide2"] == "none,media=cdrom"
    wait(vms, vms.qemu(206).config.post(cipassword="another secret", cdrom="none", virtio1="local:1"))
    assert vms.qemu(206).config.get()["virtio1"].endswith("size=1G")
    wait(vms, vms.qemu(206).config.post(memory=64))
    wait(vms, vms.qemu(206).config.post(delete="virtio1", force=1))
    wait(vms, vms.qemu(206).config.post(revert="memory"))
    after = vms.qemu(206).config.get()
    assert "virtio1" not in after
    assert not [key for key in after if key.startswith("unused")]
    firmware = any(Path(f"/usr/share/OVMF/{name}").exists() for name in ("OVMF_VARS.fd", "OVMF_VARS_4M.fd"))
    if not firmware:
        pytest.skip("OVMF is not installed")
    vms.qemu(206).config.put(efidisk0="local:1,efitype=4m")
    assert "528K" in vms.qemu(206).config.get()["efidisk0"]
    vms.qemu(206).config.put(delete="efidisk0", force=1)
    wait(vms, vms.qemu(206).config.post(efidisk0="local:1,efitype=4m"))
    remove(vms, 206)


@pytest.mark.exercises("GET /nodes/{node}/qemu/{vmid}/rrddata", "timeframe", "cf")
@pytest.mark.exercises("GET /nodes/{node}/qemu/{vmid}")
@pytest.mark.exercises("GET /nodes/{node}/qemu/{vmid}/agent")
@pytest.mark.exercises("GET /nodes/{node}/qemu/{vmid}/status")
def test_what_is_below_a_guest_is_listed_and_its_history_is_there(vms: Any) -> None:
    wait(vms, vms.qemu.post(vmid=207, memory=32))
    assert {"config", "status", "agent", "rrddata"} <= {row["subdir"] for row in vms.qemu(207).get()}
    assert {"ping", "exec", "get-osinfo"} <= {row["name"] for row in vms.qemu(207).agent.get()}
    assert {"current", "start", "stop"} <= {row["subdir"] for row in vms.qemu(207).status.get()}
    assert isinstance(vms.qemu(207).rrddata.get(timeframe="hour", cf="MAX"), list)
    remove(vms, 207)
