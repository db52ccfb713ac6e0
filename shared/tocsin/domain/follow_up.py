"""What a site is asked in a request for a follow-up: what is still open of a serious event, and since when it counts.

A request asks for what is not told or not settled, in words that both languages of a site read. It takes nothing for
answered that only might be: an outcome "recovering" is asked again, an autopsy that is awaited is still asked for.

Source: ICH E2A III.B (follow-up of an expedited report), China GCP 2020 Art. 26 (follow-up reports of an SAE; of a
death the autopsy report and the terminal medical report). The cadence is the study's, see `protocol.FollowUpRequests`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from tocsin.domain import seriousness
from tocsin.domain.affirmed import WORDING
from tocsin.domain.assess import missing_so_far
from tocsin.domain.case import Case, Event
from tocsin.domain.syndromes import EVERY, Syndrome
from tocsin.domain.words import Agent, CrsScale, Outcome, Party


class Wanted(StrEnum):
    """What may be open."""

    PATIENT = "patient"
    REPORTER = "reporter"
    PRODUCT = "product"
    EVENT = "event"
    ONSET = "onset"
    GRADE = "grade"
    OPINION = "opinion"
    OUTCOME = "outcome"
    COURSE = "course"
    END = "end"
    TERMINAL_REPORT = "terminal_report"


@dataclass(frozen=True, slots=True)
class Phrase:
    """One question in both languages. `{event}` is the event's number and words, `{outcome}` the outcome last told."""

    english: str
    chinese: str


PHRASES: Mapping[Wanted, Phrase] = {
    Wanted.PATIENT: Phrase("Which subject is it? Give the subject's study number.", "是哪位受试者？请填写受试者编号。"),
    Wanted.REPORTER: Phrase("Who reports? Give a name, a role or a contact.", "谁报告的？请填写姓名、身份或联系方式。"),
    Wanted.PRODUCT: Phrase("Which product is suspected?", "可疑药品是什么？"),
    Wanted.EVENT: Phrase("What happened? Give at least one event.", "发生了什么？请至少填写一个不良事件。"),
    Wanted.ONSET: Phrase("{event}: when did it begin?", "{event}：何时发生？"),
    Wanted.GRADE: Phrase("{event}: which CTCAE grade was it at its worst?", "{event}：最重时 CTCAE 几级？"),
    Wanted.OPINION: Phrase(
        "{event}: in the investigator's opinion, is it related to the investigational product?",
        "{event}：研究者认为与试验用药品是否有关？",
    ),
    Wanted.OUTCOME: Phrase("{event}: what is its outcome?", "{event}：转归如何？"),
    Wanted.COURSE: Phrase(
        "{event}: last told as {outcome}. How is it now, and what was done?",
        "{event}：上次报告的转归为“{outcome}”。目前情况如何？采取了什么措施？",
    ),
    Wanted.END: Phrase("{event}: on which day did it end?", "{event}：何时结束？"),
    Wanted.TERMINAL_REPORT: Phrase(
        "{event}: what do the autopsy report and the terminal medical report say of the cause and day of death? "
        "If there was no autopsy, say so.",
        "{event}：尸检报告和最终医学报告所述的死亡原因和死亡日期是什么？如未尸检，请说明。",
    ),
}

OUTCOMES: Mapping[Outcome, Phrase] = {
    Outcome.NOT_RECOVERED: Phrase("not recovered", "未好转"),
    Outcome.RECOVERING: Phrase("recovering", "好转"),
}

_MINIMUM = {name: Wanted(name) for name in ("patient", "reporter", "product", "event")}
_PLACES = {
    Wanted.PATIENT: "/subject", Wanted.REPORTER: "/reporter", Wanted.PRODUCT: "/product", Wanted.EVENT: "/events",
    Wanted.TERMINAL_REPORT: "/narrative",
}  # fmt: skip
_FIELDS = {
    Wanted.ONSET: "onset", Wanted.GRADE: "grade", Wanted.OPINION: "causality", Wanted.OUTCOME: "outcome",
    Wanted.COURSE: "outcome", Wanted.END: "end",
}  # fmt: skip

_TERMINAL = re.compile(
    r"\bautops|\bpost[\s-]?mortem|\bnecrops|\bcauses? of death|\bterminal (?:medical )?report|\bdeath certificate"
    r"|尸检|尸体解剖|死亡原因|死因|死亡证明|死亡小结|死亡记录|终末|最终医学报告",
    WORDING,
)
# What is asked, planned or awaited is not there yet, and "cause of death unknown" names none.
_NOT_YET = re.compile(
    r"\b(?:pending|await\w*|to follow|will|requested|planned|scheduled|expected|not yet|unknown|tb[dac]"
    r"|(?<!no )(?<!not )consent\w*)\b"
    r"|\?|？|待|尚未|未出|未回|未知|不详|不明|将|计划|申请|(?<![不未])同意|拟",
    WORDING,
)
_SENTENCES = re.compile(r"(?<=[.;!?。；！？\n])")


@dataclass(frozen=True, slots=True)
class Request:
    """One thing that is open. `about` is a JSON Pointer into the newest report, `why` what was found of it."""

    wanted: Wanted
    event_id: str | None
    about: str
    why: str
    english: str
    chinese: str


def since(
    case: Case, *, urgent: bool, among: frozenset[Syndrome] = EVERY, crs: CrsScale = CrsScale.WORST_OF
) -> datetime | None:
    """When the report was received that first told of a serious event; `urgent`: of a fatal or life-threatening one.

    None while none does. What was told and taken back later counts too: the day of the first telling does not move.
    """
    return min(
        (
            report.received_at
            for report in case.revisions
            for event in report.events
            if not report.is_nullified and not event.is_nullified and _is(event, case, urgent, among, crs)
        ),
        default=None,
    )


def requests(
    case: Case, serious: Collection[str], fatal: Collection[str], words: Mapping[int, Sequence[str]]
) -> tuple[Request, ...]:
    """What is to be asked now of these events of a case, its missing minimum elements first.

    `words`: by revision, what it tells in free words; a nullified case leaves nothing to ask.
    """
    if case.latest.is_nullified:
        return ()
    found = [
        Request(wanted, None, _PLACES[wanted], f"{wanted.value}: not told", *_said(PHRASES[wanted]))
        for wanted in map(_MINIMUM.__getitem__, missing_so_far(case))
    ]
    places = {event.event_id: n for n, event in enumerate(case.latest.events)}
    for event, _ in case.standing:
        if event.event_id in serious:
            found += _of_event(event, event.event_id in fatal, places.get(event.event_id))
    dead = [event for event, _ in case.standing if event.event_id in fatal]
    if dead and not _is_terminal_report_there(case, fatal, words):
        found.append(_request(Wanted.TERMINAL_REPORT, dead[0], _PLACES[Wanted.TERMINAL_REPORT], "not told since"))
    return tuple(found)


def question(case_id: str, asked: Sequence[Request], *, day: int, number: int, of: int) -> str:
    """The whole request as the site reads it, both languages in one text. `number` of `of` on the study's cadence."""
    english = "; ".join(f"({n}) {one.english}" for n, one in enumerate(asked, 1))
    chinese = "；".join(f"（{n}）{one.chinese}" for n, one in enumerate(asked, 1))
    return (
        f"Follow-up request {number} of {of} (day {day}) for {case_id}. Please tell what is new: {english}\n"
        f"{case_id} 随访询问，第 {number} 次，共 {of} 次（第 {day} 天）。请告知最新情况：{chinese}"
    )


def about(asked: Sequence[Request]) -> str:
    """Where a request points: its one fact, else the whole report."""
    places = {one.about for one in asked}
    return places.pop() if len(places) == 1 else ""


def names_terminal_report(text: str) -> bool:
    """Whether words tell what came of an autopsy or of the question for the cause of death.

    That there was no autopsy is an answer; that it is awaited, asked or planned is none.
    """
    return any(_TERMINAL.search(one) and not _NOT_YET.search(one) for one in _SENTENCES.split(text))


def _is(event: Event, case: Case, urgent: bool, among: frozenset[Syndrome], crs: CrsScale) -> bool:
    judged = seriousness.of(event, case.coding_of(event), among, crs)
    return judged.is_fatal_or_life_threatening if urgent else bool(judged.serious)


def _of_event(event: Event, is_fatal: bool, place: int | None) -> Iterable[Request]:
    def request(wanted: Wanted, why: str) -> Request:
        return _request(wanted, event, "" if place is None else f"/events/{place}/{_FIELDS[wanted]}", why)

    if event.onset is None:
        yield request(Wanted.ONSET, "not told")
    if event.worst_grade() is None and not is_fatal:  # A fatal event is of grade 5, told or not.
        yield request(Wanted.GRADE, "not told")
    if event.relation(Agent.PRODUCT, Party.INVESTIGATOR) is None:
        yield request(Wanted.OPINION, "the investigator's is not told")
    if event.outcome is None or event.outcome is Outcome.UNKNOWN:
        yield request(Wanted.OUTCOME, "not told" if event.outcome is None else "told as unknown")
    elif event.outcome in OUTCOMES:
        yield request(Wanted.COURSE, f"last told as {OUTCOMES[event.outcome].english}")
    elif event.outcome is not Outcome.FATAL and event.end is None:
        yield request(Wanted.END, "told as recovered, without the day")


def _request(wanted: Wanted, event: Event, place: str, why: str) -> Request:
    name = f'{event.event_id} ("{_short(event.verbatim)}")'
    last = OUTCOMES.get(event.outcome) if event.outcome is not None else None
    english, chinese = _said(PHRASES[wanted], name, last or Phrase("", ""))
    return Request(wanted, event.event_id, place, f"{event.event_id}: {wanted.value}: {why}", english, chinese)


def _said(phrase: Phrase, event: str = "", outcome: Phrase = Phrase("", "")) -> tuple[str, str]:
    # Replaced, not formatted: a site's own words may hold braces.
    return (
        phrase.english.replace("{outcome}", outcome.english).replace("{event}", event),
        phrase.chinese.replace("{outcome}", outcome.chinese).replace("{event}", event),
    )


def _short(verbatim: str) -> str:
    return verbatim if len(verbatim) <= 80 else verbatim[:79] + "…"


def _is_terminal_report_there(case: Case, fatal: Collection[str], words: Mapping[int, Sequence[str]]) -> bool:
    """Only words that came after the death was first told: nobody reports an autopsy before it."""
    first = min(
        (
            report.revision
            for report in case.revisions
            for event in report.events
            if event.event_id in fatal and seriousness.of(event, None).fatal and not report.is_nullified
        ),
        default=0,
    )
    before = {text for revision, texts in words.items() if revision <= first for text in texts}
    return any(
        names_terminal_report(text)
        for revision, texts in words.items()
        if revision > first
        for text in texts
        if text not in before
    )
