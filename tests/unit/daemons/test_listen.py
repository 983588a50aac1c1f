from __future__ import annotations

import pytest

from corral.daemons.listen import redirect


@pytest.mark.parametrize(
    ("request_line", "status"),
    [
        ("GET /x?a=b HTTP/1.1", b"301 Moved Permanently"),
        ("HEAD / HTTP/1.1", b"301 Moved Permanently"),
        ("POST /api2/json/access/ticket HTTP/1.1", b"308 Permanent Redirect"),
        ("PUT /x HTTP/1.0", b"308 Permanent Redirect"),
    ],
)
def test_plain_http_is_sent_to_the_same_address_with_tls(request_line: str, status: bytes) -> None:
    answer = redirect(f"{request_line}\r\nAccept: */*\r\nhost: example.com:8006\r\n\r\nbody".encode())
    uri = request_line.split()[1].encode()
    assert answer.startswith(b"HTTP/1.1 " + status + b"\r\nLocation: https://example.com:8006" + uri + b"\r\n")
    assert b"Connection: close" in answer


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"nonsense\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET http://elsewhere/ HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\0y\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x y\r\n\r\n",
        b"\xff\xfe" * 5000,
    ],
)
def test_what_is_no_request_is_no_redirect(head: bytes) -> None:
    assert redirect(head).startswith(b"HTTP/1.1 400 Bad Request\r\n")
