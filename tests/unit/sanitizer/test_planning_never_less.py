"""For any drive: what is planned reaches what was asked, and nothing in it is refused."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sanitizer.capability import (
    AtaCapabilities,
    Capabilities,
    HiddenCapacity,
    MmcCapabilities,
    NvmeCapabilities,
    NvmeNamespaceFacts,
    OpalCapabilities,
    SanitizePhase,
    SanitizeStanding,
    ScsiCapabilities,
    Tri,
)
from sanitizer.errors import NoTechnique
from sanitizer.planning import ANSWERS, DISPUTES, HOST, SCOPES, Plan, PlanRequest, plan
from sanitizer.planning.order import BY_NAME_ONLY
from sanitizer.techniques import TECHNIQUES
from sanitizer.techniques.base import Technique
from tests.support.made_up_drives import DRIVE
from tests.support.pretend_techniques import PRETENDED

RANK = {"clear": 1, "purge": 2, "destroy": 3}
CATALOGUES: list[Mapping[str, Technique]] = [PRETENDED, TECHNIQUES]

tri = st.sampled_from(list(Tri))
number = st.none() | st.integers(0, 1 << 40)


def some(kind: type, **fields: Any) -> st.SearchStrategy[Any]:  # noqa: ANN401 - strategies of different types
    """Any value of a dataclass: three answers everywhere, numbers that may be missing."""
    by_type: dict[str, Any] = {"Tri": tri, "int | None": number, "bytes": st.just(b""), "str | None": st.none()}
    names = {f.name: fields[f.name] if f.name in fields else by_type[str(f.type)] for f in dataclasses.fields(kind)}
    return st.builds(kind, **names)


SANE = {"identify": st.just(bytes(512)), "ext_csd": st.just(bytes(512))}
NAMESPACES = st.none() | st.lists(some(NvmeNamespaceFacts, nsid=st.integers(1, 4)), max_size=3).map(tuple)
CAPABILITIES = st.builds(
    Capabilities,
    path=st.sampled_from(["direct", "usb-bridge", "raid", "virtual", "unknown"]),
    standing=st.none()
    | st.builds(SanitizeStanding, phase=st.sampled_from(list(SanitizePhase)), progress=st.none(), raw=st.just(b"")),
    hidden=st.builds(HiddenCapacity, native_bytes=st.none(), present=tri, by=st.just(())),
    ata=st.none() | some(AtaCapabilities, identify=SANE["identify"]),
    scsi=st.none() | some(ScsiCapabilities),
    nvme=st.none()
    | some(
        NvmeCapabilities,
        namespaces=NAMESPACES,
        namespace_id=st.integers(1, 4),
        estimates=st.just((("block", 5),)),
        controller=st.just(bytes(4096)),
        namespace=st.just(bytes(4096)),
    ),
    mmc=st.none() | some(MmcCapabilities, areas=st.sampled_from([(), (("boot0", 1),)]), ext_csd=SANE["ext_csd"]),
    opal=st.none() | some(OpalCapabilities, removal_mechanisms=st.just(())),
)


@st.composite
def requests(draw: st.DrawFn) -> PlanRequest:
    names = ["auto", HOST, *PRETENDED]
    first, second = draw(st.sampled_from(names)), draw(st.sampled_from(["", *PRETENDED]))
    technique = f"{first}+{second}" if second and first != "auto" else first
    return PlanRequest(
        method=draw(st.sampled_from(list(RANK))),
        technique=technique,
        pattern_set="keyed-stream" if technique == HOST else "canaries",
        verification=draw(st.sampled_from(["none", "representative", "full"])),
        settings=tuple(draw(st.sets(st.sampled_from(sorted(DISPUTES))))),
        acknowledged_scope=tuple(draw(st.sets(st.sampled_from(sorted(SCOPES))))),
        answers=tuple(draw(st.sets(st.sampled_from(sorted(ANSWERS))))),
    )


def hold(planned: Plan, request: PlanRequest, found: Capabilities | None, catalogue: Mapping[str, Technique]) -> None:
    """What must be true of every plan."""
    assert RANK[planned.level] >= RANK[request.method]
    assert any(reach.level == planned.level for reach in planned.reaches)
    assert request.technique in {"auto", planned.technique}
    assert planned.digest == request.digest
    for step in planned.steps:
        if step != HOST:
            assert found is not None
            assert catalogue[step].refusals(found, planned.parameters) == ()
            assert request.verification != "none"


@settings(max_examples=200, deadline=None)
@pytest.mark.parametrize("catalogue", CATALOGUES, ids=["pretended", "real"])
@given(
    found=st.none() | CAPABILITIES,
    request_=requests(),
    media=st.sampled_from(["magnetic", "flash", "virtual", "unknown"]),
)
def test_a_plan_reaches_what_was_asked_and_no_step_of_it_is_refused(
    catalogue: Mapping[str, Technique], found: Capabilities | None, request_: PlanRequest, media: str
) -> None:
    inspection = dataclasses.replace(DRIVE, capabilities=found, media=media)
    try:
        planned = plan(request_, inspection, catalogue)
    except NoTechnique:
        return
    hold(planned, request_, found, catalogue)
    assert plan(planned.explicit, inspection, catalogue).steps == planned.steps


@settings(max_examples=100, deadline=None)
@given(found=CAPABILITIES, media=st.sampled_from(["flash", "magnetic"]))
def test_auto_finds_whatever_a_name_would_find(found: Capabilities, media: str) -> None:
    """What auto leaves out by rule aside: if a technique purges by its name, auto purges too."""
    inspection = dataclasses.replace(DRIVE, capabilities=found, media=media)
    everything = PlanRequest(method="purge", pattern_set="canaries", acknowledged_scope=tuple(SCOPES))
    by_name = []
    for name in set(TECHNIQUES) - set(BY_NAME_ONLY):
        try:
            by_name.append(plan(dataclasses.replace(everything, technique=name), inspection))
        except NoTechnique:
            continue
    try:
        plan(dataclasses.replace(everything, technique="auto"), inspection)
    except NoTechnique:
        assert not by_name
    else:
        assert by_name
