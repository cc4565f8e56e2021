"""Certificates: a number, a signed and logged statement, one bundle, one sealed PDF. Only for validated records."""

from __future__ import annotations

from contextlib import suppress

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory.domain.roles import Permission
from inventory.domain.vocabulary import OrderState
from inventory.errors import Conflict, EvidencePending, NotFound, Reason
from inventory.events import Tag
from inventory.models import Certificate, Order, Record, Seal
from reports import certificate as certificates
from reports.errors import BrokenChain, ClaimRefused
from reports.language import Language

from . import _evidence
from ._revocation import refuse_disowned
from ._sealing import organization, sealed, statement_person, store_seal
from .context import Actor, Context, authorize
from .kernel import find, next_number, note, optional, sign_and_log, stamp
from .queries.evidence import certificate_select, certificate_view
from .translations import pdf_in
from .views import CertificateView


def issue(context: Context, actor: Actor, order: str, *, destination: str = "") -> CertificateView:
    """Issue the certificate of a validated order; asking again returns the same one. Permission `certificate.issue`.

    The statement is signed and logged first; bundle and PDF follow. A crash in between is mended by asking again, or by upkeep.

    Raises:
        Conflict: not validated: there is a failure report instead.
        NotFound.
    """
    authorize(actor, Permission.CERTIFICATE_ISSUE)
    with context.writing(actor) as session:
        row = find(session, Order, order, "order")
        if row.state is not OrderState.VALIDATED or row.record_sha256 is None:
            raise Conflict(f"Order {row.id} is {row.state}; only a validated order has a certificate.")
        number = session.scalar(sa.select(Certificate.number).where(Certificate.order_id == row.id))
        if number is None:
            number = _certify(session, context, actor, row, optional("destination", destination))
    with suppress(EvidencePending):  # issued all the same; upkeep makes its files
        seal(context, number)
    return certificate(context, actor, number)


def _certify(session: Session, context: Context, actor: Actor, order: Order, destination: str) -> str:
    now = context.now()
    refuse_disowned(session, session.get_one(Record, order.record_sha256))
    number = next_number(session, "certificate", now)
    basis = _evidence.basis(session, order)
    particulars = _evidence.particulars(session, context, order, basis, number, stamp(now), destination)
    try:
        body = certificates.issue(basis, particulars)
    except ClaimRefused as refused:
        reasons = [Reason("claim-refused", text) for text in refused.missing]
        raise Conflict(f"The evidence of order {order.id} does not carry a certificate.", reasons=reasons) from refused
    except BrokenChain as broken:
        raise Conflict(f"The evidence of order {order.id} does not belong together: {broken.summarize()}") from broken
    digest, index = sign_and_log(session, context, "certificate", body.to_dict(), "acceptance", number)
    _keep(session, context, actor, order, kind="certificate", number=number, digest=digest, index=index)
    return number


def _keep(
    session: Session,
    context: Context,
    actor: Actor,
    order: Order,
    *,
    kind: str,
    number: str,
    digest: str,
    index: int,
) -> None:
    session.add(
        Certificate(
            number=number,
            kind=kind,
            order_id=order.id,
            device_id=order.device_id,
            record_sha256=order.record_sha256,
            sha256=digest,
            log_index=index,
            issued=context.now(),
            issued_by=actor.ref,
        )
    )
    session.flush()
    note(
        session, context, actor, Tag.CERTIFICATE_ISSUED, "certificate", number,
        device=order.device_id, order=order.id, details={"kind": kind}, evidence=[digest],
    )  # fmt: skip


def seal(context: Context, number: str) -> None:
    """Print and seal a certificate or failure report that has no files yet."""
    with context.reading() as session:
        if sealed(session, number) is not None:
            return
        row = find(session, Certificate, number, "certificate")
        order = session.get_one(Order, row.order_id)
        device = row.device_id
        file = _evidence.file(session, context, order, row)
    store_seal(context, number, Tag.CERTIFICATE_SEALED, file, device=device)


def unsealed(session: Session) -> list[str]:
    """Certificates and failure reports without files, for upkeep."""
    return list(session.scalars(sa.select(Certificate.number).where(Certificate.number.not_in(sa.select(Seal.number)))))


def certificate(context: Context, actor: Actor, number: str) -> CertificateView:
    """One certificate. Permission `evidence.read`. Raises `NotFound`."""
    authorize(actor, Permission.READ_EVIDENCE)
    with context.reading(actor) as session:
        row = session.execute(certificate_select().where(Certificate.number == number)).first()
        if row is None:
            raise NotFound("certificate", number)
        return certificate_view(*row)


def bundle(context: Context, actor: Actor, number: str) -> bytes:
    """The destruction bundle, canonical JSON. Permission `evidence.read`. Raises `NotFound`, `Conflict` (not sealed yet)."""
    return _files(context, actor, number).bundle


def pdf(context: Context, actor: Actor, number: str, language: Language | None = None) -> bytes:
    """The sealed PDF, in this language or the one it was printed in first. Permission `evidence.read`.

    Raises:
        NotFound.
        Conflict: not sealed yet.
        EvidencePending: the translation waits for a time-stamp.
    """
    _files(context, actor, number)
    return pdf_in(context, number, language)


def _files(context: Context, actor: Actor, number: str) -> Seal:
    authorize(actor, Permission.READ_EVIDENCE)
    with context.reading(actor) as session:
        find(session, Certificate, number, "certificate")
        found = sealed(session, number)
        if found is None:
            raise Conflict(f"The files of {number} have not been made yet; they follow within a minute.")
        return found


def failure_report(context: Context, actor: Actor, order: str, language: Language | None = None) -> bytes:
    """What happened to a run that earns no certificate, as PDF, in a language as `pdf`. Permission `evidence.read`.

    The report is signed and logged once, when it is first asked for.

    Raises:
        Conflict: the order has no record, or its record is validated.
    """
    authorize(actor, Permission.READ_EVIDENCE)
    with context.writing(actor) as session:
        row = find(session, Order, order, "order")
        if row.record_sha256 is None:
            raise Conflict(f"Order {row.id} has no record: nothing was done, or the agent has not handed it over yet.")
        if row.state is OrderState.VALIDATED:
            raise Conflict(f"Order {row.id} is validated: it has a certificate, not a failure report.")
        number = session.scalar(sa.select(Certificate.number).where(Certificate.order_id == row.id))
        if number is None:
            number = _report(session, context, actor, row)
    seal(context, number)
    return pdf(context, actor, number, language)


def _report(session: Session, context: Context, actor: Actor, order: Order) -> str:
    now = context.now()
    number = next_number(session, "failure", now)
    try:
        body = certificates.report_unsuccessful(
            _evidence.basis(session, order),
            number=number,
            issued=stamp(now),
            organization=organization(context),
            source=_evidence.source(session, order),
            reported_by=statement_person(session, context, actor.ref),
        )
    except ClaimRefused as refused:
        raise Conflict(f"Nothing speaks against the run of order {order.id}: it waits for its validation.") from refused
    except BrokenChain as broken:
        raise Conflict(f"The evidence of order {order.id} does not belong together: {broken.summarize()}") from broken
    digest, index = sign_and_log(session, context, "statement", body.to_dict(), "acceptance", number)
    _keep(session, context, actor, order, kind="failure", number=number, digest=digest, index=index)
    return number


def failure_bundle(context: Context, actor: Actor, order: str) -> bytes:
    """The evidence of a failure report, canonical JSON (`sanitrail/unsuccessful-run/1`). As `failure_report`."""
    failure_report(context, actor, order)
    with context.reading(actor) as session:
        number = session.scalar(sa.select(Certificate.number).where(Certificate.order_id == order))
    return _files(context, actor, str(number)).bundle
