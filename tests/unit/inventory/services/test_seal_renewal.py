"""The sealing certificate is replaced in time, and a person is asked where that cannot be."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa

from inventory.domain.vocabulary import ExceptionState
from inventory.models import ExceptionItem
from inventory.services import seal_renewal, setup, upkeep
from reports.sealkey import load
from tests.support.inventory_world import World


def _asked(world: World) -> bool:
    with world.context.reading() as session:
        found = sa.select(ExceptionItem).where(
            ExceptionItem.code == "seal-certificate-due", ExceptionItem.state == ExceptionState.OPEN
        )
        return session.scalar(found) is not None


def test_the_next_certificate_comes_before_the_present_one_ends(world: World) -> None:
    first = setup.seal_key(world.context)
    upkeep.run(world.context)
    assert setup.seal_key(world.context).certificate == first.certificate, "nothing is due yet"
    end = load(first.certificate).not_valid_after_utc
    world.clock.forward(seconds=(end - world.clock.now() - dt.timedelta(days=59)).total_seconds())
    upkeep.run(world.context)
    second = setup.seal_key(world.context)
    assert second.certificate != first.certificate
    assert second.authority == first.authority
    assert load(second.certificate).not_valid_after_utc - world.clock.now() > dt.timedelta(days=700)
    upkeep.run(world.context)
    assert setup.seal_key(world.context).certificate == second.certificate, "once is enough"
    assert not _asked(world)


def test_after_a_long_rest_the_service_helps_itself(world: World) -> None:
    first = setup.seal_key(world.context)
    world.clock.forward(days=3 * 365)
    assert seal_renewal.renew_if_due(world.context)
    assert setup.seal_key(world.context).certificate != first.certificate


def test_without_the_authoritys_key_a_person_is_asked(world: World) -> None:
    key = next(world.context.secrets.folder.glob("pdf-authority*.pem"))
    away = key.rename(key.with_suffix(".away"))
    world.context.secrets._signers.clear()
    world.clock.forward(days=700)
    assert seal_renewal.renew_if_due(world.context) is None
    assert _asked(world)
    away.rename(key)
    world.context.secrets._signers.clear()
    assert seal_renewal.renew_if_due(world.context)
    assert not _asked(world)
