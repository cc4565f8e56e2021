"""The pages of a processor's statement under Article 28(3)(g) GDPR. Pure."""

from __future__ import annotations

from typing import Any

from reports.envelope import signer_ids, unverified_body
from reports.files import ProcessorFile
from reports.language import ENGLISH, Speaker
from reports.personal import read_signatures
from reports.processor import ProcessorFacts, ProcessorInput, ProcessorStatement, derived_open
from reports.statements import Organization

from .media import annex, exception_lines, key_words
from .sheet import Row, sheet, stated


def processor_view(file: ProcessorFile, speaker: Speaker = ENGLISH) -> dict[str, Any]:
    """A processor's statement."""
    document = ProcessorStatement.from_dict(unverified_body(file.statement.envelope, "statement"), "statement")
    facts, say = document.facts, speaker.say
    shared = sheet(
        speaker,
        "processor",
        file,
        number=document.number,
        issued=document.issued,
        organization=document.organization,
        index=file.statement.index,
        attachment="processor-statement.json",
    )
    if not facts.complete:
        shared["title"] = say("processor.title-report")
    signed = read_signatures(file.signatures)[0]
    return shared | {
        "complete": facts.complete,
        "lead": say(f"processor.lead-{facts.choice}"),
        "agreement": facts.agreement.reference,
        "parties": _parties(speaker, facts),
        "open": _open(speaker, file, facts),
        "retained": [(one, speaker.day(one.until)) for one in facts.retained],
        "exceptions": exception_lines(speaker, file),
        "counts": [
            (say(f"media.outcome-{name}"), number)
            for name, number in facts.counts.to_dict().items()
            if name != "total" and number
        ],
        "done": [(one, say(f"processor.kind-{one.kind}"), speaker.day(one.time)) for one in facts.done],
        "subs": [(one, speaker.word("answer", one.complete)) for one in facts.sub_processors],
        "responsible": facts.responsible,
        "signature": say(
            "processor.signed", moment=speaker.moment(signed.time), key=key_words(signer_ids(file.signatures[0])[0])
        ),
        "evidence": say(f"media.evidence-{facts.evidence}"),
        "annex": annex(speaker, file.annex),
    }


def _parties(speaker: Speaker, facts: ProcessorFacts) -> list[Row]:
    say, agreement = speaker.say, facts.agreement
    return [
        Row(say("processor.row-controller"), _organization(facts.controller)),
        Row(say("processor.row-processor"), _organization(facts.processor)),
        Row(say("processor.row-agreement"), agreement.reference),
        Row(
            say("processor.row-concluded"),
            speaker.day(agreement.concluded) if agreement.concluded else say("common.not-stated"),
        ),
        Row(say("processor.row-ended"), speaker.day(agreement.ended)),
        Row(say("processor.row-choice"), say(f"processor.choice-{facts.choice}")),
        Row(say("processor.row-data-sets"), ", ".join(facts.data_sets)),
        Row(say("processor.row-as-of"), speaker.moment(facts.prepared)),
    ]


def _organization(one: Organization) -> str:
    return ", ".join(word for word in (one.name, one.unit, one.address, one.contact) if stated(word, ""))


def _open(speaker: Speaker, file: ProcessorFile, facts: ProcessorFacts) -> list[tuple[str, str, str]]:
    """What is open: what follows from the rest in the language of the page, the rest as it was signed."""
    derived = derived_open(ProcessorInput.of(facts, 0), file.annex)
    told = [(speaker.tell(where), speaker.tell(what), speaker.tell(why)) for where, what, why in derived]
    return told + [(one.where, one.what, one.why) for one in facts.open[len(derived) :]]
