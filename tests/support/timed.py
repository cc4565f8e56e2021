"""A company whose trust root names time authorities, and the authorities themselves on loopback."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from inventory.services import keys
from inventory.services.context import Context
from inventory.settings import TimeAuthority
from tests.support.inventory_world import EPOCH, World
from tests.support.time_authority import LocalAuthority, TimeServer, serving


@contextmanager
def timed(world: World, folder: Path, *names: str) -> Iterator[tuple[TimeServer, ...]]:
    """The authorities run, and trust root and settings name them. They stamp by the world's own clock."""
    with ExitStack() as stack:
        servers = tuple(
            stack.enter_context(
                serving(
                    LocalAuthority(folder / name, name=name, start=EPOCH - dt.timedelta(days=30), clock=world.clock.now)
                )
            )
            for name in names
        )
        trust_authorities(world.context, *(server.authority for server in servers))
        set_authorities(world, **{server.authority.name: server.url for server in servers})
        yield servers


def trust_authorities(context: Context, *authorities: LocalAuthority) -> None:
    """A next version of the trust root that names them, by the ceremony's own commands."""
    changes = keys.Changes(set_authorities=tuple(authority.entry() for authority in authorities))
    proposed = keys.propose(context, changes)
    keys.publish(context, [proposed.proposal.to_bytes()])


def set_authorities(world: World, **urls: str) -> None:
    """Put authorities into the settings, and nothing else."""
    said = tuple(TimeAuthority(name=name, url=url) for name, url in urls.items())
    settings = world.context.settings.model_copy(update={"time_authorities": said})
    object.__setattr__(world, "context", dataclasses.replace(world.context, settings=settings))
