"""What kinds of drives there are: each with one sentence, what is wrong with it, and what must come of each technique on it.

Expected outcomes are written by hand, from the standards and from what the product promises. Where only the first run under
a kernel showed which of two refusals or failures comes first, the word was corrected afterwards; never from failure to success.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from .drives.ata_identify import AtaModel
from .drives.faults import Faults
from .drives.nvme_identify import NvmeNamespace, NvmeTraits
from .drives.sat import SataDisk
from .drives.scsi_pages import ScsiModel
from .drives.sense import Layout
from .drives.usb_bridge import Habit, UsbBridge
from .emulated import MIB, Emulated, Kind, PacedClock, nvme, sas, sata

MEDIUM_MIB = 4
"""Small, because every request costs a millisecond under emulation, and what is proven does not depend on the size."""
HALF = MEDIUM_MIB * MIB // 2

SATA = (
    "ata-sanitize-crypto-scramble",
    "ata-sanitize-block-erase",
    "ata-sanitize-overwrite",
    "ata-security-erase",
    "ata-security-erase-enhanced",
)
SAS = ("scsi-sanitize-overwrite", "scsi-sanitize-block-erase", "scsi-sanitize-crypto-erase", "scsi-format-unit")
NVME = (
    "nvme-sanitize-crypto-erase",
    "nvme-sanitize-block-erase",
    "nvme-sanitize-overwrite",
    "nvme-format-user-data",
    "nvme-format-crypto",
)
TECHNIQUES: Mapping[Kind, tuple[str, ...]] = {"sata": SATA, "sas": SAS, "nvme": NVME}

SUCCEEDED = "succeeded"
FAILED = "failed: technique-failed"
STALLED = "failed: technique-stalled"
RESIDUAL = "failed: residual"
PARTIAL = "partial"
"""What can be addressed is sanitized; something is hidden, and the verdict says that it is not covered."""
UNPROVEN = "unknown"
"""The run ended well and the verdict is open: a format ends with the addressable range, and whether there is more is not told."""
NOTHING = "not applicable"
"""The personality is about something this kind of drive does not have."""

Group = Literal["sanitize", "security", "format", "sata", "sas", "nvme"]


def groups(technique: str) -> tuple[str, ...]:
    """By which words a technique may be named in an expectation; the most particular first."""
    kind = {"ata": "sata", "scsi": "sas", "nvme": "nvme"}[technique.partition("-")[0]]
    action = "sanitize" if "-sanitize-" in technique else "security" if "-security-" in technique else "format"
    return technique, f"{kind} {action}", action, kind, "*"


@dataclass(frozen=True, kw_only=True)
class Personality:
    """One kind of drive."""

    name: str
    sentence: str
    expected: Mapping[str, str]
    """Outcome by technique, kind and action, action, kind or `*`: the most particular word counts (`groups`)."""
    faults: Mapping[str, object] = field(default_factory=dict)
    change: Callable[[Emulated], None] | None = None
    """Done to the drive before it is plugged in."""
    layout: Layout | None = None
    """Of sense data; None for what is usual for its kind."""
    sata: AtaModel = field(default_factory=AtaModel)
    sas: ScsiModel = field(default_factory=ScsiModel)
    nvme: Callable[[], NvmeTraits] = NvmeTraits
    namespaces: Callable[[], list[NvmeNamespace]] | None = None
    controllers: tuple[int, ...] = (1,)
    block_bytes: int = 512
    """Of a SAS drive."""
    options: tuple[str, ...] = ()
    """Further words of the plan."""
    restored: bool = False
    """Whether its operator has `sanitizer restore-capacity` at it first."""
    also: tuple[str, ...] = ()
    """Techniques beyond one of each mechanism."""
    verification: str = "representative"
    attached: str = ""
    """How the product is to believe it is attached; empty: as its kind usually is."""
    pace: float = 1.0
    """How many times faster time passes, for drive and product alike."""
    neighbours: int = 0
    """Blocks that are not this device's, and that what is meant for one namespace must leave alone."""
    beyond_sight: bool = False
    """What is left lies where no host can look, so that success is what must be observed. Told in a note of its own."""

    def expects(self, technique: str) -> str:
        """The outcome that must be observed."""
        return next((self.expected[word] for word in groups(technique) if word in self.expected), NOTHING)

    def build(self, kind: Kind, serial: str) -> Emulated:
        """A fresh drive of this kind, full of data."""
        faults, clock = Faults(**self.faults), PacedClock(self.pace)  # type: ignore[arg-type]  # fields by name
        if kind == "sata":
            drive = sata(
                serial, mib=MEDIUM_MIB, model=self.sata, layout=self.layout or "descriptor", faults=faults, clock=clock
            )
        elif kind == "sas":
            drive = sas(
                serial,
                mib=MEDIUM_MIB,
                model=self.sas,
                layout=self.layout or "fixed",
                faults=faults,
                clock=clock,
                block_bytes=self.block_bytes,
            )
        else:
            made = self.namespaces() if self.namespaces else None
            drive = nvme(
                serial,
                mib=MEDIUM_MIB,
                traits=self.nvme(),
                namespaces=made,
                controllers=self.controllers,
                faults=faults,
                clock=clock,
            )
        if self.change is not None:
            self.change(drive)
        return drive


def _locked(drive: Emulated) -> None:
    """Somebody else's password, and a power cycle since."""
    if isinstance(drive.target, SataDisk):
        security = drive.target.ata.security
        security.execute(0xF1, bytes(2) + b"somebody else's".ljust(510, b"\0"))
        security.power_on()


def _hides(drive: Emulated) -> None:
    if drive.kind != "nvme":
        drive.hide(MIB // 512)


def _behind(habit: Habit) -> Callable[[Emulated], None]:
    def put(drive: Emulated) -> None:
        assert drive.target is not None
        drive.target = UsbBridge(drive.target, habit)

    return put


def _two_namespaces() -> list[NvmeNamespace]:
    return [NvmeNamespace(nsid=1, start=0, size=HALF), NvmeNamespace(nsid=2, start=HALF, size=HALF)]


def _shared_namespace() -> list[NvmeNamespace]:
    return [NvmeNamespace(nsid=1, start=0, size=2 * HALF, attached={1, 2}, shared=True)]


def _half_allocated() -> list[NvmeNamespace]:
    return [NvmeNamespace(nsid=1, start=0, size=HALF)]


REFUSED_PLAN = "refused: no-technique"
HIDDEN = "refused: capacity-hidden"
DORMANT = "refused: dormant-member"
"""Nothing can be read, so nobody knows what signatures lie there; that must be accepted by name."""

BRIDGES: tuple[tuple[Habit, str], ...] = (
    ("refuses", "knows no pass-through"),
    ("pretends", "answers pass-through without passing it on"),
    ("truncates-sense", "cuts sense data short"),
)


def _bridge(habit: Habit, what: str) -> Personality:
    return Personality(
        name=f"USB bridge, {habit}",
        sentence=f"hangs behind a USB bridge that {what}",
        change=_behind(habit),
        attached="usb",
        expected={"sata": REFUSED_PLAN},
    )


ALL: tuple[Personality, ...] = (
    Personality(
        name="good",
        sentence="does what it is told",
        expected={"scsi-format-unit": UNPROVEN, "*": SUCCEEDED},
    ),
    Personality(
        name="slow",
        sentence="takes twenty minutes, and tells how far it is",
        faults={"seconds": 1200.0},
        pace=300.0,
        expected={"*": SUCCEEDED},
    ),
    Personality(
        name="fails half-way",
        sentence="erases half and says that it failed",
        faults={"seconds": 2.0, "fail_at": 0.5},
        expected={"*": FAILED},
    ),
    Personality(
        name="stalls for ever",
        sentence="stops at a third and never ends",
        faults={"seconds": 3000.0, "stall_at": 0.3},
        pace=1000.0,
        expected={"sata security": FAILED, "*": STALLED},
    ),
    Personality(
        name="refuses",
        sentence="advertises the command and aborts it",
        faults={"refuses": frozenset({"sanitize", "security", "erase-unit", "format"})},
        expected={"*": FAILED},
    ),
    Personality(
        name="frozen",
        sentence="was frozen by the firmware of its host",
        faults={"frozen": True},
        expected={"sata sanitize": SUCCEEDED, "sata security": REFUSED_PLAN},
    ),
    Personality(
        name="locked",
        sentence="has somebody else's password",
        change=_locked,
        expected={"sata": "refused: security-locked"},
    ),
    Personality(
        name="failed before",
        sentence="failed a sanitize before we came",
        faults={"failed_before": True},
        expected={"sanitize": DORMANT, "*": "refused: in-failure-mode"},
    ),
    Personality(
        name="failed before, accepted",
        sentence="failed a sanitize before we came, and nobody insists on what it held",
        faults={"failed_before": True},
        options=("--acknowledge", "unreadable-area"),
        expected={"sanitize": SUCCEEDED, "*": "refused: in-failure-mode"},
    ),
    Personality(
        name="succeeded before",
        sentence="shows the success of a sanitize long ago, and loses our command in a bus reset: it is sent again",
        faults={"succeeded_before": True, "reset": "lost"},
        expected={"security": FAILED, "*": SUCCEEDED},
    ),
    Personality(
        name="lies: nothing",
        sentence="reports success and erases nothing",
        faults={"erases": "nothing"},
        expected={"*": RESIDUAL},
    ),
    Personality(
        name="lies: first megabyte",
        sentence="reports success and erases only the first megabyte",
        faults={"erases": "first-megabyte"},
        expected={"*": RESIDUAL},
    ),
    Personality(
        name="lies: all but one block",
        sentence="reports success and leaves a single block",
        faults={"erases": "all-but-one-block"},
        verification="full",
        expected={"*": RESIDUAL},
    ),
    Personality(
        name="lies: hidden area",
        sentence="hides capacity, reports success and erases only what can be addressed",
        faults={"erases": "not-hidden"},
        change=_hides,
        expected={"sata": HIDDEN, "sas": HIDDEN},
    ),
    Personality(
        name="lies: spare blocks",
        sentence="reports success and leaves stale copies where no host can look",
        faults={"erases": "not-spare"},
        beyond_sight=True,
        expected={"*": SUCCEEDED},
    ),
    Personality(
        name="hides capacity",
        sentence="shows less than it has (HPA, block descriptor)",
        change=_hides,
        expected={"sata": HIDDEN, "sas": HIDDEN},
    ),
    Personality(
        name="hides capacity, restored",
        sentence="showed less than it has, until it was told to show all (HPA, block descriptor)",
        change=_hides,
        restored=True,
        also=("scsi-format-unit",),
        expected={"sata": SUCCEEDED, "sas": SUCCEEDED},
    ),
    Personality(
        name="capacity proven",
        sentence="has shown, told to show all, that it hides nothing",
        restored=True,
        also=("scsi-format-unit",),
        expected={"scsi-format-unit": SUCCEEDED},
    ),
    Personality(
        name="changes identity",
        sentence="has another serial number once an erase began",
        faults={"new_serial": "ANOTHER1"},
        # The kernel itself takes an NVMe namespace away whose name has changed, and its capacity with it.
        expected={"nvme": "failed: capacity-changed", "*": "failed: identity-changed"},
    ),
    Personality(
        name="vanishes",
        sentence="is gone in the middle of an erase",
        faults={"seconds": 4.0, "vanish_at": 0.5},
        expected={"security": "interrupted: locked-by-us", "*": "interrupted: device-gone"},
    ),
    Personality(
        name="resets the bus, lost",
        sentence="a bus reset swallows the erase; it is sent again where the drive says that it never began",
        faults={"reset": "lost"},
        expected={"security": FAILED, "*": SUCCEEDED},
    ),
    Personality(
        name="resets the bus, carried on",
        sentence="a bus reset swallows the answer, not the erase",
        faults={"reset": "carried-on", "seconds": 2.0},
        expected={"*": SUCCEEDED},
    ),
    Personality(
        name="sense: fixed",
        sentence="answers with sense data in the fixed layout",
        layout="fixed",
        expected={"sata": SUCCEEDED, "sas": SUCCEEDED},
    ),
    Personality(
        name="sense: fixed, old",
        sentence="answers pass-through with the status registers in old fixed sense data",
        layout="fixed-old",
        expected={"sata sanitize": SUCCEEDED, "sata security": REFUSED_PLAN},
    ),
    Personality(
        name="sense: descriptor",
        sentence="answers with sense data in the descriptor layout",
        layout="descriptor",
        expected={"sata": SUCCEEDED, "sas": SUCCEEDED},
    ),
    *(_bridge(habit, what) for habit, what in BRIDGES),
    Personality(
        name="two namespaces",
        neighbours=HALF // 512,
        sentence="has a second namespace that nobody gave up",
        namespaces=_two_namespaces,
        expected={"nvme sanitize": REFUSED_PLAN, "nvme": SUCCEEDED},
    ),
    Personality(
        name="two namespaces, accepted",
        neighbours=HALF // 512,
        sentence="has a second namespace, whose loss was accepted",
        namespaces=_two_namespaces,
        options=("--accept-scope", "other-namespaces"),
        expected={"nvme": SUCCEEDED},
    ),
    Personality(
        name="shared namespace",
        sentence="shows its namespace through a second controller",
        namespaces=_shared_namespace,
        controllers=(1, 2),
        expected={"nvme": REFUSED_PLAN},
    ),
    Personality(
        name="unallocated capacity",
        neighbours=HALF // 512,
        sentence="has capacity of a deleted namespace",
        namespaces=_half_allocated,
        expected={"nvme sanitize": REFUSED_PLAN, "nvme": PARTIAL},
    ),
    Personality(
        name="bad sectors, reading",
        sentence="has blocks in its middle that cannot be read",
        faults={"bad_reads": ((HALF // 512, 8),)},
        verification="full",
        expected={"*": "failed: unreadable"},
    ),
    Personality(
        name="bad sectors, writing",
        sentence="has blocks that cannot be written and can be read",
        faults={"bad_writes": ((1000, 1),)},
        verification="full",
        expected={"*": "failed: unwritable-region"},
    ),
    Personality(
        name="write-protected",
        sentence="takes no writes",
        faults={"write_protected": True},
        expected={"*": "refused: read-only-device"},
    ),
    Personality(
        name="blocks of 520 bytes",
        sentence="is formatted with blocks the kernel does not serve",
        block_bytes=520,
        expected={"sas": "refused: odd-block-size"},
    ),
    Personality(
        name="zones, host-managed",
        sentence="writes in zones, and says so by its device type",
        sas=ScsiModel(zoned=3),
        expected={"sas": "refused: zoned-device"},
    ),
    Personality(
        name="zones, host-aware",
        sentence="writes in zones, and takes other writes too",
        sas=ScsiModel(zoned=1),
        expected={"sas": "refused: zoned-device"},
    ),
    Personality(
        name="removable",
        sentence="is a medium that can be taken out",
        sas=ScsiModel(removable=True),
        expected={"sas": SUCCEEDED},
    ),
    Personality(
        name="no capacity afterwards",
        sentence="shows a capacity of zero once it is erased",
        faults={"capacity_after": "zero"},
        pace=60.0,
        expected={"*": "failed: capacity-changed"},
    ),
    Personality(
        name="no capacity meanwhile",
        sentence="shows a capacity of zero while it erases",
        faults={"capacity_during": "zero", "seconds": 3.0},
        expected={"*": SUCCEEDED},
    ),
)
