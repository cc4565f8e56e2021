"""What the story needs around it: a folder, a service, an agent, people, one scratch disk; and all of it taken down again."""

from __future__ import annotations

import secrets
import shutil
import socket
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from .api import Service, Session
from .people import CAST, Actor
from .processes import Programs
from .scratch import ScratchDisk

CONSOLE_PORT = 8443


@dataclass
class World:
    """Everything the demonstration made, in one folder."""

    folder: Path
    programs: Programs
    service: Service
    people: dict[str, Actor] = field(default_factory=lambda: {person.login: person for person in CAST})
    administrator: Session | None = None
    administrator_password: str = field(default_factory=lambda: f"demo-{secrets.token_urlsafe(12)}")
    disk: ScratchDisk | None = None
    pin: str = ""

    @classmethod
    def make(cls) -> World:
        """A fresh folder and a free port on loopback."""
        folder = Path(tempfile.mkdtemp(prefix="sanitrail-demo-"))
        logs = folder / "logs"
        logs.mkdir()
        return cls(folder, Programs(logs), Service(f"http://127.0.0.1:{_free_port()}"))

    @property
    def service_environment(self) -> dict[str, str]:
        """The service's settings, as an operator would give them."""
        return {
            "SANITRAIL_DATA_DIR": str(self.folder / "service"),
            "SANITRAIL_EXTERNAL_URL": self.service.address,
            "SANITRAIL_PORT": self.service.address.rpartition(":")[2],
            "SANITRAIL_HEARTBEAT_SECONDS": "2",
            "SANITRAIL_UPKEEP_SECONDS": "5",
            "SANITRAIL_SECOND_FACTOR": "offered",  # nobody of the story has a telephone
            "SANITRAIL_ORGANISATION__NAME": "Example CRM Ltd",
            "SANITRAIL_ORGANISATION__ADDRESS": "1 Harbour Street, Exampletown",
            "SANITRAIL_ORGANISATION__CONTACT": "privacy@crm.example",
        }

    @property
    def agent_environment(self) -> dict[str, str]:
        """The agent's settings."""
        return {
            "SANITRAIL_AGENT_SERVER": self.service.address,
            "SANITRAIL_AGENT_STATE_DIR": str(self.folder / "agent"),
            "SANITRAIL_AGENT_LOCAL_RULES": str(self.folder / "local-rules.toml"),
            "SANITRAIL_AGENT_RESCAN_INTERVAL": "2",
            "SANITRAIL_AGENT_SURVEY": "false",  # the story is about its own disk, not about this machine's swap and databases
            "SANITRAIL_AGENT_PROGRESS_INTERVAL": "0.2",
        }

    @property
    def admin(self) -> Session:
        """The administrator's session. A bug of the story if there is none."""
        if self.administrator is None:
            raise RuntimeError("the administrator has not signed in")
        return self.administrator

    @property
    def scratch(self) -> ScratchDisk:
        """The scratch disk. A bug of the story if there is none."""
        if self.disk is None:
            raise RuntimeError("there is no scratch disk")
        return self.disk

    def session(self, login: str) -> Session:
        """Somebody's session."""
        return self.people[login].signed_in

    def take_down(self) -> None:
        """End the programs, undo the disk, remove the folder."""
        self.programs.stop_all()
        if self.disk is not None:
            self.disk.remove()
        shutil.rmtree(self.folder, ignore_errors=True)


def _free_port() -> int:
    """The console's usual port, or another one where that is taken."""
    for port in (CONSOLE_PORT, 0):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise RuntimeError("no free port on loopback")
