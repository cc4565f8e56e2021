"""Records to the service: all that wait, oldest first; one that is refused does not hold up the others."""

from __future__ import annotations

import logging

from .conditions import Conditions
from .errors import AgentError, LogForked, Rejected, Retry
from .outbox import Outbox

log = logging.getLogger("agents.daemon")


def deliver_all(outbox: Outbox, conditions: Conditions) -> None:
    """Hand over what waits.

    Raises:
        Retry: The service is away; everything from there on waits.
        LogForked: It shows another log than before; nothing more is given to it.
        AgentError: The last one that was refused, after all others were tried. It stays.
    """
    refused: AgentError | None = None
    for record_id in outbox.waiting():
        about = f"record {record_id}"
        try:
            accepted = outbox.deliver(record_id)
        except (Retry, LogForked):
            raise
        except FileNotFoundError:
            continue
        except (Rejected, AgentError) as error:
            conditions.stands(about, logging.ERROR, f"{about} stays: {error.explain()}")
            refused = error
        else:
            conditions.over(about)
            log.info("%s is accepted, log index %d", about, accepted.index)
    if refused is not None:
        raise refused
