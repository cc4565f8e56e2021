"""What the bootable image consists of, and under which licences: a list for whoever passes it on."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator, Sequence
from email.parser import HeaderParser
from pathlib import Path
from typing import Final

from tools import package_deb

_HEAD: Final = """\
Sanitrail station {version}: what this image consists of

The image puts programs of many authors side by side. Each stays under its own licence; the texts are in the image beneath
/usr/share/doc/PACKAGE/copyright and /usr/share/common-licenses, and in each Python library's own folder.
Whoever passes the image on passes these programs on: the licences of the GNU project want the sources to go along or to be
offered. For every Debian package they are at https://snapshot.debian.org, and `apt-get source SOURCE=VERSION` fetches them.

"""
_LICENCE: Final = re.compile(r"^License:[ \t]*([^\s*,][^\n,]{,79})$", re.MULTILINE)
_FROM_COMMON: Final = re.compile(r"/usr/share/common-licenses/([A-Za-z0-9.+-]*[A-Za-z0-9+])")
_UNNAMED: Final = "as its copyright file says"


def describe(root: Path, packages: Sequence[Path], kernel: str, version: str) -> str:
    """The list.

    Args:
        root: The unpacked system.
        packages: Debian's packages that it was unpacked from.
        kernel: The kernel's release.
        version: The project's.
    """
    lines = [_HEAD.format(version=version)]
    lines.append(f"Sanitrail {version}: Apache-2.0\n")
    lines.append("\nDebian packages: name, version, source where it is called otherwise, licences\n\n")
    lines += [f"{row}\n" for row in (_debian(root, package) for package in packages)]
    lines.append(
        f"\nThe kernel: Debian's linux-image-{kernel} with a part of its modules, GPL-2 (parts under others).\n"
    )
    lines.append("The boot loader: Debian's grub-pc-bin and grub-efi-amd64-bin, GPL-3+.\n")
    lines.append("The first root's programs: Debian's busybox-static, GPL-2.\n")
    lines.append("\nPython libraries: name, version, licence\n\n")
    lines += [f"{row}\n" for row in sorted(_libraries(root / package_deb.LIBRARY))]
    return "".join(lines)


def licences(copyright_text: str) -> tuple[str, ...]:
    """The licences that a Debian copyright file names, in either of its forms; empty where it names none."""
    found = {line.strip() for line in _LICENCE.findall(copyright_text)}
    found = found or set(_FROM_COMMON.findall(copyright_text))
    return tuple(sorted(found))


def _debian(root: Path, package: Path) -> str:
    form = "${Package}\t${Version}\t${source:Package} ${source:Version}"
    line = ["dpkg-deb", "--show", f"--showformat={form}", str(package)]
    name, version, source = subprocess.run(line, capture_output=True, text=True, check=True).stdout.split("\t")
    path = root / "usr/share/doc" / name / "copyright"
    said = licences(path.read_text("utf-8", errors="replace")) if path.is_file() else ()
    words = [name, version] if source == f"{name} {version}" else [name, version, f"(source {source})"]
    return f"  {' '.join(words)}: {', '.join(said) or _UNNAMED}"


def _libraries(folder: Path) -> Iterator[str]:
    for path in folder.glob("*.dist-info/METADATA"):
        about = HeaderParser().parsestr(path.read_text("utf-8"))
        if about["Name"] == "sanitrail":
            continue
        classes = [each.rpartition("::")[2].strip() for each in about.get_all("Classifier", []) if "License ::" in each]
        licence = about["License-Expression"] or ", ".join(classes) or (about["License"] or _UNNAMED).split("\n")[0]
        yield f"  {about['Name']} {about['Version']}: {licence}"
