"""A host of the lab with the agent's command on it."""

from __future__ import annotations

import json
import shlex
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agents.local_rules import EXAMPLE
from inventory.services import hosts

from .kernel import ROOT
from .office import Office
from .rig import Rig
from .vm import Result

PATIENCE = 300.0
LOG = "agent.log"


@dataclass
class Machine:
    """A host in its rig, and the agent's command there; its state lies on the share, which stands for its stick."""

    rig: Rig
    name: str

    @property
    def stick(self) -> Path:
        """Where the settings lie, and mostly the state."""
        return self.rig.share / "stick"

    def furnish(self, **settings: object) -> None:
        """A new stick: settings, these among them, and local rules."""
        self.stick.mkdir(parents=True)
        rules = self.stick / "local-rules.toml"
        rules.write_text(EXAMPLE)
        rules.chmod(0o600)
        places = {"state_dir": "/lab/stick/state", "local_rules": "/lab/stick/local-rules.toml"}
        values = {**places, "survey": False, **settings}
        (self.stick / "agent.toml").write_text(
            "".join(f"{key} = {json.dumps(value)}\n" for key, value in values.items())
        )

    def boot(self) -> None:
        """Switch on; the host has a name of its own."""
        self.rig.boot()
        self.rig.vm.run(
            f"hostname {self.name} && echo {self.name * 8:.32} | md5sum | cut -c1-32 > /etc/machine-id"
        ).checked()

    def agent(self, *words: str) -> Result:
        """One command of the agent, to its end."""
        line = shlex.join([sys.executable, "-m", "agents", "--config", "/lab/stick/agent.toml", *words])
        return self.rig.vm.run(f"cd {ROOT} && PYTHONPATH={ROOT} {line}", PATIENCE)

    def do(self, command: str) -> str:
        """A command of the guest that has to succeed; what it printed."""
        return self.rig.vm.run(command, PATIENCE).checked().out

    def hears(self, port: int) -> None:
        """The service behind this port of the lab's own machine, on the same port of the guest's loopback."""
        self.do(f"setsid {sys.executable} /lab/boot/forward.py {port} > /run/forward.log 2>&1 &")

    def enrol(self, office: Office) -> str:
        """Introduced over the network, and confirmed; its number."""
        pins = ("--trust-root", office.trust_root, "--roster", office.roster)
        answer = self.agent("enrol", "--token", office.token(self.name), *pins, "--json").checked().document
        hosts.confirm(office.world.context, office.world.actor("admin"), answer["host"], answer["key_id"])
        return str(answer["host"])

    def start(self) -> None:
        """The whole agent, as a process of the guest."""
        line = shlex.join([sys.executable, "-m", "agents", "--config", "/lab/stick/agent.toml", "run"])
        inside = f"cd {ROOT} && echo $$ > /run/agent.pid && PYTHONPATH={ROOT} exec {line} >> /lab/{LOG} 2>&1"
        self.do(f"setsid sh -c {shlex.quote(inside)} > /dev/null 2>&1 &")

    def stop(self) -> None:
        """As an administrator stops it."""
        self.do("pid=$(cat /run/agent.pid); kill $pid; while [ -d /proc/$pid ]; do sleep 0.1; done")

    def log(self) -> str:
        """Everything that process has said."""
        file = self.rig.share / LOG
        return file.read_text(errors="replace") if file.exists() else ""

    def until(self, true: Callable[[], bool], what: str) -> None:
        """Wait for something that must happen."""
        end = time.monotonic() + PATIENCE
        while not true():
            assert time.monotonic() < end, f"it did not happen: {what}\n{self.log()[-6000:]}"
            time.sleep(0.2)

    def is_heard(self, office: Office, number: str) -> None:
        """Its next heartbeat has come in."""
        before = office.heard(number)
        self.until(lambda: office.heard(number) != before, f"{self.name} is heard")

    def guest(self, script: str, *words: str) -> None:
        """A script of the guest's own, to its end."""
        self.rig.vm.run(shlex.join([sys.executable, f"/lab/boot/{script}", *words]), PATIENCE).checked()

    def out(self, file: str) -> dict[str, Any]:
        """What is carried away from the host, as a file."""
        self.agent("airgap", "out", "--to", f"/lab/{file}").checked()
        found: dict[str, Any] = json.loads((self.rig.share / file).read_text())
        return found
