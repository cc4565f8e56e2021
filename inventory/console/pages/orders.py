"""Orders: lists and queues, requesting one, one order with its run, record and verdict."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta

from werkzeug.wrappers import Response as AnyResponse

from inventory.console.blueprint import Reply, form, page
from inventory.console.forms import Form, Option
from inventory.console.views.obstacles import told
from inventory.console.views.order import PATTERNS, RUNNING, seats_of, steps_of, verdict_of
from inventory.console.views.ordering import (
    answers_of,
    asked_words,
    firsts_of,
    leaves_allocated,
    scopes_of,
    takes_pattern,
    techniques_of,
)
from inventory.console.web import actor, form_status, go, here, known_as, may, perform, posted, received, show
from inventory.contract.v1.orders import PlanRequest
from inventory.domain.roles import Permission
from inventory.domain.techniques import ANSWERS, AUTO, CANARIES, KEY_PATTERN, SCOPES, drive_word_faults, follows
from inventory.domain.vocabulary import Method, Verification
from inventory.services import corrections, queries
from inventory.services import orders as service
from inventory.services.views import OrderDetail, RecordView
from reports.findings.techniques import HOST, KEYS

LIFETIMES = (Option("4", "4 hours"), Option("24", "1 day"), Option("168", "1 week"))
PURPOSES = (
    Option("inside", "Reuse it ourselves", "It stays under our control."),
    Option("outside", "Let others use it", "Sold, donated, returned from lease, exchanged."),
    Option("scrap", "Scrap it", "Nobody uses it again."),
)
READ_BACK = (
    Option("full", "Every block", "Nothing is left to chance."),
    Option(
        "representative",
        "A representative sample",
        "At least a tenth of the medium, places chosen by the order's own random number (SP 800-88 Rev. 1, 4.7.3).",
    ),
)


def _purpose(typed: Form) -> service.Purpose:
    wanted = typed.value("purpose")
    return service.Purpose(
        reuse=wanted != "scrap",
        leaves_control=wanted == "outside",
        damaged=typed.has("damaged", "yes"),
        description=typed.optional("description", limit=200) or "",
    )


def _requested(typed: Form, device_id: str, how: tuple[Option, ...]) -> AnyResponse | None:
    pattern = typed.one_of("pattern", PATTERNS, "Choose what is written.")
    technique = typed.one_of("technique", how, "Choose one of the techniques offered.")
    typed.one_of("purpose", PURPOSES, "Say what shall become of it: the policy decides by that.")
    verification = typed.word("verification", Verification, "Choose how much is read back.")
    method = typed.word("method", Method, "Choose the method to reach.")
    technique = _with_first(typed, technique)
    pattern_for_drive = typed.text("firmware_pattern").lower()
    if pattern_for_drive and not re.fullmatch(r"[0-9a-f]{8}", pattern_for_drive):
        typed.fail("firmware_pattern", "Eight hexadecimal digits, such as 00ff00ff, or nothing for zeros.")
    kept = typed.has("no_deallocate", "yes")
    faults = drive_word_faults(technique, firmware_pattern=pattern_for_drive, no_deallocate=kept)
    for name, sentence in faults.items():
        typed.fail(name, sentence)
    hours = typed.one_of("hours", LIFETIMES, "Choose how long the order is good for.")
    reason = typed.text("reason", "Say why.")
    if verification is None or method is None or not typed.ok:
        return None
    plan = PlanRequest(
        method=method.value,
        technique=technique,
        pattern_set=pattern if technique in {HOST, AUTO} else KEY_PATTERN if technique == KEYS else CANARIES,
        verification=verification.value,
        firmware_pattern=pattern_for_drive,
        no_deallocate=kept,
        acknowledged_signatures=tuple(typed.value("signatures").split()),
        acknowledged_scope=() if technique == HOST else _ticked(typed, "scope", SCOPES),
        answers=() if technique == HOST else _ticked(typed, "answers", ANSWERS),
    )
    command = service.CreateOrder(
        device=device_id, plan=plan, purpose=_purpose(typed), reason=reason, lifetime=timedelta(hours=int(hours))
    )
    return perform(
        typed, lambda: go("order", said="order-requested", order=service.create_order(here(), actor(), command).id)
    )


def _with_first(typed: Form, technique: str) -> str:
    """The technique, with what shall come before it."""
    first = typed.value("first")
    if first and not follows(first, technique):
        typed.fail("first", "This cannot come before the technique chosen; it follows from nothing else.")
    return f"{first}+{technique}" if first else technique


def _ticked(typed: Form, name: str, known: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(word for word in known if typed.has(name, word))


@form("/devices/<device>/order", Permission.ORDER_REQUEST)
def new_order(device: str) -> Reply:
    """Request sanitization: the policy's decision stands beside the form, with its reasons."""
    found = queries.device(here(), actor(), device)
    typed = received()
    for name, value in (
        ("purpose", "inside"),
        ("pattern", "keyed-stream"),
        ("verification", "full"),
        ("hours", "24"),
        ("method", "clear"),
        ("technique", HOST),
    ):
        typed.values.setdefault(name, value)
    how = techniques_of(found)
    if posted() and typed.value("step") != "ask":
        done = _requested(typed, found.id, how)
        if done is not None:
            return done
    advice = [
        (option, service.advise(here(), actor(), found.id, _purpose(Form.starting({"purpose": option.value}))))
        for option in PURPOSES
    ]
    reasons = found.attachments[0].obstacles if found.attachments else ()
    dormant = [
        " ".join(value for _, value in one.parts) or reason.sentence
        for reason, one in zip(reasons, told(reasons), strict=True)
        if reason.code.startswith("dormant")
    ]
    return show(
        "new-order.html", form_status(typed), device=found, form=typed, advice=advice, patterns=PATTERNS,
        read_back=READ_BACK, lifetimes=LIFETIMES, dormant=dormant, techniques=how, technique_hint=asked_words(found),
        scopes=scopes_of(found), answers=answers_of(found), firsts=firsts_of(found), patterned=takes_pattern(found),
        allocates=leaves_allocated(found), obstacles=told(reasons),
    )  # fmt: skip


def _record_of(order: OrderDetail) -> RecordView | None:
    if order.record is None or not may(Permission.READ_EVIDENCE):
        return None
    return queries.record(here(), actor(), order.record)


@page("/orders/<order>")
def order(order: str) -> Reply:
    """One order: sealed facts, signatures, run, record, verdict, certificate."""
    return show_order(order, Form.starting())


def show_order(order_id: str, typed: Form) -> Reply:
    """The order's page, with what was wrong with an act on it."""
    found = queries.order(here(), actor(), order_id)
    record = _record_of(found)
    mine = found.requested_by == actor().ref
    signed = actor().ref in {approval.approver for approval in found.approvals}
    report = corrections.report_of(here(), actor(), found.id) if may(Permission.READ_EVIDENCE) else None
    return show(
        "order.html",
        form_status(typed),
        report=report,
        report_corrections=corrections.corrections(here(), actor(), report) if report else (),
        order=found,
        form=typed,
        steps=steps_of(found),
        seats=seats_of(found, known_as),
        record=record,
        verdict=verdict_of(record) if record is not None else None,
        mine=mine,
        signed=signed,
        running=found.state in RUNNING,
        may_decide=may(Permission.RECORD_VALIDATE) and not mine and not signed,
    )
