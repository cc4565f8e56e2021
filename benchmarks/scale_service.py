"""The real service over a large inventory, started by its own command in several processes; and who asks it."""

from __future__ import annotations

import hashlib
import hmac
import os
import resource
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path

import click
import sqlalchemy as sa

from inventory.domain.roles import Role
from inventory.domain.scopes import EVERYTHING
from inventory.domain.signin import Way
from inventory.domain.vocabulary import DeviceState, HostState, OrderState
from inventory.models import Attachment, Device, Host, HostContact, Lease, LogHead, Order, Person, StoredEnvelope
from inventory.services import sessions
from inventory.services.context import Actor, Context
from inventory.services.sessions import open_session
from reports.canonical import canonical, sha256_hex
from reports.envelope import sign
from reports.keys import FileSigner

from .errors import CannotMeasure
from .scale_http import Page, Spoken, Where

READERS = ("auditor", "custodian", "privacy", "operator", "validator", "approver1")
"""Each page is asked for by the first of them who may see it."""
_START_SECONDS = 180
_FILES = 32_768


def somebody(context: Context, login: str) -> Actor:
    """One of the invented people."""
    with context.reading() as session:
        person = session.scalars(sa.select(Person).where(Person.login == login)).one()
        return Actor(person.ref, "person", frozenset(Role(role) for role in person.roles), scope=EVERYTHING)


def allow_many_connections() -> None:
    """Thousands of agents keep a connection each, on both sides."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(_FILES, most), most))


@contextmanager
def running(context: Context, processes: int, log: Path) -> Iterator[Where]:
    """The service, `sanitrail serve`, so many times over one database. Raises `CannotMeasure` where it does not come up."""
    ports = _free_ports(processes)
    authority = f"127.0.0.1:{ports[0]}"
    numbers: list[int] = []
    with ExitStack() as stack:
        for port in ports:
            environment = {
                "PATH": os.environ["PATH"],
                "PYTHONPATH": str(Path(__file__).parents[1]),
                "SANITRAIL_DATA_DIR": str(context.settings.data_dir),
                "SANITRAIL_DATABASE_URL": context.settings.database_url,
                "SANITRAIL_EXTERNAL_URL": f"http://{authority}",
                "SANITRAIL_PORT": str(port),
                "SANITRAIL_SECOND_FACTOR": "offered",
            }
            words = stack.enter_context((log.parent / f"{log.stem}-{port}{log.suffix}").open("wb"))
            process = subprocess.Popen(
                [sys.executable, "-m", "inventory.cli", "serve", "--quiet"],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=words,
                stderr=words,
            )
            stack.callback(_end, process)
            numbers.append(process.pid)
            _await(port, process, authority)
        yield Where(authority, ports, tuple(numbers))


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _free_ports(count: int) -> tuple[int, ...]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return tuple(one.getsockname()[1] for one in sockets)


def _await(port: int, process: subprocess.Popen[bytes], authority: str) -> None:
    end = time.monotonic() + _START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        request = urllib.request.Request(f"http://127.0.0.1:{port}/readyz", headers={"Host": authority})
        try:
            with urllib.request.urlopen(request, timeout=5):  # noqa: S310 - our own loopback address
                return
        except OSError:
            time.sleep(0.1)
    raise CannotMeasure("the service did not start; its log says why")


def spent(where: Where, database: str) -> tuple[float, float]:
    """Seconds of processor time so far: of the service's processes, and of the PostgreSQL server that has this database."""
    ticks = os.sysconf("SC_CLK_TCK")
    seen: dict[int, tuple[int, float, str]] = {}
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            words = (folder / "stat").read_text().rpartition(")")[2].split()
            line = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        seen[int(folder.name)] = (int(words[1]), (int(words[11]) + int(words[12])) / ticks, line)
    ours = set(where.processes)
    while more := {number for number, (parent, _, _) in seen.items() if parent in ours} - ours:
        ours |= more
    service = sum(seen[number][1] for number in ours if number in seen)
    masters = {
        parent for parent, _, line in seen.values() if line.startswith("postgres:") and f" {database} " in line
    }  # its helpers write for everybody: they are children of the same process
    base = sum(used for number, (parent, used, _) in seen.items() if number in masters or parent in masters)
    return service, base


# -- who asks ----------------------------------------------------------------------------------------------------------


def bearers(context: Context) -> list[str]:
    """A header for each reader that shows a token."""
    found = []
    for login in READERS:
        actor = somebody(context, login)
        _, token = sessions.create_token(context, actor, sessions.CreateToken(name="measured", roles=actor.roles))
        found.append(f"Authorization: Bearer {token}")
    return found


def cookies(context: Context) -> list[str]:
    """A header for each reader that shows a session of the console."""
    found = []
    for login in READERS:
        with context.writing() as session:
            person = session.scalars(sa.select(Person).where(Person.login == login)).one()
            secret = open_session(session, context, person, "measured", Way.PASSWORD).secret
        seal = hmac.new(context.secrets.cookie_key, b"cookie\x00" + secret.encode(), hashlib.sha256).hexdigest()[:32]
        found.append(f"Cookie: sanitrail={secret}.{seal}")
    return found


def pages(where: Where, paths: Sequence[str], headers: Sequence[str]) -> list[Page]:
    """Each address with the first reader who may see it. What answers nobody is said and left out."""
    found = [_page(where, path, headers) for path in paths]
    for one in found:
        if ": " not in one.header:
            click.echo(f"  {one.path} is not measured: it answers {one.header}")
    return [one for one in found if ": " in one.header]


def _page(where: Where, path: str, headers: Sequence[str]) -> Page:
    status = 0
    for header in headers:
        name, _, value = header.partition(": ")
        request = urllib.request.Request(
            f"http://127.0.0.1:{where.ports[0]}{path}", headers={"Host": where.authority, name: value}
        )
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:  # noqa: S310 - our own loopback address
                status = answer.status
        except urllib.error.HTTPError as error:
            status = error.code
        if status == 200:
            return Page(path, header)
    return Page(path, str(status))


# -- agents ------------------------------------------------------------------------------------------------------------


def enlist(context: Context, agents: int, runs: int) -> list[Spoken]:
    """Gives so many invented hosts keys that we hold, and so many of them a run under way; written into the tables.

    Raises:
        CannotMeasure: there are not so many hosts, or not so many devices in them.
    """
    with context.writing() as session:
        numbers = session.scalars(
            sa.select(Host.id).where(Host.state == HostState.CONFIRMED).order_by(Host.id).limit(agents)
        ).all()
        if len(numbers) < agents:
            raise CannotMeasure(f"there are only {len(numbers)} hosts; more devices make more")
        checkpoint = session.scalars(sa.select(LogHead.checkpoint)).one().split("\n")
        position: dict[str, object] = {"origin": checkpoint[0], "size": int(checkpoint[1]), "root": checkpoint[2]}
        found = [Spoken(FileSigner.generate(), host, position) for host in numbers]
        session.execute(
            sa.update(Host.__table__)  # type: ignore[arg-type]  # a mapped class's table is typed wider
            .where(Host.id == sa.bindparam("host"))
            .values(key_id=sa.bindparam("key"), spki=sa.bindparam("der")),
            [{"host": one.host, "key": one.signer.key_id, "der": one.signer.public_key_der} for one in found],
        )
    _begin_runs(context, found, runs)
    return found


def _begin_runs(context: Context, agents: Sequence[Spoken], runs: int) -> None:
    with context.reading() as session:
        sample = session.scalars(sa.select(Order).limit(1)).one()
        inside = (
            sa.select(Attachment.host_id, sa.func.min(Attachment.device_id))
            .join(Device, Device.id == Attachment.device_id)
            .where(
                Attachment.host_id.in_([one.host for one in agents[: runs * 4]]),
                Attachment.until.is_(None),
                Device.state == DeviceState.IN_SERVICE,
                Device.id.not_in(sa.select(Order.device_id)),
            )
            .group_by(Attachment.host_id)
            .limit(runs)
        )
        places = dict(session.execute(inside).tuples().all())
    if len(places) < runs:
        raise CannotMeasure(f"only {len(places)} of these hosts have a device that could be wiped")
    now = context.now()
    with context.writing() as session:
        first = (session.scalar(sa.select(sa.func.max(Lease.id)).where(Lease.id.like("LS-9%"))) or "LS-900000")[3:]
        number = int(first)
        for agent in agents:
            if agent.host not in places:
                continue
            number += 1
            order = f"O-2999-{number:06d}"
            envelope = canonical(sign("order", {"invented": order}, agent.signer))
            digest = sha256_hex(envelope)
            session.add(StoredEnvelope(sha256=digest, kind="order", content=envelope, stored=now))
            session.flush()
            session.add(
                Order(
                    id=order, state=OrderState.EXECUTING, device_id=places[agent.host], host_id=agent.host,
                    agent_key=agent.signer.key_id, fingerprint=digest, envelope_sha256=digest,
                    payload_sha256=sha256_hex(order.encode()), nonce=digest[:32], plan=sample.plan,
                    purpose=sample.purpose, decision=sample.decision, requested_by=sample.requested_by,
                    reason="Measured", created=now, expires=now + timedelta(days=1), approvals_required=2, token=1,
                    started=now, version=1,
                )
            )  # fmt: skip
            session.flush()
            agent.order, agent.lease = order, f"LS-{number:06d}"
            session.add(
                Lease(
                    id=agent.lease, order_id=order, host_id=agent.host, token=1, acquired=now,
                    expires=now + timedelta(days=1),
                )
            )  # fmt: skip


def hear_all(context: Context) -> None:
    """Every host has spoken just now: a kept inventory's would all have fallen silent, which is another day's work."""
    with context.writing() as session:
        session.execute(sa.update(HostContact).values(last_contact=context.now()))


def dismiss(context: Context) -> None:
    """Ends the invented runs, so that nothing waits for them."""
    with context.writing() as session:
        ours = Order.__table__.c
        session.execute(
            sa.update(Order.__table__)  # type: ignore[arg-type]  # a mapped class's table is typed wider
            .where(ours.id.like("O-2999-%"), ours.state == OrderState.EXECUTING)
            .values(state=OrderState.CANCELLED)
        )
