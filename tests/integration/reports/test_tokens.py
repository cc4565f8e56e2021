"""Keys in tokens sign what keys in files sign, and a token that is not as it should be is no key at all."""

from __future__ import annotations

import datetime as dt
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import httpx2
import pytest
import sqlalchemy as sa

from agents.signing import sign_request
from inventory.auth.signatures import SignatureRefused, SignedMessage, verify
from inventory.clock import SystemClock
from inventory.ledger import Ledger
from inventory.models import LogCheckpoint
from inventory.services import setup
from inventory.settings import Settings
from reports.envelope import open_envelope, sign
from reports.errors import TokenUnusable
from reports.keys import FileSigner
from reports.sealkey import SealKey, issue_certificate, make_authority, make_list
from reports.tlog import Checkpoint, open_checkpoint, sign_checkpoint
from reports.token import TokenKey, TokenSigner, token_note_signer
from tests.support.capabilities import requires_tool
from tests.support.tokens import SOFTHSM, Token, run

pytestmark = [
    requires_tool("softhsm2-util", "pkcs11-tool", "swtpm", "swtpm_setup", "tpm2-abrmd", "tpm2_ptool", "dbus-daemon"),
    pytest.mark.xdist_group("tokens"),
]

MESSAGE = b"what is signed"
EDWARDS = "EC:edwards25519"


def judged_by_openssl(signer: TokenSigner, folder: Path) -> bool:
    """The reference tool's opinion of a signature over `MESSAGE`."""
    for name, content in (("spki", signer.public_key_der), ("sig", signer.sign(MESSAGE)), ("m", MESSAGE)):
        (folder / name).write_bytes(content)
    words = ["openssl", "pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-rawin"]
    files = ["-inkey", str(folder / "spki"), "-sigfile", str(folder / "sig"), "-in", str(folder / "m")]
    return subprocess.run([*words, *files], capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize("kind", ["EC:prime256v1", EDWARDS])
def test_a_key_in_a_security_module_signs_like_one_in_a_file(softhsm: Token, kind: str, tmp_path: Path) -> None:
    signer = TokenSigner(softhsm.make(f"sign-{kind[3:8]}", kind))
    assert signer.verifying_key.verify(signer.sign(MESSAGE), MESSAGE)
    assert not signer.verifying_key.verify(signer.sign(MESSAGE), MESSAGE + b".")
    assert judged_by_openssl(signer, tmp_path)
    envelope = sign("key-event", {"a": 1}, signer)
    assert open_envelope(envelope, {signer.key_id: signer.verifying_key}, "key-event")[1] == (signer.key_id,)


def test_a_key_in_a_tpm_signs_and_cannot_leave_it(tpm: Token, tmp_path: Path) -> None:
    signer = TokenSigner(tpm.uri("agent"))
    assert signer.verifying_key.verify(signer.sign(MESSAGE), MESSAGE)
    assert judged_by_openssl(signer, tmp_path)
    envelope = sign("sanitization-record", {"a": 1}, signer)
    assert open_envelope(envelope, {signer.key_id: signer.verifying_key}, "sanitization-record")[1] == (signer.key_id,)


def test_the_log_is_signed_by_a_key_in_a_token(softhsm: Token) -> None:
    signer = token_note_signer(softhsm.make("log", EDWARDS), "log.example.org")
    note = sign_checkpoint(Checkpoint("log.example.org", 1, bytes(32)), [signer], 0)
    assert open_checkpoint(note, [signer.verifier]).size == 1
    with pytest.raises(TokenUnusable, match="Ed25519"):
        token_note_signer(softhsm.make("log-p256"), "log.example.org")


def test_a_pdf_seal_takes_a_key_in_a_token(softhsm: Token) -> None:
    signer, issuer = TokenSigner(softhsm.make("seal")), FileSigner.generate("p256")
    start = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
    authority = make_authority(issuer, "Example CRM Ltd", start)
    certificate = issue_certificate(issuer, authority, signer.public_key_der, "Example CRM Ltd", start, days=730)
    key = SealKey.check(signer, certificate, authority, make_list(issuer, authority, {}, 1, start))
    assert key.signer is signer


def test_a_lost_session_is_opened_once_more(softhsm: Token) -> None:
    signer = TokenSigner(softhsm.make("lost"))
    other = TokenSigner(softhsm.make("lost-too"))
    signer._token._session.close()  # as if the token had been pulled and put back
    assert other.verifying_key.verify(other.sign(MESSAGE), MESSAGE)
    assert signer.verifying_key.verify(signer.sign(MESSAGE), MESSAGE)


def test_another_key_in_its_place_does_not_sign_for_it(softhsm: Token) -> None:
    uri = softhsm.make("swapped")
    signer = TokenSigner(uri)
    words = ("pkcs11-tool", "--module", str(SOFTHSM), "--token-label", softhsm.label, "--login")
    pin = softhsm.pin_file.read_text(encoding="utf-8").strip()
    for kind in ("privkey", "pubkey"):
        run(*words, "--pin", pin, "--delete-object", "--type", kind, "--label", "swapped")
    softhsm.make("swapped")
    with pytest.raises(TokenUnusable, match="another key"):
        signer.sign(MESSAGE)


def twice(token: Token, _: Path) -> str:
    token.make("twice")
    return token.make("twice")


def wrong_pin(token: Token, folder: Path) -> str:
    pin = folder / "pin"
    pin.touch(mode=0o600)
    pin.write_text("wrong", encoding="utf-8")
    token.make("pin")
    return token.uri("pin", pin)


def open_pin(token: Token, folder: Path) -> str:
    shutil.copy(token.pin_file, folder / "pin")
    (folder / "pin").chmod(0o644)
    return token.uri("whatever", folder / "pin")


def no_pin(token: Token, folder: Path) -> str:
    (folder / "pin").touch(mode=0o600)
    return token.uri("whatever", folder / "pin")


CASES: list[tuple[Callable[[Token, Path], str], str]] = [
    (lambda token, _: token.uri("nobody"), "exactly one key pair"),
    (twice, "exactly one key pair"),
    (lambda token, _: token.uri("x").replace("token=sanitrail", "token=other"), "no token"),
    (lambda token, _: token.uri("x").replace(str(SOFTHSM), "/usr/lib/none.so"), "cannot be opened"),
    (lambda token, _: token.make("out", "EC:prime256v1", "--extractable"), "can be taken out"),
    (lambda token, _: token.make("p384", "EC:secp384r1"), "neither Ed25519 nor P-256"),
    (wrong_pin, "not its PIN"),
    (open_pin, "others may read"),
    (no_pin, "no PIN"),
    (lambda token, folder: token.uri("x", folder / "missing"), "cannot be read"),
]


@pytest.mark.parametrize(("case", "words"), CASES)
def test_a_token_that_is_not_as_it_should_be_is_refused(
    softhsm: Token, tmp_path: Path, case: Callable[[Token, Path], str], words: str
) -> None:
    with pytest.raises(TokenUnusable, match=words):
        TokenSigner(case(softhsm, tmp_path))


@pytest.mark.parametrize(
    "uri",
    [
        "pkcs11:",
        "pkcs11:token=a;object=b?module-path=/m",
        "pkcs11:token=a;object=b?module-path=m&pin-source=/p",
        "pkcs11:token=a;object=b?module-path=/m&pin-source=p",
        "pkcs11:token=a;token=c;object=b?module-path=/m&pin-source=/p",
        "pkcs11:token=a;object=b;type=cert?module-path=/m&pin-source=/p",
        "pkcs11:token=a;object=b;id=%01?module-path=/m&pin-source=/p",
        "file:token=a;object=b?module-path=/m&pin-source=/p",
    ],
)
def test_a_uri_says_everything_once_and_nothing_else(uri: str) -> None:
    with pytest.raises(TokenUnusable):
        TokenKey.parse(uri)


def test_a_pin_in_a_uri_is_refused_and_not_repeated() -> None:
    with pytest.raises(TokenUnusable, match="pin-source") as refused:
        TokenKey.parse("pkcs11:token=a;object=b?module-path=/m&pin-value=hunter2")
    assert "hunter2" not in str(refused.value)


def test_the_services_keys_may_all_stand_in_a_token(softhsm: Token, tmp_path: Path) -> None:
    sources = {
        "acceptance": softhsm.make("service-acceptance"),
        "enrolment": softhsm.make("service-enrolment", EDWARDS),
        "log-ed25519": softhsm.make("service-log", EDWARDS),
    }
    settings = Settings(data_dir=tmp_path / "data", key_sources=sources)
    context = setup.initialise(settings, SystemClock())
    try:
        files = {path.name for path in (tmp_path / "data" / "secrets").iterdir()}
        assert not files & {"acceptance.pem", "enrolment.pem", "log-ed25519.pem"}
        assert isinstance(context.secrets.signer("acceptance"), TokenSigner)
        with context.writing() as session:
            context.ledger.append(session, "acceptance", "ab" * 32, "signed in the token")
        assert isinstance(context.ledger, Ledger)
        with context.reading() as session:
            note = session.scalars(sa.select(LogCheckpoint.note).order_by(LogCheckpoint.size.desc())).first()
        assert note is not None
        open_checkpoint(note, [signer.verifier for signer in context.ledger.signers], exact=True)
    finally:
        context.database.close()
    setup.open_inventory(settings, SystemClock()).database.close()


def test_an_agent_with_its_key_in_a_tpm_is_believed_by_the_service(tpm: Token) -> None:
    signer, now = TokenSigner(tpm.uri("agent")), dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)
    request = httpx2.Request("POST", "https://inventory.example.org/api/v1/agent/heartbeat", content=b"{}")
    request.headers["content-type"] = "application/json"
    sign_request(request, b"{}", signer, now)
    headers = {name.lower(): value for name, value in request.headers.items()}
    message = SignedMessage(request.method, str(request.url), headers, b"{}")
    assert verify(message, {signer.key_id: signer.public_key()}.get, lambda: now).key_id == signer.key_id
    altered = SignedMessage(request.method, str(request.url), headers, b"{1}")
    with pytest.raises(SignatureRefused):
        verify(altered, {signer.key_id: signer.public_key()}.get, lambda: now)
