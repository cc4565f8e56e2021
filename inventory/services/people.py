"""Accounts: pseudonyms everywhere, names in a directory row that can be erased without breaking one proof."""

from __future__ import annotations

from dataclasses import dataclass

from inventory.domain.roles import Role

from .context import Actor, Context
from .views import OneTimeLinkView, PersonView


@dataclass(frozen=True, kw_only=True)
class CreatePerson:
    """A new person, without a password: the one-time link in the answer lets them set it."""

    login: str
    """3 to 64 of `a-z 0-9 . _ -`, unique."""
    name: str
    title: str
    contact: str
    roles: frozenset[Role]


@dataclass(frozen=True, kw_only=True)
class SetRoles:
    """Replace a person's roles."""

    person: str
    roles: frozenset[Role]
    version: int | None = None
    """The version that was read (If-Match); None: whatever it is now."""


@dataclass(frozen=True, kw_only=True)
class UpdateDirectory:
    """Correct name, title or contact."""

    person: str
    name: str
    title: str
    contact: str


@dataclass(frozen=True, kw_only=True)
class ChangePassword:
    """One's own password."""

    current: str
    new: str


def create_person(context: Context, actor: Actor, command: CreatePerson) -> tuple[PersonView, OneTimeLinkView]:
    """Create a person and the link that lets them in. Permission `people.manage`.

    Raises:
        Invalid: login name malformed, or roles that exclude each other.
        Duplicate: the login name is taken.
    """
    raise NotImplementedError


def set_roles(context: Context, actor: Actor, command: SetRoles) -> PersonView:
    """Replace a person's roles. Permission `people.manage`. The last enabled administrator keeps the role.

    Raises:
        NotFound, StaleVersion.
        Invalid: roles that exclude each other (governance, section 5).
        Conflict: it would leave no administrator.
    """
    raise NotImplementedError


def set_enabled(context: Context, actor: Actor, person: str, *, enabled: bool) -> PersonView:
    """Disable (ending every session and token at once) or enable a person. Permission `people.manage`.

    Raises:
        NotFound.
        Conflict: it would leave no administrator.
    """
    raise NotImplementedError


def new_link(context: Context, actor: Actor, person: str) -> OneTimeLinkView:
    """A fresh one-time link for somebody who lost their password; earlier unused links die. Permission `people.manage`."""
    raise NotImplementedError


def update_directory(context: Context, actor: Actor, command: UpdateDirectory) -> PersonView:
    """Correct a directory row. Permission `people.manage`."""
    raise NotImplementedError


def erase_directory(context: Context, actor: Actor, person: str, reason: str) -> PersonView:
    """Erase name, title and contact (the pseudonym and every proof stay). Permission `people.manage`; the person must be disabled."""
    raise NotImplementedError


def change_password(context: Context, actor: Actor, command: ChangePassword) -> None:
    """Change one's own password; every other session ends.

    Raises:
        NotSignedIn: the current password is wrong.
        Invalid: the new one is shorter than 12 characters, longer than 256, or contains the login name.
    """
    raise NotImplementedError


def list_people(context: Context, actor: Actor) -> tuple[PersonView, ...]:
    """Everybody, by login name. Names and contacts only for `directory.read`; permission `inventory.read`."""
    raise NotImplementedError


def person(context: Context, actor: Actor, ref: str) -> PersonView:
    """One person; oneself always with the directory row. Raises `NotFound`."""
    raise NotImplementedError
