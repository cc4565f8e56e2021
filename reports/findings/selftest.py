"""Findings about the self-tests in a record: whether the build found what was planted. Standard library only.

A record without one says nothing about it, and none of its conclusions changes: that is said beside them (`self_test_words`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from reports.errors import MalformedDocument
from reports.language import said
from reports.record import SanitizationRecord, SelfTest, SelfTestCase
from reports.times import parse_instant

from .codes import SHA256, Finding

WHOLE = False
SOMEWHERE = True
EXPECTED: Mapping[str, tuple[str, str | None, bool]] = {
    "none": ("succeeded", None, WHOLE),
    "bad-sector": ("failed", "unwritable-region", SOMEWHERE),
    "unreadable-sector": ("failed", "unreadable", SOMEWHERE),
    "lying-write": ("failed", "residual", SOMEWHERE),
    "stale-read": ("failed", "residual", SOMEWHERE),
    "cached-read": ("failed", "residual", SOMEWHERE),
    "short-device": ("failed", "addressing-fault", WHOLE),
    "shrinking-device": ("failed", "capacity-changed", WHOLE),
    "lost-flush": ("failed", "flush-failed", WHOLE),
    "vanishing-device": ("interrupted", "device-gone", WHOLE),
    "idle-command": ("failed", "residual", SOMEWHERE),
}
"""By fault: the end and the error that show it was found, and whether its place must be named exactly.

All of them must be in a self-test. One that is added later belongs into a table of its own: builds of before did not know it.
"""


def self_tests(record: SanitizationRecord) -> Iterator[Finding]:
    """What speaks against the self-tests that a record carries."""
    for number, test in enumerate(record.self_tests):
        where = f"self_tests[{number}]"
        if not SHA256.fullmatch(test.build_sha256):
            field = f"{where}.build_sha256"
            yield Finding("digest-malformed", "unknown", said("findings.digest-malformed", field=field), (field,))
        try:
            parse_instant(test.taken)
        except MalformedDocument:
            yield Finding("times-unusable", "unknown", said("findings.time-malformed"), (f"{where}.taken",))
        for case in test.cases:
            if case.fault not in EXPECTED:
                field = f"{where}.cases"
                text = said("findings.unknown-word", word=case.fault[:60], field=field)
                yield Finding("unknown-word", "unknown", text, (field,))
        missed = missed_by(test)
        if missed:
            text = said("findings.self-test-missed", field=where, faults=", ".join(missed))
            yield Finding("self-test-missed", "unknown", text, (f"{where}.cases",))


def missed_by(test: SelfTest) -> tuple[str, ...]:
    """Faults that the build did not find as it must, in the order of the table."""
    tried: dict[str, list[SelfTestCase]] = {}
    for case in test.cases:
        tried.setdefault(case.fault, []).append(case)
    return tuple(
        fault
        for fault, expected in EXPECTED.items()
        if not tried.get(fault) or not all(_found(case, *expected) for case in tried[fault])
    )


def _found(case: SelfTestCase, state: str, error_code: str | None, placed: bool) -> bool:
    if (case.state, case.error_code) != (state, error_code) or bool(case.planted) is not placed:
        return False
    return case.found == case.planted
