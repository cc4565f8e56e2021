"""What a record says of the self-tests of the builds that did its work, for people. Pure."""

from __future__ import annotations

from .findings.selftest import EXPECTED, missed_by
from .language import ENGLISH, Speaker
from .record import SanitizationRecord, SelfTest


def self_test_words(record: SanitizationRecord, speaker: Speaker = ENGLISH) -> str:
    """One sentence a build; one that says so where the record has no self-test."""
    if not record.self_tests:
        return speaker.say("common.self-test-none")
    return " ".join(_words(test, speaker) for test in record.self_tests)


def _words(test: SelfTest, speaker: Speaker) -> str:
    build, taken = test.build_sha256[:16], speaker.moment(test.taken)
    missed = missed_by(test)
    if missed:
        return speaker.say("common.self-test-missed", faults=", ".join(missed), build=build, taken=taken)
    return speaker.say("common.self-test-passed", count=len(EXPECTED) - 1, build=build, taken=taken)
