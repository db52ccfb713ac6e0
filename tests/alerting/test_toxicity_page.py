"""The page /desk/toxicity and its files: what they say of a trial, to whom, and that they change nothing."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace

import httpx
import pytest

from tests.alerting.dose_desk import opened, words
from tests.alerting.test_dlt import AS_CRS, CRS, RELATED, UNRELATED, anc, observed
from tests.alerting.test_duplicates import decide, desk_of
from tests.alerting.test_trial import infused
from tests.alerting.test_values import derived
from tests.alerting.ward import HEADACHE, PNEUMONIA, STUDY, Ward, coding, report

PAGE, FILE = "/desk/toxicity", "/desk/toxicity.csv"
MILD = {"verbatim": "headache", "onset": "2026-05-13", "serious": False, "grade": {"ctcae": 1}, "causality": RELATED}
PULMONARY = {"verbatim": "lung infection", "onset": "2026-05-13", "serious": True, "grade": {"ctcae": 3},
             "seriousness": ["hospitalisation"], "causality": RELATED}  # fmt: skip
TREATED = [
    infused("S01-001", "DL1", "2026-05-04T10:00+08:00"),
    infused("S01-003", "DL1", "2026-05-11T10:00+08:00"),
    infused("S01-004", "DL2", "2026-05-12T10:00+08:00"),
]
SEEN = [
    *TREATED,
    report(MILD, case="TOC-0001", subject="S01-001"),
    coding(HEADACHE, case="TOC-0001"),
    report(PULMONARY, case="TOC-0002", subject="S01-003"),
    coding(PNEUMONIA, case="TOC-0002"),
    report({**MILD, "grade": {"ctcae": 2}}, case="TOC-0003", subject="S01-003"),
    coding(HEADACHE, case="TOC-0003"),
]


def page(found: Ward, query: str = "") -> httpx.Response:
    answer = opened(found, PAGE + query, "safety_physician")
    assert answer.status_code == 200, answer.text
    return answer


def heading(found: Ward, query: str = "") -> str:
    (said,) = re.findall(r"<h1>(.*?)</h1>", page(found, query).text)
    return str(said)


def panel(found: Ward, name: str, query: str = "") -> str:
    text = page(found, query).text
    (part,) = re.findall(rf'<section class="[^"]*" aria-labelledby="{name}">.*?</section>', text, re.DOTALL)
    return words(httpx.Response(200, text=part))


def rows(found: Ward, query: str = "") -> list[dict[str, str]]:
    answer = opened(found, FILE + query, "safety_physician")
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))


def of_level(row: dict[str, str], level: str) -> list[str]:
    """Grade 1 to 5, not graded, any, treated."""
    return [value for name, value in row.items() if name.startswith(f"{level} ")]


@pytest.mark.parametrize("path", [PAGE, FILE, f"{FILE}?rows=events"])
def test_without_a_login_nothing_of_the_trial_is_shown(trial: Ward, path: str) -> None:
    trial.receive(*SEEN)
    answer = opened(trial, path)
    assert answer.status_code == 401
    for inside in ("S01-003", STUDY, "KQ-2003", "Headache", "lung"):
        assert inside not in answer.text


@pytest.mark.parametrize("role", ["coder", "cell_lab", "site"])
@pytest.mark.parametrize("path", [PAGE, FILE])
def test_whoever_may_not_see_it_is_told_so(trial: Ward, role: str, path: str) -> None:
    trial.receive(*SEEN)
    answer = opened(trial, path, role)
    assert answer.status_code == 403
    assert "Toxicity is for the role" in answer.text
    assert "S01-003" not in answer.text


@pytest.mark.parametrize("role", ["committee", "auditor", "safety_team", "second_physician", "administrator"])
def test_readers_see_it(trial: Ward, role: str) -> None:
    assert opened(trial, PAGE, role).status_code == 200
    assert opened(trial, FILE, role).status_code == 200


def test_before_anybody_is_treated_it_says_so(trial: Ward) -> None:
    assert heading(trial) == "Nobody has been treated at a level of the protocol yet."
    said = words(page(trial))
    assert "No event counts here." in said
    assert "Every reported event counts." in said


def test_the_heading_answers_and_the_table_counts_each_subject_once(trial: Ward) -> None:
    trial.receive(*SEEN)
    assert heading(trial) == "3 treated. 1 with an event of grade 3 or more."
    first, second, total = rows(trial)
    assert (first["Preferred term"], first["System organ class"]) == ("Lung infection", "Infections and infestations")
    assert of_level(first, "DL1") == ["0", "0", "1", "0", "0", "0", "1", "2"]
    assert of_level(first, "DL2") == ["0", "0", "0", "0", "0", "0", "0", "1"]
    assert (second["Preferred term"], of_level(second, "DL1")) == ("Headache", ["1", "1", "0", "0", "0", "0", "2", "2"])
    assert (total["Preferred term"], of_level(total, "DL1")) == ("Any event", ["1", "0", "1", "0", "0", "0", "2", "2"])
    assert (total["All grade 3 or more"], total["All any"], total["All treated"]) == ("1", "2", "3")


def test_the_table_of_the_page_has_heads_for_a_screen_reader(trial: Ward) -> None:
    trial.receive(*SEEN)
    text = page(trial).text
    assert '<th colspan="7" scope="colgroup" class="grp" id="l1">DL1 · 1.0 ×10^6 cells/kg · n = 2</th>' in text
    assert '<th scope="row">Headache</th>' in text
    assert 'scope="rowgroup"' in text
    assert '<td class="c3"><a href="#who-t1" aria-label="1, DL1, grade 3: who">1</a></td>' in text
    assert "Lung infection DL1, grade 3: S01-003" in words(page(trial))


def test_what_is_open_or_differs_is_said_beside_the_table(trial: Ward) -> None:
    both = {**CRS, "grade": {"ctcae": 3, "astct": 2}}
    trial.receive(*TREATED, report(both, case="TOC-0001", subject="S01-003"), coding(AS_CRS, case="TOC-0001"))
    trial.receive(report({**MILD, "grade": None}, case="TOC-0002", subject="S01-001"))
    assert heading(trial) == "3 treated. None with an event of grade 3 or more."
    said = words(page(trial))
    assert "1 more has an event that nobody graded, which may be of grade 3 or more: S01-001." in said
    taken = panel(trial, "h-taken")
    assert "The scales disagree: the grade counts that stands first: 1" in taken
    assert "counted as grade 2 (CTCAE 3, ASTCT 2)" in taken
    assert "Nobody graded it: counted under “not graded”, never as grade 0: 1" in taken
    assert "Nobody has coded it: it stands in a row of its own, by the site’s words: 1" in taken
    assert "headache (not coded)" in panel(trial, "h-heat")


def test_the_grade_is_that_of_the_verdict_also_where_a_value_is_worse_than_the_sites_grade(trial: Ward) -> None:
    event = {"verbatim": "neutrophils low", "onset": "2026-05-13", "serious": False, "grade": {"ctcae": 2},
             "causality": RELATED}  # fmt: skip
    low = {"term": "Neutrophil count decreased", "llt_code": "10029366", "soc": "Investigations"}
    trial.receive(*TREATED, report(event, case="TOC-0001", subject="S01-003"), coding(low, case="TOC-0001"))
    assert of_level(rows(trial)[0], "DL1") == ["0", "1", "0", "0", "0", "0", "1", "2"]
    trial.receive(observed(anc(0.4, "2026-05-13T06:00")), derived())
    assert of_level(rows(trial)[0], "DL1") == ["0", "0", "0", "1", "0", "0", "1", "2"]


def test_a_fatal_event_is_grade_5(trial: Ward) -> None:
    fatal = {**PULMONARY, "outcome": "fatal"}
    trial.receive(*TREATED, report(fatal, case="TOC-0001", subject="S01-004"), coding(PNEUMONIA, case="TOC-0001"))
    assert of_level(rows(trial)[0], "DL2") == ["0", "0", "0", "0", "1", "0", "1", "1"]


def test_the_filters_leave_out_what_they_say_and_list_it(trial: Ward) -> None:
    trial.receive(*SEEN, report({**MILD, "causality": UNRELATED}, case="TOC-0004", subject="S01-004"))
    trial.receive(report({**MILD, "onset": "2026-05-01"}, case="TOC-0005", subject="S01-004"))
    assert "Began before the first infusion: 1" in panel(trial, "h-left")
    assert "Every reported event counts." in panel(trial, "h-left", "?from=all")
    assert heading(trial, "?serious=yes") == "3 treated. 1 with a serious event of grade 3 or more."
    assert heading(trial, "?serious=yes&related=yes") == (
        "3 treated. 1 with a serious related event of grade 3 or more."
    )
    assert "Every party judges it not related: 1" in panel(trial, "h-left", "?related=yes")
    assert "Not serious: 3" in panel(trial, "h-left", "?serious=yes")
    assert "Onset from the first infusion to study day 28." in words(page(trial, "?from=window"))
    assert {row["Related only"] for row in rows(trial, "?related=yes")} == {"yes"}


def test_an_opinion_that_nobody_gave_counts_as_related_and_says_so(trial: Ward) -> None:
    trial.receive(*TREATED, report({**MILD, "causality": []}, case="TOC-0001", subject="S01-001"))
    said = panel(trial, "h-taken", "?related=yes")
    assert "A party has not judged the relation, or not clearly: counted as related: 1" in said


def test_whoever_is_not_infused_or_at_no_level_counts_nowhere_and_is_listed(trial: Ward) -> None:
    trial.receive(*TREATED, infused("S01-005", "DL9", "2026-05-12T10:00+08:00"))
    trial.receive(report(MILD, case="TOC-0001", subject="S01-005"), report(MILD, case="TOC-0002", subject="S01-006"))
    trial.receive(report(MILD, case="TOC-0003", subject=None))
    assert heading(trial) == "3 treated. None with an event of grade 3 or more."
    said = words(page(trial))
    assert "Treated, and at no level of the protocol: S01-005." in said
    left = panel(trial, "h-left")
    assert "The subject is at no level of the protocol: 1" in left
    assert "The subject is not infused, as far as is known: 1" in left
    assert "The report names no subject: 1" in left


def test_a_nullified_case_is_gone(trial: Ward) -> None:
    trial.receive(*SEEN)
    trial.receive(report(MILD, case="TOC-0001", subject="S01-001", revision=2, nullified=True))
    assert of_level(rows(trial)[1], "DL1") == ["0", "1", "0", "0", "0", "0", "1", "2"]


def test_of_two_cases_that_are_signed_as_one_the_duplicate_is_left_out(trial: Ward) -> None:
    trial.receive(*TREATED)
    desk = desk_of(trial)
    assert "2 events counted" in panel(trial, "h-heat")
    decide(desk)
    assert "1 event counted" in panel(trial, "h-heat")
    assert "Told twice: signed as a duplicate, and counted by the case that stays: 1" in panel(trial, "h-left")


def test_every_event_is_in_the_file_of_events_with_what_became_of_it(trial: Ward) -> None:
    trial.receive(*SEEN, report({**MILD, "onset": "2026-05-01"}, case="TOC-0005", subject="S01-004"))
    found = {row["Case"]: row for row in rows(trial, "?rows=events")}
    assert sorted(found) == ["TOC-0001", "TOC-0002", "TOC-0003", "TOC-0005"]
    assert (found["TOC-0002"]["Counts"], found["TOC-0002"]["Grade counted"], found["TOC-0002"]["CTCAE"]) == (
        "yes", "3", "3",
    )  # fmt: skip
    assert (found["TOC-0005"]["Counts"], found["TOC-0005"]["Why not counted"]) == (
        "no", "Began before the first infusion",
    )  # fmt: skip
    assert found["TOC-0005"]["First study day"] == "-11"


def test_the_file_is_named_begins_with_a_byte_order_mark_and_runs_no_formula(trial: Ward) -> None:
    evil = {**MILD, "verbatim": '=HYPERLINK("http://evil.invalid")'}
    trial.receive(*TREATED, report(evil, case="TOC-0001", subject="S01-001"))
    answer = opened(trial, FILE, "safety_physician")
    assert answer.content.startswith(b"\xef\xbb\xbf")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == f'attachment; filename="toxicity-{STUDY}-2026-05-14.csv"'
    assert rows(trial)[0]["Preferred term"] == '\'=HYPERLINK("http://evil.invalid")'
    assert rows(trial, "?rows=events")[0]["Verbatim"] == '\'=HYPERLINK("http://evil.invalid")'


def test_the_sites_words_are_text_on_the_page(trial: Ward) -> None:
    trial.receive(*TREATED, report({**MILD, "verbatim": '<b>x</b> & "y"'}, case="TOC-0001", subject="S01-001"))
    assert "<b>x</b>" not in page(trial).text
    assert "&lt;b&gt;x&lt;/b&gt; &amp;" in page(trial).text


def test_the_timeline_has_a_title_a_description_and_a_table_with_the_same(trial: Ward) -> None:
    trial.receive(*SEEN)
    text = page(trial).text
    assert '<title id="time-title">Events of 3 subjects by study day</title>' in text
    assert '<desc id="time-text">' in text
    said = panel(trial, "h-time")
    assert "S01-003 DL1 Grade 3 1 1 of 2" in said
    assert "grade 3 Lung infection, day 2, no end told; grade 2 Headache, day 2, no end told" in said


def test_the_page_has_no_inline_style_and_no_inline_script(trial: Ward) -> None:
    trial.receive(*SEEN)
    text = page(trial).text
    assert " style=" not in text
    assert "<style" not in text
    assert re.findall(r"<script(?![^>]* src=)", text) == []
    assert re.findall(r"\son[a-z]+=", text) == []


def test_assumed_rules_are_named(trial: Ward) -> None:
    assert "ASSUMED RULES, not approved by the sponsor" in words(page(trial))


def test_where_several_studies_have_doses_it_asks_which(trial: Ward) -> None:
    trial.studies["TWO"] = replace(trial.studies[STUDY], id="TWO", title="Another")
    answer = opened(trial, PAGE, "safety_physician")
    assert answer.status_code == 200
    assert "Which study’s toxicity?" in words(answer)
    assert f'href="{PAGE}?study=TWO"' in answer.text
    assert heading(trial, f"?study={STUDY}") == "Nobody has been treated at a level of the protocol yet."


@pytest.mark.parametrize(
    ("query", "status"),
    [("?study=NONE", 404), ("?from=yesterday", 422), ("?related=perhaps", 422), ("?serious=perhaps", 422)],
)
def test_what_it_does_not_know_is_refused_in_words(trial: Ward, query: str, status: int) -> None:
    for path in (PAGE, FILE):
        answer = opened(trial, path + query, "safety_physician")
        assert answer.status_code == status
        assert "text/html" in answer.headers["content-type"]


def test_opening_changes_nothing(trial: Ward) -> None:
    trial.receive(*SEEN)
    before = trial.everything_kept()
    page(trial)
    rows(trial)
    assert trial.everything_kept() == before
