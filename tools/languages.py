"""Brings the console's catalogs up to date with the sources, and says what has no translation yet.

python -m tools.languages            add new sentences without a translation, drop those nobody says any more
python -m tools.languages --check    only say what is missing; ends with 1 where something is
"""

from __future__ import annotations

import io
import sys
from typing import Final

from babel.messages.catalog import Catalog
from babel.messages.pofile import write_po

from inventory.console.language import harvest
from inventory.console.language.catalogs import NAMES, TONGUES, Tongue, path_of, read

_SPOKEN: Final = tuple(tongue for tongue in TONGUES if tongue != "en")


def missing(tongue: Tongue) -> list[str]:
    """The sentences that the catalog does not hold."""
    known = read(path_of(tongue))
    return [sentence for sentence in {**harvest.recognised(), **harvest.said()} if sentence not in known]


def written(tongue: Tongue, known: dict[str, str]) -> str:
    """The catalog as a PO file: what is said now, in alphabetical order, so that two changes seldom meet."""
    catalog = Catalog(locale=tongue, charset="utf-8")
    for sentence in sorted({**harvest.recognised(), **harvest.said()}):
        catalog.add(sentence, known.get(sentence, ""))
    stream = io.BytesIO()
    write_po(stream, catalog, width=0, omit_header=True)
    head = (
        f"# The console in {NAMES[tongue]}. Sentences are those of the sources; `python -m tools.languages` keeps them so.\n"
        'msgid ""\nmsgstr ""\n'
        f'"Language: {tongue}\\n"\n"Content-Type: text/plain; charset=utf-8\\n"\n\n'
    )
    return head + stream.getvalue().decode().strip() + "\n"


def main() -> int:
    """Write or check every catalog."""
    check = "--check" in sys.argv[1:]
    lacking = 0
    for tongue in _SPOKEN:
        if not check:
            path_of(tongue).write_text(written(tongue, read(path_of(tongue))), encoding="utf-8")
        absent = missing(tongue)
        lacking += len(absent)
        for sentence in absent:
            sys.stdout.write(f"{tongue}: {sentence}\n")
        sys.stdout.write(f"{NAMES[tongue]}: {len(absent)} without a translation\n")
    return 1 if check and lacking else 0


if __name__ == "__main__":
    sys.exit(main())
