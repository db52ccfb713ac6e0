"""What is refused: only what cannot be understood or attributed, each place by its pointer, with what is allowed."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import func, select

from ae_intake.tables import cases, doses, observations
from tests.intake.at_site import Site, a_report, an_event, refused

DOSE = {"kind": "infusion", "subject": "S01-001", "level": "DL1", "started_at": "2026-02-27T10:00"}
LAB = {"kind": "laboratory", "subject": "S01-001", "at": "2026-03-01", "test": "Hb", "value": 9.1, "unit": "g/dL"}


def event(**facts: Any) -> dict[str, Any]:
    return a_report(an_event(**facts))


def lab(**facts: Any) -> dict[str, Any]:
    return {"observations": [LAB, {**LAB, **facts}]}


REPORTS: list[tuple[dict[str, Any], str, str]] = [
    # what is sent, the pointer, words of what is allowed
    (a_report(colour="red"), "/colour", "study, site, subject"),
    (event(serios=True), "/events/0/serios", "verbatim"),
    (event(grade={"ctcae": 3, "who": 2}), "/events/0/grade/who", "ctcae, astct"),
    (event(onset="2026-02-30"), "/events/0/onset", "2026-03-05"),
    (event(onset="30.02.2026"), "/events/0/onset", "ISO 8601"),
    (event(onset="2025-02-29T10:00"), "/events/0/onset", "ISO 8601"),
    (event(onset="0000-01-01"), "/events/0/onset", "ISO 8601"),
    (event(onset="9999-12-31"), "/events/0/onset", "1900 to 2100"),
    (event(end="2026-13"), "/events/0/end", "ISO 8601"),
    (event(end="2026-03-01T24:00"), "/events/0/end", "ISO 8601"),
    (event(investigator_aware_at="yesterday"), "/events/0/investigator_aware_at", "ISO 8601"),
    (event(course=[{"grade": 2, "from": "2026-02-31"}]), "/events/0/course/0/from", "ISO 8601"),
    (event(course=[{"grade": 2}]), "/events/0/course/0/from", "text"),
    (event(course=[{"grade": 9, "from": "2026-03-01"}]), "/events/0/course/0/grade", "0 to 5"),
    (event(verbatim=None), "/events/0/verbatim", "1 to 1000"),
    (event(verbatim=""), "/events/0/verbatim", "1 to 1000"),
    (event(verbatim="x" * 1001), "/events/0/verbatim", "1 to 1000"),
    (event(serious="yes"), "/events/0/serious", "true or false"),
    (event(serious=1), "/events/0/serious", "true or false"),
    (event(seriousness=["severe"]), "/events/0/seriousness/0", "death, life_threatening"),
    (event(seriousness="death"), "/events/0/seriousness", "a list"),
    (event(grade={"ctcae": 6}), "/events/0/grade/ctcae", "1 to 5"),
    (event(grade={"ctcae": 0}), "/events/0/grade/ctcae", "1 to 5"),
    (event(grade={"ctcae": "3"}), "/events/0/grade/ctcae", "a whole number"),
    (event(grade={"ctcae": True}), "/events/0/grade/ctcae", "a whole number"),
    (event(grade={"astct": 2.5}), "/events/0/grade/astct", "a whole number"),
    (event(grade=3), "/events/0/grade", "ctcae, astct"),
    (event(outcome="dead"), "/events/0/outcome", "fatal"),
    (event(action="stopped"), "/events/0/action", "withdrawn"),
    (event(severity="grade 3"), "/events/0/severity", "mild, moderate, severe"),
    (event(symptoms="none"), "/events/0/symptoms", "asymptomatic, mild, moderate, severe"),
    (event(limits="adl"), "/events/0/limits", "none, instrumental_adl, self_care_adl"),
    (event(limits=["self_care_adl"]), "/events/0/limits", "none, instrumental_adl"),
    (event(intervention="surgery"), "/events/0/intervention", "none, noninvasive, medical, invasive, urgent"),
    (event(causality=[{"agent": "product", "relation": "maybe"}]), "/events/0/causality/0/relation", "not_related"),
    (event(causality=[{"agent": "weather", "relation": "related"}]), "/events/0/causality/0/agent", "product"),
    (event(causality=[{"agent": "product"}]), "/events/0/causality/0/relation", "related"),
    (event(ref="two words"), "/events/0/ref", "of the form"),
    (a_report(an_event(), an_event(verbatim="sepsis")), "/events/1/ref", "a ref of its own"),
    (a_report(*(an_event(ref=str(n)) for n in range(51))), "/events", "at most 50"),
    (a_report(events={"verbatim": "fever"}), "/events", "a list"),
    (a_report(study="NCT00000000"), "/study", "NCT06223646"),
    (a_report(site="S02"), "/site", "S01"),
    (a_report(subject="S02-001"), "/subject", "S01"),
    (a_report(subject="S09-001"), "/subject", "S01"),
    (a_report(subject="001"), "/subject", "of the form"),
    (a_report(subject="S01-0001"), "/subject", "of the form"),
    (a_report(subject="S01-001\n"), "/subject", "of the form"),
    (a_report(subject=1), "/subject", "text"),
    (a_report(kind="rumour"), "/kind", "adverse_event, pregnancy"),
    (a_report(kind="pregnancy", detail="twins"), "/detail", "partner"),
    (a_report(patient_identifiable="no"), "/patient_identifiable", "true or false"),
    (a_report(reporter="Dr Li"), "/reporter", "name, role, contact"),
    (a_report(reporter={"phone": "1"}), "/reporter/phone", "contact"),
    (a_report(narrative="x" * 20_001), "/narrative", "20000"),
    (a_report(source={"batch": "1"}), "/source/system", "text"),
]


@pytest.mark.parametrize(("sent", "pointer", "allowed"), REPORTS)
def test_a_report_that_cannot_be_understood_or_attributed_is_refused_with_its_pointer(
    lasting_site: Site, sent: dict[str, Any], pointer: str, allowed: str
) -> None:
    wrong = refused(lasting_site.post("/v1/reports", sent))

    assert list(wrong) == [pointer]
    assert wrong[pointer]["problem"]
    assert allowed in wrong[pointer]["allowed"]
    with lasting_site.store.reading() as connection:
        assert connection.scalar(select(func.count()).select_from(cases)) == 0


DOSES: list[tuple[dict[str, Any], str, str]] = [
    ({**DOSE, "kind": "transfusion"}, "/kind", "enrolment, infusion, product_event, withdrawal"),
    ({"subject": "S01-001"}, "/kind", "infusion"),
    ({**DOSE, "level": "DL9"}, "/level", "DL1, DL2, DL3"),
    ({**DOSE, "level": None}, "/level", "text"),
    ({**DOSE, "given": 1.0, "unit": "mg"}, "/unit", "10^6 cells/kg"),
    ({**DOSE, "given": 1.0}, "/unit", "cells/kg"),
    ({**DOSE, "planned": 0}, "/planned", "greater than 0"),
    ({**DOSE, "given": -1, "unit": "cells/kg"}, "/given", "0"),
    ({**DOSE, "started_at": "2026-02-29"}, "/started_at", "ISO 8601"),
    ({**DOSE, "subject": "S02-001"}, "/subject", "S01"),
    ({**DOSE, "site": "S02"}, "/site", "S01"),
    ({**DOSE, "planed": 1}, "/planed", "planned"),
    ({"kind": "enrolment", "subject": "S01-001", "enrolled_on": "2026-02-10", "level": "9"}, "/level", "DL1"),
    ({"kind": "product_event", "what": "lost", "found_at": "2026-02-10"}, "/what", "bag_failure"),
    ({"kind": "withdrawal", "subject": "S01-001"}, "/withdrawn_on", "text"),
]


@pytest.mark.parametrize(("sent", "pointer", "allowed"), DOSES)
def test_a_dose_that_cannot_be_understood_is_refused_with_its_pointer(
    lasting_site: Site, sent: dict[str, Any], pointer: str, allowed: str
) -> None:
    wrong = refused(lasting_site.post("/v1/doses", sent))

    assert list(wrong) == [pointer]
    assert allowed in wrong[pointer]["allowed"]
    with lasting_site.store.reading() as connection:
        assert connection.scalar(select(func.count()).select_from(doses)) == 0


OBSERVATIONS: list[tuple[dict[str, Any], str, str]] = [
    ({"observations": []}, "/observations", "1 to 5000"),
    ({}, "/observations", "a list"),
    (lab(unit="furlong"), "/observations/1/unit", "10*9/L"),
    (lab(kind="horoscope"), "/observations/1/kind", "laboratory"),
    (lab(value="9.1"), "/observations/1/value", "a number"),
    (lab(value=True), "/observations/1/value", "a number"),
    (lab(at="2026-02-30"), "/observations/1/at", "ISO 8601"),
    (lab(subject="S02-001"), "/observations/1/subject", "S01"),
    (lab(subject="x"), "/observations/1/subject", "of the form"),
    (lab(laboratory=1), "/observations/1/laboratory", "test, value, unit"),
    ({"observations": [{"kind": "vital_sign", "subject": "S01-001", "at": "2026-03-01", "sign": "temperature",
                        "value": 39, "unit": "mm[Hg]"}]}, "/observations/0/unit", "Cel, C"),
    ({"observations": [{"kind": "ice", "subject": "S01-001", "at": "2026-03-01", "score": 11}]},
     "/observations/0/score", "0 to 10"),
    ({"observations": [{"kind": "oxygen", "subject": "S01-001", "at": "2026-03-01", "device": "mask"}]},
     "/observations/0/device", "facemask"),
]  # fmt: skip


@pytest.mark.parametrize(("sent", "pointer", "allowed"), OBSERVATIONS)
def test_one_observation_that_cannot_be_understood_refuses_all_of_the_request(
    lasting_site: Site, sent: dict[str, Any], pointer: str, allowed: str
) -> None:
    wrong = refused(lasting_site.post("/v1/observations", sent))

    assert list(wrong) == [pointer]
    assert allowed in wrong[pointer]["allowed"]
    with lasting_site.store.reading() as connection:
        assert connection.scalar(select(func.count()).select_from(observations)) == 0


def test_every_wrong_place_is_named_at_once(lasting_site: Site) -> None:
    wrong = refused(
        lasting_site.post("/v1/reports", a_report(an_event(onset="2026-02-30", grade={"ctcae": 7}), subject=4, x=1))
    )

    assert list(wrong) == ["/subject", "/events/0/onset", "/events/0/grade/ctcae", "/x"]


RAW: list[tuple[bytes, str, int, str]] = [
    (b'{"subject": "S01-001",', "", 400, "is not JSON"),
    (b"", "", 400, "is not JSON"),
    (b'{"subject": NaN}', "", 400, "is not JSON"),
    (b'{"subject": Infinity}', "", 400, "is not JSON"),
    (b"\xff\xfe", "", 400, "is not UTF-8"),
    (b'{"events": [{"verbatim": "a", "onset": "2026-03-01", "onset": "2026-03-02"}]}', "/events/0/onset", 400, "twice"),
    (b'{"a~b": {"c/d": 1, "c/d": 2}}', "/a~0b/c~1d", 400, "twice"),
    (b'{"events": ' + b"[" * 40 + b"]" * 40 + b"}", "", 400, "too deep"),
    (b"[" * 100_000, "", 400, "too deep"),
    (b'{"narrative": "a\\u0000b"}', "/narrative", 422, "cannot be kept"),
    (b'{"narrative": "\\ud800"}', "/narrative", 422, "cannot be kept"),
    (b'{"events": [{"verbatim": "' + b"x" * 1_100_000 + b'"}]}', "", 413, "too large"),
    (b'"a report"', "", 422, "cannot be understood"),
    (b"[]", "", 422, "cannot be understood"),
    (b"1" * 5000, "", 400, "is not JSON"),
]


@pytest.mark.parametrize(("raw", "pointer", "status", "title"), RAW)
def test_what_is_no_plain_json_document_is_refused(
    lasting_site: Site, raw: bytes, pointer: str, status: int, title: str
) -> None:
    answer = lasting_site.house.ask("POST", "/v1/reports", content=raw, headers={"Content-Type": "application/json"})

    assert list(refused(answer, status)) == [pointer]
    assert title in answer.json()["title"]


@pytest.mark.parametrize(
    "media_type", ["text/plain", "application/x-www-form-urlencoded", "", "application/json; charset=gbk"]
)
def test_what_does_not_say_that_it_is_json_is_refused(lasting_site: Site, media_type: str) -> None:
    headers = {"Content-Type": media_type} if media_type else {}
    answer = lasting_site.house.ask("POST", "/v1/reports", content=b"{}", headers=headers)

    assert list(refused(answer, 415)) == [""]


@pytest.mark.parametrize("media_type", ["application/json; charset=utf-8", "application/fhir+json", "APPLICATION/JSON"])
def test_json_under_its_other_names_is_taken(lasting_site: Site, media_type: str) -> None:
    answer = lasting_site.house.ask("POST", "/v1/reports", content=b'{"x": 1}', headers={"Content-Type": media_type})

    assert answer.status_code == 422


def test_a_header_that_is_no_idempotency_key_is_refused(lasting_site: Site) -> None:
    answer = lasting_site.post("/v1/reports", a_report(), headers={"Idempotency-Key": "two words"})

    assert "visible ASCII" in refused(answer)[""]["allowed"]
