"""Devices by people: declared, moved, released through the gate, destroyed under witness, waived by two."""

from __future__ import annotations

import copy
from datetime import timedelta
from typing import Any

import pytest

from inventory.domain.policy import default_document
from inventory.domain.vocabulary import Category, DeviceState, HoldingState, PartyKind, ValidationDecision, Zone
from inventory.errors import (
    Conflict,
    Duplicate,
    Forbidden,
    GateClosed,
    Held,
    IllegalTransition,
    Invalid,
    NotFound,
    SeparationOfDuty,
    StaleVersion,
)
from inventory.models import Destruction
from inventory.services import (
    data,
    destruction,
    devices,
    disposal,
    evidence_files,
    exceptions,
    holds,
    places,
    policies,
    queries,
    waivers,
)
from inventory.services._destroyed import stored_facts
from inventory.services.disposal import Destination
from inventory.services.queries.devices import DeviceFilter
from tests.support.inventory_world import DISK, OTHER_DISK, World


def location(world: World, name: str, zone: Zone = Zone.SECURE, party: str | None = None) -> str:
    command = places.CreateLocation(name=name, zone=zone, party=party)
    return places.create_location(world.context, world.actor("custodian"), command).id


def party(world: World, name: str, kind: PartyKind, *, bound: bool = False) -> str:
    privacy = world.actor("privacy")
    made = places.create_party(world.context, privacy, places.CreateParty(name=name, kind=kind))
    if bound:
        now = world.clock.now()
        command = places.FileUndertaking(
            party=made.id, scope="all media", valid_from=now - timedelta(days=1), valid_until=now + timedelta(days=90),
            document_sha256="a" * 64,
        )  # fmt: skip
        places.file_undertaking(world.context, privacy, command)
    return made.id


def release(world: World, destination: Destination, by: str = "custodian") -> Any:  # noqa: ANN401 - a view
    command = disposal.ReleaseDevice(device=world.device().id, destination=destination, reason="no longer needed")
    return disposal.release(world.context, world.actor(by), command)


def refused(world: World, destination: Destination) -> set[str]:
    with pytest.raises(GateClosed) as closed:
        release(world, destination)
    return {reason.code for reason in closed.value.reasons}


# -- declaring and moving ----------------------------------------------------------------------------------------------------


def test_an_asset_tag_is_unique(world: World) -> None:
    custodian = world.actor("custodian")
    devices.declare(world.context, custodian, devices.DeclareDevice(asset_tag="AT-1"))
    with pytest.raises(Duplicate):
        devices.declare(world.context, custodian, devices.DeclareDevice(asset_tag=" AT-1 "))


@pytest.mark.parametrize(
    "fields", [{"asset_tag": ""}, {"asset_tag": "x" * 65}, {"media": "paper"}, {"capacity_bytes": 0}]
)
def test_a_declaration_that_makes_no_sense_is_refused(world: World, fields: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        devices.declare(
            world.context, world.actor("custodian"), devices.DeclareDevice(**{"asset_tag": "AT-1", **fields})
        )


def test_an_observed_medium_is_bound_to_its_declaration_by_a_person(world: World) -> None:
    custodian = world.actor("custodian")
    declared = devices.declare(
        world.context, custodian, devices.DeclareDevice(asset_tag="AT-1", model="as on the label")
    )
    command = devices.AdoptDevice(device=world.device().id, declared_device=declared.id)
    bound = devices.adopt(world.context, custodian, command)
    assert (bound.id, bound.asset_tag) == (world.device().id, "AT-1")
    assert queries.device(world.context, custodian, declared.id).id == bound.id
    assert queries.device(world.context, custodian, "AT-1").id == bound.id
    listed = queries.list_devices(world.context, custodian, DeviceFilter()).items
    assert declared.id not in {row.id for row in listed}
    with pytest.raises(Conflict):
        devices.adopt(world.context, custodian, command)


def test_a_change_needs_the_version_that_was_read(world: World) -> None:
    with pytest.raises(StaleVersion):
        world.change("retire", version=world.device().version - 1)
    assert world.change("retire", version=world.device().version).state is DeviceState.RETIRED


@pytest.mark.parametrize("login", ["viewer", "approver1", "validator", "privacy", "auditor", "admin"])
def test_moving_needs_the_custodian_or_operator(world: World, login: str) -> None:
    command = devices.ChangeState(device=world.device().id, reason="because")
    with pytest.raises(Forbidden):
        devices.retire(world.context, world.actor(login), command)


def test_quarantine_means_a_secure_place_of_ours(world: World) -> None:
    with pytest.raises(Invalid):
        world.change("quarantine", location=location(world, "Hallway", Zone.OPEN))
    vault = location(world, "Vault")
    assert world.change("quarantine", location=vault).location == vault


def test_a_less_secure_place_asks_the_gate_and_says_why_not(residue: World) -> None:
    hall = location(residue, "Hallway", Zone.OPEN)
    command = devices.MoveDevice(device=residue.device().id, location=hall, reason="space")
    with pytest.raises(GateClosed) as closed:
        devices.move(residue.context, residue.actor("custodian"), command)
    assert {reason.code for reason in closed.value.reasons} == {"residue-uncovered", "no-validated-record"}
    vault = location(residue, "Vault")
    residue.change("retire", location=vault)
    residue.sanitized()
    assert devices.move(residue.context, residue.actor("custodian"), command).location == hall


def test_making_a_place_less_secure_asks_the_gate_for_everything_in_it(residue: World) -> None:
    vault = location(residue, "Vault")
    residue.change("retire", location=vault)
    command = places.ChangeLocation(location=vault, name="Vault", zone=Zone.OPEN, address="", reason="rebuilt")
    with pytest.raises(GateClosed):
        places.change_location(residue.context, residue.actor("custodian"), command)


def test_a_vendors_place_is_not_reached_by_a_mere_move(residue: World) -> None:
    residue.sanitized()
    vendor = party(residue, "Repair Ltd", PartyKind.VENDOR, bound=True)
    there = location(residue, "Their shop", Zone.SECURE, vendor)
    command = devices.MoveDevice(device=residue.device().id, location=there, reason="repair")
    with pytest.raises(GateClosed):
        devices.move(residue.context, residue.actor("custodian"), command)


# -- the gate ----------------------------------------------------------------------------------------------------------------


def test_residue_does_not_leave_and_the_attempt_is_history(residue: World) -> None:
    residue.change("retire")
    own = party(residue, "Other team", PartyKind.OWN)
    assert refused(residue, Destination(party=own)) == {"residue-uncovered", "no-validated-record"}
    assert "device.release-refused" in residue.tags(residue.device().id)
    assert residue.device().state is DeviceState.RETIRED


def test_a_sanitized_medium_passes_to_our_own_and_not_outside(residue: World) -> None:
    residue.sanitized()
    vendor = party(residue, "Broker", PartyKind.VENDOR)
    assert refused(residue, Destination(party=vendor)) == {"method-insufficient", "undertaking-missing"}
    assert refused(residue, Destination()) == {"method-insufficient", "receiver-unknown"}
    own = party(residue, "Other team", PartyKind.OWN)
    assert release(residue, Destination(party=own)).state is DeviceState.RELEASED


def test_an_undertaking_counts_only_while_it_is_valid(residue: World) -> None:
    vendor = party(residue, "Broker", PartyKind.VENDOR, bound=True)
    residue.sanitized()
    assert refused(residue, Destination(party=vendor)) == {"method-insufficient"}
    residue.clock.forward(days=91)
    assert "undertaking-missing" in refused(residue, Destination(party=vendor))


def test_low_data_may_leave_only_purged(world: World) -> None:
    world.hold_data(category=Category.LOW)
    world.unmount()
    world.sanitized()
    vendor = party(world, "Broker", PartyKind.VENDOR, bound=True)
    assert refused(world, Destination(party=vendor)) == {"method-insufficient"}


def test_a_hold_closes_the_gate(residue: World) -> None:
    residue.sanitized()
    command = holds.PlaceHold(kind="legal", reference="file 12", reason="lawsuit", device=residue.device().id)
    holds.place_hold(residue.context, residue.actor("privacy"), command)
    own = party(residue, "Other team", PartyKind.OWN)
    assert refused(residue, Destination(party=own)) == {"held"}


def test_a_medium_put_back_into_service_must_be_sanitized_again(residue: World) -> None:
    residue.sanitized()
    residue.change("return_to_service")
    residue.change("retire")
    own = party(residue, "Other team", PartyKind.OWN)
    assert refused(residue, Destination(party=own)) == {"no-validated-record"}


def test_a_medium_never_used_may_go_back_without_a_record(world: World) -> None:
    custodian = world.actor("custodian")
    fresh = devices.declare(world.context, custodian, devices.DeclareDevice(asset_tag="AT-1"))
    command = disposal.ReleaseDevice(device=fresh.id, destination=Destination(), reason="wrong delivery")
    assert disposal.release(world.context, custodian, command).state is DeviceState.RELEASED


def test_a_failed_medium_does_not_leave(residue: World) -> None:
    residue.validate(residue.recorded().id, ValidationDecision.REJECT)
    own = party(residue, "Other team", PartyKind.OWN)
    assert "state-failed" in refused(residue, Destination(party=own))


def test_missing_is_an_incident_that_names_what_is_exposed(residue: World) -> None:
    residue.change("report_missing")
    page = queries.list_exceptions(residue.context, residue.actor("auditor"), device=residue.device().id)
    (incident,) = [item for item in page.items if item.code == "device-missing"]
    assert "CRM production (moderate, encryption unknown)" in incident.sentence
    residue.change("report_found")
    assert residue.device().state is DeviceState.QUARANTINED
    assert "device-missing" not in residue.codes(device=residue.device().id)


# -- destruction -------------------------------------------------------------------------------------------------------------


def destroyed(world: World, by: str = "operator", **changes: Any) -> str:  # noqa: ANN401 - fields of the command
    fields: dict[str, Any] = {
        "device": world.device().id, "method": "shred", "machine": "Shredder 7, calibrated 2026-10", "facility": "Wipe room",
        "performed": world.clock.now(), "evidence": ("b" * 64,), **changes,
    }  # fmt: skip
    command = destruction.RecordDestruction(**{"kept_elsewhere": "the works", **fields})
    return destruction.record_destruction(world.context, world.actor(by), command).id


def decide(world: World, number: str, by: str = "validator") -> Any:  # noqa: ANN401 - a view
    command = destruction.DecideDestruction(
        destruction=number, decision=ValidationDecision.APPROVE, reason="seen on the photographs"
    )
    return destruction.decide_destruction(world.context, world.actor(by), command)


def test_a_destruction_is_recorded_witnessed_and_decided_by_three_people(residue: World) -> None:
    residue.change("retire")
    residue.clock.forward(minutes=1)
    number = destroyed(residue)
    with pytest.raises(Conflict, match="witness"):
        decide(residue, number)
    with pytest.raises(SeparationOfDuty):
        destruction.witness_destruction(residue.context, residue.actor("operator"), number, "I saw it myself")
    destruction.witness_destruction(residue.context, residue.actor("custodian"), number, "I saw it with my eyes")
    assert residue.device().state is DeviceState.RETIRED, "nothing changes before the decision"
    assert decide(residue, number).log_index is not None
    device = residue.device()
    assert (device.state, device.holdings[0].state) == (DeviceState.DESTROYED, HoldingState.COVERED)


def test_whoever_witnessed_does_not_decide(residue: World) -> None:
    residue.change("retire")
    number = destroyed(residue)
    destruction.witness_destruction(residue.context, residue.actor("validator"), number, "I saw it with my eyes")
    with pytest.raises(SeparationOfDuty, match="witnessed"):
        decide(residue, number)
    assert decide(residue, number, by="all-hands").decision == "approve"


def test_a_destruction_nobody_saw_is_withdrawn_and_one_that_was_witnessed_is_not(residue: World) -> None:
    residue.change("retire")
    context, operator = residue.context, residue.actor("operator")
    command = destruction.RecordDestruction(
        kept_elsewhere="the works",
        device=residue.device().id, method="shred", machine="Shredder 7", facility="Hall 2",
        performed=residue.clock.now(), evidence=("ab" * 32,),
    )  # fmt: skip
    first = destruction.record_destruction(context, operator, command)
    with pytest.raises(Forbidden):
        destruction.withdraw_destruction(context, residue.actor("auditor"), first.id, "it was another disk")
    taken_back = destruction.withdraw_destruction(context, operator, first.id, "it was another disk")
    assert (taken_back.decision, taken_back.validator) == ("withdrawn", None)
    assert residue.device().state is not DeviceState.DESTROYED
    with pytest.raises(Conflict):
        destruction.withdraw_destruction(context, operator, first.id, "it was another disk")
    second = destruction.record_destruction(context, operator, command)
    destruction.witness_destruction(context, residue.actor("custodian"), second.id, "I stood beside the machine.")
    with pytest.raises(Conflict, match="validator"):
        destruction.withdraw_destruction(context, operator, second.id, "it was another disk")


def test_both_weights_are_signed_and_printed_and_never_more_comes_out_than_went_in(residue: World) -> None:
    residue.change("retire")
    for before, after in ((700, None), (None, 700), (700, 701), (0, 0)):
        with pytest.raises(Invalid):
            destroyed(residue, weight_in_grams=before, weight_out_grams=after)
    number = destroyed(residue, weight_in_grams=702, weight_out_grams=700, note="In two runs.")
    with residue.context.reading() as session:
        facts = stored_facts(session.get_one(Destruction, number))
    assert facts is not None
    assert "In two runs. Weighed 702 g before and 700 g after; 2 g are not in what was weighed after." in facts.note


def test_each_photograph_is_here_or_it_is_said_and_printed_where_it_is(residue: World) -> None:
    residue.change("retire")
    with pytest.raises(Invalid, match="keep it first, or say where"):
        destroyed(residue, kept_elsewhere="")
    picture = b"\x89PNG\r\n\x1a\nthe pieces"
    keeping = evidence_files.KeepFile(device=residue.device().id, content=picture, note="pieces")
    kept = evidence_files.keep(residue.context, residue.actor("operator"), keeping).sha256
    here = destroyed(residue, kept_elsewhere="", evidence=(kept,))
    destruction.withdraw_destruction(residue.context, residue.actor("operator"), here, "recorded once more")
    number = destroyed(residue, evidence=(kept, "b" * 64), note="In two runs.")
    with residue.context.reading() as session:
        facts = stored_facts(session.get_one(Destruction, number))
    assert facts is not None
    assert (
        facts.note
        == "In two runs. One of the 2 files named here is kept elsewhere, not among the issuer's files, at the works."
    )


@pytest.mark.parametrize(
    "changes", [{"method": "hammer"}, {"evidence": ()}, {"evidence": ("photo",)}, {"particle_size_mm": 0}]
)
def test_a_destruction_without_evidence_or_sense_is_refused(residue: World, changes: dict[str, Any]) -> None:
    residue.change("retire")
    with pytest.raises(Invalid):
        destroyed(residue, **changes)


def test_a_device_in_use_or_held_is_not_destroyed(residue: World) -> None:
    with pytest.raises(IllegalTransition):
        destroyed(residue)
    residue.change("retire")
    command = holds.PlaceHold(kind="legal", reference="f", reason="r r r", device=residue.device().id)
    holds.place_hold(residue.context, residue.actor("privacy"), command)
    with pytest.raises(Held):
        destroyed(residue)


# -- waivers -----------------------------------------------------------------------------------------------------------------


def waiver(world: World, **changes: Any) -> str:  # noqa: ANN401 - fields of the command
    fields: dict[str, Any] = {
        "device": world.device().id, "destination": "Lessor", "reason": "dead electronics, lease ends", "role": "custodian",
        "expires": world.clock.now() + timedelta(days=7), **changes,
    }  # fmt: skip
    return waivers.open_waiver(world.context, world.actor("custodian"), waivers.OpenWaiver(**fields)).id


def test_only_two_people_of_different_roles_let_an_unsanitized_medium_go(residue: World) -> None:
    residue.change("retire")
    number = waiver(residue)
    with pytest.raises(Conflict, match="second signature"):
        waivers.return_by_waiver(residue.context, residue.actor("custodian"), number)
    with pytest.raises(SeparationOfDuty):
        waivers.countersign_waiver(residue.context, residue.actor("custodian"), number, "custodian")
    waivers.countersign_waiver(residue.context, residue.actor("privacy"), number, "privacy_officer")
    gone = waivers.return_by_waiver(residue.context, residue.actor("custodian"), number)
    assert gone.state is DeviceState.RETURNED_UNSANITIZED_BY_WAIVER
    assert gone.holdings[0].state is HoldingState.RESIDUE, "a waiver cleans nothing"
    assert "waiver-used" in residue.codes(device=gone.id)


def test_a_waiver_expires_and_is_used_once(residue: World) -> None:
    residue.change("retire")
    with pytest.raises(Invalid):
        waiver(residue, expires=residue.clock.now() + timedelta(days=31))
    number = waiver(residue)
    waivers.countersign_waiver(residue.context, residue.actor("privacy"), number, "privacy_officer")
    residue.clock.forward(days=8)
    with pytest.raises(Conflict, match="expired"):
        waivers.return_by_waiver(residue.context, residue.actor("custodian"), number)


# -- policies ----------------------------------------------------------------------------------------------------------------


def test_a_stricter_policy_is_previewed_and_then_in_force(residue: World) -> None:
    residue.sanitized()
    document = copy.deepcopy(default_document())
    document["methods"][6]["method"] = "purge"
    document["version"] = 2
    preview = policies.preview_policy(residue.context, residue.actor("viewer"), document)
    assert preview.devices_no_longer_sufficient == (residue.device().id,)
    assert len(preview.differences) == 1
    command = policies.ImportPolicy(document=document, reason="new rules")
    with pytest.raises(Forbidden):
        policies.import_policy(residue.context, residue.actor("operator"), command)
    assert policies.import_policy(residue.context, residue.actor("admin"), command).id == "sp-800-88:2"
    assert not residue.device().gate_reuse_inside.open, "judged by the policy in force where it goes"
    with pytest.raises(Duplicate):
        policies.import_policy(residue.context, residue.actor("admin"), command)
    old = policies.ImportPolicy(document=default_document(), reason="back")
    with pytest.raises(Invalid):
        policies.import_policy(residue.context, residue.actor("admin"), old)
    assert [row.in_force for row in policies.list_policies(residue.context, residue.actor("viewer"))] == [True, False]


def test_a_policy_below_the_flow_is_refused(world: World) -> None:
    document = copy.deepcopy(default_document())
    document["methods"][4]["method"] = "clear"
    with pytest.raises(Invalid):
        policies.preview_policy(world.context, world.actor("admin"), document)


# -- exceptions and lists ----------------------------------------------------------------------------------------------------


def test_an_exception_has_an_owner_an_end_and_comes_back_with_its_cause(world: World) -> None:
    (item,) = queries.list_exceptions(world.context, world.actor("auditor"), device=world.device().id).items
    custodian = world.actor("custodian")
    assert exceptions.assign(world.context, custodian, item.id, custodian.ref).owner == custodian.ref
    with pytest.raises(Invalid):
        exceptions.resolve(world.context, custodian, exceptions.ResolveException(exception=item.id, resolution="ok"))
    command = exceptions.ResolveException(exception=item.id, resolution="it is the spare of last year")
    exceptions.resolve(world.context, custodian, command)
    assert world.codes(device=world.device().id) == set()
    with pytest.raises(Conflict):
        exceptions.resolve(world.context, custodian, command)


def test_lists_page_through_everything_once(world: World) -> None:
    custodian = world.actor("custodian")
    for number in range(7):
        devices.declare(world.context, custodian, devices.DeclareDevice(asset_tag=f"AT-{number}", serial=f"S{number}%"))
    seen: list[str] = []
    after: str | None = None
    while True:
        page = queries.list_devices(world.context, custodian, DeviceFilter(), after=after, limit=2)
        seen += [row.id for row in page.items]
        after = page.next
        if after is None:
            break
    assert seen == sorted(set(seen))
    assert len(seen) == 9
    with pytest.raises(Invalid):
        queries.list_devices(world.context, custodian, DeviceFilter(), limit=0)


def test_filters_find_what_they_say(residue: World) -> None:
    custodian = residue.actor("custodian")
    residue.change("retire")
    mine, other = residue.device().id, residue.device(OTHER_DISK).id

    def found(**where: Any) -> list[str]:  # noqa: ANN401 - fields of the filter
        return [row.id for row in queries.list_devices(residue.context, custodian, DeviceFilter(**where)).items]

    assert found(states=frozenset({DeviceState.RETIRED})) == [mine]
    assert found(with_residue=True) == [mine]
    assert found(with_residue=False) == [other]
    assert found(text=DISK.serial.lower()) == [mine]
    assert found(text="%") == []
    assert found(category=Category.MODERATE) == [mine]
    assert found(host=residue.agent.host) == [mine, other]
    assert found(data_set=residue.device().holdings[0].data_set) == [mine]
    assert found(held=True) == []


def test_the_dashboard_counts_what_is_open(residue: World) -> None:
    residue.recorded()
    board = queries.dashboard(residue.context, residue.actor("viewer"))
    assert board.devices_by_state["sanitizing"] == 1
    assert board.validations_waiting == 1
    assert board.residue_devices == 1
    assert board.log_size > 5


def test_a_device_tells_its_story(residue: World) -> None:
    residue.sanitized()
    page = queries.device_timeline(residue.context, residue.actor("viewer"), residue.device().id)
    tags = [event.tag for event in reversed(page.items)]
    story = ["device.observed", "device.attached", "holding.begun", "holding.ended", "device.retired", "order.requested", "order.approved", "order.leased", "order.started", "record.accepted", "order.approval-given", "device.sanitized", "holding.covered"]  # fmt: skip # noqa: E501
    assert set(story) <= set(tags)
    assert tags.index("device.observed") < tags.index("device.retired") < tags.index("device.sanitized")
    with pytest.raises(NotFound):
        queries.device_timeline(residue.context, residue.actor("viewer"), "D-999999")


def test_holdings_people_declare_become_residue_and_never_go(world: World) -> None:
    privacy = world.actor("privacy")
    crm = data.create_data_set(
        world.context, privacy, data.CreateDataSet(name="Backups", category=Category.LOW, owner="IT")
    )
    from inventory.domain.vocabulary import HoldingKind  # noqa: PLC0415

    command = data.DeclareHolding(
        device=world.device().id, data_set=crm.id, kind=HoldingKind.BACKUP, since=world.clock.now() - timedelta(days=9)
    )
    holding = data.declare_holding(world.context, privacy, command)
    assert data.end_holding(world.context, privacy, holding.id, "tape reused").state is HoldingState.RESIDUE
    with pytest.raises(Conflict):
        data.end_holding(world.context, privacy, holding.id, "again")
