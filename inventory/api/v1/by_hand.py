"""Work for hosts without a network: bundles that are carried there, and what is carried back."""

from __future__ import annotations

from pydantic import Field

from inventory.api.bodies import MAX_AGENT_BODY
from inventory.api.dispatch import Call
from inventory.api.endpoint import READERS, Answer, File, Noun, people
from inventory.api.paging import Text
from inventory.contract.v1.by_hand import Introduced, IssueJobBundle, ReceiveReturnBundle
from inventory.contract.v1.common import Envelope, Message
from inventory.contract.v1.endpoints import PREFIX
from inventory.contract.v1.vocabulary import Key
from inventory.domain.roles import Permission
from inventory.errors import (
    AgentNotTrusted,
    Conflict,
    Duplicate,
    EvidenceRefused,
    Invalid,
    NotFound,
    NotSignedIn,
    Unavailable,
)
from inventory.services import job_bundles, return_bundles
from inventory.services.views.by_hand import JobBundleView, ReturnBundleView
from reports.canonical import canonical

noun = Noun("bundles by hand", "Signed bundles for hosts without a network: work carried in, records carried back.")

_MAKE = people(Permission.ORDER_REQUEST)


class BundleQuery(Message):
    """Which bundles."""

    host: Text | None = None
    """Only of this host."""


class Introduction(Message):
    """What the new host's own command wrote."""

    envelope: Envelope = Field()


@noun.get("/job-bundles", "Job bundles", READERS)
def list_job_bundles(call: Call, query: BundleQuery) -> tuple[JobBundleView, ...]:
    """The newest hundred, newest first; `open_orders` are those whose record is awaited."""
    return job_bundles.list_bundles(call.context, call.actor, query.host)


@noun.post("/hosts/{host}/job-bundles", "Make a job bundle", _MAKE, creates=True, raises=(Invalid, NotFound, Conflict))
def make_job_bundle(call: Call, host: Key, body: IssueJobBundle) -> Answer[JobBundleView]:
    """Every approved order of the host that may be begun now, for its agent; from then on these media count as begun."""
    command = job_bundles.IssueJobBundle(host=host, hours=body.hours, courier=body.courier, lot=body.lot)
    view = job_bundles.issue(call.context, call.actor, command)
    return Answer(view, location=f"{PREFIX}/hosts/{view.host}/job-bundles/{view.number}")


@noun.get(
    "/hosts/{host}/job-bundles/{bundle}", "Fetch a job bundle", _MAKE, media_type="application/json", raises=(NotFound,)
)
def fetch_job_bundle(call: Call, host: Key, bundle: Key) -> File:
    """The signed file to carry. It holds no secret; only the host it names can use it."""
    envelope = job_bundles.envelope_of(call.context, call.actor, host, job_bundles.numbered(bundle))
    return File(canonical(envelope), "application/json", f"job-bundle-{host}-{bundle}.json")


@noun.get(
    "/hosts/{host}/job-bundles/{bundle}/codes.pdf",
    "A job bundle as codes on paper",
    _MAKE,
    media_type="application/pdf",
    raises=(NotFound, Invalid, Unavailable),
)
def print_job_bundle(call: Call, host: Key, bundle: Key) -> File:
    """Numbered QR codes, read in any order."""
    sheet = job_bundles.sheet(call.context, call.actor, host, job_bundles.numbered(bundle))
    return File(sheet, "application/pdf", f"job-bundle-{host}-{bundle}.pdf")


@noun.get("/return-bundles", "Return bundles", READERS)
def list_return_bundles(call: Call, query: BundleQuery) -> tuple[ReturnBundleView, ...]:
    """The newest hundred, newest first, each with what became of its parts."""
    return return_bundles.list_bundles(call.context, call.actor, query.host)


@noun.post(
    "/return-bundles",
    "Hand in a return bundle",
    people(Permission.DEVICE_MOVE),
    body_limit=MAX_AGENT_BODY,
    raises=(Invalid, NotFound, EvidenceRefused, AgentNotTrusted),
)
def hand_in_return_bundle(call: Call, body: ReceiveReturnBundle) -> ReturnBundleView:
    """As file or as the texts of its codes in any order. Handed in again, it answers the same and changes nothing."""
    command = return_bundles.ReceiveReturnBundle(
        envelope=None if body.envelope is None else body.envelope.model_dump(), parts=body.parts, courier=body.courier
    )
    return return_bundles.receive(call.context, call.actor, command)


@noun.post(
    "/introductions",
    "Introduce a host without a network",
    people(Permission.HOST_MANAGE),
    raises=(EvidenceRefused, NotSignedIn, Duplicate),
)
def introduce_host(call: Call, body: Introduction) -> Introduced:
    """What `sanitrail-agent airgap introduce` wrote; the answer is carried back for `airgap enrol`."""
    return return_bundles.introduce(call.context, call.actor, body.envelope.model_dump())
