"""The bootable image without building it: what goes in, whose licences hold, and which sticks its station takes."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tools import build_image
from tools.image_contents import licences

DEPENDENCIES = """\
kernel/drivers/scsi/sd_mod.ko: kernel/drivers/scsi/scsi_mod.ko
kernel/drivers/scsi/scsi_mod.ko:
kernel/drivers/scsi/far.ko: kernel/drivers/scsi/scsi_mod.ko kernel/drivers/net/card.ko
kernel/drivers/net/card.ko:
kernel/drivers/scsi_other/no.ko:
kernel/drivers/hwmon/drivetemp.ko: kernel/drivers/scsi/scsi_mod.ko
kernel/drivers/hwmon/fan.ko:
"""


def test_modules_come_with_what_they_need_and_none_with_a_network_card() -> None:
    found = build_image.chosen_modules(DEPENDENCIES, ["drivers/scsi", "drivers/hwmon/drivetemp.ko"])
    assert found == [
        "kernel/drivers/hwmon/drivetemp.ko",
        "kernel/drivers/scsi/scsi_mod.ko",
        "kernel/drivers/scsi/sd_mod.ko",
    ]
    assert not [part for part in build_image.wanted("modules") if part.startswith(("net", "drivers/net"))]


def test_licences_are_read_from_both_forms_of_a_copyright_file() -> None:
    assert licences("Files: *\nLicense: GPL-2+\n text\n\nLicense: BSD-3-clause\n") == ("BSD-3-clause", "GPL-2+")
    assert licences("On Debian systems see /usr/share/common-licenses/LGPL-2.1.\n") == ("LGPL-2.1",)
    assert licences("All rights reserved.") == ()


@pytest.mark.parametrize("name", ["early", "init", "station"])
def test_the_images_programs_are_shell(name: str) -> None:
    subprocess.run(["sh", "-n", str(build_image.SOURCES / name)], check=True)


USB, SATA = "ID_BUS=usb", "ID_BUS=ata"


@pytest.mark.parametrize(
    ("attached", "said"),
    [
        ({}, "There is no USB or SD stick labelled SANITRAIL."),
        ({"/dev/sda1": SATA}, "There is no USB or SD stick labelled SANITRAIL."),
        ({"/dev/sdb1": USB, "/dev/sdc1": USB}, "There are several sticks labelled SANITRAIL; leave one."),
        ({"/dev/sda1": SATA, "/dev/sdb1": USB}, "a file system this station does not take (ntfs): ext4."),
    ],
    ids=["none", "a disk with that label", "two", "another file system"],
)
def test_the_station_takes_only_one_stick_of_a_name_and_no_disk(
    attached: dict[str, str], said: str, tmp_path: Path
) -> None:
    bus = "\n".join(f"*{node}) echo {kind} ;;" for node, kind in attached.items())
    programs = {
        "blkid": f'case "$*" in *TYPE*) echo ntfs ;; *) echo {" ".join(attached)} ;; esac',
        "udevadm": f'case "$*" in\n{bus}\n*) ;; esac',
        "mount": "exit 1",
        "umount": "exit 1",
        "busybox": "exit 1",
        "sleep": "exit 0",
    }
    for name, text in programs.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / name).chmod(0o755)
    done = subprocess.run(
        ["sh", str(build_image.SOURCES / "station")],
        input="\n5\n",
        env={"PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert said in done.stdout, done.stdout
