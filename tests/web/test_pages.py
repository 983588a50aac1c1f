"""Every page, on desktop and phone, light and dark, in English and Chinese: accessible, within its width, quiet."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import expect

from tests.lab.node import Node
from tests.web.browser import DESKTOP, PHONE, ROOT, Screen, Theme, Visitor

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

LOCALES = ROOT / "web" / "src" / "locales"
# One page for each kind of layout; the others differ only in their words.
MAIN = (
    "/",
    "/guests",
    "/guests/100/summary",
    "/guests/100/hardware",
    "/guests/100/options",
    "/nodes/n1/summary",
    "/storage/n1/local/iso",
    "/tasks",
    "/history",
    "/access/users",
    "/access/effective",
    "/datacenter/options",
    "/api-explorer",
)
PAGES = (
    *MAIN,
    *(f"/guests/100/{tab}" for tab in ("cloudinit", "tasks", "history", "permissions")),
    "/nodes",
    *(f"/nodes/n1/{tab}" for tab in ("guests", "network", "storage", "services", "log", "tasks", "system", "hardware")),
    "/storage",
    *(f"/storage/n1/local/{tab}" for tab in ("summary", "images", "options", "permissions")),
    "/pools",
    "/pools/shop",
    "/tasks/{upid}",
    *(f"/access/{tab}" for tab in ("groups", "roles", "permissions", "tokens", "realms", "factors")),
    *(f"/datacenter/{tab}" for tab in ("status", "storage", "log", "api")),
    "/approve",
    "/guests/4711",
    "/nothing/here",
)


@pytest.fixture(scope="module")
def upid(node: Node) -> str:
    """Furnish the node with something to see on every page; answers a task."""
    node.call("POST", "/pools", poolid="shop", comment="The web shop")
    node.do(
        "POST", "/nodes/{node}/qemu", vmid=100, name="shop-web", memory=64, cores=2, net0="virtio", serial0="socket",
        scsihw="virtio-scsi-pci", scsi0="local:1", ide2="local:cloudinit", ciuser="admin", tags="prod;web", pool="shop",
        agent=1, description="# Shop\n\nRuns the **web shop**.\n\n* owner: Mira\n\n```\nsystemctl restart shop\n```",
    )  # fmt: skip
    subprocess.run(
        [node.program, "seed", "--guests", "12", "--nodes", "1", "--first", "1000", "--root", node.root],
        env=node.environment, check=True, stdout=subprocess.DEVNULL, timeout=120,
    )  # fmt: skip
    node.call("POST", "/access/groups", groupid="operators", comment="Start and stop")
    node.call("POST", "/access/users", userid="mira@pve", firstname="Mira", groups="operators")
    node.call("POST", "/access/users/mira@pve/token/backup", comment="Nightly")
    node.call("PUT", "/access/acl", path="/vms", groups="operators", roles="PVEVMUser")
    for memory in (96, 128):
        node.call("PUT", "/nodes/{node}/qemu/100/config", memory=memory)
    started: str = node.call("POST", "/nodes/{node}/qemu/100/status/start")
    node.wait(started)
    return started


def walk(visitor: Visitor, pages: tuple[str, ...], upid: str) -> Iterator[str]:
    """Go from page to page within the application, as links do."""
    for page in pages:
        visitor.go(page.replace("{upid}", quote(upid, safe="")))
        yield page


@pytest.mark.parametrize(
    ("screen", "theme", "pages"),
    [(DESKTOP, "light", PAGES), (PHONE, "dark", PAGES), (DESKTOP, "dark", MAIN), (PHONE, "light", MAIN)],
    ids=["desktop-light", "phone-dark", "desktop-dark", "phone-light"],
)
def test_every_page_is_usable_by_everyone(
    visit: Callable[..., Visitor], upid: str, screen: Screen, theme: Theme, pages: tuple[str, ...]
) -> None:
    visitor = visit(screen=screen, theme=theme)
    visitor.log_in()
    wrong: list[str] = []
    for path in walk(visitor, pages, upid):
        page = visitor.page
        headings = page.get_by_role("heading", level=1).all_inner_texts()
        if len(headings) != 1:
            wrong.append(f"{path}: the main headings are {headings}")
        elif not page.title().endswith("Corral") or headings[0] not in page.title():
            wrong.append(f"{path}: the window's title is {page.title()!r}, the heading {headings[0]!r}")
        wrong += [f"{path}: {key} is shown in place of a text" for key in leaked(visitor)]
        wrong += visitor.faults()
    assert not wrong, "\n".join(wrong)


def test_in_chinese_nothing_is_left_in_english(visit: Callable[..., Visitor], upid: str) -> None:
    visitor = visit(language="zh")
    visitor.log_in()
    expect(visitor.page.locator("html")).to_have_attribute("lang", "zh-CN")
    wrong: list[str] = []
    english = untranslated()
    for path in walk(visitor, PAGES, upid):
        said = texts(visitor)
        wrong += [f"{path}: {text!r} is English" for text in sorted(said & english - RAW.get(path, set()))]
        wrong += [f"{path}: {key} is shown in place of a text" for key in leaked(visitor)]
        if not any(re.search(r"[\u4e00-\u9fff]", text) for text in said):
            wrong.append(f"{path}: nothing is Chinese")
    assert not wrong, "\n".join(wrong)


# ---------------------------------------------------------------------------------------------------- what is on a page


def texts(visitor: Visitor) -> set[str]:
    """Every text on the page, also those that are only read aloud."""
    found: list[str] = visitor.page.evaluate("""() => {
        const said = []
        const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
        while (walker.nextNode()) said.push(walker.currentNode.textContent)
        for (const name of ['aria-label', 'title', 'placeholder', 'alt'])
            for (const one of document.querySelectorAll(`[${name}]`)) said.push(one.getAttribute(name))
        return said
    }""")
    return {text.strip() for text in found if text.strip()}


def leaked(visitor: Visitor) -> set[str]:
    """Names of texts that stand where the text should."""
    return {text for text in texts(visitor) if text in KEYS or text.partition(":")[2] in KEYS}


def flat(tree: dict[str, Any], above: str = "") -> dict[str, str]:
    """The texts of a file by their dotted keys."""
    found: dict[str, str] = {}
    for name, value in tree.items():
        found |= flat(value, f"{above}{name}.") if isinstance(value, dict) else {f"{above}{name}": value}
    return found


def catalogue(language: str) -> dict[str, str]:
    """All texts of a language."""
    return {
        f"{file.stem}:{key}": text
        for file in sorted(Path(LOCALES / language).glob("*.json"))
        for key, text in flat(json.loads(file.read_text())).items()
    }


def untranslated() -> set[str]:
    """English texts that must not be seen in Chinese: those that no Chinese text equals."""
    chinese = catalogue("zh")
    same = set(chinese.values()) | FROM_THE_API
    return {text for text in catalogue("en").values() if text not in same and re.search("[A-Za-z]{3}", text)}


KEYS = {short for key in catalogue("en") for short in (key, key.partition(":")[2]) if "." in short or ":" in short}
# Values of the API that are shown as they are and happen to be English texts of the interface too.
FROM_THE_API = {"enabled", "storage", "user"}
RAW = {"/nodes/n1/services": {"running"}}
