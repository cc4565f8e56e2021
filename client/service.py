"""The interface in Python's words. What has no method of its own is one `call` away."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

from pydantic import BaseModel, TypeAdapter, ValidationError

from inventory.contract.v1.common import Message
from inventory.contract.v1.endpoints import PREFIX
from inventory.contract.v1.holdings import CaseOpen
from inventory.contract.v1.lifecycle import DeviceDeclare, DeviceEvent, DeviceEvents, DeviceMove
from inventory.contract.v1.organisation import SiteCreate, TeamCreate
from inventory.contract.v1.places import LocationCreate
from inventory.contract.v1.requests import OrderCreate

from .errors import Unreachable
from .proof import Proof, nobody
from .replies import (
    BatchLine,
    Case,
    Device,
    DeviceSummary,
    ExceptionEntry,
    Location,
    Order,
    OrderSummary,
    Page,
    Site,
    Team,
)
from .transport import Transport

T = TypeVar("T")
Item = TypeVar("Item", bound=BaseModel)


class Service:
    """One inventory, spoken to as one person (or agent).

    Every method raises `Refused` where the service says no (nothing has changed), `Unreachable` where no answer came.
    """

    def __init__(self, server: str, proof: Proof = nobody, *, ca_file: Path | None = None) -> None:
        self.transport = Transport(server, proof, ca_file)

    # -- everything ------------------------------------------------------------------------------------------------------

    def call(
        self,
        method: str,
        path: str,
        reply: type[T],
        body: Message | None = None,
        *,
        version: int | None = None,
        creates: bool = False,
    ) -> T:
        """Any address below `/api/v1`.

        Args:
            method: of HTTP.
            path: below the prefix: `/devices`.
            reply: what the answer is read as.
            body: a message of the contract.
            version: of the object that was read, for an update.
            creates: makes something; asked once, whatever happens to the answer.
        """
        headers = {} if version is None else {"If-Match": f'"{version}"'}
        content = None if body is None else body.model_dump_json(exclude_unset=True).encode()
        answer = self.transport.ask(method, f"{PREFIX}{path}", content, headers=headers, creates=creates)
        try:
            return TypeAdapter(reply).validate_json(answer.body or b"null")
        except ValidationError as error:
            changed = "no" if method == "GET" else "maybe"
            raise Unreachable(self.transport.server, f"an unexpected answer: {error}", changed=changed) from error

    def file(self, path: str) -> bytes:
        """A PDF, bundle or other file below `/api/v1`."""
        return self.transport.ask("GET", f"{PREFIX}{path}", headers={"Accept": "*/*"}).body

    def every(self, path: str, item: type[Item], **where: Any) -> Iterator[Item]:  # noqa: ANN401 - filters of every type
        """Every row of a list, page after page. Rows that come in meanwhile move nothing."""
        after: str | None = None
        while True:
            page = self.call("GET", f"{path}{_query({**where, 'after': after, 'limit': 200})}", Page[item])  # type: ignore[valid-type]  # pydantic makes the class
            yield from page.items
            after = page.next
            if after is None:
                return

    # -- devices ---------------------------------------------------------------------------------------------------------

    def devices(self, **where: Any) -> Iterator[DeviceSummary]:  # noqa: ANN401 - filters of every type
        """Devices, by number; filters as the list has them: state, text, host, location, data_set, ..."""
        return self.every("/devices", DeviceSummary, **where)

    def device(self, reference: str) -> Device:
        """By number, asset tag or fingerprint."""
        return self.call("GET", f"/devices/{_part(reference)}", Device)

    def declare(self, device: DeviceDeclare) -> Device:
        """Declare a device."""
        return self.call("POST", "/devices", Device, device, creates=True)

    def move(self, device: Device, to: DeviceMove) -> Device:
        """To another location; refused where somebody changed the device since it was read."""
        return self.call("POST", f"/devices/{_part(device.id)}/move", Device, to, version=device.version)

    def change_state(self, device: Device, event: DeviceEvent) -> Device:
        """One event of the lifecycle; refused where somebody changed the device since it was read."""
        return self.call("POST", f"/devices/{_part(device.id)}/events", Device, event, version=device.version)

    def change_states(self, events: DeviceEvents) -> tuple[BatchLine, ...]:
        """One event for many devices, each by itself."""
        return self.call("POST", "/device-events", tuple[BatchLine, ...], events, creates=True)

    # -- orders ----------------------------------------------------------------------------------------------------------

    def orders(self, **where: Any) -> Iterator[OrderSummary]:  # noqa: ANN401 - filters of every type
        """Orders, newest first."""
        return self.every("/orders", OrderSummary, **where)

    def order(self, number: str) -> Order:
        """One order."""
        return self.call("GET", f"/orders/{_part(number)}", Order)

    def request_order(self, order: OrderCreate) -> Order:
        """Request an order; people approve it with their own keys."""
        return self.call("POST", "/orders", Order, order, creates=True)

    def certificate_pdf(self, number: str) -> bytes:
        """A certificate's sealed PDF."""
        return self.file(f"/certificates/{_part(number)}/certificate.pdf")

    # -- cases, exceptions, places -----------------------------------------------------------------------------------------

    def cases(self, **where: Any) -> Iterator[Case]:  # noqa: ANN401 - filters of every type
        """Erasure cases, newest first."""
        return self.every("/cases", Case, **where)

    def open_case(self, case: CaseOpen) -> Case:
        """Open a case for a withdrawal."""
        return self.call("POST", "/cases", Case, case, creates=True)

    def exceptions(self, **where: Any) -> Iterator[ExceptionEntry]:  # noqa: ANN401 - filters of every type
        """Open exceptions, critical ones first."""
        return self.every("/exceptions", ExceptionEntry, **where)

    def locations(self) -> tuple[Location, ...]:
        """Every location one sees."""
        return self.call("GET", "/locations", tuple[Location, ...])

    def add_location(self, location: LocationCreate) -> Location:
        """Add a location."""
        return self.call("POST", "/locations", Location, location, creates=True)

    def sites(self) -> tuple[Site, ...]:
        """Every site one sees."""
        return self.call("GET", "/sites", tuple[Site, ...])

    def add_site(self, site: SiteCreate) -> Site:
        """Add a site."""
        return self.call("POST", "/sites", Site, site, creates=True)

    def teams(self) -> tuple[Team, ...]:
        """Every team one sees."""
        return self.call("GET", "/teams", tuple[Team, ...])

    def add_team(self, team: TeamCreate) -> Team:
        """Add a team."""
        return self.call("POST", "/teams", Team, team, creates=True)


def _part(text: str) -> str:
    return quote(text, safe="")


def _query(where: Mapping[str, Any]) -> str:
    given = {name: _plain(value) for name, value in where.items() if value is not None}
    return f"?{urlencode(given, doseq=True)}" if given else ""


def _plain(value: Any) -> Any:  # noqa: ANN401 - a filter's value
    return str(value).lower() if isinstance(value, bool) else value
