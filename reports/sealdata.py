"""What a sealed PDF carries so that its seal can still be judged in ten years: certificates and revocation lists (PAdES B-LT).

They stand in the document security store (ISO 32000-2, 12.8.4.3; ETSI EN 319 142-1, 5.4), written in the same revision as the
seal and so covered by it. Read only after the seal has been checked: the PDF parser sees what the seal has vouched for.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature

from .errors import BadSeal, MalformedDocument, ReportError
from .sealcheck import FoundSeal
from .sealkey import load, load_list, not_revoked
from .times import day_for_people, format_instant
from .timestamps import path_of
from .trust_body import TimeAuthority


def check_seal_data(data: bytes, seal: FoundSeal, authority: bytes, time_authorities: Sequence[TimeAuthority]) -> str:
    """Check that the store holds exactly what belongs to this seal, and that nothing in it speaks against the certificate.

    Args:
        data: the PDF; its seal has been checked.
        seal: what that check found.
        authority: certificate of the sealing authority, DER.
        time_authorities: as for the seal.

    Raises:
        BadSeal: something is missing, or does not belong there; the certificate was revoked, or the list did not count then.
    """
    certificates, lists = _read(data)
    wanted = {seal.certificate, authority, *_path(seal, time_authorities)}
    if len(certificates) != len(wanted) or set(certificates) != wanted:
        raise BadSeal("the certificates it carries are not those it needs.")
    own = [der for der in lists if _issuer(der) == load(authority).subject]
    if len(own) != 1 or len(set(lists)) != len(lists):
        raise BadSeal("it does not carry one revocation list of its authority.")
    crl = load_list(own[0])
    try:
        not_revoked(load(seal.certificate), crl, load(authority))
    except MalformedDocument as error:
        raise BadSeal(f"its certificate did not count: {error.problem}.") from error
    _in_force(crl, seal.moment)
    for der in lists:
        if der != own[0]:
            _belongs(der, wanted - {seal.certificate, authority})
    return f"Its certificate was not revoked; list of {day_for_people(format_instant(crl.last_update_utc))}."


def _path(seal: FoundSeal, authorities: Sequence[TimeAuthority]) -> tuple[bytes, ...]:
    if seal.stamp is None or seal.token is None:
        return ()
    for authority in authorities:
        if authority.name == seal.stamp.authority:
            return path_of(seal.token, authority)
    raise BadSeal("its time-stamp is by nobody whom the trust root names.")


def _in_force(crl: x509.CertificateRevocationList, moment: datetime) -> None:
    end = crl.next_update_utc
    if end is None or not crl.last_update_utc <= moment <= end:
        raise BadSeal("the revocation list was not in force when the seal was made.")


def _issuer(der: bytes) -> x509.Name:
    try:
        return load_list(der).issuer
    except ReportError as error:
        raise BadSeal("a revocation list in it cannot be read.") from error


def _belongs(der: bytes, path: set[bytes]) -> None:
    """Whether a further list is by one of the certificates above the time-stamp."""
    crl = load_list(der)
    for above in map(load, path):
        try:
            if above.subject == crl.issuer and crl.is_signature_valid(above.public_key()):  # type: ignore[arg-type]
                return
        except (ValueError, TypeError, InvalidSignature):
            continue
    raise BadSeal("a revocation list in it belongs to nobody on its time-stamp's path.")


def _read(data: bytes) -> tuple[list[bytes], list[bytes]]:
    """Certificates and lists of the store; nothing else may stand in it."""
    import pypdf  # noqa: PLC0415 - only PDFs need it

    try:
        root: Any = pypdf.PdfReader(io.BytesIO(data)).trailer["/Root"]
        store = root.get("/DSS")
        store = {} if store is None else store.get_object()
        keys = set(store.keys())
        found = [
            [bytes(item.get_object().get_data()) for item in store[key]] for key in ("/Certs", "/CRLs") if key in keys
        ]
    except Exception as error:  # a parser raises what it meets; the seal has been checked, so this is a broken sealer
        raise BadSeal(f"what it carries cannot be read ({type(error).__name__}).") from error
    if keys != {"/Certs", "/CRLs"}:
        raise BadSeal("it does not carry certificates and a revocation list, or it carries more.")
    return found[0], found[1]
