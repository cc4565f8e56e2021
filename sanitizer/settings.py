"""The engine's numbers, with where they come from. Pure."""

from __future__ import annotations

from dataclasses import dataclass

MIB = 1 << 20
GIB = 1 << 30


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How a run goes about its work. Sizes in bytes, times in seconds."""

    block_bytes: int = 4 * MIB
    """One request. 4 MiB at two threads is the plateau of every device measured."""
    small_device_bytes: int = GIB
    """Below this, `small_block_bytes` is used, so that both threads have work."""
    small_block_bytes: int = MIB
    threads: int | None = None
    """I/O threads of this device; None for two while few devices run, else one."""
    most_threads: int = 16
    """Two threads a device while that many in all are not exceeded."""
    checkpoint_seconds: float = 30.0
    checkpoint_bytes: int = 16 * GIB
    """A flush before each checkpoint costs milliseconds on a disk with a volatile cache."""
    progress_seconds: float = 1.0
    tick_seconds: float = 0.1
    """How often the supervisor looks at the stop event."""
    markers: int = 128
    """Addressed markers before the first pass, those around powers of two among them: two seconds on a disk."""
    marker_unit_bytes: int = MIB
    """Media other than magnetic get more markers, so that every wrap by a multiple of this many bytes shows."""
    resume_samples: int = 64
    """Blocks of the part already written that are read back before a resumed run goes on."""
    fan_out: int = 64
    """A failed extent is retried in this many parts (4 MiB, 64 KiB, 1 KiB): failing requests cost seconds, good ones nothing."""
    failing_requests: int = 4096
    """Per pass: more than this and the device is given up."""
    failing_seconds: float = 3600.0
    """Per pass: time spent in failing requests."""
    poll_seconds: float = 1.0
    """First interval between two questions to a drive that works by itself; it grows."""
    most_poll_seconds: float = 60.0
    stall_seconds: float = 3600.0
    """Without any change of progress for this long, and for three times the drive's estimate, it is given up."""
    most_settling_seconds: float = 14 * 86400.0
    """Longer than the slowest overwrite of the largest disk by the drive itself."""
    silent_seconds: float = 900.0
    """Unanswered questions are put up with for this long: a bus reset, a drive that starts anew."""
    capacity_seconds: float = 120.0
    """How long a drive may show another capacity after its operation before that counts."""

    def block_for(self, size_bytes: int) -> int:
        """The request size for a device of this size."""
        return self.small_block_bytes if size_bytes < self.small_device_bytes else self.block_bytes
