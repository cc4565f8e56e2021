"""A time-stamping authority for tests: `openssl ts -reply`, in process or behind a small HTTP server, honest or lying."""

from __future__ import annotations

import datetime as dt
import functools
import hashlib
import http.server
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from asn1crypto import algos, cms, core, tsp
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from reports.canonical import to_base64
from reports.trust_body import TimeAuthority

POLICY = "1.3.6.1.4.1.99999.1"
_CONFIGURATION = """[tsa]
default_tsa = t
[t]
serial = {folder}/serial
signer_cert = {folder}/tsa.pem
signer_key = {folder}/tsa.key
signer_digest = {digest}
default_policy = {policy}
digests = sha1, sha256, sha384, sha512
accuracy = secs:1, millisecs:500
ordering = no
tsa_name = {named}
ess_cert_id_chain = no
ess_cert_id_alg = sha256
"""
_P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


def certificate(
    name: str,
    key: _Key,
    issuer: tuple[x509.Certificate, _Key] | None,
    *,
    ca: bool = False,
    purposes: tuple[x509.ObjectIdentifier, ...] = (),
    critical: bool = True,
    start: dt.datetime,
    days: int = 3650,
    crl_at: str = "",
    digest: hashes.SHA224 | hashes.SHA256 | hashes.SHA384 | None = None,
) -> x509.Certificate:
    """A certificate of the tests' own authorities."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if issuer is None else issuer[0].subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + dt.timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(
            x509.KeyUsage(
                digital_signature=not ca,
                content_commitment=False,
                key_encipherment=False,
                data_encipherment=False,
                key_agreement=False,
                key_cert_sign=ca,
                crl_sign=ca,
                encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    if purposes:
        builder = builder.add_extension(x509.ExtendedKeyUsage(purposes), critical=critical)
    if crl_at:
        point = x509.DistributionPoint([x509.UniformResourceIdentifier(crl_at)], None, None, None)
        builder = builder.add_extension(x509.CRLDistributionPoints([point]), critical=False)
    return builder.sign(key if issuer is None else issuer[1], digest or hashes.SHA256())


def _der(found: x509.Certificate) -> bytes:
    return found.public_bytes(serialization.Encoding.DER)


@dataclass
class LocalAuthority:
    """A root, perhaps an authority between, and the certificate that stamps; `openssl ts -reply` does the stamping."""

    folder: Path
    name: str = "Example Time"
    rsa: bool = False
    between: bool = False
    purposes: tuple[x509.ObjectIdentifier, ...] = (ExtendedKeyUsageOID.TIME_STAMPING,)
    critical: bool = True
    named: str = "yes"
    digest: str = "sha256"
    start: dt.datetime = field(default_factory=lambda: dt.datetime.now(dt.UTC) - dt.timedelta(days=30))
    days: int = 3650
    crl_at: str = ""
    certificate_digest: hashes.SHA224 | hashes.SHA256 | hashes.SHA384 | None = None
    clock: Callable[[], dt.datetime] | None = None
    """Whose time it stamps; None: the machine's."""

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        start = self.start
        self.root_key = self._key()
        self.root = certificate(f"{self.name} root", self.root_key, None, ca=True, start=start)
        above: tuple[x509.Certificate, _Key] = (self.root, self.root_key)
        self.chain: list[x509.Certificate] = []
        if self.between:
            key = self._key()
            middle = certificate(f"{self.name} between", key, above, ca=True, start=start)
            self.chain, above = [middle], (middle, key)
        self._above = above
        pem = serialization.Encoding.PEM
        (self.folder / "root.pem").write_bytes(self.root.public_bytes(pem))
        (self.folder / "chain.pem").write_bytes(b"".join(one.public_bytes(pem) for one in self.chain))
        (self.folder / "serial").write_text("01\n")
        self.renew()
        self.configure()

    def renew(self) -> None:
        """A new key and certificate that stamp, under the same root."""
        pem = serialization.Encoding.PEM
        self.key = self._key()
        self.signer = certificate(
            self.name, self.key, self._above, purposes=self.purposes, critical=self.critical, start=self.start,
            days=self.days, crl_at=self.crl_at, digest=self.certificate_digest,
        )  # fmt: skip
        (self.folder / "tsa.pem").write_bytes(self.signer.public_bytes(pem))
        (self.folder / "tsa.key").write_bytes(
            self.key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        )

    def configure(self, policy: str = POLICY) -> None:
        """Write openssl's configuration."""
        text = _CONFIGURATION.format(folder=self.folder, digest=self.digest, policy=policy, named=self.named)
        (self.folder / "tsa.cnf").write_text(text)

    def _key(self) -> _Key:
        return rsa.generate_private_key(65537, 2048) if self.rsa else ec.generate_private_key(ec.SECP256R1())

    @property
    def anchor(self) -> bytes:
        """DER of the root."""
        return _der(self.root)

    @property
    def signer_der(self) -> bytes:
        """DER of the certificate that stamps."""
        return _der(self.signer)

    def entry(self, *, policy: str = "") -> TimeAuthority:
        """As a trust root names it."""
        return TimeAuthority(name=self.name, certificates=(to_base64(self.anchor),), policy=policy)

    def reply(self, query: bytes, *, token: bool = False) -> bytes:
        """What `openssl ts -reply` answers (or only the token in it)."""
        (self.folder / "q.tsq").write_bytes(query)
        command = [
            "openssl",
            "ts",
            "-reply",
            "-config",
            "tsa.cnf",
            "-section",
            "t",
            "-queryfile",
            "q.tsq",
            "-out",
            "r.tsr",
        ]
        if self.chain:
            command += ["-chain", "chain.pem"]
        if token:
            command += ["-token_out"]
        subprocess.run(command, cwd=self.folder, check=True, capture_output=True)
        made = (self.folder / "r.tsr").read_bytes()
        return made if self.clock is None else self._at(self.clock(), made, token=token)

    def _at(self, moment: dt.datetime, made: bytes, *, token: bool) -> bytes:
        """The answer as if it had been given at that time."""

        def change(info: tsp.TSTInfo, _: object) -> None:
            info["gen_time"] = moment

        if token:
            return forge(made, self, change)
        parts = [bytes(part.dump()) for part in core.SequenceOf.load(made, spec=core.Any)]
        if len(parts) != 2:
            return made
        body = parts[0] + forge(parts[1], self, change)
        return b"\x30\x82" + len(body).to_bytes(2, "big") + body

    def token(self, message: bytes, digest: str = "sha256", *options: str) -> bytes:
        """A token over a message as openssl makes it, asked for by openssl."""
        (self.folder / "message").write_bytes(message)
        command = ["openssl", "ts", "-query", "-data", "message", f"-{digest}", "-cert", "-out", "q.tsq", *options]
        subprocess.run(command, cwd=self.folder, check=True, capture_output=True)
        return self.reply((self.folder / "q.tsq").read_bytes(), token=True)

    def openssl_accepts(self, token: bytes, message: bytes) -> bool:
        """The outside judge: `openssl ts -verify`."""
        (self.folder / "message").write_bytes(message)
        (self.folder / "t.tst").write_bytes(token)
        command = ["openssl", "ts", "-verify", "-data", "message", "-in", "t.tst", "-token_in", "-CAfile", "root.pem"]
        if self.chain:
            command += ["-untrusted", "chain.pem"]
        done = subprocess.run(command, cwd=self.folder, check=False, capture_output=True)
        return done.returncode == 0 and b"Verification: OK" in done.stdout


def forge(
    token: bytes, authority: LocalAuthority, change: Callable[[tsp.TSTInfo, list[cms.CMSAttribute]], object]
) -> bytes:
    """The token, changed inside and signed again by the authority's key: in the one form, as far as it goes."""
    content = cms.ContentInfo.load(token)
    signed = content["content"]
    signer = signed["signer_infos"][0]
    info = tsp.TSTInfo.load(bytes(signed["encap_content_info"]["content"]))
    info["tsa"] = None
    parsed = asn1_x509.Certificate.load(authority.signer_der)
    digest = hashlib.sha256(authority.signer_der).digest()
    named = tsp.SigningCertificateV2({"certs": [tsp.ESSCertIDv2({"cert_hash": digest})]})
    attributes = [
        cms.CMSAttribute({"type": "content_type", "values": ["tst_info"]}),
        cms.CMSAttribute({"type": "message_digest", "values": [b""]}),
        cms.CMSAttribute({"type": "signing_certificate_v2", "values": [named]}),
    ]
    change(info, attributes)
    octets = info.dump(force=True)
    for one in attributes:
        if one["type"].native == "message_digest" and one["values"][0].native == b"":
            one["values"] = [hashlib.sha256(octets).digest()]
    signer["signed_attrs"] = cms.CMSAttributes(attributes)
    message = cms.CMSAttributes(attributes).dump()
    assert isinstance(authority.key, ec.EllipticCurvePrivateKey)
    r, s = decode_dss_signature(authority.key.sign(message, ec.ECDSA(hashes.SHA256())))
    signer["signature"] = encode_dss_signature(r, min(s, _P256_ORDER - s))
    signer["digest_algorithm"] = algos.DigestAlgorithm({"algorithm": "sha256"})
    signer["sid"] = cms.SignerIdentifier(
        {"issuer_and_serial_number": {"issuer": parsed.issuer, "serial_number": parsed.serial_number}}
    )
    signed["certificates"] = [parsed]
    signed["encap_content_info"]["content"] = core.ParsableOctetString(octets)
    return bytes(content.dump(force=True))


LIES = (
    "other-bytes",
    "other-nonce",
    "no-nonce",
    "truncated",
    "garbage",
    "huge",
    "slow",
    "error-status",
    "rejection",
    "redirect",
    "empty",
    "wrong-type",
)
"""Ways in which the server can answer badly; certificates that lie are made with `LocalAuthority`."""


class TimeServer:
    """The authority behind HTTP on a port that the kernel chose. `lie` may be changed at any time."""

    def __init__(self, authority: LocalAuthority) -> None:
        self.authority = authority
        self.lie = ""
        self.dripped = 0
        self.asked = 0
        self.crl: bytes = b""
        handler = functools.partial(_Handler, self)
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/tsa"
        self.stopping = threading.Event()

    def answer(self, query: bytes) -> bytes:
        """The answer to a question, true or not."""
        if self.lie in {"other-bytes", "other-nonce", "no-nonce"}:
            asked = tsp.TimeStampReq.load(query)
            if self.lie == "other-bytes":
                asked["message_imprint"]["hashed_message"] = bytes(32)
            elif self.lie == "other-nonce":
                asked["nonce"] = asked["nonce"].native ^ 1
            else:
                del asked["nonce"]
            query = asked.dump(force=True)
        elif self.lie == "rejection":
            query = b"\x30\x03\x02\x01\x01"
        return self.authority.reply(query)


class _Handler(http.server.BaseHTTPRequestHandler):
    def __init__(self, owner: TimeServer, *args: object) -> None:
        self.owner = owner
        super().__init__(*args)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        self._send(200, self.owner.crl, "application/pkix-crl")

    def do_POST(self) -> None:
        query = self.rfile.read(int(self.headers["Content-Length"]))
        owner, lie = self.owner, self.owner.lie
        owner.asked += 1
        if lie == "error-status":
            self._send(503, b"busy", "text/plain")
        elif lie == "redirect":
            self.send_response(302)
            self.send_header("Location", "http://127.0.0.1:9/elsewhere")
            self.end_headers()
        elif lie == "huge":
            self._send(200, bytes(10_000_000), "application/timestamp-reply")
        elif lie in {"garbage", "empty"}:
            self._send(200, b"" if lie == "empty" else b"\x30\x82hello", "application/timestamp-reply")
        elif lie == "slow":
            self.send_response(200)
            self.end_headers()
            for _ in range(600):  # a byte now and then, so that no single read times out
                if owner.stopping.wait(0.1):
                    return
                try:
                    self.wfile.write(b"\x30")
                    self.wfile.flush()
                except OSError:
                    return
                owner.dripped += 1
        else:
            answer = owner.answer(query)
            kind = "text/html" if lie == "wrong-type" else "application/timestamp-reply"
            self._send(200, answer[: len(answer) // 2] if lie == "truncated" else answer, kind)

    def _send(self, status: int, body: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        try:
            self.wfile.write(body)
        except OSError:
            return

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Tests are quiet."""


@contextmanager
def serving(authority: LocalAuthority) -> Iterator[TimeServer]:
    """A running server."""
    server = TimeServer(authority)
    thread = threading.Thread(target=server.server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.stopping.set()
        server.server.shutdown()
        server.server.server_close()
        thread.join()
