"""The report of a missing medium on paper."""

from __future__ import annotations

import sqlalchemy as sa

from inventory.domain.roles import Permission
from inventory.errors import Unavailable
from inventory.incident_paper import paper
from inventory.models import DirectoryRow
from reports.errors import RenderingUnavailable
from reports.language import Language

from ._sealing import organization
from .context import Actor, Context
from .queries import incident


def incident_paper(context: Context, actor: Actor, device: str, language: Language | None = None) -> bytes:
    """The report as PDF, as things stand, in a language or in that of documents.

    Permission `inventory.read`; people are named to readers of the directory.

    Raises:
        Conflict: nobody ever reported it missing.
        Unavailable: nothing can be printed here.
        NotFound.
    """
    found = incident(context, actor, device)
    people = {found.reported_by, *(one.revealed_to for one in found.escrows if one.revealed_to)}
    known: dict[str, str] = {}
    if actor.may(Permission.READ_DIRECTORY):
        with context.reading(actor) as session:
            rows = session.execute(sa.select(DirectoryRow.ref, DirectoryRow.name).where(DirectoryRow.ref.in_(people)))
            known = {ref: name for ref, name in rows.all() if name}
    spoken = language or context.settings.documents.language
    try:
        return paper(found, organization(context), lambda ref: known.get(ref, ref), context.now(), spoken)
    except RenderingUnavailable as error:
        raise Unavailable("Nothing can be printed here: Pango is missing.") from error
