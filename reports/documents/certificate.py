"""The pages of a certificate of sanitization. Pure."""

from __future__ import annotations

from typing import Any

from reports import claims, drive_words, key_words
from reports.bundle import DestructionBundle
from reports.by_hand_words import by_hand_words
from reports.envelope import signer_ids, unverified_body
from reports.findings.techniques import by_drive, by_keys
from reports.health_words import health_words
from reports.keys import fingerprint_words
from reports.language import ENGLISH, Speaker
from reports.links import Basis
from reports.self_test_words import self_test_words
from reports.statements import Certificate

from .sheet import PersonBlock, Row, command_cells, medium_name, read_basis, sheet, stated


def certificate_view(bundle: DestructionBundle, speaker: Speaker = ENGLISH) -> dict[str, Any]:
    """A certificate of sanitization."""
    basis = read_basis(bundle, bundle.validation)
    document = Certificate.from_dict(unverified_body(bundle.certificate.envelope, "certificate"), "certificate")
    said = claims.derive(basis.record, speaker)
    medium, done = document.medium, document.sanitization
    approved = basis.validation is not None and basis.validation.decision == "approve"
    say = speaker.say
    shared = sheet(
        speaker,
        "certificate",
        bundle,
        number=document.number,
        issued=document.issued,
        organization=document.organization,
        index=bundle.certificate.index,
        attachment="destruction-bundle.json",
    )
    return shared | {
        "headline": [
            Row(say("certificate.outcome"), speaker.word("outcome", said.verdict.outcome)),
            Row(say("certificate.method-reached"), speaker.word("method", done.method)),
            Row(say("certificate.verification"), speaker.word("coverage", said.verdict.coverage)),
            Row(say("certificate.validation"), speaker.word("decision", "approve" if approved else "none")),
        ],
        "name": medium_name(speaker, medium.manufacturer, medium.model, basis.record.device.media),
        "serial": stated(medium.serial, say("common.not-reported")),
        "medium": _medium_rows(speaker, document, basis),
        "work": _work_rows(speaker, document, basis),
        "claims": said.granted,
        "exceptions": said.exceptions + document.exceptions[len(said.exceptions) :],  # derived; then waivers, as signed
        "commands": command_cells(speaker, basis),
        "does": drive_words.technique_does(done.technique, speaker) if by_drive(done.technique) else "",
        "means": _means(speaker, basis, done.method),
        "destination": Row(speaker.word("destination", document.destination.kind), document.destination.details),
        "backup": Row(speaker.word("answer", medium.backed_up), medium.backup_location),
        "notes": done.notes,
        "people": _people(speaker, bundle, basis, document),
        "not_covered": said.not_covered,
    }


def _means(speaker: Speaker, basis: Basis, method: str) -> str:
    """What the method's word means, and what is stated here of it."""
    if by_keys(basis.record.method.technique):
        return key_words.means(method, speaker)
    return speaker.say(f"claims.means-{method}")


def _medium_rows(speaker: Speaker, document: Certificate, basis: Basis) -> list[Row]:
    medium, device, say = document.medium, basis.record.device, speaker.say
    unreported, unstated = say("common.not-reported"), say("common.not-stated")
    return [
        Row(say("common.manufacturer"), stated(medium.manufacturer, unreported)),
        Row(say("common.model"), stated(medium.model, unreported)),
        Row(say("common.serial"), stated(medium.serial, unreported), mono=True),
        Row(say("common.asset-tag"), stated(medium.asset_tag, say("common.none-assigned")), mono=True),
        Row(say("common.media-type"), speaker.word("media", device.media)),
        Row(say("common.interface"), _interface(device.kind, device.transport)),
        Row(say("common.capacity"), speaker.size(medium.capacity_bytes)),
        Row(say("common.firmware"), stated(device.firmware or "", unreported), mono=True),
        Row(
            say("common.world-wide-name"),
            stated(device.wwn or device.eui64 or device.nguid or "", unreported),
            mono=True,
        ),
        Row(say("common.source"), stated(medium.source, unstated)),
        Row(say("certificate.condition"), speaker.word("condition", medium.condition)),
        Row(
            say("certificate.category-before"),
            speaker.word("category", medium.category, stated(medium.category, unstated)),
        ),
    ]


def _interface(kind: str, transport: str) -> str:
    return kind.upper() if transport in {kind, ""} else f"{transport.upper()} ({kind})"


def _work_rows(speaker: Speaker, document: Certificate, basis: Basis) -> list[Row]:
    done, run, record, say = document.sanitization, basis.record.run, basis.record, speaker.say
    policy = record.policy
    rows = [
        Row(say("common.method"), f"{speaker.word('method', done.method)} ({claims.METHOD_CLAUSES[done.method]})"),
        Row(say("common.technique"), drive_words.technique_words(done.technique, speaker)),
        Row(say("certificate.details"), claims.details_words(record, speaker)),
        Row(say("common.tool"), done.tool),
        Row(say("common.self-test"), self_test_words(record, speaker)),
        *([Row(say("common.carried-leave"), by_hand_words(record, speaker))] if record.order.by_hand else []),
        *([Row(say("common.health"), health_words(record, speaker))] if record.health else []),
        Row(say("certificate.verification"), claims.verification_words(record, speaker)),
        Row(say("common.started"), speaker.moment(run.started)),
        Row(say("common.finished"), speaker.moment(run.finished)),
        Row(say("common.host"), record.host.name),
        Row(
            say("certificate.policy"),
            say(
                "certificate.policy-requires",
                policy=policy.id,
                method=speaker.word("level", policy.required_method, policy.required_method),
                verification=speaker.word("extent", policy.required_verification, policy.required_verification),
            ),
        ),
    ]
    if done.post_category:
        after = speaker.word("category", done.post_category, done.post_category)
        rows.append(Row(say("certificate.category-after"), after))
    return rows


def _people(speaker: Speaker, bundle: DestructionBundle, basis: Basis, document: Certificate) -> list[PersonBlock]:
    people, order, run, say = document.people, basis.order, basis.record.run, speaker.say
    agent = fingerprint_words(basis.record.host.agent_key)[:19]
    ordered, finished = speaker.moment(order.created), speaker.moment(run.finished)
    asked = say("people.order-sealed", order=order.id)
    signed = say("people.record-signed", host=basis.record.host.name, key=agent)
    if people.requested_by == people.performed_by:
        when = say("people.ordered-finished", ordered=ordered, finished=finished)
        both = say("people.requested-performed-by")
        blocks = [PersonBlock(both, people.requested_by, when, f"{asked}. {signed}")]
    else:
        blocks = [
            PersonBlock(say("people.requested-by"), people.requested_by, ordered, asked),
            PersonBlock(say("people.performed-by"), people.performed_by, finished, signed),
        ]
    for envelope, approval, person in zip(bundle.approvals, basis.approvals, people.approved_by, strict=True):
        key = fingerprint_words(signer_ids(envelope)[0])[:19]
        own = say("people.own-key", key=key)
        blocks.append(PersonBlock(say("people.approved-by"), person, speaker.moment(approval.time), own))
    part = say("people.part-of-record", key=agent)
    blocks.append(PersonBlock(say("people.verified-by"), people.verified_by, finished, part))
    if basis.validation is not None:
        decided = say("people.decision-signed", entry=bundle.validation.index)
        when = speaker.moment(basis.validation.time)
        blocks.append(PersonBlock(say("people.validated-by"), people.validated_by, when, decided))
    blocks.append(PersonBlock(say("people.concurrence"), people.concurrence, "", ""))
    return blocks
