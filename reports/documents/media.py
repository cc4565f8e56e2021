"""What documents about many media share: the annex, people counted over all certificates, and how a key is named. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from reports import claims, destruction, drive_words
from reports.bundle import DestructionBundle
from reports.destruction import TECHNIQUES, DestructionCertificate
from reports.envelope import unverified_body
from reports.files import LotFile, Member, ProcessorFile, file_from_dict
from reports.keys import fingerprint_words
from reports.language import Speaker
from reports.media import PROVEN, MediumLine, exception_said
from reports.statements import Certificate, Person

from .sheet import medium_name, read_basis, stated

NAMED = 6
"""People of one role that are named; the others are counted."""
_HELD: Final = re.compile(r"(.+) \((primary|replica|backup|cache|swap)\)")
"""A data set and how it lay there, as a line states it."""


class Line(NamedTuple):
    """One row of the annex."""

    number: int
    name: str
    serial: str
    tag: str
    held: str
    outcome: str
    proven: bool
    done: str
    """Method, technique, verification; or why nothing is proven."""
    document: str
    issued: str
    exceptions: str
    digest: str


def annex(speaker: Speaker, lines: Sequence[MediumLine]) -> list[Line]:
    """The rows of the annex."""
    return [_line(speaker, number, line) for number, line in enumerate(lines, 1)]


def _line(speaker: Speaker, number: int, line: MediumLine) -> Line:
    proven = line.outcome in PROVEN
    return Line(
        number=number,
        name=medium_name(speaker, line.manufacturer, line.model, ""),
        serial=stated(line.serial, speaker.say("common.not-reported")),
        tag=stated(line.asset_tag, speaker.say("common.none-assigned")),
        held=", ".join(_held(speaker, one) for one in line.held),
        outcome=speaker.say(f"media.outcome-{line.outcome}"),
        proven=proven,
        done=", ".join(done_words(speaker, line)) if proven else line.reason,
        document=line.document,
        issued=speaker.day(line.issued) if proven else "",
        exceptions=speaker.count("media.exceptions", line.exceptions) if line.exceptions else "",
        digest=line.bundle_sha256,
    )


def _held(speaker: Speaker, stated: str) -> str:
    found = _HELD.fullmatch(stated)
    return f"{found[1]} ({speaker.word('holding', found[2]).lower()})" if found else stated


def done_words(speaker: Speaker, line: MediumLine) -> tuple[str, str, str]:
    """Method, technique and verification of a proven line."""
    if line.outcome == "destroyed":
        technique = (
            speaker.say(f"destruction.technique-{line.technique}") if line.technique in TECHNIQUES else line.technique
        )
        verified = speaker.say("media.no-readback")
    else:
        technique = drive_words.technique_words(line.technique, speaker)
        verified = speaker.say("media.full" if line.verification == "Full" else "media.sampled")
    return speaker.word("method", line.method, line.method), technique, verified


def certificates_of(file: LotFile | ProcessorFile) -> list[Certificate | DestructionCertificate]:
    """The certificates of the proven media, in the order of the annex."""
    found: list[Certificate | DestructionCertificate] = []
    proven = [line for line in file.annex if line.outcome in PROVEN]
    for line, member in zip(proven, file.members, strict=True):
        if line.outcome == "sanitized":
            found.append(Certificate.from_dict(unverified_body(member.document.envelope, "certificate"), "certificate"))
        else:
            body = unverified_body(member.document.envelope, "statement")
            found.append(DestructionCertificate.from_dict(body, "destruction"))
    return found


def exception_lines(speaker: Speaker, file: LotFile | ProcessorFile) -> list[str]:
    """The exceptions of all certificates, the same ones counted together, the most frequent first."""
    counted = Counter(
        text
        for one, member in zip(certificates_of(file), file.members, strict=True)
        for text in _exceptions(speaker, one, member)
    )
    ordered = sorted(counted.items(), key=lambda item: (-item[1], item[0]))
    return [speaker.tell(exception_said(times, text)) for text, times in ordered]


def _exceptions(speaker: Speaker, one: Certificate | DestructionCertificate, member: Member) -> tuple[str, ...]:
    """Derived anew in the speaker's language; what follows from no evidence in this file stands as it was signed."""
    if speaker.language == "en":
        return one.exceptions
    if isinstance(one, DestructionCertificate):
        derived = tuple(speaker.tell(said) for said in destruction.exceptions(one.facts))
    else:
        bundle = None if member.bundle is None else file_from_dict(member.bundle)
        if not isinstance(bundle, DestructionBundle):
            return one.exceptions
        derived = claims.derive(read_basis(bundle, bundle.validation).record, speaker).exceptions
    return derived + one.exceptions[len(derived) :]


def people_of(certificates: Sequence[Certificate | DestructionCertificate]) -> dict[str, Counter[tuple[str, str, str]]]:
    """Who took part, by role: name, position and organization, and in how many media."""
    found: dict[str, Counter[tuple[str, str, str]]] = {
        role: Counter() for role in ("requester", "operator", "verifier", "validator", "concurrence")
    }
    for one in certificates:
        taken: dict[str, Person | None]
        if isinstance(one, Certificate):
            people = one.people
            taken = {
                "requester": people.requested_by, "operator": people.performed_by, "verifier": people.verified_by,
                "validator": people.validated_by, "concurrence": people.concurrence,
            }  # fmt: skip
        else:
            taken = {
                "requester": one.requested_by, "operator": one.facts.operator, "verifier": one.witness,
                "validator": one.decision.validator, "concurrence": one.countersigner,
            }  # fmt: skip
        for role, person in taken.items():
            if person is not None:
                found[role][person.name, person.title, person.organization] += 1
    return found


def role_rows(speaker: Speaker, counted: Counter[tuple[str, str, str]]) -> dict[str, Any]:
    """The people of one role, those with most media first; few are named, the others counted."""
    ordered = sorted(counted.items(), key=lambda item: (-item[1], item[0]))
    left = len(ordered) - NAMED
    return {
        "people": [
            (name, ", ".join(word for word in (title, organization) if word), speaker.count("lot.media", media))
            for (name, title, organization), media in ordered[:NAMED]
        ],
        "more": speaker.count("lot.people-more", left) if left > 0 else "",
    }


def key_words(key_id: str) -> str:
    """The beginning of a key's fingerprint, as documents print it."""
    return fingerprint_words(key_id)[:19]
