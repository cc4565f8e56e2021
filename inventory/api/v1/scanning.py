"""Labels with QR codes, and codes that were read from them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from inventory.api.dispatch import Call
from inventory.api.endpoint import READERS, File, Noun
from inventory.api.paging import Text
from inventory.contract.v1.common import Message
from inventory.contract.v1.travel import ScanLookup
from inventory.errors import Invalid, NotFound, Unavailable
from inventory.services import scanning
from reports.language import Language

noun = Noun("labels", "Labels with QR codes for devices, containers and lots, and what a code that was read is.")


class LabelQuery(Message):
    """Which labels; every parameter but sheet and skip may be given several times."""

    device: frozenset[Text] = frozenset()
    container: frozenset[Text] = frozenset()
    lot: frozenset[Text] = frozenset()
    contents: bool = False
    """The devices of these lots and containers, too."""
    sheet: Literal["70x37", "63x38", "48x25", "105x74"] = "70x37"
    skip: Annotated[int, Field(ge=0, le=39)] = 0
    """Labels of the first sheet that are gone already."""
    language: Language | None = None
    """Of the words on them; left out: that of documents."""


@noun.get(
    "/labels.pdf", "Labels as PDF", READERS, media_type="application/pdf", raises=(Invalid, NotFound, Unavailable)
)
def get_labels(call: Call, query: LabelQuery) -> File:
    """On A4 sheets as they are sold. A label shows number, asset tag and model: no serial number, no data set."""
    command = scanning.PrintLabels(
        devices=tuple(sorted(query.device)),
        containers=tuple(sorted(query.container)),
        lots=tuple(sorted(query.lot)),
        contents=query.contents,
        sheet=query.sheet,
        skip=query.skip,
        language=query.language,
    )
    return File(scanning.labels(call.context, call.actor, command), "application/pdf", "labels.pdf")


@noun.post("/scans", "What codes are", READERS, raises=(Invalid, NotFound))
def look_up_codes(call: Call, body: ScanLookup) -> scanning.ScanResult:
    """Changes nothing. Compared with a lot, container or place, it names what was not read."""
    return scanning.look_up(call.context, call.actor, scanning.LookUp(**body.model_dump()))
