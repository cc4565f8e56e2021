"""Words that nothing printed here may say, in any language: no record shows what every laboratory can never do."""

from __future__ import annotations

import re
from typing import Final

_PROMISES: Final = re.compile(
    r"\bcomplian\w*|\bcertified\b|\bunrecoverabl\w*"
    # `certificado` is also the Portuguese noun for a certificate; only its use as a participle is a promise
    r"|\bconformidade\b|\bconforme com\b|\bcertificadas?\b|\birrecuper\w*|\bnão recuperáve\w*"
    r"|\b(?:suportes?|dispositivos?|apagamento|processos?|dados|sistemas?|métodos?) certificados?\b"
    r"|\b(?:está|estão|foi|foram|são|é) certificados?\b"
    r"|\bmematuhi\b|\bpematuhan\b|\bpatuh\b|\bdiperakui\b|\bbertauliah\b|\btidak (?:boleh|dapat) dipulihkan\b",
    re.IGNORECASE,
)


def promise_in(text: str) -> str | None:
    """The first forbidden word of a text, as it stands there; None where there is none."""
    found = _PROMISES.search(text)
    return None if found is None else found.group()
