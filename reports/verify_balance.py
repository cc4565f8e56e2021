"""Counts a closed balance again, from the sheet that was signed with it. Pure.

Written from the rules in `docs/reconciliation.md` and not from the service's code: two who count must come to the same sums.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Final

from .balance import (
    BalanceStatement,
    CountedBalance,
    SheetDevice,
    SheetDigest,
    balance_from_dict,
    digest_of_lines,
)
from .bundle import Logged
from .envelope import open_envelope
from .errors import BrokenChain
from .files import BalanceFile
from .times import for_people
from .verify_anchor import AnchorChecks
from .verify_run import check_logged
from .verify_steps import Fact, Step

_GONE: Final = {
    "released": "released",
    "destroyed": "destroyed",
    "returned_unsanitized_by_waiver": "waived",
}
"""State of a device that is gone for good -> how the sheet counts it."""
BROKEN: Final = "balance-broken"
ORIGINS: Final = ("before", "new", "arrived")
ENDS: Final = ("present", "released", "destroyed", "waived", "moved", "missing", "unknown")


def _end(line: SheetDevice) -> str:
    if line.state in _GONE:
        return _GONE[line.state]
    if line.state == "missing":
        return "missing"
    if not line.attached and not line.placed:
        return "unknown"
    return "present" if line.within else "moved"


def _origin(line: SheetDevice) -> str:
    if line.before is None or (line.before.known and line.before.within):
        return "before"
    return "arrived" if line.before.known else "new"


def belongs(line: SheetDevice) -> bool:
    """Whether a device is on a sheet: here at the beginning or the end, and not gone before it began."""
    if line.before is not None and line.before.known and line.before.state in _GONE:
        return False
    return line.within or (line.before is not None and line.before.within)


def differences(line: SheetDevice) -> Iterator[str]:
    """The codes of what does not agree about a device."""
    end = _end(line)
    gone = end in _GONE.values()
    if not line.declared:
        yield "undeclared-device"
    if not line.observed:
        yield "declared-not-observed"
    if end == "missing":
        yield "device-missing"
    if end == "unknown":
        yield "whereabouts-unknown"
    if gone and line.attached:
        yield "disposed-device-seen"
    if gone and not line.proven:
        yield "disposed-without-proof"


def count(lines: tuple[SheetDevice, ...]) -> dict[str, int]:
    """Every number of the sheet, by name."""
    origins, ends = Counter(map(_origin, lines)), Counter(map(_end, lines))
    return {
        "declared": sum(line.declared for line in lines),
        "observed": sum(line.observed for line in lines),
        "total": len(lines),
        **{name: origins[name] for name in ORIGINS},
        **{name: ends[name] for name in ENDS},
        "disposed": ends["released"] + ends["destroyed"] + ends["waived"],
        "closing": ends["present"] + ends["missing"] + ends["unknown"],
    }


class BalanceChecks:
    """The checks on one closed balance, as steps that share what they found."""

    def __init__(self, evidence: BalanceFile, pin: str) -> None:
        self.evidence = evidence
        self.anchor = AnchorChecks(evidence.anchor, pin)
        self.document: BalanceStatement
        self.before: BalanceStatement | None = None

    def steps(self) -> list[Step]:
        """Every check, in order."""
        return [
            *self.anchor.steps(),
            Step("statement", "The service signed and logged the closing", self._statement),
            Step("before", "It goes on where the balance before it ended", self._before),
            Step("sheet", "The sheet is the one that was signed", self._sheet),
            Step("count", "Counted again, the numbers are the same", self._count),
            Step("differences", "Each difference has a name, and there are no others", self._differences),
        ]

    def _opened(self, item: Logged) -> BalanceStatement:
        check_logged(item, "statement", self.anchor.checkpoint)
        keys = self.anchor.trust.keys("acceptance", item.index)
        body, _ = open_envelope(item.envelope, keys, "statement", exact=True)
        return balance_from_dict(body)

    def _statement(self) -> str:
        self.document = self._opened(self.evidence.statement)
        return f"Balance {self.document.number}, log entry {self.evidence.statement.index}."

    def _before(self) -> str:
        if self.evidence.before is None:
            return "No balance before it is named." if self.document.begin else "It has no beginning."
        self.before = self._opened(self.evidence.before)
        if self.evidence.before.index >= self.evidence.statement.index:
            raise BrokenChain("balance", "the one before it was closed after it.")
        earlier, own = self.before, self.document
        if (earlier.scope, earlier.reference, earlier.end) != (own.scope, own.reference, own.begin):
            raise BrokenChain(
                "balance", "the one before it is about something else, or does not end where this begins."
            )
        return f"Balance {earlier.number}, ended {for_people(earlier.end)}."

    @property
    def _counted(self) -> bool:
        """Whether the sheet was signed and is here."""
        return isinstance(self.document, CountedBalance) and self.evidence.devices is not None

    def _sheet(self) -> str:
        lines = self.evidence.devices
        if not isinstance(self.document, CountedBalance):
            if lines is not None:
                raise BrokenChain("balance", "a sheet stands beside it that nobody signed.")
            return "None was signed: the closing is of the first version."
        if lines is None:
            return "It was left out."
        digest, last = SheetDigest(), ""
        for line in lines:
            if line.device <= last:
                raise BrokenChain("sheet", f"device {line.device} stands there twice, or out of order.")
            if (line.before is None) is bool(self.document.begin) or not belongs(line):
                raise BrokenChain("sheet", f"device {line.device} does not belong on it.")
            digest.add(line)
            last = line.device
        if digest.hexdigest() != self.document.devices_sha256:
            raise BrokenChain("sheet", "it is another than the one that was signed.")
        return f"{len(lines)} devices."

    def _count(self) -> str:
        said = {one.name: one.devices for one in self.document.counts}
        if len(said) != len(self.document.counts):
            raise BrokenChain("balance", "a number stands there twice.")
        if self.evidence.devices is not None:
            if said != count(self.evidence.devices):
                raise BrokenChain("balance", "other numbers follow from the sheet.")
            return f"{said['total']} devices, {said['disposed']} disposed of, {said['closing']} still on the books."
        _adds_up(said)
        return "Not counted again: only that both sides add up."

    def _differences(self) -> str:
        lines = self.evidence.lines
        if len(lines) != self.document.differences or digest_of_lines(lines) != self.document.differences_sha256:
            raise BrokenChain("balance", "the differences beside it are not those that were signed.")
        named = [(line.device, line.code) for line in lines if line.code != BROKEN]
        if any(not line.exception for line in lines):
            raise BrokenChain("balance", "a difference has no name.")
        if self.evidence.devices is not None:
            found = [(line.device, code) for line in self.evidence.devices for code in differences(line)]
            if sorted(found) != sorted(named):
                raise BrokenChain("balance", "other differences follow from the sheet.")
        broken = [line for line in lines if line.code == BROKEN]
        self._continues(named=bool(broken))
        return f"{len(lines)}, each answered under its own number." if lines else "None."

    def _continues(self, *, named: bool) -> None:
        if self.before is None:
            return
        ended = {one.name: one.devices for one in self.before.counts}.get("closing")
        begins = {one.name: one.devices for one in self.document.counts}.get("before")
        if (ended != begins) and not named:
            raise BrokenChain(
                "balance",
                f"{self.before.number} ended with {ended} devices, this begins with {begins}, and no name is given.",
            )

    def answer(self) -> tuple[bool, str]:
        """Whether it is a full yes, and the conclusion."""
        if not self._counted:
            return (
                False,
                "NOT YET: the balance is genuine, but its sheet is not here, so that nobody can count it again.",
            )
        if self.document.differences:
            return True, (
                f"YES: counted again, the numbers are the same; {self.document.differences} differences were answered by"
                " people under the numbers given."
            )
        return True, "YES: counted again, the numbers are the same, and nothing differs."

    def facts(self) -> tuple[Fact, ...]:
        """For the eye. Only after every step has passed."""
        document = self.document
        said = {one.name: one.devices for one in document.counts}
        found = [
            Fact("Balance", document.number),
            Fact("Organization", document.organization.name),
            Fact("Scope", document.words),
            Fact("As of" if not document.begin else "Ends before", for_people(document.end)),
            Fact("Declared", str(said["declared"])),
            Fact("Observed", str(said["observed"])),
            Fact("Disposed of", str(said["disposed"])),
            Fact("Present", str(said["present"])),
            Fact("Moved to another place of the issuer", str(said["moved"])),
            Fact("Closed by", document.closed_by),
            Fact("Closed", for_people(document.time)),
        ]
        found += [
            Fact(f"Difference {number}", f"{line.device}: {line.code}, {line.exception}")
            for number, line in enumerate(self.evidence.lines[:50], 1)
        ]
        return (*found, *self.anchor.facts())

    def proven(self) -> tuple[str, ...]:
        """What the checks have shown. Only after every step has passed."""
        counted = ("Every number follows from the sheet that the service signed; none was corrected.",)
        return (*(counted if self._counted else ()), *self.anchor.proven())

    def not_proven(self) -> tuple[str, ...]:
        """What nobody can read out of this file. Only after every step has passed."""
        return (
            "That the books knew of every device there was, and that what they say of each is so.",
            "That the answers to differences are true: people gave them.",
            *self.anchor.not_proven(),
        )


def _adds_up(said: dict[str, int]) -> None:
    """Both sides of a sheet that is not here."""
    names = ("declared", "observed", "total", *ORIGINS, *ENDS, "disposed", "closing")
    if set(said) != set(names) or any(number < 0 for number in said.values()):
        raise BrokenChain("balance", "it has other numbers than a balance has.")
    disposed = said["released"] + said["destroyed"] + said["waived"]
    closing = said["present"] + said["missing"] + said["unknown"]
    sums = (
        said["total"] == sum(said[name] for name in ORIGINS) == sum(said[name] for name in ENDS),
        said["disposed"] == disposed,
        said["closing"] == closing,
    )
    if not all(sums):
        raise BrokenChain("balance", "its numbers do not add up.")
