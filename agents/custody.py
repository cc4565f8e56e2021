"""Passwords that a drive is given: handed to the service before, and reported as over when the drive is rid of them.

An ATA security erase needs a password on the drive, and a power cut in the middle leaves the drive locked by it. So no drive
gets one before the service has said, by the digest of what it can give back, that it holds it.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from dataclasses import dataclass

from inventory.contract.v1.escrows import EscrowDeposit, EscrowRelease
from reports.canonical import to_base64
from sanitizer import Escrow, EscrowNotConfirmed

from .client import Service
from .errors import Rejected, Retry
from .orders import ApprovedOrder
from .runs import Run, RunStore

log = logging.getLogger("agents.custody")

_OVER = "The run ended in success, and the drive's own identify data show no password."


@dataclass(frozen=True)
class Custody:
    """The service as keeper of passwords."""

    service: Service
    runs: RunStore

    def keeper(self, run: Run, approved: ApprovedOrder) -> Callable[[Escrow], None]:
        """What the sanitizer calls with a password, for one run."""

        def keep(escrow: Escrow) -> None:
            self._deposit(run, approved, escrow)

        return keep

    def _deposit(self, run: Run, approved: ApprovedOrder, escrow: Escrow) -> None:
        """Returns only when the service holds exactly this secret. Raises `EscrowNotConfirmed`."""
        digest = hashlib.sha256(escrow.secret).hexdigest()
        try:
            message = EscrowDeposit.model_validate(
                {
                    "order": approved.order.id,
                    "run": run.run_id,
                    "device": approved.order.device,
                    "kind": escrow.kind,
                    "secret": to_base64(escrow.secret),
                    "sha256": digest,
                    "recovery": escrow.recovery,
                }
            )
            held = self.service.deposit(message)
        except (Retry, Rejected) as error:
            raise EscrowNotConfirmed(kind=escrow.kind, reason=f"{error.code}: {error.summarize()}"[:500]) from error
        except ValueError:  # its text would repeat the secret
            reason = "the password does not fit the service's contract"
            raise EscrowNotConfirmed(kind=escrow.kind, reason=reason) from None
        if held.sha256 != digest or held.state == "released":
            raise EscrowNotConfirmed(kind=escrow.kind, reason="the service holds something else than was sent")
        try:
            self.runs.note_custody(run, held.id)
        except OSError as error:
            raise EscrowNotConfirmed(kind=escrow.kind, reason=f"the state directory: {error}") from error

    def release(self, run: Run) -> None:
        """Tell the service that nobody needs this run's passwords any more, where the run succeeded.

        Raises:
            Retry: the service is away; later.
        """
        if run.result is None or run.result["run"]["state"] != "succeeded":
            return  # the drive may still have one: kept until a person decides
        for custody in self.runs.current(run).custodies:
            try:
                self.service.release(custody, EscrowRelease(run=run.run_id, reason=_OVER))
            except Rejected as error:
                log.warning("custody %s of run %s was not released: %s", custody, run.run_id, error.summarize())
