"""The big red stop: halting a host or everything, and lifting it."""

from __future__ import annotations

from flask import url_for
from werkzeug.wrappers import Response as AnyResponse

from inventory.console.blueprint import Reply, form
from inventory.console.sheets import Sheet, reason
from inventory.console.web import actor, go, here, perform, posted, received, show_sheet
from inventory.domain.roles import Permission
from inventory.services import halts as service
from inventory.services import queries

_HALTED = (
    "Nothing is begun any more, and no order is handed out.",
    "A run that writes from the host ends at its next block; it goes on from there once the halt is lifted.",
    "A drive that carries out its own command cannot be halted by anybody. The host's page names it; leave its power on.",
    "An agent that cannot be reached halts when it is heard of again; until then: sanitrail-agent stop-all, at the host.",
)


@form("/hosts/<host>/halt", Permission.ORDER_STOP)
def halt_host(host: str) -> Reply:
    """Halt one host."""
    found = queries.host(here(), actor(), host)
    typed = received()
    if posted():
        why = typed.text("reason", "Say why.")

        def deed() -> AnyResponse:
            return go("host", said="host-halted", host=service.halt(here(), actor(), found.id, why).id)

        done = perform(typed, deed)
        if done is not None:
            return done
    return show_sheet(
        Sheet(
            title=f"Halt all work on {found.name}",
            submit="Halt all work",
            tone="danger",
            warning=True,
            crumbs=(("Hosts", url_for("console.hosts")), (found.name, url_for("console.host", host=found.id))),
            back=url_for("console.host", host=found.id),
            consequences=_HALTED,
            fields=(reason(),),
        ),
        typed,
    )


@form("/hosts/<host>/halt/lifting", Permission.ORDER_STOP)
def lift_host_halt(host: str) -> Reply:
    """Let a host go on."""
    found = queries.host(here(), actor(), host)
    typed = received()
    if posted():
        why = typed.text("reason", "Say why.")

        def deed() -> AnyResponse:
            return go("host", said="host-halt-lifted", host=service.lift(here(), actor(), found.id, why).id)

        done = perform(typed, deed)
        if done is not None:
            return done
    return show_sheet(
        Sheet(
            title=f"Lift the halt of {found.name}",
            submit="Lift the halt",
            crumbs=(("Hosts", url_for("console.hosts")), (found.name, url_for("console.host", host=found.id))),
            back=url_for("console.host", host=found.id),
            consequences=(
                "Runs go on from where they were halted, if their orders, holds and the host's own rules still allow it.",
                "A halt made at the host itself stays until somebody lifts it there: sanitrail-agent go-on",
            ),
            fields=(reason(),),
        ),
        typed,
    )


@form("/hosts/halt-everything", Permission.ORDER_STOP)
def halt_everything() -> Reply:
    """Halt every host one sees."""
    typed = received()
    if posted():
        why = typed.text("reason", "Say why.")

        def deed() -> AnyResponse:
            service.halt_all(here(), actor(), why)
            return go("hosts", said="host-halted")

        done = perform(typed, deed)
        if done is not None:
            return done
    return show_sheet(
        Sheet(
            title="Halt everything",
            submit="Halt every host",
            tone="danger",
            warning=True,
            lead="Every host you see and that is not halted yet. Each halt is lifted on its own host's page.",
            crumbs=(("Hosts", url_for("console.hosts")),),
            back=url_for("console.hosts"),
            consequences=_HALTED,
            fields=(reason(),),
        ),
        typed,
    )
