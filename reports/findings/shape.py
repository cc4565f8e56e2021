"""Findings about the record as a document: words, fields, digests, identity, times. Standard library only."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator

from reports.errors import MalformedDocument
from reports.language import said
from reports.record import SCHEMA, Part, SanitizationRecord
from reports.times import parse_instant

from .codes import COVERAGES, ENDINGS, KINDS, MEDIA, METHODS, NONCE, PATTERN, SHA256, STATES, Finding
from .techniques import SETTINGS, steps_of


def vocabulary(record: SanitizationRecord) -> Iterator[Finding]:
    """Words this version does not know."""
    words: list[tuple[str, str, bool]] = [
        ("schema", record.schema, record.schema == SCHEMA),
        ("device.kind", record.device.kind, record.device.kind in KINDS),
        ("device.media", record.device.media, record.device.media in MEDIA),
        (
            "device.hidden_capacity",
            record.device.hidden_capacity,
            record.device.hidden_capacity in {"yes", "no", "unknown"},
        ),
        ("method.requested", record.method.requested, record.method.requested in METHODS),
        ("method.technique", record.method.technique, steps_of(record.method.technique) is not None),
        ("verification.kind", record.verification.kind, record.verification.kind in COVERAGES),
        ("run.state", record.run.state, record.run.state in STATES),
        ("run.touched", record.run.touched, record.run.touched in {"no", "maybe", "yes"}),
        (
            "policy.required_method",
            record.policy.required_method,
            record.policy.required_method in METHODS | {"destroy"},
        ),
        (
            "policy.required_verification",
            record.policy.required_verification,
            record.policy.required_verification in COVERAGES,
        ),
    ]
    words += [
        (f"run.segments[{n}].ended_by", segment.ended_by, segment.ended_by in ENDINGS)
        for n, segment in enumerate(record.run.segments)
    ]
    words += [
        (f"method.passes[{n}].pattern", one.pattern, PATTERN.fullmatch(one.pattern) is not None)
        for n, one in enumerate(record.method.passes)
    ]
    words += [
        (f"method.commands[{n}].setting", one.setting, one.setting in SETTINGS)
        for n, one in enumerate(record.method.commands)
        if one.setting is not None
    ]
    for field, word, known in words:
        if not known:
            text = said("findings.unknown-word", word=word[:60], field=field)
            yield Finding("unknown-word", "unknown", text, (field,))


def newer_fields(part: Part, where: str) -> Iterator[Finding]:
    """Fields this version does not know, on every level."""
    for name in sorted(part.extra):
        text = said("findings.unknown-field", field=f"{where}.{name[:60]}")
        yield Finding("unknown-field", "unknown", text, (f"{where}.{name}".removeprefix("record."),))
    for name, value in part.levels():
        inner = value if isinstance(value, tuple) else (value,)
        for item in inner:
            if isinstance(item, Part):
                yield from newer_fields(item, f"{where}.{name}")


def digests(record: SanitizationRecord) -> Iterator[Finding]:
    """Digests, names and counters that are none."""
    required = {
        "order.sha256": record.order.sha256,
        "device.fingerprint": record.device.fingerprint,
        "method.plan_sha256": record.method.plan_sha256,
        "host.agent_key": record.host.agent_key,
        "host.machine_id_sha256": record.host.machine_id_sha256,
        "policy.sha256": record.policy.sha256,
        **{f"order.approvals[{n}]": digest for n, digest in enumerate(record.order.approvals)},
    }
    optional = {
        "previous": record.previous,
        "verification.regions_sha256": record.verification.regions_sha256,
        "run.identity_fingerprint_after": record.run.identity_fingerprint_after,
        **{f"method.passes[{n}].key_sha256": one.key_sha256 for n, one in enumerate(record.method.passes)},
    }
    stated = {**required, **{name: value for name, value in optional.items() if value is not None}}
    for field, digest in stated.items():
        if not SHA256.fullmatch(digest):
            yield Finding("digest-malformed", "unknown", said("findings.digest-malformed", field=field), (field,))
    needed = {
        "record_id": record.record_id,
        "order.id": record.order.id,
        "order.after_origin": record.order.after_origin,
        "order.after_root": record.order.after_root,
        "method.pattern_set": record.method.pattern_set,
        "host.name": record.host.name,
        "host.agent_version": record.host.agent_version,
        "policy.id": record.policy.id,
        "operator_ref": record.operator_ref,
        "tool": record.tool,
    }
    for field in [field for field, text in needed.items() if not text.strip()]:
        yield Finding("field-empty", "unknown", said("findings.field-empty", field=field), (field,))
    if not NONCE.fullmatch(record.order.nonce):
        yield Finding("digest-malformed", "unknown", said("findings.nonce-malformed"), ("order.nonce",))
    if record.host.sequence < 0 or record.order.after_size < 0:
        text = said("findings.counter-negative")
        yield Finding("facts-contradict", "unknown", text, ("host.sequence", "order.after_size"))
    if len(set(record.order.approvals)) != len(record.order.approvals):
        yield Finding("approvals-repeated", "unknown", said("findings.approvals-repeated"), ("order.approvals",))


def identity_fingerprint(record: SanitizationRecord) -> str:
    """The fingerprint that belongs to the record's identity fields.

    The same rule as the sanitizer's `DeviceIdentity.fingerprint`, written down twice because evidence must outlive the engine; a
    test keeps both equal. It ties the serial number a person reads to the fingerprint that was ordered and approved.
    """
    device = record.device
    told = {
        "sanitrail": "device-identity/1",
        "kind": device.kind,
        "vendor": device.vendor,
        "model": device.model,
        "serial": device.serial,
        "wwn": device.wwn,
        "eui64": device.eui64,
        "nguid": device.nguid,
        "capacity_bytes": device.capacity_bytes,
        "logical_block_bytes": device.logical_block_bytes,
    }
    return hashlib.sha256(json.dumps(told, sort_keys=True, separators=(",", ":")).encode("ascii")).hexdigest()


def device(record: SanitizationRecord) -> Iterator[Finding]:
    """Sizes, identity, and whether the fingerprint belongs to it."""
    device = record.device
    sizes = (device.capacity_bytes, device.logical_block_bytes, device.physical_block_bytes)
    if min(sizes) <= 0 or device.capacity_bytes % max(device.logical_block_bytes, 1):
        fields = ("device.capacity_bytes", "device.logical_block_bytes", "device.physical_block_bytes")
        yield Finding("capacity-unusable", "unknown", said("findings.capacity-unusable"), fields)
    if not any((device.serial, device.wwn, device.eui64, device.nguid)):
        names = ("device.serial", "device.wwn", "device.eui64", "device.nguid")
        text = said("findings.device-not-identified")
        yield Finding("device-not-identified", "unknown", text, names)
    if identity_fingerprint(record) != device.fingerprint:
        text = said("findings.fingerprint-does-not-fit")
        yield Finding("fingerprint-does-not-fit", "unknown", text, ("device.fingerprint",))


def times(record: SanitizationRecord) -> Iterator[Finding]:
    """Moments and their order."""
    run = record.run
    fields = ("run.started", "run.finished", "run.segments")
    try:
        edges = [parse_instant(run.started)]
        for segment in run.segments:
            edges += [parse_instant(segment.started), parse_instant(segment.finished)]
        edges.append(parse_instant(run.finished))
    except MalformedDocument:
        yield Finding("times-unusable", "unknown", said("findings.time-malformed"), fields)
        return
    if run.clock_synchronized is not True:
        text = said("findings.clock-unsynchronized")
        yield Finding("clock-unsynchronized", "caution", text, ("run.clock_synchronized",))
    elif edges != sorted(edges):
        yield Finding(
            "times-unusable",
            "unknown",
            said("findings.times-backwards"),
            fields,
        )
    if any(segment.monotonic_ms < 0 for segment in run.segments):
        yield Finding("times-unusable", "unknown", said("findings.stretch-negative"), ("run.segments",))
