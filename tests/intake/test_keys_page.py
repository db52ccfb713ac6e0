"""An administrator makes and revokes the keys of sites; a key is shown once; all of it is in the audit trail."""

from __future__ import annotations

import re

import pytest

from ae_intake.keys import known_keys
from tests.intake.at_site import Site, a_report
from tests.intake.site_desk import Nurse, words
from tests.support.houses import STUDY

KEYS = "/report/keys"


def administrator(site: Site, lang: str = "en") -> Nurse:
    return Nurse(site.house, "chen", None, None, frozenset({"administrator"}), lang)


def valid(site: Site) -> list[tuple[str, str | None]]:
    with site.store.reading() as tx:
        return [(one.study, one.site) for one in known_keys(tx) if one.revoked_at is None]


def test_a_new_key_is_shown_once_and_works(site: Site) -> None:
    chen = administrator(site)
    made = chen.send(chen.get(KEYS), KEYS, of=f"{STUDY}|S02")
    assert made.status_code == 200
    assert made.headers["cache-control"] == "no-store"
    (key,) = re.findall(r"tocsin_site_[A-Za-z0-9_-]{43}", made.text)
    assert key not in chen.get(KEYS).text
    posted = site.house.as_key(key).post("/v1/reports", a_report(subject="S02-001"))
    assert posted.status_code == 201
    assert (STUDY, "S02") in valid(site)
    assert ("chen", "key created") in [(who, did) for who, did, _ in site.audited()]
    assert "S02 Second site" in words(chen.get(KEYS))


def test_a_key_may_be_for_all_sites_of_a_study(site: Site) -> None:
    chen = administrator(site)
    assert "NCT06223646 · 所有中心 的新密钥：" in words(
        administrator(site, "zh").send(chen.get(KEYS), KEYS, of=f"{STUDY}|*")
    )
    assert (STUDY, None) in valid(site)


@pytest.mark.parametrize("of", ["", "NCT0|S01", f"{STUDY}|S77", f"{STUDY}|", "x"])
def test_a_key_for_nobody_is_not_made(site: Site, of: str) -> None:
    chen = administrator(site)
    before = valid(site)
    assert chen.send(chen.get(KEYS), KEYS, of=of).status_code == 422
    assert valid(site) == before


def test_a_key_is_revoked_for_a_reason_and_refused_from_then_on(site: Site) -> None:
    chen = administrator(site)
    with site.store.reading() as tx:
        (known,) = known_keys(tx)
    revoke = f"{KEYS}/{known.key_id}/revoke"
    without = chen.send(chen.get(KEYS), revoke, reason=" ")
    assert without.status_code == 422
    assert "A reason is needed." in words(without)
    assert len(valid(site)) == 1

    assert chen.send(chen.get(KEYS), revoke, reason="lost <b>phone</b>").status_code == 303
    assert valid(site) == []
    assert ("chen", "key revoked", f"key {known.key_id}") in site.audited()
    again = chen.post(revoke, {"reason": "x", "token": token(chen, revoke, site)})
    assert again.status_code == 404


def test_only_an_administrator_comes_in_and_only_by_the_page(site: Site) -> None:
    for roles in ("site", "safety_physician", "auditor"):
        other = Nurse(site.house, "wu", None, None, frozenset({roles}))
        assert other.get(KEYS).status_code == 403
        assert other.post(KEYS, {"of": f"{STUDY}|S01"}).status_code == 403
    assert site.house.get(KEYS).status_code == 401
    assert site.house.ask("POST", KEYS, data={"of": f"{STUDY}|S01"}).status_code == 401
    assert administrator(site).post(KEYS, {"of": f"{STUDY}|S01"}).status_code == 403
    assert valid(site) == [(STUDY, "S01")]


def token(nurse: Nurse, path: str, site: Site) -> str:
    from tests.intake.test_site_reach import token_for

    return token_for(nurse, site, path)
