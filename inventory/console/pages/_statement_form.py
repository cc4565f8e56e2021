"""The form of a processor's statement, and what was typed into it."""

from __future__ import annotations

from datetime import datetime

from inventory.console.forms import Form, Option
from inventory.console.language.catalogs import TONGUES
from inventory.console.language.speaking import say_in
from inventory.console.sheets import Field
from inventory.services import processors
from reports.statements import Answer

_ANSWERS: dict[str, Answer] = {"Yes": "yes", "No": "no", "Unknown": "unknown"}
"""Whether all is gone there: a word, which counts in every language of the console."""
_PARTS = 5
"""Of a line about a sub-processor."""


def statement_fields(sets: tuple[Option, ...], signers: tuple[Option, ...]) -> tuple[Field, ...]:
    """The fields of the form."""
    return (
        Field(kind="text", name="controller", label="Controller", limit=200),
        Field(kind="text", name="controller_address", label="Its address", required=False),
        Field(kind="text", name="controller_contact", label="Its contact", required=False),
        Field(kind="text", name="agreement", label="Agreement", hint="Reference of the contract under Article 28(3).", limit=200),
        Field(kind="day", name="concluded", label="Concluded", required=False),
        Field(kind="day", name="ended", label="Services ended"),
        Field(
            kind="choices", name="choice", label="The controller's choice",
            options=(Option("delete", "Delete"), Option("return", "Return, and delete copies")),
        ),
        Field(kind="ticks", name="data_sets", label="Data sets", options=sets),
        Field(
            kind="area", name="deleted", label="Deleted", required=False,
            hint="What was deleted and how it was checked. You attest it in your own name, for each data set above.",
        ),
        Field(kind="area", name="returned", label="Returned", required=False, hint="What was handed back, to whom and how."),
        Field(kind="text", name="returned_devices", label="Media handed over with the data", required=False, limit=2000),
        Field(kind="select", name="kept_set", label="Retained: data set", options=sets, blank="Nothing", required=False),
        Field(kind="text", name="kept_what", label="Retained: what", required=False),
        Field(kind="text", name="kept_law", label="Retained: the law that requires it", required=False),
        Field(kind="day", name="kept_until", label="Retained: until", required=False),
        Field(kind="text", name="kept_devices", label="Retained: on which media", required=False, limit=2000),
        Field(
            kind="area", name="subs", label="Sub-processors", required=False, limit=4000,
            hint="One a line: name; what for; yes, no or unknown; number of its statement; SHA-256 of it.",
        ),
        Field(
            kind="select", name="responsible", label="Responsible", options=signers, blank="Choose",
            hint="Signs with a key of the published roster.",
        ),
    )  # fmt: skip


def statement_from(
    typed: Form, sets: tuple[Option, ...], signers: tuple[Option, ...], now: datetime
) -> processors.PrepareStatement | None:
    """What was typed; None where something is wrong with it."""
    chosen = tuple(one for one in typed.values.getlist("data_sets") if one in {option.value for option in sets})
    if not chosen:
        typed.fail("data_sets", "Choose at least one data set.")
    ended = typed.day("ended", "On which day did the services end? Write YYYY-MM-DD.")
    controller = typed.text("controller", "Name the controller.", limit=200)
    agreement = typed.text("agreement", "Give the agreement's reference.", limit=200)
    responsible = typed.one_of("responsible", signers, "Choose who is responsible.")
    concluded = typed.day("concluded")
    retained, subs = _retained(typed, sets), _subs(typed)
    if ended is None or not typed.ok:
        return None
    return processors.PrepareStatement(
        controller=controller,
        controller_address=typed.text("controller_address", limit=200),
        controller_contact=typed.text("controller_contact", limit=200),
        agreement=agreement,
        concluded=concluded,
        ended=ended,
        choice="return" if typed.value("choice") == "return" else "delete",
        data_sets=chosen,
        responsible=responsible,
        done=_done(typed, chosen, now),
        retained=retained,
        sub_processors=subs,
    )


def _done(typed: Form, chosen: tuple[str, ...], now: datetime) -> tuple[processors.DoneInput, ...]:
    deleted, returned = typed.text("deleted", limit=500), typed.text("returned", limit=500)
    devices = tuple(typed.value("returned_devices").split())
    found = [processors.DoneInput(kind="deleted", data_set=one, text=deleted, time=now) for one in chosen if deleted]
    found += [
        processors.DoneInput(kind="returned", data_set=one, text=returned, time=now, devices=devices)
        for one in chosen
        if returned
    ]
    return tuple(found)


def _retained(typed: Form, sets: tuple[Option, ...]) -> tuple[processors.RetainedInput, ...]:
    kept = typed.value("kept_set")
    if not kept:
        return ()
    typed.one_of("kept_set", sets, "Choose a data set.")
    what = typed.text("kept_what", "Say what is kept.", limit=200)
    until = typed.day("kept_until", "Until which day? Write YYYY-MM-DD.")
    if until is None:
        return ()
    law, devices = typed.text("kept_law", limit=200), tuple(typed.value("kept_devices").split())
    return (processors.RetainedInput(data_set=kept, what=what, law=law, until=until, devices=devices),)


def _subs(typed: Form) -> tuple[processors.SubProcessorInput, ...]:
    found = []
    for line in typed.value("subs").splitlines():
        parts = [part.strip() for part in line.split(";")]
        if not any(parts):
            continue
        parts += [""] * (_PARTS - len(parts))
        answer = _answer(parts[2] or "unknown")
        if answer is None or len(parts) > _PARTS:
            typed.fail(
                "subs", "One a line: name; what for; yes, no or unknown; number of its statement; SHA-256 of it."
            )
            continue
        found.append(
            processors.SubProcessorInput(
                name=parts[0], role=parts[1], complete=answer, evidence=parts[3], evidence_sha256=parts[4]
            )
        )
    return tuple(found)


def _answer(typed: str) -> Answer | None:
    said = {str(say_in(tongue, word)).lower(): answer for tongue in TONGUES for word, answer in _ANSWERS.items()}
    return said.get(typed.lower())
