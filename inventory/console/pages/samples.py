"""Independent samples: drawn from a closed lot, assigned, examined."""

from __future__ import annotations

import re
from io import BytesIO

from flask import request, send_file, url_for
from werkzeug.wrappers import Response as AnyResponse

from inventory.console.blueprint import Reply, act, form, page
from inventory.console.forms import Form, Option
from inventory.console.sheets import Field, Sheet
from inventory.console.views.lists import narrowed, pager
from inventory.console.web import actor, form_status, go, here, names, perform, posted, received, show, show_sheet
from inventory.domain.roles import Permission
from inventory.domain.samples import Finding, SampleState
from inventory.errors import NotFound
from inventory.services import evidence_files, lot_register
from inventory.services import samples as service
from inventory.services.queries import samples as queries
from inventory.services.views.samples import SampleDetail, SampleDeviceView

_FINDINGS = (
    Option("passed", "It holds", "What was read is what the record claims."),
    Option(
        "failed", "It does not hold", "The record stops counting, the device has failed, and the lot is open again."
    ),
)


@page("/samples")
def samples_page() -> Reply:
    """Every sample, those that are open, or one's own."""
    only = request.args.get("show", "")
    found = queries.list_samples(
        here(),
        actor(),
        state=SampleState.OPEN if only == "open" else None,
        assigned_to=actor().ref if only == "mine" else None,
        after=request.args.get("after"),
    )
    segments = narrowed("show", (("", "All", None), ("open", "Still open", None), ("mine", "Assigned to me", None)))
    return show("samples.html", samples=found.items, pager=pager(found, "samples"), segments=segments)


@page("/samples/<sample>")
def sample(sample: str) -> Reply:
    """One sample with its devices."""
    return _sample(sample, Form.starting())


def _sample(number: str, typed: Form) -> Reply:
    found = queries.sample(here(), actor(), number)
    return show("sample.html", form_status(typed), sample=found, form=typed, me=actor().ref)


@page("/samples/<sample>/sample.json", Permission.READ_EVIDENCE)
def sample_file(sample: str) -> Reply:
    """From which anybody can repeat the draw."""
    content = queries.sample_file(here(), actor(), sample)
    return send_file(BytesIO(content), "application/json", as_attachment=True, download_name=f"{sample}.json")


@form("/lots/<lot>/sample", Permission.SAMPLE_DRAW)
def draw_sample(lot: str) -> Reply:
    """Draw from a closed lot."""
    found = lot_register.lot(here(), actor(), lot)
    typed = received()
    if posted():
        percent = typed.number("percent", "", low=1, high=100)
        command = service.DrawSample(lot=found.id, percent=percent)
        done = perform(
            typed,
            lambda: go("sample", said="sample-drawn", sample=service.draw_sample(here(), actor(), command).id),
        )
        if done is not None:
            return done
    return show_sheet(
        Sheet(
            title=f"Draw a sample of {found.id}",
            submit="Draw the sample",
            lead=found.name,
            back=url_for("console.samples"),
            crumbs=(("Samples", url_for("console.samples")),),
            consequences=(
                "The devices follow from the log at the closing of the lot; nobody can choose them, anybody can repeat the draw.",
                "You examine none of them yourself, nor does anybody who ordered, approved or validated their sanitization.",
                "One device that does not hold opens the lot again.",
            ),
            fields=(
                Field(
                    kind="number",
                    name="percent",
                    label="Share, percent",
                    hint="Left empty: what the policy demanded. Never less than that.",
                    required=False,
                ),
            ),
        ),
        typed,
    )


def _device(found: SampleDetail, device: str) -> SampleDeviceView:
    for one in found.drawn_devices:
        if device in {one.device, one.asset_tag}:
            return one
    raise NotFound("device in this sample", device)


@form("/samples/<sample>/devices/<device>/assign", Permission.SAMPLE_DRAW)
def assign_examiner(sample: str, device: str) -> Reply:
    """Who examines a drawn device."""
    found = queries.sample(here(), actor(), sample)
    one = _device(found, device)
    known = names()
    people = tuple(Option(ref, known(ref)) for ref in one.able)
    typed = received()
    if posted():
        person = typed.one_of("person", people, "Choose one of these people.")
        command = service.AssignExaminer(sample=found.id, device=one.device, person=person)

        def deed() -> AnyResponse:
            service.assign(here(), actor(), command)
            return go("sample", said="sample-assigned", sample=found.id)

        done = perform(typed, deed)
        if done is not None:
            return done
    return show_sheet(
        Sheet(
            title=f"Who examines {one.asset_tag or one.device}?",
            submit="Assign",
            lead=one.label,
            back=url_for("console.sample", sample=found.id),
            crumbs=_crumbs(found),
            consequences=("Only people who had no part in its sanitization, nor in the draw, are listed.",),
            fields=(Field(kind="select", name="person", label="Person", options=people, blank="Choose somebody"),),
        ),
        typed,
    )


def _crumbs(found: SampleDetail) -> tuple[tuple[str, str], ...]:
    return (("Samples", url_for("console.samples")), (found.id, url_for("console.sample", sample=found.id)))


@act("/samples/<sample>/devices/<device>/reading", Permission.READING_REQUEST)
def read_sample(sample: str, device: str) -> Reply:
    """Have one's drawn device read again by an agent."""
    typed = received()
    command = service.ExamineByReading(sample=sample, device=device)

    def deed() -> AnyResponse:
        service.examine_by_reading(here(), actor(), command)
        return go("sample", said="reading-requested", sample=sample)

    return perform(typed, deed) or _sample(sample, typed)


@form("/samples/<sample>/devices/<device>/finding", Permission.READING_REQUEST)
def report_finding(sample: str, device: str) -> Reply:
    """What one found with another tool."""
    found = queries.sample(here(), actor(), sample)
    one = _device(found, device)
    typed = received()
    if posted():
        finding = typed.word("finding", Finding, "Say what you found.")
        digests = tuple(typed.value("evidence").lower().split())
        if not digests or not all(re.fullmatch(r"[0-9a-f]{64}", digest) for digest in digests):
            typed.fail("evidence", "At least one SHA-256 (64 hexadecimal digits) of what you kept of it; one a line.")
        tool = typed.text("tool", "Say with what you examined it.")
        if finding is not None:
            command = service.ReportFinding(
                sample=found.id, device=one.device, finding=finding, tool=tool, note=typed.text("note"),
                evidence=digests,
            )  # fmt: skip

            def deed() -> AnyResponse:
                service.report_finding(here(), actor(), command)
                return go("sample", said="sample-examined", sample=found.id)

            done = perform(typed, deed)
            if done is not None:
                return done
    else:
        typed.values["evidence"] = "\n".join(
            kept.sha256 for kept in evidence_files.list_files(here(), actor(), one.device)
        )
    return show_sheet(
        Sheet(
            title=f"What you found on {one.asset_tag or one.device}",
            submit="Report it",
            lead=one.label,
            warning=True,
            back=url_for("console.sample", sample=found.id),
            crumbs=_crumbs(found),
            consequences=(
                "If it does not hold, its record stops counting, the gate is closed and the lot is open again.",
            ),
            fields=(
                Field(kind="choices", name="finding", label="Finding", options=_FINDINGS),
                Field(kind="text", name="tool", label="Tool", hint="With its version, and the host it ran on."),
                Field(
                    kind="area",
                    name="evidence",
                    label="Evidence",
                    hint="SHA-256 of protocols or photographs, one a line. Those kept with the device stand here already.",
                    limit=4000,
                ),
                Field(kind="area", name="note", label="Note", required=False),
            ),
        ),
        typed,
    )
