"""Records and certificates: what was signed, and what may be handed out."""

from __future__ import annotations

from inventory.api.dispatch import Call
from inventory.api.endpoint import File, Noun, people
from inventory.api.paging import Paging, Text
from inventory.api.printing import PdfQuery
from inventory.contract.v1.common import Sha256
from inventory.contract.v1.vocabulary import Key
from inventory.domain.roles import Permission
from inventory.errors import Conflict
from inventory.services import certificates, queries
from inventory.services.views import CertificateView, Page, RecordView
from reports.canonical import canonical, sha256_hex

noun = Noun("records", "What agents signed, with the service's own findings beside it.")
certificate_noun = Noun("certificates", "Numbered, signed, logged; one bundle and one sealed PDF each.")

_EVIDENCE = people(Permission.READ_EVIDENCE)


class CertificateQuery(Paging):
    """Which certificates."""

    device: Text | None = None


@noun.get("/records/{sha256}", "One record", _EVIDENCE)
def get_record(call: Call, sha256: Sha256) -> RecordView:
    """By its envelope's digest."""
    return queries.record(call.context, call.actor, sha256)


@noun.get("/records/{sha256}/envelope.json", "A record as signed", _EVIDENCE)
def get_record_envelope(call: Call, sha256: Sha256) -> File:
    """The DSSE envelope in canonical JSON (RFC 8785): its SHA-256 is the digest asked for."""
    envelope = queries.record_envelope(call.context, call.actor, sha256)
    return File(canonical(envelope), "application/json", etag=sha256)


@certificate_noun.get("/certificates", "Certificates", _EVIDENCE)
def list_certificates(call: Call, query: CertificateQuery) -> Page[CertificateView]:
    """Newest first."""
    return queries.list_certificates(
        call.context, call.actor, device=query.device, after=query.after, limit=query.limit
    )


@certificate_noun.get("/certificates/{number}", "One certificate", _EVIDENCE)
def get_certificate(call: Call, number: Key) -> CertificateView:
    """Its digests and its place in the log."""
    return certificates.certificate(call.context, call.actor, number)


@certificate_noun.get("/certificates/{number}/bundle.json", "A certificate's bundle", _EVIDENCE, raises=(Conflict,))
def get_bundle(call: Call, number: Key) -> File:
    """Everything an auditor needs, in one canonical file; verify it with one pinned digest."""
    view = certificates.certificate(call.context, call.actor, number)
    content = certificates.bundle(call.context, call.actor, number)
    return File(content, "application/json", f"{view.number}.bundle.json", etag=view.bundle_sha256)


@certificate_noun.get(
    "/certificates/{number}/certificate.pdf",
    "A certificate as PDF",
    _EVIDENCE,
    media_type="application/pdf",
    raises=(Conflict,),
)
def get_certificate_pdf(call: Call, number: Key, query: PdfQuery) -> File:
    """Sealed, with the bundle attached; in a further language printed and sealed when it is first asked for."""
    content = certificates.pdf(call.context, call.actor, number, query.language)
    return File(content, "application/pdf", f"{number}.pdf", etag=sha256_hex(content))
