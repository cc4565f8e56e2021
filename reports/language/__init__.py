"""The words of documents in several languages: catalogs, and the speaker that says them. Standard library only.

A catalog is a TOML file `<language>/<document>.toml` of flat keys; the key `title` of `certificate.toml` is said as
`certificate.title`. Placeholders are those of `str.format`; `{count:,}` groups digits as the language does. English is the
language of everything that is signed, so a sentence in the English catalogs that stands in signed statements is never changed.
Other languages are printed renderings of the same facts.
"""

from __future__ import annotations

from .speaker import ENGLISH, LANGUAGES, Language, Said, Speaker, said, speaker

__all__ = ["ENGLISH", "LANGUAGES", "Language", "Said", "Speaker", "said", "speaker"]
