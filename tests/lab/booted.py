"""A computer that was switched on with the bootable image in it. Of this machine it has only files that stand for sticks.

The image's station is used as a person uses it: what the console shows is read, and answers are typed. Sticks are put in and
pulled while it runs; what is on the carrying one is read and written outside, by Debian's mtools.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from .qmp import Qmp, QmpError
from .vm import VM, LabError

FIRMWARE = Path("/usr/share/OVMF")
MEMORY_MIB = 1024
PATIENCE = 240.0
"""Seconds within which each answer comes, under emulation on a busy machine; a tenth of it is seen."""


class Booted:
    """One computer; the firmware loads the image as from a stick."""

    def __init__(self, image: Path, disk: Path, *, uefi: bool) -> None:
        self.folder = VM.new_folder()
        self._image = image
        self._disk = disk
        self._uefi = uefi
        self._process: subprocess.Popen[bytes] | None = None
        self._qmp: Qmp | None = None
        self._serial: socket.socket | None = None
        self.seen = ""
        """Everything the console has shown."""
        self._read_to = 0

    def __enter__(self) -> Self:
        # setpriv: the machine ends with this process, whatever ends it.
        line = ["setpriv", "--pdeathsig", "KILL", *self._command_line()]
        with (self.folder / "log").open("wb") as log:
            self._process = subprocess.Popen(line, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            self._serial = self._connected("serial")
            self._serial.settimeout(0.5)
            self._qmp = Qmp(self._connected("qmp"))
            self._qmp.execute("cont")
            self.expect("first serial line")
            self.type("s", line=False)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Switch off and remove what it left."""
        for each in (self._qmp, self._serial):
            if each is not None:
                each.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        VM.remove_folder(self.folder)

    @property
    def off(self) -> bool:
        """Whether it switched itself off, within a moment."""
        assert self._process is not None
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            return False
        return True

    def _command_line(self) -> list[str]:
        words = ["qemu-system-x86_64", "-accel", "tcg", "-cpu", "max", "-M", "q35", "-m", str(MEMORY_MIB), "-S"]
        words += ["-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-nic", "none"]
        words += ["-chardev", f"socket,id=serial,path={self.folder / 'serial'},server=on,wait=off"]
        words += ["-serial", "chardev:serial", "-device", "virtio-rng-pci", "-device", "qemu-xhci,id=usb"]
        words += ["-qmp", f"unix:{self.folder / 'qmp'},server=on,wait=off"]
        words += ["-blockdev", f"driver=raw,node-name=image,read-only=on,file.driver=file,file.filename={self._image}"]
        words += ["-device", "usb-storage,bus=usb.0,drive=image,id=image,bootindex=0,removable=on"]
        words += ["-blockdev", f"driver=raw,node-name=disk,file.driver=file,file.filename={self._disk}"]
        words += ["-device", "ide-hd,drive=disk,bus=ide.1,serial=LABBOOT-DISK"]
        if self._uefi:
            shutil.copy(FIRMWARE / "OVMF_VARS_4M.fd", self.folder / "variables")
            code = FIRMWARE / "OVMF_CODE_4M.fd"
            words += ["-drive", f"if=pflash,format=raw,readonly=on,file={code}"]
            words += ["-drive", f"if=pflash,format=raw,file={self.folder / 'variables'}"]
        return words

    def _connected(self, name: str) -> socket.socket:
        end = time.monotonic() + 30
        while True:
            channel = socket.socket(socket.AF_UNIX)
            try:
                channel.connect(str(self.folder / name))
            except OSError as error:
                channel.close()
                assert self._process is not None
                if self._process.poll() is not None or time.monotonic() > end:
                    said = (self.folder / "log").read_text(errors="replace")
                    raise LabError(f"the computer did not start: {said}") from error
                time.sleep(0.05)
            else:
                return channel

    # The console

    def expect(self, text: str, unless: str = "") -> str:
        """What the console shows from the last thing that was waited for, up to and with this; `unless` must not come before."""
        assert self._serial is not None
        end = time.monotonic() + PATIENCE
        while (at := self.seen.find(text, self._read_to)) < 0:
            if time.monotonic() > end or (unless and unless in self.seen[self._read_to :]):
                raise LabError(f"{text!r} was not shown; the end of the console:\n{self.seen[-3000:]}")
            try:
                content = self._serial.recv(65536)
            except TimeoutError:
                continue
            if not content:
                raise LabError(f"the computer went off before {text!r} was shown:\n{self.seen[-3000:]}")
            self.seen += content.decode(errors="replace")
        shown = self.seen[self._read_to : at + len(text)]
        self._read_to = at + len(text)
        return shown

    def type(self, words: str, *, line: bool = True) -> None:
        """On its keyboard."""
        assert self._serial is not None
        self._serial.sendall((words + "\n" * line).encode())

    # Sticks

    def put_in(self, stick: Path) -> None:
        """Put a stick in; the name of its file is its name."""
        assert self._qmp is not None
        name = stick.stem
        self._qmp.execute(
            "blockdev-add", driver="raw", **{"node-name": name}, file={"driver": "file", "filename": str(stick)}
        )
        self._qmp.execute("device_add", driver="usb-storage", bus="usb.0", drive=name, id=name, removable=True)

    def pull(self, name: str) -> None:
        """Pull a stick."""
        assert self._qmp is not None
        self._qmp.execute("device_del", id=name)
        end = time.monotonic() + 30
        while True:
            try:
                self._qmp.execute("blockdev-del", **{"node-name": name})
            except QmpError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.1)
            else:
                return


def own_stick(file: Path) -> Path:
    """The station's own, as its handbook says to make it."""
    file.write_bytes(b"")
    with file.open("r+b") as opened:
        opened.truncate(24 << 20)
    subprocess.run(["mkfs.ext4", "-q", "-F", "-L", "SANITRAIL", str(file)], check=True)
    return file


def carrying_stick(file: Path) -> Path:
    """A file system on the whole of it, as some shops sell them."""
    line = ["mformat", "-C", "-i", str(file), "-T", "32768", "-h", "64", "-s", "32", "-v", "SANI-CARRY", "::"]
    subprocess.run(line, check=True)
    with file.open("r+b") as opened:  # mformat also writes a table with one partition, which is all of it once more
        opened.seek(446)
        opened.write(bytes(64))
    return file


def write_on(stick: Path, name: str, content: bytes) -> None:
    """Put a file on the carrying stick."""
    subprocess.run(["mcopy", "-o", "-i", str(stick), "-", f"::{name}"], input=content, check=True)


def files_on(stick: Path) -> list[str]:
    """Names of the files on the carrying stick."""
    said = subprocess.run(["mdir", "-b", "-i", str(stick), "::"], capture_output=True, text=True, check=True).stdout
    return sorted(line.removeprefix("::/") for line in said.split("\n") if line)


def read_from(stick: Path, name: str) -> bytes:
    """A file on the carrying stick."""
    return subprocess.run(["mtype", "-i", str(stick), f"::{name}"], capture_output=True, check=True).stdout
