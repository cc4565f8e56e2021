"""This machine once more, inside QEMU's software emulation, with drives of its own.

The guest's root is the host's `/`, read-only over 9p, under a layer of memory: the checkout, its environment and the reference
tools are there as they are here, and nothing the guest does reaches the host but through the share folder (`/lab` in the
guest) and the drives it was given. Commands go through a virtio-serial port to `guest/guest_agent.py`.

    with VM() as vm:
        vm.run("nvme list").checked()
"""

from __future__ import annotations

import base64
import json
import os
import queue
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from .initramfs import initramfs
from .kernel import ROOT, Kernel
from .qmp import Qmp

GUEST = Path(__file__).with_name("guest")
MEMORY_MIB = 768
BOOT_SECONDS = 120.0
"""Longer than the slowest boot seen under a loaded machine, by far; a boot takes seven."""


class LabError(Exception):
    """The lab itself failed: no statement about the product."""


class CommandFailed(AssertionError):
    """A command that had to succeed did not."""


@dataclass(frozen=True)
class Nvdimm:
    """A module of persistent memory in a slot of the board; its medium is a file of this machine."""

    path: Path
    mib: int
    label_kib: int = 0
    """Room for namespace labels; without it the whole module is one namespace."""


@dataclass(frozen=True)
class Result:
    """How a command in the guest ended."""

    command: str
    status: int
    """Exit status; 124 when its time was up, 125 when it could not be run."""
    out: str
    err: str
    seconds: float

    def checked(self) -> Result:
        """Itself, if it succeeded."""
        if self.status:
            raise CommandFailed(f"{self.command!r} exited {self.status}:\n{self.out}{self.err}")
        return self

    @property
    def document(self) -> Any:  # noqa: ANN401 - whatever the command printed
        """Standard output as JSON."""
        return json.loads(self.out)


class VM:
    """One boot. `kill` is a power cut: the drives outlive it, the guest does not."""

    def __init__(
        self,
        share: Path | None = None,
        devices: Sequence[str] = (),
        kernel: Kernel | None = None,
        nvdimms: Sequence[Nvdimm] = (),
        root: Path = Path("/"),
        first: str = "init.sh",
    ) -> None:
        """Nothing runs yet.

        Args:
            share: The folder that the guest has as `/lab`.
            devices: More words for QEMU.
            kernel: Another than the one that was unpacked.
            nvdimms: Persistent memory.
            root: What the guest has as `/`, read-only beneath a layer of memory: this machine's own, or another.
            first: The guest's first program, one of those in `guest`.
        """
        self._root, self._first = root, first
        self.kernel = kernel or Kernel.find()
        self.folder = self.new_folder()
        self.share = share or self.folder / "share"
        self.console_log = self.folder / "console.log"
        self._devices = list(devices)
        self._nvdimms = list(nvdimms)
        self._process: subprocess.Popen[bytes] | None = None
        self._channel: socket.socket | None = None
        self._qmp: Qmp | None = None
        self._answers: dict[int, queue.Queue[dict[str, Any] | None]] = {}
        self._number = 0
        self._lock = threading.Lock()
        self._product_ready = False
        self._loading = threading.Lock()
        self.boot_seconds = 0.0

    # Boot and end

    def start(self) -> None:
        """Boot; returns when the guest takes commands. Raises `LabError` with the end of the console otherwise."""
        began = time.monotonic()
        self._furnish()
        with self.console_log.open("wb") as log:
            # setpriv: the machine ends with this process, whatever ends it.
            self._process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", *self._command_line()],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        try:
            self._answers[0] = queue.Queue()
            self._channel = self._connected(self.folder / "agent", began + BOOT_SECONDS)
            self._qmp = Qmp(self._connected(self.folder / "qmp", began + BOOT_SECONDS))
            threading.Thread(target=self._listen, args=(self._channel,), daemon=True).start()
            self._answer(0, began + BOOT_SECONDS - time.monotonic())
        except BaseException:
            self.close()
            raise
        self.boot_seconds = time.monotonic() - began

    def _furnish(self) -> None:
        boot = self.share / "boot"
        boot.mkdir(parents=True, exist_ok=True)
        for each in GUEST.iterdir():
            if each.is_file():
                shutil.copy(each, boot)
        (boot / "first").write_bytes((GUEST / self._first).read_bytes())
        python = Path(sys.executable).resolve()
        settings = {"PYTHON": python, "MODULES": self.kernel.modules.resolve()}
        (boot / "settings").write_text("".join(f"{key}={shlex.quote(str(value))}\n" for key, value in settings.items()))
        (self.folder / "initramfs").write_bytes(initramfs(self.kernel))

    def _command_line(self) -> list[str]:
        share = f"local,id=share,path={self.share},security_model=none,multidevs=remap"
        return [
            *("qemu-system-x86_64", "-accel", "tcg", "-cpu", "max"),
            *self._memory(),
            *("-smp", "1", "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"),
            # Shared memory: the drives' adapters live in this process (vhost-user).
            *("-object", f"memory-backend-memfd,id=memory,size={MEMORY_MIB}M,share=on"),
            *("-serial", "stdio", "-nic", "none"),
            *("-kernel", str(self.kernel.unpacked()), "-initrd", str(self.folder / "initramfs")),
            *("-append", "console=ttyS0 quiet panic=-1 mitigations=off random.trust_cpu=on"),
            *("-fsdev", f"local,id=root,path={self._root},security_model=none,readonly=on,multidevs=remap"),
            *("-device", "virtio-9p-pci,fsdev=root,mount_tag=hostroot"),
            *("-fsdev", share, "-device", "virtio-9p-pci,fsdev=share,mount_tag=share"),
            *("-device", "virtio-serial-pci"),
            *("-chardev", f"socket,id=agent,path={self.folder / 'agent'},server=on,wait=off"),
            *("-device", "virtserialport,chardev=agent,name=lab.agent"),
            *("-device", "virtio-rng-pci"),
            *("-netdev", "user,id=net", "-device", "virtio-net-pci,netdev=net,romfile="),
            *("-qmp", f"unix:{self.folder / 'qmp'},server=on,wait=off"),
            *self._devices,
        ]

    def _memory(self) -> list[str]:
        """The board's memory, and what stands in its other slots."""
        if not self._nvdimms:
            return ["-M", "q35,memory-backend=memory", "-m", str(MEMORY_MIB)]
        most = MEMORY_MIB + sum(each.mib for each in self._nvdimms) + 1024
        slots = len(self._nvdimms)
        words = ["-M", "q35,memory-backend=memory,nvdimm=on", "-m", f"{MEMORY_MIB},slots={slots},maxmem={most}M"]
        for number, each in enumerate(self._nvdimms):
            backend = f"memory-backend-file,id=dimm{number},share=on,mem-path={each.path},size={each.mib}M,align=2M"
            labels = f",label-size={each.label_kib}K" if each.label_kib else ""
            words += ["-object", backend, "-device", f"nvdimm,id=nvdimm{number},memdev=dimm{number}{labels}"]
        return words

    def _connected(self, path: Path, end: float) -> socket.socket:
        while True:
            channel = socket.socket(socket.AF_UNIX)
            try:
                channel.connect(str(path))
            except OSError as error:
                channel.close()
                if not self.alive or time.monotonic() > end:
                    raise LabError(f"the machine did not start: {self.console()[-2000:]}") from error
                time.sleep(0.05)
            else:
                return channel

    @property
    def alive(self) -> bool:
        """Whether the machine runs."""
        return self._process is not None and self._process.poll() is None

    def kill(self) -> None:
        """Cut the power."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def close(self) -> None:
        """End the machine and remove what it left."""
        self.kill()
        if self._channel is not None:
            self._channel.close()
        if self._qmp is not None:
            self._qmp.close()
        self.remove_folder(self.folder)

    @staticmethod
    def new_folder() -> Path:
        """A folder with a short path, as sockets want it."""
        return Path(tempfile.mkdtemp(prefix="lab-"))

    @staticmethod
    def remove_folder(folder: Path) -> None:
        """With all that is in it, unless `LAB_KEEP=1` asks to look at it."""
        if os.environ.get("LAB_KEEP") != "1":
            shutil.rmtree(folder, ignore_errors=True)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def console(self) -> str:
        """What the guest's kernel and first process said so far."""
        return self.console_log.read_text(errors="replace") if self.console_log.exists() else ""

    # Commands

    def _listen(self, channel: socket.socket) -> None:
        with channel.makefile("rb") as stream:
            try:
                for line in stream:
                    answer = json.loads(line)
                    with self._lock:
                        waiting = self._answers.get(answer["number"])
                    if waiting is not None:  # else it comes too late for anybody
                        waiting.put(answer)
            except (OSError, ValueError):
                pass
        with self._lock:
            for waiting in self._answers.values():
                waiting.put(None)

    def _answer(self, number: int, timeout: float) -> dict[str, Any]:
        try:
            answer = self._answers[number].get(timeout=max(timeout, 0.0))
        except queue.Empty:
            answer = None
        with self._lock:
            del self._answers[number]
        if answer is None:
            state = "silent" if self.alive else "gone"
            raise LabError(f"the guest is {state}; the end of its console:\n{self.console()[-3000:]}")
        return answer

    def _ask(self, what: str, request: dict[str, object], timeout: float) -> Result:
        if self._channel is None or not self.alive:
            raise LabError("the machine is off")
        with self._lock:
            self._number += 1
            number = self._number
            self._answers[number] = queue.Queue()
            self._channel.sendall(json.dumps({"number": number, "timeout": timeout, **request}).encode() + b"\n")
        answer = self._answer(number, timeout + 15)
        out, err = (base64.b64decode(answer.get(key, "")).decode(errors="replace") for key in ("out", "err"))
        return Result(what, answer["status"], out, err, answer["seconds"])

    def run(self, command: str, timeout: float = 60) -> Result:
        """A shell command in the guest, both outputs as one. Several may run at the same time."""
        return self._ask(command, {"command": command}, timeout)

    def product(
        self,
        *arguments: str,
        timeout: float = 120,
        pace: float = 1,
        attached: dict[str, str] | None = None,
        environment: dict[str, str] | None = None,
    ) -> Result:
        """A `sanitizer` command of this checkout in the guest; see `guest/guest_product.py` for `pace` and `attached`."""
        self.load_product()
        request: dict[str, object] = {"arguments": arguments, "pace": pace}
        request |= {"attached": attached or {}, "environment": environment or {}}
        return self._ask(f"sanitizer {shlex.join(arguments)}", request, timeout)

    def load_product(self) -> None:
        """Have the product ready in the guest; the first command does it by itself, and then takes that much longer."""
        with self._loading:
            if self._product_ready:
                return
            python = shlex.quote(sys.executable)
            checkout = shlex.quote(
                str(ROOT)
            )  # first on the path: this one, wherever the environment was installed from
            server = f"cd {checkout} && PYTHONPATH={checkout} exec {python} /lab/boot/guest_product.py"
            self.run(f"setsid sh -c {shlex.quote(server)} > /run/lab-product.log 2>&1 &").checked()
            loaded = self.run("for i in $(seq 900); do [ -e /run/lab-product ] && exit 0; sleep 0.1; done; exit 1", 120)
            if loaded.status:
                raise LabError(f"the product did not load in the guest:\n{self.run('cat /run/lab-product.log').out}")
            self._product_ready = True

    def qmp(self, command: str, **arguments: object) -> Any:  # noqa: ANN401 - as `Qmp.execute`
        """A management command."""
        if self._qmp is None:
            raise LabError("the machine is off")
        return self._qmp.execute(command, **arguments)
