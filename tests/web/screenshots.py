"""`./dev screenshots [--out DIR] [NAME…]`: every main page, on desktop and phone, light and dark, from a real node.

The pictures in the docs are made by this, so that they show what there is. A scene that can't be reached is an error.
"""

from __future__ import annotations

import argparse
import base64
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from tests.lab import guest as lab_guest
from tests.lab.node import Node
from tests.web.browser import DESKTOP, PHONE, ROOT, Screen, Theme, Visitor, launch

OUT = ROOT / "docs" / "screenshots"
SCREENS: dict[str, Screen] = {"desktop": DESKTOP, "phone": PHONE}
THEMES: tuple[Theme, ...] = ("light", "dark")
VMID = 100
AS_WEBP = """
async png => {
  const picture = new Image()
  picture.src = 'data:image/png;base64,' + png
  await picture.decode()
  const canvas = document.createElement('canvas')
  canvas.width = picture.width
  canvas.height = picture.height
  canvas.getContext('2d').drawImage(picture, 0, 0)
  return canvas.toDataURL('image/webp', 0.85).split(',')[1]
}
"""


def _nothing(_: Page) -> None:
    return


@dataclass(frozen=True)
class Scene:
    """A page, and what is done there before the picture is taken. `wait`: seconds for things that grow (consoles)."""

    name: str
    path: str
    act: Callable[[Page], None] = _nothing
    wait: float = 0.8


def _search(page: Page) -> None:
    page.keyboard.press("Control+k")
    page.get_by_role("dialog").get_by_role("combobox").fill("web prdo")


def _review(page: Page) -> None:
    page.get_by_role("button", name="Edit notes").first.click()
    page.get_by_role("dialog").get_by_role("textbox").first.fill("Serves the shop.\n\n*Ask before stopping it.*")
    page.get_by_role("dialog").get_by_role("button", name="Review").click()
    page.get_by_role("region", name="Plan").wait_for()


def _first_change(page: Page) -> None:
    page.get_by_role("listitem").get_by_role("button").first.click()


SCENES = (
    Scene("overview", "/"),
    Scene("guests", "/guests"),
    Scene("guest-summary", f"/guests/{VMID}/summary", wait=2),
    Scene("guest-console", f"/guests/{VMID}/console", wait=5),
    Scene("guest-hardware", f"/guests/{VMID}/hardware"),
    Scene("guest-options", f"/guests/{VMID}/options"),
    Scene("guest-cloudinit", f"/guests/{VMID}/cloudinit"),
    Scene("guest-history", f"/guests/{VMID}/history"),
    Scene("plan", f"/guests/{VMID}/summary", _review),
    Scene("create", "/guests?create=vm"),
    Scene("search", "/guests", _search),
    Scene("nodes", "/nodes"),
    Scene("node-summary", "/nodes/n1/summary", wait=2),
    Scene("node-network", "/nodes/n1/network"),
    Scene("node-log", "/nodes/n1/log"),
    Scene("storages", "/storage"),
    Scene("storage-content", "/storage/n1/local/images"),
    Scene("pools", "/pools"),
    Scene("tasks", "/tasks"),
    Scene("history", "/history"),
    Scene("datacenter", "/datacenter/options"),
    Scene("users", "/access/users"),
    Scene("permissions", "/access/permissions"),
    Scene("effective", "/access/effective"),
    Scene("api-explorer", "/api-explorer"),
)


def furnish(node: Node, image: Path) -> None:
    """What makes pages worth looking at: one real machine that runs, many made up, people, changes."""
    node.login()
    node.call("POST", "/pools", poolid="shop", comment="The web shop")
    made = node.tool(
        "qm", "create", str(VMID), "--name", "shop-web", "--memory", "256", "--cores", "2",
        "--scsihw", "virtio-scsi-pci", "--scsi0", f"local:0,import-from={image}",
        "--net0", "virtio", "--serial0", "socket", "--agent", "1",
        "--ide2", "local:cloudinit", "--ciuser", "admin", "--ipconfig0", "ip=dhcp", "--tags", "prod;web",
        "--ostype", "l26", "--description", "# Shop\nRuns the **web shop**.\n\n* owner: Mira\n* restarts: any time",
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    node.call("PUT", "/pools", poolid="shop", vms=str(VMID))
    node.do("POST", f"/nodes/{{node}}/qemu/{VMID}/status/start")
    subprocess.run(
        [node.program, "seed", "--guests", "300", "--nodes", "1", "--first", "1000", "--root", node.root],
        env=node.environment, check=True, stdout=subprocess.DEVNULL, timeout=120,
    )  # fmt: skip
    node.call("POST", "/access/groups", groupid="operators", comment="Start and stop")
    for name, first in (("mira", "Mira"), ("joe", "Joe"), ("li", "Li")):
        node.call(
            "POST", "/access/users", userid=f"{name}@pve", password="not-a-secret", firstname=first, groups="operators"
        )
    node.call("PUT", "/access/acl", path="/vms", groups="operators", roles="PVEVMUser")
    node.call("PUT", "/access/acl", path="/pool/shop", users="mira@pve", roles="PVEVMAdmin")
    for memory in (384, 512):
        node.call("PUT", f"/nodes/{{node}}/qemu/{VMID}/config", memory=memory)
    node.call("PUT", "/cluster/options", description="Lab")


def shots(browser: Browser, node: Node, wanted: set[str]) -> Iterator[tuple[str, bytes]]:
    """Name and picture of each scene, screen and theme."""
    for screen_name, screen in SCREENS.items():
        for theme in THEMES:
            with Visitor(browser, node, screen=screen, theme=theme) as visitor:
                visitor.log_in()
                for scene in SCENES:
                    if wanted and scene.name not in wanted:
                        continue
                    visitor.open(scene.path)
                    visitor.page.wait_for_timeout(400)
                    scene.act(visitor.page)
                    visitor.page.wait_for_timeout(scene.wait * 1000)
                    yield f"{scene.name}-{screen_name}-{theme}", visitor.page.screenshot()


def write_index(out: Path) -> None:
    """A page with all pictures that there are."""
    lines = ["# Gallery", "", "Made by `./dev screenshots` from a real node."]
    for scene in SCENES:
        there = sorted(out.glob(f"{scene.name}-desktop-*.webp")) + sorted(out.glob(f"{scene.name}-phone-*.webp"))
        if there:
            lines += ["", f"## {scene.name.replace('-', ' ').capitalize()}", "", f"`{scene.path}`", ""]
            lines += [f"![{path.stem}]({path.name})" for path in there]
    (out / "index.md").write_text("\n".join(lines) + "\n")


def main() -> int:
    """Make the pictures."""
    parser = argparse.ArgumentParser(prog="./dev screenshots", description=__doc__)
    parser.add_argument("--out", type=Path, default=OUT, help="the directory they are written to")
    parser.add_argument("name", nargs="*", choices=[*(scene.name for scene in SCENES), []], metavar="NAME")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    image = lab_guest.build().qcow2
    with (
        tempfile.TemporaryDirectory(prefix="corral-pictures-") as directory,
        Node(Path(directory) / "root") as node,
        sync_playwright() as playwright,
        launch(playwright) as browser,
    ):
        furnish(node, image)
        studio = browser.new_page()
        for name, png in shots(browser, node, set(given.name)):
            packed = studio.evaluate(AS_WEBP, base64.b64encode(png).decode())
            (given.out / f"{name}.webp").write_bytes(base64.b64decode(packed))
            print(name, flush=True)
    write_index(given.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
