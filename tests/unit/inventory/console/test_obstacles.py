"""What stands in a drive's way is told by its code, in the reader's language; what nobody knows stays the agent's English."""

from __future__ import annotations

import ast
import dataclasses
import inspect

import pytest

from inventory.console.language.catalogs import Tongue, catalog
from inventory.console.views.obstacles import PARTS, TOLD, told
from inventory.services.views import ReasonView
from sanitizer import drive_obstacles, errors, neighbours, obstacles
from sanitizer.errors import ERRORS, MountedFilesystem, NotWholeDevice, RaidMember


def reported() -> set[str]:
    """The codes of whatever the sanitizer finds in the way of a whole disk."""
    found = set()
    for module in (obstacles, drive_obstacles, neighbours):
        for node in ast.walk(ast.parse(inspect.getsource(module))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                kind = getattr(errors, node.func.id, None)
                if isinstance(kind, type) and issubclass(kind, errors.Refused):
                    found.add(kind.code)
    return found - {NotWholeDevice.code}


def test_every_obstacle_of_the_sanitizer_is_told_in_its_own_words() -> None:
    assert reported() <= set(TOLD), "an obstacle without words would be shown in English alone"
    for code, (sentence, remedy) in TOLD.items():
        assert (ERRORS[code].sentence, ERRORS[code].remedy) == (sentence.removesuffix("."), remedy)


def test_every_particular_has_its_word() -> None:
    named = {
        field.name.replace("_", " ").capitalize()
        for code in TOLD
        for field in dataclasses.fields(ERRORS[code])
        if field.name not in {"fingerprint", "step", "touched"}
    }
    assert named == set(PARTS)


def test_the_code_says_what_it_is_and_the_agent_what_it_found() -> None:
    agent = MountedFilesystem(mount_points=("/srv/crm", "/srv/b (old); x"))
    (one,) = told([ReasonView(code=agent.code, sentence=agent.summarize())])
    assert one.sentence == "A filesystem on this device is mounted."
    assert one.remedy == "Unmount it, then inspect the device again."
    assert one.parts == (("Mount points", "/srv/crm, /srv/b (old); x"),)
    (older,) = told([ReasonView(code=RaidMember.code, sentence="Part of an array")])
    assert (older.sentence, older.parts) == ("This device is a member of a running RAID array.", ())
    (newer,) = told([ReasonView(code="held-by-a-ghost", sentence="A ghost has it (name: Ann).")])
    assert (newer.sentence, newer.known, newer.remedy) == ("A ghost has it (name: Ann).", False, "")


@pytest.mark.parametrize("tongue", ["pt", "ms"])
def test_each_is_said_in_each_language(tongue: Tongue) -> None:
    book = catalog(tongue)
    for sentence, remedy in TOLD.values():
        assert book.sentence(sentence) != sentence
        assert book.sentence(remedy) != remedy
