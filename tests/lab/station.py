"""A computer without a system, started from the station's image: its serial line is the screen, and sticks go in and out.

Nothing of the lab runs in it. What the test knows it reads on the line, as a person would on the screen, or on a stick that was
pulled.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Final, Literal, Self

from .qmp import Qmp, QmpError
from .vm import VM, LabError

Firmware = Literal["bios", "uefi"]
MEMORY_MIB = 1024
MIB: Final = 1 << 20
_OVMF: Final = tuple(Path("/usr/share/OVMF", f"OVMF_{part}.fd") for part in ("CODE", "VARS"))
_BOOT: Final = 600.0
"""Seconds: more than the slowest start seen under emulation on a busy machine."""


class Station:
    """One computer, one disk in it."""

    def __init__(self, image: Path, firmware: Firmware, disk: Path, serial: str) -> None:
        """It is off.

        Args:
            image: What it starts from, as a stick.
            firmware: What starts it.
            disk: The file behind its disk.
            serial: On the disk's label.
        """
        self.image, self.firmware, self.disk, self.serial = image, firmware, disk, serial
        self.folder = VM.new_folder()
        self._said = bytearray()
        self._heard = threading.Condition()
        self._read = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._line: socket.socket | None = None
        self._qmp: Qmp | None = None

    def start(self) -> None:
        """Switch on, and choose the menu entry for a serial line."""
        self._process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", *self._command_line()], stdin=subprocess.DEVNULL
        )
        self._line = self._connected("line")
        self._qmp = Qmp(self._connected("qmp"))
        threading.Thread(target=self._listen, args=(self._line,), daemon=True).start()
        self.shows("first serial line (115200)", _BOOT)
        self.enter("s", end="")

    def _command_line(self) -> list[str]:
        words = ["qemu-system-x86_64", "-accel", "tcg", "-cpu", "max", "-M", "q35", "-m", str(MEMORY_MIB), "-smp", "1"]
        words += ["-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-rtc", "base=utc"]
        if self.firmware == "uefi":
            code, variables = _OVMF
            own = Path(shutil.copy(variables, self.folder))
            words += ["-drive", f"if=pflash,format=raw,readonly=on,file={code}"]
            words += ["-drive", f"if=pflash,format=raw,file={own}"]
        for name in ("line", "qmp"):
            words += ["-chardev", f"socket,id={name},path={self.folder / name},server=on,wait=off"]
        words += ["-serial", "chardev:line", "-mon", "chardev=qmp,mode=control", "-device", "qemu-xhci,id=usb"]
        words += ["-drive", f"if=none,id=image,format=raw,readonly=on,file={self.image}"]
        words += ["-device", "usb-storage,bus=usb.0,drive=image,bootindex=0,removable=on"]
        words += ["-drive", f"if=none,id=disk,format=raw,file={self.disk}"]
        return [*words, "-device", f"ide-hd,bus=ide.0,drive=disk,serial={self.serial},rotation_rate=7200"]

    def _connected(self, name: str) -> socket.socket:
        end = time.monotonic() + 60
        while True:
            channel = socket.socket(socket.AF_UNIX)
            try:
                channel.connect(str(self.folder / name))
            except OSError as error:
                channel.close()
                assert self._process is not None
                if self._process.poll() is not None or time.monotonic() > end:
                    raise LabError("the computer did not start") from error
                time.sleep(0.05)
            else:
                return channel

    def _listen(self, line: socket.socket) -> None:
        while got := line.recv(4096):
            with self._heard:
                self._said += got
                self._heard.notify_all()

    # What a person does

    def shows(self, text: str, patience: float = 300.0) -> str:
        """Wait until this stands on the screen, after what was read before; everything up to it."""
        wanted = text.encode()
        with self._heard:
            if not self._heard.wait_for(lambda: wanted in self._said[self._read :], patience):
                raise LabError(f"the station does not show {text!r}; the end of its screen:\n{self.screen()[-3000:]}")
            begin, self._read = self._read, self._said.index(wanted, self._read) + len(wanted)
            return self._said[begin : self._read].decode(errors="replace")

    def screen(self) -> str:
        """All it ever showed."""
        return self._said.decode(errors="replace")

    def enter(self, text: str, end: str = "\r") -> None:
        """On its keyboard."""
        assert self._line is not None
        self._line.sendall(f"{text}{end}".encode())

    def plug(self, stick: Path) -> None:
        """A USB stick, by its file."""
        assert self._qmp is not None
        name = stick.stem
        self._qmp.execute(
            "blockdev-add", **{"driver": "raw", "node-name": name, "file": {"driver": "file", "filename": str(stick)}}
        )
        self._qmp.execute("device_add", driver="usb-storage", bus="usb.0", id=name, drive=name)

    def pull(self, stick: Path) -> None:
        """It is out when this returns, and all that was written is on it."""
        assert self._qmp is not None
        self._qmp.execute("device_del", id=stick.stem)
        end = time.monotonic() + 60
        while True:  # the board takes a moment to let go
            try:
                self._qmp.execute("blockdev-del", **{"node-name": stick.stem})
            except QmpError as error:
                if time.monotonic() > end:
                    raise LabError("the stick does not come out") from error
                time.sleep(0.05)
            else:
                return

    def close(self) -> None:
        """Cut the power."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        for each in (self._line, self._qmp):
            if each is not None:
                each.close()
        VM.remove_folder(self.folder)

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class CarryingStick:
    """FAT, and labelled as the station wants it; read and written here while it is out."""

    def __init__(self, file: Path) -> None:
        """A new one."""
        self.file = file
        with file.open("wb") as stream:
            stream.truncate(16 * MIB)
        _mtool("mformat", "-i", str(file), "-v", "SANI-CARRY", "::")

    def put(self, name: str, text: str) -> None:
        """A file onto it."""
        subprocess.run(["mcopy", "-i", str(self.file), "-", f"::{name}"], input=text.encode(), check=True, env=_ENV)

    def names(self) -> list[str]:
        """What lies on it."""
        listed = _mtool("mdir", "-b", "-i", str(self.file), "::").decode()
        return sorted(line.removeprefix("::/") for line in listed.splitlines())

    def get(self, name: str) -> str:
        """A file from it."""
        return _mtool("mtype", "-i", str(self.file), f"::{name}").decode()


_ENV: Final = {**os.environ, "MTOOLS_SKIP_CHECK": "1"}


def _mtool(*words: str) -> bytes:
    return subprocess.run(words, check=True, capture_output=True, env=_ENV).stdout


def own_stick(folder: Path, digests: dict[str, str]) -> Path:
    """The station's own: ext4, with the digests as those who publish them wrote them down."""
    content = folder / "own"
    (content / "etc").mkdir(parents=True)
    (content / "etc/digests").write_text("".join(f"{name} = {value}\n" for name, value in digests.items()))
    file = folder / "own.img"
    with file.open("wb") as stream:
        stream.truncate(32 * MIB)
    line = ["mkfs.ext4", "-q", "-F", "-L", "SANITRAIL", "-d", str(content), str(file)]
    search = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    subprocess.run(line, check=True, env={**os.environ, "PATH": search})
    return file
