"""The same act on many rows of a list: chosen there, rehearsed and shown line by line, then done as it was looked at."""

from __future__ import annotations

from flask import request, url_for
from werkzeug.wrappers import Response as AnyResponse

from inventory.console.blueprint import Reply, form
from inventory.console.forms import Form, Option
from inventory.console.web import actor, form_status, go, here, perform, posted, received, show
from inventory.domain.roles import Permission
from inventory.services import lists, many
from inventory.services.views.acts import ActLineView, ActView

from ._chosen import chosen, seal, unchanged
from ._people import somebody


def _seal(command: many.ActOnMany, lines: tuple[ActLineView, ...]) -> str:
    told = [(line.number, line.code, line.sentence) for line in lines]
    return seal(told, (command.list, command.act, command.reason, command.owner, str(command.day)))


@form("/lists/<name>/selected", Permission.READ)
def selected(name: str) -> Reply:
    """What shall happen to the rows chosen; first what it would mean for each."""
    one = lists.listed(name)
    acts = many.acts_of(actor(), name)
    ticked = tuple(request.values.getlist("row"))
    rows, more = chosen(name, ticked, many.MOST) if acts else ((), False)
    typed = received()
    lines: tuple[ActLineView, ...] = ()
    command = _command(typed, name, rows, acts) if posted() and acts else None
    if command is not None:
        lines = many.act_on_many(here(), actor(), command)
        if typed.value("step") == "do":
            done = _do(typed, command, lines)
            if done is not None:
                return done
    chosen_act = next((act for act in acts if command is not None and act.name == command.act), None)
    return show(
        "many.html",
        form_status(typed),
        form=typed,
        one=one,
        rows=rows,
        more=more,
        most=many.MOST,
        lines=lines,
        passing=sum(line.code is None for line in lines),
        seal=_seal(command, lines) if command is not None else "",
        act=chosen_act,
        acts=tuple(Option(act.name, act.title, act.hint) for act in acts),
        needs={need for act in acts for need in act.needs},
        owners=somebody() if any("owner" in act.needs for act in acts) else (),
        back=url_for(f"console.{name}"),
    )


def _command(typed: Form, name: str, rows: tuple[str, ...], acts: tuple[ActView, ...]) -> many.ActOnMany | None:
    word = typed.one_of("act", [Option(act.name, act.title) for act in acts], "Choose what shall happen.")
    needs = next((act.needs for act in acts if act.name == word), ())
    why = typed.text("reason", "" if "owner" in needs else "Say why.")
    owner = typed.text("owner", "Choose who answers for them.") if "owner" in needs else None
    day = typed.day("day", "On which day is it due? Write YYYY-MM-DD.", end=True) if "day" in needs else None
    if not rows:
        typed.fail("rows", "Choose at least one row.")
    if not typed.ok:
        return None
    return many.ActOnMany(list=name, act=word, rows=rows, reason=why, owner=owner, day=day, dry_run=True)


def _do(typed: Form, command: many.ActOnMany, lines: tuple[ActLineView, ...]) -> AnyResponse | None:
    """Do it, where nothing has changed since it was looked at."""
    if not unchanged(typed, _seal(command, lines)):
        return None
    passing = tuple(line.number for line in lines if line.code is None)
    if not passing:
        typed.fail("rows", "None of them can do this.")
        return None
    deed = many.ActOnMany(
        list=command.list, act=command.act, rows=passing, reason=command.reason, owner=command.owner, day=command.day
    )

    def perform_it() -> AnyResponse:
        done = many.act_on_many(here(), actor(), deed)
        refused = any(line.code is not None for line in done)
        return go(command.list, said="many-changed-some" if refused else "many-changed")

    return perform(typed, perform_it)
