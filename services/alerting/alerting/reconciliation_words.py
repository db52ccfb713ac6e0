"""What a site is asked about each difference between its list and ours, in both its languages, and where it points."""

from __future__ import annotations

from collections.abc import Mapping

from tocsin.domain.follow_up import Phrase
from tocsin.domain.reconcile import Difference, Field, Kind
from tocsin.messages.bodies import ReportReceivedV1

_FIELDS: Mapping[Field, Phrase] = {
    Field.EVENT: Phrase("the event", "事件"),
    Field.DEATH: Phrase("death", "死亡"),
    Field.SERIOUS: Phrase("serious", "是否严重"),
    Field.CRITERIA: Phrase("seriousness criteria", "严重性标准"),
    Field.ONSET: Phrase("onset", "发生时间"),
    Field.OUTCOME: Phrase("outcome", "转归"),
    Field.TERM: Phrase("the words of the event", "事件名称"),
}
_PLACES: Mapping[Field, str] = {
    Field.DEATH: "outcome", Field.SERIOUS: "serious", Field.CRITERIA: "seriousness", Field.ONSET: "onset",
    Field.OUTCOME: "outcome", Field.TERM: "verbatim",
}  # fmt: skip
_NOTHING = Phrase("nothing", "未填写")

PHRASES: Mapping[Kind, Phrase] = {
    Kind.NOT_OURS: Phrase(
        "The list of {source}, row {row}, has a serious event of subject {subject}: {theirs}. We hold no report of it. "
        "Report it now, or say why there is none.",
        "{source} 清单第 {row} 行记有受试者 {subject} 的严重不良事件：{theirs}。我方没有收到该事件的报告。"
        "请立即报告，或说明为何无需报告。",
    ),
    Kind.NOT_THEIRS: Phrase(
        "We hold {event} ({ours}) of subject {subject} as serious. The list of {source} does not have it. "
        "Add it there, or say what is right.",
        "我方将受试者 {subject} 的 {event}（{ours}）记为严重不良事件，{source} 清单中没有该事件。"
        "请在该清单中补充，或说明正确情况。",
    ),
    Kind.DIFFERS: Phrase(
        "{event}: of {field}, the list of {source}, row {row}, says {theirs}, and your report says {ours}. "
        "What is right? If these are two events, report the other one.",
        "{event}：关于{field}，{source} 清单第 {row} 行为“{theirs}”，贵中心报告为“{ours}”。"
        "哪一个正确？如为两个不同的事件，请另行报告。",
    ),
}


def question(found: Difference, source: str) -> str:
    """The question of one difference, English first."""
    field = _FIELDS[found.field]
    said = []
    for text, nothing, name in (
        (PHRASES[found.kind].english, _NOTHING.english, field.english),
        (PHRASES[found.kind].chinese, _NOTHING.chinese, field.chinese),
    ):
        fill = {
            "source": source, "row": str(found.row), "subject": found.subject or nothing, "event": found.event_id or "",
            "field": name, "theirs": found.theirs or nothing, "ours": found.ours or nothing,
        }  # fmt: skip
        said.append(text.format_map(fill))  # One pass: what a site wrote is not read as a form to fill.
    return "\n".join(said)


def about(found: Difference, latest: ReportReceivedV1 | None) -> str:
    """The JSON Pointer of the fact in our report; the whole report where there is none."""
    if latest is None or found.field not in _PLACES or found.kind is not Kind.DIFFERS:
        return ""
    places = {event.event_id: n for n, event in enumerate(latest.events)}
    place = places.get(found.event_id or "")
    return "" if place is None else f"/events/{place}/{_PLACES[found.field]}"
