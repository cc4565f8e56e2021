"""The language a person wants a document printed in."""

from __future__ import annotations

from typing import Final

from flask import request

from inventory.console.web import here
from inventory.errors import Invalid
from reports.language import LANGUAGES, Language

NAMES: Final[dict[Language, str]] = {"en": "English", "pt": "Português", "ms": "Bahasa Melayu"}
"""What each language calls itself."""


def asked_language() -> Language | None:
    """As the address asks; None where it does not. Raises `Invalid`."""
    asked = request.args.get("language")
    for known in LANGUAGES:
        if asked == known:
            return known
    if asked is None:
        return None
    raise Invalid("language", f"Documents are printed in {', '.join(NAMES.values())}, and in no other language.")


def further_languages() -> tuple[tuple[Language, str], ...]:
    """Languages beside the main one, each with its name."""
    main = here().settings.documents.language
    return tuple((language, name) for language, name in NAMES.items() if language != main)
