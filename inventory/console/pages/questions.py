"""Questions that changes of status raise: what becomes less secure, why it may not yet, and what to do next."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import request, url_for

from inventory.console.blueprint import Reply, form, page
from inventory.console.forms import Form, Option
from inventory.console.language.speaking import words
from inventory.console.sheets import Field, Sheet, reason
from inventory.console.views.device import crumbs_of
from inventory.console.views.lists import narrowed, pager
from inventory.console.web import actor, go, here, perform, posted, received, show, show_sheet
from inventory.domain.questions import ChangeKind
from inventory.domain.roles import Permission
from inventory.services import places, queries
from inventory.services import questions as service
from inventory.services.queries import questions as question_queries

_OF_DEVICE = (
    Option("repair", "Repair", "It goes to somebody who repairs it, or the machine around it."),
    Option("lease_return", "Return to the lessor", "Its lease ends."),
    Option("warranty_swap", "Swap under warranty", "A new one comes and this one goes."),
    Option("resale", "Resale", "Somebody buys it."),
)
_OF_HOST = (
    Option("host_decommissioned", "Out of use", "The host is switched off for good."),
    Option("rack_relocated", "Moved with its rack", "It goes on elsewhere. Say the day of the move."),
)
_WHY = "Say why."


@page("/questions")
def questions_page() -> Reply:
    """What waits for an answer, or what was answered."""
    open_ = request.args.get("show") != "answered"
    found = question_queries.list_questions(
        here(), actor(), open_=open_, device=request.args.get("device"), after=request.args.get("after"), limit=50
    )
    segments = narrowed("show", (("", "Waiting", None), ("answered", "Answered", None)))
    return show("questions.html", questions=found.items, pager=pager(found, "questions"), segments=segments, open=open_)


def _day(typed: Form) -> datetime | None:
    return typed.day("due", end=True)


@form("/devices/<device>/change", Permission.DEVICE_MOVE)
def announce_change(device: str) -> Reply:
    """Say what happens to a device before it does."""
    found = queries.device(here(), actor(), device)
    typed = received()
    if posted():
        kind = typed.word("kind", ChangeKind, "Choose what happens.")
        why, due = typed.text("reason", _WHY), _day(typed)

        def deed() -> Any:  # noqa: ANN401 - a redirect
            command = service.AnnounceChange(
                device=found.id, kind=kind or ChangeKind.REPAIR, reason=why, party=typed.optional("party"), due=due
            )
            service.announce(here(), actor(), command)
            return go("questions", said="question-raised")

        done = perform(typed, deed)
        if done is not None:
            return done
    parties = tuple(Option(row.id, row.name) for row in places.list_parties(here(), actor()))
    return show_sheet(
        Sheet(
            title=f"What happens to {found.asset_tag or found.id}?",
            submit="Announce it",
            lead=found.label,
            crumbs=crumbs_of(found.id, found.asset_tag),
            back=url_for("console.device", device=found.id),
            consequences=(
                "Nothing moves yet. Its question is raised: may it leave as it is?",
                "Only facts answer it: the gate opens for whoever receives it, or it is destroyed.",
            ),
            fields=(
                Field(kind="choices", name="kind", label="What happens", options=_OF_DEVICE),
                Field(
                    kind="select", name="party", label="Who receives it", options=parties, required=False,
                    blank="Not known yet", hint="Without a receiver in the register the gate stays closed.",
                ),
                Field(
                    kind="day", name="due", label="Day", required=False,
                    hint="Three days from now, where none is given. The end of a lease or warranty may lie years ahead.",
                ),
                reason(),
            ),
        ),
        typed,
    )  # fmt: skip


@form("/hosts/<host>/change", Permission.DEVICE_MOVE)
def announce_host_change(host: str) -> Reply:
    """Say what happens to a host before it does."""
    found = queries.host(here(), actor(), host)
    typed = received()
    if posted():
        kind = typed.word("kind", ChangeKind, "Choose what happens.")
        why, due = typed.text("reason", _WHY), _day(typed)

        def deed() -> Any:  # noqa: ANN401 - a redirect
            command = service.AnnounceHostChange(
                host=found.id, kind=kind or ChangeKind.HOST_DECOMMISSIONED, reason=why, due=due
            )
            service.announce_for_host(here(), actor(), command)
            return go("questions", said="question-raised")

        done = perform(typed, deed)
        if done is not None:
            return done
    return show_sheet(
        Sheet(
            title=f"What happens to {found.name}?",
            submit="Announce it",
            crumbs=(("Hosts", url_for("console.hosts")), (found.name, url_for("console.host", host=found.id))),
            back=url_for("console.host", host=found.id),
            consequences=(
                "A question is raised for every device attached to it.",
                "Out of use: each device must be clean, under lock, or attached elsewhere.",
                "Moved: each device must be seen again after the day of the move.",
            ),
            fields=(
                Field(kind="choices", name="kind", label="What happens", options=_OF_HOST),
                Field(kind="day", name="due", label="Day", required=False),
                reason(),
            ),
        ),
        typed,
    )


@form("/questions/<question>/withdraw", Permission.DEVICE_MOVE)
def withdraw_question(question: str) -> Reply:
    """What was announced does not happen."""
    found = question_queries.question(here(), actor(), question)
    typed = received()
    if posted():
        why = typed.text("reason", _WHY)

        def deed() -> Any:  # noqa: ANN401 - a redirect
            service.withdraw(here(), actor(), service.WithdrawQuestion(question=found.id, reason=why))
            return go("questions", said="question-withdrawn")

        done = perform(typed, deed)
        if done is not None:
            return done
    return show_sheet(
        Sheet(
            title=f"Withdraw {found.id}",
            submit="It does not happen",
            lead=f"{words(found.device_label)} {words(found.said)}.",
            crumbs=(("Questions", url_for("console.questions")),),
            back=url_for("console.questions"),
            consequences=("The device stays where and what it is. What was announced stands in its history.",),
            fields=(reason(),),
        ),
        typed,
    )
