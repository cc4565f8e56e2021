"""What a journal says of the drive's own commands. Pure: entries in, facts and standings out.

Entries of such a run, beside those of every run (`recovery.py`), each with the number of its step (0, 1, ...):

    step              a technique is about to begin: its name, the drive's status before, what it will leave behind
    command-sending   one command is about to be sent (written by the technique through `Hands.note`)
    ata-password      the password a drive is about to be given (likewise); never part of a result
    escrowed          somebody confirmed to hold it: digest only
    command-answered  every command of the step with its answer; the last decides
    command-withheld  the clearance did not hold any more, so the command written down last was not sent
    command-lost      no answer came
    command-settled   how its end is known: the drive's status, and whether the step is done, failed, or to be sent again
    recovered         commands that put the drive back into service, with their answers
    released          the drive has no password of ours any more
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from .techniques.base import Aftermath, CommandFacts, Sent

Entry = dict[str, Any]
Verdict = Literal["done", "failed", "again"]

_ATA_16, _ATA_12 = 0x85, 0xA1
_REPORTED: dict[str, str] = {"done": "success", "failed": "failed", "again": "unknown"}


@dataclass(frozen=True, kw_only=True)
class StepLog:
    """The newest attempt at one step."""

    index: int
    recovery: bool
    """Sent to bring the drive out of its failure mode, before there were canaries."""
    before: bytes
    """The drive's status before it."""
    sending: bool
    """Whether a command was about to be sent, so that one may have been."""
    accepted: str | None
    """yes, no, unknown; None where no answer is known."""
    verdict: Verdict | None
    """None while it is not settled."""
    aftermath: Aftermath


def newest_steps(entries: Iterable[Entry]) -> dict[int, StepLog]:
    """The newest attempt at each step since the canaries were last found standing; the one before them under -1."""
    found: dict[int, StepLog] = {}
    current: StepLog | None = None
    for entry in entries:
        kind = entry["kind"]
        if kind == "marked":
            found, current = {}, None
        elif kind == "step":
            current = StepLog(
                index=-1 if entry["recovery"] else entry["step"],
                recovery=entry["recovery"],
                before=bytes.fromhex(entry["before"]),
                sending=False,
                accepted=None,
                verdict=None,
                aftermath=entry["aftermath"],
            )
        elif current is None:
            continue
        elif kind == "command-sending":
            current = dataclasses.replace(current, sending=True)
        elif kind == "command-answered":
            current = dataclasses.replace(current, sending=True, accepted=entry["accepted"])
        elif kind == "command-settled":
            current = dataclasses.replace(current, verdict=entry["verdict"])
        elif kind == "command-withheld":
            current = dataclasses.replace(current, verdict="again")
        if current is not None:
            found[current.index] = current
    return found


def own_work(entries: Iterable[Entry]) -> bool:
    """Whether a command of this run may be under way in the drive, or may have left it out of service."""
    known = list(entries)
    steps = newest_steps(known).values()
    return outstanding_password(known) is not None or any(
        each.sending and each.verdict not in {"done", "failed"} for each in steps
    )


def outstanding_password(entries: Iterable[Entry]) -> bytes | None:
    """The password the drive may have been given and not be rid of; None where there is none."""
    drawn: bytes | None = None
    given: bytes | None = None
    for entry in entries:
        if entry["kind"] == "ata-password":
            drawn = entry["password"].encode("ascii")
        elif entry["kind"] == "command-sending":
            given = drawn or given
        elif entry["kind"] == "released":
            drawn = given = None
    return given


def digest_of(secret: bytes) -> str:
    """SHA-256, lower-case hexadecimal: what is said of a secret to name it."""
    return hashlib.sha256(secret).hexdigest()


def password_id(entries: Iterable[Entry]) -> str:
    """What was said of the newest password to whoever holds it: the start of its digest."""
    held = [entry["sha256"] for entry in entries if entry["kind"] == "escrowed"]
    return held[-1][:16] if held else "not in escrow"


def sent_times(sent: tuple[Sent, ...], intents: list[Entry], begun: str, ended: str) -> list[tuple[str, str]]:
    """When each command went out and by when its answer was there, as far as the entries before them tell."""
    starts: list[str] = []
    left = list(intents)
    for one in sent:
        place = next((n for n, entry in enumerate(left) if entry.get("sent") == one.sent.hex()), None)
        starts.append(max([*starts[-1:], begun if place is None else left[place]["t"]]))
        left = left if place is None else left[place + 1 :]
    return list(zip(starts, [*starts[1:], ended], strict=False))  # no command, no end


def told(sent: tuple[Sent, ...], times: list[tuple[str, str]]) -> list[Entry]:
    """Commands and answers as a journal entry holds them."""
    return [
        {
            "command": one.command,
            "opcode": f"{one.opcode:02x}",
            "sent": one.sent.hex(),
            "sent_at": sent_at,
            "answered_at": answered_at,
            "answer": one.answer.hex(),
            "accepted": one.accepted,
        }
        for one, (sent_at, answered_at) in zip(sent, times, strict=True)
    ]


class _Facts:
    """Builds the list of commands while the entries are gone through."""

    def __init__(self) -> None:
        self.found: list[CommandFacts] = []
        self._step: Entry = {}
        self._intents: list[Entry] = []
        self._last: int | None = None
        """Place of the command whose end is still to be told."""

    def add(self, entry: Entry) -> None:
        kind = entry["kind"]
        if kind == "step":
            self._unanswered()
            self._step, self._last = entry, None
        elif kind == "command-sending":
            self._intents.append(entry)
        elif kind == "command-withheld":
            self._intents = self._intents[:-1]
        elif kind in {"command-answered", "recovered"}:
            self._answered(entry, decides=kind == "command-answered")
        elif kind in {"command-lost", "segment"}:
            self._unanswered()
        elif kind == "command-settled":
            self._unanswered()
            self._settled(entry)

    def finish(self) -> tuple[CommandFacts, ...]:
        self._unanswered()
        return tuple(self.found)

    def _answered(self, entry: Entry, *, decides: bool) -> None:
        self._intents = []
        for number, each in enumerate(entry["commands"]):
            last = decides and number == len(entry["commands"]) - 1
            over = {"yes": "success", "no": "failed"}.get(each["accepted"], "unknown")
            reported = "unknown" if last and each["accepted"] == "yes" else over
            self._put(each, reported=reported)
        if decides and entry["commands"]:
            self._last = len(self.found) - 1

    def _unanswered(self) -> None:
        for intent in self._intents:
            raw = bytes.fromhex(intent["sent"])
            each = {
                "command": intent["command"],
                "opcode": _opcode(raw),
                "sent": intent["sent"],
                "sent_at": intent["t"],
                "answered_at": None,
                "answer": "",
                "accepted": "unknown",
            }
            self._put(each, reported="unknown")
            self._last = len(self.found) - 1
        self._intents = []

    def _put(self, each: Entry, *, reported: str) -> None:
        facts = CommandFacts(
            **each,
            number=len(self.found) + 1,
            technique=self._step["technique"],
            before=self._step["before"],
            after="",
            reported=reported,
            setting=self._step["setting"],
        )
        self.found.append(facts)

    def _settled(self, entry: Entry) -> None:
        if self._last is None:
            return
        one = self.found[self._last]
        reported = "failed" if one.accepted == "no" else _REPORTED[entry["verdict"]]
        self.found[self._last] = dataclasses.replace(one, after=entry["after"], reported=reported)


def _opcode(sent: bytes) -> str:
    """Of a command nobody answered: the first byte, or the ATA command inside ATA PASS-THROUGH (SAT-4, 12.2)."""
    if sent[0] == _ATA_16 and len(sent) == 16:
        return f"{sent[14]:02x}"
    return f"{sent[9]:02x}" if sent[0] == _ATA_12 and len(sent) == 12 else f"{sent[0]:02x}"


def commands_of(entries: Iterable[Entry]) -> tuple[dict[str, Any], ...]:
    """Every device command of the run as a record keeps it, in order."""
    facts = _Facts()
    for entry in entries:
        facts.add(entry)
    return tuple(dataclasses.asdict(each) for each in facts.finish())
