"""Each guard fires on a real device in the state it guards against, and stops firing when the state ends."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import sanitizer
from sanitizer import Inspection
from sanitizer.errors import DeviceMissing, MountedFilesystem, NotBlockDevice, NotWholeDevice, Refused
from sanitizer.inspector import Inspector
from sanitizer.planning import PlanRequest
from sanitizer.transport.block import BlockDevice
from tests.integration.sanitizer.wiping import SEED, cleared, codes, wipe
from tests.support.capabilities import requires_loop, requires_tool
from tests.support.loopdev import SECRET, Loop, attach, loop_device, make_file, mounted

pytestmark = [requires_loop, pytest.mark.block_device]


@pytest.fixture
def loop(tmp_path: Path) -> Iterator[Loop]:
    with loop_device(tmp_path) as device:
        yield device


def untouched(loop: Loop) -> bool:
    return loop.backing() == SECRET * (len(loop.backing()) // len(SECRET))


def test_a_quiet_loop_device_has_an_identity_and_no_obstacles(loop: Loop) -> None:
    inspection = sanitizer.inspect(loop.path)
    assert inspection.obstacles == ()
    assert inspection.identity is not None
    assert inspection.identity.kind == "loop"
    status = loop.file.stat()
    assert (inspection.identity.serial or "").startswith(f"backing-{status.st_dev:x}-{status.st_ino}")
    assert (inspection.media, inspection.hidden_capacity, inspection.zoned) == ("virtual", "no", False)
    assert loop.path in [each.path for each in sanitizer.list_devices()]


def test_looking_changes_nothing(loop: Loop) -> None:
    sanitizer.inspect(loop.path)
    sanitizer.list_devices()
    assert untouched(loop)


@requires_tool("mkfs.ext4")
def test_a_mounted_device_is_refused_while_it_is_mounted(loop: Loop, tmp_path: Path) -> None:
    subprocess.run(["mkfs.ext4", "-q", "-F", loop.path], check=True)
    with mounted(loop.path, tmp_path / "mnt"):
        assert codes(loop.path) == ["mounted-filesystem"]
        with pytest.raises(MountedFilesystem) as caught:
            cleared(loop.path)
        assert caught.value.mount_points == (str(tmp_path / "mnt"),)
    assert codes(loop.path) == []


@requires_tool("mkfs.ext4")
def test_a_disk_with_a_mounted_partition_is_refused(loop: Loop, tmp_path: Path) -> None:
    part = loop.add_partition(1, 2048, 8192)
    subprocess.run(["mkfs.ext4", "-q", "-F", part], check=True)
    with mounted(part, tmp_path / "mnt"):
        assert codes(loop.path) == ["mounted-filesystem"]
    assert codes(loop.path) == []


def test_a_partition_is_not_offered_and_not_taken(loop: Loop) -> None:
    part = loop.add_partition(1, 2048, 8192)
    assert part not in [each.path for each in sanitizer.list_devices()]
    assert codes(part) == ["not-whole-device"]
    with pytest.raises((NotWholeDevice, Refused)):
        cleared(part)


@pytest.mark.parametrize("on_partition", [False, True])
def test_active_swap_is_refused(loop: Loop, on_partition: bool) -> None:
    node = loop.add_partition(1, 2048, 8192) if on_partition else loop.path
    subprocess.run(["mkswap", "-q", node], check=True, capture_output=True)
    subprocess.run(["swapon", node], check=True)
    try:
        assert codes(loop.path) == ["active-swap"]
    finally:
        subprocess.run(["swapoff", node], check=True)
    assert codes(loop.path) == []


@pytest.mark.xdist_group("btrfs")  # forgetting scanned devices is for the whole host
@requires_tool("mkfs.btrfs")
def test_every_member_of_a_mounted_btrfs_is_refused_though_the_mount_names_one(tmp_path: Path) -> None:
    with (
        loop_device(tmp_path, 128 << 20, "one.img") as one,
        loop_device(tmp_path, 128 << 20, "two.img") as two,
    ):
        subprocess.run(["mkfs.btrfs", "-q", "-f", one.path, two.path], check=True, capture_output=True)
        subprocess.run(["btrfs", "device", "scan", one.path, two.path], check=True, capture_output=True)
        try:
            with mounted(one.path, tmp_path / "mnt"):
                assert "mounted-filesystem" in codes(one.path)
                assert "mounted-filesystem" in codes(two.path)
            # Asleep, each is still half of something.
            assert codes(two.path) == ["dormant-member"]
        finally:
            subprocess.run(["btrfs", "device", "scan", "--forget"], check=True, capture_output=True)


def test_a_write_protected_device_is_refused(tmp_path: Path) -> None:
    loop = attach(make_file(tmp_path / "ro.img", 4 << 20), "--read-only")
    try:
        assert codes(loop.path) == ["read-only-device"]
    finally:
        loop.detach()


@contextmanager
def opened_elsewhere(path: str, flags: str) -> Iterator[int]:
    """Another process holds the device open."""
    program = f"import os,sys; fd=os.open({path!r}, {flags}); sys.stdout.write('open\\n'); sys.stdout.flush(); sys.stdin.read()"
    other = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert other.stdout is not None
        assert other.stdout.readline() == b"open\n"
        yield other.pid
    finally:
        other.communicate()


def test_a_process_that_may_write_is_named(loop: Loop) -> None:
    with opened_elsewhere(loop.path, "os.O_RDWR") as pid:
        (found,) = sanitizer.inspect(loop.path).obstacles
        assert found.code == "held-by-process"
        assert f"({pid})" in found.summarize()
    assert codes(loop.path) == []


def test_a_process_that_only_reads_is_no_obstacle(loop: Loop) -> None:
    with opened_elsewhere(loop.path, "os.O_RDONLY"):
        assert codes(loop.path) == []


def test_a_claim_no_table_shows_is_refused_by_the_kernel_itself(loop: Loop, tmp_path: Path) -> None:
    """ZFS, another mount namespace: nothing in our tables, but the exclusive open fails."""
    with opened_elsewhere(loop.path, "os.O_RDONLY | os.O_EXCL"):
        outcome = wipe(loop.path, tmp_path / "journals")
    assert (outcome.state, outcome.error_code, outcome.touched) == ("refused", "device-busy", "no")
    assert untouched(loop)


def test_a_mount_in_another_namespace_is_refused(loop: Loop, tmp_path: Path) -> None:
    subprocess.run(["mkfs.ext4", "-q", "-F", loop.path], check=True)
    before = loop.backing()
    (tmp_path / "mnt").mkdir()
    script = f"mount {loop.path} {tmp_path / 'mnt'} && echo mounted && read -r _"
    other = subprocess.Popen(["unshare", "--mount", "sh", "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert other.stdout is not None
        assert other.stdout.readline() == b"mounted\n"
        assert codes(loop.path) == []  # our own table knows nothing of it
        outcome = wipe(loop.path, tmp_path / "journals")
        assert (outcome.state, outcome.error_code, outcome.touched) == ("refused", "device-busy", "no")
    finally:
        other.communicate(b"\n")
    assert loop.backing().count(SECRET) == before.count(SECRET)


def test_a_mount_made_after_clearing_is_refused_and_survives(loop: Loop, tmp_path: Path) -> None:
    subprocess.run(["mkfs.ext4", "-q", "-F", loop.path], check=True)
    clearance = cleared(loop.path)
    with mounted(loop.path, tmp_path / "mnt") as mount:
        (mount / "crm.db").write_text("customers")
        outcome = sanitizer.sanitize(clearance, "run-1", tmp_path / "journals", sample_seed=SEED)
        assert outcome.state == "refused"
        assert outcome.touched == "no"
        assert (mount / "crm.db").read_text() == "customers"


def test_while_a_run_works_nobody_can_mount_the_device(loop: Loop, tmp_path: Path) -> None:
    subprocess.run(["mkfs.ext4", "-q", "-F", loop.path], check=True)
    (tmp_path / "mnt").mkdir()
    answers: list[int] = []

    def ask() -> None:
        done = subprocess.run(["mount", loop.path, str(tmp_path / "mnt")], check=False, capture_output=True)
        answers.append(done.returncode)

    outcome = sanitizer.sanitize(
        cleared(loop.path), "run-1", tmp_path / "journals", sample_seed=SEED, before_first_write=ask
    )
    assert outcome.state == "succeeded"
    assert answers[0] != 0


def test_another_file_under_the_same_node_is_another_medium(tmp_path: Path) -> None:
    """The order was for what was at /dev/loopN; something else is there now."""
    first = attach(make_file(tmp_path / "one.img", 4 << 20))
    clearance = cleared(first.path)
    first.detach()
    make_file(tmp_path / "two.img", 4 << 20)
    subprocess.run(["losetup", first.path, str(tmp_path / "two.img")], check=True)
    second = Loop(first.path, tmp_path / "two.img")
    try:
        outcome = sanitizer.sanitize(clearance, "run-1", tmp_path / "journals", sample_seed=SEED)
        assert (outcome.state, outcome.error_code, outcome.touched) == ("refused", "identity-mismatch", "no")
        assert untouched(second)
    finally:
        second.detach()


def test_a_new_file_with_a_used_again_inode_is_another_medium(tmp_path: Path) -> None:
    prints = []
    for _ in range(2):
        loop = attach(make_file(tmp_path / "disk.img", 4 << 20))
        prints.append(sanitizer.inspect(loop.path).fingerprint)
        loop.detach()
        loop.file.unlink()
    assert prints[0] != prints[1]


def test_the_same_file_attached_anew_is_the_same_medium_but_needs_a_new_clearance(tmp_path: Path) -> None:
    first = attach(make_file(tmp_path / "one.img", 4 << 20))
    clearance, fingerprint = cleared(first.path), sanitizer.inspect(first.path).fingerprint
    first.detach()
    subprocess.run(["losetup", first.path, str(first.file)], check=True)
    try:
        assert sanitizer.inspect(first.path).fingerprint == fingerprint
        outcome = sanitizer.sanitize(clearance, "run-1", tmp_path / "journals", sample_seed=SEED)
        assert (outcome.state, outcome.error_code) == ("refused", "device-changed")
        assert untouched(first)
    finally:
        first.detach()


def test_two_nodes_of_one_medium_are_refused_as_ambiguous(tmp_path: Path) -> None:
    file = make_file(tmp_path / "one.img", 4 << 20)
    one, two = attach(file), attach(file)
    try:
        assert codes(one.path) == codes(two.path) == ["ambiguous-identity"]
    finally:
        one.detach()
        two.detach()


class Read:
    """Opens for reading, and notes from which devices blocks were read."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.paths: set[str] = set()
        read = BlockDevice.read

        def noted(device: BlockDevice, buffer: memoryview, offset: int) -> int:
            self.paths.add(device.path)
            return read(device, buffer, offset)

        monkeypatch.setattr(BlockDevice, "read", noted)


def test_a_medium_is_found_by_its_fingerprint_and_no_other_is_read(
    loop: Loop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fingerprint = sanitizer.inspect(loop.path).fingerprint or ""
    with loop_device(tmp_path, name="other.img") as other:
        read = Read(monkeypatch)
        (found,) = sanitizer.find_devices(fingerprint, other.path)
        assert (found.path, found.fingerprint, found.obstacles) == (loop.path, fingerprint, ())
        assert read.paths == {loop.path}


def test_of_a_medium_that_is_not_here_what_is_in_its_place_is_told(loop: Loop) -> None:
    (found,) = sanitizer.find_devices("0" * 64, loop.path)
    assert found.path == loop.path
    assert sanitizer.find_devices("0" * 64, "/dev/nothing") == []


def test_a_medium_that_is_pulled_while_it_is_looked_for_is_not_there(
    loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    fingerprint = sanitizer.inspect(loop.path).fingerprint or ""

    def pulled(_: Inspector, path: str) -> Inspection:
        raise DeviceMissing(path=path)

    monkeypatch.setattr(Inspector, "inspect", pulled)
    assert sanitizer.find_devices(fingerprint, loop.path) == []


def test_every_node_of_a_medium_is_found(tmp_path: Path) -> None:
    file = make_file(tmp_path / "one.img", 4 << 20)
    one, two = attach(file), attach(file)
    try:
        found = sanitizer.find_devices(sanitizer.inspect(one.path).fingerprint or "", one.path)
        assert sorted(each.path for each in found) == sorted([one.path, two.path])
        assert [[o.code for o in each.obstacles] for each in found] == [["ambiguous-identity"]] * 2
    finally:
        one.detach()
        two.detach()


def test_a_window_of_a_file_is_another_medium_and_says_that_more_is_hidden(tmp_path: Path) -> None:
    file = make_file(tmp_path / "one.img", 8 << 20)
    whole = attach(file)
    whole_print = sanitizer.inspect(whole.path).fingerprint
    whole.detach()
    part = attach(file, "--offset", str(4 << 20))
    try:
        inspection = sanitizer.inspect(part.path)
        assert inspection.hidden_capacity == "yes"
        assert inspection.fingerprint != whole_print
    finally:
        part.detach()


@requires_tool("pvcreate")
@pytest.mark.parametrize("on_partition", [False, True])
def test_a_sleeping_volume_group_must_be_named_to_be_destroyed(loop: Loop, tmp_path: Path, on_partition: bool) -> None:
    # The kernel here has no device mapper, so the label is put where pvcreate puts it: sector 1.
    base = 2048 * 512 if on_partition else 0
    if on_partition:
        loop.add_partition(1, 2048, 8192)
    loop.write_behind(base + 512, b"LABELONE" + bytes(16) + b"LVM2 001")
    assert codes(loop.path) == ["dormant-member"]
    assert sanitizer.inspect(loop.path).dormant_signatures == ("lvm2-member",)
    with pytest.raises(Refused):
        cleared(loop.path)
    request = PlanRequest(pattern_set="zeros", acknowledged_signatures=("lvm2-member",))
    outcome = wipe(loop.path, tmp_path / "journals", request)
    assert outcome.state == "succeeded"
    assert not any(loop.backing())


def test_a_path_that_is_no_device_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(NotBlockDevice):
        sanitizer.inspect(tmp_path / "file")
    with pytest.raises(NotBlockDevice):
        sanitizer.inspect("/dev/null")
    with pytest.raises(DeviceMissing):
        sanitizer.inspect(tmp_path / "none")


def test_a_symbolic_link_leads_to_its_device(loop: Loop, tmp_path: Path) -> None:
    (tmp_path / "by-name").symlink_to(loop.path)
    assert sanitizer.inspect(tmp_path / "by-name").path == loop.path


def test_a_detached_loop_device_has_no_medium(tmp_path: Path) -> None:
    # Numbers of loop devices are given out again at once, to whoever asks next: look until it is ours that is empty.
    for attempt in range(20):
        loop = attach(make_file(tmp_path / f"{attempt}.img", 4 << 20))
        loop.detach()
        found = codes(loop.path)
        if Path(f"/sys/block/{loop.name}/size").read_text() == "0\n" and found:
            break
    assert "no-medium" in found


def test_the_disk_beneath_the_root_filesystem_is_refused_as_the_systems() -> None:
    resolution = sanitizer.resolve_path("/")
    listed = {each.path: [o.code for o in each.obstacles] for each in sanitizer.list_devices()}
    for path in resolution.devices:
        if path in listed:
            assert listed[path][0] == "system-device"
    assert resolution.devices or resolution.unresolved
