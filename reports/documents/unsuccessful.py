"""The pages of a report of an unsuccessful sanitization. Pure."""

from __future__ import annotations

from typing import Any

from reports import claims, drive_words
from reports.bundle import UnsuccessfulRunBundle
from reports.by_hand_words import by_hand_words
from reports.certificate import reasons_against
from reports.envelope import unverified_body
from reports.findings.techniques import by_drive
from reports.health_words import health_words
from reports.language import ENGLISH, Speaker
from reports.links import Basis
from reports.self_test_words import self_test_words
from reports.statements import UnsuccessfulRun
from reports.verdict import judge

from .sheet import Row, command_cells, medium_name, read_basis, sheet, stated


def unsuccessful_view(bundle: UnsuccessfulRunBundle, speaker: Speaker = ENGLISH) -> dict[str, Any]:
    """A report of an unsuccessful sanitization."""
    basis = read_basis(bundle, bundle.validation)
    document = UnsuccessfulRun.from_dict(unverified_body(bundle.report.envelope, "statement"), "report")
    device, run, say = basis.record.device, basis.record.run, speaker.say
    unreported = say("common.not-reported")
    outcome = judge(basis.record).outcome
    shared = sheet(
        speaker,
        "unsuccessful",
        bundle,
        number=document.number,
        issued=document.issued,
        organization=document.organization,
        index=bundle.report.index,
        attachment="unsuccessful-run.json",
    )
    return shared | {
        "alarm": say("unsuccessful.not-accepted")
        if outcome
        == "sanitized"  # by its record; the decision, or what the service found when it took it in, is against it
        else say("unsuccessful.alarm", outcome=speaker.word("ended", outcome)),
        "touched": speaker.word("touched", run.touched, speaker.word("touched", "unknown")),
        "reasons": reasons_against(basis, speaker),
        "name": medium_name(speaker, device.vendor or "", device.model or "", device.media),
        "serial": stated(device.serial or "", unreported),
        "medium": [
            Row(say("common.manufacturer"), stated(device.vendor or "", unreported)),
            Row(say("common.model"), stated(device.model or "", unreported)),
            Row(say("common.serial"), stated(device.serial or "", unreported), mono=True),
            Row(say("common.asset-tag"), stated(document.asset_tag, say("common.none-assigned")), mono=True),
            Row(say("common.media-type"), speaker.word("media", device.media, device.media)),
            Row(say("common.capacity"), speaker.size(device.capacity_bytes)),
            Row(say("common.source"), stated(document.source, say("common.not-stated"))),
        ],
        "work": _work_rows(speaker, basis),
        "commands": command_cells(speaker, basis),
        "reported_by": document.reported_by,
        "validation": basis.validation,
        "decided": "" if basis.validation is None else speaker.word("decided", basis.validation.decision),
    }


def _work_rows(speaker: Speaker, basis: Basis) -> list[Row]:
    record, run, say = basis.record, basis.record.run, speaker.say
    check = record.verification
    requested = say(
        "unsuccessful.requested-by",
        method=speaker.word("level", record.method.requested, record.method.requested),
        technique=drive_words.technique_words(record.method.technique, speaker),
        patterns=record.method.pattern_set,
    )
    extent = speaker.word("extent", check.kind, check.kind)
    return [
        Row(say("unsuccessful.requested"), requested),
        Row(say("unsuccessful.written"), _written(speaker, basis)),
        Row(say("unsuccessful.read-back"), f"{extent}, {speaker.size(check.bytes_read)}"),
        Row(say("common.started"), speaker.moment(run.started)),
        Row(say("unsuccessful.ended"), speaker.moment(run.finished)),
        Row(say("common.host"), record.host.name),
        Row(say("common.tool"), record.tool),
        Row(say("common.self-test"), self_test_words(record, speaker)),
        *([Row(say("common.carried-leave"), by_hand_words(record, speaker))] if record.order.by_hand else []),
        *([Row(say("common.health"), health_words(record, speaker))] if record.health else []),
        Row(say("unsuccessful.order"), basis.order.id),
    ]


def _written(speaker: Speaker, basis: Basis) -> str:
    passes, say = basis.record.method.passes, speaker.say
    if not passes:
        return say("unsuccessful.nothing")
    if by_drive(basis.record.method.technique):
        return say("unsuccessful.canaries", size=speaker.size(sum(one.bytes_written for one in passes)))
    return "; ".join(
        say(
            "unsuccessful.pass",
            number=one.number,
            size=speaker.size(one.bytes_written),
            content=claims.pattern_words(one.pattern, speaker),
        )
        for one in passes
    )
