"""People: who may do what. Pseudonyms stand in all evidence; names live in a directory that can be erased."""

from __future__ import annotations

from flask import url_for
from werkzeug.wrappers import Response as AnyResponse

from inventory.console.blueprint import Reply, act, form, page
from inventory.console.formatting import sentence_case
from inventory.console.forms import Form, options
from inventory.console.sheets import Field, Sheet, reason
from inventory.console.web import actor, form_status, go, here, perform, posted, received, show, show_sheet
from inventory.domain.roles import Permission, Role
from inventory.services import factors
from inventory.services import people as service
from inventory.services.views import PersonView

from ._shorter import shorter
from .organisation import scope_fields, typed_scope

_ROLES = options(
    Role,
    sentence_case,
    {
        "viewer": "Sees devices, orders and their states.",
        "custodian": "Declares, moves and releases devices.",
        "operator": "Prepares orders.",
        "approver": "Signs orders with a key of their own.",
        "validator": "Decides whether a result suffices.",
        "privacy_officer": "Data sets, erasure cases, holds.",
        "auditor": "Reads everything, changes nothing.",
        "administrator": "People, hosts, policy; cannot approve or validate.",
    },
)


@page("/people")
def people_page() -> Reply:
    """Everybody."""
    found = shorter(
        service.list_people(here(), actor()), lambda one: (one.login, one.name, one.title, one.ref), "people"
    )
    return show("people.html", found=found, invited=factors.invited(here(), actor()))


def _crumb(found: PersonView) -> tuple[str, str]:
    """Back to the person's page, by the name this reader may know."""
    return found.name or found.login, url_for("console.person", person=found.ref)


@form("/people/new", Permission.PEOPLE_MANAGE)
def new_person() -> Reply:
    """Add a person; the answer shows the one-time link that lets them in, once."""
    typed = received()
    if posted():
        login = typed.text("login", "Choose a login name.", limit=64)
        name = typed.text("name", "Write their name.", limit=128)
        roles = typed.words("roles", Role)
        everywhere, at, of = typed_scope(typed)
        command = service.CreatePerson(
            login=login,
            name=name,
            title=typed.text("title", limit=128),
            contact=typed.text("contact", limit=128),
            roles=roles,
            everywhere=everywhere,
            sites=at,
            teams=of,
        )
        made: list[tuple[PersonView, str]] = []

        def deed() -> AnyResponse:
            person, link = service.create_person(here(), actor(), command)
            made.append((person, link.path))
            return go("person", person=person.ref)

        done = perform(typed, deed)
        if made:
            person, path = made[0]
            return show("link.html", person=person, link=here().settings.external_url.rstrip("/") + path)
        if done is not None:
            return done
    return show_sheet(
        Sheet(
            title="Add a person",
            submit="Add",
            lead="You get a link that lets them in once; they choose their password themselves.",
            crumbs=(("People", url_for("console.people")),),
            back=url_for("console.people"),
            fields=(
                Field(
                    kind="text",
                    name="login",
                    label="Login name",
                    hint="3 to 64 small letters, digits, dots, hyphens and underscores.",
                    mono=True,
                    limit=64,
                ),
                Field(kind="text", name="name", label="Name", limit=128),
                Field(
                    kind="text",
                    name="title",
                    label="Position or title",
                    hint="Printed on certificates beside the name.",
                    required=False,
                    limit=128,
                ),
                Field(kind="text", name="contact", label="Telephone or mail", required=False, limit=128),
                Field(kind="ticks", name="roles", label="Roles", options=_ROLES),
                *scope_fields(),
            ),
        ),
        typed,
    )


@page("/people/<person>")
def person(person: str) -> Reply:
    """One person."""
    return _show(person, Form.starting())


def _show(ref: str, typed: Form) -> Reply:
    found = service.person(here(), actor(), ref)
    if not typed.values:
        typed.values.setlist("roles", [str(role) for role in found.roles])
        typed.values.update({"name": found.name or "", "title": found.title or "", "contact": found.contact or ""})
    return show(
        "person.html", form_status(typed), person=found, form=typed, roles=_ROLES, me=actor().ref,
        invited=factors.invited(here(), actor()),
    )  # fmt: skip


@act("/people/<person>/roles", Permission.PEOPLE_MANAGE)
def set_roles(person: str) -> Reply:
    """Replace a person's roles."""
    typed = received()
    version = typed.number("version", "", low=0, high=2**53)
    command = service.SetRoles(person=person, roles=typed.words("roles", Role), version=version)
    done = perform(
        typed, lambda: go("person", said="person-changed", person=service.set_roles(here(), actor(), command).ref)
    )
    return done or _show(person, typed)


@act("/people/<person>/directory", Permission.PEOPLE_MANAGE)
def update_directory(person: str) -> Reply:
    """Correct name, title, contact."""
    typed = received()
    command = service.UpdateDirectory(
        person=person,
        name=typed.text("name", "Write their name.", limit=128),
        title=typed.text("title", limit=128),
        contact=typed.text("contact", limit=128),
    )
    done = perform(
        typed,
        lambda: go("person", said="person-changed", person=service.update_directory(here(), actor(), command).ref),
    )
    return done or _show(person, typed)


@act("/people/<person>/enabled", Permission.PEOPLE_MANAGE)
def set_enabled(person: str) -> Reply:
    """Let a person in or keep them out."""
    typed = received()
    enabled = typed.value("enabled") == "yes"
    done = perform(
        typed,
        lambda: go(
            "person", said="person-changed", person=service.set_enabled(here(), actor(), person, enabled=enabled).ref
        ),
    )
    return done or _show(person, typed)


@act("/people/<person>/link", Permission.PEOPLE_MANAGE)
def new_link(person: str) -> Reply:
    """A fresh one-time link; shown by this very answer and never again."""
    found = service.person(here(), actor(), person)
    link = service.new_link(here(), actor(), found.ref)
    return show("link.html", person=found, link=here().settings.external_url.rstrip("/") + link.path)


@form("/people/<person>/reset-sign-in", Permission.PEOPLE_MANAGE)
def reset_sign_in(person: str) -> Reply:
    """Somebody lost what they sign in with: remove all of it, so that a new link lets them in."""
    found = service.person(here(), actor(), person)
    typed = received()
    if posted():
        why = typed.text("reason", "Say why, and how you made sure who is asking.")
        command = factors.ResetFactors(person=found.ref, reason=why)
        done = perform(
            typed, lambda: go("person", said="sign-in-reset", person=factors.reset(here(), actor(), command).ref)
        )
        if done is not None:
            return done
    return show_sheet(
        Sheet(
            title=f"Reset the sign-in of {found.name or found.login}",
            submit="Remove all of it",
            tone="danger",
            warning=True,
            lead="Make sure who is asking: face to face, or by a telephone number you knew before.",
            crumbs=(
                ("People", url_for("console.people")),
                _crumb(found),
            ),
            back=url_for("console.person", person=found.ref),
            consequences=(
                "Their passkeys, authenticator app, recovery codes and single sign-on let nobody in any more.",
                "Every session of theirs ends. A password stays, and opens nothing by itself where a second factor is demanded.",
                "Keys they approve with are not touched: revoke those where they are lost, too.",
            ),
            fields=(reason(),),
        ),
        typed,
    )


@form("/people/<person>/erase", Permission.PEOPLE_MANAGE)
def erase_directory(person: str) -> Reply:
    """Erase name, title and contact; the pseudonym and every proof stay."""
    found = service.person(here(), actor(), person)
    typed = received()
    if posted():
        why = typed.text("reason", "Say why.")
        done = perform(
            typed,
            lambda: go(
                "person", said="person-changed", person=service.erase_directory(here(), actor(), found.ref, why).ref
            ),
        )
        if done is not None:
            return done
    return show_sheet(
        Sheet(
            title=f"Erase the directory entry of {found.name or found.login}",
            submit="Erase name, title and contact",
            tone="danger",
            warning=True,
            crumbs=(
                ("People", url_for("console.people")),
                _crumb(found),
            ),
            back=url_for("console.person", person=found.ref),
            consequences=(
                "Name, title and contact are gone for good; only a disabled person can be erased.",
                "Every signature and proof still holds: evidence bears the pseudonym only.",
            ),
            fields=(reason(),),
        ),
        typed,
    )
