"""Renewals: one newer stamp carries every older file, if the newer log contains it; anything else is no yes."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.canonical import canonical
from reports.errors import MalformedDocument, ReportError
from reports.renewals import RenewalPath, RenewalsFile, build_renewals, read_renewals
from reports.verify import verify
from tests.support.capabilities import requires_tool
from tests.support.dated import DatedWorld
from tests.support.evidence import certified

pytestmark = [pytest.mark.reference_tool, requires_tool("openssl")]


class Years:
    """A file of some years ago, what was logged since, and the renewals."""

    def __init__(self, folder: Path) -> None:
        self.world = world = DatedWorld(folder)
        self.old = certified(world).bundle().to_bytes()
        self.sizes = [len(world.log.entries)]
        for _ in range(5):
            world.add_roster()
            self.sizes.append(len(world.log.entries))
        proofs = {size: world.log.consistency(size) for size in self.sizes[:-1]}
        self.file = build_renewals(world.anchor(), proofs)
        self.young = certified(world, number="C-2026-000999").bundle().to_bytes()


@pytest.fixture(scope="module")
def years(tmp_path_factory: pytest.TempPathFactory) -> Years:
    return Years(tmp_path_factory.mktemp("years"))


def test_an_old_file_is_carried_by_a_newer_stamp(years: Years) -> None:
    renewals = read_renewals(years.file.to_bytes(), years.world.pin)
    result = verify(years.old, years.world.pin, renewals=renewals)
    assert result.yes
    assert result.checks[-1].code == "renewals"
    facts = {fact.label: fact.value for fact in result.facts}
    assert "time-stamped by Example Time" in facts["Stamped again"]
    assert any("contains the one this file rests on" in line for line in result.proven)


def test_a_younger_file_needs_none(years: Years) -> None:
    renewals = read_renewals(years.file.to_bytes(), years.world.pin)
    result = verify(years.young, years.world.pin, renewals=renewals)
    assert result.yes
    assert "needs none" in result.checks[-1].detail
    assert "Stamped again" not in {fact.label for fact in result.facts}


def test_a_state_they_say_nothing_about_is_no_yes(years: Years) -> None:
    less = build_renewals(years.file.anchor, {years.sizes[1]: years.world.log.consistency(years.sizes[1])[:0]})
    with pytest.raises(ReportError):
        read_renewals(less.to_bytes(), "0" * 64)
    none = dataclasses.replace(years.file, paths=(), hashes=())
    result = verify(years.old, years.world.pin, renewals=read_renewals(none.to_bytes(), years.world.pin))
    assert not result.yes
    assert "say nothing" in result.conclusion


def test_another_history_is_no_yes(years: Years, tmp_path: Path) -> None:
    other = Years(tmp_path)
    foreign = read_renewals(other.file.to_bytes(), other.world.pin)
    result = verify(years.old, years.world.pin, renewals=foreign)
    assert not result.yes
    assert "another log, or rest on another trust root" in result.conclusion
    with pytest.raises(ReportError):
        read_renewals(other.file.to_bytes(), years.world.pin)


def test_a_path_that_leads_elsewhere_is_no_yes(years: Years) -> None:
    first, second = years.file.paths[:2]
    crossed = dataclasses.replace(
        years.file,
        paths=(dataclasses.replace(first, nodes=second.nodes), *years.file.paths[1:]),
    )
    try:
        renewals = read_renewals(crossed.to_bytes(), years.world.pin)
    except MalformedDocument:
        return
    assert not verify(years.old, years.world.pin, renewals=renewals).yes


def _bad(years: Years) -> dict[str, RenewalsFile]:
    file = years.file
    one = file.paths[0]
    return {
        "no stamp": dataclasses.replace(file, anchor=dataclasses.replace(file.anchor, stamps=())),
        "a hash nobody needs": dataclasses.replace(file, hashes=(*file.hashes, file.hashes[0])),
        "a missing hash": dataclasses.replace(file, hashes=file.hashes[:-1]),
        "twice the same size": dataclasses.replace(file, paths=(one, *file.paths)),
        "out of order": dataclasses.replace(file, paths=tuple(reversed(file.paths))),
        "size nought": dataclasses.replace(file, paths=(RenewalPath(size=0, nodes=()), *file.paths)),
        "its own size": dataclasses.replace(file, paths=(*file.paths, RenewalPath(size=years.sizes[-1], nodes=()))),
        "negative places": dataclasses.replace(file, paths=(RenewalPath(size=one.size, nodes=(-1,)),)),
    }


CASES = (
    "no stamp",
    "a hash nobody needs",
    "a missing hash",
    "twice the same size",
    "out of order",
    "size nought",
    "its own size",
    "negative places",
)


@pytest.mark.parametrize("case", CASES)
def test_a_file_with_slack_is_refused(case: str, years: Years) -> None:
    bad = _bad(years)
    assert set(bad) == set(CASES)
    with pytest.raises(ReportError):
        read_renewals(bad[case].to_bytes(), years.world.pin)


def test_flipped_bits_fail(years: Years) -> None:
    data = years.file.to_bytes()
    for place in range(0, len(data), 53):
        altered = bytearray(data)
        altered[place] ^= 1 << (place % 7)
        try:
            renewals = read_renewals(bytes(altered), years.world.pin)
        except ReportError:
            continue
        # A hash is only wrong for the paths that use it: then no file that needs them is a yes.
        assert altered[data.index(b'"hashes"') :] != data[data.index(b'"hashes"') :]
        sizes = [size for size, path in renewals.paths.items() if path]
        assert sizes


def test_every_hash_counts_for_the_file_that_needs_it(years: Years) -> None:
    value = json.loads(years.file.to_bytes())
    needed = next(path for path in value["paths"] if path["size"] == years.sizes[0])["nodes"]
    assert needed
    for place in needed:
        altered = json.loads(years.file.to_bytes())
        altered["hashes"][place] = altered["hashes"][place][::-1].replace("=", "A")[:43] + "="
        try:
            renewals = read_renewals(canonical(altered), years.world.pin)
        except ReportError:
            continue
        assert not verify(years.old, years.world.pin, renewals=renewals).yes


@given(st.binary(max_size=200))
def test_garbage_is_refused(data: bytes) -> None:
    with pytest.raises(ReportError):
        read_renewals(data, "0" * 64)
