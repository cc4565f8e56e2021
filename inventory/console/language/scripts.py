"""What the console's scripts say: the sentences of each, and of those it brings along, read from the scripts themselves.

A script says `say("Choose a file first.")`; its page carries the translations of exactly these. English needs none.
"""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Final

from .catalogs import Tongue, catalog

FOLDER: Final = Path(__file__).resolve().parents[1] / "static" / "js"
_SAID = re.compile(r'\bsay\(\s*("(?:[^"\\\n]|\\.)*")')
_BRINGS = re.compile(r'^import .* from "\./([a-z-]+\.js)";$', re.MULTILINE)


def sentences(source: str) -> list[str]:
    """Every sentence a script says, in order."""
    return [str(json.loads(literal)) for literal in _SAID.findall(source)]


@cache
def of_script(name: str) -> tuple[str, ...]:
    """The sentences of a script and of every script it imports."""
    found: dict[str, None] = {}
    waiting, seen = [name], {name}
    while waiting:
        source = (FOLDER / waiting.pop()).read_text(encoding="utf-8")
        found.update(dict.fromkeys(sentences(source)))
        fresh = [other for other in _BRINGS.findall(source) if other not in seen]
        seen.update(fresh)
        waiting += fresh
    return tuple(found)


@cache
def words_of(name: str, tongue: Tongue) -> dict[str, str]:
    """Sentence -> how the language says it, of one script; what has no translation is left out and stays English."""
    known = catalog(tongue)
    return {sentence: known.message(sentence) for sentence in of_script(name) if sentence in known}
