"""A company with two places of its own, a vendor bound by an undertaking, and somebody at each end of a hand-over."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from inventory.domain.balance import ScopeKind
from inventory.domain.lots import ContainerKind, LotPurpose
from inventory.domain.roles import Role
from inventory.domain.scopes import EVERYTHING
from inventory.domain.vocabulary import PartyKind, Zone
from inventory.services import (
    containers,
    devices,
    exceptions,
    handover_offers,
    handovers,
    lot_register,
    people,
    places,
    queries,
    reconciliation,
)
from inventory.services.context import Actor
from inventory.services.views.handovers import HandoverDetail
from inventory.services.views.lots import ContainerView, LotDetail
from tests.support.inventory_world import World

DOCUMENT = "ab" * 32


@dataclass
class Travelling:
    """The world with its places, made once a module where its tests do not disturb each other."""

    world: World
    declared: int = 0

    def __post_init__(self) -> None:
        self.sender = self.world.actor("custodian")
        self.receiver = self.somebody("receiver", Role.CUSTODIAN)
        self.store = self.place("Store 1", Zone.SECURE)
        self.workshop = self.place("Workshop", Zone.SECURE)
        self.dock = self.place("Loading dock", Zone.OPEN)
        self.vendor = self.party("Shredder Ltd", PartyKind.VENDOR)
        self.works = self.place("Shredder's works", Zone.OPEN, party=self.vendor)

    @property
    def context(self) -> Any:  # noqa: ANN401 - spares every test an import
        """The open inventory."""
        return self.world.context

    def somebody(self, login: str, *roles: Role) -> Actor:
        """A further person who sees everything."""
        command = people.CreatePerson(
            login=login, name=login.title(), title="Staff", contact="", roles=frozenset(roles), everywhere=True
        )
        view, _ = people.create_person(self.context, self.world.actor("admin"), command)
        return Actor(view.ref, "person", frozenset(roles), scope=EVERYTHING)

    def place(self, name: str, zone: Zone, *, party: str | None = None) -> str:
        """A place's number."""
        command = places.CreateLocation(name=name, zone=zone, party=party)
        return places.create_location(self.context, self.sender, command).id

    def party(self, name: str, kind: PartyKind) -> str:
        """A party's number."""
        command = places.CreateParty(name=name, kind=kind)
        return places.create_party(self.context, self.world.actor("privacy"), command).id

    def undertake(self, *, days: float = 90, begins: datetime | None = None, party: str = "") -> None:
        """The vendor signs."""
        start = begins or self.world.clock.now()
        command = places.FileUndertaking(
            party=party or self.vendor,
            scope="Equal restrictions",
            valid_from=start,
            valid_until=start + timedelta(days=days),
            document_sha256=DOCUMENT,
        )
        places.file_undertaking(self.context, self.world.actor("privacy"), command)

    def unused(self, count: int = 1, *, at: str | None = None) -> tuple[str, ...]:
        """Numbers of new devices that nothing was ever written to, by number."""
        made = []
        for _ in range(count):
            self.declared += 1
            command = devices.DeclareDevice(
                asset_tag=f"AT-{self.declared}", serial=f"S/{self.declared}", location=at or self.store
            )
            made.append(devices.declare(self.context, self.sender, command).id)
        return tuple(made)

    def tag(self, device: str) -> str:
        """A device's asset tag."""
        return queries.device(self.context, self.sender, device).asset_tag or ""

    def lot(self, count: int = 1, purpose: LotPurpose = LotPurpose.TRANSFER) -> LotDetail:
        """An open lot of such devices."""
        numbers = self.unused(count)
        command = lot_register.OpenLot(name="Quarter end", purpose=purpose, devices=numbers)
        return lot_register.open_lot(self.context, self.sender, command)

    def move(self, lot: str, verb: str) -> LotDetail:
        """An event of the lot's table."""
        command = lot_register.MoveLot(lot=lot, reason="as the test says")
        found: LotDetail = getattr(lot_register, verb)(self.context, self.sender, command)
        return found

    def closed(self, count: int = 1) -> LotDetail:
        """A closed lot."""
        return self.close(self.lot(count).id)

    def close(self, lot: str) -> LotDetail:
        """Frozen, reconciled, each difference answered, closed."""
        self.move(lot, "begin_closing")
        self.answer_differences(lot)
        return self.move(lot, "close")

    def answer_differences(self, lot: str) -> None:
        """That no agent has ever seen these is what the books ask about; somebody says why."""
        command = reconciliation.DrawUp(scope=ScopeKind.LOT, reference=lot)
        reconciliation.draw_up(self.context, self.sender, command)
        for member in lot_register.lot(self.context, self.sender, lot).members:
            for item in queries.list_exceptions(self.context, self.sender, device=member.device).items:
                resolving = exceptions.ResolveException(exception=item.id, resolution="New and in its bag.")
                exceptions.resolve(self.context, self.sender, resolving)

    def box(
        self, *, lot: str | None = None, seals: tuple[str, ...] = (), devices: tuple[str, ...] = ()
    ) -> ContainerView:
        """A container at the store, filled and sealed."""
        command = containers.CreateContainer(name="Box", kind=ContainerKind.BOX, location=self.store, lot=lot)
        made = containers.create_container(self.context, self.sender, command)
        if devices:
            fill = containers.FillContainer(container=made.id, devices=devices)
            made = containers.fill(self.context, self.sender, fill)
        if seals:
            sealing = containers.SealContainer(container=made.id, seals=seals, reason="packed")
            made = containers.seal(self.context, self.sender, sealing)
        return made

    def offer(self, **fields: Any) -> HandoverDetail:  # noqa: ANN401 - fields of the command
        """An offer to the workshop, unless the fields say otherwise."""
        if "to_location" not in fields and "to_party" not in fields:
            fields["to_location"] = self.workshop
        return handover_offers.offer(self.context, self.sender, handover_offers.OfferHandover(**fields))

    def answer(self, number: str, count: int, *, by: Actor | None = None, **fields: Any) -> HandoverDetail:  # noqa: ANN401 - fields of the command
        """What the receiver counted."""
        command = handovers.AnswerHandover(count=count, **fields)
        return handovers.answer(self.context, by or self.receiver, number, command)
