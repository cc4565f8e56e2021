"""The kernel the lab boots: unpacked by `tools/bootstrap lab`, never installed, never changed."""

from __future__ import annotations

import gzip
import lzma
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".lab"


class KernelMissing(Exception):
    """There is no unpacked kernel."""


@dataclass(frozen=True)
class Kernel:
    """One unpacked kernel package."""

    release: str
    image: Path
    modules: Path
    """The folder with `modules.dep`."""

    @classmethod
    def find(cls) -> Kernel:
        """The kernel in the cache folder, or the one `LAB_KERNEL` points at."""
        root = Path(os.environ.get("LAB_KERNEL", CACHE / "kernel"))
        for modules in sorted(root.glob("lib/modules/*"), reverse=True) + sorted(root.glob("usr/lib/modules/*")):
            image = root / "boot" / f"vmlinuz-{modules.name}"
            if (modules / "modules.dep").is_file() and image.is_file():
                return cls(modules.name, image, modules)
        raise KernelMissing(f"no unpacked kernel in {root}: run tools/bootstrap lab")

    def unpacked(self) -> Path:
        """The kernel without its own decompressor, made once: under emulation that saves three seconds of each boot."""
        CACHE.mkdir(exist_ok=True)
        plain = CACHE / f"vmlinux-{self.release}"
        if plain.exists():
            return plain
        content = _decompressed(self.image.read_bytes())
        if content is None:
            return self.image
        part = plain.with_suffix(f".{os.getpid()}")
        part.write_bytes(content)
        part.replace(plain)
        return plain

    def needed(self, names: tuple[str, ...]) -> list[Path]:
        """Module files for these modules, each after those it needs; what is built in is left out."""
        needs: dict[str, list[str]] = {}
        for line in (self.modules / "modules.dep").read_text().splitlines():
            path, _, rest = line.partition(":")
            needs[_plain_name(path)] = [path, *rest.split()]
        order: list[str] = []
        for name in names:
            order += [path for path in reversed(needs.get(_plain_name(name), [])) if path not in order]
        return [self.modules / path for path in order]


def module_bytes(path: Path) -> bytes:
    """A module as the smallest of loaders takes it."""
    content = path.read_bytes()
    return content if path.suffix == ".ko" else _decompressed(content) or content


def _plain_name(path: str) -> str:
    return Path(path).name.split(".", 1)[0].replace("-", "_")


def _decompressed(raw: bytes) -> bytes | None:
    """What lies compressed in these bytes, wherever it begins; None when nothing known does. What follows it is ignored."""
    at = raw.find(b"\xfd7zXZ\0")
    if at >= 0:
        return lzma.LZMADecompressor().decompress(raw[at:])
    at = raw.find(b"\x28\xb5\x2f\xfd")
    if at >= 0:
        # It complains of what follows the frame, after writing all of it.
        return subprocess.run(["zstd", "-dcq"], input=raw[at:], capture_output=True, check=False).stdout or None
    at = raw.find(b"\x1f\x8b\x08")
    return gzip.decompress(raw[at:]) if at == 0 else None
