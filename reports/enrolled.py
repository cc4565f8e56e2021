"""The keys of agents and approvers, as the key events of the log bring them into force and take them out of it.

The log index is the time axis: a key counts for what was accepted after its enrolment and below its end or revocation, so that a
key stolen later does not hurt older records. A revocation may reach back; an end lies ahead.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, Self

from .canonical import from_base64, to_base64
from .envelope import open_envelope, signer_ids
from .errors import BrokenChain, KeyNotValid, UnknownKey
from .keys import load_public_key, verifying_keys
from .passkeys import ApproverKey, load_approver_key
from .statements import KEY_CHANGE, KeyChange, KeyEvent
from .times import parse_instant
from .trust import TrustRoot

EnrolledRole = Literal["agent", "approver"]


@dataclass(frozen=True)
class EnrolledKey:
    """A key of an agent or approver and the log positions at which its statements count."""

    key: ApproverKey
    """An agent's is never a passkey."""
    role: EnrolledRole
    ref: str
    enrolled_at: int
    valid_below: int | None
    """Set once revoked."""
    until: int | None = None
    """Set once it was given an end, or another key took its place."""

    def check(self, role: EnrolledRole, index: int) -> Self:
        """Raise `KeyNotValid` unless a statement in this role, accepted at this log index, counts."""
        problem = ""
        if self.role != role:
            problem = f"it is enrolled as {self.role}"
        elif index <= self.enrolled_at:
            problem = f"it was enrolled only at index {self.enrolled_at}"
        elif self.valid_below is not None and index >= self.valid_below:
            problem = f"it is revoked from index {self.valid_below} on"
        elif self.until is not None and index >= self.until:
            problem = f"it ended at index {self.until}"
        if problem:
            raise KeyNotValid(self.key.key_id, role, index, problem)
        return self

    def ending(self, until: int) -> Self:
        """The key with an end, which only ever comes earlier."""
        return replace(self, until=until if self.until is None else min(until, self.until))

    def revoked(self, below: int) -> Self:
        """The key revoked from an index on, which only ever comes earlier."""
        return replace(self, valid_below=below if self.valid_below is None else min(below, self.valid_below))


class KeyDirectory:
    """The keys that key events brought into force and took out of it, in the order of the log."""

    def __init__(self, trust: TrustRoot, *, whole_log: bool = False) -> None:
        """Begin with nobody.

        Args:
            trust: the trust root in force.
            whole_log: every key event of a log will be added: those signed by an enrolment key of the trust root that did not
                count any more (it was stolen) are left out of account, and named in `disregarded`, instead of being refused.
        """
        self._trust = trust
        self._whole_log = whole_log
        self._keys: dict[str, EnrolledKey] = {}
        self._last = 0
        self.disregarded: list[int] = []
        """Log indices."""

    def add(self, envelope: Mapping[str, Any], index: int) -> KeyEvent | KeyChange | None:
        """Take in the key event logged at `index`; events come in log order.

        Returns:
            What it says; None where it was left out of account.

        Raises:
            BadSignature, UnknownKey: not signed by an enrolment key that counts at `index`.
            BrokenChain: out of order, a key enrolled twice, or a change of a key that is not enrolled.
        """
        event = self._opened(envelope, index)
        if event is None:
            return None
        parse_instant(event.time, "key-event.time")
        key = _load(event.role, from_base64(event.spki, "key-event.spki"))
        if index <= self._last:
            raise BrokenChain("key events", "they are not in the order of the log.")
        self._last = index
        if isinstance(event, KeyChange):
            self._change(event, key, index)
        else:
            self._take(event, key, index)
        return event

    def _opened(self, envelope: Mapping[str, Any], index: int) -> KeyEvent | KeyChange | None:
        keys = self._trust.keys("enrolment", index)
        if self._whole_log and not keys.keys() & set(signer_ids(envelope)):
            ever = verifying_keys(*(from_base64(key.spki) for key in self._trust.body.keys if key.role == "enrolment"))
            open_envelope(envelope, ever, "key-event", exact=True)
            self.disregarded.append(index)
            return None
        body, _ = open_envelope(envelope, keys, "key-event", exact=True)
        return read_key_event(body)

    def _take(self, event: KeyEvent, key: ApproverKey, index: int) -> None:
        known = self._keys.get(key.key_id)
        if event.event == "enrol":
            if known is not None or event.valid_below is not None:
                raise BrokenChain("key events", f"key {key.key_id[:16]}… is enrolled twice, or within limits.")
            self._keys[key.key_id] = EnrolledKey(key, event.role, event.ref, index, None)
            return
        below = index if event.valid_below is None else event.valid_below
        if known is None or (known.role, known.ref) != (event.role, event.ref) or not 0 <= below <= index:
            raise BrokenChain("key events", f"key {key.key_id[:16]}… is revoked, but not as it was enrolled.")
        self._keys[key.key_id] = known.revoked(below)

    def _change(self, event: KeyChange, key: ApproverKey, index: int) -> None:
        if event.event == "rotate":
            ending = None if event.replaces is None else self._keys.get(event.replaces)
            if key.key_id in self._keys:
                raise BrokenChain("key events", f"key {key.key_id[:16]}… is enrolled twice.")
        else:
            ending = self._keys.get(key.key_id)
        fits = (
            ending is not None and (ending.role, ending.ref) == (event.role, event.ref) and ending.valid_below is None
        )
        if (
            ending is None
            or not fits
            or event.until_index < index
            or (event.event == "expire") != (event.replaces is None)
        ):
            raise BrokenChain("key events", f"a key of {event.ref} is changed, but not as it was enrolled.")
        self._keys[ending.key.key_id] = ending.ending(event.until_index)
        if event.event == "rotate":
            self._keys[key.key_id] = EnrolledKey(key, event.role, event.ref, index, None)

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
    """The body of a key event for a key: DER SubjectPublicKeyInfo, or a passkey's document; checked to be a usable one."""
    _load(role, spki_der)
    return KeyEvent(event=event, role=role, ref=ref, spki=to_base64(spki_der), time=time, valid_below=valid_below)


def key_change(
    event: Literal["rotate", "expire"],
    role: EnrolledRole,
    ref: str,
    spki_der: bytes,
    time: str,
    *,
    until_index: int,
    replaces: str | None = None,
) -> KeyChange:
    """The body of a key event that replaces a key, or gives it an end."""
    _load(role, spki_der)
    spki = to_base64(spki_der)
    return KeyChange(event=event, role=role, ref=ref, spki=spki, replaces=replaces, until_index=until_index, time=time)


def _load(role: EnrolledRole, data: bytes) -> ApproverKey:
    """A key for a role: only people have passkeys. Raises `MalformedDocument`."""
    return load_approver_key(data) if role == "approver" else load_public_key(data)


def read_key_event(body: Mapping[str, Any]) -> KeyEvent | KeyChange:
    """A key event of either schema. Raises `MalformedDocument`."""
    if body.get("schema") == KEY_CHANGE:
        return KeyChange.from_dict(dict(body), "key-event")
    return KeyEvent.from_dict(dict(body), "key-event")
