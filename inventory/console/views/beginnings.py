"""The first-run guide in words: each step, why it is there, who does it, and the page on which it is done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from flask import url_for

from inventory.domain.beginnings import FIRST_DISK, FIRST_ORDER, WHO, Beginning, Begun, Progress, steps
from inventory.domain.roles import Permission

from .story import Link


@dataclass(frozen=True)
class _Words:
    title: str
    text: str
    label: str
    endpoint: str
    who: str


_WORDS: Final = {
    Beginning.ENROL: _Words(
        "Let an agent introduce itself",
        "Make a one-time token here. On the host, the agent takes it and makes a key of its own; the private half never "
        "leaves that host.",
        "Make a token",
        "enrol_host",
        "An administrator",
    ),
    Beginning.CONFIRM: _Words(
        "Compare its fingerprint",
        "The host's own screen shows the fingerprint of its key. Only that tells you that what asked is your host.",
        "Hosts to confirm",
        "hosts",
        "An administrator",
    ),
    Beginning.SEE: _Words(
        "Its disks register themselves",
        "With its next report the agent says which disks it sees: model, serial number, size, and what they are part of. "
        "Nothing is written to any of them.",
        "Devices",
        "devices",
        "The agent does this",
    ),
    Beginning.PEOPLE: _Words(
        "Give people their roles",
        "Two who approve and one who validates, besides whoever asks for the work: an administrator decides nothing "
        "about data, and nobody validates what they approved.",
        "People",
        "people",
        "An administrator",
    ),
    Beginning.KEYS: _Words(
        "Approvers make their keys",
        "Each approver makes a key or a passkey on the page “Your keys”. You compare its fingerprint with them, face to "
        "face or by telephone, and confirm it.",
        "Keys to confirm",
        "roster",
        "Approvers, then an administrator",
    ),
    Beginning.ROSTER: _Words(
        "Publish the first roster",
        "The list of approvers that agents believe. Its own members sign it; each agent is told its digest once, on its "
        "own host.",
        "Roster and keys",
        "roster",
        "Approvers",
    ),
    Beginning.DATA: _Words(
        "Say where the data lives",
        "Name a data set and the paths that hold it. The agent follows each path down to the disks beneath, and from "
        "then on those disks may not leave before a validated record covers what they held.",
        "Data sets",
        "data_sets",
        "The privacy officer",
    ),
    Beginning.ORDER: _Words(
        "Order the first sanitization",
        "Retire or quarantine a disk, then order. The policy says which method its data and its destination demand.",
        "Devices",
        "devices",
        "An operator",
    ),
}


@dataclass(frozen=True)
class GuideStep:
    """A step as the reader sees it."""

    key: str
    progress: Progress
    title: str
    text: str
    link: Link | None
    """Where it is done; None where the reader may not do it, or it is done."""
    who: str
    """Who does it, where that is somebody else."""


@dataclass(frozen=True)
class Guide:
    """Both paths."""

    to_disk: tuple[GuideStep, ...]
    to_order: tuple[GuideStep, ...]

    @property
    def has_disk(self) -> bool:
        """Whether the first disk is registered."""
        return all(step.progress is Progress.DONE for step in self.to_disk)

    @property
    def is_over(self) -> bool:
        """Whether nothing is left to do."""
        return self.has_disk and all(step.progress is Progress.DONE for step in self.to_order)

    @property
    def done(self) -> int:
        """Steps that are done."""
        return sum(step.progress is Progress.DONE for step in (*self.to_disk, *self.to_order))

    @property
    def all(self) -> int:
        """Steps there are."""
        return len(self.to_disk) + len(self.to_order)


def guide(begun: Begun, may: Callable[[Permission], bool]) -> Guide:
    """The guide for this reader."""

    def shown(path: tuple[Beginning, ...]) -> tuple[GuideStep, ...]:
        found = []
        for step in steps(path, begun):
            words, able = _WORDS[step.beginning], may(WHO[step.beginning])
            offers = able and step.progress is not Progress.DONE
            link = Link(words.label, url_for(f"console.{words.endpoint}")) if offers else None
            found.append(
                GuideStep(str(step.beginning), step.progress, words.title, words.text, link, "" if able else words.who)
            )
        return tuple(found)

    return Guide(shown(FIRST_DISK), shown(FIRST_ORDER))
