"""A small Debian of the guest's own, with systemd: for what no other machine's root can show.

`python -m tests.lab.debian` makes it; with `--there`, it says whether it is there, by its exit code.

It is unpacked from the archives that apt trusts here, as the station's image is, and nothing of it is run on this machine. Its
package list says what it consists of, so that dpkg in the guest judges a package's dependencies as it would on any host.
"""

from __future__ import annotations

import compileall
import hashlib
import py_compile
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tools import build_image

from .kernel import CACHE, Kernel

PACKAGES: Final = (
    *(
        "base-files",
        "base-passwd",
        "busybox-static",
        "coreutils",
        "dash",
        "diffutils",
        "dpkg",
        "findutils",
        "grep",
        "hostname",
    ),
    *("kmod", "libc-bin", "libudev1", "mount", "python3", "sed", "systemd", "tar", "tzdata", "udev", "util-linux"),
)
MODULES: Final = ("virtio_net", "virtio_scsi", "virtio_rng", "sd_mod", "sg", "loop", "nvme-tcp", "ext4", "autofs4")
ROOT: Final = CACHE / "debian"
_STAMP: Final = ".made-of"


def is_there() -> bool:
    """Whether it lies there, made of what is said here."""
    return (ROOT / _STAMP).is_file() and (ROOT / _STAMP).read_text("ascii") == _made_of()


def _made_of() -> str:
    said = (*PACKAGES, *MODULES, Kernel.find().release, Path(__file__).read_text("utf-8"))
    return hashlib.sha256("\n".join(said).encode()).hexdigest()


def root() -> Path:
    """Where it lies. Raises `build_image.ImageError` or `subprocess.CalledProcessError` where it cannot be made."""
    if is_there():
        return ROOT
    kernel = Kernel.find()
    with tempfile.TemporaryDirectory(prefix="debian-", dir=CACHE) as folder:
        work = Path(folder)
        made = work / "root"
        packages = build_image.fetched(work, PACKAGES)
        build_image.unpack(packages, made)
        _installed(packages, made)
        _modules(kernel, made)
        _compiled(made)
        (made / _STAMP).write_text(_made_of(), "ascii")
        shutil.rmtree(ROOT, ignore_errors=True)
        made.rename(ROOT)
    return ROOT


def _installed(packages: Sequence[Path], made: Path) -> None:
    """The package list, as if dpkg had installed them."""
    database = made / "var/lib/dpkg"
    for name in ("info", "updates", "triggers", "alternatives"):
        (database / name).mkdir(parents=True, exist_ok=True)
    (database / "available").touch()
    said = []
    for package in packages:
        control = subprocess.run(["dpkg-deb", "-f", str(package)], check=True, capture_output=True, text=True).stdout
        fields = dict(line.split(": ", 1) for line in control.splitlines() if ": " in line and line[0] != " ")
        both = (
            f"{fields['Package']}:{fields['Architecture']}" if fields.get("Multi-Arch") == "same" else fields["Package"]
        )
        (database / "info" / f"{both}.list").touch()
        said.append(control.replace("\n", "\nStatus: install ok installed\n", 1))
    (database / "status").write_text("\n".join(said), "utf-8")


def _modules(kernel: Kernel, made: Path) -> None:
    target = made / "usr/lib/modules" / kernel.release
    target.mkdir(parents=True)
    for path in kernel.needed(MODULES):
        copy = target / path.relative_to(kernel.modules)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copy)
    for name in ("modules.order", "modules.builtin", "modules.builtin.modinfo"):
        shutil.copy(kernel.modules / name, target)
    build_image.index_modules(made, kernel.release)


def _compiled(made: Path) -> None:
    """As Debian's own installation would have done it; under emulation a start waits ten seconds less."""
    for library in (made / "usr/lib").glob("python3*"):
        place = f"/{library.relative_to(made)}"
        for optimization in (0, 2):
            compileall.compile_dir(
                str(library),
                ddir=place,
                quiet=2,
                optimize=optimization,
                invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
                maxlevels=40,
            )


if __name__ == "__main__":
    if sys.argv[1:] == ["--there"]:
        sys.exit(not is_there())
    sys.stdout.write(f"{root()}\n")
