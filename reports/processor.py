"""Statement under Article 28(3)(g) GDPR: a processor tells the controller what became of all personal data at the end. Pure.

"... at the choice of the controller, deletes or returns all the personal data to the controller after the end of the provision of
services relating to processing, and deletes existing copies unless Union or Member State law requires storage of the personal
data." A responsible person signs the facts with a key of their own. What is open is said first, and then it is not complete.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from .canonical import digest_of, is_sha256
from .errors import BrokenChain, ClaimRefused
from .language.speaker import ENGLISH, Said, said
from .media import PROVEN, Counts, MediumLine, Outcome, annex_digest, count, grouped_exceptions, sound
from .parts import StrictPart
from .personal import PersonalSignature, SignerRole, fitting
from .statements import Answer, Organization, Person
from .times import parse_instant

PROCESSOR_FACTS: Final = "sanitrail/processor-facts/1"
PROCESSOR_STATEMENT: Final = "sanitrail/processor-statement/1"
ARTICLE: Final = "Article 28(3)(g) of Regulation (EU) 2016/679"
ROLES: Final[tuple[SignerRole, ...]] = ("responsible",)
OUTCOMES: Final[tuple[Outcome, ...]] = (*PROVEN, "returned", "retained", "missing", "failed", "waived", "open")


@dataclass(frozen=True, kw_only=True)
class Agreement(StrictPart):
    """The contract under Article 28(3), and when its services ended."""

    reference: str
    concluded: str
    """May be empty."""
    ended: str


@dataclass(frozen=True, kw_only=True)
class DoneByWord(StrictPart):
    """What a person attests, where no machine can prove it: rows deleted, data handed back."""

    kind: Literal["deleted", "returned"]
    data_set: str
    text: str
    receipt_sha256: str
    """Of the controller's receipt or a protocol; may be empty."""
    by: Person
    time: str


@dataclass(frozen=True, kw_only=True)
class Retained(StrictPart):
    """A copy that Union or Member State law requires to keep."""

    data_set: str
    what: str
    """Which copy, on which media."""
    law: str
    """The provision, as the processor cites it."""
    until: str
    """When it will be deleted; a time."""


@dataclass(frozen=True, kw_only=True)
class SubProcessor(StrictPart):
    """Another processor that was engaged (Article 28(2) and (4)), and its own evidence."""

    name: str
    role: str
    complete: Answer
    """Whether it has stated that everything is deleted or returned; anything but yes leaves this statement open."""
    evidence: str
    """What it handed over: number of its statement."""
    evidence_sha256: str
    """Of that file; empty: none was handed over."""


@dataclass(frozen=True, kw_only=True)
class OpenMatter(StrictPart):
    """What is still to be done, and why."""

    where: str
    what: str
    why: str


@dataclass(frozen=True, kw_only=True)
class ProcessorFacts(StrictPart):
    """What the responsible person signs."""

    schema: Literal["sanitrail/processor-facts/1"] = PROCESSOR_FACTS
    number: str
    prepared: str
    """Everything here is as of this time."""
    controller: Organization
    processor: Organization
    agreement: Agreement
    choice: Literal["delete", "return"]
    """The controller's."""
    data_sets: tuple[str, ...]
    counts: Counts
    annex_sha256: str
    done: tuple[DoneByWord, ...]
    retained: tuple[Retained, ...]
    sub_processors: tuple[SubProcessor, ...]
    open: tuple[OpenMatter, ...]
    exceptions: tuple[str, ...]
    evidence: Literal["inside", "beside"]
    responsible: Person
    complete: bool

    def digest(self) -> str:
        """What the responsible person's signature names."""
        return digest_of(self.to_dict())


@dataclass(frozen=True, kw_only=True)
class ProcessorStatement(StrictPart):
    """The statement: the facts, and whose signature they bear."""

    schema: Literal["sanitrail/processor-statement/1"] = PROCESSOR_STATEMENT
    number: str
    issued: str
    organization: Organization
    facts: ProcessorFacts
    signatures: tuple[str, ...]
    """Envelope digest of the responsible person's signature."""


@dataclass(frozen=True, kw_only=True)
class ProcessorInput:
    """What the inventory and the person who prepares a statement say."""

    number: str
    prepared: str
    controller: Organization
    processor: Organization
    agreement: Agreement
    choice: Literal["delete", "return"]
    data_sets: tuple[str, ...]
    done: tuple[DoneByWord, ...]
    retained: tuple[Retained, ...]
    sub_processors: tuple[SubProcessor, ...]
    open: tuple[OpenMatter, ...]
    """What the inventory knows to be open beside the media and what follows from the rest."""
    evidence: Literal["inside", "beside"]
    responsible: Person

    @classmethod
    def of(cls, facts: ProcessorFacts, derived: int) -> ProcessorInput:
        """The input that facts state, given how many of their open matters follow from the rest."""
        return cls(
            number=facts.number,
            prepared=facts.prepared,
            controller=facts.controller,
            processor=facts.processor,
            agreement=facts.agreement,
            choice=facts.choice,
            data_sets=facts.data_sets,
            done=facts.done,
            retained=facts.retained,
            sub_processors=facts.sub_processors,
            open=facts.open[derived:],
            evidence=facts.evidence,
            responsible=facts.responsible,
        )


def compose(
    given: ProcessorInput, lines: Sequence[MediumLine], exceptions: Sequence[tuple[str, ...]]
) -> ProcessorFacts:
    """The facts that follow.

    Raises:
        ClaimRefused: nobody could tell what it is about: no controller, agreement, data set or responsible person.
        BrokenChain, MalformedDocument: the lines, times or digests contradict themselves.
    """
    _stated(given)
    _times_and_digests(given)
    if lines:
        sound(lines, OUTCOMES)
    derived = tuple(_told(one) for one in derived_open(given, lines))
    still = (*derived, *given.open)
    return ProcessorFacts(
        number=given.number,
        prepared=given.prepared,
        controller=given.controller,
        processor=given.processor,
        agreement=given.agreement,
        choice=given.choice,
        data_sets=given.data_sets,
        counts=count(lines),
        annex_sha256=annex_digest(lines),
        done=given.done,
        retained=given.retained,
        sub_processors=given.sub_processors,
        open=still,
        exceptions=grouped_exceptions(exceptions),
        evidence=given.evidence,
        responsible=given.responsible,
        complete=not still and bool(lines or given.done),
    )


def _stated(given: ProcessorInput) -> None:
    missing = [
        said(f"processor.missing-{name}")
        for name, text in (
            ("controller", given.controller.name),
            ("processor", given.processor.name),
            ("agreement", given.agreement.reference),
            ("responsible", given.responsible.name),
        )
        if not text.strip()
    ]
    if not given.data_sets or len(set(given.data_sets)) != len(given.data_sets):
        missing.append(said("processor.missing-data-sets"))
    if missing:
        raise ClaimRefused("statement of a processor", tuple(ENGLISH.tell(one) for one in missing))


def _times_and_digests(given: ProcessorInput) -> None:
    times = [given.prepared, given.agreement.ended, *(one.time for one in given.done)]
    times += [one.until for one in given.retained]
    times += [given.agreement.concluded] if given.agreement.concluded else []
    for time in times:
        parse_instant(time, "processor statement")
    digests = [one.receipt_sha256 for one in given.done] + [one.evidence_sha256 for one in given.sub_processors]
    if any(text and not is_sha256(text) for text in digests):
        raise BrokenChain("processor statement", "a digest it names is none.")
    named = [one.data_set for one in given.done] + [one.data_set for one in given.retained]
    if set(named) - set(given.data_sets):
        raise BrokenChain("processor statement", "it tells of a data set that it is not about.")


def derived_open(given: ProcessorInput, lines: Sequence[MediumLine]) -> tuple[tuple[Said | str, Said, Said | str], ...]:
    """What is open by what the statement itself says: where, what, why."""
    found: list[tuple[Said | str, Said, Said | str]] = []
    if parse_instant(given.agreement.ended) > parse_instant(given.prepared):
        found.append((given.agreement.reference, said("processor.open-end"), said("processor.why-end")))
    for line in lines:
        if line.outcome in {"open", "missing", "failed", "waived"}:
            where = " ".join(word for word in (line.asset_tag or line.device, line.model, line.serial) if word)
            found.append((where, said(f"processor.open-{line.outcome}"), line.reason))
    if given.choice == "return":
        returned = {one.data_set for one in given.done if one.kind == "returned"}
        found += [
            (name, said("processor.open-return"), said("processor.why-return"))
            for name in given.data_sets
            if name not in returned
        ]
    for one in given.retained:
        if not one.law.strip():
            found.append((one.data_set, said("processor.open-law"), said("processor.why-law", what=one.what)))
        elif parse_instant(one.until) <= parse_instant(given.prepared):
            found.append((one.data_set, said("processor.open-until"), said("processor.why-until", what=one.what)))
    found += _unaccounted(given, lines)
    kept = {one.data_set for one in given.retained}
    for line in lines:
        if line.outcome == "retained" and not any(text.rpartition(" (")[0] in kept for text in line.held):
            found.append((line.asset_tag or line.device, said("processor.open-law"), said("processor.why-no-law")))
    for sub in given.sub_processors:
        if sub.complete != "yes" or not sub.evidence_sha256:
            key = "processor.why-sub" if sub.complete != "yes" else "processor.why-sub-evidence"
            found.append((sub.name, said("processor.open-sub"), said(key)))
    return tuple(found)


def _unaccounted(given: ProcessorInput, lines: Sequence[MediumLine]) -> list[tuple[Said | str, Said, Said | str]]:
    """Data sets of which nothing is told, and media that are called returned though nobody attests it."""
    held = {text.rpartition(" (")[0] for line in lines for text in line.held}
    told = held | {one.data_set for one in given.done}
    returned = {one.data_set for one in given.done if one.kind == "returned"}
    found: list[tuple[Said | str, Said, Said | str]] = [
        (name, said("processor.open-unknown"), said("processor.why-unknown"))
        for name in given.data_sets
        if name not in told
    ]
    found += [
        (line.asset_tag or line.device, said("processor.open-return"), said("processor.why-not-attested"))
        for line in lines
        if line.outcome == "returned" and not {text.rpartition(" (")[0] for text in line.held} <= returned
    ]
    return found


def _told(one: tuple[Said | str, Said, Said | str]) -> OpenMatter:
    where, what, why = (ENGLISH.tell(part) for part in one)
    return OpenMatter(where=where, what=what, why=why)


def open_path(where: str) -> OpenMatter:
    """A declared path that nobody could follow down to its media."""
    return _told((where, said("processor.open-path"), said("processor.why-path")))


def open_hold(where: str, reference: str, reason: str) -> OpenMatter:
    """Data or a medium under a legal or investigation hold."""
    why = said("processor.why-hold", reference=reference, reason=reason)
    return _told((where, said("processor.open-hold"), why))


def check_facts(facts: ProcessorFacts, lines: Sequence[MediumLine], exceptions: Sequence[tuple[str, ...]]) -> None:
    """Raise `BrokenChain` unless the facts are exactly what follows from their lines and from what they state."""
    derived = len(derived_open(ProcessorInput.of(facts, 0), lines))
    if derived > len(facts.open):
        raise BrokenChain("processor statement", "it leaves out what is open.")
    expected = compose(ProcessorInput.of(facts, derived), lines, exceptions).to_dict()
    found = facts.to_dict()
    for name, value in expected.items():
        if found[name] != value:
            raise BrokenChain("processor statement", f"what it says of {name} does not follow from the rest.")


def check(statement: ProcessorStatement, signatures: Sequence[PersonalSignature]) -> None:
    """Raise `BrokenChain` unless the statement bears the responsible person's signature over exactly its facts."""
    facts = statement.facts
    given = fitting(signatures, subject=facts.number, sha256=facts.digest(), roles=ROLES)
    if [one.signer for one in given] != [facts.responsible.ref]:
        raise BrokenChain("processor statement", "the responsible person it names did not sign it.")
    if statement.number != facts.number or len(statement.signatures) != 1 or statement.organization != facts.processor:
        raise BrokenChain("processor statement", "it names another number, issuer or signature than its facts.")
    if not parse_instant(facts.prepared) <= parse_instant(given[0].time) <= parse_instant(statement.issued):
        raise BrokenChain("processor statement", "it was not signed between its preparation and its issue.")
