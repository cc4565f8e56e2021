"""Out of our hands: release through the gate, physical destruction, and the waiver, which is the only other way."""

from __future__ import annotations

import re
from datetime import timedelta

from flask import url_for
from werkzeug.wrappers import Response as AnyResponse

from inventory.console.blueprint import Reply, act, form, page
from inventory.console.formatting import sentence_case
from inventory.console.forms import Form, Option, options
from inventory.console.language.speaking import utc, words
from inventory.console.sheets import Field, Sheet, reason
from inventory.console.views.decisions import after_waiver, before_waiver
from inventory.console.views.device import crumbs_of
from inventory.console.views.story import Link
from inventory.console.web import (
    actor,
    caller,
    form_status,
    go,
    here,
    may,
    names,
    perform,
    posted,
    received,
    show,
    show_sheet,
)
from inventory.domain.roles import Permission
from inventory.domain.vocabulary import ValidationDecision
from inventory.errors import GateClosed, NotFound
from inventory.services import destruction as destructions
from inventory.services import disposal, evidence_files, places, queries, waivers
from inventory.services.disposal import Destination
from inventory.services.views import DestructionView, DeviceDetail, GateView

_METHODS = tuple(
    Option(value, sentence_case(value))
    for value in ("disintegrate", "incinerate", "melt", "pulverize", "shred", "degauss-then-destroy")
)


def _destination(typed: Form) -> Destination:
    return Destination(
        party=typed.optional("party"),
        location=typed.optional("location"),
        reuse=typed.value("reuse") != "no",
        description=typed.text("description"),
    )


@form("/devices/<device>/release", Permission.DEVICE_RELEASE)
def release(device: str) -> Reply:
    """Hand a device over for good; the gate answers in plain words before anything moves."""
    found = queries.device(here(), actor(), device)
    typed = received()
    typed.values.setdefault("reuse", "yes")
    destination = _destination(typed)
    if posted() and typed.value("step") == "release":
        typed.text("description", "Say where it goes: it is printed on the certificate.")
        command = disposal.ReleaseDevice(
            device=found.id,
            destination=destination,
            reason=typed.text("reason", "Say why."),
        )
        done = perform(
            typed, lambda: go("device", said="device-released", device=disposal.release(here(), actor(), command).id)
        )
        if done is not None:
            return done
    gate: GateView | None = None
    if "description" in typed.values or posted():
        try:
            gate = disposal.gate(here(), actor(), found.id, destination)
        except NotFound as error:
            typed.refused(error)
    if typed.status == GateClosed.status and gate is not None and not gate.open:
        typed.reasons.clear()  # the gate's own answer below says the same, better
    parties = tuple(
        Option(party.id, party.name if party.undertaking_valid else f"{party.name} ({words('no valid undertaking')})")
        for party in places.list_parties(here(), actor())
    )
    return show(
        "release.html",
        form_status(typed),
        device=found,
        form=typed,
        gate=gate,
        parties=parties,
        crumbs=crumbs_of(found.id, found.asset_tag),
    )


@form("/devices/<device>/destruction", Permission.DESTRUCTION_RECORD)
def record_destruction(device: str) -> Reply:
    """State that a medium was destroyed."""
    found = queries.device(here(), actor(), device)
    typed = received()
    if not posted() and may(Permission.READ_EVIDENCE):
        kept = evidence_files.list_files(here(), actor(), found.id)
        typed.values.setdefault("evidence", "\n".join(one.sha256 for one in kept))
    if posted():
        method = typed.one_of("method", _METHODS, "Choose how it was destroyed.")
        machine = typed.text("machine", "Name the machine with its calibration or approval.")
        facility = typed.text("facility", "Say where it was done.")
        performed = typed.day("performed", "On which day? Write YYYY-MM-DD.")
        size = typed.number("particle_size_mm", "", low=0, high=1000)
        before = typed.number("weight_in_grams", "", low=1, high=1_000_000)
        after = typed.number("weight_out_grams", "", low=0, high=1_000_000)
        digests = tuple(typed.value("evidence").lower().split())
        if not digests or not all(re.fullmatch(r"[0-9a-f]{64}", digest) for digest in digests):
            typed.fail(
                "evidence", "At least one SHA-256 (64 hexadecimal digits) of a photograph, video or paper; one a line."
            )
        if performed is not None:
            command = destructions.RecordDestruction(
                device=found.id, method=method, machine=machine, facility=facility, performed=performed,
                particle_size_mm=size, evidence=digests, note=typed.text("note"), weight_in_grams=before, weight_out_grams=after,
                kept_elsewhere=typed.text("kept_elsewhere", limit=150),
                serial_read=typed.text("serial_read", limit=256),
            )  # fmt: skip

            def deed() -> AnyResponse:
                destructions.record_destruction(here(), actor(), command)
                return go("device", said="destruction-recorded", device=found.id)

            done = perform(typed, deed)
            if done is not None:
                return done
    return show_sheet(
        Sheet(
            title=f"Record the destruction of {found.asset_tag or found.label}",
            submit="Record destruction",
            tone="danger",
            lead="SP 800-88 Rev. 2, 3.1.3: recovery is infeasible, and the medium cannot store data afterwards.",
            crumbs=crumbs_of(found.id, found.asset_tag),
            back=url_for("console.device", device=found.id),
            consequences=("Nothing changes until somebody else has witnessed it and a validator has decided.",),
            notes=(Link("Add photographs and papers first", url_for("console.evidence_files", device=found.id)),),
            fields=(
                Field(kind="choices", name="method", label="How", options=_METHODS),
                Field(kind="text", name="machine", label="Machine", hint="With its calibration or approval."),
                Field(kind="text", name="facility", label="Facility"),
                Field(kind="day", name="performed", label="Day"),
                Field(
                    kind="text",
                    name="serial_read",
                    label="Serial number read before",
                    required=False,
                    mono=True,
                    hint="From the medium itself, right before. Without it there is no certificate of destruction.",
                ),
                Field(kind="number", name="particle_size_mm", label="Largest particle, mm", required=False),
                Field(kind="number", name="weight_in_grams", label="Weight before, g", required=False),
                Field(
                    kind="number",
                    name="weight_out_grams",
                    label="Weight after, g",
                    required=False,
                    hint="Of what is left, on the same scales. Both weights or neither; they are signed and printed.",
                ),
                Field(
                    kind="area",
                    name="evidence",
                    label="Evidence",
                    hint="SHA-256 of photographs, videos or the vendor's papers, one a line. Kept ones stand here.",
                    limit=4000,
                ),
                Field(
                    kind="text",
                    name="kept_elsewhere",
                    label="Where the other files are kept",
                    required=False,
                    limit=150,
                    hint="Of digests whose file was not added here, such as the vendor's number. It is printed.",
                ),
                Field(kind="area", name="note", label="Note", required=False),
            ),
        ),
        typed,
    )


@form("/devices/<device>/destruction/<destruction>/withdraw", Permission.DESTRUCTION_RECORD)
def withdraw_destruction(device: str, destruction: str) -> Reply:
    """It was recorded by mistake, or nobody saw it."""
    found = queries.device(here(), actor(), device)
    typed = received()
    if posted():
        why = typed.text("reason", "Say why.")

        def deed() -> AnyResponse:
            destructions.withdraw_destruction(here(), actor(), destruction, why)
            return go("device", said="destruction-withdrawn", device=found.id)

        done = perform(typed, deed)
        if done is not None:
            return done
    return show_sheet(
        Sheet(
            title=f"Withdraw {destruction}",
            submit="Withdraw it",
            tone="danger",
            lead=found.label,
            crumbs=crumbs_of(found.id, found.asset_tag),
            back=url_for("console.device", device=found.id),
            consequences=(
                "The device stays what it is, and may be ordered or recorded again.",
                "Once somebody has witnessed it, only a validator decides.",
            ),
            fields=(reason(),),
        ),
        typed,
    )


@form("/devices/<device>/destruction/<destruction>/witness", Permission.DESTRUCTION_WITNESS)
def witness_destruction(device: str, destruction: str) -> Reply:
    """State that one saw it."""
    found, stated = _destruction_of(device, destruction)
    typed = received()
    if posted():
        statement = typed.text("statement", "Say what you saw.")

        def deed() -> AnyResponse:
            destructions.witness_destruction(here(), actor(), destruction, statement)
            return go("device", said="destruction-witnessed", device=found.id)

        done = perform(typed, deed)
        if done is not None:
            return done
    return show_sheet(
        Sheet(
            title="Witness a destruction",
            submit="I saw this",
            lead=f"The destruction of {found.label}.",
            crumbs=crumbs_of(found.id, found.asset_tag),
            back=url_for("console.device", device=found.id),
            facts=_stated(stated),
            consequences=("You state under your own name that you saw it.", "Whoever did it cannot witness it."),
            fields=(Field(kind="area", name="statement", label="What you saw"),),
        ),
        typed,
    )


def _destruction_of(device: str, destruction: str) -> tuple[DeviceDetail, DestructionView]:
    found = queries.device(here(), actor(), device)
    stated = next((item for item in found.destructions if item.id == destruction), None)
    if stated is None:
        raise NotFound("destruction", destruction)
    return found, stated


def _stated(destruction: DestructionView) -> tuple[tuple[str, str], ...]:
    """What somebody is asked to witness or to decide about; nobody signs a page that does not say it."""
    size, known = destruction.particle_size_mm, names()
    return (
        ("Technique", words(sentence_case(destruction.method))),
        ("Particles", "" if size is None else words("{particle_size_mm} mm or less", particle_size_mm=size)),
        ("Equipment", destruction.machine),
        ("Place", destruction.facility),
        ("Performed", f"{utc(destruction.performed)} UTC"),
        ("Done by", known(destruction.operator)),
        ("Witness", known(destruction.witness) if destruction.witness else ""),
    )


_DECISIONS = options(
    ValidationDecision,
    sentence_case,
    {
        "approve": "The device counts as destroyed, and what it held as covered.",
        "reject": "The device keeps its state; the matter must be done again.",
        "escalate": "A stronger way is needed.",
    },
)


@form("/devices/<device>/destruction/<destruction>/decide", Permission.RECORD_VALIDATE)
def decide_destruction(device: str, destruction: str) -> Reply:
    """The validator's decision."""
    found, stated = _destruction_of(device, destruction)
    typed = received()
    if posted():
        decision = typed.word("decision", ValidationDecision, "Decide.")
        why = typed.text("reason", "Say why.")
        if decision is not None:
            command = destructions.DecideDestruction(destruction=destruction, decision=decision, reason=why)

            def deed() -> AnyResponse:
                destructions.decide_destruction(here(), actor(), command)
                return go("device", said="destruction-decided", device=found.id)

            done = perform(typed, deed)
            if done is not None:
                return done
    return show_sheet(
        Sheet(
            title="Decide about a destruction",
            submit="Sign the decision",
            lead=f"The destruction of {found.label}.",
            facts=_stated(stated),
            crumbs=crumbs_of(found.id, found.asset_tag),
            back=url_for("console.device", device=found.id),
            fields=(Field(kind="choices", name="decision", label="Decision", options=_DECISIONS[:2]), reason()),
        ),
        typed,
    )


def _own_roles() -> tuple[Option, ...]:
    return tuple(Option(str(role), sentence_case(role)) for role in sorted(caller().person.roles))


@form("/devices/<device>/waiver", Permission.WAIVER)
def open_waiver(device: str) -> Reply:
    """Sign first that a device must go back unsanitized."""
    found = queries.device(here(), actor(), device)
    typed = received()
    if posted():
        destination = typed.text("destination", "Say where it goes.")
        why = typed.text("reason", "Say why it cannot be sanitized or destroyed.")
        role = typed.one_of("role", _own_roles(), "Choose the role in which you sign.")
        days = typed.number("days", "For how many days?", low=1, high=30)
        if typed.value("tag").strip().casefold() != _tag_of(found).casefold():
            typed.fail("tag", f"Type {_tag_of(found)}: it shows that you mean this device.")
        if days is not None:
            command = waivers.OpenWaiver(
                device=found.id,
                destination=destination,
                reason=why,
                role=role,
                expires=here().now() + timedelta(days=days),
            )

            def deed() -> AnyResponse:
                opened = waivers.open_waiver(here(), actor(), command)
                return go("waiver", said="waiver-opened", device=found.id, waiver=opened.id)

            done = perform(typed, deed)
            if done is not None:
                return done
    return show_sheet(_waiver_sheet(found), typed)


def _tag_of(device: DeviceDetail) -> str:
    return device.asset_tag or device.id


def _waiver_sheet(device: DeviceDetail) -> Sheet:
    follows = before_waiver(device)
    return Sheet(
        title=f"Waive sanitization of {device.asset_tag or device.label}",
        submit="Sign the waiver",
        tone="danger",
        warning=True,
        lead="The only way out for a medium that cannot be sanitized or destroyed. It takes two people of different roles.",
        crumbs=crumbs_of(device.id, device.asset_tag),
        back=url_for("console.device", device=device.id),
        sentence=f"You sign that {device.label} may leave with everything it holds still on it.",
        fingerprint=device.fingerprint or "",
        consequences=follows.sentences,
        final=follows.final,
        others=("Somebody else, in another role than yours, countersigns.",),
        fields=(
            Field(kind="text", name="destination", label="Where it goes"),
            Field(kind="choices", name="role", label="You sign as", options=_own_roles()),
            Field(kind="number", name="days", label="Good for how many days", hint="1 to 30."),
            reason(),
            Field(
                kind="text",
                name="tag",
                label="Which device",
                hint=f"Type {_tag_of(device)}: it shows that you mean this one.",
                mono=True,
            ),
        ),
    )


@page("/devices/<device>/waiver/<waiver>")
def waiver_page(device: str, waiver: str) -> Reply:
    """One waiver and what may be done with it."""
    return _show_waiver(device, waiver, Form.starting())


def _show_waiver(device: str, waiver: str, typed: Form) -> Reply:
    found = queries.device(here(), actor(), device)
    view = next((item for item in found.waivers if item.id == waiver), None)
    if view is None:
        raise NotFound("waiver", waiver)
    return show(
        "waiver.html",
        form_status(typed),
        device=found,
        waiver=view,
        form=typed,
        roles=_own_roles(),
        crumbs=crumbs_of(found.id, found.asset_tag),
        follows=after_waiver(view),
    )


@act("/devices/<device>/waiver/<waiver>/countersign", Permission.WAIVER)
def countersign_waiver(device: str, waiver: str) -> Reply:
    """Sign second."""
    typed = received()
    role = typed.one_of("role", _own_roles(), "Choose the role in which you sign.")
    if not typed.has("sure", "yes"):
        typed.fail("sure", "Tick that you know what this means.")

    def deed() -> AnyResponse:
        waivers.countersign_waiver(here(), actor(), waiver, role)
        return go("waiver", said="waiver-countersigned", device=device, waiver=waiver)

    return perform(typed, deed) or _show_waiver(device, waiver, typed)


@act("/devices/<device>/waiver/<waiver>/use", Permission.DEVICE_RELEASE)
def use_waiver(device: str, waiver: str) -> Reply:
    """The device leaves unsanitized."""
    typed = received()
    if not typed.has("sure", "yes"):
        typed.fail("sure", "Tick that you know what this means.")
    done = perform(
        typed, lambda: go("device", said="waiver-used", device=waivers.return_by_waiver(here(), actor(), waiver).id)
    )
    return done or _show_waiver(device, waiver, typed)
