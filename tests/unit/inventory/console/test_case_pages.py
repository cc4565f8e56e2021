"""Withdrawals from a list, due dates, paths with a date and webhooks, on their pages."""

from __future__ import annotations

import io
import re

from inventory.services import queries, webhooks

from .conftest import Site

LIST = "reference,data_sets,withdrawn\nCUST-70001,{set},2026-11-01\nCUST-70002,{set},2026-11-02\n"


def a_list(site: Site) -> str:
    return LIST.format(set=site.story.numbers["data_set"])


def references(site: Site) -> set[str]:
    found = queries.list_cases(site.world.context, site.world.actor("petra"), limit=200).items
    return {case.reference for case in found}


def test_a_pasted_list_is_checked_before_anything_is_opened(site: Site) -> None:
    checked = site.post("petra", "/cases/intake", {"list": a_list(site), "step": "check"})
    assert checked.status_code == 200
    assert "Opens a case" in checked.text
    assert "Open 2 cases" in checked.text
    assert not references(site) & {"CUST-70001", "CUST-70002"}
    bad = a_list(site) + "Jane Doe,CRM production,2026-11-01\n"
    refused = site.post("petra", "/cases/intake", {"list": bad, "step": "open"})
    assert refused.status_code == 422
    assert "Refused" in refused.text
    assert "never a name" in refused.text
    assert "CUST-70001" in refused.text, "what was pasted is still there"
    assert not references(site) & {"CUST-70001", "CUST-70002"}
    nothing = site.post("petra", "/cases/intake", {"list": " ", "step": "check"})
    assert nothing.status_code == 422


def test_a_file_is_read_and_opened(site: Site) -> None:
    content = a_list(site).replace("7000", "7100").encode()
    checked = site.post(
        "petra", "/cases/intake", {"file": (io.BytesIO(content), "list.csv"), "list": "", "step": "check"}
    )
    assert checked.status_code == 200
    assert "CUST-71001" in checked.text
    opened = site.post("petra", "/cases/intake", {"list": content.decode(), "step": "open"})
    assert (opened.status_code, opened.location) == (303, "/console/cases?said=cases-taken-in")
    assert {"CUST-71001", "CUST-71002"} <= references(site)


def test_a_due_date_is_moved_with_a_reason(site: Site) -> None:
    case = site.story.numbers["case"]
    path = f"/cases/{case}/due"
    before = queries.case(site.world.context, site.world.actor("petra"), case)
    late = site.post("petra", path, {"due": "2099-01-01", "reason": "we are very slow", "version": str(before.version)})
    assert late.status_code == 422
    assert "three times the ordinary term" in late.text
    day = before.withdrawn.replace(day=28).date().isoformat()
    values = {"due": day, "reason": "many backups to find", "version": str(before.version)}
    if day >= before.withdrawn.date().isoformat():
        assert site.post("petra", path, values).status_code == 303
        assert site.post("petra", path, values).status_code == 412, "somebody changed it meanwhile"


def test_a_data_sets_page_asks_since_when(site: Site) -> None:
    number, path = site.story.numbers["data_set"], site.story.numbers["path"]
    assert "Since when?" in site.get("petra", f"/data/{number}").text
    values = {"since": "2026-01-01", "reason": "by the installation protocol"}
    assert site.post("petra", f"/data/{number}/paths/{path}/date", values).status_code == 303
    assert "Since 1 January 2026" in site.get("petra", f"/data/{number}").text
    again = site.post("petra", f"/data/{number}/paths/{path}/date", {**values, "since": "2026-02-01"})
    assert again.status_code == 409


def test_a_webhooks_secret_is_shown_by_one_answer_and_by_no_other(site: Site) -> None:
    values = {
        "name": "Tickets",
        "url": "https://desk.example.org/t",
        "tags": "case.* device.sanitized",
        "algorithm": "hmac-sha256",
    }
    made = site.post("ines", "/webhooks/new", values)
    assert made.status_code == 200
    secrets = set(re.findall(r"whsec_[A-Za-z0-9+/=]{40,}", made.text))
    assert len(secrets) == 1
    (one,) = [
        row for row in webhooks.list_webhooks(site.world.context, site.world.actor("ines")) if row.name == "Tickets"
    ]
    page = site.get("aud", f"/webhooks/{one.id}").text
    assert "whsec_" not in page
    assert "Send a test" not in page, "who audits changes nothing"
    renewed = site.post("ines", f"/webhooks/{one.id}/secret", {})
    fresh = set(re.findall(r"whsec_[A-Za-z0-9+/=]{40,}", renewed.text))
    assert len(fresh) == 1
    assert fresh != secrets
    assert site.post("ines", f"/webhooks/{one.id}/test", {}).status_code == 303
    assert site.post("ines", f"/webhooks/{one.id}/replay", {"which": "dead"}).status_code == 409
    assert site.post("ines", f"/webhooks/{one.id}/replay", {"which": "chosen"}).status_code == 422
    assert site.post("ines", f"/webhooks/{one.id}/end", {"reason": "no longer wanted"}).status_code == 303
    elsewhere = site.post("ines", "/webhooks/new", {**values, "name": "Else", "url": "https://127.0.0.1/t"})
    assert elsewhere.status_code == 422
    assert "webhook_targets" in elsewhere.text
