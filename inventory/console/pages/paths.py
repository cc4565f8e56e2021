"""Declared paths: this host keeps this data set here."""

from __future__ import annotations

from flask import url_for
from werkzeug.wrappers import Response as AnyResponse

from inventory.console.blueprint import Reply, form
from inventory.console.formatting import sentence_case
from inventory.console.forms import Option
from inventory.console.language.speaking import words
from inventory.console.sheets import Field, Sheet, reason
from inventory.console.web import actor, go, here, perform, posted, received, show_sheet
from inventory.domain.roles import Permission
from inventory.domain.vocabulary import HoldingKind, HostState
from inventory.errors import NotFound
from inventory.services import data, path_dates, queries
from inventory.services.views import DeclaredPathView

_KINDS = tuple(Option(str(kind), sentence_case(kind)) for kind in HoldingKind)


@form("/data/<data_set>/paths/new", Permission.DATA_SET_MANAGE)
def declare_path(data_set: str) -> Reply:
    """Say where a data set lives; the host's agent follows it to the disks."""
    found = data.data_set(here(), actor(), data_set)
    hosts = tuple(
        Option(row.id, row.name)
        for row in queries.list_hosts(here(), actor(), state=HostState.CONFIRMED, limit=200).items
    )
    typed = received()
    typed.values.setdefault("kind", str(HoldingKind.PRIMARY))
    if posted():
        host = typed.one_of("host", hosts, "Choose a confirmed host.")
        path = typed.text("path", "Write the path.", limit=256)
        if path and not path.startswith("/"):
            typed.fail("path", "An absolute path, please: it begins with /.")
        kind = typed.word("kind", HoldingKind, "Choose how it lies there.")
        since = typed.day("since")
        if kind is not None:
            command = data.DeclarePath(host=host, data_set=found.id, path=path, kind=kind, since=since)

            def deed() -> AnyResponse:
                data.declare_path(here(), actor(), command)
                return go("data_set", said="path-declared", data_set=found.id)

            done = perform(typed, deed)
            if done is not None:
                return done
    return show_sheet(
        Sheet(
            title=f"Where {found.name} lives",
            submit="Declare path",
            lead="The agent follows the path through file system, volumes and RAID down to the physical disks.",
            crumbs=(
                ("Data sets", url_for("console.data_sets")),
                (found.name, url_for("console.data_set", data_set=found.id)),
            ),
            back=url_for("console.data_set", data_set=found.id),
            fields=(
                Field(kind="select", name="host", label="Host", options=hosts, blank="Choose a host"),
                Field(kind="text", name="path", label="Path", hint="Such as /srv/crm.", mono=True),
                Field(kind="choices", name="kind", label="What lies there", options=_KINDS),
                Field(
                    kind="day",
                    name="since",
                    label="Since when it has lain there",
                    hint="Media that have left the host since then count as having held it. Not known: a question.",
                    required=False,
                ),
            ),
        ),
        typed,
    )


@form("/data/<data_set>/paths/<path>/date", Permission.DATA_SET_MANAGE)
def date_path(data_set: str, path: str) -> Reply:
    """Say since when the data has lain there."""
    found = data.data_set(here(), actor(), data_set)
    view = _path(found.id, path)
    typed = received()
    if posted():
        since = typed.day("since", "Since which day? Write YYYY-MM-DD.")
        why = typed.text("reason", "Say how that is known, in at least ten characters.")
        if since is not None:
            command = path_dates.DatePath(path=view.id, since=since, reason=why)

            def deed() -> AnyResponse:
                path_dates.date_path(here(), actor(), command)
                return go("data_set", said="path-dated", data_set=found.id)

            done = perform(typed, deed)
            if done is not None:
                return done
    return show_sheet(
        Sheet(
            title=f"Since when {view.path} holds it",
            submit="Say so",
            lead=words("{data_set} on {host}", data_set=found.name, host=view.host_name),
            crumbs=(
                ("Data sets", url_for("console.data_sets")),
                (found.name, url_for("console.data_set", data_set=found.id)),
            ),
            back=url_for("console.data_set", data_set=found.id),
            consequences=(
                "Media that were in the host since then, and left before an agent followed the path, hold residue from now on.",
                "Open erasure cases gain their obligations. None of it is taken back by a later date.",
            ),
            fields=(
                Field(kind="day", name="since", label="Since"),
                reason(label="How that is known"),
            ),
        ),
        typed,
    )


def _path(data_set: str, path: str) -> DeclaredPathView:
    view = next((item for item in data.list_paths(here(), actor(), data_set=data_set) if item.id == path), None)
    if view is None:
        raise NotFound("path", path)
    return view


@form("/data/<data_set>/paths/<path>/withdraw", Permission.DATA_SET_MANAGE)
def withdraw_path(data_set: str, path: str) -> Reply:
    """The data no longer lives there."""
    found = data.data_set(here(), actor(), data_set)
    view = _path(found.id, path)
    typed = received()
    if posted():
        why = typed.text("reason", "Say what happened to the data.")

        def deed() -> AnyResponse:
            data.withdraw_path(here(), actor(), view.id, why)
            return go("data_set", said="path-withdrawn", data_set=found.id)

        done = perform(typed, deed)
        if done is not None:
            return done
    return show_sheet(
        Sheet(
            title=f"Withdraw {view.path}",
            submit="Withdraw",
            lead=words("{data_set} on {host}", data_set=found.name, host=view.host_name),
            crumbs=(
                ("Data sets", url_for("console.data_sets")),
                (found.name, url_for("console.data_set", data_set=found.id)),
            ),
            back=url_for("console.data_set", data_set=found.id),
            consequences=(
                "What the disks beneath it still carry becomes residue, and stays so until a validated record covers it.",
            ),
            fields=(reason(label="What happened to the data"),),
        ),
        typed,
    )
