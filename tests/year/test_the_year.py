"""One year of an organisation, told month by month through the public interface; every rule is asked after every step.

The same year on SQLite and on PostgreSQL. A step says what people did and what the service answered; what must hold whatever
people do stands in `invariants`.
"""

from __future__ import annotations

import hashlib
import io
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from inventory.services import upkeep
from reports.pack.verify import verify_pack
from tests.support.console_agent import Disk
from tests.support.databases import database_url, new_postgres, postgres_server
from tests.support.http_world import HttpWorld

from .company import Company, founded
from .invariants import Watch

__all__ = ["database_url", "new_postgres", "postgres_server"]

TERABYTE: Final = 1_000_204_886_016
FIRST = Disk("Seagate", "ST1000NM0033", "Z1W0AAAA", TERABYTE, path="/dev/sda", slot="bay 1")
SECOND = Disk("Seagate", "ST1000NM0033", "Z1W0BBBB", TERABYTE, path="/dev/sdb", slot="bay 2")
SPARE = Disk("Seagate", "ST1000NM0033", "Z1W0CCCC", TERABYTE, path="/dev/sdb", slot="bay 2")
BACKUP = Disk("HGST", "HUS722T1TALA604", "WMC6N0D1", TERABYTE, path="/dev/sdc", slot="bay 3")
LAPTOP = Disk("Toshiba", "MQ04ABF100", "Y9LEASED", TERABYTE, path="/dev/sda")
PRODUCTION, NIGHTLY = "CRM production", "CRM nightly backups"


@pytest.fixture
def company(tmp_path: Path, database_url: str) -> Iterator[Company]:
    with founded(HttpWorld(tmp_path, database_url=database_url)) as made:
        yield made


class Year:
    """What the steps tell one another."""

    def __init__(self, company: Company) -> None:
        self.company = company
        self.watch = Watch(company.world.context)
        self.known: dict[str, str] = {}

    def tell(self, *steps: Callable[[Year], None], days: float = 30 / 4) -> None:
        """Step after step, some days apart; the rules after each."""
        for step in steps:
            step(self)
            self.watch.look(step.__name__)
            self.company.world.clock.advance(days=days)
            for agent in self.company.agents.values():
                agent.beat()
            upkeep.run(self.company.world.context)

    def ask(self, *request: Any, **more: Any) -> Any:  # noqa: ANN401 - as Company.ask
        return self.company.ask(*request, **more)

    def refused(self, *request: Any, **more: Any) -> str:  # noqa: ANN401 - as Company.refused
        return self.company.refused(*request, **more)

    def path(self, disk: Disk) -> str:
        """The device's address."""
        return f"/devices/{self.company.device(disk)['id']}"

    def release(self, disk: Disk, who: str = "custodian", **destination: Any) -> dict[str, Any]:  # noqa: ANN401 - as the body
        """Through the gate."""
        body = {"destination": destination, "reason": "As planned."}
        return dict(self.ask(who, "POST", f"{self.path(disk)}/release", body, seen=self.path(disk)))


# --- spring: people, places, servers


def places_and_people(year: Year) -> None:
    for name, zone in (("Server room", "secure"), ("Wipe room", "secure"), ("Office", "open")):
        year.known[name] = year.ask("admin", "POST", "/locations", {"name": name, "zone": zone})["id"]
    vendor = year.ask("privacy", "POST", "/parties", {"name": "Shredder Ltd.", "kind": "vendor"})
    year.known["vendor"] = vendor["id"]
    assert year.refused("viewer", "POST", "/locations", {"name": "Mine", "zone": "open"}) == "forbidden"


def a_server_is_bought_and_installed(year: Year) -> None:
    company = year.company
    agent = company.install("crm-db-01", FIRST, SECOND, BACKUP)
    for number, disk in enumerate((FIRST, SECOND, BACKUP), start=1):
        path = year.path(disk)
        year.ask("custodian", "POST", f"{path}/adoption", {"asset_tag": f"CRM-{number:04d}"}, seen=path)
        body = {"location": year.known["Server room"], "reason": "Installed."}
        year.ask("custodian", "POST", f"{path}/move", body, seen=path)
    for name, category in ((PRODUCTION, "moderate"), (NIGHTLY, "moderate")):
        body = {"name": name, "category": category, "owner": "Customer care", "encryption": "none"}
        year.ask("privacy", "POST", "/data-sets", body)
    for name, path, kind in ((PRODUCTION, "/srv/crm", "primary"), (NIGHTLY, "/srv/backup", "backup")):
        body = {"host": agent.host, "data_set": name, "path": path, "kind": kind}
        year.ask("privacy", "POST", "/paths", body)
    agent.observe((PRODUCTION, "/srv/crm", (FIRST, SECOND), ()), (NIGHTLY, "/srv/backup", (BACKUP,), ()))
    assert [each["state"] for each in company.device(SECOND)["holdings"]] == ["live"]


def nothing_may_leave_that_is_in_use(year: Year) -> None:
    path = year.path(FIRST)
    body = {"destination": {"party": year.known["vendor"], "reuse": True}, "reason": "Sold."}
    assert year.refused("custodian", "POST", f"{path}/release", body, seen=path) in {
        "gate-closed",
        "illegal-transition",
    }
    body = {"location": year.known["Office"], "reason": "It is in the way."}
    assert year.refused("custodian", "POST", f"{path}/move", body, seen=path) == "gate-closed"


# --- a disk of the mirror fails and is swapped; a customer leaves


def a_disk_fails_and_is_swapped(year: Year) -> None:
    agent = year.company.agents["crm-db-01"]
    agent.disks = [FIRST, SPARE, BACKUP]
    agent.observe((PRODUCTION, "/srv/crm", (FIRST, SPARE), ()), (NIGHTLY, "/srv/backup", (BACKUP,), ()))
    assert [each["state"] for each in year.company.device(SECOND)["holdings"]] == ["residue"]
    body = {"location": year.known["Wipe room"]}
    year.company.change(SECOND, "quarantine", "Taken out of the mirror.", **body)


def a_customer_leaves(year: Year) -> None:
    body = {
        "reference": "customer-4711",
        "data_sets": [PRODUCTION, NIGHTLY],
        "withdrawn": year.company.now(),
        "customer_since": "2020-01-01T00:00:00Z",
    }
    case = year.ask("privacy", "POST", "/cases", body)
    year.known["case"] = case["id"]
    media = {each["device"] for each in case["obligations"] if each["kind"] == "medium_sanitized"}
    swapped = year.company.device(SECOND)["id"]
    assert swapped in media, "the disk that left the mirror held the customer, too"
    assert len(media) == 4
    assert year.refused("privacy", "POST", f"/cases/{case['id']}/closure", {"reason": "Done."}) == "conflict"


def rows_are_deleted_and_that_is_attested(year: Year) -> None:
    case = year.ask("privacy", "GET", f"/cases/{year.known['case']}")
    for each in case["obligations"]:
        if each["kind"] != "medium_sanitized":
            body = {"obligations": [each["id"]], "statement": "Deleted; looked for, and not found."}
            year.ask("privacy", "POST", f"/cases/{case['id']}/attestations", body)
    states = {
        each["kind"]: each["closed"] for each in year.ask("privacy", "GET", f"/cases/{case['id']}")["obligations"]
    }
    assert states["medium_sanitized"] is None, "words about rows say nothing about media"


# --- summer: the swapped disk is wiped; an investigation holds


def an_investigation_holds_the_swapped_disk(year: Year) -> None:
    device = year.company.device(SECOND)["id"]
    agent = year.company.agents["crm-db-01"]
    agent.disks = [FIRST, SPARE, BACKUP, SECOND]
    agent.observe()
    year.known["order"] = year.company.order(SECOND)["id"]
    body = {"kind": "investigation", "reference": "AZ-17", "reason": "Evidence of a break-in.", "device": device}
    year.known["hold"] = year.ask("privacy", "POST", "/holds", body)["id"]
    shown = year.company.world.call(
        "GET", f"/orders/{year.known['order']}/signing", who=year.company.person("approver-1")
    )
    if shown.status_code == 200:
        pytest.fail("an order under a hold was offered for approval")


def the_hold_is_lifted_and_the_disk_wiped(year: Year) -> None:
    company, agent = year.company, year.company.agents["crm-db-01"]
    body = {"reason": "The investigation is over."}
    year.ask("privacy", "POST", f"/holds/{year.known['hold']}/lifting", body)
    order = year.ask("auditor", "GET", f"/orders/{year.known['order']}")
    assert order["state"] == "expired", "nobody could approve it in time"
    year.known["order"] = company.order(SECOND)["id"]
    company.approve(year.known["order"])
    agent.observe()
    company.run(agent)
    path, body = f"/orders/{year.known['order']}", {"decision": "approve", "reason": "Mine."}
    assert year.refused("operator", "POST", f"{path}/validation", body, seen=path) == "forbidden"
    company.validate(year.known["order"])
    assert company.device(SECOND)["state"] == "sanitized"
    made = year.ask("custodian", "POST", f"{path}/certificate", {"destination": "Reuse inside"})
    assert made["number"].startswith("SC-")


def a_record_is_rejected(year: Year) -> None:
    company, agent = year.company, year.company.agents["crm-db-01"]
    agent.observe((PRODUCTION, "/srv/crm", (FIRST, SPARE), ()), (NIGHTLY, "/srv/backup", (), ()))
    company.change(BACKUP, "retire", "The backups moved to another site.")
    order = company.wiped(agent, BACKUP)
    company.validate(order, "reject")
    assert company.device(BACKUP)["state"] == "failed"
    assert [each["state"] for each in company.device(BACKUP)["holdings"]] == ["residue"]


# --- autumn: a vendor collects, a disk goes missing, a lease ends


def a_vendor_without_an_undertaking_gets_nothing(year: Year) -> None:
    path = year.path(SECOND)
    body = {"destination": {"party": year.known["vendor"], "reuse": True}, "reason": "Recycling."}
    assert year.refused("custodian", "POST", f"{path}/release", body, seen=path) == "gate-closed"


def the_vendor_binds_itself_and_the_disk_is_purged(year: Year) -> None:
    company, agent = year.company, year.company.agents["crm-db-01"]
    body = {
        "scope": "All media with personal data",
        "valid_from": company.now(),
        "valid_until": company.later(days=200),
        "document_sha256": hashlib.sha256(b"undertaking").hexdigest(),
    }
    year.ask("privacy", "POST", f"/parties/{year.known['vendor']}/undertakings", body)
    path = year.path(SECOND)
    answer = year.ask("custodian", "GET", path)
    assert not answer["gate_leave"]["open"], "cleared is not enough to leave the company"
    company.validate(company.wiped(agent, SECOND, leaves=True))
    assert year.ask("custodian", "GET", path)["gate_leave"]["open"]


def the_policy_changes(year: Year) -> None:
    """From now on somebody else looks again at what leaves."""
    text = year.ask("admin", "GET", "/policy.toml?following=true").decode()
    document = tomllib.loads(text)
    for row in document["rows"]:
        if row["leaves_control"] and row["method"] != "destroy":
            row["sampling_percent"] = 100
    preview = year.ask("admin", "POST", "/policies/previews", {"document": document})
    assert preview["differences"], "a change that changes nothing"
    body = {"document": document, "reason": "Decided by the board."}
    assert year.refused("operator", "POST", "/policies", body) == "forbidden"
    year.ask("admin", "POST", "/policies", body)


def a_lot_is_gathered_and_sealed(year: Year) -> None:
    device = year.company.device(SECOND)["id"]
    agent = year.company.agents["crm-db-01"]
    agent.disks = [FIRST, SPARE, BACKUP]
    agent.observe()
    asked = [each["device"] for each in year.ask("custodian", "GET", "/questions?open=true")["items"]]
    assert device in asked, "it is gone from its slot: where is it?"
    year.company.change(SECOND, "quarantine", "Pulled, under lock until it is collected.")
    body = {"name": "Autumn collection", "purpose": "recycling", "party": year.known["vendor"], "devices": [device]}
    lot = year.ask("custodian", "POST", "/lots", body)
    year.known["lot"] = lot["id"]
    body = {"name": "Box 1", "kind": "box", "location": year.known["Wipe room"], "lot": lot["id"]}
    box = f"/containers/{year.ask('custodian', 'POST', '/containers', body)['id']}"
    year.ask("custodian", "POST", f"{box}/devices", {"devices": [device]}, seen=box)
    year.ask("custodian", "PUT", f"{box}/seals", {"seals": ["S-0815"], "reason": "Packed."}, seen=box)


def the_lot_is_closed(year: Year) -> None:
    asked = [each["device"] for each in year.ask("custodian", "GET", "/questions?open=true")["items"]]
    assert year.company.device(SECOND)["id"] not in asked, "it is under lock, and that fact answers it"
    path = f"/lots/{year.known['lot']}"
    year.ask("custodian", "POST", f"{path}/events", {"event": "begin_closing", "reason": "Packed."}, seen=path)
    year.ask("custodian", "POST", f"{path}/events", {"event": "close", "reason": "Everything adds up."}, seen=path)
    assert year.ask("auditor", "GET", path)["state"] == "closed"


def examined(year: Year, finding: str) -> str:
    """A sample of the closed lot, looked at by somebody who had no part in its sanitization; the sample's state."""
    sample = year.ask("validator", "POST", f"/lots/{year.known['lot']}/samples", {"percent": 100})
    path = f"/samples/{sample['id']}"
    (drawn,) = year.ask("auditor", "GET", path)["drawn_devices"]
    device = f"{path}/devices/{drawn['device']}"
    examiner = year.company.person("custodian").ref
    assert year.company.person("operator").ref not in drawn["able"], "who asked for the wipe"
    year.ask("validator", "POST", f"{device}/assignment", {"person": examiner}, seen=path)
    body = {"finding": finding, "tool": "dd and cmp on a spare host", "evidence": ["ab" * 32]}
    year.ask("custodian", "POST", f"{device}/finding", body, seen=path)
    return str(year.ask("auditor", "GET", path)["state"])


def a_sample_fails_and_opens_the_lot_again(year: Year) -> None:
    offer = {"to_party": year.known["vendor"], "lot": year.known["lot"], "reuse": True, "destination": "Recycling"}
    assert year.refused("custodian", "POST", "/handovers", offer) == "gate-closed", "the sample is missing"
    assert examined(year, "failed") == "failed"
    assert year.ask("auditor", "GET", f"/lots/{year.known['lot']}")["state"] != "closed"
    assert year.company.device(SECOND)["state"] == "failed"


def the_disk_is_purged_again(year: Year) -> None:
    company, agent = year.company, year.company.agents["crm-db-01"]
    agent.disks = [FIRST, SPARE, BACKUP, SECOND]
    agent.observe()
    company.validate(company.wiped(agent, SECOND, leaves=True))
    agent.disks = [FIRST, SPARE, BACKUP]
    agent.observe()
    company.change(SECOND, "quarantine", "Back into its box.")
    device = company.device(SECOND)["id"]
    for each in year.ask("auditor", "GET", f"/exceptions?device={device}&limit=200")["items"]:
        if each["code"] == "record-disowned":
            body = {"resolution": "Purged anew; a new sample will tell."}
            headers = {"If-Match": f'"{each["version"]}"'}
            answer = company.world.call(
                "POST", f"/exceptions/{each['id']}/resolution", body, who=company.person("custodian"), headers=headers
            )
            assert answer.status_code == 200, answer.text


def the_sample_passes(year: Year) -> None:
    assert examined(year, "passed") == "passed"


def the_vendor_counts_wrong_and_then_collects(year: Year) -> None:
    company, vendor, lot = year.company, year.known["vendor"], year.known["lot"]
    offer = {"to_party": vendor, "lot": lot, "reuse": True, "destination": "Recycling"}
    for count, state in ((2, "disputed"), (1, "accepted")):
        made = year.ask("custodian", "POST", "/handovers", offer)
        assert company.device(SECOND)["state"] == "quarantined", "nothing has changed hands yet"
        link = year.ask("custodian", "POST", f"/handovers/{made['id']}/links", {})["secret"]
        answer = {"secret": link, "receiver": "R. Shredder", "count": count, "seals": ["S-0815"], "codes": []}
        world = company.world
        assert world.call("POST", "/downstream/handover", {"secret": link}).status_code == 200
        assert world.call("POST", "/downstream/handover/answer", answer).status_code == 200
        assert world.call("POST", "/downstream/handover/answer", answer).status_code >= 400, "once"
        assert year.ask("custodian", "GET", f"/handovers/{made['id']}")["state"] == state
    assert company.device(SECOND)["state"] == "released"


def a_disk_goes_missing(year: Year) -> None:
    company, agent = year.company, year.company.agents["crm-db-01"]
    company.change(SPARE, "report_missing", "Not in its bay at the stock-take.")
    agent.disks = [FIRST, BACKUP]
    agent.observe((PRODUCTION, "/srv/crm", (FIRST,), ()))
    assert company.device(SPARE)["state"] == "missing"
    year.company.change(SPARE, "report_found", "It lay in the drawer.", location=year.known["Wipe room"])


def a_leased_laptop_goes_back_by_waiver(year: Year) -> None:
    company = year.company
    agent = company.install("sales-07", LAPTOP)
    body = {"host": agent.host, "data_set": PRODUCTION, "path": "/home/sales/export", "kind": "cache"}
    year.ask("privacy", "POST", "/paths", body)
    agent.observe((PRODUCTION, "/home/sales/export", (LAPTOP,), ()))
    company.change(LAPTOP, "retire", "The lease ends.")
    device = company.device(LAPTOP)["id"]
    body = {
        "device": device,
        "destination": "Lessor",
        "reason": "Dead, and the contract demands it back.",
        "role": "custodian",
        "expires": year.company.later(days=20),
    }
    waiver = year.ask("custodian", "POST", "/waivers", body)
    assert year.refused("custodian", "POST", f"/waivers/{waiver['id']}/use") == "conflict", "one person is not enough"
    year.ask("privacy", "POST", f"/waivers/{waiver['id']}/countersignature", {"role": "privacy_officer"})
    year.ask("custodian", "POST", f"/waivers/{waiver['id']}/use")
    assert company.device(LAPTOP)["state"] == "returned_unsanitized_by_waiver"


def the_failed_backup_disk_is_destroyed(year: Year) -> None:
    device = year.company.device(BACKUP)["id"]
    body = {
        "device": device,
        "method": "shred",
        "machine": "Untha RS30, serviced 2026-09",
        "facility": "Own workshop",
        "performed": year.company.now(),
        "particle_size_mm": 2,
        "evidence": [hashlib.sha256(b"photograph").hexdigest()],
        "kept_elsewhere": "the camera of the workshop",
        "serial_read": BACKUP.serial,
    }
    made = year.ask("custodian", "POST", "/destructions", body)
    decided = {"decision": "approve", "reason": "Seen with my own eyes."}
    assert year.refused("validator", "POST", f"/destructions/{made['id']}/decision", decided)
    year.ask(
        "operator", "POST", f"/destructions/{made['id']}/witness", {"statement": "I saw it go in, and the pieces."}
    )
    year.ask("validator", "POST", f"/destructions/{made['id']}/decision", decided)
    assert year.company.device(BACKUP)["state"] == "destroyed"


# --- winter: an audit


def the_audit_comes(year: Year) -> None:
    year.ask("auditor", "GET", "/events?limit=200")
    case = year.ask("privacy", "GET", f"/cases/{year.known['case']}")
    open_media = {each["device"] for each in case["obligations"] if each["closed"] is None}
    assert open_media, "what is still in use is still owed, and the statement says so"
    statement = year.ask("privacy", "POST", f"/cases/{case['id']}/statements")
    assert statement["complete"] is False
    pack = year.ask(
        "auditor", "POST", "/audit-packs", {"scope": "case", "reference": case["id"], "documents": "bundles"}
    )
    content = year.ask("auditor", "GET", f"/audit-packs/{pack['number']}/pack.zip")
    pin = year.ask("auditor", "GET", "/log/trust")["pin"]
    found = verify_pack(io.BytesIO(content), pin)
    assert found.genuine, found.conclusion
    assert not found.yes, "what nobody has answered for is said there, too"


def test_a_year(company: Company) -> None:
    year = Year(company)
    year.tell(
        places_and_people,
        a_server_is_bought_and_installed,
        nothing_may_leave_that_is_in_use,
        a_disk_fails_and_is_swapped,
        a_customer_leaves,
        rows_are_deleted_and_that_is_attested,
        an_investigation_holds_the_swapped_disk,
        the_hold_is_lifted_and_the_disk_wiped,
        a_record_is_rejected,
        a_vendor_without_an_undertaking_gets_nothing,
        the_vendor_binds_itself_and_the_disk_is_purged,
        the_policy_changes,
        a_lot_is_gathered_and_sealed,
        the_lot_is_closed,
        a_sample_fails_and_opens_the_lot_again,
        the_disk_is_purged_again,
        the_lot_is_closed,
        the_sample_passes,
        the_vendor_counts_wrong_and_then_collects,
        a_disk_goes_missing,
        a_leased_laptop_goes_back_by_waiver,
        the_failed_backup_disk_is_destroyed,
        the_audit_comes,
    )
