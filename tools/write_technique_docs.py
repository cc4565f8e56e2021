"""Writes docs/techniques.md: the techniques and their levels from the code, and what was run from the lab's own list.

`docs/techniques-tested.json` is the list of cells that the lab leaves (`python -m tests.lab --write`): objects with the texts
`technique` (steps joined by +), `personality` (the kind of drive), `expected` and `observed` (outcomes in words), and `how` it
was run. What is not in it counts as not run.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from sanitizer.capability import Capabilities, HiddenCapacity, MmcCapabilities, Tri
from sanitizer.planning import (
    ANSWERS,
    COMBINATIONS,
    DISPUTES,
    HOST,
    KEYS,
    PASSWORD,
    SCOPES,
    candidates,
    is_sanitize,
)
from sanitizer.planning.order import BY_NAME_ONLY, FAMILIES, INTERFACES, NOT_SENT
from sanitizer.techniques import TECHNIQUES
from sanitizer.techniques.base import Parameters, Technique

ROOT = Path(__file__).resolve().parents[1]
TESTED = ROOT / "docs" / "techniques-tested.json"
MEDIA = ("magnetic", "flash", "virtual", "unknown")
NOT_RUN = "not run"
UNREADABLE_LIES = ("lies: spare blocks", "lies: unmaps only")
"""Parts of the names of drives whose lies lie where no host can look."""
_TITLES = {**FAMILIES, "luks": "Keys of a LUKS2 container"}
BY_SUITE = "loop devices, by the test suite"
"""How overwriting is run everywhere the tests run; the lab is for what needs drives."""

HEAD = """# Techniques

How a medium can be sanitized here, how far each technique gets on which medium, and on what each was run. Written from the code
and from the list the lab leaves behind ([techniques-tested.json](techniques-tested.json)); a test keeps all of them equal.

The methods are those of NIST SP 800-88 Rev. 2: **clear** (3.1.1) keeps data from whoever uses the drive's normal interface,
**purge** (3.1.2) from a laboratory as well, with the drive still usable; **destroy** (3.1.3) is never done by software. A level
below is what a completed and proven run of that technique reaches; a run that is not proven reaches nothing.

Whatever a drive says of its own work is not believed by itself. Before its command, marks only the run knows
([canaries](glossary.md)) are written over the blocks that will be read, or over a tenth of them at least; afterwards none
may be left. What no host can read (spare blocks, replaced sectors) cannot be checked by anybody through the drive's
interface: there, and only there, the level rests on the drive's standard and its maker.
"""
ORDER = """
## What `auto` takes

`--technique auto` takes the first of these that the drive has and that reaches the method; nothing below the method is ever
taken. Where the kind of medium is unknown, the order for flash counts.

| method | interface | magnetic | flash |
|---|---|---|---|
"""
COMBINED = """
## Combinations

Steps of one run are joined by `+`. A key goes first and what it was for after it, so that the last step leaves something that can
be read back; overwriting may precede any one technique of the drive. A combination reaches what its best step reaches.

"""
DISPUTED = """
## Disputed classifications

Readers of the standards do not agree on these. Without a setting the conservative answer counts. A setting (`--setting NAME`, or
a field of the order) is sealed with the plan and stands in the record and on the certificate.
"""
SCOPE = """
## What else a command can destroy

Some commands reach more than the device they are sent to. Each of these must be accepted by its word (`--accept-scope WORD`), or
the plan is refused.

| word | what it accepts |
|---|---|
"""
VOUCHED = """
## Keys destroyed by the host

`luks-crypto-erase` destroys every copy of the key of a LUKS2 container that lies on the whole device; what was stored stays
as ciphertext. No command of the drive does it and no canary proves it: the host overwrites everything before the ciphertext
and reads it back, twice, and shows that the rest is what it was ([adr/0023](adr/0023-keys-destroyed-by-the-host.md)). Read
from the medium, and refused where it does not hold: both headers sound and of one age, no reencryption, AES-XTS with a key of
256 or 512 bits, data to the end of the device, every key slot in the area that goes, and nothing behind it that is plainly no
ciphertext. Only a person can vouch for the rest (`--answer WORD`, once for each; SP 800-88 Rev. 2, 3.2.2), and the record
says so:

| word | what somebody vouches for |
|---|---|
"""
PERSISTENT = """
## Persistent memory

A namespace of persistent memory (`/dev/pmem0`) is overwritten like any block device, which clears it. It shows all of its
modules only in raw mode over a whole region; where it does not, the plan says so and the verdict is partial. The modules' own
commands are known by name and not carried out: there is nothing to run them on, so nothing could be shown of them.

| technique | why it is refused, and what to do instead |
|---|---|
"""
HIDING = """
## Drives that hide something

**Blocks beyond the addressable range** (HPA, DCO, AMAX, the block descriptor of a SCSI disk) come first: while some are hidden,
nothing is planned, clear and purge alike. What is written by address would leave them, and what a sanitize command did to them
could not be read back. `sanitizer restore-capacity DEVICE` brings them back; it changes no data. A drive in failure mode is
sanitized before, because it takes nothing else.

A SCSI disk does not tell whether it hides blocks: its default block descriptor may be its current one. Told by
`restore-capacity` to show every block it has (MODE SELECT, all ones), a disk that accepts, and then tells the same number by
MODE SENSE and by READ CAPACITY (16), has no more (SBC-4), as long as no storage element was taken out of use, which is asked
too. That is kept on the host, and the runs that follow count the capacity as known; without it, what writes by address ends in
the verdict *unknown*.

**A medium behind TCG locking** (Opal: locked, shadowed, reverted half-way) takes no marks, so no run is planned, a revert
included. `sanitizer recover DEVICE --psid-file FILE` reverts the drive with the number on its label, against the same
obstacles as a run, keeps what was sent, and claims nothing. Then an ordinary run is planned. An ATA password of somebody
else's, or of ours, is taken away with `sanitizer unlock`.

**A drive that is pulled** in the middle of a run cuts it off; back on this host, the same drive's run goes on.
"""
UNSEEN = """
## What no reading can find out

Every lie about blocks a host can read is found out: the marks are still there, or something else is than should be. Three
things no host can see, and certificates list them as not covered, or as the drive's report:

- **Spare, replaced and over-provisioned blocks.** A drive that leaves stale copies there and says nothing looks like an
  honest one.
- **Blocks that are only unmapped.** After a deallocation a drive may answer without a look at its media. NVMe Sanitize is
  therefore asked to leave blocks allocated wherever they can be read afterwards: crypto erase and overwrite, unless the drive
  inhibits it; block erase where the drive says that it makes the media readable again (NODMMAS 10b). Elsewhere, and with every
  other block erase, the plan and the verdict say what reading proves.
- **Capacity a drive does not admit to**, by any question of the standards.

Whoever must exclude these has the medium destroyed. Below, a success over such a lie is marked (!).
"""
RUN = """
## What was run

Every cell below is one run of this program against one kind of drive, and what came of it; "expected" was written down before.
*How* says on what: `in-process` is an emulated drive asked directly, `vm-6.1` an emulated drive under a real Linux 6.1 kernel
and its drivers. An emulated drive does what the standards say, or breaks them in one known way; it cannot show what a maker's
firmware does. A dash, or what is not here, was not run; overwriting alone is run on loop devices by the test suite.
"""


class Cell(NamedTuple):
    """One run of the lab."""

    technique: str
    personality: str
    expected: str
    observed: str
    how: str


def cells() -> list[Cell]:
    """What the lab has run; nothing when it has left no list."""
    if not TESTED.exists():
        return []
    return [Cell(**each) for each in json.loads(TESTED.read_text(encoding="utf-8"))]


def _ideal() -> Capabilities:
    """For levels that depend on the drive: the best case, which the table's text does not go beyond."""
    mmc = MmcCapabilities(
        ext_csd=b"", sanitize=Tri.YES, secure_erase=Tri.YES, secure_trim=Tri.YES, erased_byte=0, areas=()
    )
    hidden = HiddenCapacity(native_bytes=None, present=Tri.NO, by=())
    return Capabilities(path="direct", standing=None, hidden=hidden, mmc=mmc)


def level(technique: Technique, media: str) -> str:
    """How far it gets on this medium, with the setting that would raise it."""
    conservative = technique.reach(_ideal(), media, Parameters()).level
    for dispute in DISPUTES.values():
        raised = technique.reach(_ideal(), media, Parameters(settings=(dispute.name,)))
        if technique.name in dispute.techniques and raised.level != conservative:
            return f"{conservative} [(\\*)](#{dispute.name})"
    return conservative


def how_run(technique: str, tested: Sequence[Cell]) -> str:
    """On what it was run, and how many cells came out as expected; combinations count for themselves."""
    mine = [cell for cell in tested if cell.technique == technique]
    words = []
    for how in sorted({cell.how for cell in mine}):
        of_kind = [cell for cell in mine if cell.how == how]
        good = sum(cell.expected == cell.observed for cell in of_kind)
        words.append(f"{how}: {good} of {len(of_kind)} as expected")
    words += [BY_SUITE] if technique == HOST else []
    return "; ".join(words) or NOT_RUN


def _marks(technique: Technique) -> str:
    alone = "goes on after a power cut" if technique.resumes else "a power cut leaves it half done"
    marks = [
        "after a power cut the run goes on" if technique.name == KEYS else alone,
        "reaches beyond the device" if technique.destroys_neighbours else "",
        "sets a password first" if technique.name in PASSWORD else "",
        "leads out of failure mode" if is_sanitize(technique.name) else "",
        "only by name" if technique.name in BY_NAME_ONLY else "",
    ]
    return ", ".join(mark for mark in marks if mark)


def levels(tested: Sequence[Cell]) -> Iterator[str]:
    """Technique x medium x level x tested how."""
    yield "\n## Technique, medium, level\n"
    yield f"| technique | what it is | {' | '.join(MEDIA)} | to know | run |"
    yield f"|---|---|{'---|' * len(MEDIA)}---|---|"
    host = " | ".join("clear" for _ in MEDIA)
    yield f"| `{HOST}` | the host writes every block it can address | {host} | | {how_run(HOST, tested)} |"
    for technique in TECHNIQUES.values():
        reached = " | ".join(level(technique, media) for media in MEDIA)
        run = how_run(technique.name, tested)
        yield (
            f"| `{technique.name}` | {technique.title} ({technique.clause}) | {reached} | {_marks(technique)} | {run} |"
        )
    yield "\n(\\*) disputed: a setting raises it to purge; see below."


def order() -> Iterator[str]:
    """Which technique is tried before which."""
    yield ORDER.rstrip("\n")
    for method in ("clear", "purge"):
        for interface in INTERFACES:
            columns = []
            for media in ("magnetic", "flash"):
                names = ("+".join(steps) for steps in candidates(method, media, (interface,), ()))
                kept = [name for name in names if method == "clear" or name != HOST]
                columns.append(", ".join(f"`{name}`" for name in kept))
            if interface in {"nvme", "mmc"}:
                columns[0] = "-"
            yield f"| {method} | {FAMILIES[interface]} | {columns[0]} | {columns[1]} |"
    left_alone = [f"- `{name}`: {reason}." for name, reason in BY_NAME_ONLY.items() if name in TECHNIQUES]
    yield from ("", *left_alone) if left_alone else ()


def combinations(tested: Sequence[Cell]) -> Iterator[str]:
    """Which steps may follow one another."""
    yield COMBINED.rstrip("\n") + "\n"
    yield "| steps | run |\n|---|---|"
    firsts = sorted("+".join(steps) for steps in COMBINATIONS)
    others = sorted({cell.technique for cell in tested if cell.technique.startswith(f"{HOST}+")})
    for name in (*firsts, *others):
        yield f"| `{name}` | {how_run(name, tested)} |"
    if not others:
        yield f"| `{HOST}+...` | {NOT_RUN} |"


def disputes() -> Iterator[str]:
    """Every setting, explained."""
    yield DISPUTED.rstrip("\n")
    for each in DISPUTES.values():
        yield f"\n### {each.name}\n"
        yield f"{each.question} **{each.conservative}**\n"
        yield f"- Why it is disputed: {each.clause}"
        yield f"- When it is set: {each.consequence}"
        missing = [name for name in each.techniques if name not in TECHNIQUES]
        names = ", ".join(
            f"`{name}`" + (" (not part of this version)" if name in missing else "") for name in each.techniques
        )
        yield f"- It decides about: {names}"


def run(tested: Sequence[Cell]) -> Iterator[str]:
    """Every cell: one table an interface, drives down, techniques across."""
    yield RUN.rstrip("\n") + "\n"
    if not tested:
        yield "The lab has left no list: nothing is claimed to have been run."
        return
    bad = sum(cell.expected != cell.observed for cell in tested)
    yield f"{len(tested)} cells, {bad} of them not as expected."
    for how in sorted({cell.how for cell in tested}):
        for family in sorted({_family(cell) for cell in tested if cell.how == how}):
            mine = [cell for cell in tested if (cell.how, _family(cell)) == (how, family)]
            yield f"\n### {_TITLES.get(family, family)}, {how}\n"
            yield from _matrix(mine)


def _family(cell: Cell) -> str:
    return cell.technique.removeprefix(f"{HOST}+").split("-", maxsplit=1)[0]


def _matrix(tested: Sequence[Cell]) -> Iterator[str]:
    names = sorted({cell.technique for cell in tested}, key=lambda name: (name.count("+"), name))
    found = {(cell.technique, cell.personality): cell for cell in tested}
    yield f"| drive | {' | '.join(f'`{name}`' for name in names)} |"
    yield f"|---|{'---|' * len(names)}"
    for drive in dict.fromkeys(cell.personality for cell in tested):
        yield f"| {drive} | {' | '.join(_shown(found.get((name, drive))) for name in names)} |"


def unseen(cell: Cell) -> bool:
    """Whether a success stands over a lie that no reading can find out."""
    return cell.observed == "succeeded" and any(word in cell.personality for word in UNREADABLE_LIES)


def _shown(cell: Cell | None) -> str:
    if cell is None:
        return "-"
    if unseen(cell) and cell.observed == cell.expected:
        return f"{cell.observed} (!)"
    return cell.observed if cell.observed == cell.expected else f"**{cell.observed}** instead of {cell.expected}"


def page() -> str:
    """The whole document."""
    tested = cells()
    parts = [HEAD.rstrip("\n"), *levels(tested), *order(), *combinations(tested), *disputes()]
    parts += [SCOPE.rstrip("\n"), *(f"| `{word}` | {text} |" for word, text in SCOPES.items())]
    parts += [VOUCHED.rstrip("\n"), *(f"| `{word}` | {text} |" for word, text in ANSWERS.items())]
    parts += [
        PERSISTENT.rstrip("\n"),
        *(f"| `{name}` | {why[:1].upper()}{why[1:]}. |" for name, why in NOT_SENT.items()),
    ]
    parts += [HIDING.rstrip("\n"), UNSEEN.rstrip("\n")]
    return "\n".join([*parts, *run(tested)]) + "\n"


def main() -> None:
    """Write the page."""
    (ROOT / "docs" / "techniques.md").write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
