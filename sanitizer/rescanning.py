"""Makes the kernel ask a drive for its size again.

After a sanitize, a format or a change of its largest address the kernel asks nobody by itself, and would go on with the size
it knew.
"""

from __future__ import annotations

import os
from pathlib import Path


def rescan(name: str, sys: Path = Path("/sys"), *, whole_host: bool = False) -> bool:
    """Ask for a device to be looked at anew; the kernel may take a moment to do it.

    Args:
        name: Kernel name such as sdb or nvme0n1.
        sys: Root of sysfs.
        whole_host: For a SATA drive: its host adapter looks for all its devices. Only then libata identifies a drive
            again; the plain question is answered from what it remembers.

    Returns:
        Whether there was something to ask. A device without it (loop, virtual) keeps the kernel's own idea.
    """
    device = sys / "block" / name.replace("/", "!") / "device"
    asked = False
    if whole_host:
        asked = _write(_host_scan(device), "- - -")
    if name.startswith("nvme"):
        for place in [device / "rescan_controller", *sorted(device.glob("nvme*/rescan_controller"))]:
            asked = _write(place, "1") or asked
        return asked
    return _write(device / "rescan", "1") or asked


def _host_scan(device: Path) -> Path | None:
    """The file that makes the SCSI host of a device look for its devices."""
    try:
        place = device.resolve(strict=True)
    except OSError:
        return None
    return next(
        (
            parent / "scsi_host" / parent.name / "scan"
            for parent in place.parents
            if parent.name.startswith("host") and parent.name[4:].isdigit()
        ),
        None,
    )


def _write(place: Path | None, text: str) -> bool:
    if place is None:
        return False
    try:
        # For writing only: sysfs refuses to open such a file for reading, too. Not created where it is missing: a folder of
        # sysfs takes no files, a test's would.
        descriptor = os.open(place, os.O_WRONLY | os.O_CLOEXEC)
        try:
            os.write(descriptor, text.encode("ascii"))
        finally:
            os.close(descriptor)
    except OSError:
        return False
    return True
