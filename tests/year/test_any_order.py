"""The same people and disks in orders nobody planned: whatever is tried works or is refused, and every rule holds after it."""

from __future__ import annotations

import contextlib
import hashlib
import os
import random
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import sqlalchemy as sa

from inventory.events import Tag
from inventory.models import Event
from inventory.services import upkeep
from tests.support.console_agent import Disk
from tests.support.databases import database_url, new_postgres, postgres_server
from tests.support.http_world import HttpWorld, problem

from .company import Company, founded
from .invariants import Watch

__all__ = ["database_url", "new_postgres", "postgres_server"]

STEPS: Final = 120
DISKS: Final = tuple(
    Disk("Seagate", "ST1000NM0033", f"Z1W0{number:04d}", 1_000_204_886_016, path=f"/dev/sd{'abcd'[number]}")
    for number in range(4)
)
TRAVELLER: Final = Disk("Seagate", "ST1000NM0033", "Z1W09999", 1_000_204_886_016, path="/dev/sde")
"""It goes the whole way before the dice fall, so that every walk has lots, samples and hand-overs behind it."""
EVENTS: Final = (
    *("retire", "retire", "quarantine", "return_to_service", "report_found", "report_found"),
    *("place_in_service", "report_missing"),
)
WALKS: Final = int(os.environ.get("WALKS", "1"))
"""How many walks on each database; with more, the dice fall differently each time."""


@pytest.fixture
def company(tmp_path: Path, database_url: str) -> Iterator[Company]:
    with founded(HttpWorld(tmp_path, database_url=database_url)) as made:
        yield made


class Walk:
    """One company, and everything anybody may try; the dice say what and who."""

    def __init__(self, company: Company, seed: int) -> None:
        self.dice = random.Random(seed)  # noqa: S311 - which step comes next is no secret
        self.company = company
        self.watch = Watch(company.world.context)
        self.agent = company.install("crm-db-01", *DISKS, TRAVELLER)
        self.numbers = {disk: company.device(disk)["id"] for disk in DISKS}
        ask = company.ask
        self.places = [
            ask("admin", "POST", "/locations", {"name": name, "zone": zone})["id"]
            for name, zone in (("Vault", "secure"), ("Hall", "controlled"), ("Ramp", "open"))
        ]
        self.vendor = ask("privacy", "POST", "/parties", {"name": "Shredder Ltd.", "kind": "vendor"})["id"]
        for name in ("CRM production", "CRM nightly backups"):
            body = {"name": name, "category": "moderate", "owner": "Care", "encryption": "none"}
            ask("privacy", "POST", "/data-sets", body)
            body = {"host": self.agent.host, "data_set": name, "path": f"/srv/{name[4:]}", "kind": "primary"}
            ask("privacy", "POST", "/paths", body)
        self.cases = 0
        self.answers: Counter[str] = Counter()

    def some(self, *choices: Any) -> Any:  # noqa: ANN401 - one of them
        """One of these."""
        return self.dice.choice(choices)

    def disk(self) -> Disk:
        """One of the disks."""
        return self.dice.choice(DISKS)

    def attempt(self, who: str, method: str, path: str, body: Any = None, *, seen: str = "") -> Any:  # noqa: ANN401 - any JSON
        """Whatever comes of it: an answer, or None for a refusal that says why. Then every rule."""
        answer = self.company.attempt(who, method, path, body, seen=seen)
        assert answer.status_code < 500, f"{who} {method} {path}: {answer.text[:800]}"
        refused = answer.status_code >= 400
        words = f"{who} {method} {path} {body}: {answer.status_code} {problem(answer)[1] if refused else ''}"
        self.answers["refused" if refused else "done"] += 1
        self.watch.look(words)
        return None if refused else answer.get_json()

    def numbered(self, path: str, who: str = "auditor") -> list[Any]:
        """The rows of a list."""
        answer = self.company.ask(who, "GET", path)
        return list(answer["items"] if isinstance(answer, dict) else answer)

    # -- what hosts see

    def observe(self) -> None:
        """The agent tells what is attached, and what lies where."""
        here = [disk for disk in DISKS if self.dice.random() < 0.8]
        beneath, backups = ({disk for disk in here if self.dice.random() < share} for share in (0.4, 0.2))
        self.agent.disks = here
        self.agent.observe(
            ("CRM production", "/srv/production", tuple(each for each in here if each in beneath), ()),
            ("CRM nightly backups", "/srv/nightly backups", tuple(each for each in here if each in backups), ()),
        )
        self.watch.look("observe")

    def time_passes(self) -> None:
        """Minutes, or a week."""
        days = self.some(0.01, 0.01, 0.5, 8)
        self.company.world.clock.advance(days=days)
        self.agent.beat()
        upkeep.run(self.company.world.context)
        self.watch.look("time")

    # -- what people do with a device

    def change(self) -> None:
        """A lifecycle event."""
        disk, event, place = self.disk(), self.some(*EVENTS), self.some(-1, -1, 0, 1, 2)
        path, who = f"/devices/{self.numbers[disk]}", self.some("custodian", "custodian", "operator", "admin")
        body = {"event": event, "reason": "As it happens.", "location": None if place < 0 else self.places[place]}
        self.attempt(who, "POST", f"{path}/events", body, seen=path)

    def move(self) -> None:
        """To another place."""
        path, place = f"/devices/{self.numbers[self.disk()]}", self.some(0, 1, 2)
        self.attempt(
            "custodian", "POST", f"{path}/move", {"location": self.places[place], "reason": "Room."}, seen=path
        )

    def release(self) -> None:
        """For good."""
        path, reuse = f"/devices/{self.numbers[self.disk()]}", self.some(True, False)
        to = self.some({"party": self.vendor}, {"location": self.places[1]})
        self.attempt(
            "custodian",
            "POST",
            f"{path}/release",
            {"destination": {**to, "reuse": reuse}, "reason": "Sold."},
            seen=path,
        )

    def undertaking(self) -> None:
        """The vendor binds itself, or has been bound."""
        valid = self.some(True, False)
        first = self.company.now() if valid else self.company.later(days=-90)
        last = self.company.later(days=40 if valid else -30)
        body = {"scope": "All media", "valid_from": first, "valid_until": last, "document_sha256": "ab" * 32}
        self.attempt("privacy", "POST", f"/parties/{self.vendor}/undertakings", body)

    # -- orders

    def order(self) -> None:
        """Somebody asks for a clear."""
        self.order_for(self.disk(), self.some("operator", "operator", "custodian"))

    def order_for(self, disk: Disk, who: str) -> None:
        """A clear of this one."""
        body = {
            "device": self.numbers[disk],
            "plan": {"method": "clear", "technique": "overwrite", "pattern_set": "zeros", "verification": "full"},
            "purpose": {"reuse": True, "leaves_control": False},
            "reason": "Decommissioned.",
        }
        self.attempt(who, "POST", "/orders", body)

    def approve(self) -> None:
        """Somebody looks at what waits."""
        who = self.some("approver-1", "approver-2", "operator")
        for each in self.numbered("/orders?state=requested"):
            if self.attempt(who, "GET", f"/orders/{each['id']}/signing") is not None:
                self.company.approve(each["id"], who)
                self.watch.look("approved")

    def run(self) -> None:
        """The agent takes what is approved."""
        ends = self.some("sanitized", "sanitized", "never began", "silent")
        lease = self.agent.offered()
        if lease is None or ends == "never began" or not self.agent.may_begin(lease):
            self.watch.look("leased at most")
            return
        self.watch.look("begun")
        if ends == "silent":
            return
        self.company.world.clock.advance(minutes=50)
        with contextlib.suppress(StopIteration):  # the disk is not in the host any more
            self.agent.hand_over(lease, self.agent.record(lease))
        self.watch.look("recorded")

    def validate(self) -> None:
        """Somebody decides about what was recorded."""
        decision, who = (
            self.some("approve", "approve", "reject", "escalate"),
            self.some("validator", "validator", "operator"),
        )
        for each in self.numbered("/orders?state=recorded"):
            path, body = f"/orders/{each['id']}", {"decision": decision, "reason": "The evidence says so."}
            self.attempt(who, "POST", f"{path}/validation", body, seen=path)

    def cancel(self) -> None:
        """The operator thinks again."""
        for each in self.numbered("/orders?state=requested")[:1]:
            path = f"/orders/{each['id']}"
            self.attempt("operator", "POST", f"{path}/cancellation", {"reason": "Not now."}, seen=path)

    def wipe(self) -> None:
        """As it should go, unless somebody falters on the way."""
        disk = self.disk()
        path = f"/devices/{self.numbers[disk]}"
        self.attempt(
            "custodian", "POST", f"{path}/events", {"event": "quarantine", "reason": "To be wiped."}, seen=path
        )
        self.agent.disks = sorted({*self.agent.disks, disk}, key=lambda each: each.path)
        self.agent.observe(
            ("CRM production", "/srv/production", (), ()), ("CRM nightly backups", "/srv/nightly backups", (), ())
        )
        self.order_for(disk, "operator")
        for step in (self.approve, self.approve, self.approve, self.run, self.validate):
            step()
            if self.dice.random() < 0.05:
                return

    # -- holds, cases, waivers, destruction

    def hold(self) -> None:
        """A court asks."""
        subject = self.some({"data_set": "CRM production"}, {"device": self.numbers[self.disk()]})
        self.attempt("privacy", "POST", "/holds", {"kind": "legal", "reference": "AZ", "reason": "Court.", **subject})

    def lift(self) -> None:
        """Every hold ends."""
        for each in self.numbered("/holds"):
            if each["lifted"] is None:
                self.attempt("privacy", "POST", f"/holds/{each['id']}/lifting", {"reason": "Over."})

    def withdraw(self) -> None:
        """A customer leaves."""
        since = self.some(None, "2020-01-01T00:00:00Z")
        self.cases += 1
        body = {
            "reference": f"customer-{self.cases}",
            "data_sets": ["CRM production", "CRM nightly backups"],
            "withdrawn": self.company.now(),
            "customer_since": since,
        }
        self.attempt("privacy", "POST", "/cases", body)

    def attest_and_close(self) -> None:
        """What people can say about rows, and whether that is enough."""
        for each in self.numbered("/cases", "privacy"):
            case = self.company.ask("privacy", "GET", f"/cases/{each['id']}")
            rows = [
                one["id"] for one in case["obligations"] if one["kind"] != "medium_sanitized" and one["closed"] is None
            ]
            if rows:
                body = {"obligations": rows, "statement": "Deleted; looked for, and not found."}
                self.attempt("privacy", "POST", f"/cases/{case['id']}/attestations", body)
            self.attempt("privacy", "POST", f"/cases/{case['id']}/closure", {"reason": "Every row is closed."})

    def waive(self) -> None:
        """Two people let one go as it is."""
        second = self.some("custodian", "privacy")
        body = {
            "device": self.numbers[self.disk()],
            "destination": "Lessor",
            "reason": "Dead, and the contract demands it back.",
            "role": "custodian",
            "expires": self.company.later(days=20),
        }
        waiver = self.attempt("custodian", "POST", "/waivers", body)
        if waiver is not None:
            role = "custodian" if second == "custodian" else "privacy_officer"
            self.attempt(second, "POST", f"/waivers/{waiver['id']}/countersignature", {"role": role})
            self.attempt("custodian", "POST", f"/waivers/{waiver['id']}/use")

    def destroy(self) -> None:
        """Three people, or two who think they are three."""
        disk, witness, judge = self.disk(), self.some("operator", "custodian"), self.some("validator", "operator")
        body = {
            "device": self.numbers[disk],
            "method": "shred",
            "machine": "Untha RS30, serviced 2026-09",
            "facility": "Own workshop",
            "performed": self.company.now(),
            "particle_size_mm": 2,
            "evidence": [hashlib.sha256(b"photograph").hexdigest()],
            "kept_elsewhere": "the camera of the workshop",
            "serial_read": disk.serial,
        }
        made = self.attempt("custodian", "POST", "/destructions", body)
        if made is not None:
            path = f"/destructions/{made['id']}"
            self.attempt(witness, "POST", f"{path}/witness", {"statement": "I saw it go in, and the pieces."})
            decided = {"decision": "approve", "reason": "Seen with my own eyes."}
            self.attempt(judge, "POST", f"{path}/decision", decided)

    # -- lots, samples, hand-overs

    def gather(self) -> None:
        """A lot of one or two, for the vendor or for ourselves; or one more in it, or one less."""
        devices = [self.numbers[disk] for disk in self.dice.sample(DISKS, self.some(1, 2))]
        known = [each["id"] for each in self.numbered("/lots") if each["state"] in {"open", "reopened"}]
        if not known or self.some(True, False, False):
            body = {"name": "As it happens", "purpose": self.some("recycling", "transfer"), "devices": devices}
            self.attempt("custodian", "POST", "/lots", {**body, "party": self.some(None, self.vendor)})
        elif self.some(True, False):
            self.attempt("custodian", "POST", f"/lots/{self.dice.choice(known)}/devices", {"devices": devices})
        else:
            body = {"device": devices[0], "reason": "Not this one."}
            self.attempt("custodian", "POST", f"/lots/{self.dice.choice(known)}/removals", body)

    def close_lot(self) -> None:
        """Frozen, its differences answered by somebody else, closed; or opened again."""
        for each in self.numbered("/lots")[:2]:
            path = f"/lots/{each['id']}"
            if each["state"] == "closed":
                if self.some(True, False, False):
                    body = {"event": "reopen", "reason": "One was forgotten."}
                    self.attempt("custodian", "POST", f"{path}/events", body, seen=path)
                continue
            self.attempt(
                "custodian", "POST", f"{path}/events", {"event": "begin_closing", "reason": "Packed."}, seen=path
            )
            if self.some(True, True, False):
                for member in self.company.ask("auditor", "GET", path)["members"]:
                    for item in self.numbered(f"/exceptions?device={member['device']}&limit=200"):
                        self.answer_exception(item)
            self.attempt("custodian", "POST", f"{path}/events", {"event": "close", "reason": "It adds up."}, seen=path)

    def answer_exception(self, item: dict[str, Any]) -> None:
        """Somebody says how it ended."""
        path, body = f"/exceptions/{item['id']}/resolution", {"resolution": "Looked at: it is as it should be."}
        headers = {"If-Match": f'"{item["version"]}"'}
        answer = self.company.world.call("POST", path, body, who=self.company.person("operator"), headers=headers)
        assert answer.status_code < 500, answer.text
        self.watch.look(f"answered {item['code']}")

    def examine(self) -> None:
        """A sample of a closed lot, and what somebody finds; not everybody asked may."""
        for each in self.numbered("/lots"):
            if each["state"] == "closed":
                self.attempt(self.some("validator", "operator"), "POST", f"/lots/{each['id']}/samples", {"percent": 50})
        for each in self.numbered("/samples?state=open"):
            path, who = f"/samples/{each['id']}", self.some("custodian", "custodian", "operator")
            for drawn in self.company.ask("auditor", "GET", path)["drawn_devices"]:
                device = f"{path}/devices/{drawn['device']}"
                body: dict[str, Any] = {"person": self.company.person(who).ref}
                self.attempt("validator", "POST", f"{device}/assignment", body, seen=path)
                finding = self.some("passed", "passed", "passed", "failed")
                body = {"finding": finding, "tool": "dd and cmp on a spare host", "evidence": ["ab" * 32]}
                self.attempt(who, "POST", f"{device}/finding", body, seen=path)

    def hand_over(self) -> None:
        """A closed lot goes to the vendor or to a place of ours; the other side counts right, counts wrong, or never answers."""
        for each in self.numbered("/lots")[:2]:
            to = self.some({"to_party": self.vendor}, {"to_location": self.places[1]}, {"to_location": self.places[2]})
            offer = {"lot": each["id"], "reuse": True, "destination": "Recycling", **to}
            made = self.attempt("custodian", "POST", "/handovers", offer)
            if made is None:
                continue
            path, count = f"/handovers/{made['id']}", made["count"] + self.some(0, 0, 1)
            if self.some(True, True, False):
                who = self.some("operator", "custodian", "privacy")
                self.attempt(who, "POST", f"{path}/answer", {"count": count}, seen=path)
            elif self.some(True, False):
                self.attempt("custodian", "POST", f"{path}/withdrawal", {"reason": "Not today."}, seen=path)

    def travel(self) -> None:
        """One disk as it should go: purged, packed, closed in its lot, examined by somebody else, collected by the vendor."""
        company, agent, ask = self.company, self.agent, self.company.ask
        nowhere = ("CRM nightly backups", "/srv/nightly backups", (), ())
        agent.observe(("CRM production", "/srv/production", (TRAVELLER,), ()), nowhere)
        agent.observe(("CRM production", "/srv/production", (), ()), nowhere)
        company.change(TRAVELLER, "quarantine", "To be wiped.")
        company.validate(company.wiped(agent, TRAVELLER, leaves=True))
        agent.disks = list(DISKS)
        agent.observe()
        company.change(TRAVELLER, "quarantine", "Pulled, under lock until it is collected.", location=self.places[0])
        dates = {"valid_from": company.now(), "valid_until": company.later(days=40)}
        body = {"scope": "All media", "document_sha256": "ab" * 32, **dates}
        ask("privacy", "POST", f"/parties/{self.vendor}/undertakings", body)
        device = company.device(TRAVELLER)["id"]
        lot = {"name": "Collection", "purpose": "recycling", "party": self.vendor, "devices": [device]}
        path = f"/lots/{ask('custodian', 'POST', '/lots', lot)['id']}"
        ask("custodian", "POST", f"{path}/events", {"event": "begin_closing", "reason": "Packed."}, seen=path)
        for item in self.numbered(f"/exceptions?device={device}&limit=200"):
            if item["state"] == "open":
                self.answer_exception(item)
        ask("custodian", "POST", f"{path}/events", {"event": "close", "reason": "It adds up."}, seen=path)
        self.watch.look("closed")
        sample = f"/samples/{ask('validator', 'POST', f'{path}/samples', {'percent': 100})['id']}"
        drawn = f"{sample}/devices/{device}"
        ask("validator", "POST", f"{drawn}/assignment", {"person": company.person("custodian").ref}, seen=sample)
        finding = {"finding": "passed", "tool": "dd and cmp on a spare host", "evidence": ["ab" * 32]}
        ask("custodian", "POST", f"{drawn}/finding", finding, seen=sample)
        self.watch.look("examined")
        offer = {"to_party": self.vendor, "lot": path.rpartition("/")[2], "reuse": True, "destination": "Recycling"}
        made = ask("custodian", "POST", "/handovers", offer)
        link = ask("custodian", "POST", f"/handovers/{made['id']}/links", {})["secret"]
        answer = {"secret": link, "receiver": "R. Shredder", "count": 1, "seals": [], "codes": []}
        assert company.world.call("POST", "/downstream/handover/answer", answer).status_code == 200
        self.watch.look("collected")
        assert company.device(TRAVELLER)["state"] == "released"

    def walk(self) -> None:
        """So many steps; what people do all day comes more often than what they do once a year."""
        often: list[Callable[[], None]] = [self.observe, self.change, self.wipe]
        seldom = [
            self.time_passes,
            self.move,
            self.release,
            self.undertaking,
            self.cancel,
            self.lift,
            self.attest_and_close,
            self.gather,
            self.close_lot,
            self.examine,
            self.hand_over,
        ]
        rarely = [self.hold, self.withdraw, self.waive, self.destroy]
        self.travel()
        for _ in range(STEPS):
            self.dice.choice(often * 6 + seldom * 2 + rarely)()


@pytest.mark.parametrize("seed", range(1, WALKS + 1))
def test_whatever_people_try_every_rule_holds(company: Company, seed: int) -> None:
    walk = Walk(company, seed)
    walk.walk()
    with company.world.context.reading() as session:
        walk.answers.update(session.scalars(sa.select(Event.tag)))
    # A walk that is refused everywhere proves nothing: this one came far.
    assert walk.answers[Tag.RECORD_ACCEPTED], walk.answers
    assert walk.answers[Tag.LOT_OPENED], walk.answers
    assert walk.answers[Tag.SAMPLE_PASSED], walk.answers
    assert walk.answers[Tag.HANDOVER_ACCEPTED], walk.answers
    assert walk.answers["done"] > STEPS / 4, walk.answers
