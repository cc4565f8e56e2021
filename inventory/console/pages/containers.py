"""Containers: what devices lie in, with its seals."""

from __future__ import annotations

from typing import Final

from flask import request, url_for
from werkzeug.wrappers import Response as AnyResponse

from inventory.console.blueprint import Reply, form, page
from inventory.console.formatting import sentence_case
from inventory.console.forms import Form, Option, options
from inventory.console.language.speaking import words
from inventory.console.sheets import Field, Sheet, reason
from inventory.console.views.lists import narrowed, pager
from inventory.console.web import actor, go, here, perform, posted, received, show, show_sheet
from inventory.domain.labels import codes_read
from inventory.domain.lots import ContainerKind as Kind
from inventory.domain.lots import LotEvent, next_state
from inventory.domain.roles import Permission
from inventory.services import containers as service
from inventory.services import lot_register, places
from inventory.services.views.lots import ContainerView

from .lots import devices_field, devices_typed

_KINDS: Final = options(Kind, lambda kind: "Carrying case" if kind == Kind.CASE else sentence_case(kind))


@page("/containers")
def containers_page() -> Reply:
    """Containers in use, or all."""
    every = request.args.get("all") == "yes"
    found = service.list_containers(here(), actor(), all_of_them=every, after=request.args.get("after"))
    segments = narrowed("all", (("", "In use", None), ("yes", "All", None)))
    return show(
        "containers.html", containers=found.items, segments=segments, pager=pager(found, "containers"), names=_places()
    )


def _places() -> dict[str, str]:
    return {place.id: place.name for place in places.list_locations(here(), actor())}


@page("/containers/<container>")
def container_page(container: str) -> Reply:
    """One container with what lies in it."""
    return show("container.html", box=service.container(here(), actor(), container), names=_places())


def _ours() -> tuple[Option, ...]:
    """Places that are nobody else's."""
    own = {party.id for party in places.list_parties(here(), actor()) if party.kind == "own"}
    return tuple(
        Option(place.id, f"{place.name} ({words(place.zone)})")
        for place in places.list_locations(here(), actor())
        if place.party is None or place.party in own
    )


def _open_lots() -> tuple[Option, ...]:
    found = lot_register.list_lots(here(), actor(), limit=200).items
    return tuple(
        Option(lot.id, f"{lot.id}: {lot.name}") for lot in found if next_state(lot.state, LotEvent.CHANGE) is not None
    )


@form("/containers/new", Permission.LOT_MANAGE)
def new_container() -> Reply:
    """Add a container."""
    typed = received()
    if posted():
        name = typed.text("name", "Give it a name.", limit=120)
        kind = typed.word("kind", Kind, "Choose what it is.")
        place = typed.one_of("location", _ours(), "Choose where it stands.")
        if kind is not None:
            command = service.CreateContainer(name=name, kind=kind, location=place, lot=typed.optional("lot"))

            def deed() -> AnyResponse:
                made = service.create_container(here(), actor(), command)
                return go("container", said="container-saved", container=made.id)

            done = perform(typed, deed)
            if done is not None:
                return done
    return show_sheet(
        Sheet(
            title="Add a container",
            submit="Add",
            crumbs=(("Containers", url_for("console.containers")),),
            back=url_for("console.containers"),
            fields=(
                Field(kind="text", name="name", label="Name", limit=120),
                Field(kind="select", name="kind", label="What it is", options=_KINDS, blank="Choose"),
                Field(kind="select", name="location", label="Where it stands", options=_ours(), blank="Choose"),
                Field(
                    kind="select",
                    name="lot",
                    label="Travels with lot",
                    options=_open_lots(),
                    blank="No lot",
                    required=False,
                ),
            ),
        ),
        typed,
    )


def _sheet(box: ContainerView, title: str, submit: str, fields: tuple[Field, ...], *consequences: str) -> Sheet:
    """A form about one container."""
    address = url_for("console.container", container=box.id)
    crumbs = (("Containers", url_for("console.containers")), (box.id, address))
    return Sheet(title=title, submit=submit, fields=fields, consequences=consequences, crumbs=crumbs, back=address)


def _saved(box: ContainerView) -> AnyResponse:
    return go("container", said="container-saved", container=box.id)


@form("/containers/<container>/devices", Permission.LOT_MANAGE)
def fill_container(container: str) -> Reply:
    """Put devices in."""
    box = service.container(here(), actor(), container)
    typed = received()
    if posted():
        command = service.FillContainer(container=box.id, devices=devices_typed(typed))
        done = perform(typed, lambda: _saved(service.fill(here(), actor(), command)))
        if done is not None:
            return done
    told = ("All of them go in, or none. They are then where the container is.",)
    return show_sheet(_sheet(box, f"Put devices into {box.id}", "Put in", (devices_field(),), *told), typed)


@form("/containers/<container>/remove", Permission.LOT_MANAGE)
def empty_container(container: str) -> Reply:
    """Take a device out."""
    box = service.container(here(), actor(), container)
    inside = tuple(Option(one, one) for one in box.devices)
    typed = received()
    if posted():
        device = typed.one_of("device", inside, "Choose which device.")
        why = typed.text("reason", "Say why it is taken out.")
        command = service.TakeFromContainer(container=box.id, device=device, reason=why)
        done = perform(typed, lambda: _saved(service.take(here(), actor(), command)))
        if done is not None:
            return done
    field = Field(kind="select", name="device", label="Device", options=inside, blank="Choose")
    return show_sheet(_sheet(box, f"Take a device from {box.id}", "Take out", (field, reason())), typed)


@form("/containers/<container>/seals", Permission.LOT_MANAGE)
def seal_container(container: str) -> Reply:
    """Put seals on, or write down that they were broken."""
    box = service.container(here(), actor(), container)
    typed = received() if posted() else Form.starting({"seals": "\n".join(box.seals)})
    if posted():
        seals = codes_read(typed.value("seals"))
        command = service.SealContainer(
            container=box.id, seals=seals, reason=typed.text("reason", "Say why the seals change.")
        )
        done = perform(typed, lambda: _saved(service.seal(here(), actor(), command)))
        if done is not None:
            return done
    field = Field(
        kind="area", name="seals", label="Numbers of the seals", required=False, limit=2000,
        hint="One a line, as they are on it from now on. Empty: they were broken.",
    )  # fmt: skip
    told = ("A sealed container is neither filled nor emptied.",)
    return show_sheet(_sheet(box, f"Seals of {box.id}", "Save", (field, reason()), *told), typed)


@form("/containers/<container>/move", Permission.LOT_MANAGE)
def move_container(container: str) -> Reply:
    """To another place of ours, with everything in it."""
    box = service.container(here(), actor(), container)
    typed = received()
    if posted():
        place = typed.one_of("location", _ours(), "Choose where it goes.")
        why = typed.text("reason", "Say why it is moved.")
        command = service.MoveContainer(container=box.id, location=place, reason=why)
        done = perform(typed, lambda: _saved(service.move(here(), actor(), command)))
        if done is not None:
            return done
    field = Field(kind="select", name="location", label="Where to", options=_ours(), blank="Choose")
    told = ("Every device in it moves along. Towards a less secure place the gate is asked for each.",)
    return show_sheet(_sheet(box, words("Move {container}", container=box.id), "Move", (field, reason()), *told), typed)


@form("/containers/<container>/lot", Permission.LOT_MANAGE)
def assign_container(container: str) -> Reply:
    """To a lot, or to none."""
    box = service.container(here(), actor(), container)
    typed = received() if posted() else Form.starting({"lot": box.lot or ""})
    if posted():
        why = typed.text("reason", "Say why.")
        command = service.AssignContainer(container=box.id, lot=typed.optional("lot"), reason=why)
        done = perform(typed, lambda: _saved(service.assign(here(), actor(), command)))
        if done is not None:
            return done
    field = Field(
        kind="select", name="lot", label="Travels with lot", options=_open_lots(), blank="No lot", required=False
    )
    return show_sheet(_sheet(box, words("Lot of {container}", container=box.id), "Save", (field, reason())), typed)


@form("/containers/<container>/end", Permission.LOT_MANAGE)
def end_container(container: str) -> Reply:
    """It is used no more."""
    box = service.container(here(), actor(), container)
    typed = received()
    if posted():
        why = typed.text("reason", "Say why.")
        done = perform(typed, lambda: _saved(service.end(here(), actor(), box.id, why)))
        if done is not None:
            return done
    told = ("Only an empty container is put out of use. Its history stays.",)
    return show_sheet(_sheet(box, f"Put {box.id} out of use", "Put out of use", (reason(),), *told), typed)
