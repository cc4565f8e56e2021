"""A line about a sub-processor is typed in one's own language."""

from __future__ import annotations

import pytest
from werkzeug.datastructures import MultiDict

from inventory.console.forms import Form
from inventory.console.pages._statement_form import _subs


@pytest.mark.parametrize(
    ("word", "answer"),
    [
        ("yes", "yes"), ("Sim", "yes"), ("YA", "yes"),
        ("no", "no"), ("não", "no"), ("tidak", "no"),
        ("unknown", "unknown"), ("desconhecido", "unknown"), ("tidak diketahui", "unknown"), ("", "unknown"),
    ],
)  # fmt: skip
def test_each_language_says_whether_all_is_gone(word: str, answer: str) -> None:
    typed = Form(MultiDict({"subs": f"Tape Vault; copies; {word}; S-7"}))
    (found,) = _subs(typed)
    assert (found.name, found.complete, found.evidence) == ("Tape Vault", answer, "S-7")


@pytest.mark.parametrize("word", ["maybe", "sim não", "tidak pasti"])
def test_another_word_is_asked_for_again(word: str) -> None:
    typed = Form(MultiDict({"subs": f"Tape Vault; copies; {word}"}))
    assert _subs(typed) == ()
    assert "yes, no or unknown" in typed.errors["subs"]
