"""The pages of a certificate of a lot, or of the report where it is not complete. Pure."""

from __future__ import annotations

from collections import Counter
from typing import Any

from reports.envelope import unverified_body
from reports.files import LotFile
from reports.language import ENGLISH, Speaker
from reports.lot import LotCertificate
from reports.media import PROVEN

from .media import annex, certificates_of, done_words, exception_lines, people_of, role_rows
from .sheet import Row, sheet, stated

LEFT_SHOWN = 12
"""Media without a certificate that stand on the first page; the annex has all."""


def lot_view(file: LotFile, speaker: Speaker = ENGLISH) -> dict[str, Any]:
    """A lot."""
    document = LotCertificate.from_dict(unverified_body(file.statement.envelope, "statement"), "lot")
    say, counts = speaker.say, document.counts
    done = counts.sanitized + counts.destroyed
    certificates = certificates_of(file)
    left = [line for line in annex(speaker, file.annex) if not line.proven]
    shared = sheet(
        speaker,
        "lot",
        file,
        number=document.number,
        issued=document.issued,
        organization=document.organization,
        index=file.statement.index,
        attachment="lot-certificate.json",
    )
    if not document.complete:
        shared["title"] = say("lot.title-report")
    methods = Counter(done_words(speaker, line) for line in file.annex if line.outcome in PROVEN)
    roles = people_of(certificates)
    if document.requested_by is not None:
        asked = document.requested_by
        roles["requester"] = Counter({(asked.name, asked.title, asked.organization): counts.total})
    return shared | {
        "lot": document.lot,
        "complete": document.complete,
        "subtitle": speaker.count("lot.subtitle", counts.total),
        "state": say("lot.state", done=done, total=counts.total),
        "alarm": say("lot.alarm", done=done, total=counts.total),
        "counts": [
            (say(f"media.outcome-{name}"), number)
            for name, number in (
                ("sanitized", counts.sanitized),
                ("destroyed", counts.destroyed),
                ("failed", counts.failed),
                ("missing", counts.missing),
                ("waived", counts.waived),
                ("open", counts.open),
            )
            if number or name in PROVEN
        ],
        "left": left[:LEFT_SHOWN],
        "left_more": speaker.count("lot.left-more", len(left) - LEFT_SHOWN) if len(left) > LEFT_SHOWN else "",
        "exceptions": exception_lines(speaker, file),
        "methods": [(words, times) for words, times in sorted(methods.items(), key=lambda item: (-item[1], item[0]))],
        "about": [
            Row(say("lot.row-lot"), document.lot),
            Row(say("lot.row-reference"), stated(document.reference, say("common.not-stated"))),
            Row(say("lot.row-total"), speaker.number(counts.total)),
            Row(say("lot.row-destination"), _destination(speaker, document)),
            Row(say("lot.row-list"), document.annex_sha256, mono=True),
        ],
        "roles": [
            (say(f"lot.role-{role}"), role_rows(speaker, roles[role]))
            for role in ("requester", "operator", "verifier", "validator", "concurrence")
        ],
        "responsible": document.responsible,
        "evidence": say(f"media.evidence-{document.evidence}"),
        "annex": annex(speaker, file.annex),
    }


def _destination(speaker: Speaker, document: LotCertificate) -> str:
    told = speaker.word("destination", document.destination.kind)
    return f"{told}. {document.destination.details}" if document.destination.details else told
