"""The pages of a certificate of physical destruction, or of the report of one that lacks something. Pure."""

from __future__ import annotations

from typing import Any

from reports import destruction
from reports.destruction import DestructionCertificate, DestructionFacts
from reports.destruction_notes import in_language
from reports.envelope import signer_ids, unverified_body
from reports.files import DestructionFile
from reports.language import ENGLISH, Speaker
from reports.personal import read_signatures

from .media import key_words
from .sheet import PersonBlock, Row, medium_name, sheet, stated


def destruction_view(file: DestructionFile, speaker: Speaker = ENGLISH) -> dict[str, Any]:
    """A physical destruction."""
    document = DestructionCertificate.from_dict(unverified_body(file.statement.envelope, "statement"), "destruction")
    facts, medium, say = document.facts, document.facts.medium, speaker.say
    signatures = read_signatures(file.signatures)
    shared = sheet(
        speaker,
        "destruction",
        file,
        number=document.number,
        issued=document.issued,
        organization=document.organization,
        index=file.statement.index,
        attachment="destruction-certificate.json",
    )
    if not document.certified:
        shared["title"] = say("destruction.title-report")
    claims = destruction.claims(document, signatures, record=file.identity is not None)
    particulars = destruction.particulars_of(document)
    told = say("destruction.headline-signed")
    return shared | {
        "certified": document.certified,
        "name": medium_name(speaker, medium.manufacturer, medium.model, medium.media),
        "serial": stated(medium.serial, say("common.not-reported")),
        "headline": [
            Row(say("destruction.headline-outcome"), say("destruction.headline-outcome-value")),
            Row(say("common.technique"), _technique(speaker, facts)),
            Row(say("destruction.headline-witness"), told),
            Row(say("destruction.headline-second"), told),
        ],
        "missing": [speaker.tell(one) for one in destruction.missing(facts, signatures, particulars)],
        "exceptions": [speaker.tell(one) for one in destruction.exceptions(facts)],
        "medium": _medium(speaker, facts),
        "work": _work(speaker, facts),
        "words": [
            (say(f"destruction.by-{by}"), [speaker.tell(one.text) for one in claims if one.by == by])
            for by in ("machine", "signed", "stated", "nobody")
        ],
        "photographs": facts.photographs,
        "people": _people(speaker, file, document),
        "destination": (speaker.word("destination", document.destination.kind), document.destination.details),
    }


def _technique(speaker: Speaker, facts: DestructionFacts) -> str:
    known = facts.technique in destruction.TECHNIQUES
    return speaker.say(f"destruction.technique-{facts.technique}") if known else facts.technique


def _medium(speaker: Speaker, facts: DestructionFacts) -> list[Row]:
    medium, say = facts.medium, speaker.say
    unreported = say("common.not-reported")
    seen = (
        say("destruction.observed", moment=speaker.moment(medium.observed), host=medium.observed_on)
        if medium.observed
        else say("destruction.observed-never")
    )
    return [
        Row(say("common.manufacturer"), stated(medium.manufacturer, unreported)),
        Row(say("common.model"), stated(medium.model, unreported)),
        Row(say("common.serial"), stated(medium.serial, unreported), mono=True),
        Row(say("destruction.row-serial-read"), stated(facts.serial_read, say("common.not-stated")), mono=True),
        Row(say("common.asset-tag"), stated(medium.asset_tag, say("common.none-assigned")), mono=True),
        Row(say("common.media-type"), speaker.word("media", medium.media, medium.media)),
        Row(say("common.capacity"), speaker.size(medium.capacity_bytes) if medium.capacity_bytes else unreported),
        Row(say("destruction.row-fingerprint"), stated(medium.fingerprint, unreported), mono=True),
        Row(say("destruction.row-observed"), seen),
        Row(say("destruction.row-category"), say(f"destruction.category-{facts.category or 'unknown'}")),
    ]


def _work(speaker: Speaker, facts: DestructionFacts) -> list[Row]:
    say = speaker.say
    known = destruction.TECHNIQUES.get(facts.technique)
    unstated = say("common.not-stated")
    size = unstated if facts.particle_size_mm is None else say("destruction.size", count=facts.particle_size_mm)
    rows = [
        Row(say("common.technique"), _technique(speaker, facts)),
        Row(say("destruction.row-clause"), known.clause if known else "-"),
        Row(say("destruction.row-size"), size),
        Row(say("destruction.row-equipment"), stated(facts.equipment, unstated)),
        Row(say("destruction.row-place"), stated(facts.place, unstated)),
        Row(say("destruction.row-performed"), speaker.moment(facts.performed)),
        Row(say("destruction.row-recorded"), speaker.moment(facts.recorded)),
    ]
    return [*rows, Row(say("destruction.row-note"), in_language(facts.note, speaker))] if facts.note else rows


def _people(speaker: Speaker, file: DestructionFile, document: DestructionCertificate) -> list[PersonBlock]:
    say, facts, decision = speaker.say, document.facts, document.decision
    signed = {
        one.role: (speaker.moment(one.time), say("destruction.signed-key", key=key_words(signer_ids(envelope)[0])))
        for one, envelope in zip(read_signatures(file.signatures), file.signatures, strict=True)
    }
    by_service = say("destruction.signed-service")
    requester = say("destruction.role-requester")
    blocks = [
        PersonBlock(requester, document.requested_by, "", by_service),
        PersonBlock(say("destruction.role-operator"), facts.operator, speaker.moment(facts.performed), by_service),
        PersonBlock(say("destruction.role-witness"), document.witness, *signed.get("witness", ("", ""))),
        PersonBlock(say("destruction.role-second"), document.countersigner, *signed.get("countersigner", ("", ""))),
        PersonBlock(say("destruction.role-verifier"), document.witness, "", say("destruction.verifier-none")),
    ]
    when = speaker.moment(decision.time) if decision.time else ""
    decided = say(f"destruction.decision-{decision.decision}")
    blocks.append(PersonBlock(say("destruction.role-validator"), decision.validator, when, f"{decided}. {by_service}"))
    blocks.append(PersonBlock(say("destruction.role-concurrence"), document.concurrence, "", ""))
    return blocks
