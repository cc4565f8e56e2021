"""What every PDF takes: the language of its pages."""

from __future__ import annotations

from inventory.contract.v1.common import Message
from reports.language import Language


class PdfQuery(Message):
    """Query of a PDF."""

    language: Language | None = None
    """Of the pages; left out: the one the document was printed in first. What is signed and attached is English in any."""
