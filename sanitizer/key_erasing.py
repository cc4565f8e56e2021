"""A run that destroys the keys of a container and leaves its ciphertext: look, write over the keys, read them back, look again.

Canaries prove nothing here: what a key encrypted stays. Proven is instead that every byte of the key area took a stream nobody
can foresee and gave it back, and took zeros and gave those back; that no header stands at any place where one may; and that the
rest of the medium is, region for region, the ciphertext it was before. Why in this order, says docs/adr/0023.
"""

from __future__ import annotations

import dataclasses
import hashlib
from typing import Any

from .ciphertext import CiphertextReader, digest_of, regions_of
from .container import Container
from .content import FixedSource, KeyedSource
from .errors import ByteRange, Inconclusive, NoTechnique, SanitizerError
from .hooks import ask
from .meter import Meter
from .patterns import Fixed, Keyed
from .planning import KEYS
from .ranges import bounded, total
from .readback import Verifier
from .results import Work
from .run import KeyErasure, RunEvent, VerificationFacts
from .sampling import Selection, select
from .stretch import Stretch
from .transport.memory import AlignedBuffer
from .wire.luks2 import BINARY_BYTES, COPY_SIZES, magic_of

LABEL = "zeros+ciphertext"
"""What the last read-back looks for: zeros in the key area, and behind it what was there before."""
STREAM_PASS, ZERO_PASS = 1, 2
_ZEROS = Fixed(b"\0")


class KeyStretch(Stretch):
    """One stretch of a run that destroys keys."""

    _facts_of_keys: KeyErasure | None = None
    _before_digests: tuple[str, ...] = ()
    _regions: tuple[ByteRange, ...] = ()
    _unstored: tuple[ByteRange, ...] = ()
    """Parts of the key area that did not give back the stream."""

    # --- what is known when it begins ---

    def _beginning(self) -> dict[str, Any]:
        return {**super()._beginning(), "steps": list(self._clearance.plan.steps)}

    def _prepare_work(self, master: bytes) -> None:  # noqa: ARG002 - the stream follows from its key alone
        survey = next((e for e in reversed(self._journal.entries) if e["kind"] == "surveyed"), None)
        if survey is not None and self._touched != "no":
            self._facts_of_keys = KeyErasure.from_dict(survey["keys"])
            self._before_digests = tuple(survey["digests"])
            self._plan_reading(self._facts_of_keys.area[1])
        self._teller.passes = 2

    def _plan_reading(self, area_bytes: int) -> None:
        """Which regions are read, and how much work that is in all."""
        block = self._clearance.identity.logical_block_bytes
        chosen = select(self._request.verification, self._size, block, self._seed)
        if chosen is None:
            raise NoTechnique(reasons=(f"{KEYS}: there is no such run without verification",))
        self._selection = chosen
        self._regions = regions_of(chosen, area_bytes, self._size, self._medium_floor())
        survey = total(self._regions) + area_bytes
        self._teller.meter = Meter(pass_bytes=area_bytes, passes=2, verify_bytes=2 * survey + area_bytes)

    def _medium_floor(self) -> int:
        identity = self._clearance.identity
        return max(identity.logical_block_bytes, identity.physical_block_bytes)

    @property
    def _keys(self) -> KeyErasure:
        if self._facts_of_keys is None:
            raise RuntimeError("nothing was surveyed")
        return self._facts_of_keys

    @property
    def _area(self) -> Selection:
        return Selection(kind="full", seed=None, regions=(self._keys.area,))

    # --- the course ---

    def _work(self) -> None:
        if self._touched == "no":
            self._survey()
        self._first_write()
        self._move(RunEvent.MARKED)
        for number, content in ((STREAM_PASS, Keyed()), (ZERO_PASS, _ZEROS)):
            if number > len(self._passes):
                self._write_pass(number, content, (self._keys.area,))
            if number == STREAM_PASS:
                self._stored()
        self._move(RunEvent.WRITTEN)
        self._medium.check()
        self._medium.flush()
        self._note("settled")
        self._move(RunEvent.SETTLED)
        self._verify()

    def _fit_container(self) -> Container:
        """The container as it is on the open descriptor now. Raises `NoTechnique` when a condition does not hold."""
        technique = self._system.technique(KEYS)
        capabilities = self._system.inspect_open(self._held).capabilities
        container = capabilities.container if capabilities is not None else None
        reasons = () if capabilities is None else technique.refusals(capabilities, self._clearance.plan.parameters)
        if container is None or reasons:
            told = reasons or ("the container that was planned for is not there",)
            raise NoTechnique(reasons=tuple(f"{KEYS}: {reason}" for reason in told))
        return container

    def _survey(self) -> None:
        """Read the data area before anything is changed, and refuse what is no ciphertext."""
        container = self._fit_container()
        self._plan_reading(container.key_area_bytes)
        reader = CiphertextReader(self._medium, self._regions, self._crew, looking=True)
        self._teller.meter.begin_check(0)
        self._teller.done = lambda: reader.done_bytes
        reader.run()
        self._stop_here()
        _require_ciphertext(reader)
        area = self._area_digest(container.key_area_bytes)
        if self._fit_container() != container:
            raise NoTechnique(reasons=(f"{KEYS}: the container changed while it was being read",))
        self._facts_of_keys = KeyErasure(
            container="luks2",
            uuid=container.uuid,
            cipher=container.cipher,
            key_bits=container.key_bits,
            keyslots=container.keyslots,
            area=(0, container.key_area_bytes),
            area_sha256_before=area,
            area_stored_bytes=0,
            ciphertext_regions=len(self._regions),
            ciphertext_bytes=total(self._regions),
            ciphertext_uniform_bytes=reader.found.uniform_bytes,
            ciphertext_sha256_before=digest_of(self._regions, reader.found.digests),
            ciphertext_sha256_after=None,
            answers=tuple(sorted(self._request.answers)),
            setting=self._setting(),
        )
        self._before_digests = tuple(reader.found.digests)
        self._note("surveyed", keys=dataclasses.asdict(self._keys), digests=list(self._before_digests))
        if self._hooks.before_first_write is not None:
            ask(self._hooks.before_first_write)  # reading took its time, and what was asked before it may be old by now
        self._prove()

    def _setting(self) -> str | None:
        return next((reach.setting for reach in self._clearance.plan.reaches if reach.setting), None)

    def _area_digest(self, area_bytes: int) -> str:
        digest = hashlib.sha256()
        step = self._medium.block_bytes
        buffer = AlignedBuffer(step)
        for at in range(0, area_bytes, step):
            length = min(step, area_bytes - at)
            if not self._medium.read(buffer.view, at, length):
                raise NoTechnique(
                    reasons=(f"{KEYS}: parts of the key area cannot be read, so nobody could see them gone",)
                )
            digest.update(buffer.view[:length])
        return digest.hexdigest()

    def _stored(self) -> None:
        """Whether the key area gave back what nobody could foresee: then its blocks were written, and where they should be."""
        noted = next((e for e in reversed(self._journal.entries) if e["kind"] == "stored"), None)
        if noted is None:
            source = KeyedSource(self._key, STREAM_PASS, through_gcm=self._through_gcm)
            verifier = Verifier(self._medium, source, self._area, self._crew)
            self._medium.renew_budget()
            self._teller.meter.begin_check(total(self._regions) + self._keys.area[1])
            self._teller.done = lambda: verifier.done_bytes
            verifier.run()
            self._stop_here()
            if not verifier.found.completed:
                raise Inconclusive(reason="the key area could not be read back after the first pass")
            wrong = bounded([*verifier.found.residual.result(), *verifier.found.unreadable.result()])
            self._note("stored", wrong=wrong)
        else:
            wrong = tuple((start, end) for start, end in noted["wrong"])
        self._unstored = wrong
        stored = self._keys.area[1] - total(wrong)
        self._facts_of_keys = dataclasses.replace(self._keys, area_stored_bytes=stored)

    # --- the proof ---

    def _verify(self) -> None:
        """The key area in full, every place of a header, and the ciphertext again."""
        area, regions = self._area, self._regions
        chosen = self._selection  # samples inside the key area are read with it, which is read in full
        self._note("verifying", selection=chosen.kind, regions=len(chosen.regions), regions_sha256=chosen.sha256)
        self._medium.renew_budget()
        done = 2 * self._keys.area[1] + total(regions)
        self._teller.meter.begin_check(done + self._keys.area[1])
        keys = Verifier(self._medium, FixedSource(b"\0"), area, self._crew)
        rest = CiphertextReader(self._medium, regions, self._crew, looking=False)
        self._teller.done = lambda: keys.done_bytes + rest.done_bytes
        self._teller.errors = lambda: self._medium.errors + keys.findings
        strays: tuple[ByteRange, ...] = ()
        try:
            keys.run()
            self._stop_here()
            rest.run()
            strays = self._stray_headers()
        finally:
            self._put_down(keys, rest, strays)
        if not (keys.found.completed and rest.completed):
            self._stop_here()

    def _stray_headers(self) -> tuple[ByteRange, ...]:
        """Places where a copy of a header may stand (LUKS2 On-Disk Format, 3.1) and something with its magic does."""
        buffer = AlignedBuffer(BINARY_BYTES)
        found: list[ByteRange] = []
        for at in (0, *COPY_SIZES):
            if at + BINARY_BYTES > self._size:
                continue
            if not self._medium.read(buffer.view, at, BINARY_BYTES) or magic_of(buffer.view[:6]):
                found.append((at, at + BINARY_BYTES))
        return tuple(found)

    def _put_down(self, keys: Verifier, rest: CiphertextReader, strays: tuple[ByteRange, ...]) -> None:
        completed = keys.found.completed and rest.completed
        changed: tuple[ByteRange, ...] = ()
        if completed:
            changed = rest.changed(self._before_digests)
            after = digest_of(self._regions, rest.found.digests)
            self._facts_of_keys = dataclasses.replace(self._keys, ciphertext_sha256_after=after)
        unreadable = bounded([*keys.found.unreadable.result(), *rest.found.unreadable.result()])
        self._verification = VerificationFacts(
            kind=self._selection.kind,
            expected=LABEL,
            seed=self._selection.seed,
            regions=len(self._selection.regions),
            bytes_read=keys.bytes_read + rest.done_bytes - total(rest.found.unreadable.result()),
            residual=bounded([*keys.found.residual.result(), *changed, *strays]),
            unreadable=unreadable,
            regions_sha256=self._selection.sha256,
            completed=completed,
            direct_io=self._held.direct,
        )

    def _finding(self) -> SanitizerError | None:
        error = super()._finding()
        if error is None and self._unstored:
            count = total(self._unstored)
            return Inconclusive(
                reason=f"{count} bytes of the key area did not give back what was written to them first"
            )
        return error

    # --- the result ---

    def _expected(self) -> str:
        return LABEL

    def _done(self) -> Work:
        plan = self._clearance.plan
        return Work(steps=plan.steps, pattern_set=plan.patterns.label, key_erasure=self._facts_of_keys)


def _require_ciphertext(reader: CiphertextReader) -> None:
    """Raises `NoTechnique` where the data area holds what cannot be ciphertext, or cannot be read."""
    found = reader.found
    plain, unreadable = found.plain.result(), found.unreadable.result()
    reasons: list[str] = []
    if plain:
        reasons.append(
            f"{total(plain)} bytes of its data, the first at {plain[0][0]}, are no ciphertext: something was stored in plain"
        )
    if unreadable:
        reasons.append(
            f"{total(unreadable)} bytes of its data cannot be read, so nobody can say that they are ciphertext"
        )
    if not reader.completed and not reasons:
        reasons.append("its data could not be read to the end")
    if reasons:
        raise NoTechnique(reasons=tuple(f"{KEYS}: {reason}" for reason in reasons))
