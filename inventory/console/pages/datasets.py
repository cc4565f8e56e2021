"""Data sets: what data there is, how much it matters, and where it lies."""

from __future__ import annotations

from collections import Counter

from flask import request, url_for
from werkzeug.datastructures import MultiDict

from inventory.console.blueprint import Reply, form, page
from inventory.console.formatting import sentence_case
from inventory.console.forms import Form, Option, options
from inventory.console.sheets import Field, Sheet, reason
from inventory.console.views.lineage import lineage_of
from inventory.console.views.lists import pager
from inventory.console.views.map import picture
from inventory.console.web import actor, go, here, perform, posted, received, show, show_sheet
from inventory.domain.roles import Permission
from inventory.domain.vocabulary import Category
from inventory.services import data, queries

from ._shorter import shorter

_CATEGORIES = options(
    Category,
    sentence_case,
    {
        "low": "Disclosure would do limited harm.",
        "moderate": "Disclosure would do serious harm: most customer data.",
        "high": "Disclosure would do severe or catastrophic harm.",
    },
)
_ENCRYPTION = tuple(Option(value, sentence_case(value)) for value in ("unknown", "none", "software", "self-encrypting"))


def _others(but: str = "") -> tuple[Option, ...]:
    return tuple(Option(row.id, row.name) for row in data.list_data_sets(here(), actor()) if row.id != but)


def _fields(others: tuple[Option, ...], *, new: bool) -> tuple[Field, ...]:
    name = Field(
        kind="text",
        name="name",
        label="Name",
        hint="Agents and people both use it, such as “CRM production”.",
        limit=64,
    )
    common = (
        Field(kind="choices", name="category", label="Confidentiality (FIPS 199)", options=_CATEGORIES),
        Field(kind="text", name="owner", label="Owner", hint="Who answers for it: a team or a pseudonym."),
        Field(kind="area", name="description", label="What it is", required=False),
        Field(kind="number", name="retention_days", label="Kept for how many days", required=False),
        Field(kind="select", name="encryption", label="Encrypted at rest", options=_ENCRYPTION),
        Field(
            kind="text",
            name="key_holder",
            label="Who holds the keys",
            hint="A team or a key store. Not said: a lost medium counts as readable.",
            required=False,
        ),
        *(
            (
                Field(
                    kind="ticks",
                    name="copies_of",
                    label="Made from these data sets",
                    hint="Backups and exports: who withdraws from one of them withdraws from this one, too.",
                    options=others,
                    required=False,
                ),
            )
            if others
            else ()
        ),
    )
    return (name, *common) if new else (*common, reason())


@page("/data")
def data_sets() -> Reply:
    """Every data set."""
    found = shorter(
        data.list_data_sets(here(), actor()), lambda one: (one.name, one.description, one.owner), "data sets"
    )
    paths = Counter(one.data_set for one in data.list_paths(here(), actor()) if one.withdrawn is None)
    return show("data-sets.html", found=found, paths=paths)


@page("/data/<data_set>")
def data_set(data_set: str) -> Reply:
    """One data set and where it lies, drawn down to the disks."""
    found = data.data_set(here(), actor(), data_set)
    paths = data.list_paths(here(), actor(), data_set=found.id)
    holdings = queries.list_holdings(here(), actor(), data_set=found.id, after=request.args.get("after"), limit=100)
    return show(
        "data-set.html",
        set=found,
        paths=paths,
        holdings=holdings.items,
        pager=pager(holdings, "holdings"),
        map=(drawn := queries.data_set_map(here(), actor(), found.id)),
        drawn=picture(drawn),
        lineage=lineage_of(paths, holdings.items),
        names={row.id: row.name for row in data.list_data_sets(here(), actor())} if found.copies_of else {},
    )


@form("/data/new", Permission.DATA_SET_MANAGE)
def new_data_set() -> Reply:
    """Name a data set."""
    typed = received()
    typed.values.setdefault("encryption", "unknown")
    if posted():
        name = typed.text("name", "Give it a name.", limit=64)
        category = typed.word("category", Category, "Choose how much its disclosure would harm.")
        owner = typed.text("owner", "Say who answers for it.", limit=128)
        retention = typed.number("retention_days", "", low=1, high=36_500)
        encryption = typed.one_of("encryption", _ENCRYPTION, "Choose what is known of its encryption.")
        if category is not None:
            command = data.CreateDataSet(
                name=name,
                category=category,
                owner=owner,
                description=typed.text("description"),
                retention_days=retention,
                encryption=encryption,
                key_holder=typed.text("key_holder", limit=200),
                copies_of=tuple(typed.values.getlist("copies_of")),
            )
            done = perform(
                typed,
                lambda: go(
                    "data_set", said="data-set-created", data_set=data.create_data_set(here(), actor(), command).id
                ),
            )
            if done is not None:
                return done
    return show_sheet(
        Sheet(
            title="New data set",
            submit="Add data set",
            lead="Sanitrail knows where data is, not what it says. Its confidentiality decides how its media must be sanitized.",
            crumbs=(("Data sets", url_for("console.data_sets")),),
            back=url_for("console.data_sets"),
            fields=_fields(_others(), new=True),
        ),
        typed,
    )


@form("/data/<data_set>/change", Permission.DATA_SET_MANAGE)
def change_data_set(data_set: str) -> Reply:
    """Everything but its name."""
    found = data.data_set(here(), actor(), data_set)
    known = {
        "category": str(found.category),
        "owner": found.owner,
        "description": found.description,
        "retention_days": "" if found.retention_days is None else str(found.retention_days),
        "encryption": found.encryption,
        "key_holder": found.key_holder or "",
    }
    typed = received() if posted() else Form(MultiDict(known))
    if not posted():
        typed.values.setlist("copies_of", list(found.copies_of))
    if posted():
        category = typed.word("category", Category, "Choose how much its disclosure would harm.")
        owner = typed.text("owner", "Say who answers for it.", limit=128)
        retention = typed.number("retention_days", "", low=1, high=36_500)
        encryption = typed.one_of("encryption", _ENCRYPTION, "Choose what is known of its encryption.")
        why = typed.text("reason", "Say why.")
        if category is not None:
            command = data.ChangeDataSet(
                data_set=found.id, category=category, owner=owner, description=typed.text("description"),
                retention_days=retention, encryption=encryption, reason=why,
                key_holder=typed.text("key_holder", limit=200), copies_of=tuple(typed.values.getlist("copies_of")),
            )  # fmt: skip
            done = perform(
                typed,
                lambda: go(
                    "data_set", said="data-set-changed", data_set=data.change_data_set(here(), actor(), command).id
                ),
            )
            if done is not None:
                return done
    return show_sheet(
        Sheet(
            title=f"Change {found.name}",
            submit="Save",
            crumbs=(
                ("Data sets", url_for("console.data_sets")),
                (found.name, url_for("console.data_set", data_set=found.id)),
            ),
            back=url_for("console.data_set", data_set=found.id),
            consequences=("A higher confidentiality applies to every medium that ever held it.",),
            fields=_fields(_others(found.id), new=False),
        ),
        typed,
    )
