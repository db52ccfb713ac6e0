"""One case in words: what happened, why this clock, what is to be signed. Everything in one zone."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from alerting import answers, assessments, dlt_signed, kinds
from alerting.desk import case_course, case_history, clock_words, dose_words
from alerting.desk.case_facts import CaseFacts
from alerting.desk.dose_times import Times
from alerting.desk.now import RINGING_LEVELS
from alerting.desk.ringing_rows import Stop
from tocsin.domain.dlt.verdict import State
from tocsin.domain.words import Agent, Criterion, Relation
from tocsin.messages.bodies import CodedEvent, KeptEvent
from tocsin.web.identity import Person

Json = Mapping[str, Any]

SCALES: Final = {"ctcae": "CTCAE", "astct": "ASTCT", "iec_hs": "IEC-HS", "icaht": "ICAHT"}
AGENTS: Final = {
    Agent.PRODUCT: "the product", Agent.LYMPHODEPLETION: "lymphodepletion", Agent.BRIDGING: "bridging therapy",
    Agent.APHERESIS: "apheresis", Agent.RESCUE: "rescue treatment", Agent.DISEASE: "the disease",
    Agent.OTHER: "another cause",
}  # fmt: skip
CRITERIA: Final = {
    Criterion.DEATH: "death", Criterion.LIFE_THREATENING: "life-threatening",
    Criterion.HOSPITALISATION: "hospital stay",
    Criterion.DISABILITY: "lasting disability", Criterion.CONGENITAL_ANOMALY: "congenital anomaly",
    Criterion.MEDICALLY_IMPORTANT: "medically important",
}  # fmt: skip
DECISIONS: Final = {
    "medical_review": "Medical review: your judgement of seriousness, causality, expectedness",
    "downgrade": "Downgrade: it closes clocks where the rules bear it",
    "nullification": "Nullification: the case never was",
    "awareness_override": "Awareness: the sponsor knew earlier than the receipt",
    "significant": "Significance: the news of a version is significant",
}  # fmt: skip
MEANINGS: Final = ("approval", "review", "authorship", "responsibility")
_FINDINGS: Final = (
    ("serious", "Serious", "not serious"), ("fatal", "Fatal", ""), ("life_threatening", "Life-threatening", ""),
    ("suspected", "Related: a reasonable possibility", "no reasonable possibility"),
    ("unexpected", "Unexpected", "expected"),
)  # fmt: skip


def view(facts: CaseFacts, who: Person, times: Times, rails: Sequence[Sequence[Stop]]) -> dict[str, Any]:
    """What the template is handed. `rails`: of the open alarms, as `open_alerts` orders them."""
    events = _events(facts, times)
    names = {one["id"]: one["name"] for one in events}
    started = facts.standing.started if facts.standing is not None else None
    infused = started.earliest if started is not None else None
    return {
        "case_id": facts.case_id,
        "study": facts.protocol.id,
        "version": facts.latest.revision,
        "heading": _heading(facts, events),
        "facts": list(_facts(facts, times)),
        "chips": list(_chips(facts, events)),
        "is_nullified": facts.latest.is_nullified,
        "alarms": [_alarm(one, rail, who) for one, rail in zip(open_alerts(facts), rails, strict=True)],
        "events": events,
        "course": case_course.picture(facts.assessed["events"], names, infused, times),
        "clocks": [_clock(one, facts, times) for one in _in_order(facts.clocks)],
        "verdicts": [_verdict(one, times) for one in facts.verdicts if one["state"] != State.NONE or one["signatures"]],
        "deliveries": [_delivery(one, times) for one in facts.deliveries],
        "decisions": [_decision(one, who, times) for one in facts.assessed["decisions"]],
        "duplicates": [_pair(row, facts.case_id, times) for row in facts.duplicates],
        "queries": [{"about": row.query_id, "at": times.moment(row.raised_at.isoformat())} for row in facts.queries],
        "history": [(one, times.moment(one.at.isoformat())) for one in case_history.history(facts, times)],
        "missing": facts.latest.missing,
        "contradictions": facts.latest.contradictions,
        "narrative": facts.latest.facts.narrative,
        "assumptions": facts.assessed["assumptions"],
        "may_assess": bool(who.roles & assessments.MAY_ASSESS),
        "may_decide_dlt": bool(who.roles & dlt_signed.MAY_DECIDE),
        "agents": [(agent.value, words, _investigators(facts, agent)) for agent, words in AGENTS.items()],
        "relations": [(one.value, one.value.replace("_", " ")) for one in (Relation.RELATED, Relation.NOT_RELATED)],
        "criteria": [(one.value, words) for one, words in CRITERIA.items()],
        "decision_names": list(DECISIONS.items()),
        "meanings": MEANINGS,
        "stamp": facts.stamp,
    }  # fmt: skip


def open_alerts(facts: CaseFacts) -> list[dict[str, Any]]:
    """The open alerts of the case, those that ring first."""
    found = [one for one in facts.alerts if one["state"] == "open"]
    return sorted(found, key=lambda one: (one["level"] not in RINGING_LEVELS, one["raised_at"]))


def _heading(facts: CaseFacts, events: Sequence[Json]) -> str:
    subject = facts.latest.subject or "Subject not named"
    named = [one["name"] for one in events]
    what = " with ".join(named[:2]) + (f" and {len(named) - 2} more" if len(named) > 2 else "")
    return f"{subject}: {what or 'no event is named'}"


def _facts(facts: CaseFacts, times: Times) -> Iterable[tuple[str, str]]:
    standing = facts.standing
    yield "Subject", facts.latest.subject or "not named"
    yield "Site", facts.latest.site
    if standing is not None:
        level = facts.protocol.level(standing.level) if standing.level is not None else None
        yield "Dose level", f"{level.id} · {level.label}" if level is not None else "not known"
        window = facts.protocol.dlt.window_days if facts.protocol.dlt is not None else None
        if standing.window_day is not None:
            of = f" of {window}" if window is not None and standing.window_day <= window else ""
            yield "Since infusion", f"Day {standing.window_day}{of}"
    aware = [one.facts.investigator_aware_at for one in facts.latest.events if one.facts.investigator_aware_at]
    yield "Site aware", "; ".join(dict.fromkeys(_stated(one, times) or "" for one in aware)) or "not stated"
    yield "Sponsor aware (day 0)", times.moment(facts.known.first_received_at.isoformat())


def _chips(facts: CaseFacts, events: Sequence[Json]) -> Iterable[tuple[str, str, str]]:
    """(words, tone, icon) of what one must know at a glance."""
    if facts.latest.is_nullified:
        yield "Nullified by the site: clocks go on until a person signs", "warn", "warn"
    for key, words in (("fatal", "Fatal"), ("life_threatening", "Life-threatening"), ("serious", "Serious")):
        if any(one["findings"][key]["value"] for one in events):
            yield words, "alarm-c", "stop"
            break
    if any(one["susar"] for one in events):
        yield "SUSAR: serious, suspected, unexpected", "alarm-c", "stop"
    states = {State(one["state"]) for one in facts.verdicts}
    if State.CONFIRMED in states:
        yield "DLT, confirmed by signature", "alarm-c", "stop"
    elif any(state.is_open for state in states):
        yield "Potential DLT", "warn", "warn"
    if facts.latest.contradictions:
        yield f"{len(facts.latest.contradictions)} facts contradict each other", "warn", "warn"
    if facts.latest.missing:
        yield f"{len(facts.latest.missing)} facts are missing", "dash", ""


def _events(facts: CaseFacts, times: Times) -> list[dict[str, Any]]:
    coded = _codings(facts)
    judged = {one["event_id"]: one for one in facts.assessed["events"]}
    return [
        _event(n, kept, coded.get(kept.event_id), judged[kept.event_id], facts, times)
        for n, kept in enumerate((one for one in facts.latest.events if one.event_id in judged), start=1)
    ]


def _codings(facts: CaseFacts) -> dict[str, CodedEvent]:
    """The newest coding of each event."""
    return {
        one.event_id: one for _, coding in sorted(facts.known.codings.items()) for one in coding.events
    }  # fmt: skip


def _event(
    number: int, kept: KeptEvent, coded: CodedEvent | None, judged: Json, facts: CaseFacts, times: Times
) -> dict[str, Any]:  # fmt: skip
    is_coded = coded is not None and coded.llt_code is not None
    told = kept.facts
    return {
        "id": kept.event_id,
        "number": number,
        "name": coded.term if coded is not None and coded.term else f"“{told.verbatim}”",
        "is_coded": is_coded,
        "verbatim": told.verbatim,
        "status": "not coded yet" if coded is None else coded.status.replace("_", " "),
        "confidence": coded.confidence if coded is not None else None,
        "method": coded.method if coded is not None else None,
        "dictionary": coded.dictionary if coded is not None else None,
        "coding_reasons": coded.reasons if coded is not None else [],
        "path": [tuple(step.split(" ", 2)) for step in coded.path] if coded is not None else [],
        "told": coded.told if coded is not None else [],
        "onset": _stated(told.onset, times) or "not stated",
        "end": _stated(told.end, times),
        "outcome": told.outcome.value.replace("_", " ") if told.outcome else "not stated",
        "action": told.action.value.replace("_", " ") if told.action else None,
        "treatment": told.treatment,
        "scales": list(_scales(kept, judged)),
        "differ": list(_differ(kept.event_id, judged, facts)),
        "findings": {key: judged[key] for key, _, _ in _FINDINGS},
        "judged": [
            (yes if judged[key]["value"] else no, judged[key]["provisional"], times.sentences(judged[key]["reasons"]))
            for key, yes, no in _FINDINGS if judged[key]["value"] or no
        ],
        "susar": judged["susar"],
        "rsi": judged["rsi_version"],
        "opinions": [
            (party, AGENTS[Agent(one["agent"])], one["relation"].replace("_", " "))
            for party, ones in judged["opinions"].items() for one in ones
        ],
    }  # fmt: skip


def _scales(kept: KeptEvent, judged: Json) -> Iterable[dict[str, Any]]:
    """The grades side by side, never merged: the worst by each scale, then what the site states."""
    stated = kept.facts.grade.model_dump(exclude_none=True) if kept.facts.grade is not None else {}
    for course in judged["courses"]:
        scale, peak = course["scale"], course["peak"]
        site = stated.get(scale)
        high = peak["highest"] if peak else None
        low = peak["lowest"] if peak else None
        edition = f" {course['editions'][-1]}" if course["editions"] else ""
        yield {
            "name": f"{SCALES[scale]}{edition}, worst", "grade": high,
            "range": f"{low} to {high}" if low != high else None, "is_odd": site is not None and site != high,
        }  # fmt: skip
    answered = judged["answered_grade"]
    if answered is not None and answered["lowest"] is not None:
        yield {
            "name": f"CTCAE {answered['edition']}, by the answers",
            "grade": answered["lowest"] if answered["lowest"] == answered["highest"] else None,
            "range": f"{answered['lowest']} to {answered['highest']}", "is_odd": answered["fits"] is False,
        }  # fmt: skip
    for scale, grade in stated.items():
        yield {"name": f"Site, {SCALES[scale]}", "grade": grade, "range": None, "is_odd": False}


def _differ(event_id: str, judged: Json, facts: CaseFacts) -> Iterable[str]:
    """Where grades differ, and why."""
    answered = judged["answered_grade"]
    if answered is not None and answered["fits"] is False:
        span = f"{answered['lowest']} to {answered['highest']}"
        yield f"The site states CTCAE grade {answered['stated']}; what it answered leaves {span}. " + " ".join(
            answered["reasons"]
        )
    worst = {one["scale"]: one["peak"]["highest"] for one in judged["courses"] if one["peak"]}
    if len(set(worst.values())) > 1:
        said = ", ".join(f"{SCALES[scale]} {grade}" for scale, grade in worst.items())
        yield f"The scales differ: {said}. They measure different things and are never merged."
    for alert in facts.alerts if answered is None or answered["fits"] is not False else ():
        if alert["kind"] == "grade_differs":
            yield from (reason for reason in alert["reasons"] if reason.startswith(f"{event_id}:"))


def _in_order(clocks: Sequence[Json]) -> list[Json]:
    """Those that are open, the soonest first; then the others."""
    return sorted(clocks, key=lambda one: (not one["open"], one["due_at"], one["rule"]))


def _clock(one: Json, facts: CaseFacts, times: Times) -> dict[str, Any]:
    rule = clock_words.rules_of(facts.protocol).get(one["rule"])
    started = times.start_of(one["day_zero"])
    return {
        **one,
        "title": clock_words.title(rule, one["rule"], one["recipient"]),
        "chip": clock_words.chip(
            started_at=started, due_at=datetime.fromisoformat(one["due_at"]), is_open=one["open"], status=one["status"],
            is_provisional=one["provisional"], times=times,
        ),
        "text": rule.text if rule is not None else None,
        "reasons": times.sentences(one["reasons"]),
        "questions": times.sentences(one["questions"]),
        "zero": times.day(one["day_zero"]),
        "is_of_site": one["recipient"] == "sponsor",
        "submissions": [
            {
                **sent, "at": times.moment(sent["at"]),
                "answer": sent["acknowledgement"] and {
                    **sent["acknowledgement"], "at": times.moment(sent["acknowledgement"]["at"]),
                },
            }
            for sent in one["submissions"]
        ],
    }  # fmt: skip


def _verdict(one: Json, times: Times) -> dict[str, Any]:
    state = State(one["state"])
    return {
        **one, "said": dose_words.STATES[state], "is_open": state.is_open, "named": dose_words.named(one),
        "reasons": times.sentences(one["reasons"]), "would_change": times.sentences(one["would_change"]),
        "for_committee": times.sentences(one["for_committee"]), "asks": times.sentences(one["asks"]),
        "due": f"Meets the rule {times.moment(one['due_at'])} ({times.left(one['due_at'])}) unless improved"
        if one["due_at"] and state.is_open else None,
        "signed": [{**s, "at": times.moment(s["at"])} for s in one["signatures"]],
    }  # fmt: skip


def _alarm(one: Json, rail: Sequence[Stop], who: Person) -> dict[str, Any]:
    return {
        "id": one["alert_id"], "title": kinds.words(one["kind"]), "is_ringing": one["level"] in RINGING_LEVELS,
        "rail": rail, "reasons": one["reasons"], "waits_for": one["waits_for"],
        "is_mine": answers.may_acknowledge(one["level"], one["roles"], who.roles)
        and one["kind"] not in kinds.UNTIL_ANSWERED
        and who.name not in [a["by"] for a in one["acknowledgements"]],
    }  # fmt: skip


def _delivery(one: Json, times: Times) -> dict[str, Any]:
    words = {"delivered": "Delivered", "dead": "Given up", "pending": "On its way", "sending": "On its way"}
    tone = {"delivered": "calm", "dead": "alarm-c"}.get(one["state"], "")
    at = one["ended_at"] or one["created_at"]
    return {
        "channel": {"mail": "E-mail", "webhook": "Webhook"}.get(one["channel"], one["channel"]),
        "address": one["address"], "said": f"{words[one['state']]} {times.near(datetime.fromisoformat(at))}",
        "tone": tone, "why": one["why"], "tries": len(one["attempts"]),
    }  # fmt: skip


def _decision(one: Json, who: Person, times: Times) -> dict[str, Any]:
    waits = one["state"] != "in_force"
    return {
        **one, "name": one["decision"].replace("_", " "), "waits": waits,
        "signed": [{**s, "at": times.moment(s["at"])} for s in one["signatures"]],
        "is_mine_to_sign": waits and who.name not in [s["by"] for s in one["signatures"]],
        "opinions": [(AGENTS[Agent(o["agent"])], o["relation"].replace("_", " ")) for o in one["causality"]],
        "seriousness": [CRITERIA[Criterion(name)] for name in one["seriousness"]],
    }  # fmt: skip


def _pair(row: Any, case_id: str, times: Times) -> dict[str, Any]:
    other = row.other_case_id if row.case_id == case_id else row.case_id
    return {
        "id": str(row.id), "other": other, "reasons": row.reasons, "decision": row.decision, "by": row.decided_by,
        "why": row.why, "at": times.moment(row.decided_at.isoformat()) if row.decided_at else None,
        "kept": row.kept_case_id,
    }  # fmt: skip


def _stated(text: str | None, times: Times) -> str | None:
    """A moment as the site stated it; one without a zone is in the site's own, and stays as it was written."""
    return None if text is None else re.sub(r"(\d)T(\d)", r"\1 \2", times.sentence(text))


def _investigators(facts: CaseFacts, agent: Agent) -> str:
    """What the investigator thinks of an agent, over all events."""
    said = [
        one["relation"].replace("_", " ")
        for event in facts.assessed["events"]
        for one in event["opinions"].get("investigator", [])
        if one["agent"] == agent.value
    ]
    return ", ".join(dict.fromkeys(said))
