"""Asking for a time-stamp, and reading the answer (RFC 3161, 2.4). No network here: bytes out, bytes in.

What comes back is believed as little as anything else: status, nonce, imprint, certificate and signature are checked before the
token is kept, and it is kept in its one form.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from asn1crypto import core, tsp

from .errors import BadStamp
from .timestamps import MAX_TOKEN, check_stamp, nonce_of, normal_form
from .trust_body import TimeAuthority

MAX_RESPONSE = MAX_TOKEN + 4096
"""Largest answer read, in bytes."""
NONCE_BITS = 64
CONTENT_TYPE = "application/timestamp-query"
ANSWER_TYPE = "application/timestamp-reply"


@dataclass(frozen=True)
class StampRequest:
    """What is asked, and what must come back."""

    message: bytes
    nonce: int
    """At least 64 random bits: an answer to an earlier question is no answer."""
    policy: str = ""

    def __post_init__(self) -> None:
        if not 0 <= self.nonce < 2**160:
            raise ValueError("no nonce")

    def to_der(self) -> bytes:
        """TimeStampReq: SHA-256, with nonce, the certificate asked for."""
        asked: dict[str, object] = {
            "version": "v1",
            "message_imprint": {
                "hash_algorithm": {"algorithm": "sha256"},
                "hashed_message": hashlib.sha256(self.message).digest(),
            },
            "nonce": self.nonce,
            "cert_req": True,
        }
        if self.policy:
            asked["req_policy"] = self.policy
        return bytes(tsp.TimeStampReq(asked).dump())


def read_response(answer: bytes, request: StampRequest, authority: TimeAuthority) -> bytes:
    """The token in an answer, in its one form, checked.

    Args:
        answer: TimeStampResp, DER.
        request: what was asked.
        authority: as the trust root names it.

    Raises:
        BadStamp: the authority refused, or answered with something else than was asked for.
    """
    return accept_token(token_in(answer), request, authority)


def token_in(answer: bytes) -> bytes:
    """The token in an answer that grants one; nothing of it is checked yet. Raises `BadStamp`."""
    if len(answer) > MAX_RESPONSE:
        raise BadStamp(f"the answer is larger than {MAX_RESPONSE} bytes.")
    try:
        parts = [bytes(part.dump()) for part in core.SequenceOf.load(answer, strict=True, spec=core.Any)]
        said = tsp.PKIStatusInfo.load(parts[0], strict=True)
        status = said["status"].native
        words = " ".join(str(text) for text in said["status_string"].native or ())
    except Exception as error:  # asn1crypto raises what its parsers meet
        raise BadStamp("the answer is not a time-stamp response (RFC 3161, 2.4.2).") from error
    if status not in {"granted", "granted_with_mods"} or len(parts) != 2:
        shown = "".join(char if char.isprintable() else "?" for char in words)[:200]
        raise BadStamp(f"the authority refused ({status}). {shown}".strip())
    return parts[1]


def accept_token(token: bytes, request: StampRequest, authority: TimeAuthority) -> bytes:
    """A token for this request, in its one form, checked. Raises `BadStamp`."""
    if nonce_of(token) != request.nonce:
        raise BadStamp("it does not repeat the number of our question: it answers another one.")
    found = normal_form(token, authority)
    check_stamp(found, request.message, authority)
    return found
