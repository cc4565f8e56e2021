"""From a run in the lab to the verdict everybody reaches: its record, as an agent writes it, judged by the one function."""

from __future__ import annotations

from reports.record import (
    SCHEMA,
    CommandFacts,
    DeviceFacts,
    HostFacts,
    KeyErasure,
    MethodFacts,
    OrderRef,
    PassFacts,
    PolicyRef,
    RunFacts,
    SanitizationRecord,
    Segment,
    VerificationFacts,
)
from reports.verdict import Verdict, judge
from sanitizer.run import RunResult

_DIGEST, _NONCE = "0" * 64, "0" * 32


def verdict_of(result: RunResult) -> Verdict:
    """What the record of this run amounts to, under an order that asked for what the run was asked for."""
    told = result.to_dict()
    method, run, asked = told["method"], told["run"], told["method"]["requested"]
    record = SanitizationRecord(
        schema=SCHEMA,
        record_id=result.run_id,
        previous=None,
        order=OrderRef(
            id="order-1",
            sha256=_DIGEST,
            nonce=_NONCE,
            after_origin="lab.example",
            after_size=1,
            after_root=_DIGEST,
            approvals=(),
        ),
        device=DeviceFacts(**told["device"]),
        method=MethodFacts(
            **{
                **method,
                "passes": tuple(PassFacts(**each) for each in method["passes"]),
                "commands": tuple(CommandFacts(**each) for each in method["commands"]),
                "key_erasure": KeyErasure(**method["key_erasure"]) if method.get("key_erasure") else None,
            }
        ),
        verification=VerificationFacts(**told["verification"]),
        run=RunFacts(**{**run, "segments": tuple(Segment(**each) for each in run["segments"])}),
        host=HostFacts(
            name="lab", agent_key=_DIGEST, agent_version="1", kernel="6.1", machine_id_sha256=_DIGEST, sequence=1
        ),
        policy=PolicyRef(id="policy-1", sha256=_DIGEST, required_method=asked, required_verification="representative"),
        operator_ref="operator-1",
        tool="sanitrail lab",
    )
    return judge(SanitizationRecord.from_dict(record.to_dict()))
