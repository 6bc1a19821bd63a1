"""Servers that the emulator is not: one that says anything, one behind TLS, and a proxy that tunnels."""

from __future__ import annotations

import base64
import datetime as dt
import ipaddress
import json
import select
import socket
import socketserver
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

LOOPBACK = "127.0.0.1"
TOKEN = "1000.scripted-access-token"
TOKEN_PATH = "/oauth/v2/token"


def free_port() -> int:
    """Return a port at which nobody listens."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


# --- a server that says anything -----------------------------------------------------------------------------------------


@dataclass
class Heard:
    """A request: its head, its body, and the way to answer it."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    handler: BaseHTTPRequestHandler

    def answer(self, status: int = 200, body: Any = None, **headers: str) -> None:
        """Send an answer with a JSON body, or with bytes."""
        raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        head = {"Content-Type": "application/json;charset=UTF-8", "Content-Length": str(len(raw)), **headers}
        lines = [f"HTTP/1.1 {status} As it is", *(f"{name.replace('_', '-')}: {value}" for name, value in head.items()), "", ""]
        self.send("\r\n".join(lines).encode() + raw)

    def send(self, raw: bytes) -> None:
        """Send bytes as they are."""
        self.handler.wfile.write(raw)
        self.handler.wfile.flush()


Script = Callable[[Heard], None]


class ScriptedServer:
    """Grants tokens, or leaves them to a script too, and leaves everything else to a script; keeps what it heard."""

    def __init__(self, script: Script, port: int = 0, grant: Script | None = None) -> None:
        self.heard: list[Heard] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_one(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                heard = Heard(self.command, self.path, {name.lower(): value for name, value in self.headers.items()}, body, self)
                outer.heard.append(heard)
                with suppress(OSError):
                    if self.path.startswith(TOKEN_PATH) and grant:
                        grant(heard)
                    elif self.path.startswith(TOKEN_PATH):
                        heard.answer(200, {"access_token": TOKEN, "expires_in": 3600}, Set_Cookie="token=1; Path=/")
                    else:
                        script(heard)

            do_GET = do_POST = handle_one  # noqa: N815 - the names that http.server looks for

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer((LOOPBACK, port), Handler)
        self._server.daemon_threads = True
        self.url = f"http://{LOOPBACK}:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def calls(self) -> list[Heard]:
        """Return what it heard besides requests for tokens."""
        return [heard for heard in self.heard if not heard.target.startswith(TOKEN_PATH)]


class DeafServer:
    """Listens, but never lets anybody in: whoever connects waits."""

    def __enter__(self) -> str:
        self._listener = socket.socket()
        self._listener.bind((LOOPBACK, 0))
        self._listener.listen(0)
        address = self._listener.getsockname()
        self._crowd = [socket.socket() for _ in range(4)]
        for one in self._crowd:
            one.setblocking(False)
            one.connect_ex(address)
        return f"http://{LOOPBACK}:{address[1]}"

    def __exit__(self, *_: object) -> None:
        for one in [*self._crowd, self._listener]:
            one.close()


# --- TLS with a private CA -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Certificates:
    """A private CA and a certificate that it signed."""

    ca: Path
    chain: Path
    key: Path
    hashed: Path


# Python 3.13 takes no CA that does not say what its key is for
_SIGNS_CERTIFICATES = x509.KeyUsage(
    key_cert_sign=True,
    crl_sign=True,
    digital_signature=False,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    encipher_only=False,
    decipher_only=False,
)


def make_certificates(folder: Path, *names: str) -> Certificates:
    """Make a CA, a certificate for some names, and a folder of CAs as OpenSSL wants it."""
    ca_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a private ca of the tests")])
    authority = (
        _certificate(issuer, issuer, ca_key, ca_key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_SIGNS_CERTIFICATES, critical=True)
    )
    alternatives = x509.SubjectAlternativeName(
        [x509.IPAddress(ipaddress.ip_address(LOOPBACK)), *(x509.DNSName(name) for name in names)],
    )
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
    made = Certificates(folder / "ca.pem", folder / "server.pem", folder / "server.key", folder / "hashed")
    ca_pem = authority.sign(ca_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    made.ca.write_bytes(ca_pem)
    server = _certificate(subject, issuer, key, ca_key).add_extension(alternatives, critical=False).sign(ca_key, hashes.SHA256())
    made.chain.write_bytes(server.public_bytes(serialization.Encoding.PEM))
    made.key.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    made.hashed.mkdir()
    (made.hashed / f"{_openssl_hash(issuer):08x}.0").write_bytes(ca_pem)
    return made


def _certificate(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, issuer_key: ec.EllipticCurvePrivateKey
) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
    )


def _openssl_hash(name: x509.Name) -> int:
    """Return the hash by which OpenSSL looks a CA up in a folder; the name must be in lower case already."""
    digest = hashes.Hash(hashes.SHA1())
    digest.update(name.public_bytes()[2:])  # without the outer sequence
    return int.from_bytes(digest.finalize()[:4], "little")


class TlsFront:
    """Takes TLS off and passes everything on to a server on loopback."""

    def __init__(self, certificates: Certificates, target: str) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificates.chain, certificates.key)
        behind = (LOOPBACK, int(target.rpartition(":")[2]))

        def handle(connection: socket.socket) -> None:
            with (
                suppress(OSError),
                context.wrap_socket(connection, server_side=True) as inside,
                socket.create_connection(behind) as outside,
            ):
                _pump(inside, outside)

        self._server = _serve(handle)
        self.port = int(self._server.server_address[1])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        _stop(self._server)


@dataclass
class Proxy:
    """A proxy for CONNECT that leads every tunnel to one port, whatever name was asked for.

    :ivar asked: the targets that were asked for.
    """

    leads_to: int
    user: str | None = None
    status: int = 200
    asked: list[str] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._server = _serve(self._handle)
        self.port = int(self._server.server_address[1])
        self.url = f"http://{self.user + '@' if self.user else ''}{LOOPBACK}:{self.port}"
        return self

    def __exit__(self, *_: object) -> None:
        _stop(self._server)

    def _handle(self, connection: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            more = connection.recv(4096)
            if not more:
                return
            head += more
        method, target, _ = head.split(b"\r\n", 1)[0].decode().split(" ")
        self.asked.append(f"{method} {target}")
        if self.status != 200 or not self._allowed(head):
            connection.sendall(f"HTTP/1.1 {self.status if self.status != 200 else 407} No\r\nContent-Length: 0\r\n\r\n".encode())
            return
        connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        with socket.create_connection((LOOPBACK, self.leads_to)) as outside:
            _pump(connection, outside)

    def _allowed(self, head: bytes) -> bool:
        if self.user is None:
            return True
        wanted = b"proxy-authorization: basic " + base64.b64encode(self.user.encode())
        return wanted.lower() in head.lower()


@contextmanager
def zohos_names(folder: Path, emulator_url: str) -> Iterator[dict[str, str]]:
    """Give the environment variables with which the host names of Zoho's US data centre lead to an emulator."""
    certificates = make_certificates(folder, "www.zohoapis.com", "accounts.zoho.com")
    with TlsFront(certificates, emulator_url) as front, Proxy(front.port) as proxy:
        yield {"HTTPS_PROXY": proxy.url, "REQUESTS_CA_BUNDLE": str(certificates.ca)}


def _serve(handle: Callable[[socket.socket], None]) -> socketserver.ThreadingTCPServer:
    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with suppress(OSError):
                handle(self.request)

    server = socketserver.ThreadingTCPServer((LOOPBACK, 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    return server


def _stop(server: socketserver.ThreadingTCPServer) -> None:
    server.shutdown()
    server.server_close()


def _pump(one: socket.socket, other: socket.socket) -> None:
    """Pass bytes both ways until one side has said all."""
    while True:
        ready = [side for side in (one, other) if isinstance(side, ssl.SSLSocket) and side.pending()]
        ready = ready or select.select([one, other], [], [], 10.0)[0]
        if not ready:
            return
        for side in ready:
            data = side.recv(65536)
            if not data:
                return
            (other if side is one else one).sendall(data)
