"""A receiver of requests: an HTTPS server on loopback, with a certificate authority of its own."""

import ssl
from collections.abc import Callable
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.support.loopback import LoopbackServer, QuietHandler

#: The name that the certificate is for.
NAME = "receiver.example"


class HttpsReceiver(LoopbackServer):
    """Stores each request as (method, path, headers, body). ``answers``, functions of the handler
    by path, are given again and again; any other path answers 200 "ok"."""

    def __init__(self, folder: Path):
        self.requests: list[tuple] = []
        self.answers: dict[str, Callable] = {}
        self.ca_bundle, certificate = _make_certificates(folder)
        outer = self

        class Handler(QuietHandler):
            def handle_request(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                outer.requests.append((self.command, self.path, dict(self.headers), body))
                outer.answers.get(self.path, respond(200, b"ok"))(self)

            do_GET = do_POST = do_HEAD = handle_request

        super().__init__(Handler)
        self.server.handle_error = lambda *args: None  # Clients that hang up are what is tested.
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_port

    def url(self, path: str = "/", host: str = NAME) -> str:
        return f"https://{host}:{self.port}{path}"

    @contextmanager
    def is_inside(self, settings, monkeypatch, addresses=("127.0.0.1",)):
        """Loopback is an allowed network, the authority a trusted one, and every name leads to
        ``addresses``; yields the names that were looked up."""
        settings.OUTBOUND_ALLOWED_NETWORKS = (ip_network("127.0.0.0/8"),)
        settings.OUTBOUND_CA_BUNDLE = self.ca_bundle
        with names_lead_to(monkeypatch, lambda name: addresses) as looked_up:
            yield looked_up


@contextmanager
def names_lead_to(monkeypatch, find: Callable):
    """In the block the resolver answers with the addresses that ``find`` gives for a name."""
    looked_up: list[str] = []

    def getaddrinfo(host, port, **options):
        looked_up.append(host)
        return [(10 if ":" in address else 2, 1, 6, "", (address, port)) for address in find(host)]

    with monkeypatch.context() as patch:
        patch.setattr("socket.getaddrinfo", getaddrinfo)
        yield looked_up


def respond(status: int, body: bytes = b"", **headers):
    """An answer; ``Content_Length=None`` leaves that header out."""
    headers = {"Content_Length": str(len(body))} | headers

    def answer(handler):
        handler.send_response(status)
        for name, value in headers.items():
            if value is not None:
                handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def drip(handler):
    """Begin an answer, then give a byte now and then until the test is over."""
    handler.send_response(200)
    handler.send_header("Content-Length", "1000000")
    handler.end_headers()
    while not handler.server.owner.is_over.wait(0.05):
        handler.wfile.write(b".")


def drip_headers(handler):
    """The same with a header that never ends."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Long: ")
    while not handler.server.owner.is_over.wait(0.05):
        handler.wfile.write(b".")


def _make_certificates(folder: Path) -> tuple[Path, Path]:
    """The files of the authority's certificate, and of the server's with its key."""
    ca_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    ca_name = _name("Authority for tests")
    ca = (
        _builder(ca_name, ca_name, ca_key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(ca_key, hashes.SHA256())
    )
    names = x509.SubjectAlternativeName([x509.DNSName(NAME), x509.DNSName(f"*.{NAME}")])
    certificate = (
        _builder(_name(NAME), ca_name, key)
        .add_extension(names, critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    ca_file, file = folder / "authority.pem", folder / "receiver.pem"
    ca_file.write_bytes(ca.public_bytes(serialization.Encoding.PEM))
    file.write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return ca_file, file


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _builder(subject: x509.Name, issuer: x509.Name, key) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
    )
