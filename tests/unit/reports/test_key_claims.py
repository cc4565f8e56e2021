"""What may be said of a run that destroyed keys, and in which words."""

from __future__ import annotations

import pytest

from reports.claims import derive, details_words, verification_words
from reports.errors import BrokenChain
from reports.language import LANGUAGES, speaker
from reports.record import SanitizationRecord
from tests.support.evidence import Story, World
from tests.unit.reports.test_key_erasure import ALTERED, GOOD, SETTING, UUID, erased


@pytest.mark.parametrize("record", [row[1] for row in ALTERED], ids=[row[0] for row in ALTERED])
def test_nothing_is_said_of_a_record_with_one_fact_altered(record: SanitizationRecord) -> None:
    assert derive(record).granted == ()


def test_the_claim_says_what_was_done_and_what_it_rests_on() -> None:
    claims = derive(GOOD)
    text = claims.find("clear").text
    assert UUID in text
    assert "Somebody vouched that nothing was stored" in text
    assert "reaches Clear" in text
    assert any(each.field == "method.key_erasure.answers" for each in claims.find("clear").evidence)
    assert "same ciphertext as before" in claims.find("verified-full").text
    assert any("stays on the medium as ciphertext" in each for each in claims.not_covered)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_tells_it(language: str) -> None:
    said = speaker(language)
    for text in (details_words(GOOD, said), verification_words(GOOD, said), derive(GOOD, said).find("clear").text):
        assert text
        assert "{" not in text


def _story(record: SanitizationRecord, **plan: object) -> Story:
    changes = {"plan": plan} if plan else {}
    return Story(World(), record, order_changes=changes).order().run().accept().validate()


def test_a_certificate_is_issued_where_the_order_carries_what_the_record_rests_on() -> None:
    _story(GOOD).certify()
    _story(erased(requested="purge", setting=SETTING), settings=[SETTING]).certify()


@pytest.mark.parametrize(
    ("record", "plan", "words"),
    [
        (GOOD, {"answers": ["no-key-outside"]}, "in the order nobody did"),
        (erased(requested="purge", setting=SETTING), {}, "nobody ordered that"),
    ],
)
def test_what_nobody_vouched_for_or_decided_in_the_order_gives_no_certificate(
    record: SanitizationRecord, plan: dict[str, object], words: str
) -> None:
    with pytest.raises(BrokenChain, match=words):
        _story(record, **plan).certify()
