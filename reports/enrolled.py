"""The keys of agents and approvers, as the key events of the log bring them into force and take them out of it.

The log index is the time axis: a key counts for what was accepted after its enrolment and below its revocation, so that a key
stolen later does not hurt older records.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self

from .canonical import from_base64, to_base64
from .envelope import open_envelope
from .errors import BrokenChain, KeyNotValid, UnknownKey
from .keys import VerifyingKey, load_public_key
from .statements import KeyEvent
from .times import parse_instant
from .trust import TrustRoot

EnrolledRole = Literal["agent", "approver"]


@dataclass(frozen=True)
class EnrolledKey:
    """A key of an agent or approver and the log positions at which its statements count."""

    key: VerifyingKey
    role: EnrolledRole
    ref: str
    enrolled_at: int
    valid_below: int | None
    """Set once revoked."""

    def check(self, role: EnrolledRole, index: int) -> Self:
        """Raise `KeyNotValid` unless a statement in this role, accepted at this log index, counts."""
        problem = ""
        if self.role != role:
            problem = f"it is enrolled as {self.role}"
        elif index <= self.enrolled_at:
            problem = f"it was enrolled only at index {self.enrolled_at}"
        elif self.valid_below is not None and index >= self.valid_below:
            problem = f"it is revoked from index {self.valid_below} on"
        if problem:
            raise KeyNotValid(self.key.key_id, role, index, problem)
        return self


class KeyDirectory:
    """The keys that key events brought into force and took out of it, in the order of the log."""

    def __init__(self, trust: TrustRoot) -> None:
        self._trust = trust
        self._keys: dict[str, EnrolledKey] = {}
        self._last = 0

    def add(self, envelope: Mapping[str, Any], index: int) -> KeyEvent:
        """Take in the key event logged at `index`; events come in log order.

        Raises:
            BadSignature, UnknownKey: not signed by an enrolment key that counts at `index`.
            BrokenChain: out of order, a key enrolled twice, or a revocation of a key that is not enrolled.
        """
        body, _ = open_envelope(envelope, self._trust.keys("enrolment", index), "key-event", exact=True)
        event = KeyEvent.from_dict(body, "key-event")
        parse_instant(event.time, "key-event.time")
        key = load_public_key(from_base64(event.spki, "key-event.spki"))
        if index <= self._last:
            raise BrokenChain("key events", "they are not in the order of the log.")
        self._last = index
        known = self._keys.get(key.key_id)
        if event.event == "enrol":
            if known is not None or event.valid_below is not None:
                raise BrokenChain("key events", f"key {key.key_id[:16]}… is enrolled twice, or within limits.")
            self._keys[key.key_id] = EnrolledKey(key, event.role, event.ref, index, None)
            return event
        below = index if event.valid_below is None else event.valid_below
        if known is None or (known.role, known.ref) != (event.role, event.ref) or not 0 <= below <= index:
            raise BrokenChain("key events", f"key {key.key_id[:16]}… is revoked, but not as it was enrolled.")
        earlier = below if known.valid_below is None else min(below, known.valid_below)
        self._keys[key.key_id] = EnrolledKey(key, known.role, known.ref, known.enrolled_at, earlier)
        return event

    def find(self, key_id: str, role: EnrolledRole, index: int) -> EnrolledKey:
        """The key, if a statement in this role accepted at this index counts. Raises `UnknownKey` or `KeyNotValid`."""
        known = self._keys.get(key_id)
        if known is None:
            raise UnknownKey(key_id, f"Key {key_id[:16]}… ({role}) was never enrolled.")
        return known.check(role, index)

    def all(self) -> tuple[EnrolledKey, ...]:
        """Every key ever enrolled, revoked ones included."""
        return tuple(self._keys.values())


def key_event(
    event: Literal["enrol", "revoke"],
    role: EnrolledRole,
    ref: str,
    spki_der: bytes,
    time: str,
    *,
    valid_below: int | None = None,
) -> KeyEvent:
    """The body of a key event for a key given as DER SubjectPublicKeyInfo (checked to be a usable one)."""
    load_public_key(spki_der)
    return KeyEvent(event=event, role=role, ref=ref, spki=to_base64(spki_der), time=time, valid_below=valid_below)
