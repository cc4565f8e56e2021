"""Second part: a customer withdraws, deletion is not enough, the gate holds; order, approvals, sanitization, record."""

from __future__ import annotations

import datetime as dt
import time
from typing import Any

from . import crm
from .api import Refused
from .people import sign
from .stage import Stage, StepFailed
from .world import World

PATTERN_SET = "keyed-stream-then-zeros"
DONE = {"recorded", "validated", "rejected", "refused", "failed", "interrupted", "cancelled", "expired"}


def withdraw(world: World, stage: Stage, customer: crm.Customer) -> str:
    """The customer withdraws consent: an erasure case with one obligation for each thing each holding demands."""
    with stage.step("withdrawal", "A customer withdraws: an erasure case opens") as step:
        now = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
        case = world.session("petra").post(
            "/cases",
            {
                "reference": customer.reference,
                "data_sets": ["CRM production", "CRM nightly backups"],
                "withdrawn": now,
                "customer_since": "2019-03-01T00:00:00Z",
            },
        )
        stage.good(f"{case['id']} for customer {case['reference']}, due {case['due'][:10]}")
        for obligation in case["obligations"]:
            stage.say(
                f"[dim]owed:[/] {obligation['kind'].replace('_', ' ')} · {obligation['data_set_name']} · {obligation['device']}"
            )
        if len(case["obligations"]) != 4:
            raise StepFailed(f"{len(case['obligations'])} obligations, expected 4")
        step.facts |= {"case": case["id"], "obligations": len(case["obligations"])}
        return str(case["id"])


def delete_rows(world: World, stage: Stage, customer: crm.Customer, case: str) -> None:
    """Rows and backup are deleted, and attested. The raw device still holds the customer."""
    with stage.step("deletion", "The rows are deleted, the backup is removed. Is the customer gone?") as step:
        root = world.scratch.mount_point
        gone = crm.delete(root / "crm.sqlite", customer)
        (root / "backup" / "nightly.sql").unlink()
        officer = world.session("petra")
        for obligation in officer.get(f"/cases/{case}")["obligations"]:
            if obligation["kind"] != "medium_sanitized":
                officer.post(
                    f"/cases/{case}/attestations",
                    {
                        "obligations": [obligation["id"]],
                        "statement": "Rows deleted, the nightly dump removed; queried again, nothing is found.",
                    },
                )
        stage.say(f"{gone} row deleted; SELECT finds nothing; backup removed; both attested")
        still = world.scratch.find(customer.email)
        if not still:
            raise StepFailed("the raw device holds the customer no more: then there is nothing to show")
        stage.refused(f"the raw device still holds [bold]{customer.name}[/]:")
        stage.quote([f"{offset:>12,}  {text}" for offset, text in still])
        step.facts |= {"rows_deleted": gone, "still_found_at": [offset for offset, _ in still]}


def retire(world: World, stage: Stage, device: str) -> None:
    """Taken out of service: what was live becomes residue, never nothing."""
    with stage.step("retire", "The disk is taken out of service: its data becomes residue") as step:
        officer = world.session("petra")
        for path in officer.get("/paths"):
            officer.post(f"/paths/{path['id']}/withdrawal", {"reason": "The CRM moved to another server."})
        world.scratch.unmount()
        device_now = world.session("carlos").decide(
            f"/devices/{device}", "events", {"event": "retire", "reason": "Replaced; the CRM moved to another server."}
        )
        states = sorted(holding["state"] for holding in device_now["holdings"])
        if states != ["residue", "residue"]:
            raise StepFailed(f"the holdings are {states}, not residue")
        world.programs.wait_for("agent", lambda: _free(world, device))
        stage.good(f"{device} is {device_now['state']}; it carries {len(states)} residues")
        step.facts["state"] = device_now["state"]


def _free(world: World, device: str) -> bool:
    """Whether the agent sees nothing any more that forbids touching the disk."""
    attachment = world.session("carlos").get(f"/devices/{device}")["attachments"][0]
    return attachment["until"] is None and not attachment["obstacles"]


def ask_gate(world: World, stage: Stage, device: str) -> None:
    """Somebody wants to hand the disk on. The gate says no, and why."""
    with stage.step("gate-refuses", "May it go to the test lab? The gate refuses") as step:
        lab = world.admin.post("/locations", {"name": "Test laboratory", "zone": "open"})
        try:
            release_to(world, device, lab["id"])
        except Refused as refused:
            if refused.code != "gate-closed":
                raise
            stage.refused(refused.detail)
            stage.quote([f"- {reason}" for reason in refused.reasons])
            step.facts |= {"code": refused.code, "reasons": refused.reasons, "location": lab["id"]}
            return
        raise StepFailed("the gate let an unsanitized disk through")


def release_to(world: World, device: str, location: str) -> Any:  # noqa: ANN401 - the device as the API shows it
    """The custodian asks to hand the disk on, for reuse inside. Raises `Refused` while the gate is closed."""
    return world.session("carlos").decide(
        f"/devices/{device}",
        "release",
        {
            "destination": {"location": location, "reuse": True, "description": "Reuse in our own test laboratory"},
            "reason": "The test laboratory needs a disk.",
        },
    )


def make_order(world: World, stage: Stage, device: str) -> str:
    """The operator orders; the policy's decision is sealed into the order."""
    with stage.step("order", "An order is made; the policy says what it takes") as step:
        order = world.session("olga").post(
            "/orders",
            {
                "device": device,
                "plan": {
                    "method": "clear",
                    "technique": "overwrite",
                    "pattern_set": PATTERN_SET,
                    "verification": "full",
                },
                "purpose": {"reuse": True, "leaves_control": False},
                "reason": "Retired CRM disk, to be reused in our own test laboratory.",
            },
        )
        stage.say(order["decision"]["explanation"])
        stage.good(f"{order['id']} sealed: {order['method']} by {order['technique']} ({order['pattern_set']})")
        stage.say(f"digest to be signed [dim]{order['sha256']}[/]")
        step.facts |= {"order": order["id"], "sha256": order["sha256"]}
        return str(order["id"])


def approve(world: World, stage: Stage, order: str) -> None:
    """Two people sign the order's digest with their own keys; the requester cannot."""
    with stage.step("approvals", "Two people approve, each with a key the service does not have") as step:
        try:
            world.session("olga").get(f"/orders/{order}/signing")
        except Refused as refused:
            stage.refused(f"Olga, who requested it, may not approve: {refused.detail}")
        else:
            raise StepFailed("the requester was offered the order for approval")
        for login in ("ana", "ben"):
            sign(world.people[login], world.service, "approve", order)
            stage.good(f"{world.people[login].name} signed")
        state = world.admin.get(f"/orders/{order}")
        if state["approvals_given"] != 2:
            raise StepFailed(f"{state['approvals_given']} approvals, expected 2")
        step.facts["approvals"] = [one["sha256"] for one in state["approvals"]]


def sanitize(world: World, stage: Stage, order: str) -> dict[str, Any]:
    """The agent checks everything itself, overwrites, verifies, signs; the service takes the record in."""
    with stage.step("sanitize", "The agent checks the approvals itself, overwrites and reads back") as step:
        seen = _watch(world, stage, order)
        if seen["state"] != "recorded":
            raise StepFailed(f"the order is {seen['state']}: {seen['outcome_reason']}")
        record: dict[str, Any] = world.session("vera").get(f"/records/{seen['record']}")
        if (record["outcome"], record["method"], record["coverage"]) != ("sanitized", "clear", "full"):
            raise StepFailed(
                f"verdict {record['outcome']}/{record['method']}/{record['coverage']}: {record['reasons']}"
            )
        body = record["body"]
        for one in body["method"]["passes"]:
            stage.good(f"pass {one['number']}: {one['pattern']}, {one['bytes_written']:,} bytes written and flushed")
        check = body["verification"]
        stage.good(f"read back past the page cache: {check['bytes_read']:,} bytes, {len(check['residual'])} differ")
        stage.good(
            f"record signed by the agent, accepted and logged as entry {record['log_index']}: "
            f"outcome [bold]{record['outcome']}[/], method [bold]{record['method']}[/], "
            f"verification [bold]{record['coverage']}[/]"
        )
        step.facts |= {"record": record["sha256"], "outcome": record["outcome"], "method": record["method"]}
        return record


def _watch(world: World, stage: Stage, order: str) -> dict[str, Any]:
    """Show the run as the service hears of it, to its end."""
    deadline = time.monotonic() + 900
    with stage.progress() as progress:
        task = progress.add_task("waiting", total=None)
        while time.monotonic() < deadline:
            seen: dict[str, Any] = world.admin.get(f"/orders/{order}")
            report = seen["progress"]
            if report:
                words = (
                    f"pass {report['pass_number']}/{report['passes']}"
                    if report["state"] == "executing"
                    else report["state"]
                )
                progress.update(task, description=words, completed=report["bytes_done"], total=report["bytes_total"])
            if seen["state"] in DONE:
                total = report["bytes_total"] if report else None
                progress.update(task, description=seen["state"], completed=total, total=total)
                return seen
            if world.programs.running["agent"].poll() is not None:
                raise StepFailed(f"the agent ended: {world.programs.said('agent')[-1500:]}")
            time.sleep(0.15)
    raise StepFailed(f"nothing came of order {order} within 15 minutes: {world.programs.said('agent')[-1500:]}")
