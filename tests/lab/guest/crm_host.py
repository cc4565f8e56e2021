"""A host of a CRM: LVM on LUKS on RAID-1 beneath its database, a btrfs pool beneath its archive. Runs in the guest, as root.

crm_host.py build ONE TWO THREE FOUR   RAID-1 on ONE and TWO, btrfs on THREE and FOUR; a database on each
crm_host.py swap OLD NEW               NEW takes the place of OLD in the RAID, and OLD is let go
"""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

CRM, ARCHIVE = Path("/srv/crm"), Path("/srv/crm-archive")
MD = "/dev/md50"


def run(*line: str, given: str = "") -> None:
    """A command that must succeed."""
    done = subprocess.run(line, input=given, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(line)}: {done.stderr.strip() or done.stdout.strip()}")


def database(folder: Path) -> None:
    """Customers, on the medium and not in a cache."""
    with closing(sqlite3.connect(folder / "crm.sqlite3")) as opened:
        opened.execute("CREATE TABLE customer (number INTEGER PRIMARY KEY, name TEXT)")
        opened.executemany("INSERT INTO customer (name) VALUES (?)", [(f"Customer {n}",) for n in range(5000)])
        opened.commit()
    run("sync")


def build(one: str, two: str, three: str, four: str) -> None:
    """Everything that holds data."""
    run("modprobe", "-a", *["ext4", "btrfs", "md_mod", "raid1", "dm_mod", "dm_crypt", "xts", "aes_generic"])
    words = ["--run", "--assume-clean", "--level=1", "--raid-devices=2", "--metadata=1.2"]
    run("mdadm", "-q", "--create", MD, *words, one, two)
    luks = ["-q", "--type", "luks2", "--pbkdf", "pbkdf2", "--pbkdf-force-iterations", "1000"]
    run("cryptsetup", "luksFormat", *luks, "--key-file", "-", MD, given="secret")
    run("cryptsetup", "open", "--key-file", "-", MD, "ledger", given="secret")
    run("pvcreate", "-q", "-y", "/dev/mapper/ledger")
    run("vgcreate", "-q", "-y", "vgcrm", "/dev/mapper/ledger")
    run("lvcreate", "-q", "-y", "-Zn", "-Wn", "-l", "100%FREE", "-n", "data", "vgcrm")
    run("mkfs.ext4", "-q", "-F", "/dev/vgcrm/data")
    CRM.mkdir(parents=True)
    run("mount", "/dev/vgcrm/data", str(CRM))
    database(CRM)
    run("mkfs.btrfs", "-q", "-f", "-M", "-m", "single", "-d", "single", three, four)
    run("btrfs", "device", "scan", three, four)
    ARCHIVE.mkdir(parents=True)
    run("mount", "-t", "btrfs", three, str(ARCHIVE))
    database(ARCHIVE)
    run("udevadm", "settle", "-t", "30")


def swap(old: str, new: str) -> None:
    """As a failing disk is replaced: everything is on the new one before the old one is let go."""
    run("mdadm", "-q", MD, "--add", new)
    run("mdadm", "-q", MD, "--replace", old, "--with", new)
    subprocess.run(["mdadm", "--wait", MD], check=False, capture_output=True)
    subprocess.run(["mdadm", "-q", MD, "--fail", old], check=False, capture_output=True)
    run("mdadm", "-q", MD, "--remove", old)
    run("udevadm", "settle", "-t", "30")


if sys.argv[1] == "build":
    build(*sys.argv[2:])
else:
    swap(*sys.argv[2:])
