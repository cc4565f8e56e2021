"""Where an agent's key is, and how one follows another."""

from __future__ import annotations

from pathlib import Path

import pytest

from agents import keys
from agents.errors import StateDamaged
from agents.state import StateDirectory
from reports.errors import TokenUnusable
from reports.keys import FileSigner


@pytest.fixture
def state(tmp_path: Path) -> StateDirectory:
    made = StateDirectory(tmp_path / "state")
    made.prepare()
    return made


@pytest.fixture
def tokens(monkeypatch: pytest.MonkeyPatch) -> dict[str, FileSigner]:
    made: dict[str, FileSigner] = {}

    class Token(FileSigner):
        def __init__(self, uri: str) -> None:
            if "gone" in uri:
                raise TokenUnusable(uri, "there is no token")
            super().__init__(made.setdefault(uri, FileSigner.generate("p256")).private_key)

    monkeypatch.setattr(keys, "TokenSigner", Token)
    monkeypatch.setattr(keys, "FileSigner", type("OnlyFiles", (FileSigner,), {}))
    return made


def test_a_key_in_a_token_is_found_again(state: StateDirectory, tokens: dict[str, FileSigner]) -> None:
    first = keys.load_or_create(state, uri="pkcs11:a")
    again = keys.load(state)
    assert again is not None
    assert again.signer.key_id == first.signer.key_id == tokens["pkcs11:a"].key_id
    assert not state.key_file.exists()


def test_a_token_that_is_not_there_changes_nothing(state: StateDirectory, tokens: dict[str, FileSigner]) -> None:
    known = keys.load_or_create(state)
    with pytest.raises(TokenUnusable):
        keys.load_or_create(state, renew=True, uri="pkcs11:gone")
    after = keys.load(state)
    assert after is not None
    assert after.signer.key_id == known.signer.key_id
    assert not tokens


def test_a_token_that_is_gone_is_an_error_and_never_another_key(
    state: StateDirectory, tokens: dict[str, FileSigner]
) -> None:
    keys.load_or_create(state, uri="pkcs11:a")
    state.path(keys.URI_FILE).write_text("pkcs11:gone\n", encoding="utf-8")
    with pytest.raises(StateDamaged, match="no token"):
        keys.load(state)
    assert list(tokens) == ["pkcs11:a"]


@pytest.mark.parametrize(("first", "second"), [(None, "pkcs11:a"), ("pkcs11:a", None), ("pkcs11:a", "pkcs11:b")])
def test_what_a_former_key_signed_can_still_be_read(
    state: StateDirectory, tokens: dict[str, FileSigner], first: str | None, second: str | None
) -> None:
    old = keys.load_or_create(state, uri=first).signer.key_id
    new = keys.load_or_create(state, renew=True, uri=second)
    assert new.signer.key_id != old
    assert new.public.keys() == {old, new.signer.key_id}
    assert len(tokens) == len({first, second} - {None})


def test_the_same_key_again_is_no_new_one(state: StateDirectory, tokens: dict[str, FileSigner]) -> None:
    old = keys.load_or_create(state, uri="pkcs11:a")
    assert keys.load_or_create(state, renew=True, uri="pkcs11:a").public.keys() == old.public.keys()
    assert len(tokens) == 1


def test_a_next_key_follows_one_in_a_token(state: StateDirectory, tokens: dict[str, FileSigner]) -> None:
    old = keys.load_or_create(state, uri="pkcs11:a").signer.key_id
    keys.prepare_next(state)
    fresh = keys.load_next(state).signer.key_id
    keys.take_next(state)
    now = keys.load(state)
    assert now is not None
    assert now.signer.key_id == fresh
    assert now.public.keys() == {old, fresh}
    assert len(tokens) == 1
