"""First part of the story: service, people, agent; the disk becomes known, and what lies on it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from . import crm
from .api import Session
from .people import CAST, invite, make_key, sign
from .processes import command, command_json
from .scratch import ScratchDisk
from .stage import Stage, StepFailed
from .world import World


def start_service(world: World, stage: Stage) -> None:
    """`sanitrail init`, `sanitrail serve`, and the one-time link for the first administrator."""
    with stage.step("service", "The service starts: keys, log and trust root are made") as step:
        made = command_json("sanitrail", "init", "--json", env=world.service_environment)
        world.pin = str(made["pin"])
        world.programs.start("service", "sanitrail", "serve", env=world.service_environment)
        link = world.programs.wait_for(
            "service", lambda: re.search(r"/welcome/([A-Za-z0-9_-]+)", world.programs.said("service"))
        )
        world.programs.wait_for("service", lambda: _ready(world))
        world.administrator = Session.begin(
            world.service, "/welcome", {"secret": link.group(1), "password": world.administrator_password}
        )
        step.facts |= {"address": world.service.address, "pin": world.pin}
        stage.good(f"console and API at [bold]{world.service.address}[/]")
        stage.say(f"the pin an auditor needs, and nothing else: [bold]{world.pin}[/]")


def _ready(world: World) -> bool:
    try:
        world.service.send("GET", "/readyz")
    except OSError:
        return False
    return True


def bring_people(world: World, stage: Stage) -> None:
    """Six people with six roles; two approvers make keys the service never holds; the first roster is signed by both."""
    with stage.step("people", "Six people get accounts; two approvers make keys of their own") as step:
        for person in CAST:
            invite(world.service, world.admin, person)
            stage.say(f"{person.name}, {person.title} [dim]({person.role.replace('_', ' ')})[/]")
        keys = [make_key(world.folder, world.people[login]) for login in ("ana", "ben")]
        for key in keys:
            world.admin.post(f"/approver-keys/{key}/confirmation")
        world.session("ana").post("/roster/proposals", {"key_ids": keys, "quorum": 2, "minimum_approvals": 2})
        for login in ("ana", "ben"):
            sign(world.people[login], world.service, "roster", "sign")
        roster = world.admin.get("/roster")
        if roster["state"] != "published":
            raise StepFailed(f"the roster is {roster['state']}, not published")
        step.facts |= {"people": len(CAST), "roster": roster["sha256"]}
        stage.good(f"roster {roster['version']} published, signed by both: agents believe these two and nobody else")


def make_disk(world: World, stage: Stage, size: int) -> crm.Customer:
    """A real block device with a partition table, ext4 and a CRM database with its backup beside it."""
    with stage.step("scratch-disk", "A scratch disk is made and filled with a real CRM database") as step:
        world.disk = ScratchDisk.make(world.folder, size)
        data = world.disk.mount_point
        customer = crm.build(data / "crm.sqlite")
        (data / "backup").mkdir()
        crm.dump(data / "crm.sqlite", data / "backup" / "nightly.sql")
        step.facts |= {"device": str(world.disk.device), "bytes": size, "customers": crm.CUSTOMERS}
        stage.say(f"{world.disk.device}: {size >> 20} MiB, GPT, ext4, mounted at {data}")
        stage.good(f"{crm.CUSTOMERS:,} generated customers, one dropped table, one nightly backup beside it")
        return customer


def enrol_agent(world: World, stage: Stage) -> None:
    """One-time token, fingerprint compared by a person, then the daemon."""
    with stage.step("agent", "The host's agent enrols; an administrator compares its fingerprint") as step:
        _write_rules(world)
        token = world.admin.post("/enrolment-tokens", {"note": "demonstration host"})["secret"]
        secret = world.folder / "enrolment-token"
        secret.touch(mode=0o600)
        secret.write_text(token, encoding="ascii")
        roster = world.admin.get("/roster")["sha256"]
        told = json.loads(
            command(
                *("sanitrail-agent", "enrol", "--token-file", str(secret), "--trust-root", world.pin),
                *("--roster", roster, "--json"),
                env=world.agent_environment,
                expect=(0, 5),
            )
        )
        secret.unlink()
        (host,) = world.admin.get("/hosts")["items"]
        if host["fingerprint"] != told["fingerprint"]:
            raise StepFailed("agent and service show different fingerprints")
        world.admin.post(f"/hosts/{host['id']}/confirmation", {"fingerprint": told["fingerprint"]})
        world.programs.start("agent", "sanitrail-agent", "run", env=world.agent_environment)
        step.facts |= {"host": host["id"], "fingerprint": told["fingerprint"]}
        stage.good(f"{host['name']} confirmed: {told['fingerprint'][:39]} …")
        stage.say(
            "its root-owned local rules allow Clear on this scratch disk and protect every other disk of this machine"
        )


def _write_rules(world: World) -> None:
    """The host's last word: everything but the scratch disk is never touched."""
    others = sorted(
        f"/dev/{path.name}" for path in Path("/sys/block").iterdir() if path.name != world.scratch.device.name
    )
    lines = ['allowed_methods = ["clear"]', "max_devices_per_hour = 4", "minimum_approvals = 2"]
    for path in others:
        lines += ["[[never_touch]]", f'path = "{path}"', 'reason = "not the scratch disk of the demonstration"']
    rules = world.folder / "local-rules.toml"
    rules.write_text("\n".join(lines) + "\n", encoding="ascii")
    rules.chmod(0o644)


def register_disk(world: World, stage: Stage) -> dict[str, Any]:
    """The agent reports the disk; a custodian gives it an asset tag and a place."""
    with stage.step("register", "The disk is registered: seen by the agent, adopted by the custodian") as step:
        node = str(world.scratch.device)
        found = world.programs.wait_for("agent", lambda: _seen_at(world, node))
        place = world.admin.post("/locations", {"name": "Server room 1", "zone": "secure"})
        custodian = world.session("carlos")
        custodian.decide(
            f"/devices/{found['id']}", "adoption", {"asset_tag": "CRM-000417", "source": "CRM database server"}
        )
        custodian.decide(
            f"/devices/{found['id']}", "move", {"location": place["id"], "reason": "Installed in the server room."}
        )
        device: dict[str, Any] = custodian.get(f"/devices/{found['id']}")
        step.facts |= {"device": device["id"], "fingerprint": device["fingerprint"], "asset_tag": device["asset_tag"]}
        stage.good(f"{device['id']}, asset tag {device['asset_tag']}: {device['label']}")
        stage.say(f"fingerprint [dim]{device['fingerprint']}[/]")
        for obstacle in device["attachments"][0]["obstacles"]:
            stage.say(f"[dim]the agent would not touch it now:[/] {obstacle['sentence']}")
        return device


def _seen_at(world: World, node: str) -> dict[str, Any] | None:
    for row in world.session("carlos").get("/devices?limit=200")["items"]:
        if row["path"] == node and row["fingerprint"]:
            return dict(row)
    return None


def map_data(world: World, stage: Stage, device: str) -> None:
    """The privacy officer says which paths hold which data; the agent follows them down to the physical disk."""
    with stage.step("lineage", "Where does the CRM data lie? The agent follows the paths down to the disk") as step:
        officer = world.session("petra")
        (host,) = officer.get("/hosts")["items"]
        root = world.scratch.mount_point
        for name, kind, path in (
            ("CRM production", "primary", root / "crm.sqlite"),
            ("CRM nightly backups", "backup", root / "backup"),
        ):
            officer.post(
                "/data-sets",
                {"name": name, "category": "moderate", "owner": "Customer care", "encryption": "none"},
            )
            officer.post("/paths", {"host": host["id"], "data_set": name, "path": str(path), "kind": kind})
        holdings = world.programs.wait_for("agent", lambda: _holdings(world, device))
        for holding in holdings:
            stage.good(
                f"{holding['data_set_name']} [dim]({holding['kind']}, {holding['category']})[/]  {holding['path']} → {device}"
            )
        step.facts["holdings"] = [holding["id"] for holding in holdings]


def _holdings(world: World, device: str) -> list[dict[str, Any]] | None:
    found = [dict(row) for row in world.session("petra").get(f"/holdings?device={device}")["items"]]
    return found if len(found) == 2 else None
