"""What the service adds to a note reads like a sentence, and is read in every language."""

from __future__ import annotations

import pytest

from reports.destruction_notes import in_language, kept_elsewhere, weighed
from reports.language import ENGLISH, speaker


@pytest.mark.parametrize(
    ("named", "missing", "english"),
    [
        (1, 1, "The file named here is kept elsewhere, not among the issuer's files, at the works."),
        (3, 3, "The 3 files named here are kept elsewhere, not among the issuer's files, at the works."),
        (3, 1, "One of the 3 files named here is kept elsewhere, not among the issuer's files, at the works."),
        (3, 2, "2 of the 3 files named here are kept elsewhere, not among the issuer's files, at the works."),
    ],
)
def test_where_files_are_kept_is_said_with_the_right_number(named: int, missing: int, english: str) -> None:
    one = kept_elsewhere(named, missing, "the works")
    assert ENGLISH.tell(one) == english
    for language in ("pt", "ms"):
        voice = speaker(language)
        assert in_language(f"In two runs. {english}", voice) == f"In two runs. {voice.tell(one)}"


def test_weights_and_files_are_told_in_their_order_and_the_persons_words_stay() -> None:
    both = f"Twice. {ENGLISH.tell(weighed(120, 100))} {ENGLISH.tell(kept_elsewhere(1, 1, 'the works, shelf 2.'))}"
    said = in_language(both, speaker("pt"))
    assert said.startswith("Twice. Pesado: 120 g antes e 100 g depois; 20 g ")
    assert said.endswith(
        "O ficheiro aqui nomeado é guardado noutro lugar, não entre os ficheiros do emissor: the works, shelf 2.."
    )


def test_a_note_of_before_is_read_too() -> None:
    before = "Files named here: 2; of these kept elsewhere, not among the issuer's files: 1, at the works."
    assert in_language(before, speaker("pt")).startswith("Ficheiros aqui nomeados: 2; destes,")
    assert in_language(before, ENGLISH) == before


@pytest.mark.parametrize("note", ["", "Shredded twice.", "Weighed nothing.", "The file named here is kept elsewhere."])
def test_what_a_person_wrote_stays_as_it_is(note: str) -> None:
    assert in_language(note, speaker("ms")) == note
