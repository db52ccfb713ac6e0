"""The page /desk/dose: what it says in each state of a trial, to whom, in whose words; and when its stamp changes."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting import api, dose_table, packet, page
from alerting.dose_times import Times
from tests.alerting.desk import KEY, PASSWORD, Desk
from tests.alerting.test_assessments import SPONSOR_NO, decide
from tests.alerting.test_dlt import AS_CRS, CRS, anc, observed, sign
from tests.alerting.test_trial import DAY, HOUR, TWO, ask, held, infused, lift
from tests.alerting.test_values import derived
from tests.alerting.ward import HEADACHE, MILD, NOON, STUDY, Ward, coding, dose, report, studies, ward
from tocsin.domain.escalation import three_plus_three
from tocsin.domain.escalation.table import Here
from tocsin.settings import Settings
from tocsin.web.app import Service, house
from tocsin.web.identity import Person, sign_person

SHANGHAI = ZoneInfo("Asia/Shanghai")


@pytest.fixture
def trial(tmp_path: Path) -> Iterator[Ward]:
    """A house that serves the study with its dose levels."""
    with ward(f"sqlite:///{tmp_path}/alerting.db", tmp_path, studies()) as found:
        yield found


class _Text(HTMLParser):
    """The words of a page, without its tags; those of one block run together."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []

    def handle_data(self, data: str) -> None:
        self.said.append(data)


def words(answer: httpx.Response) -> str:
    parser = _Text()
    parser.feed(answer.text)
    return " ".join(" ".join(parser.said).split())


def opened(
    found: Ward, path: str = "/desk/dose", *roles: str, method: str = "GET", data: dict[str, str] | None = None
) -> httpx.Response:  # fmt: skip
    """A page as a person with these roles sees it who signed in on this browser; without roles nobody did."""

    async def asked() -> httpx.Response:
        settings = Settings(data=found.folder, signing_key=KEY.decode())
        routes = api.router(found.parts, settings)
        page.add(routes, found.parts, settings)
        app = house([Service("alerting", routes)], now=lambda: found.wall_at, signing_key=KEY)
        token = sign_person(Person("lin", frozenset(roles)), KEY, found.wall_at, timedelta(hours=8))
        cookies = {page.COOKIE: token} if roles else {}
        client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://tocsin.test", cookies=cookies)
        async with client:
            return await client.request(method, path, data=data)

    return asyncio.run(asked())


def seen(found: Ward) -> httpx.Response:
    """The page as a physician sees it."""
    answer = opened(found, "/desk/dose", "safety_physician")
    assert answer.status_code == 200, answer.text
    return answer


def heading(found: Ward) -> str:
    (said,) = re.findall(r"<h1>(.*?)</h1>", seen(found).text)
    return str(said)


def panel(found: Ward, name: str) -> str:
    """The words of one panel."""
    (part,) = re.findall(rf'<section class="[^"]*" aria-labelledby="{name}">.*?</section>', seen(found).text, re.DOTALL)
    return words(httpx.Response(200, text=part))


def stamp(found: Ward) -> str:
    answer = opened(found, "/desk/dose/stamp", "safety_physician")
    assert answer.status_code == 200
    said: str = answer.json()["stamp"]
    return said


PENDING = [
    infused("S01-003", "DL1", "2026-05-11T10:00+08:00"),
    report({**CRS, "verbatim": "fever & <b>shaking</b>"}, subject="S01-003"),
    coding(AS_CRS),
]


OPEN = [*PENDING, TWO[1], *TWO[4:]]
"""One that waits for its limit, and one that is met."""


@pytest.mark.parametrize("path", ["/desk/dose", "/desk/dose/stamp", "/desk/dose/packet"])
def test_without_a_login_nothing_of_the_trial_is_shown(trial: Ward, path: str) -> None:
    trial.receive(*PENDING)
    answer = opened(trial, path)
    assert answer.status_code == 401
    for inside in ("S01-003", STUDY, "KQ-2003", "DL1", "ASSUMED", "fever"):
        assert inside not in answer.text


def test_the_sign_in_form_leads_back_to_the_board_of_the_study(trial: Ward) -> None:
    Desk(trial).person("safety_physician")
    form = opened(trial, f"/desk/dose?study={STUDY}")
    assert f'name="next" value="/desk/dose?study={STUDY}"' in form.text
    data = {"name": "safety_physician", "password": PASSWORD, "next": f"/desk/dose?study={STUDY}"}
    answer = opened(trial, "/sign-in", method="POST", data=data)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/desk/dose?study={STUDY}")


def test_whoever_may_not_see_the_board_is_told_so_and_is_not_led_there(trial: Ward) -> None:
    answer = opened(trial, "/desk/dose", "coder")
    assert answer.status_code == 401
    assert "Your roles do not let you see the dose board." in answer.text
    assert STUDY not in answer.text
    assert 'href="/desk/dose"' in opened(trial, "/mailbox", "committee").text
    assert 'href="/desk/dose"' not in opened(trial, "/a/none", "coder").text


@pytest.mark.parametrize(("role", "prints"), [("committee", True), ("auditor", True), ("cell_lab", False)])
def test_the_packet_is_offered_to_those_who_may_have_it(trial: Ward, role: str, prints: bool) -> None:
    answer = opened(trial, "/desk/dose", role)
    assert answer.status_code == 200
    assert ("Print for the safety committee" in answer.text) is prints
    assert (opened(trial, "/desk/dose/packet", role).status_code == 200) is prints


def test_the_button_gives_the_packet_that_the_api_gives(trial: Ward) -> None:
    trial.receive(*PENDING)
    answer = opened(trial, "/desk/dose/packet", "committee")
    with trial.store.reading() as tx:
        made = packet.packet(tx, trial.parts, trial.studies[STUDY])
    assert answer.content == made.body
    assert answer.headers["content-disposition"] == f'attachment; filename="{made.name}"'


def test_before_anybody_is_enrolled_the_first_may_be_infused_at_the_lowest_level(trial: Ward) -> None:
    assert heading(trial) == "By the rules the next subject may be infused at DL1."
    said = words(seen(trial))
    assert "Room for 3 more before the next decision." in said
    assert "DL1: 0 subjects with a DLT, 0 subjects with a potential DLT. Nothing changes by time alone." in said
    assert "As of Thu 14 May 2026, 12:00. All times are those of Asia/Shanghai. The page advises" in said
    assert said.count("Asia/Shanghai") == 1
    assert "No hold stands." in said
    assert "Nobody is enrolled." in said


@pytest.mark.rule("rules.md 5.5: ST-01")
def test_during_the_stagger_the_heading_says_until_when(trial: Ward) -> None:
    trial.receive(infused("S01-001", "DL1", "2026-05-11T10:00+08:00"))
    assert heading(trial) == "Nobody may be infused before Mon 8 Jun 2026: the stagger at DL1 is not over."
    said = words(seen(trial))
    assert "The next infusion is then at DL1: room for 2 more before the next decision." in said
    assert "Ends by itself on Mon 8 Jun 2026. It needs no signature." in said
    assert "Soonest change by time alone: Mon 8 Jun 2026, when the stagger at DL1 ends." in said


@pytest.mark.rule("rules.md 5.5: ST-02")
def test_the_heading_asks_for_the_review_until_the_committee_has_signed(trial: Ward) -> None:
    for n, day in enumerate(("2026-03-01", "2026-03-30", "2026-03-31"), 1):
        trial.receive(infused(f"S01-00{n}", "DL1", f"{day}T10:00+08:00"))
    assert heading(trial) == "Nobody may be infused now: the review of DL1 is not signed."
    assert "Go up ESCALATE Escalate to DL2, once the review is signed." in words(seen(trial))
    (review,) = held(trial, "review")
    lift(trial, review)
    assert heading(trial) == "By the rules the next subject may be infused at DL2."


def test_while_a_level_waits_the_heading_names_for_whom(trial: Ward) -> None:
    for n, day in enumerate(("2026-04-01", "2026-04-30", "2026-05-01"), 1):
        trial.receive(infused(f"S01-00{n}", "DL1", f"{day}T10:00+08:00"))
    assert heading(trial) == "Nobody may be infused now: DL1 waits for S01-002, S01-003."
    assert "Thu 28 May 2026, 24:00 (14 d 11 h left), when the window of S01-002 ends." in words(seen(trial))


@pytest.mark.rule("rules.md 5.5: ST-04; readings.md DLT 14")
def test_a_hold_names_who_has_confirmed_and_whom_to_call(trial: Ward) -> None:
    trial.receive(*TWO)
    assert heading(trial) == "Nobody may be infused now: two DLTs at DL1."
    (hold,) = held(trial, "second_dlt")
    ask(trial, f"/v1/holds/{hold['hold_id']}/confirmations", {"party": "cell_lab"}, "cell_lab")
    said = panel(trial, "h-holds")
    assert "A hold stops nobody by itself: call them." in said
    assert "Not yet confirmed: Site S01, Peking Union Medical College Hospital, Beijing. Call." in said
    assert "Cell lab: confirmed by cell_lab, Thu 14 May 2026, 12:00" in said
    assert "Lifted by the signature of the review committee or of the medical director." in said
    assert "Stop: too toxic STOP_ALL_DOSES_TOO_TOXIC" in words(seen(trial))


@pytest.mark.rule("rules.md 4.2: flow of a verdict")
def test_an_open_verdict_shows_rule_day_limit_and_what_is_left_in_the_words_of_the_site(trial: Ward) -> None:
    trial.receive(*PENDING)
    said = panel(trial, "h-open")
    assert "S01-003, DL1: “fever & <b>shaking</b>” Potential DLT, waits for its limit" in said
    assert "TOC-0031 · grade 3 · study day 3 · DLT-03, cytokine release syndrome grade 3" in said
    assert "Meets the rule Thu 21 May 2026, 11:00 (6 d 23 h left) unless improved; a physician decides." in said
    assert "The strict limit passes Sun 17 May 2026, 11:00 (2 d 23 h left)." in said
    assert "it fell below grade 3 within 168 h: no DLT by DLT-03" in said
    assert "1 subject with a potential DLT (S01-003)" in words(seen(trial))


def test_what_a_site_wrote_is_never_a_tag(trial: Ward) -> None:
    trial.receive(*PENDING)
    text = seen(trial).text
    assert "<b>shaking" not in text
    assert "fever &amp; &lt;b&gt;shaking" in text


def test_every_time_is_in_the_zone_of_the_study(trial: Ward) -> None:
    trial.receive(*OPEN)
    assert re.findall(r"\d\dZ|[+-]00:00|\+08:00", words(seen(trial))) == []


def test_a_rule_that_is_met_counts_until_a_physician_rejects_it_and_is_ringed(trial: Ward) -> None:
    trial.receive(*TWO[:1], *TWO[2:4], *PENDING[:1], report(CRS, case="TOC-0033", subject="S01-003"))
    trial.receive(coding(AS_CRS, case="TOC-0033"))
    assert "It counts as a DLT until a physician rejects it." in panel(trial, "h-open")
    plot = seen(trial).text.partition("<svg")[2].partition("</svg>")[0]
    assert plot.count('class="dlt"') == 1
    assert plot.count('class="potential"') == 1
    table = panel(trial, "h-plot").partition("The same as a table")[2]
    assert "S01-001 DL1 to day 3 today, day 3 25 “CRS”: potential DLT, met by its rule, not signed, day 3" in table
    assert "S01-003 DL1 to day 3 today, day 3 25 “CRS”: potential DLT, waits for its limit, day 3" in table


def test_what_if_tells_only_what_would_change_the_board(trial: Ward) -> None:
    trial.receive(*TWO[:1], *TWO[2:4])
    said = panel(trial, "h-if")
    assert "S01-001, “CRS”: if it was grade 2 at its worst: no rule names it. DL1 would say: Wait" in said
    assert "it was grade 3 at its worst: potential DLT, waits for its limit (DLT-03)." in said
    assert "both parties judge it not related: no DLT by the rules (advisory) (DLT-02)" in said


def test_an_open_page_gets_the_board_before_its_what_if(trial: Ward) -> None:
    trial.receive(*PENDING)
    answer = opened(trial, "/desk/dose?what_if=false", "safety_physician")
    assert " data-unfinished " in answer.text
    assert "Being worked out anew" in answer.text
    assert "data-unfinished" not in seen(trial).text


def test_an_infusion_against_a_hold_is_said_of_the_subject(trial: Ward) -> None:
    trial.receive(*TWO)
    assert "Infused against a hold: the stagger at DL1 ends Mon 8 Jun 2026" in panel(trial, "h-subjects")


def test_follow_up_that_is_overdue_stands_before_what_is_due(trial: Ward) -> None:
    trial.receive(
        infused("S01-001", "DL1", "2026-03-01T10:00+08:00"), infused("S01-002", "DL1", "2026-03-30T10:00+08:00")
    )
    said = panel(trial, "h-visits")
    assert "S01-001 S01 month 1 Wed 1 Apr 2026 Wed 29 Apr 2026 Sun 1 Mar 2026 Overdue: ask the site" in said
    assert said.index("Overdue") < said.index("S01-002")


def test_the_page_rests_on_nothing_from_elsewhere_and_runs_nothing_inline(trial: Ward) -> None:
    trial.receive(*OPEN)
    text = seen(trial).text
    found = re.findall(r'(?:src|href|action)="([^"#]+)"', text)
    assert [one for one in found if not one.startswith("/")] == []
    assert re.findall(r'\son[a-z]+="|\sstyle="|<style|<script>', text) == []
    assert opened(trial, "/desk/dose.js").headers["content-type"].startswith("text/javascript")
    assert opened(trial, "/desk/dose.css").headers["content-type"].startswith("text/css")


def test_where_several_studies_have_doses_the_page_asks_which(trial: Ward) -> None:
    other = next(name for name in trial.studies if name != STUDY)
    trial.studies[other] = replace(trial.studies[other], levels=trial.studies[STUDY].levels)
    answer = opened(trial, "/desk/dose", "committee")
    assert answer.status_code == 422
    assert f'href="/desk/dose?study={STUDY}"' in answer.text
    assert opened(trial, f"/desk/dose?study={STUDY}", "committee").status_code == 200


def _signs(found: Ward) -> None:
    assert sign(found, "CONFIRMED").status_code == 201


def _lifts(found: Ward) -> None:
    lift(found, held(found, "second_dlt")[0], by="medical_director")


def _confirms(found: Ward) -> None:
    hold = held(found, "second_dlt")[0]
    ask(found, f"/v1/holds/{hold['hold_id']}/confirmations", {"party": "cell_lab"}, "cell_lab")


def _reviews(found: Ward) -> None:
    assert decide(Desk(found), "medical_review", causality=SPONSOR_NO, events=["TOC-0031-E1"])["state"] == "in_force"


HEAD = {**MILD, "verbatim": "headache, worse in the evening"}

CHANGES: dict[str, Callable[[Ward], None]] = {
    "a report": lambda found: found.receive(report(CRS, case="TOC-0099", subject="S01-009")),
    "a revision": lambda found: found.receive(report(HEAD, case="TOC-0050", revision=2, subject="S01-001")),
    "a coding": lambda found: found.receive(coding(AS_CRS, case="TOC-0099")),
    "another coding of the same revision": lambda found: found.receive(
        coding({"term": "Migraine"}, case="TOC-0050", at=NOON + timedelta(seconds=1))
    ),
    "a withdrawal": lambda found: found.receive(
        dose("W1", kind="withdrawal", subject="S01-001", withdrawn_on="2026-05-14", reason="withdrew consent")
    ),
    "another observation of a known subject": lambda found: found.receive(
        observed(anc(4.0, "2026-05-13T08:00+08:00"), subject="S01-001")
    ),
    "a dose": lambda found: found.receive(infused("S01-009", "DL1", "2026-05-14T09:00+08:00")),
    "an observation": lambda found: found.receive(observed(anc(0.4, "2026-05-13T08:00+08:00"), subject="S01-009")),
    "a product event": lambda found: found.receive(
        dose("P1", kind="product_event", what="sterility", found_at="2026-05-14", lot="L7")
    ),
    "a grade": lambda found: found.receive(derived("R9", grade_id="g9")),
    "a grade that is corrected": lambda found: found.receive(derived(number=2, lowest=3)),
    "a signed decision on a case": _reviews,
    "a signature on a verdict": _signs,
    "a hold that is lifted": _lifts,
    "a hold that is confirmed": _confirms,
    "the minute": lambda found: found.move(timedelta(minutes=1)),
}


@pytest.mark.rule("promise: an open dose board follows every fact, with its reason")
@pytest.mark.parametrize("what", CHANGES)
def test_the_stamp_changes_with_each_kind_of_fact_and_with_the_minute(trial: Ward, what: str) -> None:
    # What is told of S01-001 below is older than what is known of it already: its verdicts stand as of later.
    trial.receive(*TWO, derived(), report(MILD, case="TOC-0050", subject="S01-001"), coding(HEADACHE, case="TOC-0050"))
    trial.receive(report(MILD, case="TOC-0051", subject="S01-001", at=NOON + HOUR))
    before = stamp(trial)
    CHANGES[what](trial)
    assert stamp(trial) != before


@pytest.mark.rule("promise: an open dose board follows every fact, with its reason")
def test_the_stamp_changes_with_a_limit_that_passes_within_the_minute(trial: Ward) -> None:
    trial.receive(*PENDING)
    trial.fast_forward(timedelta(days=6, hours=23), step=HOUR)
    before = stamp(trial)
    trial.fast_forward(timedelta(seconds=2), step=timedelta(seconds=1))
    assert stamp(trial) != before
    assert "met by its rule" in panel(trial, "h-open")


def test_the_stamp_stays_while_nothing_is_known_anew(trial: Ward) -> None:
    trial.receive(*TWO)
    before = stamp(trial)
    trial.receive(TWO[0], TWO[2])
    trial.do_chores()
    trial.move(timedelta(seconds=59))
    assert stamp(trial) == before


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("2026-06-08T15:59:59Z", "Mon 8 Jun 2026, 24:00"),
        ("2026-05-14T16:00:00Z", "Fri 15 May 2026, 00:00"),
        ("2026-05-21T11:00:01+08:00", "Thu 21 May 2026, 11:00"),
    ],
)
def test_a_moment_has_its_weekday_and_a_day_ends_at_24(text: str, said: str) -> None:
    assert Times(SHANGHAI, NOON).moment(text) == said


@pytest.mark.parametrize(
    ("at", "said"),
    [
        (NOON + timedelta(days=6, hours=23, minutes=59), "6 d 23 h left"),
        (NOON + DAY, "1 d 0 h left"),
        (NOON + timedelta(hours=23, minutes=59, seconds=59), "23 h 59 min left"),
        (NOON + timedelta(minutes=59), "59 min left"),
        (NOON + timedelta(seconds=59), "under a minute left"),
        (NOON, "passed"),
        (NOON - timedelta(seconds=1), "passed"),
    ],
)
def test_what_is_left_is_never_more_than_there_is(at: datetime, said: str) -> None:
    assert Times(SHANGHAI, NOON).left(at.isoformat()) == said


@given(st.integers(0, 10**9), st.timedeltas(timedelta(minutes=1), timedelta(days=99)))
def test_what_is_left_is_true_to_its_last_unit(seconds: int, span: timedelta) -> None:
    at = NOON + timedelta(seconds=seconds)
    said = Times(SHANGHAI, at).left((at + span).isoformat())
    units = {"d": timedelta(days=1), "h": HOUR, "min": timedelta(minutes=1)}
    parts = re.findall(r"(\d+) (d|h|min)", said)
    told = sum((int(n) * units[unit] for n, unit in parts), timedelta())
    assert told <= span < told + units[parts[-1][1]]


def test_a_reason_is_put_into_the_zone_and_what_has_no_zone_stays() -> None:
    times = Times(SHANGHAI, NOON)
    assert times.sentence("by 2026-05-21T03:00+00:00 at the latest") == "by Thu 21 May 2026, 11:00 at the latest"
    assert (
        times.sentence("onset 2026-05-14T11:00, on 2026-05-14 11:00") == "onset 2026-05-14T11:00, on 2026-05-14 11:00"
    )
    assert times.sentence("the next is 28 days later: 2026-06-08") == "the next is 28 days later: Mon 8 Jun 2026"
    assert times.sentence("E1 is MET_BY_RULE by DLT-02") == "E1 is met by rule and not signed by DLT-02"


def _level(position: str, higher: bool, n: int, dlt: int, pending: int = 0) -> dict[str, Any]:
    found = three_plus_three.table(position, higher, Here(n, dlt))
    return {
        "evaluable": n, "dlt": dlt, "pending": ["S01-001"] * pending,
        "table": {"title": found.title, "columns": list(found.columns), "rows": [list(row) for row in found.rows],
                  "parameters": dict(found.parameters)},
    }  # fmt: skip


@pytest.mark.rule("rules.md 5.1")
@pytest.mark.parametrize(("position", "higher"), [("lowest", False), ("middle", True), ("highest", False)])
def test_each_cell_of_the_grid_is_the_decision_of_the_design(position: str, higher: bool) -> None:
    grid = dose_table.grid(_level(position, higher, 3, 1))
    assert grid is not None
    assert grid.columns == ("0", "1", "2", "3", "4", "5", "6")
    assert [said for said, _ in grid.rows] == ["0", "1", "2 or more"]
    for n in range(7):
        for dlt in range(n + 1):
            cell = grid.rows[min(dlt, 2)][1][n]
            assert cell is not None
            assert cell.word == three_plus_three.decide(position, higher, n, dlt).decision


def test_the_grid_says_where_one_stands_and_where_one_would_stand() -> None:
    grid = dose_table.grid(_level("middle", False, 3, 1, pending=2))
    assert grid is not None
    notes = {
        (said, n): cell.notes for said, cells in grid.rows for n, cell in enumerate(cells) if cell and cell.notes
    }  # fmt: skip
    assert notes == {
        ("1", 3): ("you are here",), ("1", 5): ("if no more DLTs",), ("2 or more", 4): ("if one more DLT",)
    }  # fmt: skip


def test_a_table_of_another_shape_is_printed_as_it_is() -> None:
    table = {
        "columns": ["evaluable", "E escalate", "S stay"],
        "rows": [["1", "0", "1"]],
        "title": "BOIN",
        "parameters": {},
    }
    assert dose_table.grid({"evaluable": 1, "dlt": 0, "pending": [], "table": table}) is None
