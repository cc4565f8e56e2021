"""The first root of the guest, without a guest: what the kernel's unpacker will find in it."""

from __future__ import annotations

import lzma
import stat
import subprocess
from pathlib import Path

import pytest

from tests.support.capabilities import requires_tool

from .initramfs import cpio, initramfs
from .kernel import Kernel, KernelMissing, module_bytes

RELEASE = "6.1.0-lab"


@pytest.fixture
def kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kernel:
    modules = tmp_path / "lib/modules" / RELEASE
    (modules / "kernel").mkdir(parents=True)
    (tmp_path / "boot").mkdir()
    (tmp_path / f"boot/vmlinuz-{RELEASE}").write_bytes(b"stub" + lzma.compress(b"the kernel") + b"\x0a\0\0\0")
    (modules / "kernel/9p.ko.xz").write_bytes(lzma.compress(b"nine"))
    (modules / "kernel/9pnet.ko").write_bytes(b"net")
    (modules / "kernel/9pnet_virtio.ko").write_bytes(b"virtio")
    (modules / "modules.dep").write_text(
        "kernel/9p.ko.xz: kernel/9pnet.ko\nkernel/9pnet.ko:\nkernel/9pnet_virtio.ko: kernel/9pnet.ko\n"
    )
    monkeypatch.setenv("LAB_KERNEL", str(tmp_path))
    return Kernel.find()


def test_a_module_comes_after_what_it_needs_and_only_once(kernel: Kernel) -> None:
    names = [path.name for path in kernel.needed(("9pnet_virtio", "9p", "built_in"))]
    assert names == ["9pnet.ko", "9pnet_virtio.ko", "9p.ko.xz"]


def test_modules_are_unpacked_for_the_smallest_of_loaders(kernel: Kernel) -> None:
    assert [module_bytes(path) for path in kernel.needed(("9p",))] == [b"net", b"nine"]


@requires_tool("busybox")
def test_another_unpacker_reads_the_archive(kernel: Kernel, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    archive = initramfs(kernel, busybox=Path(__file__))
    subprocess.run(["busybox", "cpio", "-i", "-d"], input=archive, cwd=out, check=True, capture_output=True)
    assert (out / "bin/busybox").read_bytes() == Path(__file__).read_bytes()
    assert (out / "modules").read_text().split() == ["mod/9pnet.ko", "mod/9pnet_virtio.ko", "mod/9p.ko"]
    assert (out / "mod/9p.ko").read_bytes() == b"nine"
    assert (out / "init").stat().st_mode & stat.S_IXUSR


def test_every_member_of_the_archive_begins_on_four_bytes() -> None:
    archive = cpio([("a", stat.S_IFREG, b"x"), ("bcd", stat.S_IFREG, b"yz")])
    at = [start for start in range(len(archive)) if archive.startswith(b"070701", start)]
    assert [start % 4 for start in at] == [0, 0, 0]


def test_a_folder_without_a_kernel_says_what_to_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAB_KERNEL", str(tmp_path))
    with pytest.raises(KernelMissing, match="tools/bootstrap lab"):
        Kernel.find()


def test_the_kernel_is_unpacked_whatever_stands_before_and_after_it(
    kernel: Kernel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.lab.kernel.CACHE", tmp_path / "cache")
    assert kernel.unpacked().read_bytes() == b"the kernel"
