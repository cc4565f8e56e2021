"""A customer's statement: each medium with its proof, nothing called complete that is not."""

from __future__ import annotations

import copy
import dataclasses
import json
from collections.abc import Callable
from typing import Any, cast

import pytest

from reports import bundle, statement
from reports.canonical import canonical
from reports.envelope import Envelope, sign, unverified_body
from reports.errors import BrokenChain, ClaimRefused, MalformedDocument
from reports.statements import ErasureStatement, OpenObligation
from reports.verify import verify
from reports.verify_steps import Verification
from tests.support.evidence import (
    ORGANIZATION,
    VALIDATOR,
    Story,
    World,
    certified,
    erasure_statement,
    good_record,
    with_part,
)

WORLD = World()
STORIES = [certified(WORLD), certified(WORLD, good_record(serial="SECOND-SERIAL"), number="C-2026-000124")]
FILE = erasure_statement(WORLD, STORIES)
OPEN = OpenObligation(obligation="b", data_set="d", medium="m", kind="medium-sanitized", why="Not yet.", due="")


def _facts(**changes: Any) -> statement.CaseFacts:  # noqa: ANN401 - fields of the case
    fields: dict[str, Any] = {
        "number": "S-1", "issued": "2026-11-22T15:00:00Z", "organization": ORGANIZATION, "case": "c-1",
        "opened": "2026-11-02T08:00:00Z", "due": "2026-12-02T08:00:00Z", "responsible": VALIDATOR, "data_sets": ("d",),
        "attested": (), "open": (), **changes,
    }  # fmt: skip
    return statement.CaseFacts(**fields)


def _medium() -> statement.ProvenMedium:
    return statement.ProvenMedium(data_set="d", holding="primary", bundle=STORIES[0].bundle())


def test_a_statement_over_media_with_nothing_open_is_complete() -> None:
    result = verify(FILE.to_bytes(), WORLD.pin)
    assert result.yes
    assert result.conclusion.startswith("YES")
    assert {fact.value for fact in result.facts if fact.label.startswith("Medium")} == {
        "Example Drives EX-500-HDD WD-WCC6Y3TN7F2K, CRM production (primary): certificate C-2026-000123",
        "Example Drives EX-500-HDD SECOND-SERIAL, CRM production (primary): certificate C-2026-000124",
    }


def test_nothing_is_complete_while_something_is_open_or_nothing_was_done() -> None:
    assert statement.compose(_facts(), [_medium()]).complete
    assert not statement.compose(_facts(open=(OPEN,)), [_medium()]).complete
    assert not statement.compose(_facts(open=(OPEN,)), []).complete
    with pytest.raises(ClaimRefused):
        statement.compose(_facts(), [])


@pytest.mark.parametrize("field", ["issued", "opened", "due"])
def test_times_are_times(field: str) -> None:
    with pytest.raises(MalformedDocument):
        statement.compose(_facts(**{field: "soon"}), [_medium()])


def _resign(change: Callable[[dict[str, Any]], object]) -> Verification:
    """The service itself signs and logs an altered statement."""
    body = copy.deepcopy(unverified_body(FILE.statement.envelope, "statement"))
    change(body)
    return _relog(sign("statement", body, WORLD.acceptance))


def _relog(envelope: Envelope) -> Verification:
    index = WORLD.log.append("statement", envelope)
    embedded = tuple(
        dataclasses.replace(
            item,
            consistency=bundle.encode_hashes(
                WORLD.log.consistency(int(item.bundle["anchor"]["checkpoint"].split("\n")[1]))
            ),
        )
        for item in FILE.bundles
    )
    file = dataclasses.replace(
        cast("bundle.ErasureStatementFile2", FILE),
        statement=WORLD.logged(envelope, index),
        bundles=embedded,
        anchor=WORLD.anchor(),
    )
    return verify(file.to_bytes(), WORLD.pin)


def test_the_service_may_sign_it_again() -> None:
    assert _resign(lambda body: body.update(number="S-2")).yes


@pytest.mark.parametrize(
    "change",
    [
        lambda body: body["media"][0].update(serial="OTHER"),
        lambda body: body["media"][0].update(certificate="C-9"),
        lambda body: body["media"][0].update(bundle_sha256="0" * 64),
        lambda body: body["media"].pop(),
        lambda body: body["media"].reverse(),
        lambda body: body.update(media=[]),
        lambda body: body.update(complete=False),
        lambda body: body["open"].append(OPEN.to_dict()),
        lambda body: body.update(issued="soon"),
    ],
)
def test_a_statement_that_says_more_or_less_than_its_bundles_is_refused(
    change: Callable[[dict[str, Any]], object],
) -> None:
    result = _resign(change)
    assert not result.genuine
    assert [check.code for check in result.checks if check.state == "failed"] == ["content"]


def test_a_statement_of_another_schema_is_refused() -> None:
    result = _resign(lambda body: body.update(schema="sanitrail/unsuccessful-run-report/1"))
    assert [check.code for check in result.checks if check.state == "failed"] == ["statement"]


def test_a_statement_signed_by_anybody_else_is_refused() -> None:
    body = unverified_body(FILE.statement.envelope, "statement")
    assert not _relog(sign("statement", body, WORLD.enrolment)).genuine


def test_a_report_of_failure_is_no_evidence_of_erasure() -> None:
    world = World()
    failed = (
        Story(world, with_part(good_record(), "run", state="failed", error="x", error_code="x")).order().run().accept()
    )
    report = failed.unsuccessful()
    good = erasure_statement(world, [certified(world)])
    body = json.loads(good.to_bytes())
    body["bundles"][0]["bundle"] = report.to_dict()
    result = verify(canonical(body), world.pin)
    assert [check.code for check in result.checks if check.state == "failed"] == ["media"]


def test_a_bundle_that_does_not_hold_spoils_the_statement() -> None:
    body = json.loads(FILE.to_bytes())
    body["bundles"][1]["bundle"]["approvals"].pop()
    result = verify(canonical(body), WORLD.pin)
    assert [check.code for check in result.checks if check.state == "failed"] == ["media"]
    assert "medium 2" in result.conclusion


def test_a_bundle_of_another_history_spoils_the_statement() -> None:
    body = json.loads(FILE.to_bytes())
    body["bundles"][0]["consistency"] = body["bundles"][1]["consistency"][:1]
    result = verify(canonical(body), WORLD.pin)
    assert [check.code for check in result.checks if check.state == "failed"] == ["history"]


def test_a_certificate_younger_than_the_statement_spoils_it() -> None:
    world = World()
    good = erasure_statement(world, [certified(world)])
    old = good.statement
    later = certified(world, number="C-later")
    body = json.loads(erasure_statement(world, [later]).to_bytes())
    body["statement"] = world.logged(old.envelope, old.index).to_dict()
    result = verify(canonical(body), world.pin)
    assert not result.genuine


def test_check_compares_what_is_said_with_what_is_there() -> None:
    body = ErasureStatement.from_dict(unverified_body(FILE.statement.envelope, "statement"))
    bundles = [bundle.DestructionBundle2.from_dict(item.bundle) for item in FILE.bundles]
    statement.check(body, bundles)
    with pytest.raises(BrokenChain, match="no bundle"):
        statement.check(body, bundles[:1])
    with pytest.raises(BrokenChain, match="each once"):
        statement.check(body, [*bundles, bundles[0]])
