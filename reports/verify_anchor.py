"""Checks what a file stands on: trust root, signed state of the log, witnesses, time-stamps. Pure.

Every kind of file begins with these steps; what they found is shared with the steps that follow.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from .anchor import Anchor, is_witnessed, open_since, open_state, open_times
from .errors import BrokenChain
from .times import for_people, format_instant
from .timestamps import StampTime
from .tlog.checkpoint import Checkpoint
from .tlog.notes import NoteSignature
from .trust import TrustRoot, open_chain
from .verify_steps import Fact, Step

CLOCKS_DIFFER: Final = timedelta(minutes=5)
"""By so much a sound clock may be off."""


class AnchorChecks:
    """The checks on one anchor, as steps that share what they found."""

    def __init__(self, anchor: Anchor, pin: str, *, of_an_order: bool = False) -> None:
        self.anchor = anchor
        self.pin = pin
        self.of_an_order = of_an_order
        """Whether the file has an order, so that stamps from before it mean something."""
        self.roots: tuple[TrustRoot, ...]
        self.checkpoint: Checkpoint
        self.cosignatures: tuple[NoteSignature, ...]
        self.times: tuple[StampTime, ...] = ()
        self.since: tuple[tuple[int, StampTime], ...] = ()

    @property
    def trust(self) -> TrustRoot:
        """The version in force. Only after its step has passed."""
        return self.roots[-1]

    @property
    def witnessed(self) -> bool:
        """Whether the quorum of witnesses signed. Only after its step has passed."""
        return is_witnessed(self.trust, self.cosignatures)

    def steps(self) -> list[Step]:
        """Every check, in order."""
        found = [
            Step("trust-root", "The trust root is the pinned one, or follows from it", self._trust_root),
            Step("checkpoint", "The log's keys signed its state", self._checkpoint),
        ]
        if self.anchor.stamps:
            found.append(Step("time", "Time-stamp authorities saw that state", self._times))
        if self.anchor.since:
            found.append(Step("since", "Earlier time-stamps stand in the log", self._since))
        return found

    def _trust_root(self) -> str:
        self.roots = open_chain(self.anchor.trust_roots, self.pin)
        pinned = next(root for root in self.roots if root.pin == self.pin)
        words = f"Version {self.trust.body.version}, {root_key_words(self.trust)}."
        return words if pinned is self.trust else f"{words} The pin is that of version {pinned.body.version}."

    def _checkpoint(self) -> str:
        self.checkpoint, self.cosignatures = open_state(self.anchor.checkpoint, self.trust)
        signers = ", ".join(key.label for key in self.trust.log_keys)
        return f"{self.checkpoint.size} entries, signed by {signers}; {self._witness_words()}."

    def _times(self) -> str:
        self.times = open_times(self.anchor, self.trust)
        return " ".join(f"{one.authority}: {for_people(format_instant(one.time))}." for one in self.times)

    def _since(self) -> str:
        if not self.of_an_order:
            raise BrokenChain("since", "this file has no order that earlier time-stamps could come before.")
        self.since = open_since(self.anchor, self.trust, self.checkpoint)
        return " ".join(
            f"Entry {index}: {one.authority}, {for_people(format_instant(one.time))}." for index, one in self.since
        )

    def require_since_before(self, size: int) -> None:
        """Raise `BrokenChain` unless every earlier stamp was in the log when it had `size` entries, which an order names."""
        if any(index >= size for index, _ in self.since):
            raise BrokenChain("history", "a time-stamp that should come before the order comes after it.")

    @property
    def existed_by(self) -> StampTime | None:
        """The stamp that shows soonest that the log's state existed."""
        return min(self.times, key=lambda one: one.latest, default=None)

    @property
    def not_before(self) -> StampTime | None:
        """The stamp that shows latest what is no older. Means something only after `require_since_before`."""
        return max((one for _, one in self.since), key=lambda one: one.earliest, default=None)

    def bounds_hold(self, started: datetime, finished: datetime) -> bool:
        """Whether what a clock told lies within the stamps' bounds, give or take what clocks differ. True without stamps."""
        before, after = self.existed_by, self.not_before
        early = after is not None and started < after.earliest - CLOCKS_DIFFER
        late = before is not None and finished > before.latest + CLOCKS_DIFFER
        return not early and not late

    def _witness_words(self) -> str:
        names = witness_names(self.cosignatures)
        if not names:
            return "unwitnessed"
        if self.witnessed:
            return f"witnessed by {', '.join(names)}"
        return f"unwitnessed: {len(names)} of {self.trust.quorum} witnesses signed ({', '.join(names)})"

    def require_continues(self, later: AnchorChecks, where: str) -> None:
        """Raise `BrokenChain` unless the versions of the trust root here are the first ones of a later anchor."""
        own, other = [root.pin for root in self.roots], [root.pin for root in later.roots]
        if own != other[: len(own)]:
            raise BrokenChain(where, "it rests on another trust root.")

    def facts(self) -> tuple[Fact, ...]:
        """For the eye. Only after every step has passed."""
        words = self._witness_words()
        found = [
            Fact("Trust root", f"version {self.trust.body.version}, {root_key_words(self.trust)}"),
            Fact("Witnesses", words[:1].upper() + words[1:]),
        ]
        if self.not_before is not None:
            moment = for_people(format_instant(self.not_before.earliest))
            found.append(Fact("Ordered after", f"{moment} (time-stamped by {self.not_before.authority})"))
        if self.existed_by is not None:
            moment = for_people(format_instant(self.existed_by.latest))
            found.append(Fact("Existed before", f"{moment} (time-stamped by {self.existed_by.authority})"))
        return tuple(found)

    def proven(self) -> tuple[str, ...]:
        """What the checks have shown. Only after every step has passed."""
        found = []
        if self.witnessed:
            names = witness_names(self.cosignatures)
            latest = max(signature.time or 0 for signature in self.cosignatures)
            moment = for_people(format_instant(datetime.fromtimestamp(latest, UTC))) if latest else "no stated time"
            found.append(
                f"{len(names)} witnesses ({', '.join(names)}) signed the same state of the log, the last at {moment}: "
                "it was not shown to them differently."
            )
        found += [
            f"The log's state existed by {for_people(format_instant(one.latest))}: {one.authority} stamped it."
            for one in self.times
        ]
        if self.not_before is not None:
            moment = for_people(format_instant(self.not_before.earliest))
            found.append(
                f"The order, and so its run, is not older than {moment}: a stamp that {self.not_before.authority} made then "
                "stood in the log before the order."
            )
        return tuple(found)

    def not_proven(self) -> tuple[str, ...]:
        """What nobody can read out of this anchor. Only after every step has passed."""
        found = []
        if not self.witnessed:
            found.append(
                "Unwitnessed: no sufficient number of witnesses outside the issuing organization has signed the log's state; "
                "compare it with a checkpoint of your own."
            )
        if not self.times:
            found.append(
                "No time-stamp authority outside the issuing organization has stamped the log's state: when it existed is the "
                "issuer's own word."
            )
        if self.trust.body.threshold == 1:
            found.append(
                f"One root key alone could sign another trust root ({root_key_words(self.trust)}): "
                "whoever holds it, and that may be the service itself, can replace every other key."
            )
        if self.trust.witness_keys or self.trust.time_authorities:
            found.append(
                "That no witness's line or time-stamp was left out of this file: whoever handed it on could do that."
            )
        found.append(f"Keys revoked after log entry {self.checkpoint.size - 1} are not known to this file.")
        return tuple(found)


def root_key_words(trust: TrustRoot) -> str:
    """How many root keys there are, and how many must sign: `2 of 3 root keys must sign`."""
    count = len(trust.root_keys)
    return f"{trust.body.threshold} of {count} root {'key' if count == 1 else 'keys'} must sign"


def witness_names(cosignatures: tuple[NoteSignature, ...]) -> tuple[str, ...]:
    """The different witnesses that signed, in their order."""
    return tuple(dict.fromkeys(signature.key.name for signature in cosignatures))
