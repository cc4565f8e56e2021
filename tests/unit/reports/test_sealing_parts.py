"""The parts of sealing that need no PDF: key and certificate, the CMS and its one form; and what the package may load."""

from __future__ import annotations

import ast
import contextlib
import datetime as dt
import hashlib
import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import given
from hypothesis import strategies as st

from reports import cms, ornament
from reports.errors import BadSeal, MalformedDocument
from reports.keys import FileSigner
from reports.sealcheck import _may_seal
from reports.sealkey import SealKey, issue_certificate, make_authority, make_certificate

MOMENT = dt.datetime(2028, 2, 29, tzinfo=dt.UTC)
SIGNER = FileSigner.generate("p256")
CERTIFICATE = make_certificate(SIGNER, "Example CRM Ltd", MOMENT)
DIGEST = hashlib.sha256(b"file").digest()
SIGNATURE = SIGNER.sign(cms.to_be_signed(CERTIFICATE, DIGEST))
DER = cms.build(CERTIFICATE, DIGEST, SIGNATURE)


def test_a_seal_key_is_its_certificates() -> None:
    assert SealKey.check(SIGNER, CERTIFICATE).certificate == CERTIFICATE
    for signer in (FileSigner.generate("p256"), FileSigner.generate("ed25519")):
        with pytest.raises(MalformedDocument, match="not for this"):
            SealKey.check(signer, CERTIFICATE)
    with pytest.raises(MalformedDocument):
        SealKey.check(SIGNER, b"junk")
    with pytest.raises(MalformedDocument, match="P-256"):
        make_certificate(FileSigner.generate("ed25519"), "Example", MOMENT)


def test_the_cms_reads_back() -> None:
    assert cms.parts_of(DER) == cms.SealParts(CERTIFICATE, SIGNATURE, None)
    assert cms.der_length(DER + b"\0" * 9) == len(DER)
    assert cms.build(CERTIFICATE, DIGEST, cms.parts_of(DER).signature) == DER


def test_openssl_reads_the_cms() -> None:
    done = subprocess.run(
        ["openssl", "cms", "-cmsout", "-print", "-inform", "DER", "-noout"], input=DER, capture_output=True, check=True
    )
    assert b"signingCertificateV2" in done.stdout
    assert b"ecdsa-with-SHA256" in done.stdout


def test_no_byte_of_the_cms_is_free() -> None:
    # One test, not one a byte: an ECDSA signature's length varies, and every worker must collect the same names.
    for place in range(0, len(DER), 3):
        altered = bytearray(DER)
        altered[place] ^= 1
        try:
            signature = cms.parts_of(bytes(altered)).signature
        except BadSeal:
            continue
        rebuilt = cms.build(CERTIFICATE, DIGEST, signature)
        genuine = SIGNER.verifying_key.verify(signature, cms.to_be_signed(CERTIFICATE, DIGEST))
        assert rebuilt != bytes(altered) or not genuine, place


@given(st.binary(max_size=200))
def test_garbage_is_no_seal(data: bytes) -> None:
    with pytest.raises(BadSeal):
        cms.parts_of(data)
    with contextlib.suppress(BadSeal):
        assert cms.der_length(data) >= 2


DRAWINGS = {
    "rosette": ornament.rosette("#000") + ornament.rosette("#000"),
    "frame": ornament.frame("#000", "#111") + ornament.frame("#000", "#111"),
    "plain frame": ornament.plain_frame("#000") + ornament.plain_frame("#000"),
    "hatching": ornament.hatching("#000") + ornament.hatching("#000"),
    "mark": ornament.mark("#000") + ornament.mark("#000"),
}


@pytest.mark.parametrize("twice", DRAWINGS.values(), ids=DRAWINGS.keys())
def test_the_drawings_are_the_same_every_time(twice: str) -> None:
    half = len(twice) // 2
    assert twice[:half] == twice[half:]
    assert twice.startswith("<svg ")
    assert twice.endswith("</svg>")


BARE = [
    "weasyprint",
    "pyhanko",
    "pyhanko_certvalidator",
    "segno",
    "jinja2",
    "flask",
    "sqlalchemy",
    "pydantic",
    "httpx2",
]


def test_a_bare_install_verifies() -> None:
    """Every module of the package loads, and a bundle is verified, where only the bare dependencies can be imported."""
    script = f"""
import sys
sys.path.insert(0, ".")
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {BARE!r}:
            raise ImportError(name + " is not installed")
sys.meta_path.insert(0, Absent())
import importlib, pkgutil, reports
for module in pkgutil.walk_packages(reports.__path__, "reports."):
    importlib.import_module(module.name)
from tests.support.evidence import certified, World
from reports.verify import verify
world = World()
bundle = certified(world).bundle()
assert verify(bundle.to_bytes(), world.pin).yes
from reports.errors import RenderingUnavailable
import datetime
from reports import pdf, seal
for attempt in (lambda: pdf.render(bundle), lambda: seal.seal(b"%PDF", world.seal, datetime.datetime.now(datetime.UTC))):
    try:
        attempt()
    except RenderingUnavailable:
        continue
    raise SystemExit("rendered without its libraries")
print("fine")
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "fine", done.stderr


PURE = [
    "canonical",
    "certificate",
    "claims",
    "cms",
    "documents",
    "envelope",
    "errors",
    "findings",
    "findings.codes",
    "findings.course",
    "findings.readback",
    "findings.shape",
    "links",
    "orders",
    "ornament",
    "parts",
    "record",
    "sealcheck",
    "statement",
    "statements",
    "times",
    "tlog.checkpoint",
    "tlog.entries",
    "tlog.notes",
    "tlog.proofs",
    "tlog.tiles",
    "tlog.tree",
    "trust",
    "verdict",
    "verify",
    "verify_run",
    "verify_statement",
    "verify_steps",
    "bundle",
]


@pytest.mark.parametrize("name", PURE)
def test_pure_modules_import_nothing_of_the_world(name: str) -> None:
    spec = importlib.util.find_spec(f"reports.{name}")
    assert spec is not None
    assert spec.origin is not None
    tree = ast.parse(Path(spec.origin).read_text(encoding="utf-8"))
    imported = {
        alias.name.split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names
    }
    imported |= {
        (node.module or "").split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and not node.level
    }
    assert not imported & {
        "os",
        "time",
        "socket",
        "logging",
        "sqlalchemy",
        "flask",
        "pathlib",
        "subprocess",
        "secrets",
        "random",
    }


def _issued(**wrong: object) -> tuple[bytes, bytes]:
    """A sealing certificate with something about it changed, and the authority that really issued it."""
    key = ec.generate_private_key(ec.SECP256R1())
    issuer, signer = FileSigner(key), FileSigner.generate("p256")
    authority = make_authority(issuer, "Example CRM Ltd", MOMENT)
    good = x509.load_der_x509_certificate(
        issue_certificate(issuer, authority, signer.public_key_der, "Example CRM Ltd", MOMENT)
    )
    builder = (
        x509.CertificateBuilder()
        .subject_name(good.subject)
        .issuer_name(good.issuer)
        .public_key(good.public_key())
        .serial_number(good.serial_number)
        .not_valid_before(good.not_valid_before_utc)
        .not_valid_after(good.not_valid_after_utc)
    )
    usage = dict.fromkeys(
        ("key_encipherment", "data_encipherment", "key_agreement", "crl_sign", "encipher_only", "decipher_only"), False
    )
    usage |= {"digital_signature": True, "content_commitment": True, "key_cert_sign": False}
    for one in good.extensions:
        value: x509.ExtensionType = one.value
        if isinstance(value, x509.KeyUsage):
            if "usage" in wrong:
                continue
            value = x509.KeyUsage(**{**usage, **{name: bool(bit) for name, bit in wrong.items() if name in usage}})
        if isinstance(value, x509.BasicConstraints):
            value = x509.BasicConstraints(ca=bool(wrong.get("ca")), path_length=None)
        builder = builder.add_extension(value, critical=one.critical)
    if "more" in wrong:
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), critical=False)
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER), authority


@pytest.mark.parametrize(
    "wrong",
    [
        {"digital_signature": False},
        {"content_commitment": False},
        {"key_cert_sign": True},
        {"ca": True},
        {"usage": None},
        {"more": True},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
def test_a_certificate_that_is_not_for_sealing_alone_seals_nothing(wrong: dict[str, object]) -> None:
    """Each bit by itself; the authority really issued it."""
    certificate, authority = _issued(**wrong)
    with pytest.raises(BadSeal):
        _may_seal(certificate, authority, MOMENT + dt.timedelta(days=1))


def test_the_same_certificate_with_nothing_wrong_may_seal() -> None:
    certificate, authority = _issued()
    _may_seal(certificate, authority, MOMENT + dt.timedelta(days=1))
    for moment in (MOMENT - dt.timedelta(days=1), MOMENT + dt.timedelta(days=3650)):
        with pytest.raises(BadSeal):
            _may_seal(certificate, authority, moment)
