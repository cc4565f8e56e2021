"""Builds the bootable image of the station: `make image`, or `python -m tools.build_image FOLDER`.

One file for a stick or a disc, for BIOS and UEFI: the boot loader, a kernel, and a first root in memory that holds the whole
read-only system: Debian's packages, the agent as its own Debian package has it, and the station's menu. The packages come from
the archives that apt trusts here and are only unpacked: nothing of them is run, so this needs no root and no other machine's
processor. The kernel is the one that `tools/bootstrap image` unpacked.
"""

from __future__ import annotations

import argparse
import compileall
import hashlib
import os
import platform
import py_compile
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from tests.lab.initramfs import cpio
from tests.lab.kernel import Kernel, module_bytes
from tools import image_contents, package_deb

SOURCES: Final = package_deb.PACKAGING / "image"
OURS: Final = Path("usr/lib/sanitrail-image")
EARLY: Final = ("loop", "squashfs", "overlay")
"""Modules without which the read-only root cannot be mounted."""
_MERGED: Final = ("bin", "sbin", "lib", "lib64")
_LEFT_OUT: Final = ("man", "info", "locale", "lintian", "bug", "i18n", "zoneinfo/right", "zoneinfo/posix")
_PYTHON_LEFT_OUT: Final = ("test", "idlelib", "lib2to3", "ensurepip", "tkinter", "pydoc_data")
_NETWORK: Final = "kernel/drivers/net/"


class ImageError(Exception):
    """The image cannot be built here, and why."""


def wanted(name: str) -> tuple[str, ...]:
    """The lines of one of the lists beside the image's programs, without what is said about them."""
    lines = (SOURCES / name).read_text("utf-8").splitlines()
    return tuple(line for line in lines if line and not line.startswith("#"))


def chosen_modules(dependencies: str, parts: Sequence[str]) -> list[str]:
    """The modules of these parts with all they need, in order; none that is, or needs, a driver of a network card.

    Args:
        dependencies: The text of `modules.dep`.
        parts: Folders or files beneath `kernel/`.
    """
    needs = {path: rest.split() for path, _, rest in (line.partition(":") for line in dependencies.splitlines())}
    found: set[str] = set()
    for path, rest in needs.items():
        inside = any(f"{path}/".startswith(f"kernel/{part}/") for part in parts)
        if inside and not any(each.startswith(_NETWORK) for each in (path, *rest)):
            found |= {path, *rest}
    return sorted(found)


def build(out: Path) -> Path:
    """The image; beside it, what it consists of and whose licences hold for it, and the digests of both.

    Raises:
        ImageError: Something it is made of is missing here.
        subprocess.CalledProcessError: A program it is made with refused.
    """
    out.mkdir(parents=True, exist_ok=True)
    kernel = Kernel.find()
    moment = _moment()
    with tempfile.TemporaryDirectory(prefix="sanitrail-image-") as folder:
        work = Path(folder)
        root = work / "root"
        packages = fetched(work, wanted("packages"))
        unpack(packages, root)
        _require_same_python(root)
        package_deb.stage(root, libraries=True)
        _ours(root)
        _modules(kernel, root)
        contents = image_contents.describe(root, packages, kernel.release, package_deb.version())
        (root / OURS / "contents.txt").write_text(contents, "utf-8")
        _slim(root)
        tree = work / "disc"
        (tree / "boot/grub").mkdir(parents=True)
        shutil.copy(SOURCES / "grub.cfg", tree / "boot/grub")
        shutil.copy(kernel.image, tree / "boot/vmlinuz")
        (tree / "contents.txt").write_text(contents, "utf-8")
        (tree / "boot/initrd").write_bytes(_first_root(kernel, _squashed(root, work, moment)))
        image = _disc(tree, out / f"sanitrail-station_{package_deb.version()}_{_architecture()}.iso", moment)
    listed = image.with_suffix(".contents.txt")
    listed.write_text(contents, "utf-8")
    digests = (f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in (image, listed))
    image.with_suffix(".sha256").write_text("".join(digests), "ascii")
    return image


def _moment() -> int:
    """Stands for the time of everything in the image: the newest change's, so that the same sources give the same bytes."""
    if given := os.environ.get("SOURCE_DATE_EPOCH"):
        return int(given)
    line = ["git", "-c", f"safe.directory={package_deb.ROOT}", "-C", str(package_deb.ROOT), "log", "-1", "--format=%ct"]
    said = subprocess.run(line, capture_output=True, text=True, check=False).stdout.strip()
    return int(said) if said else 0


def _architecture() -> str:
    if platform.machine() != "x86_64":
        raise ImageError("The image is built for 64-bit PCs, on one of them.")
    return "amd64"


# --- Debian's packages


def fetched(work: Path, names: Sequence[str]) -> list[Path]:
    """Debian's packages of these names with all they need, as if nothing were installed, checked by apt; beneath `work`.

    Raises:
        ImageError: apt cannot bring them.
    """
    cache = work / "packages"
    (cache / "partial").mkdir(parents=True)
    status = work / "status"
    status.touch()
    settings = {
        "Debug::NoLocking": "1",
        "Dir::State::status": status,
        "Dir::Cache::archives": cache,
        "Dir::Cache::pkgcache": "",
        "Dir::Cache::srcpkgcache": "",
        "APT::Sandbox::User": "",
    }
    words = [word for name, value in settings.items() for word in ("-o", f"{name}={value}")]
    line = ["apt-get", "-q", "-y", "--no-install-recommends", "--download-only", *words, "install", *names]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ImageError(f"apt-get could not bring Debian's packages:\n{done.stdout[-1000:]}{done.stderr[-2000:]}")
    return sorted(cache.glob("*.deb"))


def unpack(packages: Sequence[Path], root: Path) -> None:
    """Lay their files out beneath `root`, and run nothing of theirs. Raises `ImageError` where one cannot be read."""
    for name in _MERGED:
        (root / "usr" / name).mkdir(parents=True)
        (root / name).symlink_to(f"usr/{name}")
    for name in ("proc", "sys", "dev", "run", "tmp", "media", "root", "etc"):
        (root / name).mkdir()
    excluded = [f"--exclude=./usr/share/{name}" for name in _LEFT_OUT]
    for package in packages:
        line = ["tar", "-x", "-C", str(root), "--keep-directory-symlink", "--no-same-owner", *excluded]
        with subprocess.Popen(["/usr/bin/dpkg-deb", "--fsys-tarfile", str(package)], stdout=subprocess.PIPE) as opened:
            subprocess.run(line, stdin=opened.stdout, check=True)
        if opened.returncode:
            raise ImageError(f"{package.name} could not be unpacked.")
    # What the packages' own programs would have made of these, had they been run.
    for name in ("passwd", "group"):
        shutil.copy(root / f"usr/share/base-passwd/{name}.master", root / "etc" / name)
    (root / "etc/shadow").unlink(missing_ok=True)
    (root / "usr/bin/sh").unlink(missing_ok=True)
    (root / "usr/bin/sh").symlink_to("dash")


def _require_same_python(root: Path) -> None:
    """The libraries are installed by the Python that runs here, and some of them fit only its like."""
    ours = f"python{sys.version_info.major}.{sys.version_info.minor}"
    if not (root / "usr/bin" / ours).exists():
        found = ", ".join(sorted(path.name for path in (root / "usr/bin").glob("python3.?*")))
        raise ImageError(
            f"This environment has {ours}, and Debian's packages here have {found}: they must be the same."
        )


# --- the root


def _ours(root: Path) -> None:
    folder = root / OURS
    folder.mkdir(parents=True)
    (folder / "version").write_text(package_deb.version() + "\n", "ascii")
    shutil.copy(SOURCES / "init", folder)
    shutil.copy(SOURCES / "agent.toml", folder)
    shutil.move(root / "etc/sanitrail/local-rules.toml", folder)
    shutil.copy(SOURCES / "station", root / "usr/sbin/sanitrail-station")


def _modules(kernel: Kernel, root: Path) -> None:
    target = root / "usr/lib/modules" / kernel.release
    for path in chosen_modules((kernel.modules / "modules.dep").read_text("utf-8"), wanted("modules")):
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(kernel.modules / path, target / path)
    for name in ("modules.order", "modules.builtin", "modules.builtin.modinfo"):
        shutil.copy(kernel.modules / name, target)
    index_modules(root, kernel.release)


def index_modules(root: Path, release: str) -> None:
    """What modprobe reads. Raises `ImageError` without depmod."""
    search = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    depmod = shutil.which("depmod", path=search)
    if depmod is None:
        raise ImageError("depmod is missing.")
    subprocess.run([depmod, "-b", str(root), release], check=True, stderr=subprocess.DEVNULL)


def _slim(root: Path) -> None:
    """Without what a station never reads; the licences stay. Python's files are compiled, for nobody can do it later."""
    documents = root / "usr/share/doc"
    for path in sorted(documents.rglob("*"), reverse=True):
        if path.is_dir() and not path.is_symlink():
            if not any(path.iterdir()):
                path.rmdir()
        elif path.name != "copyright" and path.parent != documents:
            path.unlink()
    for library in (root / "usr/lib").glob("python3.*"):
        for name in _PYTHON_LEFT_OUT:
            shutil.rmtree(library / name, ignore_errors=True)
    # The agent's own files are as the package has them; Debian's come uncompiled, for their own programs would have done it.
    unchecked = py_compile.PycInvalidationMode.UNCHECKED_HASH
    for folder in (root / "usr/lib").glob("python3*"):
        for cache in [*folder.rglob("__pycache__")]:
            shutil.rmtree(cache)
        place = f"/{folder.relative_to(root)}"
        compileall.compile_dir(str(folder), ddir=place, quiet=2, invalidation_mode=unchecked, maxlevels=40)
    library = root / package_deb.LIBRARY
    if not any(library.rglob("*.pyc")):
        checked = py_compile.PycInvalidationMode.CHECKED_HASH
        compileall.compile_dir(
            str(library), ddir=f"/{package_deb.LIBRARY}", quiet=2, invalidation_mode=checked, maxlevels=40
        )


def _squashed(root: Path, work: Path, moment: int) -> bytes:
    target = work / "root.squashfs"
    line = [
        "mksquashfs",
        str(root),
        str(target),
        "-comp",
        "zstd",
        "-Xcompression-level",
        "12",
        "-all-root",
        "-noappend",
    ]
    line += ["-no-progress", "-quiet", "-mkfs-time", str(moment), "-all-time", str(moment)]
    subprocess.run(line, check=True, env=_plain(os.environ), stdout=subprocess.DEVNULL)
    return target.read_bytes()


def _first_root(kernel: Kernel, root: bytes) -> bytes:
    entries = [(name, stat.S_IFDIR | 0o755, b"") for name in _early_folders()]
    entries.append(("bin/busybox", stat.S_IFREG | 0o755, Path("/bin/busybox").read_bytes()))
    order = kernel.needed(EARLY)
    names = [f"{path.name.split('.ko')[0]}.ko" for path in order]
    entries += [
        (f"modules/{name}", stat.S_IFREG | 0o644, module_bytes(path)) for name, path in zip(names, order, strict=True)
    ]
    entries.append(("modules/order", stat.S_IFREG | 0o644, "".join(f"{name}\n" for name in names).encode("ascii")))
    entries.append(("init", stat.S_IFREG | 0o755, (SOURCES / "early").read_bytes()))
    entries.append(("root.squashfs", stat.S_IFREG | 0o400, root))
    return cpio(entries)


def _early_folders() -> Iterator[str]:
    yield from ("bin", "dev", "proc", "sys", "lower", "layer", "new", "modules")


# --- the disc


def _disc(tree: Path, image: Path, moment: int) -> Path:
    for path in (tree, *tree.rglob("*")):
        os.utime(path, (moment, moment))
    # Debian's own places of the two boot loaders: whichever is there is put in, and none is no image.
    loaders = [name for name in ("i386-pc", "x86_64-efi") if Path("/usr/lib/grub", name, "moddep.lst").is_file()]
    if not loaders:
        raise ImageError("No boot loader is installed: grub-pc-bin (BIOS), grub-efi-amd64-bin (UEFI).")
    line = ["grub-mkrescue", "--output", str(image), str(tree), "--", "-volid", "SANITRAIL_BOOT"]
    environment = {**os.environ, "SOURCE_DATE_EPOCH": str(moment)}
    done = subprocess.run(line, capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        raise ImageError(f"grub-mkrescue refused:\n{done.stderr[-2000:]}")
    return image


def _plain(environment: Mapping[str, str]) -> dict[str, str]:
    """Squashing takes times as they are given to it, and refuses two ways of saying them."""
    return {name: value for name, value in environment.items() if name != "SOURCE_DATE_EPOCH"}


def main() -> None:
    """Entry point of `make image`."""
    parser = argparse.ArgumentParser(prog="python -m tools.build_image", description=__doc__)
    parser.add_argument("folder", type=Path, help="where the image goes")
    try:
        sys.stdout.write(f"{build(parser.parse_args().folder)}\n")
    except (ImageError, FileNotFoundError) as error:
        sys.exit(f"{error}\nNo image was made. tools/bootstrap image installs what is needed.")


if __name__ == "__main__":
    main()
