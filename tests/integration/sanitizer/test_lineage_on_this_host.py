"""Paths on real filesystems of this kernel, followed down to their loop devices."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

import sanitizer
from tests.support.capabilities import requires_loop, requires_tool
from tests.support.loopdev import loop_device, mounted

pytestmark = [requires_loop, pytest.mark.block_device]


@requires_tool("mkfs.ext4")
def test_a_file_on_a_partition_leads_to_its_disk(tmp_path: Path) -> None:
    with loop_device(tmp_path, 16 << 20) as loop:
        part = loop.add_partition(1, 2048, 16384)
        subprocess.run(["mkfs.ext4", "-q", "-F", part], check=True)
        with mounted(part, tmp_path / "mnt with a space") as mount:
            (mount / "crm").mkdir()
            (mount / "crm/db.sqlite").write_text("customers")
            found = sanitizer.resolve_path(mount / "crm/db.sqlite")
            assert found.mount_point == str(mount)
            assert found.devices == (loop.path,)
            assert found.fingerprints == (sanitizer.inspect(loop.path).fingerprint,)
            assert found.unresolved == ()
            assert found.carriers


def test_a_symbolic_link_is_followed_to_where_the_bytes_are(tmp_path: Path) -> None:
    with loop_device(tmp_path, 16 << 20) as loop:
        subprocess.run(["mkfs.ext4", "-q", "-F", loop.path], check=True)
        with mounted(loop.path, tmp_path / "mnt") as mount:
            (mount / "data").mkdir()
            (tmp_path / "crm").symlink_to(mount / "data")
            assert sanitizer.resolve_path(tmp_path / "crm").devices == (loop.path,)


@pytest.mark.xdist_group("btrfs")  # forgetting scanned devices is for the whole host
@requires_tool("mkfs.btrfs", "btrfs")
def test_a_btrfs_over_two_devices_leads_to_both(tmp_path: Path) -> None:
    with loop_device(tmp_path, 128 << 20, "one.img") as one, loop_device(tmp_path, 128 << 20, "two.img") as two:
        subprocess.run(["mkfs.btrfs", "-q", "-f", one.path, two.path], check=True, capture_output=True)
        subprocess.run(["btrfs", "device", "scan", one.path, two.path], check=True, capture_output=True)
        try:
            with mounted(one.path, tmp_path / "mnt") as mount:
                found = sanitizer.resolve_path(mount)
                assert set(found.devices) == {one.path, two.path}
                assert found.unresolved == ()
        finally:
            subprocess.run(["btrfs", "device", "scan", "--forget"], check=True, capture_output=True)


def test_an_overlay_leads_to_the_devices_of_all_its_layers(tmp_path: Path) -> None:
    with loop_device(tmp_path, 16 << 20, "one.img") as one, loop_device(tmp_path, 16 << 20, "two.img") as two:
        for loop in (one, two):
            subprocess.run(["mkfs.ext4", "-q", "-F", loop.path], check=True)
        with mounted(one.path, tmp_path / "lower") as lower, mounted(two.path, tmp_path / "upper") as upper:
            (lower / "l").mkdir()
            (upper / "u").mkdir()
            (upper / "w").mkdir()
            merged = tmp_path / "merged"
            merged.mkdir()
            options = f"lowerdir={lower / 'l'},upperdir={upper / 'u'},workdir={upper / 'w'}"
            subprocess.run(["mount", "-t", "overlay", "overlay", "-o", options, str(merged)], check=True)
            try:
                found = sanitizer.resolve_path(merged)
                assert set(found.devices) == {one.path, two.path}
                assert found.unresolved == ()
            finally:
                subprocess.run(["umount", str(merged)], check=True)


def test_a_bind_mount_leads_to_the_device_beneath(tmp_path: Path) -> None:
    with loop_device(tmp_path, 16 << 20) as loop:
        subprocess.run(["mkfs.ext4", "-q", "-F", loop.path], check=True)
        with mounted(loop.path, tmp_path / "mnt") as mount:
            (mount / "crm").mkdir()
            (tmp_path / "bound").mkdir()
            subprocess.run(["mount", "--bind", str(mount / "crm"), str(tmp_path / "bound")], check=True)
            try:
                assert sanitizer.resolve_path(tmp_path / "bound").devices == (loop.path,)
            finally:
                subprocess.run(["umount", str(tmp_path / "bound")], check=True)


def test_memory_is_named_and_not_taken_for_a_disk() -> None:
    found = sanitizer.resolve_path("/dev/shm")  # noqa: S108 - only looked at
    assert found.devices == ()
    assert any("memory" in edge for edge in found.unresolved)


def test_a_path_that_is_not_there_is_named(tmp_path: Path) -> None:
    found = sanitizer.resolve_path(tmp_path / "none")
    assert found.mount_point is None
    assert found.unresolved
