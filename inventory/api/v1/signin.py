"""What one signs in with: passkeys, an authenticator app, recovery codes; shown at the door, afterwards, and again."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Response

from inventory.api.dispatch import Call
from inventory.api.endpoint import PUBLIC, SIGNED_IN, Noun, people
from inventory.auth import signin
from inventory.contract.v1.people import (
    CodeShown,
    Confirmation,
    LinkShown,
    PasskeyAnswer,
    PasskeyMade,
    PasskeyWelcome,
    Reason,
)
from inventory.contract.v1.vocabulary import Key
from inventory.domain.roles import Permission
from inventory.errors import (
    ConfirmationNeeded,
    Conflict,
    Duplicate,
    Invalid,
    NotFound,
    NotSignedIn,
    SeparationOfDuty,
    TooManyAttempts,
)
from inventory.services import authenticators, factors, passkeys, sso
from inventory.services.ceremonies import Assertion, Attestation, CreateOptions, RequestOptions
from inventory.services.context import require_session
from inventory.services.views import PersonView
from inventory.services.views.signin import AuthenticatorSecret, FactorsView, PasskeyView
from reports.canonical import from_base64
from reports.errors import MalformedDocument

from .session import WhoAmI, entered, who_is_behind

noun = Noun("sign-in", "What you sign in with: passkeys first, else a password with an authenticator app.")


@dataclass(frozen=True, kw_only=True)
class AskPasskey:
    """What to ask of an authenticator."""

    options: RequestOptions | None
    """Null where this service's address allows no passkeys, or you have none."""


@dataclass(frozen=True, kw_only=True)
class AskNewPasskey:
    """What to ask of an authenticator that shall make a passkey."""

    options: CreateOptions | None
    """Null where this service's address allows no passkeys."""


@dataclass(frozen=True, kw_only=True)
class RecoveryCodes:
    """Codes for the day the authenticator is lost, each good once."""

    codes: tuple[str, ...]
    """Shown this once."""


def assertion(body: PasskeyAnswer) -> Assertion:
    """The answer of an authenticator as services want it. Raises `Invalid`."""
    return Assertion(
        credential_id=_bytes("credential_id", body.credential_id),
        client_data=_bytes("client_data", body.client_data),
        authenticator_data=_bytes("authenticator_data", body.authenticator_data),
        signature=_bytes("signature", body.signature),
    )


def registration(body: PasskeyMade) -> passkeys.Register:
    """A new passkey as services want it. Raises `Invalid`."""
    return passkeys.Register(label=body.label, answer=attestation(body.client_data, body.attestation))


def attestation(client_data: str, made: str) -> Attestation:
    """What an authenticator made, as services want it. Raises `Invalid`."""
    return Attestation(client_data=_bytes("client_data", client_data), attestation=_bytes("attestation", made))


def _bytes(field: str, text: str) -> bytes:
    try:
        return from_base64(text, field)
    except MalformedDocument as error:
        raise Invalid(field, "This is not base64 in its one spelling.") from error


@noun.get("/session/passkey", "Ask for a passkey", PUBLIC)
def passkey_options(call: Call) -> AskPasskey:
    """The challenge is good for ten minutes, once."""
    return AskPasskey(options=passkeys.sign_in_options(call.context))


@noun.post(
    "/session/passkey",
    "Sign in with a passkey",
    PUBLIC,
    status=201,
    reply=WhoAmI,
    raises=(NotSignedIn, Invalid, Conflict),
)
def sign_in_with_passkey(call: Call, body: PasskeyAnswer) -> Response:
    """Opens a session and sets its cookie; a passkey needs no second factor."""
    return entered(passkeys.sign_in(call.context, assertion(body), signin.label()))


@noun.post("/welcome/passkey-options", "Ask for a first passkey", PUBLIC, raises=(NotSignedIn,))
def welcome_options(call: Call, body: LinkShown) -> AskNewPasskey:
    """For whoever holds a one-time link; the link is not used up."""
    return AskNewPasskey(options=passkeys.welcome_options(call.context, body.secret))


@noun.post(
    "/welcome/passkey", "Use a one-time link with a passkey", PUBLIC, status=201, reply=WhoAmI,
    raises=(NotSignedIn, Invalid, Conflict, Duplicate),
)  # fmt: skip
def welcome_with_passkey(call: Call, body: PasskeyWelcome) -> Response:
    """Registers the first passkey instead of setting a password, and signs in."""
    return entered(passkeys.welcome(call.context, body.secret, registration(body), signin.label()))


@noun.post(
    "/session/second-factor", "Show the second factor", SIGNED_IN, raises=(NotSignedIn, Conflict, TooManyAttempts)
)
def show_second_factor(call: Call, body: CodeShown) -> WhoAmI:
    """After the password: a code of the authenticator app, or a recovery code. The session is a whole one then."""
    authenticators.show_code(call.context, call.actor, body.code)
    return who_is_behind()


@noun.get("/session/confirmation", "Ask for a passkey again", SIGNED_IN)
def confirmation_options(call: Call) -> AskPasskey:
    """For a session under way: as second factor after the password, or before a dangerous act."""
    return AskPasskey(options=passkeys.confirm_options(call.context, call.actor))


@noun.post(
    "/session/confirmation",
    "Show again who you are",
    SIGNED_IN,
    status=204,
    raises=(NotSignedIn, Conflict, TooManyAttempts),
)
def confirm(call: Call, body: Confirmation) -> None:
    """By password, and a code where an authenticator app counts; good for dangerous acts for a quarter of an hour."""
    signin.confirm(call.actor, body.password, body.code)


@noun.post("/session/confirmation/passkey", "Show a passkey again", SIGNED_IN, raises=(NotSignedIn, Invalid))
def confirm_with_passkey(call: Call, body: PasskeyAnswer) -> WhoAmI:
    """As the second factor after the password, or before a dangerous act."""
    passkeys.confirm(call.context, call.actor, assertion(body))
    return who_is_behind()


@noun.get("/session/factors", "What I sign in with", SIGNED_IN)
def my_factors(call: Call) -> FactorsView:
    """No secrets."""
    return factors.mine(call.context, call.actor)


@noun.post("/passkeys/options", "Ask for a new passkey", SIGNED_IN, raises=(NotSignedIn,))
def new_passkey_options(call: Call) -> AskNewPasskey:
    """Only in a session: a token registers nothing to sign in with."""
    return AskNewPasskey(options=passkeys.create_options(call.context, call.actor))


@noun.post(
    "/passkeys", "Register a passkey", SIGNED_IN, status=201,
    raises=(NotSignedIn, Invalid, Conflict, Duplicate, ConfirmationNeeded),
)  # fmt: skip
def register_passkey(call: Call, body: PasskeyMade) -> PasskeyView:
    """Only in a session, after having lately shown who you are."""
    return passkeys.register(call.context, call.actor, registration(body))


@noun.delete("/passkeys/{passkey}", "Remove a passkey", SIGNED_IN, raises=(NotFound, Conflict, ConfirmationNeeded))
def remove_passkey(call: Call, passkey: Key) -> None:
    """Refused where nothing would be left to sign in with."""
    require_session(call.actor)
    passkeys.remove(call.context, call.actor, passkey)


@noun.post(
    "/session/authenticator", "Begin with an authenticator app", SIGNED_IN, status=201, secret_reply=True,
    raises=(Conflict, ConfirmationNeeded, NotSignedIn),
)  # fmt: skip
def begin_authenticator(call: Call) -> AuthenticatorSecret:
    """It counts once its first code was shown. The secret is shown by this answer only."""
    require_session(call.actor)
    return authenticators.begin(call.context, call.actor)


@noun.post(
    "/session/authenticator/confirmation", "Show an app's first code", SIGNED_IN, secret_reply=True,
    raises=(NotSignedIn, Conflict, ConfirmationNeeded, TooManyAttempts),
)  # fmt: skip
def confirm_authenticator(call: Call, body: CodeShown) -> RecoveryCodes:
    """From then on the app counts; the answer holds fresh recovery codes."""
    require_session(call.actor)
    return RecoveryCodes(codes=authenticators.confirm(call.context, call.actor, body.code))


@noun.delete(
    "/session/authenticator",
    "Remove the authenticator app",
    SIGNED_IN,
    raises=(Conflict, ConfirmationNeeded, NotSignedIn),
)
def remove_authenticator(call: Call) -> None:
    """Refused where a second factor is demanded and no passkey would be left."""
    require_session(call.actor)
    authenticators.remove(call.context, call.actor)


@noun.post(
    "/session/recovery-codes", "Make new recovery codes", SIGNED_IN, status=201, secret_reply=True,
    raises=(Conflict, ConfirmationNeeded, NotSignedIn),
)  # fmt: skip
def new_recovery_codes(call: Call) -> RecoveryCodes:
    """Earlier ones are good no more."""
    require_session(call.actor)
    return RecoveryCodes(codes=authenticators.new_recovery_codes(call.context, call.actor))


@noun.delete(
    "/session/identities/{identity}",
    "Unlink single sign-on",
    SIGNED_IN,
    raises=(NotFound, Conflict, ConfirmationNeeded, NotSignedIn),
)
def unlink_identity(call: Call, identity: Key) -> None:
    """Refused where nothing would be left to sign in with. Linking is done in the console: it leads to the provider and back."""
    require_session(call.actor)
    sso.unlink(call.context, call.actor, identity)


@noun.post(
    "/people/{ref}/sign-in-reset", "Reset what somebody signs in with", people(Permission.PEOPLE_MANAGE),
    raises=(NotFound, Invalid, SeparationOfDuty),
)  # fmt: skip
def reset_sign_in(call: Call, ref: Key, body: Reason) -> PersonView:
    """Removes passkeys, authenticator app, recovery codes and single sign-on, and ends their sessions; then make a new link."""
    return factors.reset(call.context, call.actor, factors.ResetFactors(person=ref, reason=body.reason))
