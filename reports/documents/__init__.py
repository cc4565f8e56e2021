"""What the pages say: from evidence to the words and rows that templates lay out. Pure; decides nothing, draws nothing.

Everything here comes from the evidence file that is attached to the PDF, so that whoever holds the PDF can find each printed word
in it. What follows from a record is derived anew, in the language of the page, by the functions that derived what is signed; what
people wrote is printed as they signed it. Empty text prints as "not stated" or "not reported", never as something nicer.

Another kind of document adds its view and its template to `PAGES`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from reports.bundle import DestructionBundle, ErasureStatementFile, UnsuccessfulRunBundle
from reports.errors import MalformedDocument
from reports.files import DestructionFile, EvidenceFile, LotFile, ProcessorFile
from reports.language import Speaker

from .certificate import certificate_view
from .destruction import destruction_view
from .lot import lot_view
from .processor import processor_view
from .sheet import PersonBlock, Row
from .statement import statement_view
from .unsuccessful import unsuccessful_view

__all__ = ["PAGES", "PersonBlock", "Row", "certificate_view", "page_of", "statement_view", "unsuccessful_view"]

PAGES: Final[tuple[tuple[type[EvidenceFile], str, Callable[[Any, Speaker], dict[str, Any]]], ...]] = (
    (DestructionBundle, "certificate.html", certificate_view),
    (UnsuccessfulRunBundle, "unsuccessful.html", unsuccessful_view),
    (ErasureStatementFile, "statement.html", statement_view),
    (LotFile, "lot.html", lot_view),
    (ProcessorFile, "processor.html", processor_view),
    (DestructionFile, "destruction.html", destruction_view),
)
"""Kind of file, template, and what the template is given."""


def page_of(file: EvidenceFile, speaker: Speaker) -> tuple[str, dict[str, Any]]:
    """The template of a file and what it says, in the speaker's language. Raises `MalformedDocument`."""
    for kind, template, view in PAGES:
        if isinstance(file, kind):
            return template, view(file, speaker)
    raise MalformedDocument("file", "no document is printed of this format")
