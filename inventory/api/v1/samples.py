"""Independent samples of closed lots."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from inventory.api.dispatch import Call
from inventory.api.endpoint import READERS, Answer, File, Noun, people
from inventory.api.paging import Paging, Text
from inventory.contract.v1.common import Message, Sha256
from inventory.contract.v1.endpoints import PREFIX
from inventory.contract.v1.vocabulary import Key, Line, OptionalProse
from inventory.domain.roles import Permission
from inventory.domain.samples import Finding, SampleState
from inventory.errors import Conflict, Forbidden, Invalid, NotFound, OrderImpossible, SeparationOfDuty
from inventory.services import samples
from inventory.services.queries import samples as queries
from inventory.services.views import Page
from inventory.services.views.samples import SampleDetail, SampleRow
from reports.canonical import sha256_hex

noun = Noun(
    "samples", "Drawn from the log at a lot's closing, examined by somebody else; one failure opens the lot again."
)

_EXAMINER = people(Permission.READING_REQUEST)


class SampleQuery(Paging):
    """Which samples; every parameter that is given must match."""

    lot: Text | None = None
    state: SampleState | None = None
    assigned_to: Text | None = None


class SampleDraw(Message):
    """How much."""

    percent: Annotated[int, Field(ge=1, le=100)] | None = None
    """Never less than the policy demanded; null: exactly that."""


class ExaminerAssign(Message):
    """Who examines it."""

    person: Key


class SampleReading(Message):
    """How much is read."""

    verification: Literal["full", "representative"] = "full"


class FindingReport(Message):
    """What was found with another tool, or on a host without an agent."""

    finding: Finding
    tool: Line
    note: OptionalProse = ""
    evidence: Annotated[tuple[Sha256, ...], Field(min_length=1, max_length=50)]
    """Digests of what was kept of it."""


@noun.get("/samples", "Samples", READERS)
def list_samples(call: Call, query: SampleQuery) -> Page[SampleRow]:
    """Newest first."""
    return queries.list_samples(
        call.context, call.actor, lot=query.lot, state=query.state, assigned_to=query.assigned_to,
        after=query.after, limit=query.limit,
    )  # fmt: skip


@noun.post(
    "/lots/{lot}/samples",
    "Draw a sample",
    people(Permission.SAMPLE_DRAW),
    creates=True,
    raises=(Conflict, Invalid, NotFound),
)
def draw_sample(call: Call, lot: Key, body: SampleDraw) -> Answer[SampleDetail]:
    """From the log at the lot's closing: anybody can repeat the draw, and nobody can choose it."""
    view = samples.draw_sample(call.context, call.actor, samples.DrawSample(lot=lot, percent=body.percent))
    return Answer(view, version=view.version, location=f"{PREFIX}/samples/{view.id}")


@noun.get("/samples/{sample}", "One sample", READERS)
def get_sample(call: Call, sample: Key) -> SampleDetail:
    """With each drawn device, who examines it, and what was found."""
    return queries.sample(call.context, call.actor, sample)


@noun.get("/samples/{sample}/sample.json", "What a draw follows from", people(Permission.READ_EVIDENCE))
def get_sample_file(call: Call, sample: Key) -> File:
    """`sanitrail-verify` repeats the draw from it."""
    content = queries.sample_file(call.context, call.actor, sample)
    return File(content, "application/json", f"{sample}.json", etag=sha256_hex(content))


@noun.post(
    "/samples/{sample}/devices/{device}/assignment",
    "Assign a drawn device",
    people(Permission.SAMPLE_DRAW),
    raises=(SeparationOfDuty, Conflict, NotFound),
)
def assign_examiner(call: Call, sample: Key, device: Key, body: ExaminerAssign) -> SampleDetail:
    """To somebody who had no part in its sanitization, nor in the draw."""
    command = samples.AssignExaminer(sample=sample, device=device, person=body.person)
    return samples.assign(call.context, call.actor, command)


@noun.post(
    "/samples/{sample}/devices/{device}/reading",
    "Have a drawn device read again",
    _EXAMINER,
    raises=(SeparationOfDuty, Forbidden, OrderImpossible, Conflict, NotFound),
)
def examine_by_reading(call: Call, sample: Key, device: Key, body: SampleReading) -> SampleDetail:
    """By the agent of whichever host it is attached to; what it finds is the finding."""
    command = samples.ExamineByReading(sample=sample, device=device, verification=body.verification)
    return samples.examine_by_reading(call.context, call.actor, command)


@noun.post(
    "/samples/{sample}/devices/{device}/finding",
    "Report what was found",
    _EXAMINER,
    raises=(SeparationOfDuty, Forbidden, Conflict, Invalid, NotFound),
)
def report_finding(call: Call, sample: Key, device: Key, body: FindingReport) -> SampleDetail:
    """With another tool. A failure closes the gate for the device and opens its lot again."""
    command = samples.ReportFinding(
        sample=sample, device=device, finding=body.finding, tool=body.tool, note=body.note, evidence=body.evidence
    )
    return samples.report_finding(call.context, call.actor, command)
