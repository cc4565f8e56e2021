"""Who may do what: denied unless granted, and nobody holds roles that exclude each other."""

from __future__ import annotations

import itertools

import pytest

from inventory.domain.exceptions import CRITICAL, TITLES, ExceptionCode, severity
from inventory.domain.roles import EXCLUSIVE, GRANTS, Permission, Role, incompatible, may, permissions_of, roles_with
from inventory.domain.vocabulary import Zone, less_secure


def test_every_role_has_its_row_and_every_permission_somebody() -> None:
    assert set(GRANTS) == set(Role)
    assert all(roles_with(permission) for permission in Permission)


def test_no_role_is_granted_nothing_and_nobody_everything() -> None:
    assert not permissions_of([])
    assert all(permissions_of([role]) < set(Permission) for role in Role)


@pytest.mark.parametrize("permission", [Permission.ORDER_APPROVE, Permission.RECORD_VALIDATE, Permission.ORDER_REQUEST])
def test_the_administrator_neither_orders_nor_approves_nor_validates(permission: Permission) -> None:
    assert not may([Role.ADMINISTRATOR], permission)


def test_the_auditor_reads_all_and_changes_nothing() -> None:
    reading = {Permission.READ, Permission.READ_EVIDENCE, Permission.READ_EVENTS, Permission.READ_DIRECTORY}
    assert permissions_of([Role.AUDITOR]) == reading | {Permission.AUDIT_EXPORT}


def test_the_viewer_sees_no_evidence() -> None:
    assert permissions_of([Role.VIEWER]) == {Permission.READ}


def test_no_other_role_combines_with_auditing() -> None:
    for role in set(Role) - {Role.AUDITOR, Role.VIEWER}:
        assert incompatible([Role.AUDITOR, role])


@pytest.mark.parametrize("pair", list(itertools.combinations(Role, 2)))
def test_exclusion_is_the_same_both_ways(pair: tuple[Role, Role]) -> None:
    listed = pair in EXCLUSIVE or pair[::-1] in EXCLUSIVE
    assert bool(incompatible(pair)) is listed
    assert bool(incompatible(pair[::-1])) is listed


def test_each_exception_has_words_and_a_weight() -> None:
    assert set(TITLES) == set(ExceptionCode)
    assert {severity(code) for code in CRITICAL} == {"critical"}
    assert severity(ExceptionCode.UNDECLARED_DEVICE) == "warning"


def test_a_place_loses_protection_only_downwards() -> None:
    assert less_secure(Zone.SECURE, Zone.CONTROLLED)
    assert less_secure(Zone.CONTROLLED, Zone.OPEN)
    assert not less_secure(Zone.OPEN, Zone.SECURE)
    assert not less_secure(Zone.SECURE, Zone.SECURE)
