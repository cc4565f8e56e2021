"""Who can cheat how, and what catches it: insiders with every key but one, thieves, and the merely careless."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from reports.bundle import encode_hashes
from reports.canonical import canonical, digest_of, from_base64, to_base64
from reports.enrolled import EnrolledRole
from reports.envelope import Envelope, envelope_digest, payload_digest, sign, unverified_body
from reports.keys import FileSigner
from reports.tlog import ML_DSA_44, NoteSigner, sign_checkpoint
from reports.verify import verify
from reports.verify_steps import Verification
from tests.support.evidence import (
    APPROVERS,
    CAPACITY,
    REQUESTER,
    VALIDATOR,
    MemoryLog,
    Story,
    World,
    approval_body,
    certified,
    good_record,
    order_body,
    with_checkpoint,
    with_part,
)


class Insider(Story):
    """Owns the service: acceptance key, log keys, database. Has neither the agent's key nor the approvers'."""

    def everything(self) -> Verification:
        """Accept, validate, certify without asking any rule, then verify."""
        self.accept().validate()
        honest = certified(self.world).certificate
        body = {
            **honest.to_dict(),
            "record_sha256": envelope_digest(self.record_envelope),
            "acceptance_sha256": envelope_digest(self.acceptance),
            "validation_sha256": envelope_digest(self.validation),
        }
        self.certificate_envelope = sign("certificate", body, self.world.acceptance)
        self.certified_at = self.world.log.append("certificate", self.certificate_envelope)
        return verify(self.bundle().to_bytes(), self.world.pin)


def _insider(world: World, **order: Any) -> Insider:  # noqa: ANN401 - fields of the order
    story = Insider(world, order_changes=order)
    story.order().run()
    return story


def _caught(result: Verification, step: str) -> None:
    assert not result.yes
    assert not result.genuine
    assert [check.code for check in result.checks if check.state == "failed"] == [step]
    assert result.conclusion.startswith("NO: do not rely on this file.")
    assert result.codes


def _resigned(envelope: Envelope, kind: Any, signer: FileSigner, **changes: Any) -> Envelope:  # noqa: ANN401 - any field
    return sign(kind, {**unverified_body(envelope, kind), **changes}, signer)


def test_the_honest_insider_is_believed() -> None:
    assert _insider(World()).everything().yes


def test_a_record_invented_by_the_service_lacks_the_agents_signature() -> None:
    world = World()
    story = _insider(world)
    story.record_envelope = sign("sanitization-record", story.record.to_dict(), world.acceptance)
    _caught(story.everything(), "record")


def test_a_record_signed_by_a_key_nobody_enrolled_is_refused() -> None:
    story = _insider(World())
    story.record_envelope = sign("sanitization-record", story.record.to_dict(), FileSigner.generate())
    _caught(story.everything(), "record")


def test_an_edited_record_breaks_its_signature() -> None:
    story = _insider(World())
    body = unverified_body(story.record_envelope, "sanitization-record")
    body["device"]["firmware"] = "OTHER"
    story.record_envelope = {**story.record_envelope, "payload": to_base64(canonical(body))}
    _caught(story.everything(), "record")


@pytest.mark.parametrize("keep", [0, 1])
def test_a_dropped_approver_is_missed(keep: int) -> None:
    world = World()
    story = Insider(world)
    story.order()
    story.approvals = story.approvals[:keep]
    story.run()
    _caught(story.everything(), "approvals")


def test_an_order_that_asks_for_fewer_approvals_than_the_roster_is_refused() -> None:
    world = World()
    story = Insider(world, order_changes={"approvals_required": 1})
    story.order()
    story.approvals = story.approvals[:1]
    story.run()
    _caught(story.everything(), "approvals")


def test_one_person_twice_is_one_person() -> None:
    world = World()
    story = Insider(world)
    story.order()
    again = sign(
        "approval",
        approval_body(story.order_envelope, APPROVERS[0].ref, time="2026-11-22T08:50:00Z"),
        world.approvers[0],
    )
    story.approvals = [story.approvals[0], again]
    story.run()
    _caught(story.everything(), "approvals")


def test_a_third_approval_by_one_of_two_people_is_not_a_third_person() -> None:
    world = World()
    story = Insider(world)
    story.order()
    body = approval_body(story.order_envelope, APPROVERS[0].ref, time="2026-11-22T08:50:00Z")
    story.approvals.append(sign("approval", body, world.approvers[0]))
    story.run()
    result = story.everything()
    _caught(result, "approvals")
    assert "counted twice" in result.conclusion


def test_an_approval_moved_from_another_order_is_refused() -> None:
    world = World()
    other = Story(world, order_changes={"reason": "another one"}).order()
    story = Insider(world)
    story.order()
    story.approvals = [other.approvals[0], story.approvals[1]]
    story.run()
    _caught(story.everything(), "approvals")


def test_an_approval_in_somebody_elses_name_is_refused() -> None:
    world = World()
    story = Insider(world)
    story.order()
    story.approvals[1] = sign("approval", approval_body(story.order_envelope, APPROVERS[1].ref), world.approvers[0])
    story.run()
    _caught(story.everything(), "approvals")


def test_the_requester_does_not_approve() -> None:
    world = World()
    story = _insider(world, requested_by=APPROVERS[0].ref)
    story.record = with_part(story.record, "", operator_ref=APPROVERS[0].ref)
    story.record_envelope = sign("sanitization-record", story.record.to_dict(), world.agent)
    result = story.everything()
    _caught(result, "approvals")
    assert "their own" in result.conclusion


def test_an_approver_outside_the_roster_is_refused() -> None:
    world = World()
    stranger = FileSigner.generate("p256")
    world.enrol("approver", "p-stranger", stranger)
    story = Insider(world)
    story.order()
    story.approvals[1] = sign("approval", approval_body(story.order_envelope, "p-stranger"), stranger)
    story.run()
    _caught(story.everything(), "approvals")


@pytest.mark.parametrize("who", ["agent", "approver"])
@pytest.mark.parametrize("valid_below", [None, 2, 0])
def test_a_key_revoked_before_the_record_counts_no_more(who: EnrolledRole, valid_below: int | None) -> None:
    world = World()
    ref, key = ("h-crm-db-01", world.agent) if who == "agent" else (APPROVERS[0].ref, world.approvers[0])
    world.key_event("revoke", who, ref, key, valid_below)
    _caught(_insider(world).everything(), "record" if who == "agent" else "approvals")


def test_a_key_stolen_later_does_not_hurt_older_records() -> None:
    world = World()
    story = _insider(world)
    assert story.everything().yes
    world.key_event("revoke", "agent", "h-crm-db-01", world.agent)
    assert verify(story.bundle().to_bytes(), world.pin).yes


def test_a_theft_dated_back_hurts_the_records_since() -> None:
    world = World()
    story = _insider(world)
    assert story.everything().yes
    world.key_event("revoke", "agent", "h-crm-db-01", world.agent, valid_below=story.accepted_at)
    _caught(verify(story.bundle().to_bytes(), world.pin), "record")


def test_a_key_enrolled_after_the_fact_does_not_count() -> None:
    world = World()
    late = FileSigner.generate()
    story = Insider(world, order_changes={"agent_key": late.key_id})
    story.order()
    world.agent = late
    story.run().accept()
    world.enrol("agent", "h-late", late)
    story.validate()
    story.certificate_envelope = certified(World()).certificate_envelope
    story.certified_at = world.log.append("certificate", story.certificate_envelope)
    _caught(verify(story.bundle().to_bytes(), world.pin), "record")


def test_keys_enrolled_by_anybody_else_do_not_count() -> None:
    world = World()
    world.enrolment, honest = world.acceptance, world.enrolment
    world.enrol("agent", "h-other", FileSigner.generate())
    world.enrolment = honest
    _caught(_insider(world).everything(), "keys")


def test_a_checkpoint_that_never_was_is_refused() -> None:
    world = World()
    fork = {"origin": world.log.checkpoint.origin, "size": world.log.checkpoint.size, "root": to_base64(bytes(32))}
    _caught(_insider(world, after=fork).everything(), "history")


def test_a_record_older_than_its_order_is_refused() -> None:
    world = World()
    story = _insider(world)
    story.accept()
    later = _insider(world)
    later.acceptance, later.accepted_at = story.acceptance, story.accepted_at
    body = unverified_body(story.acceptance, "acceptance")
    assert body["record_sha256"] != envelope_digest(later.record_envelope)
    later.validate()
    later.certificate_envelope, later.certified_at = later.validation, later.validated_at
    assert not verify(later.bundle().to_bytes(), world.pin).yes


@pytest.mark.parametrize(
    ("changes", "step"),
    [
        ({"device": "9" * 64}, "record"),
        ({"policy_id": "lenient-1"}, "record"),
        ({"required_method": "purge"}, "record"),
        ({"nonce": "f" * 32}, None),
        ({"plan_sha256": "9" * 64}, "record"),
        ({"plan": {"pattern_set": "ones"}}, "record"),
        ({"plan": {"method": "purge"}}, "record"),
        ({"id": "O-other"}, "approvals"),
        ({"agent_key": "9" * 64}, "record"),
        ({"expires": "2026-11-22T08:00:00Z"}, "order"),
        ({"expires": "2026-11-22T08:35:00Z"}, "approvals"),
        ({"expires": "2026-11-22T09:00:00Z"}, "record"),
        ({"required_verification": "representative"}, "record"),
    ],
)
def test_a_run_that_is_not_what_was_ordered_is_refused(changes: dict[str, Any], step: str | None) -> None:
    result = _insider(World(), **changes).everything()
    if step is None:  # the nonce is taken over by the honest agent, so that any one is as good
        assert result.yes
    else:
        _caught(result, step)


def test_an_order_sealed_by_somebody_else_is_refused() -> None:
    world = World()
    story = Insider(world)
    world.acceptance, honest = FileSigner.generate(), world.acceptance
    story.order()
    world.acceptance = honest
    story.run()
    _caught(story.everything(), "order")


@pytest.mark.parametrize("kind", ["acceptance", "validation", "certificate"])
def test_statements_of_the_service_signed_by_another_key_are_refused(kind: str) -> None:
    world = World()
    story = certified(world)
    stranger = FileSigner.generate()
    if kind == "acceptance":
        story.acceptance = _resigned(story.acceptance, kind, stranger)
        story.accepted_at = world.log.append("acceptance", story.acceptance)
        story.validate()
    if kind == "validation":
        story.validation = _resigned(story.validation, kind, stranger)
        story.validated_at = world.log.append("validation", story.validation)
    if kind == "certificate":
        story.certificate_envelope = _resigned(story.certificate_envelope, kind, stranger)
    story.certified_at = world.log.append("certificate", story.certificate_envelope)
    _caught(verify(story.bundle().to_bytes(), world.pin), kind)


@pytest.mark.parametrize("decision", ["reject", "escalate"])
def test_a_validation_turned_round_is_refused(decision: str) -> None:
    world = World()
    story = _insider(world)
    story.decision = decision
    _caught(story.everything(), "validation")


def test_a_validation_of_a_better_verdict_is_refused() -> None:
    world = World()
    record = with_part(good_record(), "verification", residual=((0, 512),))
    story = Insider(world, record)
    story.order().run().accept()
    body = {"outcome": "sanitized", "method": "clear", "coverage": "full"}
    story.validate()
    story.validation = _resigned(story.validation, "validation", world.acceptance, verdict=body)
    story.validated_at = world.log.append("validation", story.validation)
    story.certificate_envelope = certified(world).certificate_envelope
    story.certified_at = world.log.append("certificate", story.certificate_envelope)
    _caught(verify(story.bundle().to_bytes(), world.pin), "verdict")


def test_a_validator_who_approved_is_refused() -> None:
    world = World()
    story = _insider(world)
    story.accept()
    story.validate()
    validator = {**VALIDATOR.to_dict(), "ref": APPROVERS[0].ref}
    story.validation = _resigned(story.validation, "validation", world.acceptance, validator=validator)
    story.validated_at = world.log.append("validation", story.validation)
    story.certificate_envelope = certified(world).certificate_envelope
    story.certified_at = world.log.append("certificate", story.certificate_envelope)
    _caught(verify(story.bundle().to_bytes(), world.pin), "validation")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("medium", "serial"), "OTHER"),
        (("medium", "capacity_bytes"), CAPACITY * 2),
        (("sanitization", "method"), "purge"),
        (("sanitization", "tool"), "a better tool"),
        (("exceptions",), []),
        (("number",), ""),
        (("people", "validated_by", "name"), "Somebody Else"),
        (("people", "requested_by", "ref"), "p-somebody"),
    ],
)
def test_a_certificate_that_says_more_than_its_evidence_is_refused(path: tuple[str, ...], value: object) -> None:
    world = World()
    story = certified(world, good_record(media="flash"))
    body = copy.deepcopy(story.certificate.to_dict())
    place = body
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = value
    story.certificate_envelope = sign("certificate", body, world.acceptance)
    story.certified_at = world.log.append("certificate", story.certificate_envelope)
    _caught(verify(story.bundle().to_bytes(), world.pin), "certificate")


def test_statements_in_the_wrong_order_of_the_log_are_refused() -> None:
    world = World()
    story = certified(world)
    story.accepted_at = world.log.append("acceptance", story.acceptance)
    _caught(verify(story.bundle().to_bytes(), world.pin), "log")


def test_a_proof_of_another_index_is_refused() -> None:
    world = World()
    good = certified(world).bundle()
    other = dataclasses.replace(good.acceptance, index=good.acceptance.index - 1)
    _caught(verify(dataclasses.replace(good, acceptance=other).to_bytes(), world.pin), "log")


def test_an_entry_of_another_kind_is_refused() -> None:
    world = World()
    story = certified(world)
    story.validated_at = world.log.append("certificate", story.validation)
    _caught(verify(story.bundle().to_bytes(), world.pin), "log")


def test_history_rewritten_with_the_log_keys_does_not_continue_older_checkpoints() -> None:
    world = World()
    story = certified(world)
    rewritten = MemoryLog(world.log.signers)
    for index, entry in enumerate(world.log.entries):
        rewritten.append_entry(b"forged" if index == 2 else entry)
    world.log, honest = rewritten, world.log
    assert honest.checkpoint.root != rewritten.checkpoint.root
    _caught(verify(story.bundle().to_bytes(), world.pin), "log")


def test_a_log_signed_by_one_algorithm_only_is_refused() -> None:
    world = World()
    good = certified(world).bundle()
    for signer in world.log.signers:
        note = sign_checkpoint(world.log.checkpoint, [signer], 0)
        _caught(verify(with_checkpoint(good, note).to_bytes(), world.pin), "checkpoint")


def test_a_log_signed_by_other_keys_of_the_same_name_is_refused() -> None:
    world = World()
    good = certified(world).bundle()
    name = world.log.checkpoint.origin
    fakes = [NoteSigner.generate(name), NoteSigner.generate(name, ML_DSA_44)]
    note = sign_checkpoint(world.log.checkpoint, fakes, 0)
    _caught(verify(with_checkpoint(good, note).to_bytes(), world.pin), "checkpoint")


def test_surplus_signatures_and_lines_are_refused() -> None:
    world = World()
    good = certified(world).bundle()
    witness = NoteSigner.generate("witness.example")
    note = good.anchor.checkpoint + witness.line(world.log.checkpoint.text, 0)
    _caught(verify(with_checkpoint(good, note).to_bytes(), world.pin), "checkpoint")
    record = copy.deepcopy(good.record)
    record["signatures"].append(sign("order", {}, FileSigner.generate())["signatures"][0])
    _caught(verify(dataclasses.replace(good, record=record).to_bytes(), world.pin), "record")


def test_a_trust_root_of_ones_own_needs_a_pin_of_ones_own() -> None:
    honest, forger = World(), World()
    forged = certified(forger).bundle().to_bytes()
    assert verify(forged, forger.pin).yes
    _caught(verify(forged, honest.pin), "trust-root")


def test_parts_of_two_bundles_do_not_mix() -> None:
    world = World()
    one = certified(world)
    two = certified(world, good_record(serial="ANOTHER-SERIAL"))
    first, second = one.bundle(), two.bundle()
    for field in ("order", "approvals", "record", "acceptance", "validation", "certificate"):
        mixed = dataclasses.replace(second, **{field: getattr(first, field)})
        result = verify(mixed.to_bytes(), world.pin)
        assert not result.genuine, field


def test_rosters_must_follow_one_another() -> None:
    world = World()
    world.add_roster()
    world.add_roster()
    assert verify(certified(world).bundle().to_bytes(), world.pin).yes
    good = certified(world).bundle()
    gap = dataclasses.replace(good, earlier_rosters=good.earlier_rosters[:1])
    _caught(verify(gap.to_bytes(), world.pin), "roster")
    none = dataclasses.replace(good, earlier_rosters=())
    _caught(verify(none.to_bytes(), world.pin), "roster")


def _roster(world: World, number: int, signers: tuple[FileSigner, ...], **changes: Any) -> None:  # noqa: ANN401
    previous = payload_digest(world.rosters[-1][0]) if number > 1 else None
    body = {**world.roster_body(number, previous), **changes}
    envelope = sign("roster", body, *signers)
    world.rosters.append((envelope, world.log.append("roster", envelope)))


def test_a_roster_signed_by_fewer_than_the_quorum_before_is_refused() -> None:
    world = World()
    _roster(world, 2, world.approvers[:1])
    _caught(_insider(world).everything(), "roster")


ROLES = {"schema": "sanitrail/order/2", "approval_roles": ["operator", "privacy_officer"]}


def _with_roles(*more: list[str], schema: str = "sanitrail/roster/2") -> World:
    """A second roster says what else its people are trusted with."""
    world = World()
    people = world.roster_body(2, None)["people"]
    listed = [{**one, "roles": ["approver", *others]} for one, others in zip(people, more, strict=True)]
    _roster(world, 2, world.approvers, schema=schema, people=listed)
    return world


def test_roles_that_the_order_demands_are_those_of_the_roster() -> None:
    assert _insider(_with_roles(["operator"], ["privacy_officer", "viewer"]), **ROLES).everything().yes


def test_an_order_that_demands_roles_is_not_approved_by_a_roster_without_any() -> None:
    _caught(_insider(World(), **ROLES).everything(), "approvals")


def test_one_person_does_not_stand_for_two_roles() -> None:
    _caught(_insider(_with_roles(["operator", "privacy_officer"], ["viewer"]), **ROLES).everything(), "approvals")


def test_roles_in_a_roster_of_the_first_version_are_refused() -> None:
    _caught(_insider(_with_roles(["operator"], [], schema="sanitrail/roster/1")).everything(), "roster")


def test_a_roster_signed_by_its_own_newcomers_is_refused() -> None:
    world = World()
    stranger = FileSigner.generate("p256")
    people = [
        {
            "ref": "p-x",
            "key_id": stranger.key_id,
            "public_key": to_base64(stranger.public_key_der),
            "roles": ["approver"],
        }
    ]
    _roster(world, 2, (stranger,), people=people, quorum=1, minimum_approvals=1)
    _caught(_insider(world).everything(), "roster")


@pytest.mark.parametrize(
    "changes",
    [
        {"quorum": 0},
        {"quorum": 3},
        {"minimum_approvals": 0},
        {"people": []},
        {"version": 3},
        {"previous": None},
        {"previous": "9" * 64},
    ],
)
def test_a_roster_that_makes_no_sense_is_refused(changes: dict[str, Any]) -> None:
    world = World()
    _roster(world, 2, world.approvers, **changes)
    _caught(_insider(world).everything(), "roster")


def test_a_roster_whose_key_ids_are_not_the_keys_is_refused() -> None:
    world = World()
    people = world.roster_body(2, None)["people"]
    people[0]["key_id"] = "9" * 64
    _roster(world, 2, world.approvers, people=people)
    _caught(_insider(world).everything(), "roster")


@pytest.mark.parametrize(
    "spoil",
    [
        lambda b: b["order"].update(payload=b["record"]["payload"]),
        lambda b: b.update(approvals=b["approvals"] * 2),
        lambda b: b.update(approvals=list(reversed(b["approvals"]))),
        lambda b: b.update(key_events=list(reversed(b["key_events"]))),
        lambda b: b.update(key_events=b["key_events"][:-1]),
        lambda b: b.update(key_events=b["key_events"] + b["key_events"][-1:]),
        lambda b: b.update(consistency=[]),
        lambda b: b.update(consistency=b["consistency"] + b["consistency"][:1]),
        lambda b: b["acceptance"].update(proof=b["validation"]["proof"]),
        lambda b: b["acceptance"].update(proof=[]),
        lambda b: b.update(validation=b["acceptance"]),
        lambda b: b.update(record=b["order"]),
    ],
)
def test_reordered_repeated_and_exchanged_parts_are_refused(spoil: Callable[[dict[str, Any]], object]) -> None:
    world = World()
    for _ in range(3):
        world.log.append("statement", sign("statement", {"filler": _}, world.acceptance))
    body = copy.deepcopy(certified(world).bundle().to_dict())
    spoil(body)
    result = verify(canonical(body), world.pin)
    assert not result.genuine
    assert not result.yes


def test_the_twin_of_an_ecdsa_signature_is_refused_although_it_is_valid() -> None:
    world = World()
    good = certified(world).bundle()
    approvals = copy.deepcopy(good.approvals)
    r, s = decode_dss_signature(from_base64(approvals[0]["signatures"][0]["sig"]))
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    approvals[0]["signatures"][0]["sig"] = to_base64(encode_dss_signature(r, order - s))
    assert not verify(dataclasses.replace(good, approvals=approvals).to_bytes(), world.pin).yes


def test_the_plan_that_was_approved_is_the_plan_that_ran() -> None:
    world = World()
    story = Insider(world)
    body = order_body(world, story.record)
    assert body["plan_sha256"] == digest_of(body["plan"])
    story.order()
    story.run()
    story.record = with_part(story.record, "method", plan_sha256="9" * 64)
    story.record_envelope = sign("sanitization-record", story.record.to_dict(), world.agent)
    _caught(story.everything(), "record")


def test_a_host_that_signs_for_another_host_is_refused() -> None:
    world = World()
    story = _insider(world)
    story.accept()
    host = {**unverified_body(story.acceptance, "acceptance")["host"], "id": "h-other"}
    story.acceptance = _resigned(story.acceptance, "acceptance", world.acceptance, host=host)
    story.accepted_at = world.log.append("acceptance", story.acceptance)
    story.validate()
    story.certificate_envelope = certified(world).certificate_envelope
    story.certified_at = world.log.append("certificate", story.certificate_envelope)
    _caught(verify(story.bundle().to_bytes(), world.pin), "record")


def test_consistency_proofs_are_exact() -> None:
    world = World()
    good = certified(world).bundle()
    longer = dataclasses.replace(good, consistency=(*good.consistency, *encode_hashes([bytes(32)])))
    _caught(verify(longer.to_bytes(), world.pin), "history")


def test_the_requester_is_printed_by_the_pseudonym_that_signed() -> None:
    assert certified(World()).certificate.people.requested_by == REQUESTER
