"""Clusters of etcd on loopback for tests: members as processes, links between them that can be cut, mutual TLS."""

from __future__ import annotations

import contextlib
import datetime as dt
import ipaddress
import os
import select
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import grpc
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from corral.store.etcd import rpc_pb2 as rpc
from corral.store.etcd.cluster import SERVER_OPTIONS, STATUS, Cluster, Tls

PROGRAM = shutil.which("etcd")
READY = 20.0


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


class Link:
    """Carries what is sent to one member's peer port. Who is cut off can connect to nobody, nor be connected to.

    A cut connection stays open and is silent, as when a cable was drawn.
    """

    def __init__(self, target: int) -> None:
        self.port = free_port()
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self._closed = threading.Event()
        self._threads: list[threading.Thread] = []
        self.members: Sequence[Member] = ()
        self._start(self._accept)

    def _start(self, run: Callable[..., None], *args: object) -> None:
        self._threads.append(threading.Thread(target=run, args=args, daemon=True))
        self._threads[-1].start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _address = self._listener.accept()
                self._start(self._carry, near)

    def _carry(self, near: socket.socket) -> None:
        caller = self._caller(near)
        callee = next(member for member in self.members if member.peer_port == self._target)
        with near, contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self._target)) as far:
            while not self._closed.is_set():
                readable, _, _ = select.select([near, far], [], [], 0.2)
                if callee.cut or (caller is not None and caller.cut):
                    self._closed.wait(0.1)
                    continue
                for end in readable:
                    if not (data := end.recv(65536)):
                        return
                    (far if end is near else near).sendall(data)

    def _caller(self, near: socket.socket) -> Member | None:
        """Which member has connected: by its socket."""
        wanted = f"0100007F:{near.getpeername()[1]:04X}"
        lines = Path("/proc/net/tcp").read_text().splitlines()
        inode = next((line.split()[9] for line in lines if line.split()[1] == wanted), "none")
        return next((member for member in self.members if f"socket:[{inode}]" in member.open_files()), None)

    def close(self) -> None:
        self._closed.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(5)


@dataclass
class Member:
    """One etcd. `cut`: its links to the others are; clients reach it."""

    name: str
    directory: Path
    client_port: int
    peer_port: int
    advertised: int
    options: list[str] = field(default_factory=list)
    cut: bool = False
    process: subprocess.Popen[bytes] | None = None

    def start(self, cluster: str, scheme: str, state: str = "new") -> None:
        assert PROGRAM
        client, peer = f"{scheme}://127.0.0.1:{self.client_port}", f"{scheme}://127.0.0.1:{self.peer_port}"
        with (self.directory / f"{self.name}.log").open("ab") as log:
            self.process = subprocess.Popen(
                [
                    PROGRAM, "--name", self.name, "--data-dir", str(self.directory / self.name),
                    "--listen-client-urls", client, "--advertise-client-urls", client,
                    "--listen-peer-urls", peer, "--initial-advertise-peer-urls", f"{scheme}://127.0.0.1:{self.advertised}",
                    "--initial-cluster", cluster, "--initial-cluster-state", state, "--unsafe-no-fsync",
                    *SERVER_OPTIONS, *self.options,
                ],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, env={"PATH": os.environ["PATH"]},
            )  # fmt: skip

    @property
    def runs(self) -> bool:
        return self.process is not None

    def open_files(self) -> set[str]:
        if self.process is None:
            return set()
        found = set()
        with contextlib.suppress(OSError):
            for name in os.scandir(f"/proc/{self.process.pid}/fd"):
                with contextlib.suppress(OSError):
                    found.add(os.readlink(name.path))
        return found

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait(10)
            self.process = None

    def pause(self) -> None:
        assert self.process
        self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        assert self.process
        self.process.send_signal(signal.SIGCONT)


class Etcd:
    """A cluster of `size` members below `directory`. Close it."""

    def __init__(
        self, directory: Path, size: int = 1, *, tls: bool = False, linked: bool = False, options: Sequence[str] = ()
    ) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.scheme = "https" if tls else "http"
        self.tls = certificates(directory) if tls else None
        self.members = []
        self._links = []
        for number in range(size):
            port = advertised = free_port()
            if linked:
                self._links.append(Link(port))
                advertised = self._links[-1].port
            given = [*options, *(self._tls_options() if self.tls else [])]
            self.members.append(Member(f"m{number}", directory, free_port(), port, advertised, given))
        for link in self._links:
            link.members = self.members
        self._cluster = ",".join(f"{m.name}={self.scheme}://127.0.0.1:{m.advertised}" for m in self.members)
        try:
            for member in self.members:
                member.start(self._cluster, self.scheme)
            self.wait_ready()
        except BaseException:
            self.close()
            raise

    def _tls_options(self) -> list[str]:
        assert self.tls
        both = []
        for side in ("", "peer-"):
            both += [
                f"--{side}client-cert-auth", f"--{side}trusted-ca-file={self.tls.ca}",
                f"--{side}cert-file={self.tls.certificate}", f"--{side}key-file={self.tls.key}",
            ]  # fmt: skip
        return both

    @property
    def endpoints(self) -> list[str]:
        return [self.endpoint(member) for member in self.members]

    def endpoint(self, member: Member) -> str:
        return f"{self.scheme}://127.0.0.1:{member.client_port}"

    def status(self, member: Member) -> rpc.StatusResponse | None:
        cluster = Cluster([self.endpoint(member)], self.tls)
        try:
            return cluster.ask(self.endpoint(member), STATUS, rpc.StatusRequest(), 1, require_leader=False)
        except grpc.RpcError:
            return None
        finally:
            cluster.close()

    def leader(self) -> Member:
        """The member that the one which runs first believes to lead; waits for one."""
        deadline = time.monotonic() + READY
        while time.monotonic() < deadline:
            for member in self.members:
                status = self.status(member) if member.runs and not member.cut else None
                if status and status.leader and status.leader == status.header.member_id:
                    return member
            time.sleep(0.05)
        raise AssertionError("no leader was elected")

    def followers(self) -> list[Member]:
        leader = self.leader()
        return [member for member in self.members if member is not leader]

    def restart(self, member: Member) -> None:
        member.start(self._cluster, self.scheme)

    def wait_ready(self) -> None:
        self.leader()
        deadline = time.monotonic() + READY
        while not all((status := self.status(m)) and status.leader for m in self.members if m.runs):
            assert time.monotonic() < deadline, "not all members came up"
            time.sleep(0.05)

    def close(self) -> None:
        for member in self.members:
            member.kill()
        for link in self._links:
            link.close()


@contextlib.contextmanager
def running(
    directory: Path, size: int = 1, *, tls: bool = False, linked: bool = False, options: Sequence[str] = ()
) -> Iterator[Etcd]:
    """A cluster for the time of the `with`."""
    cluster = Etcd(directory, size, tls=tls, linked=linked, options=options)
    try:
        yield cluster
    finally:
        cluster.close()


def certificates(directory: Path) -> Tls:
    """An authority, and a certificate for 127.0.0.1 that serves everybody."""
    now = dt.datetime.now(dt.UTC)

    def signed(name: str, key: ec.EllipticCurvePrivateKey, issuer: str, by: ec.EllipticCurvePrivateKey) -> bytes:
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(hours=1))
            .not_valid_after(now + dt.timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=name == issuer, path_length=None), critical=True)
        )
        if name != issuer:
            address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
            builder = builder.add_extension(x509.SubjectAlternativeName([address]), critical=False)
        return builder.sign(by, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    authority, node = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    tls = Tls(directory / "ca.pem", directory / "node.pem", directory / "node.key")
    tls.ca.write_bytes(signed("test CA", authority, "test CA", authority))
    tls.certificate.write_bytes(signed("node", node, "test CA", authority))
    tls.key.write_bytes(
        node.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return tls
