"""Between HTTP and `rest`: requests read, replies written, in the manner that clients of the API expect."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import quote, unquote, unquote_plus

import aiohttp
import msgspec
from aiohttp import hdrs, web
from isal import isal_zlib

from corral.core.errors import Error, NotImplementedCall, ParamError
from corral.rest.call import Credentials, Reply, Request, Session, failure
from corral.rest.envelope import FORMATS, encode

# A list of 5,000 guests is 1.3 MB: packed in 0.5 ms instead of 5 ms, on the event loop that everybody waits for.
aiohttp.set_zlib_backend(isal_zlib)

METHODS = frozenset({"GET", "POST", "PUT", "DELETE"})
MAX_BODY = 4 * 1024 * 1024
MAX_PAIRS = 20_000
COMPRESS_ABOVE = 1024
REVISION_HEADER = "corral-revision"
SESSION_COOKIE = "__Host-PVEAuthCookie"
TICKET_COOKIE = "PVEAuthCookie"
SEC_FETCH_SITE = "Sec-Fetch-Site"
STANDARD_HEADERS: dict[str, str] = {
    hdrs.SERVER: "pve-api-daemon/3.0",
    hdrs.CACHE_CONTROL: "max-age=0",
    hdrs.PRAGMA: "no-cache",
}

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class UnsupportedBody(Error):
    """A content type that the API does not read."""

    status = 506


class TooLarge(Error):
    """A body above the limit."""

    status = 501


class Target(NamedTuple):
    """What a URL names: the envelope's format, and the path below it (still URL-encoded)."""

    fmt: str
    path: str


def target_of(raw_path: str) -> Target:
    """Split `/api2/json/nodes/…`; `NotImplementedCall` as clients know it for what is no call of the API."""
    path = raw_path.partition("?")[0]
    parts = path.split("/", 3)
    if len(parts) < 3 or parts[1] != "api2" or not parts[2]:
        raise NotImplementedCall(f"no such uri '{path}'")
    if parts[2] not in FORMATS:
        raise NotImplementedCall(f"no formatter for uri {path}, {parts[2]}")
    return Target(parts[2], "/" + (parts[3] if len(parts) > 3 else ""))


def parse_form(text: str) -> dict[str, Any]:
    """Pairs separated by `&` or `;`; a repeated name becomes a list; `_dc` is dropped.

    Forms are read before anybody has logged in: what they cost must stay in proportion to their length.
    """
    params: dict[str, Any] = {}
    pairs = text.replace(";", "&").split("&", MAX_PAIRS)
    if len(pairs) > MAX_PAIRS:
        raise ParamError({"_root": f"too many parameters (more than {MAX_PAIRS})"})
    for pair in pairs:
        if not pair:
            continue
        key, _, value = pair.partition("=")
        key, value = unquote_plus(key, errors="strict"), unquote_plus(value, errors="strict")
        if key == "_dc":
            continue
        before = params.get(key)
        if isinstance(before, list):
            before.append(value)
        else:
            params[key] = value if before is None else [before, value]
    return params


def read_query(raw_path: str) -> dict[str, Any]:
    """The parameters after the question mark."""
    try:
        return parse_form(raw_path.partition("?")[2])
    except UnicodeDecodeError as exc:
        raise ParamError({"_root": "the query is not UTF-8"}) from exc


async def read_body(request: web.BaseRequest) -> dict[str, Any]:
    """The parameters in the body of a POST or PUT; an error names what is wrong with it."""
    if not request.body_exists:
        return {}
    if request.method not in ("POST", "PUT"):
        if request.content_length == 0:
            return {}
        raise NotImplementedCall(f"Unexpected content for method '{request.method}'")
    payload = await _limited(request)
    if not payload:
        return {}
    kind = request.content_type
    try:
        if kind in ("application/x-www-form-urlencoded", "application/octet-stream"):
            return parse_form(payload.decode())
        if kind == "application/json":
            return _json_object(payload)
    except UnicodeDecodeError as exc:
        raise ParamError({"_root": "the body is not UTF-8"}) from exc
    raise UnsupportedBody(f"upload file not allowed for content type '{kind}'")


def _json_object(payload: bytes) -> dict[str, Any]:
    try:
        params = msgspec.json.decode(payload)
    except (msgspec.DecodeError, RecursionError) as exc:
        raise ParamError({"_root": f"the body is not valid JSON: {exc}"}) from exc
    if not isinstance(params, dict):
        raise ParamError({"_root": "the body must be a JSON object"})
    params.pop("_dc", None)
    return params


async def _limited(request: web.BaseRequest) -> bytes:
    if (request.content_length or 0) > MAX_BODY:
        raise TooLarge("for data too large")
    chunks, size = [], 0
    async for chunk in request.content.iter_chunked(65536):
        size += len(chunk)
        if size > MAX_BODY:
            raise TooLarge("for data too large")
        chunks.append(chunk)
    return b"".join(chunks)


def credentials_of(request: web.BaseRequest, *, local_root: bool = False, address: str = "") -> Credentials:
    """What the request says about who makes it. Own credentials in a request beat those of the socket."""
    headers = request.headers
    kept = _cookie(headers, SESSION_COOKIE)
    # The other one could have been set by whoever serves another port, or plain HTTP, of this host.
    ticket, token = kept or _cookie(headers, TICKET_COOKIE), None
    authorization = headers.get(hdrs.AUTHORIZATION, "")
    if authorization.startswith(("PVEAPIToken=", "PVEAPIToken ")):
        token = unquote(authorization[12:].strip())
        ticket = kept = None
    elif ticket is None and authorization.startswith("PVEAuthCookie="):
        ticket = unquote(authorization[14:].strip())
    return Credentials(
        ticket=ticket,
        csrf=headers.get("CSRFPreventionToken"),
        token=token,
        local_root=local_root and ticket is None and token is None,
        address=address,
        changing=request.method != "GET",
        session=bool(kept),
        foreign=is_foreign(headers),
    )


def _cookie(headers: Mapping[str, str], name: str) -> str | None:
    for part in headers.get(hdrs.COOKIE, "").split(";"):
        key, equals, value = part.strip().partition("=")
        if equals and key == name:
            return unquote(value)
    return None


def is_foreign(headers: Mapping[str, str]) -> bool:
    """Whether a browser sends the request for a page of another origin (another port counts). Programs say nothing."""
    site = headers.get(SEC_FETCH_SITE)
    if site is not None:
        return site not in ("same-origin", "none")
    origin = headers.get(hdrs.ORIGIN)
    return origin is not None and origin.lower() != f"https://{headers.get(hdrs.HOST, '').lower()}"


def set_cookie(session: Session) -> str:
    """The header that makes a browser keep a ticket, or drop it: only for this host and its TLS, and for no script."""
    words = [f"{SESSION_COOKIE}={quote(session.ticket, safe='')}", "Path=/", "Secure", "HttpOnly", "SameSite=Strict"]
    lifetime = session.lifetime if session.ticket else 0
    return "; ".join(words if lifetime is None else [*words, f"Max-Age={int(lifetime)}"])


def request_of(request: web.BaseRequest, path: str, params: Mapping[str, Any], credentials: Credentials) -> Request:
    """The request without its transport."""
    headers = request.headers
    return Request(
        method=request.method,
        path=path,
        params=params,
        credentials=credentials,
        plan=headers.get("corral-plan") == "1",
        apply=headers.get("corral-apply"),
        idempotency_key=headers.get("Idempotency-Key"),
        resume=headers.get("Last-Event-ID"),
        gone=lambda: request.transport is None or request.transport.is_closing(),
    )


def respond(reply: Reply, fmt: str, request: web.BaseRequest, *, bare: bool = False) -> web.Response:
    """The HTTP answer. `bare`: without a body, as at the authentication stage."""
    body = encode(reply, fmt)
    headers = {**STANDARD_HEADERS, hdrs.CONTENT_TYPE: body.content_type}
    if reply.revision is not None:
        headers[REVISION_HEADER] = str(reply.revision)
    if reply.session is not None:
        headers[hdrs.SET_COOKIE] = set_cookie(reply.session)
        headers[hdrs.CACHE_CONTROL] = "no-store"
    response = web.Response(
        status=body.status,
        reason=reason_phrase(body.reason),
        body=b"" if bare else body.payload,
        headers=headers,
    )
    if body.status >= 400:
        response.force_close()  # as clients of the API expect
    if len(body.payload) > COMPRESS_ABOVE and not bare and "gzip" in request.headers.get(hdrs.ACCEPT_ENCODING, ""):
        response.enable_compression(web.ContentCoding.gzip)
    return response


def reason_phrase(text: str) -> str:
    """A text that may stand in a status line: one line, no control characters."""
    return "".join(char if char.isprintable() else " " for char in text)[:1000]


def refused(error: Error, fmt: str, request: web.BaseRequest, *, bare: bool = False) -> web.Response:
    """The HTTP answer for an error; the connection closes, since its body may be unread."""
    response = respond(failure(error), fmt, request, bare=bare)
    response.force_close()
    return response


class Delays:
    """Answers held back until `seconds` after the request, without holding a thread; at most `limit` at a time.

    What a refusal took is part of that: whoever measures it can't tell a password that PAM looked at (two seconds) from
    one that nobody looked at.
    """

    def __init__(self, seconds: float, limit: int = 1000) -> None:
        self._seconds = seconds
        self._free = limit

    async def wait(self, begun: float) -> None:
        """Hold the answer to a failed authentication; `begun` is the loop's time when the request came."""
        if self._free <= 0:
            return
        self._free -= 1
        try:
            await asyncio.sleep(max(0.0, begun + self._seconds - asyncio.get_running_loop().time()))
        finally:
            self._free += 1
