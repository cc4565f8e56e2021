"""Paths on real filesystems of this kernel, followed down to their loop devices."""

from __future__ import annotations

import subprocess
import threading
from pathlib import Path

import pytest

import sanitizer
from agents.hotplug import TableWatch
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


def test_a_path_as_a_process_in_a_container_sees_it_leads_to_the_same_disk(tmp_path: Path) -> None:
    with loop_device(tmp_path, 16 << 20) as loop:
        subprocess.run(["mkfs.ext4", "-q", "-F", loop.path], check=True)
        inside = tmp_path / "inside"
        inside.mkdir()
        line = f"mount --make-rprivate / && mount {loop.path} {inside} && cd {inside} && mkdir db && echo ready && exec sleep 60"
        with subprocess.Popen(["unshare", "--mount", "sh", "-c", line], stdout=subprocess.PIPE) as child:
            try:
                assert child.stdout is not None
                assert child.stdout.readline() == b"ready\n"
                assert sanitizer.resolve_path(inside).devices != (loop.path,), "our own table does not have it"
                found = sanitizer.resolve_path_of(child.pid, f"{inside}/db")
                assert (found.devices, found.unresolved) == ((loop.path,), ())
                assert sanitizer.resolve_path_of(child.pid, f"{inside}/none").unresolved
            finally:
                child.kill()


def test_a_mount_is_heard_of_at_once(tmp_path: Path) -> None:
    changed = threading.Event()
    watch = TableWatch(changed.set)
    watch.start()
    try:
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", str(tmp_path)], check=True)
        try:
            assert changed.wait(30)
        finally:
            subprocess.run(["umount", str(tmp_path)], check=True)
    finally:
        watch.stop()
    assert not [thread for thread in threading.enumerate() if thread.name == "tables"]
