"""The roster: whose approvals agents believe; and the keys that may stand in it."""

from __future__ import annotations

from flask import url_for
from werkzeug.wrappers import Response as AnyResponse

from inventory.console.blueprint import Reply, form, page
from inventory.console.forms import Option
from inventory.console.sheets import Field, Sheet
from inventory.console.web import (
    actor,
    form_status,
    go,
    here,
    names,
    one_view,
    perform,
    posted,
    received,
    show,
    show_sheet,
)
from inventory.domain.roles import Permission
from inventory.domain.vocabulary import KeyState
from inventory.errors import NotFound
from inventory.services import approvers
from inventory.services import roster as service

from .order_acts import envelope_of


@page("/roster")
@one_view
def roster_page() -> Reply:
    """The roster in force, the proposal, every approver key."""
    return show(
        "roster.html",
        current=service.current(here(), actor()),
        proposal=service.proposal(here(), actor()),
        keys=approvers.list_keys(here(), actor()),
        history=service.history(here(), actor()),
        me=actor().ref,
    )


@form("/roster/propose", Permission.ROSTER_PROPOSE)
def propose_roster() -> Reply:
    """Who shall stand in the next roster."""
    known = approvers.list_keys(here(), actor())
    people = names()
    choices = tuple(
        Option(key.key_id, people(key.person), key.fingerprint) for key in known if key.state is KeyState.CONFIRMED
    )
    current = service.current(here(), actor())
    typed = received()
    if not posted():
        held = {person.key_id for person in current.people} if current else {option.value for option in choices}
        typed.values.setlist("key_ids", [option.value for option in choices if option.value in held])
        typed.values.setdefault("quorum", str(current.quorum if current else min(2, max(1, len(choices)))))
        typed.values.setdefault(
            "minimum_approvals", str(current.minimum_approvals if current else min(2, max(1, len(choices))))
        )
    if posted():
        chosen = tuple(
            value for value in typed.values.getlist("key_ids") if value in {option.value for option in choices}
        )
        if not chosen:
            typed.fail("key_ids", "Choose at least one confirmed key.")
        quorum = typed.number("quorum", "How many must sign the next roster?", low=1, high=9)
        minimum = typed.number("minimum_approvals", "How many approvals does every order need?", low=1, high=9)
        if quorum is not None and minimum is not None:
            command = service.ProposeRoster(key_ids=chosen, quorum=quorum, minimum_approvals=minimum)

            def deed() -> AnyResponse:
                service.propose(here(), actor(), command)
                return go("roster", said="roster-proposed")

            done = perform(typed, deed)
            if done is not None:
                return done
    return show_sheet(
        Sheet(
            title="Propose a roster",
            submit="Propose",
            lead="Agents believe the approvals of these people and nobody else's."
            + ("" if choices else " No key is confirmed yet: approvers register theirs first."),
            crumbs=(("Roster and keys", url_for("console.roster")),),
            back=url_for("console.roster"),
            consequences=(
                "Members of the roster in force sign it, as many as its quorum says; the first is signed by its own.",
                "An earlier proposal that nobody has published is withdrawn.",
            ),
            fields=(
                Field(kind="ticks", name="key_ids", label="Members", options=choices),
                Field(kind="number", name="quorum", label="How many of them must sign the next roster"),
                Field(
                    kind="number",
                    name="minimum_approvals",
                    label="How many approvals every order needs at least",
                    hint="The agent accepts no order with fewer, whatever the order says.",
                ),
            ),
        ),
        typed,
    )


@form("/roster/sign", Permission.ROSTER_SIGN)
def sign_roster() -> Reply:
    """Sign the proposal with one's own key, in the browser."""
    proposal = service.proposal(here(), actor())
    if proposal is None:
        raise NotFound("open proposal", "roster")
    typed = received()
    if posted():
        envelope = envelope_of(typed)
        if envelope is not None:
            command = service.SignRoster(version=proposal.version, envelope=envelope)

            def deed() -> AnyResponse:
                service.sign(here(), actor(), command)
                return go("roster", said="roster-signed")

            done = perform(typed, deed)
            if done is not None:
                return done
    current = service.current(here(), actor())
    signers = current.people if current is not None else proposal.people
    mine = tuple(person.key_id for person in signers if person.ref == actor().ref)
    return show("sign-roster.html", form_status(typed), proposal=proposal, current=current, form=typed, mine=mine)
