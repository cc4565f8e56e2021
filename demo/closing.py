"""Last part: validation, release, certificate, statement; the offline verifier; and the raw disk once more."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from . import crm
from .processes import command
from .stage import Stage, StepFailed
from .wiping import release_to
from .world import World


def validate(world: World, stage: Stage, order: str) -> None:
    """A person who neither requested nor approved decides that the result suffices."""
    with stage.step("validate", "A validator decides whether the result suffices") as step:
        done = world.session("vera").decide(
            f"/orders/{order}",
            "validation",
            {"decision": "approve", "reason": "Overwritten and read back in full; the verdict satisfies the policy."},
        )
        if done["state"] != "validated":
            raise StepFailed(f"the order is {done['state']}")
        stage.good("validated: the residue is covered, the case's obligations about this medium are closed")
        step.facts["state"] = done["state"]


def release(world: World, stage: Stage, device: str, location: str) -> None:
    """The same question again: now the gate opens."""
    with stage.step("gate-opens", "May it go to the test laboratory now? The gate opens") as step:
        world.scratch.pull()
        stage.say("the disk is pulled from the server")
        seen = world.session("carlos").get(f"/devices/{device}")
        if seen["gate_leave"]["open"]:
            raise StepFailed("the gate would let a merely cleared disk leave the company")
        released = release_to(world, device, location)
        if released["state"] != "released":
            raise StepFailed(f"the device is {released['state']}")
        stage.good(f"{device} released to the test laboratory")
        stage.refused(f"but never out of the company: {seen['gate_leave']['reasons'][0]['sentence']}")
        step.facts["state"] = released["state"]


def certify(world: World, stage: Stage, order: str, out: Path) -> str:
    """Certificate and bundle, sealed and logged."""
    with stage.step("certificate", "The certificate is issued, its evidence attached") as step:
        made = world.session("carlos").post(
            f"/orders/{order}/certificate", {"destination": "Own test laboratory, reuse"}
        )
        number = made["number"]
        for name, path in (
            ("certificate.pdf", out / "certificate.pdf"),
            ("bundle.json", out / "bundle.json"),
        ):
            path.write_bytes(world.session("carlos").raw(f"/certificates/{number}/{name}"))
            stage.good(f"{path}  [dim]{path.stat().st_size:,} bytes[/]")
        (out / "trust-root.json").write_bytes(world.service.send("GET", "/trust-root.json")[0])
        step.facts |= {"number": number, "pdf_sha256": made["pdf_sha256"], "bundle_sha256": made["bundle_sha256"]}
        return str(number)


def answer_customer(world: World, stage: Stage, case: str, out: Path) -> None:
    """Every obligation is closed by evidence: the case is closed and the customer gets a statement."""
    with stage.step("statement", "The customer gets a statement: every medium, each with its proof") as step:
        officer = world.session("petra")
        closed = officer.post(f"/cases/{case}/closure", {"reason": "Every obligation is closed by evidence."})
        if closed["state"] != "closed":
            raise StepFailed(f"the case is {closed['state']}")
        made = officer.post(f"/cases/{case}/statements")
        if not made["complete"]:
            raise StepFailed("the statement is not complete")
        path = out / "statement.pdf"
        path.write_bytes(officer.raw(f"/statements/{made['number']}/statement.pdf"))
        stage.good(f"{path}  [dim]{made['number']}, complete[/]")
        step.facts |= {"number": made["number"], "case": case}


def verify(world: World, stage: Stage, out: Path) -> dict[str, Any]:
    """The offline verifier, knowing one digest, says yes; with one byte altered it says no."""
    with stage.step("verify", "An auditor checks it all offline, with nothing but the pin") as step:
        files = [out / "certificate.pdf", out / "bundle.json", out / "statement.pdf"]
        words = ("sanitrail-verify", *map(str, files), "--pin", world.pin, "--json")
        results = json.loads(command(*words, env={}))
        for path in files:
            stage.good(f"{path.name}: genuine, and a full yes")
        altered = world.folder / "altered.pdf"
        content = bytearray(files[0].read_bytes())
        content[len(content) // 2] ^= 1
        altered.write_bytes(bytes(content))
        command("sanitrail-verify", str(altered), "--pin", world.pin, env={}, expect=(4, 5))
        stage.refused("the same certificate with one bit altered: refused")
        step.facts["files"] = [path.name for path in files]
        return {"files": results}


def look_again(world: World, stage: Stage, customer: crm.Customer) -> None:
    """The pulled disk, read past the page cache: nobody is there."""
    with stage.step("raw-disk", "And the raw disk? Nothing is left") as step:
        for needle in (customer.email, customer.name, customer.reference, "CREATE TABLE", "customers.example"):
            found = world.scratch.find(needle)
            if found:
                raise StepFailed(f"{needle!r} is still at byte {found[0][0]}")
        if not world.scratch.only_holds_one_value():
            raise StepFailed("the disk does not hold one value everywhere")
        stage.good("every byte of the pulled disk reads zero; the customer is on no disk any more")
        step.facts["bytes_read"] = world.scratch.image.stat().st_size
