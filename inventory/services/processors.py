"""Statements under Article 28(3)(g) GDPR: prepared from what the inventory knows, signed by a responsible person, then issued."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory.domain.holdings import state_of
from inventory.domain.roles import Permission
from inventory.domain.vocabulary import HoldingState
from inventory.errors import Conflict, Forbidden, Invalid
from inventory.events import Tag
from inventory.models import DataSet, DeclaredPath, Device, Hold, Holding, Host, LotDevice, Paper, Person
from reports import processor
from reports.canonical import canonical, is_sha256, parse_canonical
from reports.envelope import unverified_body
from reports.errors import BrokenChain, ClaimRefused, MalformedDocument
from reports.processor import (
    Agreement,
    DoneByWord,
    OpenMatter,
    ProcessorFacts,
    ProcessorInput,
    ProcessorStatement,
    Retained,
    SubProcessor,
)
from reports.statements import Answer, Organization
from reports.times import parse_instant

from . import _papers, papers
from ._lines import Line, line_of, unproven
from ._mapping import held_of
from ._sealing import organization, statement_person
from ._signing import take_in, to_sign
from .context import Actor, Context, authorize
from .data import find_data_set
from .kernel import find, moment, next_number, note, optional, required, stamp
from .lots import find_devices
from .views import FactsToSign, PaperView


@dataclass(frozen=True, kw_only=True)
class DoneInput:
    """Rows deleted or data handed back: attested by whoever prepares the statement."""

    kind: Literal["deleted", "returned"]
    data_set: str
    text: str
    time: datetime
    receipt_sha256: str = ""
    devices: tuple[str, ...] = ()
    """Of `returned`: the media that were handed over with the data still on them."""


@dataclass(frozen=True, kw_only=True)
class RetainedInput:
    """A copy that the law requires to keep."""

    data_set: str
    what: str
    law: str
    until: datetime
    devices: tuple[str, ...] = ()
    """The media it lies on."""


@dataclass(frozen=True, kw_only=True)
class SubProcessorInput:
    """Another processor that was engaged."""

    name: str
    role: str = ""
    complete: Answer = "unknown"
    evidence: str = ""
    evidence_sha256: str = ""


@dataclass(frozen=True, kw_only=True)
class PrepareStatement:
    """What the inventory does not know."""

    controller: str
    controller_address: str
    controller_contact: str
    agreement: str
    concluded: datetime | None
    ended: datetime
    choice: Literal["delete", "return"]
    data_sets: tuple[str, ...]
    responsible: str
    """Pseudonym of the person who will sign."""
    done: tuple[DoneInput, ...] = ()
    retained: tuple[RetainedInput, ...] = ()
    sub_processors: tuple[SubProcessorInput, ...] = ()


def prepare(context: Context, actor: Actor, command: PrepareStatement) -> PaperView:
    """Compose a statement as things stand; it waits for the responsible person's signature. Permission `case.manage`.

    Raises:
        Invalid: something is not stated, or contradicts itself.
        NotFound: a data set, device or person.
        Conflict: the files of a medium's certificate have not been made yet.
    """
    authorize(actor, Permission.CASE_MANAGE)
    with context.writing(actor) as session:
        now = context.now()
        sets = [find_data_set(session, name) for name in dict.fromkeys(command.data_sets)]
        lines = _lines(session, command, sets)
        number = next_number(session, "processor", now)
        given = ProcessorInput(
            number=number,
            prepared=stamp(now),
            controller=Organization(
                name=required("controller", command.controller, most=200),
                unit="",
                address=optional("controller_address", command.controller_address),
                contact=optional("controller_contact", command.controller_contact),
            ),
            processor=organization(context),
            agreement=Agreement(
                reference=required("agreement", command.agreement, most=200),
                concluded="" if command.concluded is None else stamp(moment("concluded", command.concluded)),
                ended=stamp(moment("ended", command.ended)),
            ),
            choice=command.choice,
            data_sets=tuple(row.name for row in sets),
            done=_done(session, context, actor, command),
            retained=_retained(session, command),
            sub_processors=_sub_processors(command),
            open=_still_open(session, sets, lines, command),
            evidence=_papers.evidence_place(lines),
            responsible=statement_person(session, context, find(session, Person, command.responsible, "person").ref),
        )
        annex = [one.line for one in lines]
        try:
            facts = processor.compose(given, annex, [one.exceptions for one in lines if one.exceptions is not None])
        except (ClaimRefused, BrokenChain, MalformedDocument) as error:
            raise Invalid("statement", error.summarize()) from error
        _papers.keep(
            session, context, actor, number=number, kind="processor", title=given.controller.name,
            complete=facts.complete, responsible=command.responsible, facts=canonical(facts.to_dict()), lines=annex,
        )  # fmt: skip
        note(
            session, context, actor, Tag.PAPER_PREPARED, "document", number,
            details={"complete": facts.complete, "open": len(facts.open), "responsible": command.responsible},
        )  # fmt: skip
    return papers.paper(context, actor, number)


def ready_to_sign(context: Context, actor: Actor, number: str) -> FactsToSign:
    """What the responsible person must see and sign. Permission `facts.sign`.

    Raises:
        Forbidden: somebody else is responsible, or none of the actor's keys stands in the published roster.
        Conflict: signed already.
        NotFound.
    """
    authorize(actor, Permission.FACTS_SIGN)
    with context.reading(actor) as session:
        row = _waiting(session, actor, number)
        return to_sign(session, actor, role="responsible", subject=number, facts=row.facts, shown=_shown(row), said="")


def sign(context: Context, actor: Actor, number: str, envelope: dict[str, Any]) -> PaperView:
    """Sign the statement; it is issued, logged and printed at once. Permission `facts.sign`.

    Raises:
        EvidenceRefused: it signs something else than what was shown.
        Forbidden, Conflict, NotFound: as `ready_to_sign`.
    """
    authorize(actor, Permission.FACTS_SIGN)
    with context.writing(actor) as session:
        row = _waiting(session, actor, number)
        digest = take_in(
            session, context, actor, envelope, role="responsible", subject=number, facts=row.facts,
            shown=_shown(row), said="",
        )  # fmt: skip
        body = ProcessorStatement(
            number=number,
            issued=stamp(max(context.now(), _signed_at(envelope))),
            organization=_facts(row).processor,
            facts=_facts(row),
            signatures=(digest,),
        )
        _papers.issue(session, context, actor, row, body.to_dict())
    papers.seal_if_possible(context, number)
    return papers.paper(context, actor, number)


def _signed_at(envelope: dict[str, Any]) -> datetime:
    """When it was signed by the person's clock, which may be a little ahead of ours."""
    return parse_instant(unverified_body(envelope, "personal-signature")["time"])


def _waiting(session: Session, actor: Actor, number: str) -> Paper:
    row = find(session, Paper, number, "document")
    if row.kind != "processor":
        raise Conflict(f"{row.number} is no statement that a person signs.")
    if row.responsible != actor.ref:
        raise Forbidden("facts.sign", "Somebody else is responsible for this statement; only they sign it.")
    if row.issued is not None:
        raise Conflict(f"{row.number} is signed and issued.")
    return row


def _facts(row: Paper) -> ProcessorFacts:
    return ProcessorFacts.from_dict(parse_canonical(row.facts, "processor facts"), "processor facts")


def _shown(row: Paper) -> str:
    facts = _facts(row)
    state = "nothing is open" if facts.complete else f"{len(facts.open)} matters are open"
    line = (
        f"{row.number}: {facts.processor.name} states to {facts.controller.name} under {facts.agreement.reference}"
        f" (Article 28(3)(g) GDPR) what became of {', '.join(facts.data_sets)} on {facts.counts.total} media: {state}."
    )
    return " ".join(line.split())[:500]


def _lines(session: Session, command: PrepareStatement, sets: Sequence[DataSet]) -> list[Line]:
    """One line for every device that ever held one of the data sets."""
    rows = session.execute(
        sa.select(Holding, DataSet, Device)
        .join(DataSet, DataSet.id == Holding.data_set_id)
        .join(Device, Device.id == Holding.device_id)
        .where(Holding.data_set_id.in_([one.id for one in sets]))
        .order_by(Device.id, Holding.id)
    ).all()
    held: dict[str, dict[str, None]] = {}
    devices: dict[str, Device] = {}
    for holding, data_set, device in rows:
        word = "residue" if state_of(held_of(holding, data_set)) is HoldingState.RESIDUE else str(holding.kind)
        devices[device.id] = device
        held.setdefault(device.id, {})[f"{data_set.name} ({word})"] = None
    handed = _named(session, [name for one in command.done if one.kind == "returned" for name in one.devices])
    kept = {device: f"{one.what}: {one.law}" for one in command.retained for device in _named(session, one.devices)}
    unknown = (handed | kept.keys()) - devices.keys()
    if unknown:
        raise Invalid("devices", f"{min(unknown)} never held any of these data sets.")
    found = []
    for number, device in devices.items():
        words = tuple(held[number])
        line = line_of(session, device, words)
        if line.exceptions is None and number in kept:
            line = unproven(device, "retained", kept[number], words)
        elif line.exceptions is None and number in handed:
            line = unproven(device, "returned", "It was handed to the controller with the data on it.", words)
        found.append(line)
    return found


def _named(session: Session, names: Sequence[str]) -> set[str]:
    return {device.id for device in find_devices(session, tuple(dict.fromkeys(names)))} if names else set()


def _done(session: Session, context: Context, actor: Actor, command: PrepareStatement) -> tuple[DoneByWord, ...]:
    return tuple(
        DoneByWord(
            kind=one.kind,
            data_set=find_data_set(session, one.data_set).name,
            text=required("text", one.text, least=10),
            receipt_sha256=_digest(one.receipt_sha256),
            by=statement_person(session, context, actor.ref),
            time=stamp(moment("time", one.time)),
        )
        for one in command.done
    )


def _retained(session: Session, command: PrepareStatement) -> tuple[Retained, ...]:
    return tuple(
        Retained(
            data_set=find_data_set(session, one.data_set).name,
            what=required("what", one.what, most=200),
            law=optional("law", one.law, most=200),
            until=stamp(moment("until", one.until)),
        )
        for one in command.retained
    )


def _sub_processors(command: PrepareStatement) -> tuple[SubProcessor, ...]:
    return tuple(
        SubProcessor(
            name=required("name", one.name, most=200),
            role=optional("role", one.role, most=200),
            complete=one.complete,
            evidence=optional("evidence", one.evidence, most=200),
            evidence_sha256=_digest(one.evidence_sha256),
        )
        for one in command.sub_processors
    )


def _digest(text: str) -> str:
    plain = "".join(text.split()).lower()
    if plain and not is_sha256(plain):
        raise Invalid("sha256", "A SHA-256 has 64 hexadecimal digits.")
    return plain


def _still_open(
    session: Session, sets: Sequence[DataSet], lines: Sequence[Line], command: PrepareStatement
) -> tuple[OpenMatter, ...]:
    """What the inventory knows beside the media: paths nobody could follow, and holds on what is not proven."""
    numbers = [one.id for one in sets]
    found = [
        processor.open_path(f"{path} on {host}")
        for path, host, unresolved in session.execute(
            sa.select(DeclaredPath.path, Host.name, DeclaredPath.unresolved)
            .join(Host, Host.id == DeclaredPath.host_id)
            .where(DeclaredPath.data_set_id.in_(numbers), DeclaredPath.withdrawn.is_(None))
            .order_by(DeclaredPath.id)
        )
        if unresolved
    ]
    unproven_devices = {one.line.device for one in lines if one.line.outcome == "open"}
    kept = {find_data_set(session, one.data_set).id for one in command.retained if one.law.strip()}
    holds = session.scalars(
        sa.select(Hold)
        .where(
            Hold.lifted.is_(None),
            sa.or_(
                Hold.device_id.in_(unproven_devices),
                Hold.data_set_id.in_(set(numbers) - kept),
                Hold.lot_id.in_(
                    sa.select(LotDevice.lot_id).where(
                        LotDevice.device_id.in_(unproven_devices), LotDevice.removed.is_(None)
                    )
                ),
            ),
        )
        .order_by(Hold.id)
    )
    known = {one.id: one.name for one in sets} | {one.line.device: one.line.asset_tag for one in lines}
    for hold in holds:
        where = str(hold.device_id or hold.data_set_id or hold.lot_id)
        found.append(processor.open_hold(known.get(where) or where, hold.reference, hold.reason))
    return tuple(found)
