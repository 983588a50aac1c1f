"""Filling a storage from the browser: sending files, having them fetched, removing them."""

from __future__ import annotations

import hashlib
import http.server
import threading
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import FilePayload, expect

from tests.lab.node import Node
from tests.web.browser import Visitor

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

ISO = bytes(32 * 2048) + b"\x01CD001\x01" + bytes(200_000)
PLACE = "/nodes/n1/storage/local/content"


def file(name: str) -> FilePayload:
    """A small ISO image on the visitor's computer."""
    return {"name": name, "mimeType": "application/octet-stream", "buffer": ISO}


def volumes(node: Node) -> set[str]:
    return {volume["volid"] for volume in node.call("GET", PLACE)}


def upload(visitor: Visitor, name: str, checksum: str) -> None:
    """Choose a file in the dialog and send it."""
    page = visitor.page
    page.locator("#main").get_by_role("button", name="Upload").first.click()
    dialog = visitor.dialog("Upload to local")
    with page.expect_file_chooser() as chosen:
        dialog.get_by_role("button", name="Choose files").click()
    chosen.value.set_files([file(name)])
    expect(dialog.get_by_label("File name")).to_have_value(name)
    dialog.get_by_label("Expected checksum").fill(checksum)
    dialog.get_by_role("button", name="Upload", exact=True).click()
    expect(dialog).to_be_hidden()


def test_a_file_is_sent_checked_and_removed(visit: Callable[..., Visitor], node: Node) -> None:
    visitor = visit()
    visitor.log_in(path="/storage/n1/local/iso")
    upload(visitor, "install.iso", hashlib.sha256(ISO).hexdigest())
    expect(visitor.row("install.iso")).to_be_visible()
    assert "local:iso/install.iso" in volumes(node)

    visitor.choose("install.iso", "Remove")
    dialog = visitor.dialog("Remove install.iso")
    dialog.get_by_role("button", name="Review").click()
    expect(dialog.get_by_role("region", name="Plan")).to_contain_text("local:iso/install.iso")
    dialog.get_by_role("button", name="Remove").click()
    expect(dialog).to_be_hidden()
    expect(visitor.row("install.iso")).to_have_count(0)
    assert "local:iso/install.iso" not in volumes(node)


def test_a_file_that_is_not_what_it_should_be_is_refused(visit: Callable[..., Visitor], node: Node) -> None:
    visitor = visit()
    visitor.log_in(path="/storage/n1/local/iso")
    upload(visitor, "broken.iso", hashlib.sha256(b"another").hexdigest())
    expect(visitor.page.get_by_text("Failed:")).to_contain_text("checksum")
    assert "local:iso/broken.iso" not in volumes(node)


def test_a_long_upload_shows_how_far_it_is_and_can_be_ended(visit: Callable[..., Visitor], node: Node) -> None:
    visitor = visit()
    page = visitor.page
    visitor.log_in(path="/storage/n1/local/iso")
    page.context.new_cdp_session(page).send(
        "Network.emulateNetworkConditions",
        {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 10_000},
    )
    upload(visitor, "slow.iso", "")
    expect(page.get_by_role("progressbar", name="slow.iso")).to_be_visible()
    expect(page.get_by_text("/s", exact=False).filter(has_text="left")).to_be_visible()
    # Nothing is in the way meanwhile.
    page.get_by_role("tab", name="Summary").click()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("Cancelled")).to_be_visible()
    assert "local:iso/slow.iso" not in volumes(node)


class Files(http.server.BaseHTTPRequestHandler):
    """Serves one image under every name."""

    def do_HEAD(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(ISO)))
        self.send_header("Content-Type", "application/x-iso9660-image")
        self.end_headers()

    def do_GET(self) -> None:
        self.do_HEAD()
        self.wfile.write(ISO)

    def log_message(self, *_: object) -> None:
        """Not into the tests' output."""


@pytest.fixture
def web() -> Iterator[str]:
    """The address of a web server on this machine."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Files) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def test_the_node_fetches_a_file(visit: Callable[..., Visitor], node: Node, web: str) -> None:
    visitor = visit()
    page = visitor.page
    visitor.log_in(path="/storage/n1/local/iso")
    page.locator("#main").get_by_role("button", name="Download").first.click()
    dialog = visitor.dialog("Download to local")
    dialog.get_by_label("Address").fill(f"{web}/files/fetched.iso")
    dialog.get_by_label("Address").blur()
    # The server was asked what it has.
    expect(dialog.get_by_label("File name")).to_have_value("fetched.iso")
    expect(dialog).to_contain_text("application/x-iso9660-image")
    dialog.get_by_label("Expected checksum").fill(hashlib.sha1(ISO, usedforsecurity=False).hexdigest())
    dialog.get_by_role("button", name="Review").click()
    expect(dialog.get_by_role("region", name="Plan")).to_contain_text("local:iso/fetched.iso")
    dialog.get_by_role("button", name="Download").click()
    expect(dialog).to_be_hidden()
    expect(visitor.row("fetched.iso")).to_be_visible()
    assert "local:iso/fetched.iso" in volumes(node)


def test_the_search_leads_to_an_upload(visit: Callable[..., Visitor]) -> None:
    visitor = visit()
    visitor.log_in()
    page = visitor.page
    page.keyboard.press("/")
    page.get_by_role("dialog").get_by_role("combobox").fill("upload iso")
    expect(page.get_by_role("option").first).to_contain_text("Upload")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_contain_text("Upload")
    expect(page.get_by_role("dialog").get_by_role("button", name="Upload")).to_be_visible()
    assert "upload=" not in page.url
