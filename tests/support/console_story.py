"""A month in the life of the company: disks in every state, an order at every stage, a customer who withdrew."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import timedelta
from io import BytesIO

from inventory.contract.v1.devices import DriveCapabilities, OwnTechnique
from inventory.contract.v1.escrows import EscrowDeposit
from inventory.contract.v1.orders import PlanRequest
from inventory.domain.balance import ScopeKind
from inventory.domain.lots import LotPurpose
from inventory.domain.questions import ChangeKind
from inventory.domain.vocabulary import Category, HoldingKind, PartyKind, ValidationDecision, Zone
from inventory.services import (
    approvers,
    audit_packs,
    cases,
    certificates,
    custody,
    data,
    destruction,
    devices,
    disposal,
    evidence_files,
    holds,
    lot_register,
    lots,
    orders,
    organisation,
    places,
    processors,
    queries,
    questions,
    readings,
    reconciliation,
    roster,
    samples,
    saved_views,
    validation,
    waivers,
    webhooks,
)
from inventory.services.devices import ChangeState
from inventory.services.imports import register as imports
from reports.canonical import to_base64
from reports.keys import FileSigner
from sanitizer.techniques.ata_security import RECOVERY
from tests.support.console_agent import ConsoleAgent, Disk
from tests.support.console_books import closed_balance, missing_medium
from tests.support.console_by_hand import carried
from tests.support.console_travel import travelling
from tests.support.console_world import ConsoleWorld

PHOTOGRAPH = b"\x89PNG\r\n\x1a\nno picture, but it begins like one"
DATABASE = Disk("Seagate", "ST4000NM0035-1V4107", "ZC1A9F3T", 4_000_787_030_016, path="/dev/sdb", slot="bay 3")
MIRROR = Disk("Seagate", "ST4000NM0035-1V4107", "ZC1A9K77", 4_000_787_030_016, path="/dev/sdc", slot="bay 4")
FLASH = Disk(
    "Samsung",
    "SSD 870 EVO 1TB",
    "S6PUNX0T204318",
    1_000_204_886_016,
    media="flash",
    path="/dev/sdd",
    drive=DriveCapabilities(
        path="direct",
        standing="No sanitize operation was ever run, by the drive's account.",
        locks=("ATA security is frozen until the drive is powered off and on.",),
        hidden="Nothing is hidden: every block the drive admits to can be addressed.",
        techniques=(
            OwnTechnique(name="ata-sanitize-crypto-scramble", usable=True, reasons=(), estimate_seconds=None),
            OwnTechnique(name="ata-sanitize-block-erase", usable=True, reasons=(), estimate_seconds=120),
            OwnTechnique(
                name="ata-sanitize-overwrite",
                usable=False,
                reasons=("the drive does not have the sanitize overwrite command",),
                estimate_seconds=None,
            ),
            OwnTechnique(
                name="ata-security-erase-enhanced",
                usable=False,
                reasons=("the drive's security commands are frozen until it is powered off and on",),
                estimate_seconds=480,
            ),
        ),
    ),
)
BACKUP = Disk("WDC", "WD80EFZZ-68BTXN0", "WD-CA1RK2YL", 8_001_563_222_016, path="/dev/sde")
OLD = Disk("HGST", "HUS726020ALE614", "K5HWJ3TD", 2_000_398_934_016, path="/dev/sdf", slot="bay 7")
OLDER = Disk("HGST", "HUS726020ALE614", "K5HW2B8G", 2_000_398_934_016, path="/dev/sdg", slot="bay 8")
SPARE = Disk("Toshiba", "MG04ACA200E", "57H3K0DPF7CA", 2_000_398_934_016, path="/dev/sdb")
ROOT = Disk(
    "Intel",
    "SSDSC2KB480G8",
    "PHYF8412017P480B",
    480_103_981_056,
    media="flash",
    path="/dev/sda",
    obstacles=(
        ("system-device", "The running system is on this device."),
        ("mounted-filesystem", "/dev/sda1 is mounted on /."),
    ),
)


PATHS: tuple[tuple[str, str, tuple[Disk, ...], tuple[str, ...]], ...] = (
    ("CRM production", "/srv/crm", (DATABASE, MIRROR, OLD, OLDER), ()),
    ("CRM production", "/srv/crm-archive", (FLASH,), ()),
    ("CRM nightly backups", "/backup/crm", (BACKUP,), ()),
)
"""Data set, path, disks beneath, edges nobody could follow."""


@dataclass
class Story:
    """What there is to look at, by the number of each thing."""

    world: ConsoleWorld
    numbers: dict[str, str] = field(default_factory=dict)
    """Devices (`database`, `flash`, ...), orders (`requested`, `running`, `recorded`, `validated`), `case`, `certificate`."""
    waiting_key: str = ""
    """An approver's key that nobody has confirmed; keys belong to no site, so it is no number that one hides."""
    waiting_host: str = ""
    """A host that nobody has confirmed, and that is of no site yet."""

    def device(self, name: str) -> str:
        """A device's number."""
        return self.numbers[name]


def _places(world: ConsoleWorld) -> dict[str, str]:
    carla, petra = world.actor("carla"), world.actor("petra")
    made = {
        name: places.create_location(
            world.context, carla, places.CreateLocation(name=name, zone=zone, address=address)
        ).id
        for name, zone, address in (
            ("Data hall 2", Zone.SECURE, "12 Quay Street, Lisbon, level -1"),
            ("Wipe room", Zone.SECURE, "12 Quay Street, Lisbon, level -1"),
            ("Office store", Zone.CONTROLLED, "12 Quay Street, Lisbon, level 2"),
            ("Loading dock", Zone.OPEN, "12 Quay Street, Lisbon, yard"),
        )
    }
    vendor = places.create_party(
        world.context,
        petra,
        places.CreateParty(name="Green Loop Recycling", kind=PartyKind.VENDOR, contact="desk@greenloop.example"),
    )
    now = world.clock.now()
    undertaking = places.FileUndertaking(
        party=vendor.id,
        scope="Transport and recycling of storage media",
        valid_from=now - timedelta(days=20),
        valid_until=now + timedelta(days=345),
        document_sha256="5d" * 32,
    )
    places.file_undertaking(world.context, petra, undertaking)
    places.create_party(
        world.context,
        petra,
        places.CreateParty(name="Kestrel Leasing", kind=PartyKind.VENDOR, contact="returns@kestrel.example"),
    )
    return {**made, "recycler": vendor.id}


def _data(world: ConsoleWorld, database: ConsoleAgent) -> tuple[str, str]:
    petra = world.actor("petra")
    crm = data.create_data_set(
        world.context,
        petra,
        data.CreateDataSet(
            name="CRM production",
            category=Category.MODERATE,
            owner="Sales systems",
            retention_days=2555,
            encryption="none",
            description="Customers, contacts, consent and correspondence.",
        ),
    )
    backups = data.create_data_set(
        world.context,
        petra,
        data.CreateDataSet(
            name="CRM nightly backups",
            category=Category.MODERATE,
            owner="Infrastructure",
            retention_days=35,
            encryption="none",
        ),
    )
    for path, kind, data_set in (
        ("/srv/crm", HoldingKind.PRIMARY, crm.id),
        ("/srv/crm-archive", HoldingKind.REPLICA, crm.id),
        ("/backup/crm", HoldingKind.BACKUP, backups.id),
    ):
        data.declare_path(
            world.context, petra, data.DeclarePath(host=database.host, data_set=data_set, path=path, kind=kind)
        )
    return crm.id, backups.id


def _retire(world: ConsoleWorld, device: str, reason: str) -> None:
    devices.retire(world.context, world.actor("omar"), ChangeState(device=device, reason=reason))


def request_order(
    world: ConsoleWorld,
    device: str,
    reason: str,
    *,
    pattern: str = "keyed-stream",
    purpose: orders.Purpose | None = None,
) -> str:
    """An order by the operator; its number."""
    plan = PlanRequest(method="clear", technique="overwrite", pattern_set=pattern, verification="full")
    command = orders.CreateOrder(device=device, plan=plan, purpose=purpose or orders.Purpose(), reason=reason)
    return orders.create_order(world.context, world.actor("omar"), command).id


def deposit(world: ConsoleWorld, agent: ConsoleAgent, order: str, disk: Disk, run: str) -> str:
    """The agent gives a drive's password into custody; the custody's number."""
    secret = f"correct horse {run}".encode().ljust(32, b"\0")
    message = EscrowDeposit(
        order=order,
        run=run,
        device=disk.facts.fingerprint,
        kind="ata-user-password",
        secret=to_base64(secret),
        sha256=hashlib.sha256(secret).hexdigest(),
        recovery=RECOVERY,
    )
    return custody.deposit(world.context, agent.actor, message).id


def _beginning(world: ConsoleWorld, story: Story) -> tuple[ConsoleAgent, ConsoleAgent, str]:
    """People, roster, places, two hosts with their disks, data sets; the agents and the backups' data set."""
    world.clock.to(days=27)
    world.invite_everybody()
    world.publish_roster()
    story.numbers.update(_places(world))
    database = world.enrol("crm-db-01", [ROOT, DATABASE, MIRROR, FLASH, BACKUP, OLD, OLDER])
    second = world.enrol("wipe-03", [SPARE])
    crm, backups = _data(world, database)
    story.numbers["data_set"] = crm
    numbers = database.observe(*PATHS)
    story.numbers.update(
        {
            name: numbers[disk.facts.fingerprint]
            for name, disk in (
                ("root", ROOT),
                ("database", DATABASE),
                ("mirror", MIRROR),
                ("flash", FLASH),
                ("backup", BACKUP),
                ("old", OLD),
                ("older", OLDER),
            )
        }
    )
    story.numbers["spare"] = second.observe()[SPARE.facts.fingerprint]
    omar = world.actor("omar")
    for position, name in enumerate(("root", "database", "mirror", "flash", "backup", "old", "older")):
        adoption = devices.AdoptDevice(
            device=story.device(name), asset_tag=f"AT-{4711 + position:06d}", source="crm-db-01"
        )
        devices.adopt(world.context, omar, adoption)
    declaration = devices.DeclareDevice(
        asset_tag="AT-004730", serial="57H3K0AAF7CA", vendor="Toshiba", model="MG04ACA200E", source="spare shelf"
    )
    ines = world.actor("ines")
    command = organisation.CreateSite(name="Head office", address="1 Harbour Street")
    story.numbers["site"] = organisation.create_site(world.context, ines, command).id
    team = organisation.CreateTeam(name="CRM operations", purpose="Runs the customer database")
    story.numbers["team"] = organisation.create_team(world.context, ines, team).id
    story.numbers["declared"] = devices.declare(world.context, world.actor("carla"), declaration).id
    return database, second, backups


def tell(world: ConsoleWorld) -> Story:
    """Let it all happen; afterwards the clock is in the present."""
    database, second, backups = _beginning(world, story := Story(world))
    crm = story.numbers["data_set"]
    world.clock.to(days=12)
    database.beat()
    withdrawal = cases.OpenCase(
        reference="CUST-88213", data_sets=(crm,), withdrawn=world.clock.now() - timedelta(days=1)
    )
    story.numbers["case"] = cases.open_case(world.context, world.actor("petra"), withdrawal).id
    late = cases.OpenCase(reference="CUST-40177", data_sets=(crm,), withdrawn=world.clock.now() - timedelta(days=25))
    story.numbers["late_case"] = cases.open_case(world.context, world.actor("petra"), late).id

    # Two members leave the array: what they hold is residue from now on.
    world.clock.to(days=6)
    rest = (("CRM production", "/srv/crm", (DATABASE, MIRROR), ()), *PATHS[1:])
    database.observe(*rest)
    for name in ("old", "older"):
        _retire(world, story.device(name), "Replaced by larger members; end of support.")
    _retire(world, story.device("flash"), "End of lease on 30 November.")
    _finished(world, story, database)

    known = data.DeclareHolding(
        device=story.device("spare"),
        data_set=backups,
        kind=HoldingKind.BACKUP,
        since=world.clock.now() - timedelta(days=200),
        until=world.clock.now() - timedelta(days=30),
        reason="Found on the rotation sheet.",
    )
    story.numbers["holding"] = data.declare_holding(world.context, world.actor("petra"), known).id
    _retire(world, story.device("spare"), "Not needed any more.")
    story.numbers["recorded"] = request_order(world, story.device("spare"), "Shelf stock.", pattern="zeros")
    world.approve(story.numbers["recorded"], "ann", "ben")
    lease = second.take()
    story.numbers["locking"] = deposit(world, second, story.numbers["recorded"], SPARE, "spare")
    second.whole_run(lease, lambda: world.clock.to(days=5, hours=15))

    world.clock.to(hours=3)
    _retire(world, story.device("backup"), "The backup moved to the new library.")
    story.numbers["running"] = request_order(world, story.device("older"), "Goes back to the pool.")
    world.approve(story.numbers["running"], "ann", "ben")
    lease = database.take()
    database.begin(lease)
    world.clock.to(minutes=1)
    database.progress(lease, "executing", 0.62)
    story.numbers["custody"] = deposit(world, database, story.numbers["running"], OLDER, "running")
    story.numbers["requested"] = request_order(
        world, story.device("flash"), "Reuse in the test laboratory.", pattern="zeros"
    )
    world.approve(story.numbers["requested"], "ann")
    hold = holds.PlaceHold(
        kind="legal",
        reference="LIT-2026-044",
        reason="Preservation order of 12 November.",
        device=story.device("mirror"),
    )
    story.numbers["hold"] = holds.place_hold(world.context, world.actor("petra"), hold).id
    world.clock.to()
    database.observe(*rest)
    database.beat((story.numbers["running"],))
    second.beat()
    story.waiting_host = world.enrol("edge-11", [], confirmed=False).host
    further = approvers.RegisterKey(public_key=to_base64(FileSigner.generate("p256").public_key_der))
    story.waiting_key = approvers.register_key(world.context, world.actor("ben"), further).key_id
    _papers(world, story)
    return story


def _papers(world: ConsoleWorld, story: Story) -> None:
    """An interim statement, an open waiver, the next roster proposed."""
    petra = world.actor("petra")
    story.numbers["statement"] = cases.issue_statement(world.context, petra, story.numbers["case"]).number
    opened = waivers.OpenWaiver(
        device=story.device("backup"),
        destination="Kestrel Leasing",
        reason="The lease contract forbids opening the array.",
        role="privacy_officer",
        expires=world.clock.now() + timedelta(days=14),
    )
    story.numbers["waiver"] = waivers.open_waiver(world.context, petra, opened).id
    current = roster.current(world.context, petra)
    assert current is not None
    again = roster.ProposeRoster(
        key_ids=tuple(person.key_id for person in current.people), quorum=2, minimum_approvals=2
    )
    roster.propose(world.context, world.actor("ines"), again)
    story.numbers["path"] = data.list_paths(world.context, petra, data_set=story.numbers["data_set"])[0].id
    record = queries.order(world.context, petra, story.numbers["validated"]).record
    assert record is not None
    story.numbers["record"] = record
    _gathered(world, story)


def _gathered(world: ConsoleWorld, story: Story) -> None:
    """A lot of two disks, a statement that waits for its signature, a destruction that nobody has witnessed yet."""
    lot = lots.IssueLot(name="Rack 7, first pallet", devices=(story.device("old"), story.device("flash")))
    story.numbers["paper"] = lots.issue(world.context, world.actor("omar"), lot).number
    statement = processors.PrepareStatement(
        controller="Harbour Insurance plc",
        controller_address="1 Harbour Square, Porto",
        controller_contact="",
        agreement="DPA-2024/118",
        concluded=None,
        ended=world.clock.now() - timedelta(days=2),
        choice="delete",
        data_sets=(story.numbers["data_set"],),
        responsible=world.actor("ann").ref,
    )
    story.numbers["unsigned"] = processors.prepare(world.context, world.actor("petra"), statement).number
    done = destruction.RecordDestruction(
        kept_elsewhere="the works",
        device=story.device("old"),
        method="disintegrate",
        machine="Disintegrator X-2000, calibrated 1 September",
        facility="Green Loop, hall 3",
        performed=world.clock.now() - timedelta(hours=2),
        particle_size_mm=2,
        evidence=(hashlib.sha256(b"photograph").hexdigest(),),
        serial_read=OLD.serial,
    )
    table = BytesIO(b"Asset tag,Serial number,Model\nAT-0901,Z9901,EX-1\nAT-0902,,\nAT-0901,Z9903,EX-1\n")
    story.numbers["import"] = imports.receive(world.context, world.actor("carla"), "shelf.csv", table).id
    imports.check(world.context, world.actor("carla"), story.numbers["import"])
    story.numbers |= travelling(world, story.numbers)
    count = reconciliation.DrawUp(scope=ScopeKind.EVERYTHING)
    story.numbers["closed_balance"] = closed_balance(world)
    story.numbers["missing"] = missing_medium(world, story.numbers["data_set"])
    story.numbers["balance"] = reconciliation.draw_up(world.context, world.actor("carla"), count).id
    asked = audit_packs.RequestPack(scope="case", reference=story.numbers["case"], word="barleycorn")
    webhook = webhooks.CreateWebhook(name="Desk", url="https://desk.example.org/hook", tags=("device.*",))
    desk = webhooks.create(world.context, world.actor("ines"), webhook).webhook
    story.numbers["webhook"] = webhooks.change(world.context, world.actor("ines"), desk.id, "pause", "not yet", None).id
    story.numbers["pack"] = audit_packs.request(world.context, world.actor("petra"), asked).number
    story.numbers["destruction"] = destruction.record_destruction(world.context, world.actor("omar"), done).id


def _finished(world: ConsoleWorld, story: Story, agent: ConsoleAgent) -> None:
    """One order through to its certificate, and one whose record waits for a validator."""
    order = request_order(world, story.device("old"), "Goes back to the pool of spare disks.", pattern="zeros")
    world.approve(order, "ann", "ben")
    lease = agent.take()
    agent.whole_run(lease, lambda: world.clock.to(days=5, hours=20))
    decision = validation.Validate(
        order=order, decision=ValidationDecision.APPROVE, reason="Full read-back, nothing left, same medium afterwards."
    )
    validation.validate(world.context, world.actor("vera"), decision)
    story.numbers["validated"] = order
    issued = certificates.issue(world.context, world.actor("vera"), order, destination="Pool of spare disks, Lisbon")
    story.numbers["certificate"] = issued.number
    again = readings.RequestReading(device=story.device("old"), verification="full", reason="The auditor asks.")
    story.numbers["reading"] = readings.request_reading(world.context, world.actor("vera"), again).id
    readings.cancel_reading(world.context, world.actor("omar"), story.numbers["reading"], "The auditor was content.")
    swap = questions.AnnounceChange(device=story.device("backup"), kind=ChangeKind.WARRANTY_SWAP, reason="It clicks.")
    view = saved_views.SaveView(list="devices", name="Retired", filters="state=retired", shared=True)
    story.numbers["view"] = saved_views.save(world.context, world.actor("carla"), view).id
    story.numbers["question"] = questions.announce(world.context, world.actor("carla"), swap).id
    _sampled(world, story)
    story.numbers["returned"] = carried(world, world.agents[1])


def _sampled(world: ConsoleWorld, story: Story) -> None:
    """A closed lot of one disk, drawn from, with a photograph of it."""
    vera, carla = world.actor("vera"), world.actor("carla")
    opened = lot_register.OpenLot(name="Pool, first box", purpose=LotPurpose.STORAGE, devices=(story.device("old"),))
    lot = lot_register.open_lot(world.context, carla, opened).id
    story.numbers["sampled_lot"] = lot
    lot_register.begin_closing(world.context, carla, lot_register.MoveLot(lot=lot, reason="Counted."))
    lot_register.close(world.context, carla, lot_register.MoveLot(lot=lot, reason="Counted."))
    drawn = samples.draw_sample(world.context, vera, samples.DrawSample(lot=lot, percent=100))
    story.numbers["sample"] = drawn.id
    given = samples.AssignExaminer(sample=drawn.id, device=story.device("old"), person=carla.ref)
    samples.assign(world.context, vera, given)
    photograph = evidence_files.KeepFile(device=story.device("old"), content=PHOTOGRAPH, note="The label.")
    story.numbers["file"] = evidence_files.keep(world.context, carla, photograph).id


def release_finished(world: ConsoleWorld, story: Story) -> None:
    """The sanitized disk leaves through the gate."""
    command = disposal.ReleaseDevice(
        device=story.device("old"),
        destination=disposal.Destination(reuse=True, description="Pool of spare disks"),
        reason="Wiped and validated.",
    )
    disposal.release(world.context, world.actor("carla"), command)
