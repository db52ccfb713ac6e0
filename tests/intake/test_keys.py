"""Who may post and who sees what: a key is one study and one site, and what is another's is not there."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from ae_intake.keys import create_key, known_keys, revoke_key
from tests.intake.at_site import Site, a_report, refused
from tests.support.houses import PILOT, SIGNING_KEY, STUDY
from tocsin.errors import NotFound
from tocsin.web.identity import KEY_PREFIX, Person, sign_person


def logged_in(site: Site, *roles: str) -> Site:
    token = sign_person(Person("dr_zhou", frozenset(roles)), SIGNING_KEY, site.now(), timedelta(minutes=5))
    return Site(site.house.as_key(token), site.store)


@pytest.mark.parametrize("key", ["", "nonsense", KEY_PREFIX + "x" * 43, KEY_PREFIX + "x" * 10, "tocsin_login_x.y"])
def test_an_unknown_key_is_refused_as_a_problem(site: Site, key: str) -> None:
    stranger = site.house.as_key(key)
    answer = stranger.post("/v1/reports", a_report())

    refused(answer, 401)
    assert answer.headers["www-authenticate"] == "Bearer"


def test_without_any_key_nothing_is_taken_or_shown(site: Site) -> None:
    for method, path in (("GET", "/v1/reports"), ("POST", "/v1/doses"), ("GET", "/v1/queries")):
        answer = site.house.ask(method, path, headers={"Authorization": ""})
        refused(answer, 401)


def test_a_key_is_kept_only_as_its_hash(site: Site, tmp_path: Path) -> None:
    with site.store.transaction() as tx:
        key = create_key(tx, STUDY, "S02", site.now())
    held = b"".join(file.read_bytes() for file in tmp_path.glob("intake.db*"))

    assert key.startswith("tocsin_site_")
    assert len(key) == len("tocsin_site_") + 43
    assert key.encode() not in held


def test_a_new_key_is_valid_at_once_and_a_revoked_one_soon_is_not(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    other = site.with_key(site="S02")
    assert other.post("/v1/reports", a_report(subject="S02-001")).status_code == 201
    with site.store.transaction() as tx:
        (key,) = [known.key_id for known in known_keys(tx, STUDY) if known.site == "S02"]
        revoke_key(tx, key, site.now(), by="test", reason="site closed")
    monkeypatch.setattr("ae_intake.keys.REMEMBERED_S", 0.0)  # as if that moment had passed

    refused(other.post("/v1/reports", a_report(subject="S02-001")), 401)
    with site.store.transaction() as tx, pytest.raises(NotFound):
        revoke_key(tx, key, site.now(), by="test", reason="again")
    assert ("test", "key revoked", f"key {key}") in site.audited()


@pytest.mark.rule("promise: a site sees its own subjects only")
def test_what_is_another_sites_looks_as_if_it_were_not_there(site: Site) -> None:
    case_id = site.report(product=None)["case_id"]
    (query,) = site.queries()
    other = site.with_key(site="S02")
    asked = [
        ("GET", "/v1/reports/{}", case_id, "TOC-9999"),
        ("POST", "/v1/reports/{}/follow-ups", case_id, "TOC-9999"),
        ("POST", "/v1/queries/{}/answers", query["query_id"], "no-such-query"),
    ]

    for method, path, theirs, nobodys in asked:
        body = {"statement": "x"} if "answers" in path else {"narrative": "x"}
        answers = [other.house.ask(method, path.format(i), **({"json": body} if method == "POST" else {}))
                   for i in (theirs, nobodys)]  # fmt: skip
        assert [a.status_code for a in answers] == [404, 404]
        one, two = ({k: v for k, v in a.json().items() if k != "request_id"} for a in answers)
        assert one == two
    assert other.get("/v1/reports").json()["reports"] == []
    assert other.queries() == []
    assert "/subject" in refused(other.post("/v1/reports", a_report()))
    assert site.case(case_id)["revision"] == 1


def test_a_key_of_another_study_sees_nothing_of_this_one(site: Site) -> None:
    case_id = site.report()["case_id"]
    pilot = site.with_key(PILOT, "701")

    refused(pilot.get(f"/v1/reports/{case_id}"), 404)
    assert "/subject" in refused(pilot.post("/v1/reports", a_report()))
    assert pilot.post("/v1/reports", a_report(subject="01-701-1015")).status_code == 201


def test_a_key_for_all_sites_must_say_which(site: Site) -> None:
    feed = site.with_key(site=None)

    assert refused(feed.post("/v1/reports", a_report()))["/site"]["allowed"] == "S01, S02"
    assert refused(feed.post("/v1/reports", a_report(site="S09")))["/site"]["allowed"] == "S01, S02"
    assert "/subject" in refused(feed.post("/v1/reports", a_report(site="S02")))
    assert feed.report(site="S02", subject="S02-001")["case_id"] == "TOC-0001"
    assert feed.report(site="S01")["case_id"] == "TOC-0002"
    assert len(feed.get("/v1/reports").json()["reports"]) == 2
    assert feed.follow_up("TOC-0001", {"narrative": "news"})["revision"] == 2


def test_a_feed_may_put_a_case_under_a_subject_of_another_site(site: Site) -> None:
    feed = site.with_key(site=None)
    case_id = feed.report(site="S01")["case_id"]
    moved = feed.follow_up(case_id, {"nullify": True, "reason": "other site", "right_subject": "S02-001"})["moved_to"]

    assert site.with_key(site="S02").case(moved)["site"] == "S02"
    refused(site.get(f"/v1/reports/{moved}"), 404)


def test_a_key_of_a_study_that_is_not_served_is_told_so(site: Site) -> None:
    refused(site.with_key("NCT99999999", None).post("/v1/reports", a_report()), 403)


def test_people_of_the_sponsor_may_read_and_nobody_posts_with_a_login(site: Site) -> None:
    case_id = site.report()["case_id"]
    physician = logged_in(site, "safety_physician")

    assert physician.case(case_id)["case_id"] == case_id
    assert site.audited()[-1] == ("dr_zhou", "case read", f"case {case_id}")
    refused(physician.post("/v1/reports", a_report()), 401)


def test_a_login_without_a_reading_role_reads_nothing(site: Site) -> None:
    case_id = site.report()["case_id"]

    refused(logged_in(site, "site").get(f"/v1/reports/{case_id}"), 403)
    refused(logged_in(site).get("/v1/queries"), 403)


def test_a_login_that_has_run_out_is_refused(site: Site) -> None:
    physician = logged_in(site, "safety_physician")
    site.now.pass_by(minutes=5)

    assert "run out" in physician.get("/v1/reports").json()["title"]
