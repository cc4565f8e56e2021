"""Seals under an issued certificate, PAdES B-LT in one revision: foreign judges agree, in ten years too, and no byte is free."""

from __future__ import annotations

import datetime as dt
import io
import logging
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pikepdf
import pytest
import weasyprint
from asn1crypto import cms as asn1_cms
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from reports import cms
from reports.errors import BadSeal, BadStamp, MalformedDocument
from reports.keys import FileSigner
from reports.seal import StampMaterial, seal
from reports.sealcheck import check_issued_seal, check_seal
from reports.sealdata import check_seal_data
from reports.sealkey import SealKey, issue_certificate, make_authority, make_certificate, make_list
from reports.timestamps import path_of
from tests.support.capabilities import requires_tool
from tests.support.sealing import ORGANISATION, LocalStamper, SealingOffice
from tests.support.time_authority import LocalAuthority

NOW = dt.datetime.now(dt.UTC).replace(microsecond=0)
OFFICE = SealingOffice(NOW)
DAY = dt.timedelta(days=1)
KINDS = ("stamped", "unstamped")
pytestmark = [pytest.mark.reference_tool, requires_tool("openssl")]


def _page() -> bytes:
    attached = weasyprint.Attachment(
        string=b'{"a":1}', name="destruction-bundle.json", relationship="Source", created=NOW, modified=NOW
    )
    html = weasyprint.HTML(string="<html lang=en><title>A page</title><body>Words")
    printed: bytes = html.write_pdf(pdf_variant="pdf/a-3u", attachments=[attached])
    return printed


PAGE = _page()


@pytest.fixture(scope="module")
def clock(tmp_path_factory: pytest.TempPathFactory) -> LocalAuthority:
    return LocalAuthority(tmp_path_factory.mktemp("tsa"))


def _list_of(clock: LocalAuthority) -> bytes:
    above = clock.root_key.public_key()
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(clock.root.subject)
        .last_update(NOW - dt.timedelta(hours=1))
        .next_update(NOW + 30 * DAY)
        .add_extension(x509.CRLNumber(1), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(above), critical=False)
    )
    return builder.sign(clock.root_key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


@pytest.fixture(scope="module")
def sealed(clock: LocalAuthority) -> dict[str, bytes]:
    return {
        "stamped": seal(PAGE, OFFICE.key, NOW, stamper=LocalStamper(clock, (_list_of(clock),))),
        "unstamped": seal(PAGE, OFFICE.key, NOW),
    }


def check(data: bytes, clock: LocalAuthority, authority: bytes = OFFICE.authority) -> str:
    found = check_issued_seal(data, authority, (clock.entry(),))
    return f"{found.words} {check_seal_data(data, found, authority, (clock.entry(),))}"


@pytest.mark.parametrize("kind", KINDS)
def test_the_seal_holds_and_says_when(kind: str, sealed: dict[str, bytes], clock: LocalAuthority) -> None:
    found = check_issued_seal(sealed[kind], OFFICE.authority, (clock.entry(),))
    assert found.certificate == OFFICE.certificate
    assert (found.stamp is None) is (kind == "unstamped")
    assert (f"by {clock.name}" if kind == "stamped" else "by its own word") in found.words
    assert "was not revoked" in check(sealed[kind], clock)
    if kind == "unstamped":
        assert found.moment == NOW


@requires_tool("pdfsig", "certutil")
@pytest.mark.parametrize("kind", KINDS)
def test_pdfsig_says_valid_trusted_and_totally_signed(kind: str, sealed: dict[str, bytes], tmp_path: Path) -> None:
    (tmp_path / "d.pdf").write_bytes(sealed[kind])
    (tmp_path / "authority.crt").write_bytes(OFFICE.authority)
    base = f"sql:{tmp_path}"
    subprocess.run(["certutil", "-N", "-d", base, "--empty-password"], check=True, capture_output=True)
    imported = ["certutil", "-A", "-d", base, "-n", "sealing", "-t", "C,C,C", "-i", str(tmp_path / "authority.crt")]
    subprocess.run(imported, check=True, capture_output=True)
    command = ["pdfsig", "-nssdir", base, str(tmp_path / "d.pdf")]
    said = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    for words in ("Signature is Valid.", "Certificate is Trusted.", "Total document signed", "ETSI.CAdES.detached"):
        assert words in said, said
    assert said.count("Signature #") == 1


@requires_tool("qpdf")
@pytest.mark.parametrize("kind", KINDS)
def test_it_stays_pdf_a_3u_and_sound(kind: str, sealed: dict[str, bytes], tmp_path: Path) -> None:
    (tmp_path / "d.pdf").write_bytes(sealed[kind])
    done = subprocess.run(["qpdf", "--check", str(tmp_path / "d.pdf")], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    with pikepdf.open(io.BytesIO(sealed[kind])) as document:
        with document.open_metadata() as metadata:
            assert metadata.pdfa_status == "3U"
        assert document.Root.OutputIntents[0].S == "/GTS_PDFA1"
        assert {item.objgen for item in document.Root.AF}
        assert set(document.Root.DSS.keys()) == {"/Certs", "/CRLs"}
        assert document.Root.Perms.DocMDP.SubFilter == "/ETSI.CAdES.detached"
        fonts = [
            one
            for one in document.objects
            if isinstance(one, pikepdf.Dictionary) and one.get("/Type") == "/FontDescriptor"
        ]
        assert fonts
        assert all(any(key in one for key in ("/FontFile", "/FontFile2", "/FontFile3")) for one in fonts)
    assert sealed[kind].count(b"%%EOF") == PAGE.count(b"%%EOF") + 1, "one revision is added, no more"


def _judged(data: bytes, clock: LocalAuthority, years: int) -> Any:  # noqa: ANN401 - pyHanko's own type
    from asn1crypto import x509 as asn1_x509  # noqa: PLC0415 - only this judge needs it
    from pyhanko.pdf_utils.reader import PdfFileReader  # noqa: PLC0415
    from pyhanko.sign.validation import policy_decl  # noqa: PLC0415
    from pyhanko.sign.validation.ades import simulate_future_ades_lta_validation  # noqa: PLC0415
    from pyhanko_certvalidator.context import CertValidationPolicySpec  # noqa: PLC0415
    from pyhanko_certvalidator.policy_decl import REQUIRE_REVINFO, CertRevTrustPolicy  # noqa: PLC0415
    from pyhanko_certvalidator.registry import SimpleTrustManager  # noqa: PLC0415

    roots = [asn1_x509.Certificate.load(der) for der in (OFFICE.authority, clock.anchor)]
    policy = policy_decl.PdfSignatureValidationSpec(
        policy_decl.SignatureValidationSpec(
            CertValidationPolicySpec(
                trust_manager=SimpleTrustManager.build(trust_roots=roots),
                revinfo_policy=CertRevTrustPolicy(REQUIRE_REVINFO),
            ),
            revinfo_gathering_policy=policy_decl.RevocationInfoGatheringSpec(
                policy_decl.RevinfoOnlineFetchingRule.LOCAL_ONLY
            ),
        )
    )
    (signature,) = PdfFileReader(io.BytesIO(data)).embedded_signatures
    moment = NOW + dt.timedelta(days=365 * years)

    def ask() -> Any:  # noqa: ANN401 - as above
        import asyncio  # noqa: PLC0415

        return asyncio.run(simulate_future_ades_lta_validation(signature, policy, moment))

    # In a thread of its own: pyHanko runs an event loop, and a browser's test before this one may have left one in this thread.
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(ask).result()


@pytest.mark.parametrize("years", [1, 5, 10])
def test_pyhanko_still_believes_it_in_years_when_certificates_have_expired(
    years: int, sealed: dict[str, bytes], clock: LocalAuthority
) -> None:
    """AdES validation (ETSI EN 319 102-1, 5.6) at a later time, existence until then taken as proven (by the log)."""
    logging.getLogger("pyhanko").setLevel(logging.CRITICAL)
    result = _judged(sealed["stamped"], clock, years)
    assert result.ades_subindic.name == "OK"


def test_without_a_stamp_an_expired_certificate_convinces_no_foreign_judge(
    sealed: dict[str, bytes], clock: LocalAuthority
) -> None:
    logging.getLogger("pyhanko").setLevel(logging.CRITICAL)
    assert _judged(sealed["unstamped"], clock, 5).ades_subindic.name != "OK"


# ---------------------------------------------------------------- every byte


@pytest.mark.parametrize("kind", KINDS)
def test_any_altered_byte_fails(kind: str, sealed: dict[str, bytes], clock: LocalAuthority) -> None:
    data = sealed[kind]
    value = data.index(b"/Contents <") + len(b"/Contents <")
    end = data.index(b">", value)
    padding = value + len(data[value:end].rstrip(b"0"))
    places = {*range(0, value, 41), *range(value, padding, 7), *range(padding, end, 97), *range(end - 2, len(data), 5)}
    assert len(places) > 500
    for number, place in enumerate(sorted(places)):
        altered = bytearray(data)
        altered[place] ^= 1 << (number % 8)
        with pytest.raises(BadSeal):
            check(bytes(altered), clock)


def _with_value(data: bytes, der: bytes) -> bytes:
    start = data.index(b"/Contents <") + len(b"/Contents <")
    end = data.index(b">", start)
    return data[:start] + der.hex().ljust(end - start, "0").encode() + data[end:]


def _value(data: bytes) -> bytes:
    start = data.index(b"/Contents <") + len(b"/Contents <")
    raw = bytes.fromhex(data[start : data.index(b">", start)].decode())
    return raw[: cms.der_length(raw)]


def _digest(data: bytes) -> bytes:
    content = asn1_cms.ContentInfo.load(_value(data))["content"]
    found = [one for one in content["signer_infos"][0]["signed_attrs"] if one["type"].native == "message_digest"]
    return bytes(found[0]["values"][0].native)


def test_a_stamp_cannot_be_taken_away_or_swapped(
    sealed: dict[str, bytes], clock: LocalAuthority, tmp_path: Path
) -> None:
    data = sealed["stamped"]
    parts, digest = cms.parts_of(_value(data)), _digest(data)
    assert _with_value(data, cms.build(parts.certificate, digest, parts.signature, parts.token)) == data
    bare = _with_value(data, cms.build(parts.certificate, digest, parts.signature))
    with pytest.raises(BadSeal, match="not those it needs"):
        check(bare, clock)
    stamper = LocalStamper(clock)
    other = _with_value(
        data, cms.build(parts.certificate, digest, parts.signature, stamper.stamp(b"another signature"))
    )
    with pytest.raises(BadSeal, match="other bytes"):
        check(other, clock)
    stranger = LocalAuthority(tmp_path)
    foreign = cms.build(parts.certificate, digest, parts.signature, LocalStamper(stranger).stamp(parts.signature))
    with pytest.raises(BadSeal, match="anchor"):
        check(_with_value(data, foreign), clock)
    with pytest.raises(BadSeal, match="no time authority"):
        check_issued_seal(data, OFFICE.authority, ())


def test_a_stamp_cannot_be_added_to_a_seal_that_has_none(sealed: dict[str, bytes], clock: LocalAuthority) -> None:
    data = sealed["unstamped"]
    parts = cms.parts_of(_value(data))
    token = LocalStamper(clock).stamp(parts.signature)
    stamped = _with_value(data, cms.build(parts.certificate, _digest(data), parts.signature, token))
    with pytest.raises(BadSeal, match="not those it needs"):
        check(stamped, clock)


# ---------------------------------------------------------------- who may seal


def _sealed_by(
    signer: FileSigner,
    certificate: bytes,
    authority: bytes = OFFICE.authority,
    crl: bytes = OFFICE.crl,
    moment: dt.datetime = NOW,
) -> bytes:
    return seal(PAGE, SealKey(signer, certificate, authority, crl), moment)


def test_a_certificate_of_another_authority_does_not_count(clock: LocalAuthority) -> None:
    stranger = SealingOffice(NOW)
    data = seal(PAGE, stranger.key, NOW)
    assert check(data, clock, stranger.authority)
    with pytest.raises(BadSeal, match="authority that the trust root pins"):
        check(data, clock)
    own = make_certificate(OFFICE.signer, ORGANISATION, NOW - DAY)
    with pytest.raises(BadSeal, match="authority that the trust root pins"):
        check(_sealed_by(OFFICE.signer, own), clock)


def test_the_authority_itself_does_not_seal(clock: LocalAuthority) -> None:
    with pytest.raises(BadSeal, match="not for sealing"):
        check(_sealed_by(OFFICE.issuer, OFFICE.authority), clock)


def test_nobody_stands_between_the_authority_and_the_seal(clock: LocalAuthority) -> None:
    """A sealing certificate cannot issue another, whatever it signs."""
    signer = FileSigner.generate("p256")
    below = issue_certificate(
        OFFICE.signer,
        make_authority(OFFICE.signer, ORGANISATION, NOW - DAY),
        signer.public_key_der,
        ORGANISATION,
        NOW - DAY,
    )
    with pytest.raises(BadSeal, match="authority that the trust root pins"):
        check(_sealed_by(signer, below), clock)


@pytest.mark.parametrize("offset", [-40 * DAY, 800 * DAY])
def test_a_seal_from_outside_the_certificates_life_does_not_count(offset: dt.timedelta, clock: LocalAuthority) -> None:
    data = _sealed_by(OFFICE.signer, OFFICE.certificate, moment=NOW + offset)
    with pytest.raises(BadSeal, match="not valid when it was made"):
        check(data, clock)


def test_the_time_of_a_stamp_counts_not_the_sealers_word(tmp_path: Path) -> None:
    late = SealingOffice(NOW - 10 * DAY, days=5)
    clock = LocalAuthority(tmp_path)
    data = seal(PAGE, late.key, NOW - 8 * DAY, stamper=LocalStamper(clock))
    with pytest.raises(BadSeal, match="not valid when it was made"):
        check_issued_seal(data, late.authority, (clock.entry(),))
    assert check_issued_seal(seal(PAGE, late.key, NOW - 8 * DAY), late.authority, ())


LISTS: dict[str, tuple[Callable[[], bytes], str]] = {
    "revoked": (
        lambda: make_list(OFFICE.issuer, OFFICE.authority, {_serial(): NOW}, 2, NOW - DAY / 24),
        "lists the sealing certificate",
    ),
    "older than it counts": (
        lambda: make_list(OFFICE.issuer, OFFICE.authority, {}, 2, NOW - 60 * DAY),
        "not in force",
    ),
    "from the future": (lambda: make_list(OFFICE.issuer, OFFICE.authority, {}, 2, NOW + DAY), "not in force"),
    "of another authority": (lambda: SealingOffice(NOW).crl, "not by the authority"),
}


def _serial() -> int:
    return x509.load_der_x509_certificate(OFFICE.certificate).serial_number


@pytest.mark.parametrize("case", LISTS)
def test_the_revocation_list_must_speak_for_the_certificate(case: str, clock: LocalAuthority) -> None:
    make, said = LISTS[case]
    with pytest.raises(BadSeal, match=said):
        check(_sealed_by(OFFICE.signer, OFFICE.certificate, crl=make()), clock)


def test_what_is_carried_is_what_is_needed(clock: LocalAuthority) -> None:
    class TooMuch(LocalStamper):
        def material(self) -> StampMaterial:
            return StampMaterial((*super().material().certificates, SealingOffice(NOW).authority))

    class TooLittle(LocalStamper):
        def material(self) -> StampMaterial:
            return StampMaterial(super().material().certificates[:1])

    for stamper in (TooMuch(clock), TooLittle(clock)):
        with pytest.raises(BadSeal, match="not those it needs"):
            check(seal(PAGE, OFFICE.key, NOW, stamper=stamper), clock)
    foreign = LocalStamper(clock, (SealingOffice(NOW).crl,))
    with pytest.raises(BadSeal, match="one revocation list"):
        check(seal(PAGE, OFFICE.key, NOW, stamper=foreign), clock)


def test_an_authority_between_stamp_and_anchor_is_carried_too(tmp_path: Path) -> None:
    clock = LocalAuthority(tmp_path, between=True, rsa=True)
    data = seal(PAGE, OFFICE.key, NOW, stamper=LocalStamper(clock))
    assert check(data, clock)
    token = cms.parts_of(_value(data)).token
    assert token is not None
    assert len(path_of(token, clock.entry())) == 3


# ---------------------------------------------------------------- keys


def test_a_seal_key_is_its_authoritys() -> None:
    assert OFFICE.key.certificate == OFFICE.certificate
    stranger = SealingOffice(NOW)
    for certificate, authority, crl in (
        (OFFICE.certificate, stranger.authority, stranger.crl),
        (OFFICE.certificate, OFFICE.authority, stranger.crl),
        (OFFICE.certificate, OFFICE.authority, b""),
        (OFFICE.certificate, b"", OFFICE.crl),
        (OFFICE.certificate, OFFICE.authority, make_list(OFFICE.issuer, OFFICE.authority, {_serial(): NOW}, 2, NOW)),
    ):
        with pytest.raises(MalformedDocument):
            SealKey.check(OFFICE.signer, certificate, authority, crl)


def test_an_authority_issues_for_p256_keys_and_two_years() -> None:
    edwards = FileSigner.generate()
    with pytest.raises(MalformedDocument, match="P-256"):
        issue_certificate(OFFICE.issuer, OFFICE.authority, edwards.public_key_der, "X", NOW)
    with pytest.raises(MalformedDocument, match="not for its key"):
        issue_certificate(OFFICE.signer, OFFICE.authority, OFFICE.signer.public_key_der, "X", NOW)
    with pytest.raises(ValueError, match="730"):
        issue_certificate(OFFICE.issuer, OFFICE.authority, OFFICE.signer.public_key_der, "X", NOW, days=731)
    late = x509.load_der_x509_certificate(OFFICE.authority).not_valid_after_utc - DAY
    last = issue_certificate(OFFICE.issuer, OFFICE.authority, OFFICE.signer.public_key_der, "X", late)
    assert x509.load_der_x509_certificate(last).not_valid_after_utc == late + DAY


@requires_tool("openssl")
def test_openssl_finds_the_path_and_the_list(tmp_path: Path) -> None:
    def pem(name: str, der: bytes, kind: str) -> str:
        command = ["openssl", kind, "-inform", "DER", "-out", str(tmp_path / name)]
        subprocess.run(command, input=der, check=True, capture_output=True)
        return str(tmp_path / name)

    authority, certificate = pem("a.pem", OFFICE.authority, "x509"), pem("c.pem", OFFICE.certificate, "x509")
    for crl, good in (
        (OFFICE.crl, True),
        (make_list(OFFICE.issuer, OFFICE.authority, {_serial(): NOW - DAY / 12}, 2, NOW - DAY / 24), False),
    ):
        listed = pem("l.pem", crl, "crl")
        command = [
            "openssl",
            "verify",
            "-x509_strict",
            "-crl_check",
            "-CRLfile",
            listed,
            "-CAfile",
            authority,
            certificate,
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (done.returncode == 0) is good, done.stdout + done.stderr


def test_a_pinned_certificate_has_no_stamp_and_no_store() -> None:
    """As the first version sealed: checked as such for ever."""
    key = SealKey.check(OFFICE.signer, make_certificate(OFFICE.signer, ORGANISATION, NOW - DAY))
    data = seal(PAGE, key, NOW)
    assert check_seal(data, key.certificate)
    assert b"/DSS" not in data
    with pytest.raises(BadSeal):
        check_seal(data, OFFICE.certificate)
    with pytest.raises(BadSeal):
        check_issued_seal(data, OFFICE.authority, ())

    class Never:
        def material(self) -> StampMaterial:
            raise AssertionError

        def stamp(self, message: bytes) -> bytes:
            raise BadStamp(f"never {len(message)}")

    with pytest.raises(ValueError, match="no time-stamp"):
        seal(PAGE, key, NOW, stamper=Never())
    with pytest.raises(ValueError, match="naive"):
        seal(PAGE, key, NOW.replace(tzinfo=None))
