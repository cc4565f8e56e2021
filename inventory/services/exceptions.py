"""Exceptions: anything unaccounted, with an owner and an end."""

from __future__ import annotations

from dataclasses import dataclass

from inventory.domain.roles import Permission
from inventory.domain.vocabulary import ExceptionState
from inventory.errors import Conflict, Invalid
from inventory.events import Tag
from inventory.models import ExceptionItem, Person

from ._mapping import exception_view
from .context import Actor, Context, authorize
from .kernel import check_version, find, note, required
from .views import ExceptionView


@dataclass(frozen=True, kw_only=True)
class ResolveException:
    """How it ended."""

    exception: str
    resolution: str
    """At least ten characters: it is read by auditors."""
    version: int | None = None


def assign(context: Context, actor: Actor, exception: str, owner: str) -> ExceptionView:
    """Give it an owner. Permission `exception.resolve`. Raises `NotFound`, `Conflict` (resolved)."""
    authorize(actor, Permission.EXCEPTION_RESOLVE)
    with context.writing(actor) as session:
        item = find(session, ExceptionItem, exception, "exception")
        _still_open(item)
        person = find(session, Person, owner, "person")
        if not person.enabled:
            raise Invalid("owner", "This person is disabled and cannot own anything.")
        item.owner = person.ref
        session.flush()
        note(
            session, context, actor, Tag.EXCEPTION_ASSIGNED, "exception", item.id,
            device=item.device_id, host=item.host_id, details={"owner": person.ref},
        )  # fmt: skip
        return exception_view(item)


def resolve(context: Context, actor: Actor, command: ResolveException) -> ExceptionView:
    """Say how it ended. Permission `exception.resolve`. It is raised again when the cause is seen again."""
    authorize(actor, Permission.EXCEPTION_RESOLVE)
    with context.writing(actor) as session:
        item = find(session, ExceptionItem, command.exception, "exception")
        check_version(f"Exception {item.id}", item.version, command.version)
        _still_open(item)
        item.resolution = required("resolution", command.resolution, least=10)
        item.state = ExceptionState.RESOLVED
        item.resolved = context.now()
        item.resolved_by = actor.ref
        session.flush()
        note(
            session, context, actor, Tag.EXCEPTION_RESOLVED, "exception", item.id,
            device=item.device_id, host=item.host_id, reason=item.resolution, details={"code": item.code},
        )  # fmt: skip
        return exception_view(item)


def _still_open(item: ExceptionItem) -> None:
    if item.state is not ExceptionState.OPEN:
        raise Conflict(f"Exception {item.id} was resolved already.")
