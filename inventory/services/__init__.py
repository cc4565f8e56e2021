"""Use cases, one function each: `(context, actor, command) -> result`.

Each authorizes the actor, applies the domain's tables, commits once and appends its events in the same transaction. Commands
are frozen dataclasses beside the functions; results are the views of `inventory.services.views`. Nothing outside this package
reads or writes the database.

    setup        initialise, open, first administrator's link          queries      lists, details, timeline, dashboard
    people       accounts, roles, passwords, directory                 devices      declare, adopt, place, move, retire, ...
    sessions     sign-in, sessions, API tokens, one-time links         disposal     release through the gate, gate preview
    approvers    approver keys                                         destruction  record, witness, validate
    roster       propose, sign, publish                                waivers      open, countersign, use
    hosts        enrolment, confirmation, revocation, silence          data         data sets, declared paths, declared holdings
    heartbeat    contact, what the agent should know                   cases        erasure cases, obligations, statements
    observation  what an agent sees                                    holds        legal and investigation holds
    orders       create, cancel, stop, expire                          exceptions   assign, resolve
    approvals    what to sign, accept an approval                      places       locations, parties, undertakings
    leases       lease, hold question, progress                        policies     current, import, preview
    records      ingest                                                transparency checkpoints, proofs, trust root
    validation   decide                                                idempotency, nonces    once only
    certificates issue, seal, fetch                                    upkeep       due dates, expiry, silence, unfinished seals
    corrections  void, supersede                                       witnesses    who cosigns our checkpoints
"""
