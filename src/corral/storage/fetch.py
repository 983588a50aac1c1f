"""Files from the web: streamed to disk, checked, unpacked. Redirects and addresses are checked before a connection."""

from __future__ import annotations

import base64
import bz2
import contextlib
import hashlib
import http.client
import ipaddress
import os
import socket
import ssl
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple
from urllib.parse import SplitResult, quote, unquote, urljoin, urlsplit

import zstandard

from corral.core.errors import Error, TimedOut
from corral.system import files
from corral.system.run import Arg, Run

ALGORITHMS = ("md5", "sha1", "sha224", "sha256", "sha384", "sha512")
Algorithm = Literal["md5", "sha1", "sha224", "sha256", "sha384", "sha512"]
Compression = Literal["gz", "lzo", "zst", "bz2"]

CHUNK = 1 << 20
MAX_REDIRECTS = 10
_UNPACK_TIMEOUT = 24 * 3600


class Remote(NamedTuple):
    """What a server says of a file: `size` in bytes and `mimetype` are None if it does not say."""

    url: str
    size: int | None
    mimetype: str | None
    filename: str | None


def is_public(address: str) -> bool:
    """Whether an IP address is neither the machine's own nor of its link. A name is taken for public."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return True
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    return not (found.is_loopback or found.is_link_local or found.is_unspecified or found.is_multicast)


@dataclass(frozen=True, slots=True)
class Fetcher:
    """An HTTP and HTTPS client for files.

    timeout   seconds for the connection and for each read
    verify    whether the server's certificate must be valid
    anywhere  whether also this machine's own and link-local addresses may be asked: they show what is for its
              processes only, and belong to those who administer it
    is_public which addresses are none of these
    proxy     address of an HTTP proxy (`http://[user:password@]host[:port]`), empty for none
    """

    verify: bool = True
    anywhere: bool = False
    timeout: float = 60.0
    is_public: Callable[[str], bool] = is_public
    proxy: str = ""

    @contextlib.contextmanager
    def opened(self, url: str, method: str = "GET") -> Iterator[tuple[str, http.client.HTTPResponse]]:
        """The last address and the answer after all redirects; `Error` unless it is a 200."""
        seen = 0
        while True:
            connection, target, headers = self._connection(url)
            answer = None
            try:
                connection.request(method, target, headers={"User-Agent": "Corral", "Accept": "*/*", **headers})
                answer = connection.getresponse()
                where = answer.getheader("Location")
                if answer.status in (301, 302, 303, 307, 308) and where:
                    seen += 1
                    if seen > MAX_REDIRECTS:
                        raise Error(f"too many redirects from '{url}'")
                    url = _joined(url, where)
                    continue
                if answer.status != 200:
                    raise Error(f"download failed: {answer.status} {answer.reason} - '{url}'")
                yield url, answer
                return
            except TimeoutError as exc:
                raise TimedOut(f"download failed: no answer from '{url}' within {self.timeout:g} s") from exc
            except (OSError, http.client.HTTPException) as exc:
                raise Error(f"download failed: {exc} - '{url}'") from exc
            finally:
                if answer is not None:
                    answer.close()
                connection.close()

    def _connection(self, url: str) -> tuple[http.client.HTTPConnection, str, dict[str, str]]:
        """A connection on which the returned target can be asked for, with these headers."""
        parts, port = _split(url)
        if parts.scheme not in ("http", "https") or not url.isprintable() or " " in url:
            raise Error(f"download failed: '{url}' is no http or https address")
        target = quote((parts.path or "/") + (f"?{parts.query}" if parts.query else ""), safe="/?%:@!$&'()*+,;=~-._")
        host = parts.netloc.rpartition("@")[2]
        if self.proxy:
            return self._through_proxy(parts, host, port, target)
        connected = self._connect(parts, port)
        connection = http.client.HTTPConnection(host, timeout=self.timeout)
        connection.sock = connected
        return connection, target, {}

    def _through_proxy(
        self, parts: SplitResult, host: str, port: int, target: str
    ) -> tuple[http.client.HTTPConnection, str, dict[str, str]]:
        """The proxy resolves the name: what else it may reach is for its administrator to say."""
        if not self.anywhere and (parts.hostname == "localhost" or not self.is_public(parts.hostname or "")):
            raise Error(f"download failed: '{parts.hostname}' is an address of this machine or link")
        via, via_port = _split(self.proxy)
        headers = {}
        if via.username:
            pair = f"{unquote(via.username)}:{unquote(via.password or '')}"
            headers["Proxy-Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
        connection = http.client.HTTPConnection(via.hostname or "", via_port, timeout=self.timeout)
        try:
            if parts.scheme == "https":
                connection.set_tunnel(parts.hostname or "", port, headers)
                connection.connect()
                connection.sock = self._context().wrap_socket(connection.sock, server_hostname=parts.hostname)
                return connection, target, {}
            connection.connect()
        except OSError as exc:
            connection.close()
            raise Error(f"download failed: can't reach '{host}' through proxy '{via.hostname}' - {exc}") from exc
        return connection, f"http://{host}{target}", headers

    def _connect(self, parts: SplitResult, port: int) -> socket.socket:
        """A connection to an address that may be asked: the one that was checked, whatever the name says next time."""
        host = parts.hostname or ""
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as exc:
            raise Error(f"download failed: can't resolve '{host}' - {exc}") from exc
        failed: OSError | None = None
        for family, kind, protocol, _, address in found:
            if not self.anywhere and not self.is_public(str(address[0])):
                raise Error(f"download failed: '{host}' is an address of this machine or link ({address[0]})")
            connected = socket.socket(family, kind, protocol)
            connected.settimeout(self.timeout)
            try:
                connected.connect(address)
                return (
                    self._context().wrap_socket(connected, server_hostname=host)
                    if parts.scheme == "https"
                    else connected
                )
            except OSError as exc:
                connected.close()
                failed = exc
        raise Error(f"download failed: can't connect to '{host}' - {failed}") from failed

    def _context(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        if not self.verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context

    def look(self, url: str) -> Remote:
        """What the server says of the file, without fetching it."""
        with self.opened(url, "HEAD") as (last, answer):
            length = answer.getheader("Content-Length")
            kind = answer.getheader("Content-Type")
            name = answer.headers.get_filename() or unquote(urlsplit(last).path.rpartition("/")[2])
            size = int(length) if length and length.isdigit() else None
            return Remote(last, size, kind.partition(";")[0].strip() if kind else None, name or None)

    def fetch(
        self,
        url: str,
        target: Path,
        *,
        limit: int,
        on_progress: Callable[[int, int | None], None],
        check_cancelled: Callable[[], None],
    ) -> int:
        """Stream the file into `target`, which must not exist; answers its size.

        At most `limit` bytes: `Error` before the first one where the server says it is larger. `on_progress` gets the
        bytes so far and the whole size, if known. The caller removes `target` when this fails.
        """
        with self.opened(url) as (_, answer):
            said = answer.getheader("Content-Length")
            total = int(said) if said and said.isdigit() else None
            if total is not None and total > limit:
                raise Error(f"download failed: not enough space: {total} bytes needed, {limit} available")
            done = 0
            with _writing(target) as write:
                while chunk := answer.read(CHUNK):
                    check_cancelled()
                    done += len(chunk)
                    if done > limit:
                        raise Error(f"download failed: not enough space: more than {limit} bytes")
                    write(chunk)
                    on_progress(done, total)
            if total is not None and done != total:
                raise Error(f"download failed: connection ended after {done} of {total} bytes")
            return done


def _split(url: str) -> tuple[SplitResult, int]:
    """The parts of an address and its port; `Error` if it names no host."""
    try:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError as exc:
        raise Error(f"download failed: '{url}' is no http or https address") from exc
    if not parts.hostname:
        raise Error(f"download failed: '{url}' is no http or https address")
    return parts, port


def _joined(url: str, where: str) -> str:
    try:
        return urljoin(url, where)
    except ValueError as exc:
        raise Error(f"download failed: '{url}' leads to '{where}', which is no address") from exc


@contextlib.contextmanager
def _writing(target: Path) -> Iterator[Callable[[bytes], object]]:
    """Writes to a new file, private to root, synced at the end."""
    descriptor = files.write_beneath(target.parent, target.name, mode=0o600)
    with os.fdopen(descriptor, "wb") as file:

        def write(data: bytes) -> None:
            try:
                file.write(data)
            except OSError as exc:
                raise Error(f"can't write '{target}' - {exc.strerror}") from exc

        yield write
        try:
            file.flush()
            os.fsync(file.fileno())
        except OSError as exc:
            raise Error(f"can't write '{target}' - {exc.strerror}") from exc


def checksum(path: Path, algorithm: Algorithm, check_cancelled: Callable[[], None] = lambda: None) -> str:
    """The file's checksum in hex."""
    digest = hashlib.new(algorithm, usedforsecurity=False)
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            check_cancelled()
            digest.update(chunk)
    return digest.hexdigest()


def check_checksum(
    path: Path, algorithm: Algorithm, expected: str, check_cancelled: Callable[[], None] = lambda: None
) -> str:
    """The checksum, if it is the expected one; else `Error` with both."""
    found = checksum(path, algorithm, check_cancelled)
    if found != expected.strip().lower():
        raise Error(f"checksum mismatch: got '{found}' != expect '{expected.strip().lower()}'")
    return found


def unpack(
    source: Path,
    target: Path,
    compression: Compression,
    *,
    limit: int,
    run: Run,
    check_cancelled: Callable[[], None],
    cancelled: Callable[[], bool],
) -> int:
    """Decompress `source` into `target`, which must not exist; answers its size. At most `limit` bytes."""
    if compression == "lzo":
        return _unpack_lzo(source, target, limit=limit, run=run, cancelled=cancelled)
    done = 0
    try:
        with _writing(target) as write, source.open("rb") as packed:
            for chunk in _plain(packed.read, compression):
                check_cancelled()
                done += len(chunk)
                if done > limit:
                    raise Error(f"decompression failed: not enough space: more than {limit} bytes")
                write(chunk)
    except (zlib.error, EOFError, OSError, ValueError, zstandard.ZstdError) as exc:
        raise Error(f"decompression failed: {exc}") from exc
    return done


def _plain(read: Callable[[int], bytes], compression: str) -> Iterator[bytes]:
    """The plain chunks of a compressed stream; a truncated one is an error."""
    if compression == "zst":
        yield from _plain_zst(read)
        return
    unpacker = _unpacker(compression)
    ended = False
    while chunk := read(CHUNK):
        while chunk:
            if ended:  # several streams may stand one behind the other
                unpacker, ended = _unpacker(compression), False
            yield unpacker.decompress(chunk)
            chunk = unpacker.unused_data
            ended = unpacker.eof
    if not ended:
        raise EOFError("the compressed file ends too early")


def _plain_zst(read: Callable[[int], bytes]) -> Iterator[bytes]:
    decompressor = zstandard.ZstdDecompressor(max_window_size=1 << 31)
    unpacker = decompressor.decompressobj(read_across_frames=False)
    while chunk := read(CHUNK):
        while chunk:
            if unpacker.eof:
                unpacker = decompressor.decompressobj(read_across_frames=False)
            yield unpacker.decompress(chunk)
            chunk = unpacker.unused_data if unpacker.eof else b""
    if not unpacker.eof:
        raise EOFError("the compressed file ends too early")


class _Unpacker:
    """zlib and bz2 decompressors under one name."""

    def __init__(self, compression: str) -> None:
        self._inner = zlib.decompressobj(wbits=31) if compression == "gz" else bz2.BZ2Decompressor()

    def decompress(self, data: bytes) -> bytes:
        return self._inner.decompress(data)

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    @property
    def eof(self) -> bool:
        return self._inner.eof


def _unpacker(compression: str) -> _Unpacker:
    return _Unpacker(compression)


def _unpack_lzo(source: Path, target: Path, *, limit: int, run: Run, cancelled: Callable[[], bool]) -> int:
    """By `lzop`: the one compression that Python does not have. Its output is looked at when it is done."""
    command: list[Arg] = ["lzop", "-d", "-f", "-o", target, "--", source]
    run.lines(command, lambda _line: None, timeout=_UNPACK_TIMEOUT, cancelled=cancelled)
    size = target.stat().st_size
    if size > limit:
        raise Error(f"decompression failed: not enough space: more than {limit} bytes")
    target.chmod(0o600)
    return size
