"""What a client of the API sees on the wire."""

from __future__ import annotations

import asyncio
import gzip
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import aiohttp
import pytest

from corral.daemons import http
from corral.daemons.pools import Pools
from tests.api import ADMIN, ADMIN_PASSWORD, Client, make_app
from tests.unit.daemons.wires import drive, serving

JSON = {"Content-Type": "application/json"}


def test_an_error_is_told_in_the_reason_phrase(tmp_path: Path) -> None:
    async def work() -> None:
        async with serving(tmp_path) as wire:
            answer = await wire.send("GET", "/api2/json/fails")
        assert (answer.status, answer.reason) == (500, "VM 100 already running")
        said = json.loads(answer.body)
        assert said["message"].startswith("VM 100 already running\nwith ä second line")
        assert said["data"] is None
        assert answer.closes

    drive(work())


def test_an_answer_keeps_the_connection_and_names_the_server(tmp_path: Path) -> None:
    async def work() -> None:
        async with serving(tmp_path) as wire:
            answer = await wire.send("GET", "/api2/json/open")
        assert (answer.status, answer.reason, answer.body) == (200, "OK", b'{"data":"hello"}')
        assert not answer.closes
        assert answer.headers["server"] == "pve-api-daemon/3.0"
        assert answer.headers["content-type"] == "application/json;charset=UTF-8"
        assert answer.headers["cache-control"] == "max-age=0"

    drive(work())


def test_the_other_formats_tell_errors_in_their_bodies(tmp_path: Path) -> None:
    async def work() -> None:
        async with serving(tmp_path) as wire:
            ext = await wire.send("GET", "/api2/extjs/nasty")
            html = await wire.send("GET", "/api2/htmljs/nasty")
        assert (ext.status, ext.reason) == (200, "OK")
        assert json.loads(ext.body) == {
            "data": None, "success": 0, "status": 400,
            "message": "Parameter verification failed.\n", "errors": {"a": "<b>no</b>"},
        }  # fmt: skip
        assert html.headers["content-type"] == "text/html;charset=UTF-8"
        assert b"&lt;b&gt;no" in html.body

    drive(work())


@pytest.mark.parametrize(
    ("method", "path", "status", "reason"),
    [
        ("GET", "/api2/json/nothing", 501, "Method 'GET /nothing' not implemented"),
        ("GET", "/api2/xml/open", 501, "no formatter for uri /api2/xml/open, xml"),
        ("GET", "/api2", 501, "no such uri '/api2'"),
        ("GET", "/api2/", 501, "no such uri '/api2/'"),
        ("HEAD", "/api2/json/open", 501, "method 'HEAD' not available"),
        ("OPTIONS", "/api2/json/open", 501, "method 'OPTIONS' not available"),
        ("PATCH", "/api2/json/open", 501, "method 'PATCH' not available"),
        ("GET", "/api2/json//open/", 200, "OK"),
        ("GET", "/api2/json/open?a=%ff", 400, "Parameter verification failed."),
    ],
)
def test_what_is_no_call_is_refused(tmp_path: Path, method: str, path: str, status: int, reason: str) -> None:
    async def work() -> None:
        async with serving(tmp_path) as wire:
            if method == "HEAD":
                reader, writer = await asyncio.open_connection("127.0.0.1", wire.port)
                writer.write(f"HEAD {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
                assert (await reader.readline()).decode().split(" ", 2)[1:] == [str(status), f"{reason}\r\n"]
                writer.close()
                return
            answer = await wire.send(method, path)
        assert (answer.status, answer.reason) == (status, reason)

    drive(work())


@pytest.mark.parametrize(
    ("text", "got"),
    [
        ("a=1", {"a": "1"}),
        ("a=1&_dc=123", {"a": "1"}),
        ("b=1&b=2", {"b": ["1", "2"]}),
        ("a=1;b=2", {"a": "1", "b": ["2"]}),
        ("a=%C3%A4+b%2Bc", {"a": "ä b+c"}),
        ("a=x=y", {"a": "x=y"}),
        ("a=", {"a": ""}),
        ("&&a=1&", {"a": "1"}),
    ],
)
def test_forms_are_read_as_the_field_writes_them(tmp_path: Path, text: str, got: dict[str, object]) -> None:
    async def work() -> None:
        async with serving(tmp_path) as wire:
            body = await wire.form("POST", "/api2/json/echo", text)
            query = await wire.send("GET", f"/api2/json/echo?{text}")
        assert body.data == {"a": None, "b": [], **got}
        assert query.data == body.data

    drive(work())


def test_a_query_beats_the_body_and_json_is_read(tmp_path: Path) -> None:
    async def work() -> None:
        async with serving(tmp_path) as wire:
            both = await wire.form("POST", "/api2/json/echo?a=query", "a=body&b=1")
            typed = await wire.send("POST", "/api2/json/echo", b'{"a":"x","b":["1","2"],"_dc":1}', headers=JSON)
            without = await wire.send("POST", "/api2/json/echo", headers={"Content-Length": "0"})
        assert both.data == {"a": "query", "b": ["1"]}
        assert typed.data == {"a": "x", "b": ["1", "2"]}
        assert without.data == {"a": None, "b": []}

    drive(work())


@pytest.mark.parametrize(
    ("method", "kind", "body", "status", "reason"),
    [
        ("POST", "application/json", b'{"a":', 400, "Parameter verification failed."),
        ("POST", "application/json", b"[1]", 400, "Parameter verification failed."),
        ("POST", "application/json", b"[" * 5000, 400, "Parameter verification failed."),
        ("POST", "application/json", b'{"a":"\xff"}', 400, "Parameter verification failed."),
        ("POST", "application/x-www-form-urlencoded", b"a=\xff", 400, "Parameter verification failed."),
        ("POST", "text/plain", b"a=1", 506, "upload file not allowed for content type 'text/plain'"),
        ("POST", "application/xml", b"<a/>", 506, "upload file not allowed for content type 'application/xml'"),
        ("DELETE", "application/json", b"{}", 501, "Unexpected content for method 'DELETE'"),
        ("GET", "application/json", b"{}", 501, "Unexpected content for method 'GET'"),
        ("POST", "application/json", b'{"nonsense":1}', 400, "Parameter verification failed."),
        ("POST", "multipart/form-data; boundary=x", b"--x--\r\n", 506, "upload file not allowed on 'POST /echo'"),
    ],
)
def test_a_body_that_can_not_be_read_is_told(
    tmp_path: Path, method: str, kind: str, body: bytes, status: int, reason: str
) -> None:
    async def work() -> None:
        async with serving(tmp_path) as wire:
            path = "/api2/json/thing" if method == "DELETE" else "/api2/json/echo"
            answer = await wire.send(method, path, body, headers={"Content-Type": kind})
        assert (answer.status, answer.reason) == (status, reason)
        assert answer.closes

    drive(work())


@pytest.mark.parametrize("told", [True, False])
def test_an_oversized_body_is_refused(tmp_path: Path, *, told: bool) -> None:
    async def work() -> None:
        async with serving(tmp_path) as wire:
            if told:
                headers = {**JSON, "Content-Length": str(http.MAX_BODY + 1)}
                answer = await wire.send("POST", "/api2/json/echo", b"{", headers=headers)
            else:
                size = http.MAX_BODY + 1
                chunk = f"{size:x}\r\n".encode() + b"x" * size + b"\r\n0\r\n\r\n"
                headers = {**JSON, "Transfer-Encoding": "chunked"}
                answer = await wire.send("POST", "/api2/json/echo", chunk, headers=headers, bare=True)
        assert (answer.status, answer.reason) == (501, "for data too large")

    drive(work())


def test_large_answers_are_compressed_for_those_who_can_read_it(tmp_path: Path) -> None:
    async def work() -> None:
        async with serving(tmp_path) as wire:
            plain = await wire.send("GET", "/api2/json/large")
            packed = await wire.send("GET", "/api2/json/large", headers={"Accept-Encoding": "gzip, deflate"})
            small = await wire.send("GET", "/api2/json/open", headers={"Accept-Encoding": "gzip"})
        assert packed.headers["content-encoding"] == "gzip"
        assert gzip.decompress(packed.body) == plain.body
        assert "content-encoding" not in plain.headers
        assert "content-encoding" not in small.headers

    drive(work())


def test_credentials_come_as_cookie_header_or_token(tmp_path: Path) -> None:
    from corral.api.access import ENDPOINTS as access

    async def work() -> None:
        async with serving(tmp_path, local_root=False) as wire:
            app = make_app(tmp_path)
            client = Client.of(app, access)
            made = client.post("/access/ticket", username=ADMIN, password=ADMIN_PASSWORD)
            quoted = made["ticket"].replace(":", "%3A").replace("+", "%2B")
            token = client.post(f"/access/users/{ADMIN}/token/ci", privsep=0)["value"]
            good = [
                {"Cookie": f"other=1; PVEAuthCookie={quoted}; more=2"},
                {"Authorization": f"PVEAuthCookie={quoted}"},
                {"Authorization": f"PVEAPIToken={ADMIN}!ci={token}"},
                {"Authorization": f"PVEAPIToken {ADMIN}!ci={token}"},
                {"Authorization": f"PVEAPIToken={ADMIN.replace('@', '%40')}%21ci={token}"},
            ]
            for headers in good:
                # Another store stands behind the wire, so only the form is looked at here: it is read, then not known.
                answer = await wire.send("GET", "/api2/json/echo", headers=headers)
                assert (answer.status, answer.reason) != (401, "No ticket"), headers
            none = await wire.send("GET", "/api2/json/echo")
            assert (none.status, none.reason, none.body) == (401, "No ticket", b"")
            basic = await wire.send("GET", "/api2/json/echo", headers={"Authorization": "Basic eDp5"})
            assert basic.reason == "No ticket"

    drive(work())


def test_a_refused_login_is_delayed_and_delays_nobody_else(tmp_path: Path) -> None:
    async def work() -> None:
        async with serving(tmp_path, local_root=False, delay=0.5) as wire:
            loop = asyncio.get_running_loop()
            began = loop.time()
            refused = [asyncio.create_task(wire.send("GET", "/api2/json/echo")) for _ in range(20)]
            refused.append(asyncio.create_task(wire.form("POST", "/api2/json/access/ticket", "username=x")))
            await asyncio.sleep(0)
            answer = await wire.send("GET", "/api2/json/open")
            assert answer.status == 200
            assert loop.time() - began < 0.4
            answers = await asyncio.gather(*refused)
            assert loop.time() - began >= 0.5
        assert {each.status for each in answers} == {401}
        assert {each.body for each in answers[:-1]} == {b""}, "no body at the authentication stage"
        assert json.loads(answers[-1].body)["message"] == "authentication failure\n", "but in the call's own envelope"

    drive(work())


def multipart(*parts: tuple[str, str | None, bytes]) -> tuple[bytes, dict[str, str]]:
    """A form of (name, file name, content) and its headers."""
    body = b""
    for name, filename, content in parts:
        more = f'; filename="{filename}"' if filename is not None else ""
        body += f'--edge\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n'.encode() + content + b"\r\n"
    return body + b"--edge--\r\n", {"Content-Type": "multipart/form-data; boundary=edge"}


def test_an_upload_goes_to_its_spool_and_stays_there_only_for_its_task(tmp_path: Path) -> None:
    async def work() -> None:
        body, headers = multipart(("content", None, b"iso"), ("filename", "../../a.iso", b"CD001" + b"x" * 3_000_000))
        failing, _ = multipart(("content", None, b"fail"), ("filename", "a.iso", b"CD001"))
        async with serving(tmp_path, pools=Pools()) as wire:
            refused = await wire.send("POST", "/api2/json/upload", failing, headers=headers)
            assert list((tmp_path / "spool").iterdir()) == []
            answer = await wire.send("POST", "/api2/json/upload", body, headers=headers)
            assert len(list((tmp_path / "spool").iterdir())) == 1
        assert answer.data == {"name": "../../a.iso", "size": 3_000_005, "begins": "CD001"}
        assert refused.reason == "no room"

    drive(work())


def test_an_upload_does_not_wait_for_threads_that_others_hold(tmp_path: Path) -> None:
    """A storage that hangs holds threads of its own uploads, not those of the loop."""

    async def work() -> None:
        body, headers = multipart(("content", None, b"iso"), ("filename", "a.iso", b"CD001"))
        held = threading.Event()
        with ThreadPoolExecutor(1) as executor:
            asyncio.get_running_loop().set_default_executor(executor)
            executor.submit(held.wait)
            try:
                async with serving(tmp_path, pools=Pools()) as wire, asyncio.timeout(10):
                    answer = await wire.send("POST", "/api2/json/upload", body, headers=headers)
            finally:
                held.set()
        assert answer.data == {"name": "a.iso", "size": 5, "begins": "CD001"}

    drive(work())


def test_an_upload_that_breaks_off_leaves_nothing(tmp_path: Path) -> None:
    async def work() -> None:
        body, headers = multipart(("content", None, b"iso"), ("filename", "a.iso", b"x" * 2_000_000))
        async with serving(tmp_path) as wire:
            _, writer = await asyncio.open_connection("127.0.0.1", wire.port)
            head = f"POST /api2/json/upload HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n"
            writer.write(f"{head}Content-Type: {headers['Content-Type']}\r\n\r\n".encode() + body[:1_500_000])
            await writer.drain()
            async with asyncio.timeout(10):
                while not list((tmp_path / "spool").iterdir()):  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
                writer.close()
                while list((tmp_path / "spool").iterdir()):  # noqa: ASYNC110
                    await asyncio.sleep(0.01)

    drive(work())


def test_an_upload_without_permission_is_refused_before_it_is_read(tmp_path: Path) -> None:
    async def work() -> None:
        async with serving(tmp_path, local_root=False) as wire:
            headers = {"Content-Type": "multipart/form-data; boundary=edge", "Content-Length": "1000000000"}
            answer = await wire.send("POST", "/api2/json/upload", b"--edge", headers=headers)
        assert answer.status == 401
        assert answer.closes

    drive(work())


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"nonsense",
        b"--edge\r\n",
        b"--edge\r\n\r\nx\r\n--edge--\r\n",
        b'--edge\r\nContent-Disposition: form-data; name="content"\r\n\r\n\xff\r\n--edge--\r\n',
        b'--edge\r\nContent-Disposition: form-data; name="content"\r\n\r\n' + b"x" * 70000 + b"\r\n--edge--\r\n",
    ],
)
def test_a_broken_form_is_told(tmp_path: Path, body: bytes) -> None:
    async def work() -> None:
        async with serving(tmp_path) as wire:
            headers = {"Content-Type": "multipart/form-data; boundary=edge", "Content-Length": str(len(body))}
            answer = await wire.send("POST", "/api2/json/upload", body, headers=headers)
        assert answer.status in (200, 400), answer
        if answer.status == 200:
            assert answer.data == "no file"
        assert list((tmp_path / "spool").iterdir()) == []

    drive(work())


@pytest.mark.parametrize(("names", "refused"), [(["a", "a"], True), (["p"] * 200, True), (["a", "b"], False)])
def test_a_form_has_few_parts_each_of_its_own_name(tmp_path: Path, names: list[str], *, refused: bool) -> None:
    """What comes twice would leave the first file in the spool."""

    async def work() -> None:
        numbered = names if len(set(names)) > 1 or len(names) < 3 else [f"{name}{at}" for at, name in enumerate(names)]
        parts = [
            f'--edge\r\nContent-Disposition: form-data; name="{name}"; filename="f"\r\n\r\nx\r\n' for name in numbered
        ]
        body = ("".join(parts) + "--edge--\r\n").encode()
        headers = {"Content-Type": "multipart/form-data; boundary=edge", "Content-Length": str(len(body))}
        async with serving(tmp_path) as wire:
            answer = await wire.send("POST", "/api2/json/upload", body, headers=headers)
        assert ("too many parts" in answer.body.decode()) == refused
        assert list((tmp_path / "spool").iterdir()) == []

    drive(work())


def test_events_are_streamed_and_resumed(tmp_path: Path) -> None:
    async def work() -> None:
        async with serving(tmp_path) as wire, aiohttp.ClientSession() as session:
            url = f"http://127.0.0.1:{wire.port}/api2/json/events"
            async with session.get(url, headers={"Last-Event-ID": "41"}) as answer:
                assert answer.headers["Content-Type"] == "text/event-stream"
                text = b""
                while text.count(b"\n\n") < 2:
                    text += await answer.content.readany()
            assert text == b'event: change\nid: 42\ndata: {"n":1}\n\nevent: status\ndata: {}\n\n'

    drive(work())


def test_a_download_has_its_name_and_type(tmp_path: Path) -> None:
    async def work() -> None:
        async with serving(tmp_path) as wire:
            answer = await wire.send("GET", "/api2/json/file")
        assert answer.body == b"one\ntwo\n"
        assert answer.headers["content-type"] == "text/plain"
        assert answer.headers["content-disposition"] == 'attachment; filename="ab.log"'

    drive(work())


async def console_at(path: Path, said: list[bytes]) -> asyncio.Server:
    """A console that greets, notes what it is told, and ends when it hears `bye`."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"hello")
        while data := await reader.read(1000):
            said.append(data)
            if data.endswith(b"bye"):
                break
        said.append(b"end")
        writer.close()

    return await asyncio.start_unix_server(serve, path)


def test_a_console_is_relayed_and_closes_both_ways(tmp_path: Path) -> None:
    async def work() -> None:
        said: list[bytes] = []
        server = await console_at(tmp_path / "console.sock", said)
        async with server, serving(tmp_path) as wire, aiohttp.ClientSession() as session:
            url = f"ws://127.0.0.1:{wire.port}/api2/json/console"
            async with session.ws_connect(url, protocols=("binary",)) as socket, asyncio.timeout(10):
                assert socket.protocol == "binary"
                assert await socket.receive_bytes() == b"hello"
                await socket.send_bytes(b"one")
                await socket.send_str("bye")
                assert (await socket.receive()).type is aiohttp.WSMsgType.CLOSE, "the console's end is the client's"
            assert b"".join(said) == b"onebyeend"

            said.clear()
            async with session.ws_connect(url) as socket, asyncio.timeout(10):
                await socket.receive_bytes()
            async with asyncio.timeout(10):
                while said != [b"end"]:  # noqa: ASYNC110  what the fake console notes
                    await asyncio.sleep(0.01)

    drive(work())


def test_a_console_that_is_gone_is_told(tmp_path: Path) -> None:
    async def work() -> None:
        async with serving(tmp_path) as wire:
            answer = await wire.send("GET", "/api2/json/console?name=nothing")
            plain = await wire.send("GET", "/api2/json/console")
        assert answer.reason == "the console session is not there (any more); open a new one"
        assert plain.status == 500

    drive(work())


def test_reason_phrases_stay_in_their_line() -> None:
    assert http.reason_phrase("a\r\nSet-Cookie: x\x00\x1b[0m") == "a  Set-Cookie: x  [0m"
    assert len(http.reason_phrase("x" * 5000)) == 1000
