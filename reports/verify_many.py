"""What the checks on a lot and on a processor's statement share: a signed, logged document about a list of media. Pure."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, Literal

from .envelope import open_envelope
from .errors import BrokenChain
from .files import LotFile, ProcessorFile
from .media import annex_digest
from .verify_anchor import AnchorChecks
from .verify_media import Beside, MediaChecks, nothing_beside
from .verify_run import check_logged
from .verify_steps import Step


class ManyMediaChecks(ABC):
    """The checks on one document about many media, as steps that share what they found."""

    evidence: LotFile | ProcessorFile

    def __init__(self, evidence: LotFile | ProcessorFile, pin: str, beside: Beside = nothing_beside) -> None:
        self.anchor = AnchorChecks(evidence.anchor, pin)
        self.media = MediaChecks(self.anchor, evidence.annex, evidence.members)
        self._pin = pin
        self._beside = beside

    @property
    @abstractmethod
    def signed(self) -> tuple[str, Literal["inside", "beside"]]:
        """What the signed document says of its media: the digest of their list, and where their evidence is."""

    @abstractmethod
    def content(self) -> str:
        """Whether the document says what follows from its media; in words, how it stands."""

    def statement_body(self) -> Mapping[str, Any]:
        """The document, once it is known to be signed by the service and in the log."""
        item = self.evidence.statement
        check_logged(item, "statement", self.anchor.checkpoint)
        keys = self.anchor.trust.keys("acceptance", item.index)
        body, _ = open_envelope(item.envelope, keys, "statement", exact=True)
        return body

    def media_steps(self, follows: str) -> list[Step]:
        """The checks on its media; `follows` says of the document that it says what follows from them."""
        return [
            Step("annex", "The list of media is the one that was signed", self._annex),
            Step("certificates", "Each medium's own certificate is in the log", self._certificates),
            Step("content", follows, self.content),
            Step("media", "The evidence of each medium holds", self._media),
        ]

    def _annex(self) -> str:
        if annex_digest(self.evidence.annex) != self.signed[0]:
            raise BrokenChain("annex", "the list of media is not the one that was signed.")
        return f"{len(self.evidence.annex)} media."

    def _certificates(self) -> str:
        return self.media.check_documents(self.evidence.statement.index)

    def _media(self) -> str:
        return self.media.check_bundles(self.signed[1], self._pin, self._beside)
