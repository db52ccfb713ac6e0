"""The dose-review packet: the same facts and the same cut give the same bytes, and what a committee needs is in it."""

from __future__ import annotations

import hashlib
import itertools
import json
import re
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerting.packet import Packet, embedded_json, packet
from alerting.packet_words import ending, moment
from tests.alerting.desk import PASSWORD, Desk
from tests.alerting.test_dlt import AS_CRS, CRS, RELATED, anc, observed, sign
from tests.alerting.ward import NOON, STUDY, Ward, coding, dose, report, studies, ward
from tocsin.domain.board.settings import Design
from tocsin.domain.protocol import APPROVED
from tocsin.errors import Refused
from tocsin.messages.envelope import Envelope

HOUR = timedelta(hours=1)
ANAEMIA = {"verbatim": "anaemia", "onset": "2026-05-13", "serious": False, "grade": {"ctcae": 3}, "causality": RELATED}
WORSE = {**CRS, "verbatim": 'CRS </script><b>"worse" & 重', "grade": {"ctcae": 4}}
VOID = {"area", "base", "br", "col", "hr", "img", "input", "link", "meta"}


def infusion(subject: str, given: float = 1.02) -> Envelope[Any]:
    return dose(
        f"D-{subject}", kind="infusion", subject=subject, level="DL1", started_at="2026-05-11T10:00+08:00",
        planned=1.0, given=given, unit="10*6.{cells}/kg",
    )  # fmt: skip


def facts(given: float = 1.02) -> list[Envelope[Any]]:
    """Three subjects: a CRS that is waited for; a CRS of grade 4; an excluded event with a low count beside it."""
    return [
        infusion("S01-003"), report(CRS), coding(AS_CRS),
        infusion("S01-004"), report(WORSE, case="TOC-0032", subject="S01-004"), coding(AS_CRS, case="TOC-0032"),
        infusion("S01-005", given), report(ANAEMIA, case="TOC-0033", subject="S01-005"),
        observed(anc(0.4, "2026-05-13T06:00"), subject="S01-005"),
    ]  # fmt: skip


@contextmanager
def dosing(folder: Path, *told: Envelope[Any], **served: Any) -> Iterator[Ward]:
    """A house that finds a dose, and has been told this."""
    known = studies()
    known[STUDY] = replace(known[STUDY], **served)
    folder.mkdir(exist_ok=True)
    with ward(f"sqlite:///{folder}/alerting.db", folder, known=known) as house:
        house.receive(*told)
        yield house


@pytest.fixture
def trial(tmp_path: Path) -> Iterator[Ward]:
    with dosing(tmp_path, *facts()) as house:
        yield house


def made(house: Ward, as_of: datetime | None = None, **parts: Any) -> Packet:
    with house.store.reading() as tx:
        return packet(tx, replace(house.parts, **parts), house.studies[STUDY], as_of)


def text(found: Packet) -> str:
    return found.body.decode()


def within(found: Packet) -> dict[str, Any]:
    """The packet as a machine reads it."""
    block: dict[str, Any] = json.loads(_block(text(found)))
    return block


def _block(page: str) -> str:
    found = re.findall(r'<script type="application/json" id="packet">(.*)</script>', page)
    assert len(found) == 1
    return str(found[0])


@cache
def without_history(order: tuple[int, ...]) -> dict[str, Any]:
    """The packet of a house that was told the facts in this order. What it said on the way is its own history."""
    with tempfile.TemporaryDirectory() as folder, dosing(Path(folder), *(facts()[n] for n in order)) as house:
        found = within(made(house))
    judged = [*found.pop("never_a_question"), *found.pop("verdicts")]
    for verdict in judged:
        del verdict["history"], verdict["was_ever_a_question"]
    return {**found, "judged": sorted(judged, key=lambda one: str(one["key"]))}


def of_three(told: Sequence[Envelope[Any]], order: Sequence[int]) -> list[Envelope[Any]]:
    """The facts of one subject stay in their order, the subjects take turns in this one."""
    parts = [list(told[n : n + 3]) for n in (0, 3, 6)]
    turns = [(turn, place) for place in order for turn in range(3)]
    return [parts[place][turn] for turn, place in sorted(turns, key=lambda one: one[0])]


@pytest.mark.rule("promise: the same facts and the same cut give the same packet")
def test_two_houses_that_were_told_the_same_make_the_same_bytes_also_where_it_came_twice(tmp_path: Path) -> None:
    with dosing(tmp_path / "one", *facts()) as one, dosing(tmp_path / "two", *of_three(facts(), (2, 0, 1))) as two:
        two.receive(*facts())
        assert made(one).body == made(two).body
        assert made(one).sha256 == hashlib.sha256(made(two).body).hexdigest()


def test_each_kind_of_database_gives_the_same_bytes(any_database: Callable[[], str], tmp_path: Path) -> None:
    (tmp_path / "any").mkdir()
    with dosing(tmp_path / "one", *facts()) as one, ward(any_database(), tmp_path / "any", known=studies()) as other:
        other.receive(*facts())
        assert made(one).body == made(other).body


@pytest.mark.rule("promise: the same facts and the same cut give the same packet")
@settings(max_examples=6, deadline=None)
@given(order=st.permutations(range(9)))
def test_in_whatever_order_the_facts_came_all_that_follows_from_them_is_the_same(order: list[int]) -> None:
    assert without_history(tuple(order)) == without_history(tuple(range(9)))


@pytest.mark.rule("promise: the same facts and the same cut give the same packet")
def test_one_changed_fact_gives_another_data_hash_and_the_same_definition_and_code(tmp_path: Path) -> None:
    with dosing(tmp_path / "one", *facts()) as one, dosing(tmp_path / "two", *facts(given=1.03)) as two:
        first, second = within(made(one))["provenance"], within(made(two))["provenance"]
    assert first["data_sha256"] != second["data_sha256"]
    assert (first["definition_sha256"], first["code_sha256"]) == (second["definition_sha256"], second["code_sha256"])


def test_one_changed_number_of_the_definition_gives_another_definition_hash(tmp_path: Path) -> None:
    dlt = studies()[STUDY].dlt
    assert dlt is not None
    with dosing(tmp_path / "one", *facts()) as one:
        first = within(made(one))["provenance"]
    with dosing(tmp_path / "two", *facts(), dlt=replace(dlt, window_days=27)) as two:
        second = within(made(two))["provenance"]
    assert first["definition_sha256"] != second["definition_sha256"]
    assert first["data_sha256"] == second["data_sha256"]


@pytest.mark.rule("promise: the same facts and the same cut give the same packet")
def test_a_cut_can_be_made_again_after_its_limits_have_passed(trial: Ward) -> None:
    trial.move(HOUR)
    cut = trial.at
    before = made(trial)
    trial.fast_forward(timedelta(days=8), step=timedelta(days=4))
    states = {one["key"]: one["state"] for one in within(made(trial))["verdicts"]}
    assert states["TOC-0031-E1"] == "MET_BY_RULE", "the limit of 168 hours has passed since"
    assert made(trial, cut).body == before.body
    assert made(trial, cut.astimezone(timezone(8 * HOUR))).body == before.body


def test_a_cut_before_a_fact_that_is_held_is_refused_and_says_which(trial: Ward) -> None:
    trial.move(HOUR)
    trial.receive(report(ANAEMIA, case="TOC-0034", subject="S01-003", at=trial.at))
    with pytest.raises(Refused, match="this data cut cannot be made any more") as refused:
        made(trial, NOON)
    (wrong,) = refused.value.wrong
    assert wrong.problem == "is 2026-05-14T04:00:00Z, before the newest fact, a report"
    assert wrong.allowed == "a moment from 2026-05-14T05:00:00Z on"


def test_a_signature_is_a_fact_too(trial: Ward) -> None:
    trial.move(HOUR)
    assert sign(trial, "CONFIRMED", n=1).status_code == 201
    with pytest.raises(Refused, match="this data cut cannot be made any more") as refused:
        made(trial, NOON)
    assert "a signature on a verdict" in refused.value.wrong[0].problem


def test_a_cut_that_is_still_to_come_is_refused(trial: Ward) -> None:
    with pytest.raises(Refused, match="still to come"):
        made(trial, trial.at + timedelta(seconds=1))


def test_the_cut_may_be_the_very_moment_of_the_newest_fact(trial: Ward) -> None:
    assert made(trial, NOON).name == "dose-review_NCT06223646_2026-05-14T1200.html"


def test_a_cut_that_nobody_named_is_a_whole_second_that_can_be_written_down_again(trial: Ward) -> None:
    trial.move(timedelta(minutes=3, microseconds=7))
    assert within(made(trial))["data_cut"] == {"at": "2026-05-14T04:03:00Z", "zone": "Asia/Shanghai"}
    trial.receive(report(ANAEMIA, case="TOC-0034", subject="S01-003", at=trial.at))
    assert within(made(trial))["data_cut"]["at"] == "2026-05-14T04:03:00.000007Z"


def test_every_level_verdict_and_assumption_is_in_it(trial: Ward) -> None:
    assert sign(trial, "CONFIRMED", n=1).status_code == 201
    page = text(made(trial))
    for said in (
        "<b>DL1</b><br>1.0 ×10^6 cells/kg", "<b>DL2</b><br>2.0 ×10^6 cells/kg", "<b>DL3</b><br>3.0 ×10^6 cells/kg",
        "Data cut <b>2026-05-14 12:00 Asia/Shanghai (2026-05-14 04:00 UTC)</b>",
        "S01-003: “CRS”: pending its duration", "TOC-0031-E1, coded as Cytokine release syndrome",
        "S01-004: “CRS &lt;/script&gt;&lt;b&gt;&#34;worse&#34; &amp; 重”: confirmed DLT, signed",
        "S01-005: neutrophils since 2026-05-13 (by values, no report names it): pending its duration, provisional",
        "<td>anaemia</td><td>not coded</td><td>no DLT (advisory), EX-02</td>",
        "1.0 / 1.02 10*6.{cells}/kg<br>as planned",
        "<td>safety_physician (safety physician)</td><td>confirmed DLT, signed, DLT-02</td>",
        "ASSUMED RULES, not approved by the sponsor: dose design 3+3, its numbers, and the calendar of follow-up",
        "ASSUMED RULES, not approved by the sponsor: DLT definition dlt-default-0.1",
        "ASSUMED RULES, not approved by the sponsor: reference safety information (none)",
    ):  # fmt: skip
        assert said in page, said
    for rule in (*(f"DLT-{n:02}" for n in range(1, 16)), *(f"EX-{n:02}" for n in range(1, 10))):
        assert f'<tr><th scope="row">{rule}</th>' in page


def test_the_place_in_the_table_is_marked_by_words(trial: Ward) -> None:
    here = re.findall(r"<tr>(?:<td>[^<]*</td>)*<td class=\"here\">[^<]*</td>", text(made(trial)))
    assert here[0] == '<tr><td>1</td><td>0-1</td><td class="here">▶ CONTINUE_COHORT (you are here)</td>'
    assert len(here) == 3


def test_the_bounds_of_boin_are_computed_and_printed(tmp_path: Path) -> None:
    boin = replace(studies()[STUDY].dose, design=Design.BOIN)
    with dosing(tmp_path, *facts(), dose=boin) as house:
        page = text(made(house))
    assert "0.236490" in page
    assert "0.358519" in page
    assert "(you are here)" in page


def test_without_an_assumption_there_is_no_banner(tmp_path: Path) -> None:
    protocol = studies()[STUDY]
    assert protocol.dlt is not None
    approved = {"dlt": replace(protocol.dlt, status=APPROVED), "dose": replace(protocol.dose, status=APPROVED)}
    with dosing(tmp_path, *facts(), **approved, assumptions=()) as house:
        page = text(made(house))
    assert "ASSUMED RULES" not in page
    assert "Nothing is assumed: the sponsor has approved every rule." in page


def test_a_trial_that_has_not_begun_has_a_packet_too(tmp_path: Path) -> None:
    with dosing(tmp_path) as house:
        page = text(made(house))
    assert "the newest was known never: none is held" in page
    assert "Nobody yet." in page


def test_no_reporter_contact_address_or_secret_is_in_it(trial: Ward) -> None:
    desk = Desk(trial)
    desk.person("committee")
    held = text(made(trial))
    protocol = trial.studies[STUDY]
    addresses = {one.email for one in protocol.recipients} | {site.contact for site in protocol.sites}
    people = {one.name for one in protocol.recipients}
    for secret in ("Dr Gao", PASSWORD, "argon2", str(trial.folder), *filter(None, addresses), *people):
        assert secret not in held, secret
    assert "@" not in re.sub(r"@(page|media|bottom-right)\b", "", held)


class _Reader(HTMLParser):
    """Whether every tag is closed in its turn, and what a page would fetch or run."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.wrong: list[str] = []
        self.tables = self.captions = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        self.tables += tag == "table"
        self.captions += tag == "caption"
        if {"src", "href", "style", "action"} & set(told) or any(name.startswith("on") for name in told):
            self.wrong.append(f"{tag} {told}")
        if tag in {"iframe", "img", "link", "object"} or (tag == "script" and told.get("type") != "application/json"):
            self.wrong.append(tag)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(f"</{tag}>")


def test_the_file_is_whole_html_that_runs_and_fetches_nothing_and_each_table_has_a_caption(trial: Ward) -> None:
    page = text(made(trial))
    reader = _Reader()
    reader.feed(page)
    reader.close()
    assert (reader.wrong, reader.open) == ([], [])
    assert reader.tables == reader.captions > 10
    assert not re.search(r"url\(|https?:|@import", page)


def test_the_json_in_it_is_what_its_hash_says_whatever_a_site_wrote(trial: Ward) -> None:
    page = text(made(trial))
    assert hashlib.sha256(_block(page).encode()).hexdigest() in page
    (worse,) = [one for one in within(made(trial))["verdicts"] if one["key"] == "TOC-0032-E1"]
    assert worse["verbatim"] == 'CRS </script><b>"worse" & 重'


def test_what_could_end_the_block_is_written_as_an_escape() -> None:
    assert embedded_json({"b": "</script>", "a": "x & y\u2028"}) == (
        '{"a":"x \\u0026 y\u2028","b":"\\u003c/script\\u003e"}'
    )


def test_a_rehearsal_says_so(trial: Ward) -> None:
    assert "REHEARSAL" not in text(made(trial))
    assert "REHEARSAL. Every case in this file is invented." in text(made(trial, is_rehearsal=True))


def test_what_was_judged_later_is_not_in_the_history_of_an_earlier_cut(trial: Ward) -> None:
    trial.fast_forward(timedelta(days=8), step=timedelta(days=4))
    history = {one["key"]: [line["at"] for line in one["history"]] for one in within(made(trial, NOON))["verdicts"]}
    assert set(itertools.chain.from_iterable(history.values())) == {"2026-05-14T04:00:00Z"}


@pytest.mark.parametrize(
    ("hold", "said"),
    [
        ({"kind": "stagger", "ends_on": "2026-06-08"},
         "by itself: the first date on which it no longer holds is 2026-06-08"),
        ({"kind": "parallel_levels"}, "by itself, when the subjects at the other level have completed the window"),
        ({"kind": "review"}, "by the committee's signed review"),
        ({"kind": "second_dlt", "asked_for": False}, "by signature; the facts no longer ask for it"),
        ({"kind": "treatment_related_death", "decide_by": "2026-05-17T04:00:00Z"},
         "by signature, to be decided by 2026-05-17 04:00 UTC (2026-05-17 04:00 UTC)"),
        ({"kind": "product", "lifted": {"by": ["chen"], "at": "2026-05-17T04:00:00Z", "reason": "the lot is sound"}},
         "lifted by chen, 2026-05-17 04:00 UTC (2026-05-17 04:00 UTC): the lot is sound"),
    ],
)  # fmt: skip
def test_it_is_said_how_a_hold_ends(hold: dict[str, Any], said: str) -> None:
    whole = {"lifted": None, "ends_on": None, "decide_by": None, "asked_for": True, **hold}
    assert ending(whole, UTC) == said


def test_a_moment_is_written_in_its_zone_and_in_utc_as_finely_as_it_is_known() -> None:
    east = timezone(8 * HOUR, "Asia/Shanghai")
    assert moment("2026-05-13T20:00:00Z", east) == "2026-05-14 04:00 Asia/Shanghai (2026-05-13 20:00 UTC)"
    assert moment("2026-05-13T20:00:01Z", UTC) == "2026-05-13 20:00:01 UTC (2026-05-13 20:00:01 UTC)"
    assert moment(None, UTC) == "not known"


def test_the_call_answers_a_file_with_its_name_and_its_hash(trial: Ward) -> None:
    desk, wanted = Desk(trial), made(trial, NOON)
    answer = desk.ask("GET", "/v1/dose-board/packet?as_of=2026-05-14T12:00:00%2B08:00", by="committee")
    assert (answer.status_code, answer.content) == (200, wanted.body)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["content-disposition"] == f'attachment; filename="{wanted.name}"'
    assert answer.headers["etag"] == f'"{wanted.sha256}"'
    assert "sandbox" in answer.headers["content-security-policy"]
    assert desk.ask("GET", "/v1/dose-board/packet", by="auditor").content == wanted.body


@pytest.mark.parametrize(
    ("query", "by", "status"),
    [
        ("", "cell_lab", 403),
        ("?study=NONE", "committee", 404),
        ("?as_of=2026-05-14T11:59:59%2B08:00", "committee", 422),
        ("?as_of=2026-05-14T12:00:00", "committee", 422),
    ],
)
def test_the_call_refuses(trial: Ward, query: str, by: str, status: int) -> None:
    answer = Desk(trial).ask("GET", f"/v1/dose-board/packet{query}", by=by)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
