"""The people of the demonstration: invented, each with the one role the story needs."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from pathlib import Path

from .api import Service, Session
from .processes import command, command_json


@dataclass
class Actor:
    """Somebody in the story."""

    login: str
    name: str
    title: str
    role: str
    password: str = field(default_factory=lambda: f"demo-{secrets.token_urlsafe(12)}")
    key_file: Path | None = None
    session: Session | None = None

    @property
    def signed_in(self) -> Session:
        """Their session. A bug of the story if they have none."""
        if self.session is None:
            raise RuntimeError(f"{self.login} has not signed in")
        return self.session


CAST = (
    Actor("petra", "Petra Lindqvist", "Privacy officer", "privacy_officer"),
    Actor("carlos", "Carlos Medeiros", "IT asset custodian", "custodian"),
    Actor("olga", "Olga Nunes", "Operations engineer", "operator"),
    Actor("ana", "Ana Ferraz", "Head of infrastructure", "approver"),
    Actor("ben", "Ben Yusoff", "Information security officer", "approver"),
    Actor("vera", "Vera Krause", "Internal audit", "validator"),
)


def invite(service: Service, administrator: Session, person: Actor) -> None:
    """The administrator adds a person; they set their own password through the one-time link."""
    made = administrator.post(
        "/people",
        {
            "login": person.login,
            "name": person.name,
            "title": person.title,
            "contact": f"{person.login}@crm.example",
            "roles": [person.role],
            "everywhere": True,
        },
    )
    secret = made["link"]["secret"]
    person.session = Session.begin(service, "/welcome", {"secret": secret, "password": person.password})


def make_key(folder: Path, person: Actor) -> str:
    """An approver makes a key of their own and registers its public half. Returns the key id."""
    person.key_file = folder / f"{person.login}.pem"
    made = command_json("sanitrail", "approver-key", "new", str(person.key_file), "--json", env={})
    registered = person.signed_in.post("/approver-keys", {"public_key": made["public_key"]})
    return str(registered["key_id"])


def token(person: Actor) -> str:
    """An API token of theirs, for the commands that sign on their behalf with their key."""
    made = person.signed_in.post(
        "/tokens", {"name": "demonstration", "roles": [person.role], "lifetime_seconds": 86_400}
    )
    return str(made["secret"])


def sign(person: Actor, service: Service, *words: str) -> str:
    """Run a signing command of `sanitrail` as this person, with their own key file."""
    env = {"SANITRAIL_CLIENT_TOKEN": token(person), "SANITRAIL_CLIENT_SERVER": service.address}
    return command("sanitrail", *words, "--key", str(person.key_file), "--yes", env=env)
