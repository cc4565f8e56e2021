"""Holdings and obligations: residue never vanishes by itself, and only evidence closes anything."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from inventory.domain.holdings import Held, category_of, contents, covers, overlaps, state_of, uncovered
from inventory.domain.obligations import CLOSES, Evidence, case_state, demands, derive, may_close, why_open
from inventory.domain.vocabulary import CaseState, Category, DeviceState, HoldingKind, HoldingState, ObligationKind
from reports.documents.statement import _why
from reports.language.speaker import ENGLISH, speaker

T0 = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def held(
    since: int = 0, until: int | None = None, *, seen: int | None = None, covered: int | None = None, **more: object
) -> Held:
    last = seen if seen is not None else until if until is not None else since
    fields: dict[str, object] = {
        "id": "HO-1", "data_set": "CRM", "category": Category.MODERATE, "since": T0 + since * DAY,
        "until": None if until is None else T0 + until * DAY, "last_seen": T0 + last * DAY,
        "covered_at": None if covered is None else T0 + covered * DAY, **more,
    }  # fmt: skip
    return Held(**fields)  # type: ignore[arg-type]  # fields of a dataclass, by name


def test_deleting_files_turns_a_holding_into_residue_and_only_a_record_ends_that() -> None:
    assert state_of(held()) is HoldingState.LIVE
    assert state_of(held(until=5)) is HoldingState.RESIDUE
    assert state_of(held(until=5, covered=9)) is HoldingState.COVERED
    assert uncovered([held(), held(until=5), held(until=5, covered=9)]) == (held(), held(until=5))


def test_a_run_covers_what_was_written_before_it_and_nothing_after() -> None:
    leased = T0 + 10 * DAY
    assert covers(held(until=5), leased)
    assert covers(held(seen=9), leased)
    assert not covers(held(seen=11), leased)
    assert not covers(held(since=11, until=12), leased)
    assert not covers(held(until=5, covered=6), leased)


def test_covered_holdings_still_decide_the_category() -> None:
    rows = [held(category=Category.LOW), held(until=1, covered=2, category=Category.HIGH)]
    assert category_of(rows) is Category.HIGH
    assert category_of([]) is None


def test_what_was_attached_and_never_described_is_unknown() -> None:
    assert contents([], ever_attached=True) == "unknown"
    assert contents([], ever_attached=False) == "never_used"
    assert contents([held()], ever_attached=False) == "known"


@pytest.mark.parametrize(
    ("holding", "since", "until", "expected"),
    [
        (held(0, 5), 3, 10, True),
        (held(0, 5), 5, 10, True),
        (held(0, 4), 5, 10, False),
        (held(0, 5), None, 10, True),
        (held(10, 12), 3, 10, True),
        (held(11, 12), 3, 10, False),
        (held(10, 12), 3, None, True),
        (held(0), 100, None, True),
    ],
)
def test_a_holding_counts_when_it_existed_in_the_customers_time(
    holding: Held, since: int | None, until: int | None, expected: bool
) -> None:
    def at(day: int | None) -> datetime | None:
        return None if day is None else T0 + day * DAY

    assert overlaps(holding, at(since), at(until)) is expected


def test_live_data_owes_deletion_and_a_clean_medium_residue_only_the_medium() -> None:
    K = ObligationKind  # noqa: N806 - a short name for an enumeration
    assert demands(HoldingKind.PRIMARY, live=True) == (K.LOGICAL_DELETION, K.MEDIUM_SANITIZED)
    assert demands(HoldingKind.PRIMARY, live=False) == (K.MEDIUM_SANITIZED,)
    assert demands(HoldingKind.BACKUP, live=True) == (K.BACKUP_GONE, K.MEDIUM_SANITIZED)
    assert demands(HoldingKind.BACKUP, live=False) == (K.BACKUP_GONE, K.MEDIUM_SANITIZED)


def test_every_holding_of_the_customers_time_is_an_obligation() -> None:
    rows = [
        (held(0, id="live"), HoldingKind.PRIMARY),
        (held(0, 5, id="old-mirror-member"), HoldingKind.REPLICA),
        (held(0, 2, id="before-the-customer"), HoldingKind.PRIMARY),
        (held(0, 5, covered=6, id="clean-already"), HoldingKind.PRIMARY),
    ]
    drafts = derive(rows, customer_since=T0 + 3 * DAY, deleted=None)
    assert {draft.holding for draft in drafts} == {"live", "old-mirror-member", "clean-already"}
    assert {draft.holding: draft.open for draft in drafts} == {
        "live": True,
        "old-mirror-member": True,
        "clean-already": False,
    }


def test_copies_made_after_the_withdrawal_count_until_deletion_is_attested() -> None:
    copy = [(held(30, id="restored"), HoldingKind.PRIMARY)]
    assert derive(copy, None, deleted=None)
    assert not derive(copy, None, deleted=T0 + 20 * DAY)


def test_a_medium_is_never_attested_clean_by_word() -> None:
    assert not may_close(ObligationKind.MEDIUM_SANITIZED, Evidence.ATTESTATION)
    assert all(may_close(kind, Evidence.VALIDATED_RECORD) for kind in ObligationKind)
    assert set(CLOSES) == set(ObligationKind)


def test_a_closed_case_opens_again_when_something_is_found() -> None:
    assert case_state(CaseState.OPEN, 0) is CaseState.FULFILLED
    assert case_state(CaseState.CLOSED, 0) is CaseState.CLOSED
    assert case_state(CaseState.CLOSED, 1) is CaseState.OPEN
    assert case_state(CaseState.FULFILLED, 2) is CaseState.OPEN


def test_what_is_open_says_why_in_words() -> None:
    words = {why_open(kind, "D-000001", device_state="in_service") for kind in ObligationKind}
    assert len(words) == len(ObligationKind)
    assert any("D-000001 is in service" in text for text in words)


def test_a_customer_reads_why_something_is_open_in_the_language_of_the_statement() -> None:
    every = {why_open(kind, "D-000001", device_state=state) for kind in ObligationKind for state in DeviceState}
    assert {_why(ENGLISH, text) for text in every} == every
    for language in ("pt", "ms"):
        said = {_why(speaker(language), text) for text in every}
        assert len(said) == len(every)
        assert not said & every
    assert _why(speaker("ms"), "Ask Mei Ling.") == "Ask Mei Ling."
