"""How far somebody sees: nobody by default, unknown is outside, a token never further than its person."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.domain.roles import Role
from inventory.domain.scopes import EVERYTHING, NEED_EVERYTHING, NOTHING, UNLIMITED, Scope, explain, narrowed, scope_of

NUMBERS = st.frozensets(st.sampled_from(["SI-0001", "SI-0002", "SI-0003"]))
SCOPES = st.builds(Scope, st.none() | NUMBERS, st.none() | NUMBERS)


@pytest.mark.parametrize("role", list(Role))
def test_without_sites_and_teams_only_roles_that_need_it_see_everything(role: Role) -> None:
    found = scope_of([role], everywhere=False, sites=(), teams=())
    assert found == (EVERYTHING if role in NEED_EVERYTHING else NOTHING)


@pytest.mark.parametrize("role", list(Role))
def test_a_site_limits_every_role_but_the_one_that_gives_out_scopes(role: Role) -> None:
    found = scope_of([role], everywhere=False, sites=["SI-0001"], teams=())
    assert found.everything == (role in UNLIMITED)


def test_nobody_without_a_role_sees_anything_by_having_no_limit() -> None:
    assert scope_of([], everywhere=False, sites=(), teams=()).nothing


def test_what_is_at_no_known_site_is_at_none_of_ones_sites() -> None:
    assert not Scope(frozenset({"SI-0001"}), None).covers(None, ())
    assert EVERYTHING.covers(None, ())


def test_sites_and_teams_must_both_fit() -> None:
    both = Scope(frozenset({"SI-0001"}), frozenset({"TM-0001"}))
    for site, team in product(("SI-0001", "SI-0002", None), ("TM-0001", "TM-0002")):
        assert both.covers(site, [team]) == (site == "SI-0001" and team == "TM-0001")


@given(SCOPES, SCOPES, st.none() | st.sampled_from(["SI-0001", "SI-0002"]), NUMBERS)
def test_a_narrowed_token_sees_what_both_see_and_no_more(
    person: Scope, token: Scope, site: str | None, teams: frozenset[str]
) -> None:
    assert person.within(token).covers(site, teams) == (person.covers(site, teams) and token.covers(site, teams))


def test_a_token_that_names_nothing_narrows_nothing() -> None:
    assert narrowed((), ()) == EVERYTHING


@given(st.frozensets(st.sampled_from(Role)), st.booleans(), NUMBERS, NUMBERS)
def test_the_explanation_says_what_is_true(
    roles: frozenset[Role], everywhere: bool, sites: frozenset[str], teams: frozenset[str]
) -> None:
    found = scope_of(roles, everywhere=everywhere, sites=sites, teams=teams)
    said = explain(roles, everywhere=everywhere, sites=sites, teams=teams)
    assert said.startswith("Sees everything") == found.everything
    assert said.startswith("Sees nothing") == found.nothing
    if not found.everything:
        assert all(number in said for number in sites | teams)
