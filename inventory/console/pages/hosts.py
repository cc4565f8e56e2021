"""Hosts and their agents: the list, enrolment, comparing fingerprints, revocation."""

from __future__ import annotations

from datetime import timedelta

from flask import url_for
from werkzeug.wrappers import Response as AnyResponse

from inventory.console.blueprint import Reply, act, form, page
from inventory.console.forms import Option
from inventory.console.sheets import Field, Sheet, reason
from inventory.console.web import actor, form_status, go, here, one_view, perform, posted, received, show, show_sheet
from inventory.domain.roles import Permission
from inventory.domain.vocabulary import HostState
from inventory.services import data, queries, transparency
from inventory.services import hosts as service
from inventory.services import roster as rosters
from inventory.services.queries.devices import DeviceFilter

_LIFETIMES = (Option("1", "1 hour"), Option("24", "1 day"), Option("168", "1 week"))


@page("/hosts/<host>")
@one_view
def host(host: str) -> Reply:
    """One host: its agent, its disks, its paths."""
    found = queries.host(here(), actor(), host)
    devices = queries.list_devices(here(), actor(), DeviceFilter(host=found.id), limit=100)
    exceptions = queries.list_exceptions(here(), actor(), host=found.id, limit=20)
    return show(
        "host.html",
        host=found,
        devices=devices.items,
        paths=data.list_paths(here(), actor(), host=found.id),
        exceptions=exceptions.items,
    )


@form("/hosts/enrol", Permission.HOST_MANAGE)
def enrol_host() -> Reply:
    """Make a one-time token; it is shown by this very answer and never again."""
    typed = received()
    if posted():
        hours = typed.one_of("hours", _LIFETIMES, "Choose how long the token is good for.")
        note = typed.text("note", limit=200)
        if typed.ok:
            command = service.CreateEnrolmentToken(note=note, lifetime=timedelta(hours=int(hours)))
            token = service.create_enrolment_token(here(), actor(), command)
            roster = rosters.current(here(), actor())
            return show(
                "enrol.html", token=token, address=here().settings.external_url, pin=transparency.trust(here()).pin,
                roster=None if roster is None else roster.sha256,
            )  # fmt: skip
    typed.values.setdefault("hours", "24")
    return show_sheet(
        Sheet(
            title="Enrol a host",
            submit="Make a one-time token",
            lead="A token lets one new agent introduce itself. It may do nothing until you have compared its fingerprint.",
            crumbs=(("Hosts", url_for("console.hosts")),),
            back=url_for("console.hosts"),
            fields=(
                Field(
                    kind="text",
                    name="note",
                    label="What for",
                    hint="For your own list, such as the rack.",
                    required=False,
                ),
                Field(kind="choices", name="hours", label="Good for", options=_LIFETIMES),
            ),
        ),
        typed,
    )


@form("/hosts/<host>/confirm", Permission.HOST_MANAGE)
def confirm_host(host: str) -> Reply:
    """Compare the fingerprint on the host's own screen with what came in."""
    found = queries.host(here(), actor(), host)
    typed = received()
    if found.state is not HostState.PENDING and not posted():
        return go("host", host=found.id)  # which shows what was decided
    if posted():
        fingerprint = typed.digest("fingerprint", "Type or paste the 64 hexadecimal digits from the host's own screen.")
        if fingerprint is not None:
            done = perform(
                typed,
                lambda: go(
                    "host", said="host-confirmed", host=service.confirm(here(), actor(), found.id, fingerprint).id
                ),
            )
            if done is not None:
                return done
    return show("confirm-host.html", form_status(typed), host=found, form=typed)


@act("/hosts/<host>/reject", Permission.HOST_MANAGE)
def reject_host(host: str) -> Reply:
    """Turn an agent away."""
    found = queries.host(here(), actor(), host)
    typed = received()
    why = typed.text("reason", "Say why it is turned away.")
    done = perform(
        typed, lambda: go("host", said="host-rejected", host=service.reject(here(), actor(), found.id, why).id)
    )
    return done or show("confirm-host.html", form_status(typed), host=found, form=typed)


@form("/hosts/<host>/revoke", Permission.HOST_MANAGE)
def revoke_host(host: str) -> Reply:
    """The agent's key counts no more."""
    found = queries.host(here(), actor(), host)
    typed = received()
    if posted():
        below = typed.number("valid_below", "", low=0, high=2**53)
        command = service.RevokeHost(host=found.id, reason=typed.text("reason", "Say why."), valid_below=below)

        def deed() -> AnyResponse:
            return go("host", said="host-revoked", host=service.revoke(here(), actor(), command).id)

        done = perform(typed, deed)
        if done is not None:
            return done
    return show_sheet(_revocation(found.id, found.name), typed)


def _revocation(host_id: str, name: str) -> Sheet:
    return Sheet(
        title=f"Revoke the key of {name}",
        submit="Revoke the key",
        tone="danger",
        warning=True,
        crumbs=(("Hosts", url_for("console.hosts")), (name, url_for("console.host", host=host_id))),
        back=url_for("console.host", host=host_id),
        consequences=(
            "A signed key event enters the log; it cannot be taken back.",
            "Its leases end and its open orders are cancelled.",
            "To work again, the host enrols anew with a new key.",
        ),
        fields=(
            Field(
                kind="number",
                name="valid_below",
                label="Records stay valid below log index",
                hint="Empty: everything logged so far was honest. A key stolen earlier: the first index that does not count.",
                required=False,
            ),
            reason(),
        ),
    )
