"""Takes in a lease: a new run, a newer token for a run this host has, or for a record that waits already.

A record counts only under the newest token of its order (an older one is kept as evidence and changes nothing), so
whatever this host holds for the order must move to the new token before anything is sent again. Leasing and delivering
happen in one thread; a worker that stores a record meanwhile does so under the run store's lock, with the lease that
is the newest at that moment.
"""

from __future__ import annotations

import uuid

from inventory.contract.v1.orders import Lease

from .outbox import Outbox
from .runs import Run, RunStore, State


def take_in(runs: RunStore, outbox: Outbox, lease: Lease) -> Run | None:
    """Put the lease down before anything else happens under it.

    Returns:
        The run to work on, or None where it was done already: its record waits, and goes out under this lease.

    Raises:
        OrderMalformed: The lease's order cannot even be named.
        OSError, StateDamaged: The disk does not take it; nothing was begun.
    """
    run = runs.take(lease, str(uuid.uuid4()))
    waits = outbox.relabel(run.order_sha256, lease.id, lease.token)
    if waits and run.state is State.LEASED:
        runs.drop(run)
        return None
    return run
