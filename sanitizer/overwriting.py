"""A run that overwrites: markers, passes, a flush, and the last pass read back."""

from __future__ import annotations

import dataclasses

from .content import MARKER_PASS, KeyedSource, drawn_bytes, source_of
from .markers import Markers
from .meter import Meter
from .patterns import Content, settled
from .readback import Verifier
from .results import Work
from .run import RunEvent
from .sampling import select
from .stretch import Stretch


class OverwriteStretch(Stretch):
    """One stretch of a run that overwrites."""

    _contents: tuple[Content, ...] = ()

    def _prepare_work(self, master: bytes) -> None:
        drawn = drawn_bytes(master, self._clearance.identity.fingerprint)
        self._contents = tuple(settled(template, drawn) for template in self._clearance.plan.patterns.passes)
        self._selection = select(
            self._request.verification, self._size, self._clearance.identity.logical_block_bytes, self._seed
        )
        self._teller.meter = Meter(
            pass_bytes=self._size,
            passes=len(self._contents),
            verify_bytes=self._selection.total_bytes if self._selection else 0,
        )
        self._teller.passes = len(self._contents)

    def _work(self) -> None:
        self._first_write()
        if self._markers is None:
            self._mark()
        self._move(RunEvent.MARKED)
        for number, content in enumerate(self._contents, start=1):
            if number > len(self._passes):
                self._write_pass(number, content)
        self._move(RunEvent.WRITTEN)
        self._medium.check()
        self._medium.flush()
        self._note("settled")
        self._move(RunEvent.SETTLED)
        self._verify()

    def _mark(self) -> None:
        source = KeyedSource(self._key, MARKER_PASS, through_gcm=self._through_gcm)
        magnetic = self._clearance.inspection.media == "magnetic"
        found = Markers(self._medium, source, self._seed, self._crew, magnetic=magnetic).run()
        self._touched = "yes"
        self._stop_here()
        self._markers = found
        self._note("marked", **dataclasses.asdict(found))

    def _verify(self) -> None:
        if self._selection is None:
            self._verification = self._unverified()
            return
        number = len(self._contents)
        source = source_of(self._contents[-1], self._key, number, through_gcm=self._through_gcm)
        self._teller.pass_number = number
        self._teller.meter.begin_verification()
        verifier = Verifier(self._medium, source, self._selection, self._crew)
        self._read_back(verifier, self._selection, self._expected())

    def _expected(self) -> str:
        return self._contents[-1].label if self._contents else self._request.pattern_set

    def _done(self) -> Work:
        plan = self._clearance.plan
        return Work(steps=plan.steps, pattern_set=plan.patterns.label)
