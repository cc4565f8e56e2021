"""What a new version of the trust root changes, in plain words, for the people who sign it. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from .canonical import from_base64
from .keys import fingerprint_words, key_id
from .times import for_people
from .tlog.notes import ALGORITHMS, parse_vkey
from .trust_body import AnyTrustRootBody, RoleKey, TimeAuthority, TrustRootBody, Witnesses

_DUTIES = {
    "acceptance": "signs orders, acceptances, certificates and statements",
    "enrolment": "enrols and revokes the keys of agents and approvers",
}


def changes(before: tuple[AnyTrustRootBody, str] | None, body: TrustRootBody) -> list[str]:
    """What the proposed version changes against the one in force (body and pin), a line each."""
    found = [f"Trust root of the log {body.log.origin}, version {body.version}, proposed {for_people(body.issued)}."]
    if before is None:
        found.append("It is the first version: nothing vouches for it but the people who sign.")
    else:
        old, pin = before
        found.append(f"It follows version {old.version}, whose pin is {fingerprint_words(pin)}.")
        found.append("Compare that pin with the one you know before you sign.")
    said = [
        *_root_words(None if before is None else before[0], body),
        *_log_words(None if before is None else before[0], body),
        *_key_words(() if before is None else before[0].keys, body.keys),
        *_witness_words(_witnesses(before), body.witnesses),
        *_authority_words(_authorities(before), body.time_authorities),
        *_seal_words(before, body),
    ]
    return [*found, *(said or ["Nothing else changes."])]


def _witnesses(before: tuple[AnyTrustRootBody, str] | None) -> Witnesses:
    return before[0].witnesses if before is not None and isinstance(before[0], TrustRootBody) else Witnesses()


def _authorities(before: tuple[AnyTrustRootBody, str] | None) -> tuple[TimeAuthority, ...]:
    return before[0].time_authorities if before is not None and isinstance(before[0], TrustRootBody) else ()


def _root_words(old: AnyTrustRootBody | None, new: TrustRootBody) -> list[str]:
    before = () if old is None else old.root_keys
    found = [f"ROOT KEY added: {_print(spki)}" for spki in new.root_keys if spki not in before]
    found += [f"ROOT KEY removed: {_print(spki)}" for spki in before if spki not in new.root_keys]
    rule = f"{new.threshold} of {len(new.root_keys)} root keys must sign later versions"
    if old is None:
        found.append(f"{rule}.")
    elif (old.threshold, len(old.root_keys)) != (new.threshold, len(new.root_keys)):
        found.append(f"{rule}; until now {old.threshold} of {len(old.root_keys)}.")
    return found


def _log_words(old: AnyTrustRootBody | None, new: TrustRootBody) -> list[str]:
    before = () if old is None else old.log.vkeys
    found = [f"LOG KEY added: {_vkey(vkey)}" for vkey in new.log.vkeys if vkey not in before]
    found += [
        f"LOG KEY removed: {_vkey(vkey)}: what it signed before stays valid, nothing later."
        for vkey in before
        if vkey not in new.log.vkeys
    ]
    return found


def _key_words(before: Sequence[RoleKey], now: Sequence[RoleKey]) -> list[str]:
    known = {key.spki: key for key in before}
    found = []
    for key in now:
        old = known.get(key.spki)
        if old is None:
            found.append(
                f"KEY added: {key.role} {key.name!r} {_print(key.spki)}: {_DUTIES[key.role]}, from log entry {key.from_index} on."
            )
        elif old.until_index != key.until_index:
            found.append(
                f"KEY ended: {key.role} {key.name!r} {_print(key.spki)}: what it signed from log entry {key.until_index} on "
                "does not count."
            )
    return found


def _witness_words(before: Witnesses, now: Witnesses) -> list[str]:
    found = [f"WITNESS added: {_vkey(vkey)}" for vkey in now.vkeys if vkey not in before.vkeys]
    found += [f"WITNESS removed: {_vkey(vkey)}" for vkey in before.vkeys if vkey not in now.vkeys]
    if before.quorum != now.quorum:
        found.append(
            f"A state of the log counts as witnessed once {now.quorum} different witnesses signed it (until now {before.quorum})."
            if now.quorum
            else "No witness is named any more: states of the log are unwitnessed."
        )
    return found


def _authority_words(before: Sequence[TimeAuthority], now: Sequence[TimeAuthority]) -> list[str]:
    old, new = {one.name: one for one in before}, {one.name: one for one in now}
    found = [f"TIME AUTHORITY added: {name}: {_anchors(new[name])}." for name in new if name not in old]
    found += [f"TIME AUTHORITY removed: {name}." for name in old if name not in new]
    found += [
        f"TIME AUTHORITY changed: {name}: {_anchors(new[name])}."
        for name in new
        if name in old and new[name] != old[name]
    ]
    return found


def _anchors(authority: TimeAuthority) -> str:
    prints = ", ".join(fingerprint_words(key_id(from_base64(one))) for one in authority.certificates)
    return f"certificates with the SHA-256 {prints}; policy {authority.policy or 'any'}"


def _seal_words(before: tuple[AnyTrustRootBody, str] | None, new: TrustRootBody) -> list[str]:
    pinned = fingerprint_words(new.pdf_authority.sha256)
    if before is None:
        return [f"SEAL: PDFs are sealed under certificates of the authority with the SHA-256 {pinned}."]
    old = before[0]
    if not isinstance(old, TrustRootBody):
        return [f"SEAL: PDFs are sealed under certificates of an authority from now on, with the SHA-256 {pinned}."]
    if old.pdf_authority == new.pdf_authority:
        return []
    return [f"SEAL changed: the authority of the certificates that seal PDFs has the SHA-256 {pinned} from now on."]


def _print(spki: str) -> str:
    return fingerprint_words(key_id(from_base64(spki)))


def _vkey(vkey: str) -> str:
    key = parse_vkey(vkey)
    return f"{key.name}, {ALGORITHMS[key.algorithm]}, {key.key_hash.hex()}"
