"""Decisions about an order: approve, validate, cancel, stop, issue its certificate."""

from __future__ import annotations

import json
from io import BytesIO
from typing import Any

from flask import send_file, url_for
from werkzeug.wrappers import Response as AnyResponse

from inventory.console.blueprint import Reply, act, form, page
from inventory.console.forms import Form, Option
from inventory.console.language.speaking import words
from inventory.console.printing import asked_language
from inventory.console.sheets import Sheet, reason
from inventory.console.views.decisions import Follows, after_approval, after_validation
from inventory.console.views.order import seats_of, verdict_of
from inventory.console.web import actor, form_status, go, here, known_as, perform, posted, received, show, show_sheet
from inventory.domain.roles import Permission
from inventory.domain.vocabulary import ValidationDecision
from inventory.errors import InventoryError
from inventory.services import approvals, certificates, queries, validation
from inventory.services import orders as service

from .orders import show_order

_LIMIT = 64_000
DECISIONS = (
    Option("approve", "Approve", "The result suffices. The device counts as sanitized, and the gate may let it pass."),
    Option("reject", "Reject", "The result does not suffice. Repeat it, or use another technique."),
    Option("escalate", "Escalate", "A stronger method is needed: purge, or destroy."),
)


def envelope_of(typed: Form, name: str = "envelope") -> dict[str, Any] | None:
    """The signed envelope a page's script put into the form."""
    text = typed.value(name)
    try:
        value = json.loads(text) if 0 < len(text) <= _LIMIT else None
    except ValueError:
        value = None
    if not isinstance(value, dict):
        typed.sentence = (
            "No signature came with this form. You sign in your browser: choose your key, and allow scripts here."
        )
        typed.status = 422
        return None
    return value


@form("/orders/<order>/approve", Permission.ORDER_APPROVE)
def approve(order: str) -> Reply:
    """Exactly what is being signed, in words; the signature is made in the browser."""
    typed = received()
    if posted():
        envelope = envelope_of(typed)
        if not typed.has("compared", "yes"):
            typed.fail("compared", "Tick that you have read the order and compared the fingerprint.")
        if envelope is not None:
            command = approvals.Approve(order=order, envelope=envelope)
            done = perform(
                typed, lambda: go("order", said="approved", order=approvals.approve(here(), actor(), command).id)
            )
            if done is not None:
                return done
    found = queries.order(here(), actor(), order)
    ready, refusal = None, None
    try:
        ready = approvals.ready_to_sign(here(), actor(), found.id)
    except InventoryError as error:
        refusal = error
    status = (
        form_status(typed)
        if refusal is None
        else (refusal.status if not posted() else max(form_status(typed), refusal.status))
    )
    follows = after_approval(found)
    return show(
        "approve.html", status, order=found, form=typed, ready=ready, refusal=refusal, seats=seats_of(found, known_as),
        outcomes=follows.sentences if ready else (), final=follows.final if ready else "",
    )  # fmt: skip


@form("/orders/<order>/validate", Permission.RECORD_VALIDATE)
def validate(order: str) -> Reply:
    """Decide whether the result suffices (SP 800-88 Rev. 2, 4.5.2)."""
    found = queries.order(here(), actor(), order)
    typed = received()
    if posted():
        decision = typed.word("decision", ValidationDecision, "Decide: approve, reject or escalate.")
        why = typed.text("reason", "Say why.")
        version = typed.number("version", "Load the page again.", low=0, high=2**53)
        if decision is not None:
            command = validation.Validate(order=found.id, decision=decision, reason=why, version=version)
            done = perform(
                typed, lambda: go("order", said="decided", order=validation.validate(here(), actor(), command).id)
            )
            if done is not None:
                return done
    record = queries.record(here(), actor(), found.record) if found.record is not None else None
    follows = Follows(()) if record is None else after_validation(record)
    return show(
        "validate.html", form_status(typed), order=found, form=typed, record=record, decisions=DECISIONS,
        verdict=verdict_of(record) if record is not None else None, seats=seats_of(found, known_as),
        outcomes=follows.sentences, final=follows.final,
    )  # fmt: skip


def _crumbs(order_id: str) -> tuple[tuple[str, str], ...]:
    return (("Orders", url_for("console.orders")), (order_id, url_for("console.order", order=order_id)))


@form("/orders/<order>/cancel", Permission.ORDER_CANCEL)
def cancel_order(order: str) -> Reply:
    """Withdraw an order before the first write."""
    found = queries.order(here(), actor(), order)
    typed = received()
    if posted():
        why = typed.text("reason", "Say why.")
        done = perform(
            typed,
            lambda: go("order", said="order-cancelled", order=service.cancel_order(here(), actor(), found.id, why).id),
        )
        if done is not None:
            return done
    return show_sheet(
        Sheet(
            title=f"Cancel {found.id}",
            submit="Cancel the order",
            tone="danger",
            lead=found.device_label,
            crumbs=_crumbs(found.id),
            back=url_for("console.order", order=found.id),
            consequences=(
                "Nothing has been written; the device keeps its state.",
                "Once the agent may have written, an order can only be stopped.",
            ),
            fields=(reason(),),
        ),
        typed,
    )


@form("/orders/<order>/stop", Permission.ORDER_STOP)
def stop_order(order: str) -> Reply:
    """Ask the agent to stop a run under way."""
    found = queries.order(here(), actor(), order)
    typed = received()
    if posted():
        why = typed.text("reason", "Say why.")
        done = perform(
            typed,
            lambda: go("order", said="stop-requested", order=service.request_stop(here(), actor(), found.id, why).id),
        )
        if done is not None:
            return done
    return show_sheet(
        Sheet(
            title=words("Stop {order}", order=found.id),
            submit="Ask the agent to stop",
            tone="danger",
            warning=True,
            lead=found.device_label,
            crumbs=_crumbs(found.id),
            back=url_for("console.order", order=found.id),
            consequences=(
                "Part of the medium is overwritten already; what was there is gone.",
                "The record will say interrupted, and that is never a success: the gate stays closed.",
            ),
            fields=(reason(),),
        ),
        typed,
    )


@act("/orders/<order>/certificate", Permission.CERTIFICATE_ISSUE)
def issue_certificate(order: str) -> Reply:
    """Sign, log and seal the certificate of a validated order."""
    typed = received()

    def deed() -> AnyResponse:
        issued = certificates.issue(here(), actor(), order, destination=typed.value("destination").strip()[:256])
        return go("certificate", said="certificate-issued", certificate=issued.number)

    return perform(typed, deed) or show_order(order, typed)


@page("/orders/<order>/failure-report.pdf", Permission.READ_EVIDENCE)
def failure_report(order: str) -> Reply:
    """What happened to a run that earns no certificate."""
    content = certificates.failure_report(here(), actor(), order, asked_language())
    return send_file(
        BytesIO(content), "application/pdf", as_attachment=True, download_name=f"failure-report-{order}.pdf"
    )
