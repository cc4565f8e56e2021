"""What all documents share: labelled rows, people's parts, the drive's commands, and how to check the file. Pure."""

from __future__ import annotations

from typing import Any, NamedTuple

from reports import drive_words
from reports.anchor import OpenedAnchor, open_anchor
from reports.bundle import Logged, RunEvidence
from reports.envelope import envelope_digest
from reports.files import EvidenceFile
from reports.keys import fingerprint_words
from reports.language import Speaker
from reports.links import Basis
from reports.statements import Organization, Person
from reports.times import format_instant


class Row(NamedTuple):
    """A label and what stands beside it."""

    label: str
    value: str
    mono: bool = False


class PersonBlock(NamedTuple):
    """Somebody's part: role, person, moment, and how it was signed."""

    role: str
    person: Person | None
    """None leaves lines to fill in by hand."""
    when: str
    signature: str


class CommandCell(NamedTuple):
    """One device command, as the page shows it."""

    number: int
    command: str
    about: str
    sent: str
    answer: str
    after: str


class Check(NamedTuple):
    """What somebody needs to check the file."""

    pin: str
    digest: str
    """Hexadecimal."""
    log: str
    entry: int
    size: int
    bounds: tuple[str, ...]
    """Who outside the issuer saw the log's state, and when; or that nobody did."""


def sheet(
    speaker: Speaker,
    document: str,
    file: EvidenceFile,
    *,
    number: str,
    issued: str,
    organization: Organization,
    index: int,
    attachment: str,
) -> dict[str, Any]:
    """What every template of a document needs, whatever the document says beyond it.

    Args:
        speaker: says it.
        document: the catalog of its own words; `<document>.title` is what it is called.
        file: what is attached.
        number: of the document.
        issued: the moment it was issued.
        organization: who issued it.
        index: the entry of the log that the document is.
        attachment: the name under which the file is attached.
    """
    origin, size, _ = file.anchor.checkpoint.split("\n", 2)
    opened = open_anchor(file.anchor, envelope_digest(file.anchor.trust_roots[0]))
    return {
        "document": document,
        "title": speaker.say(f"{document}.title"),
        "number": number,
        "issued": speaker.day(issued),
        "issued_exact": issued,
        "organization": organization,
        "check": Check(
            pin=fingerprint_words(envelope_digest(file.anchor.trust_roots[0])),
            digest=file.digest(),
            log=origin,
            entry=index,
            size=int(size),
            bounds=_bounds(speaker, opened),
        ),
        "witnessed": opened.witnessed,
        "attachment": attachment,
    }


def _bounds(speaker: Speaker, opened: OpenedAnchor) -> tuple[str, ...]:
    """What outsiders say of the log's state: the times between which it came about, and who else signed it."""
    after = max((one for _, one in opened.since), key=lambda one: one.earliest, default=None)
    before = min(opened.times, key=lambda one: one.latest, default=None)
    found = []
    if after is not None:
        moment = speaker.moment(format_instant(after.earliest))
        found.append(speaker.say("common.time-after", moment=moment, authority=after.authority))
    if before is not None:
        moment = speaker.moment(format_instant(before.latest))
        found.append(speaker.say("common.time-before", moment=moment, authority=before.authority))
    else:
        found.append(speaker.say("common.time-none"))
    names = dict.fromkeys(signature.key.name for signature in opened.cosignatures)
    if opened.witnessed:
        found.append(speaker.say("common.witnessed", names=", ".join(names)))
    else:
        found.append(speaker.say("common.unwitnessed"))
    return tuple(found)


def stated(text: str, otherwise: str) -> str:
    """The text, or that there is none."""
    return text.strip() or otherwise


def medium_name(speaker: Speaker, manufacturer: str, model: str, media: str) -> str:
    """What a medium is called; one that tells nothing is called by its kind."""
    told = " ".join(word for word in (manufacturer, model) if word)
    return told or speaker.say("common.medium-virtual" if media == "virtual" else "common.medium-unnamed")


def read_basis(evidence: RunEvidence, validation: Logged | None) -> Basis:
    """The statements about a run."""
    decided = None if validation is None else validation.envelope
    return Basis.read(evidence.order, evidence.approvals, evidence.record, evidence.acceptance.envelope, decided)


def command_cells(speaker: Speaker, basis: Basis) -> list[CommandCell]:
    """The commands of a run, in order."""
    return [
        CommandCell(
            number=one.number,
            command=one.command,
            about=speaker.say(
                "common.command-line",
                opcode=f"{one.opcode}h",
                when=speaker.moment(one.sent_at),
                accepted=speaker.word("accepted", one.accepted, speaker.word("accepted", "unknown")),
                reported=speaker.word("reported", one.reported, speaker.word("reported", "unknown")),
            ),
            sent=drive_words.bytes_words(one.sent, speaker),
            answer=drive_words.bytes_words(one.answer, speaker),
            after=drive_words.bytes_words(one.after, speaker),
        )
        for one in basis.record.method.commands
    ]
