"""What docs/sites.md says to a site is run as it stands there, against a real `tocsin up`."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from enum import StrEnum
from types import UnionType
from typing import Any, Union, get_args, get_origin

import pytest
from pydantic import BaseModel

from tests.docs.comparing import not_in
from tests.docs.pages import ROOT, Block, blocks
from tests.docs.reader import REQUIRE_R, Done, follow, why_no_r
from tests.support.shapes import Shape, one_process
from tocsin.messages.facts import DoseFacts, Observation, ReportFacts

PAGE, CHINESE = ROOT / "docs" / "sites.md", ROOT / "docs" / "sites.zh.md"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shape]:
    shape = one_process(tmp_path_factory.mktemp("house"))
    try:
        shape.start()
        yield shape
    finally:
        shape.end()


@pytest.fixture(scope="module")
def key(house: Shape) -> str:
    return house.key("NCT06223646", "S01")


@pytest.fixture(scope="module")
def followed(house: Shape, key: str, tmp_path_factory: pytest.TempPathFactory) -> list[Done]:
    """The whole English page, in a fresh house."""
    return follow(PAGE, tmp_path_factory.mktemp("site"), url=house.intake, key=key, with_r=_with_r())


@pytest.fixture(scope="module")
def followed_in_chinese(
    house: Shape, key: str, followed: list[Done], tmp_path_factory: pytest.TempPathFactory
) -> list[Done]:
    """The Chinese page, after the English one: that one's case numbers are those of a fresh house."""
    return follow(CHINESE, tmp_path_factory.mktemp("中心"), url=house.intake, key=key, with_r=_with_r())


def _with_r() -> bool:
    why = why_no_r()
    if why is not None and os.environ.get(REQUIRE_R) == "1":
        pytest.fail(why)
    return why is None


def under(done: list[Done], heading: str, language: str | None = None) -> Done:
    """The one block run under this heading."""
    found = [d for d in done if d.block.heading == heading and language in (None, d.block.language)]
    if not found and language == "r" and (missing := why_no_r()) is not None:
        pytest.skip(missing)  # With R here, a page that lost its block of R fails below.
    assert len(found) == 1, f"{len(found)} blocks were run under {heading!r}"
    return found[0]


@pytest.mark.parametrize(("heading", "language"), [("With curl", "sh"), ("With Python", "python"), ("With R", "r")])
def test_the_first_report_is_kept_from_each_language(followed: list[Done], heading: str, language: str) -> None:
    sent = under(followed, heading, language)
    assert sent.status == 201
    assert sent.answer["case_id"] == "TOC-0001"
    assert sent.answer["revision"] == 1
    assert sent.answer["complete"] is True
    assert sent.answer["missing"] == []
    assert sent.answer["contradictions"] == []
    assert [query["about"] for query in sent.answer["queries"]] == ["/events/0/investigator_aware_at"]
    assert [day["event_id"] for day in sent.answer["day_zero"]] == ["TOC-0001-E1"]
    assert {clock["rule"] for clock in sent.answer["clocks"]} == {"CN_SUSAR_15D", "CN_GCP48_COPY_15D"}


@pytest.mark.rule("interfaces.md: the same Idempotency-Key and body gives the same receipt")
def test_the_three_languages_send_the_same_report_and_get_one_receipt(followed: list[Done]) -> None:
    answers = [d.answer for d in followed if d.block.heading in ("With curl", "With Python", "With R")]
    assert len(answers) == (3 if why_no_r() is None else 2)
    assert all(answer == answers[0] for answer in answers)


def test_the_receipt_on_the_page_is_the_one_that_comes(followed: list[Done]) -> None:
    assert not_in(_shown("The receipt", "receipt"), under(followed, "With curl").answer) == []


@pytest.mark.rule("promise: a death is not turned away by a form")
def test_a_death_with_little_known_is_kept_and_asked_about(followed: list[Done]) -> None:
    death = under(followed, "A death, with little known")
    assert death.status == 201
    assert death.answer["case_id"] == "TOC-0002"
    assert [missing["element"] for missing in death.answer["missing"]] == ["reporter", "product"]
    assert [query["kind"] for query in death.answer["queries"]] == ["missing", "missing", "awareness", "contradiction"]
    assert "CN_SUSAR_7D" in {clock["rule"] for clock in death.answer["clocks"]}
    assert not_in(_shown("A death, with little known", "receipt"), death.answer) == []


def test_a_follow_up_is_the_next_revision(followed: list[Done]) -> None:
    news = under(followed, "A follow-up")
    assert (news.status, news.answer["case_id"], news.answer["revision"]) == (201, "TOC-0001", 2)
    assert news.answer["contradictions"] == []


def test_a_query_is_listed_and_its_answer_settles_it(followed: list[Done]) -> None:
    listed, answered = (d for d in followed if d.block.heading == "Answer a query")
    assert listed.status == 200
    asked = {query["query_id"]: query["case_id"] for query in listed.answer["queries"]}
    named = re.search(r"/queries/([0-9a-f-]{36})/answers", answered.block.text)
    assert named is not None
    assert asked[named[1]] == "TOC-0001"
    assert (answered.status, answered.answer["revision"], answered.answer["queries"]) == (201, 3, [])
    assert "INV_TO_SPONSOR_24H" in {clock["rule"] for clock in answered.answer["clocks"]}


def test_a_case_of_the_wrong_subject_moves_to_the_right_one(followed: list[Done]) -> None:
    moved = under(followed, "It was the wrong subject, or never happened")
    assert (moved.status, moved.answer["case_id"], moved.answer["moved_to"]) == (201, "TOC-0002", "TOC-0003")


def test_doses_and_observations_are_kept(followed: list[Done]) -> None:
    dose, seen = under(followed, "Doses"), under(followed, "Observations")
    assert (dose.status, dose.answer["kind"], dose.answer["subject"]) == (201, "infusion", "S01-001")
    assert (seen.status, [record["observations"] for record in seen.answer["records"]]) == (201, [3])


def test_a_refusal_reads_as_the_page_shows_it(followed: list[Done]) -> None:
    refused = under(followed, "What is refused")
    assert refused.status == 422
    shown = _shown("What is refused", "refusal")
    assert len(refused.answer["errors"]) == len(shown["errors"]) == 3
    assert not_in(shown, refused.answer) == []


def test_what_is_held_shows_every_revision_as_it_was_sent(followed: list[Done]) -> None:
    held = under(followed, "Look at what is held")
    assert held.status == 200
    assert [(r["revision"], r["how"]) for r in held.answer["history"]] == [
        (1, "report"),
        (2, "follow_up"),
        (3, "answer"),
    ]
    assert held.answer["facts"]["events"][0]["outcome"] == "recovered"


@pytest.mark.parametrize(("heading", "language"), [("用 curl", "sh"), ("用 Python", "python"), ("用 R", "r")])
def test_the_chinese_page_sends_a_first_report_too(
    followed_in_chinese: list[Done], heading: str, language: str
) -> None:
    sent = under(followed_in_chinese, heading, language)
    assert (sent.status, sent.answer["revision"], sent.answer["complete"]) == (201, 1, True)
    assert sent.answer["queries"] == []
    reasons = {reason for clock in sent.answer["clocks"] for reason in clock["reasons"]}
    assert "investigator judges it 很可能有关" in reasons
    assert {clock["rule"] for clock in sent.answer["clocks"]} >= {"CN_SUSAR_15D", "INV_TO_SPONSOR_24H"}
    assert sent.answer["case_id"] == under(followed_in_chinese, "用 curl").answer["case_id"]


@pytest.mark.rule("promise: a death is not turned away by a form")
def test_the_chinese_page_sends_a_death_too(followed_in_chinese: list[Done]) -> None:
    death = under(followed_in_chinese, "死亡，所知甚少时")
    assert (death.status, death.answer["complete"]) == (201, False)


def test_both_pages_send_by_the_same_code() -> None:
    for language, report_begins in (("python", "report = {"), ("r", "report <- ")):
        english, chinese = (
            [b.text.partition(report_begins)[0] for b in blocks(page) if b.language == language]
            for page in (PAGE, CHINESE)
        )
        assert english == chinese


def test_the_page_names_every_field_and_every_word_that_may_be_sent() -> None:
    page = PAGE.read_text("utf-8")
    told = set(re.findall(r"`([^`\s]+)`", page)) | set(re.findall(r'"(\w+)"', page))
    assert sorted(_names(ReportFacts, DoseFacts, Observation) - told) == []


def _shown(heading: str, name: str) -> dict[str, Any]:
    """An answer that the page shows."""
    found: list[Block] = [b for b in blocks(PAGE) if b.heading == heading and b.name == name]
    assert len(found) == 1
    shown: dict[str, Any] = json.loads(found[0].text)
    return shown


def _names(*kinds: Any) -> set[str]:
    """Every field name, and every word of every closed list, of these models and what is in them."""
    found: set[str] = set()
    for kind in kinds:
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            for name, field in kind.model_fields.items():
                found |= {field.alias or name} | _names(field.annotation)
        elif isinstance(kind, type) and issubclass(kind, StrEnum):
            found |= set(kind)
        elif get_origin(kind) in (UnionType, Union, list) or get_args(kind):
            found |= _names(*(part for part in get_args(kind) if not isinstance(part, str)))
            found |= {part for part in get_args(kind) if isinstance(part, str)}
    return found
