"""Repeats the draw of a sample, from the signed closing of the lot and the log's own state at that closing. Pure."""

from __future__ import annotations

from . import sampling
from .bundle import decode_hashes
from .canonical import from_base64
from .custody import LotClosing
from .envelope import envelope_digest, open_envelope
from .errors import BrokenChain
from .files import SampleFile
from .sampling import SampleDrawn
from .times import for_people
from .tlog import verify_consistency
from .verify_anchor import AnchorChecks
from .verify_run import check_logged
from .verify_steps import Fact, Step


class SampleChecks:
    """The checks on one draw, as steps that share what they found."""

    def __init__(self, evidence: SampleFile, pin: str) -> None:
        self.evidence = evidence
        self.anchor = AnchorChecks(evidence.anchor, pin)
        self.closing: LotClosing
        self.document: SampleDrawn

    def steps(self) -> list[Step]:
        """Every check, in order."""
        return [
            *self.anchor.steps(),
            Step("closing", "The service signed and logged the closing of the lot", self._closing),
            Step("statement", "The service signed and logged the draw", self._statement),
            Step("seed", "The seed is the log at that closing", self._seed),
            Step("draw", "The same devices are drawn again", self._draw),
        ]

    def _closing(self) -> str:
        item = self.evidence.closing
        check_logged(item, "custody", self.anchor.checkpoint)
        keys = self.anchor.trust.keys("acceptance", item.index)
        body, _ = open_envelope(item.envelope, keys, "custody", exact=True)
        self.closing = LotClosing.from_dict(body, "closing")
        return f"Lot {self.closing.lot}, {len(self.closing.devices)} devices, log entry {item.index}."

    def _statement(self) -> str:
        item = self.evidence.statement
        check_logged(item, "custody", self.anchor.checkpoint)
        keys = self.anchor.trust.keys("acceptance", item.index)
        body, _ = open_envelope(item.envelope, keys, "custody", exact=True)
        self.document = SampleDrawn.from_dict(body, "sample")
        if item.index <= self.evidence.closing.index:
            raise BrokenChain("sample", "it was drawn before the lot was closed.")
        return f"Sample {self.document.id}, log entry {item.index}."

    def _seed(self) -> str:
        seed, state = self.document.seed, self.anchor.checkpoint
        if seed.origin != state.origin:
            raise BrokenChain("seed", "it names another log.")
        proof = decode_hashes(self.evidence.seed_proof, "seed_proof")
        verify_consistency(seed.size, state.size, from_base64(seed.root, "seed.root"), state.root, proof)
        return f"The log of {seed.size} entries, continued without a change."

    def _draw(self) -> str:
        item = self.evidence.closing
        sampling.check(self.document, self.closing, envelope_digest(item.envelope), item.index)
        return f"{len(self.document.drawn)} of {len(self.document.population)} devices, {self.document.percent} %."

    def answer(self) -> tuple[bool, str]:
        """Whether it is a full yes, and the conclusion."""
        drawn, population = len(self.document.drawn), len(self.document.population)
        return True, f"YES: these {drawn} of {population} devices, and no others, follow from the log at the closing."

    def facts(self) -> tuple[Fact, ...]:
        """For the eye. Only after every step has passed."""
        document = self.document
        by_number = {member.device: member for member in self.closing.devices}
        found = [
            Fact("Sample", document.id),
            Fact("Lot", f"{document.lot} ({self.closing.name}), closing {document.closing}"),
            Fact("Closed", for_people(self.closing.time)),
            Fact("Drawn", for_people(document.time)),
            Fact("Share", f"{document.percent} %, {len(document.drawn)} of {len(document.population)}"),
        ]
        for number, device in enumerate(document.drawn, 1):
            member = by_number[device]
            found.append(Fact(f"Device {number}", f"{member.device} {member.asset_tag}".strip()))
        return (*found, *self.anchor.facts())

    def proven(self) -> tuple[str, ...]:
        """What the checks have shown. Only after every step has passed."""
        return (
            "The list of devices was signed and in the log before the seed existed; the draw follows from both.",
            *self.anchor.proven(),
        )

    def not_proven(self) -> tuple[str, ...]:
        """What nobody can read out of this file. Only after every step has passed."""
        return (
            "That the lot was not closed again and again until a draw suited: closings are numbered, and each is logged.",
            "That these devices were examined: the readings and reports about them say so.",
            *self.anchor.not_proven(),
        )
