"""A marker is planted in every text field of everything that comes in, and looked for in everything that leaves.

Decision 0010. The markers are found by walking the models, so a field added tomorrow is planted too.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes
from email.policy import default
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from alerting.app import webhooks_of
from alerting.delivery.outcome import GiveUp, Outcome
from alerting.delivery.parcel import Parcel
from tests.alerting.receivers import Receiver, receiver
from tests.alerting.ward import NOON, STUDY, Ward, coding, dose, query, report
from tocsin.bus.dead import dead_letter, dead_topic
from tocsin.bus.port import Received
from tocsin.messages.envelope import Envelope, encode
from tocsin.messages.facts import EventFacts, ReporterFacts, ReportFacts, SourceFacts
from tocsin.settings import Settings

MARK = "Zyzzyva"
"""A word that nothing of ours contains."""

EVERYTHING = {
    "verbatim": f"death of {MARK}",
    "onset": "2026-05-13",
    "seriousness": ["death"],
    "outcome": "fatal",
    "grade": {"ctcae": 5},
    "treatment": f"{MARK} treatment",
    "alternative_cause": f"{MARK} cause",
    "component_of": f"{MARK}-component",
    "ref": f"{MARK}-ref",
}


@pytest.fixture
def hook() -> Iterator[Receiver]:
    with receiver() as found:
        yield found


@pytest.fixture
def house(house: Ward, hook: Receiver) -> Ward:
    """A study that is itself marked, with a webhook for everything."""
    protocol = house.studies[STUDY]
    sites = tuple(replace(site, name=f"{MARK} hospital", contact="contact@ward.example") for site in protocol.sites)
    house.studies[STUDY] = replace(protocol, title=f"{MARK} trial", product=f"{MARK} cells", sites=sites)
    house.add_webhook(hook.url)
    house.deliverers["webhook"] = webhooks_of(house.parts, Settings(webhook_allow=["loopback"], data=house.folder))
    return house


def planted(envelope: Envelope[Any]) -> int:
    """How many places of a message hold the marker."""
    return str(envelope.body.model_dump_json()).count(MARK)


def what_left(house: Ward, hook: Receiver) -> list[str]:
    """Every mail as its bytes, with its text and HTML read, and every request of a webhook, headers and all."""
    found = []
    for path in sorted((house.folder / "mailbox").iterdir()):
        raw = path.read_bytes()
        mail = message_from_bytes(raw, policy=default)
        found += [path.name, raw.decode(), str(mail["Subject"])]
        found += [part.get_content() for part in mail.walk() if not part.is_multipart()]
    found += [f"{asked.path} {asked.headers} {asked.body.decode()}" for asked in hook.asked]
    return found


def holds_nothing(house: Ward, hook: Receiver) -> None:
    left = what_left(house, hook)
    assert left, "something must have left"
    secret = (MARK, STUDY, "S01", "S01-003", "Febrile neutropenia", "10016288", "Grade 5", "grade 5", "pneumonia")
    for text in left:
        for word in secret:
            assert word.casefold() not in text.casefold(), f"{word} left in: {text[:400]}"


@pytest.mark.rule("promise: no patient detail leaves")
def test_a_report_with_a_marker_in_every_text_field(house: Ward, hook: Receiver) -> None:
    said = report(
        EVERYTHING,
        {**EVERYTHING, "seriousness": ["life_threatening"], "outcome": "not_recovered"},
        subject=f"S01-003-{MARK}",
        narrative=f"{MARK} was found by {MARK}",
        reporter={"name": f"Dr {MARK}", "role": MARK, "contact": f"{MARK}@ward.example"},
        product=MARK,
        source={"system": MARK, "batch": MARK, "reference": MARK},
    )
    body = type(said.body).model_validate(
        {
            **said.body.model_dump(by_alias=True, exclude_unset=True),
            "reason": f"{MARK} reason",
            "contradictions": [{"pointer": f"/{MARK}", "problem": MARK, "read_as": MARK}],
            "possible_duplicates": [{"case_id": "TOC-0001", "reasons": [MARK]}],
        }
    )
    said = replace(said, body=body)
    assert planted(said) >= 25
    house.receive(said, coding({"term": MARK, "soc": MARK, "verbatim": MARK, "reasons": [MARK]}, by=MARK))
    nullified = report(EVERYTHING, revision=2, at=NOON + timedelta(hours=1), nullified=True)
    house.receive(replace(nullified, body=nullified.body.model_copy(update={"reason": MARK})))
    house.fast_forward(timedelta(hours=6), step=timedelta(minutes=15))
    assert len(house.mails()) > 6
    assert len(hook.asked) > 3
    assert any(MARK in reason for alert in house.alerts() for reason in alert["reasons"]), "inside it is told"
    holds_nothing(house, hook)


@pytest.mark.parametrize("kind", ["pregnancy", "product_event", "medication_error"])
def test_every_other_kind_of_report(house: Ward, hook: Receiver, kind: str) -> None:
    house.receive(report(EVERYTHING, kind=kind, narrative=MARK))
    holds_nothing(house, hook)


def test_a_case_number_that_is_none_of_ours_stays_inside(house: Ward, hook: Receiver) -> None:
    house.receive(report(EVERYTHING, case=f"{MARK}-0031"))
    holds_nothing(house, hook)


def test_doses_and_product_events(house: Ward, hook: Receiver) -> None:
    house.receive(
        dose(f"D-{MARK}", kind="product_event", what="sterility", found_at="2026-05-14", lot=MARK, description=MARK,
             subject=f"S01-003-{MARK}"),
        dose("D2", kind="infusion", subject=f"S01-003-{MARK}", level=MARK, started_at="2026-05-14", planned=2.0,
             given=1.0, unit=MARK, lot=MARK),
    )  # fmt: skip
    holds_nothing(house, hook)


def test_a_question_to_a_site(house: Ward, hook: Receiver) -> None:
    asked = query(f"Q-{MARK}", batch=MARK)
    body = asked.body.model_copy(update={"question": f"who is {MARK}?", "about": f"/{MARK}"})
    house.receive(replace(asked, body=body))
    house.fast_forward(timedelta(minutes=2), step=timedelta(seconds=30))
    holds_nothing(house, hook)


def test_a_dead_letter(house: Ward, hook: Receiver) -> None:
    record = encode(report(EVERYTHING))
    at = Received(record.topic, 1, 5, f"S01-003-{MARK}", record.value, record.headers)
    died = dead_letter(at, reason="poison", error=ValueError(MARK), consumer="alerting", at=NOON)
    house.dead_letter(Received(dead_topic(record.topic), 0, 0, died.key, died.value, died.headers))
    assert MARK not in repr(house.alerts()), "not even inside"
    holds_nothing(house, hook)


def test_a_delivery_that_was_given_up(house: Ward, hook: Receiver) -> None:
    real = house.deliverers["mail"]

    class Refuses:
        def send(self, parcel: Parcel) -> Outcome:
            refused = parcel.address.startswith("safety-physician")
            return GiveUp(f"550 {MARK}") if refused else real.send(parcel)

        def rest(self) -> None: ...

    house.deliverers["mail"] = Refuses()
    house.receive(report(EVERYTHING))
    assert house.alerts(kind="delivery_failed")
    holds_nothing(house, hook)


def test_every_text_field_of_a_report_was_planted() -> None:
    """So that a field added to the contract later fails here until it is planted above."""
    free: dict[type[BaseModel], set[str]] = {
        EventFacts: {"ref", "verbatim", "treatment", "component_of", "alternative_cause"},
        ReporterFacts: {"name", "role", "contact"},
        SourceFacts: {"system", "batch", "reference"},
        ReportFacts: {"study", "site", "subject", "product", "narrative"},
    }
    for model, planted_here in free.items():
        assert _free_text(model) == planted_here, model.__name__


def _free_text(model: type[BaseModel]) -> set[str]:
    """The fields that take any words: not dates, not closed lists."""
    found = set()
    for name, field in model.model_fields.items():
        schema = model.model_json_schema()["properties"][name]
        options = schema.get("anyOf", [schema])
        is_text = any(o.get("type") == "string" and "enum" not in o and "const" not in o for o in options)
        if is_text and "PartialText" not in repr(field) and not _is_date(model, name):
            found.add(name)
    return found


def _is_date(model: type[BaseModel], name: str) -> bool:
    """Whether the field refuses words."""
    try:
        model.__pydantic_validator__.validate_assignment(model.model_construct(), name, "anywords")
    except ValidationError as error:
        return any(e["loc"] == (name,) for e in error.errors())
    return False
