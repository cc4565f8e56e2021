"""The pages of a customer's statement of erasure. Pure."""

from __future__ import annotations

import re
from typing import Any, Final

from reports.bundle import ErasureStatementFile
from reports.envelope import unverified_body
from reports.language import ENGLISH, Speaker
from reports.statements import ErasureStatement
from reports.verdict import judge

from .sheet import medium_name, read_basis, sheet, stated

_MEDIUM_OPEN: Final = re.compile(r"Medium (\S+) is ([a-z ]+); no validated record of its sanitization exists yet\.")


def statement_view(file: ErasureStatementFile, speaker: Speaker = ENGLISH) -> dict[str, Any]:
    """A customer's statement of erasure."""
    document = ErasureStatement.from_dict(unverified_body(file.statement.envelope, "statement"), "statement")
    details: dict[str, dict[str, str]] = {}
    for embedded in file.bundles:
        bundle = embedded.destruction_bundle()
        record = read_basis(bundle, bundle.validation).record
        verdict = judge(record)
        details[bundle.digest()] = {
            "done": speaker.say(
                "statement.done",
                method=speaker.word("method", verdict.method),
                verification=speaker.word("extent", verdict.coverage),
            ),
            "finished": speaker.day(record.run.finished),
            "media": record.device.media,
        }
    media = [
        {
            "name": medium_name(speaker, line.manufacturer, line.model, details[line.bundle_sha256]["media"]),
            "serial": stated(line.serial, speaker.say("common.not-reported")),
            "asset_tag": stated(line.asset_tag, speaker.say("common.none-assigned")),
            "data_set": line.data_set,
            "holding": speaker.word("holding", line.holding, line.holding),
            "certificate": line.certificate,
            **details[line.bundle_sha256],
        }
        for line in document.media
    ]
    shared = sheet(
        speaker,
        "statement",
        file,
        number=document.number,
        issued=document.issued,
        organization=document.organization,
        index=file.statement.index,
        attachment="erasure-statement.json",
    )
    return shared | {
        "case": document.case,
        "opened": speaker.day(document.opened),
        "due": speaker.day(document.due),
        "data_sets": ", ".join(document.data_sets),
        "complete": document.complete,
        "media": media,
        "attested": [(one, speaker.day(one.time)) for one in document.attested],
        "open": [
            (one, _kind(speaker, one.kind), _why(speaker, one.why), _due(speaker, one.due)) for one in document.open
        ],
        "responsible": document.responsible,
    }


def _kind(speaker: Speaker, kind: str) -> str:
    """What is to be done; words of no vocabulary are printed as they are."""
    told = kind.replace("_", " ").replace("-", " ")
    return speaker.word("obligation", told.replace(" ", "-"), told)


def _why(speaker: Speaker, text: str) -> str:
    """Why it is not done yet: a sentence of ours is said in the speaker's language, words of people stand as they are."""
    for key in ("statement.why-rows", "statement.why-backup"):
        if text == ENGLISH.say(key):
            return speaker.say(key)
    found = _MEDIUM_OPEN.fullmatch(text)
    state = speaker.word("state", found[2].replace(" ", "-"), "") if found else ""
    return speaker.say("statement.why-medium", device=found[1], state=state) if found and state else text


def _due(speaker: Speaker, text: str) -> str:
    """A due date; free words are printed as they are."""
    return speaker.day(text) if text.endswith("Z") else stated(text, speaker.say("statement.no-date"))
