"""The dashboard, the event history, exceptions, and the policy."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import AwareDatetime, TypeAdapter

from inventory.api.dispatch import Call
from inventory.api.endpoint import READERS, Answer, File, Noun, people
from inventory.api.paging import Paging, Text
from inventory.contract.v1.common import Message, Sha256
from inventory.contract.v1.lifecycle import ExceptionOwner, ExceptionResolution
from inventory.contract.v1.requests import PolicyDocument, PolicyImport
from inventory.contract.v1.vocabulary import Key
from inventory.domain import policy_file
from inventory.domain.roles import Permission
from inventory.domain.vocabulary import ExceptionState
from inventory.errors import Conflict, Duplicate, Invalid
from inventory.services import exceptions, policies, queries
from inventory.services.policies import PolicyPreview
from inventory.services.views import Dashboard, EventView, ExceptionView, Page, PolicyView

noun = Noun("overview", "What to look at first.")
events = Noun("events", "The history: every change, who made it, why and on what evidence.")
exception_noun = Noun("exceptions", "Anything unaccounted, with an owner and an end.")
policy_noun = Noun("policy", "The table that decides what is demanded; versioned, never edited.")

_EVENT = TypeAdapter(EventView)


class EventQuery(Paging):
    """Which events."""

    tag: Text | None = None
    subject: Text | None = None
    actor: Text | None = None
    since: AwareDatetime | None = None


class PolicyFileQuery(Message):
    """Which version."""

    sha256: Sha256 | None = None
    """Digest of the version; left out: the one in force."""
    following: bool = False
    """In the newest schema and with the next number: where a new version begins."""


class ExceptionQuery(Paging):
    """Which exceptions."""

    state: ExceptionState | Literal["any"] = ExceptionState.OPEN
    device: Text | None = None
    host: Text | None = None


@noun.get("/dashboard", "The dashboard", READERS)
def get_dashboard(call: Call) -> Dashboard:
    """Counts of open things, never of history."""
    return queries.dashboard(call.context, call.actor)


def _events(call: Call, query: EventQuery) -> Page[EventView]:
    return queries.list_events(
        call.context,
        call.actor,
        tag=query.tag,
        subject=query.subject,
        actor_ref=query.actor,
        since=query.since,
        after=query.after,
        limit=query.limit,
    )


@events.get("/events", "The history", people(Permission.READ_EVENTS, see=Permission.READ_EVENTS))
def list_events(call: Call, query: EventQuery) -> Page[EventView]:
    """Newest first."""
    return _events(call, query)


@events.get(
    "/events.ndjson",
    "The history as lines",
    people(Permission.READ_EVENTS, see=Permission.READ_EVENTS),
    media_type="application/x-ndjson",
)
def stream_events(call: Call, query: EventQuery) -> File:
    """One JSON object a line, newest first. The next page's `after` stands in the header `Sanitrail-Next`."""
    page = _events(call, query)
    lines = b"".join(_EVENT.dump_json(event) + b"\n" for event in page.items)
    return File(lines, "application/x-ndjson", next=page.next)


@exception_noun.get("/exceptions", "Exceptions", READERS)
def list_exceptions(call: Call, query: ExceptionQuery) -> Page[ExceptionView]:
    """Critical ones first, then newest."""
    return queries.list_exceptions(
        call.context,
        call.actor,
        state=None if query.state == "any" else query.state,
        device=query.device,
        host=query.host,
        after=query.after,
        limit=query.limit,
    )


@exception_noun.post(
    "/exceptions/{exception}/owner", "Assign an exception", people(Permission.EXCEPTION_RESOLVE), raises=(Conflict,)
)
def assign_exception(call: Call, exception: Key, body: ExceptionOwner) -> ExceptionView:
    """Gives it an owner."""
    return exceptions.assign(call.context, call.actor, exception, body.owner)


@exception_noun.post(
    "/exceptions/{exception}/resolution",
    "Resolve an exception",
    people(Permission.EXCEPTION_RESOLVE),
    updates=True,
    raises=(Conflict, Invalid),
)
def resolve_exception(call: Call, exception: Key, body: ExceptionResolution) -> Answer[ExceptionView]:
    """Says how it ended; it is raised again when its cause is seen again."""
    command = exceptions.ResolveException(exception=exception, resolution=body.resolution, version=call.version)
    view = exceptions.resolve(call.context, call.actor, command)
    return Answer(view, version=view.version)


@policy_noun.get("/policy", "The policy in force", READERS)
def get_policy(call: Call) -> PolicyView:
    """With its digest, which stands in every record."""
    return policies.current_policy(call.context, call.actor)


@policy_noun.get("/policies", "Every policy", READERS)
def list_policies(call: Call) -> tuple[PolicyView, ...]:
    """Newest first."""
    return policies.list_policies(call.context, call.actor)


@policy_noun.get("/policy.toml", "A policy as a file", READERS, media_type="application/toml")
def get_policy_file(call: Call, query: PolicyFileQuery) -> File:
    """What people keep, compare and review; the same document, byte for byte, comes out of it again."""
    text = policies.policy_as_file(call.context, call.actor, sha256=query.sha256, following=query.following)
    return File(text.encode(), "application/toml", "policy.toml")


@policy_noun.post("/policies/previews", "Preview a policy", READERS, raises=(Invalid,))
def preview_policy(call: Call, body: PolicyDocument) -> PolicyPreview:
    """What a document would change, without taking it."""
    return policies.preview_policy(call.context, call.actor, _document(body))


@policy_noun.post(
    "/policies", "Import a policy", people(Permission.POLICY_MANAGE), creates=True, raises=(Invalid, Duplicate)
)
def import_policy(call: Call, body: PolicyImport) -> PolicyView:
    """Puts a new version in force; open orders keep the decision they were sealed with."""
    command = policies.ImportPolicy(document=_document(body), reason=body.reason)
    return policies.import_policy(call.context, call.actor, command)


def _document(body: PolicyDocument) -> dict[str, Any]:
    if (body.document is None) == (body.file is None):
        raise Invalid("document", "Send the document or its file's text, exactly one of the two.")
    return body.document if body.document is not None else policy_file.read(body.file or "")
