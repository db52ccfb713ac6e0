"""What the dose page says: the words of a state, of a decision and of a hold, and the sentence that answers it.

Everything is made of the board's own JSON; nothing is judged here. The page advises, the committee decides.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from alerting.desk.dose_times import Times
from alerting.holds_signed import BY_COMMITTEE
from tocsin.domain.board.decision import DECLARES, DOWN, NOT_OPEN, UP
from tocsin.domain.board.designs import COMMITTEE, CONTINUE
from tocsin.domain.board.facts import CELL_LAB
from tocsin.domain.board.holds import Kind
from tocsin.domain.board.next_infusion import EXPAND
from tocsin.domain.board.standing import Status
from tocsin.domain.dlt.verdict import State
from tocsin.domain.escalation.boin import STAY
from tocsin.domain.escalation.decision import WAIT
from tocsin.domain.escalation.tite_boin import SUSPEND

Json = Mapping[str, Any]

STATES: Final = {
    State.NONE: "no rule names it",
    State.NOT_DLT: "no DLT by the rules (advisory)",
    State.POTENTIAL_DLT: "potential DLT",
    State.PENDING_DURATION: "potential DLT, waits for its limit",
    State.MET_BY_RULE: "potential DLT, met by its rule, not signed",
    State.CONFIRMED: "DLT, confirmed by signature",
    State.REJECTED: "no DLT, rejected by signature",
}
_STATUSES: Final = {
    Status.ENROLLED: "Enrolled, not infused",
    Status.PENDING: "Pending",
    Status.EVALUABLE: "Evaluable, no DLT",
    Status.NOT_EVALUABLE: "Not evaluable, replaced",
}
_PLAIN: Final = {
    WAIT: "Wait", CONTINUE: "Complete the cohort", EXPAND: "Add three at this dose", STAY: "Stay at this dose",
    SUSPEND: "Suspend: too many are pending", COMMITTEE: "The committee decides", NOT_OPEN: "Not open",
    "ESCALATE": "Go up", "E": "Go up", "DE_ESCALATE": "Go down", "D": "Go down", "DU": "Too toxic: closed",
    "STOP_ALL_DOSES_TOO_TOXIC": "Stop: too toxic", "DECLARE_MTD": "This is the MTD",
    "DECLARE_MTD_NOT_EXCEEDED": "Tolerated, and the MTD is not reached",
}  # fmt: skip
_BY_GRAVITY: Final = (
    Kind.TREATMENT_RELATED_DEATH, Kind.MALIGNANCY, Kind.REPLICATION_COMPETENT_VIRUS, Kind.PRODUCT, Kind.SECOND_DLT,
    Kind.ELIMINATED, Kind.MONITORING, Kind.UNDONE, Kind.OUTSIDE_PLAN, Kind.REVIEW, Kind.PARALLEL, Kind.STAGGER,
)  # fmt: skip


def decision(word: str) -> str:
    """A decision of the design in plain words; a word that has none stays itself."""
    return _PLAIN.get(word, word)


def tone(word: str) -> str:
    """How a decision is coloured, beside its words: calm, alarm or warn."""
    return "go" if word in UP | DECLARES else "stop" if word in DOWN else "wait"


def named(verdict: Json) -> str:
    """What a verdict is about, in the site's words; of a finding, what was measured and since when."""
    if verdict["verbatim"]:
        return f"“{verdict['verbatim']}”"
    return f"{verdict['about']} ({verdict['key']}), measured and not reported"


def verdict(one: Json) -> str:
    """One verdict in a line: "S01-004: potential DLT, DLT-03"."""
    rule = f", {one['rule_id']}" if one["rule_id"] else ""
    return f"{one['subject']}: {STATES[State(one['state'])]}{rule}{', provisional' if one['provisional'] else ''}"


def hold(one: Json, board: Json, times: Times) -> str:
    """What a hold is for, as a clause."""
    level, kind = one["level"] or "the trial", Kind(one["kind"])
    said = {
        Kind.TREATMENT_RELATED_DEATH: "a death counts as treatment-related",
        Kind.MALIGNANCY: "a CAR-positive malignancy was found",
        Kind.REPLICATION_COMPETENT_VIRUS: "replication-competent virus was found",
        Kind.PRODUCT: "a product event holds every level",
        Kind.SECOND_DLT: f"{level} is closed, with two DLTs confirmed" if one["closing"] else f"two DLTs at {level}",
        Kind.ELIMINATED: f"the design eliminates {level}",
        Kind.MONITORING: f"the expansion at {level} has reached its limit",
        Kind.UNDONE: f"the review that opened {level} was signed on other facts",
        Kind.OUTSIDE_PLAN: f"a DLT at {level} after a dose not known to be as planned is before the committee",
        Kind.REVIEW: f"the review of {below(board, level)} is not signed",
        Kind.PARALLEL: f"subjects at {level} are still in the window",
        Kind.STAGGER: f"the stagger at {level} ends {times.day(one['ends_on']) if one['ends_on'] else 'later'}",
    }
    return said[kind]


def lifts(one: Json, board: Json, times: Times) -> str:
    """What ends a hold."""
    kind = Kind(one["kind"])
    if kind is Kind.STAGGER:
        return f"Ends by itself on {times.day(one['ends_on'])}. It needs no signature."
    if kind is Kind.PARALLEL:
        return f"Ends when the subjects at {one['level']} have completed the window. There is nothing to sign."
    if kind is Kind.REVIEW:
        return f"Lifted by the review committee’s signature, once {below(board, one['level'])} goes up."
    if kind in BY_COMMITTEE:
        return "Lifted by the review committee’s signature."
    return "Lifted by the signature of the review committee or of the medical director."


def status(one: Json) -> str:
    """What a subject counts as. A DLT that nobody has signed says so."""
    if one["status"] == Status.DLT:
        return "DLT, confirmed by signature" if one["dlt_confirmed"] else "DLT by rule, not signed"
    return _STATUSES[one["status"]]


def against(key: str, board: Json, times: Times) -> str:
    """A hold that somebody was infused against, as a clause."""
    found = next((one for one in board["holds"] if one["key"] == key), None)
    if found is not None:
        return hold(found, board, times)
    return f"subjects at {key.partition(':')[2]} were still in the window"


def party(name: str, sites: Mapping[str, str]) -> str:
    """Who has to confirm a hold."""
    return "Cell lab" if name == CELL_LAB else f"Site {name}, {sites[name]}" if name in sites else f"Site {name}"


def below(board: Json, level: str) -> str:
    """The level below one; of the lowest, itself."""
    names = [one["level"] for one in board["levels"]]
    return str(names[max(names.index(level) - 1, 0)]) if level in names else level


def standing(board: Json) -> list[Json]:
    """The holds that stand, the gravest first."""
    found = [one for one in board["holds"] if one["stands"]]
    return sorted(found, key=lambda one: (_BY_GRAVITY.index(Kind(one["kind"])), one["since"], one["key"]))


def heading(board: Json, times: Times) -> str:
    """May the next subject be infused, and at what dose?"""
    found = board["next"]
    grave = [one for one in standing(board) if not Kind(one["kind"]).is_condition and _stops(one, found)]
    if found["may_be_infused"]:
        return f"By the rules the next subject may be infused at {found['level']}{_of_phase(board)}."
    held = grave or [one for one in standing(board) if one["key"] in found["held_by"]]
    if not held:
        return f"Nobody may be infused now: {_why_nobody(board)}."
    more = f", and {_counted(len(held) - 1, 'more hold', 'stands', 'stand')}" if len(held) > 1 else ""
    if all(one["kind"] == Kind.STAGGER for one in held) and found["earliest_on"]:
        return f"Nobody may be infused before {times.day(found['earliest_on'])}: {_stagger(held)} is not over."
    return f"Nobody may be infused now: {hold(held[0], board, times)}{more}."


def after(board: Json) -> str:
    """What comes then: the level of the next infusion where something stands against it, and how many have room."""
    found = board["next"]
    if found["level"] is None or board["phase_2a"]["signed_level"]:
        return ""
    room = f"room for {found['places']} more before the next decision"
    return f"{'' if found['may_be_infused'] else 'The next infusion is then at ' + found['level'] + ': '}{room}."


def current(board: Json) -> Json:
    """The level where the trial stands; the lowest where it stands at none."""
    found: Json = next((one for one in board["levels"] if one["is_current"]), board["levels"][0])
    return found


def _why_nobody(board: Json) -> str:
    here = current(board)
    level, word = here["level"], here["decision"]
    if here["needs_review"]:
        return f"the review of {level} is not signed"
    if word in DOWN:
        return f"{level} is too toxic"
    if word in DECLARES:
        return f"phase 1 has found its dose, {board['mtd']['level'] or level}"
    if word == COMMITTEE:
        return f"the design does not cover {level}, the committee decides"
    if here["pending"]:
        return f"{level} waits for {', '.join(here['pending'])}"
    return f"{level}: {here['action']}"


def _stops(one: Json, found: Json) -> bool:
    level = found["level"] or found["current_level"]
    return one["stops"] == "all" or level is None or level in one["stops"]


def _of_phase(board: Json) -> str:
    return " in phase 2a" if board["phase_2a"]["signed_level"] else ""


def _stagger(held: Sequence[Json]) -> str:
    return f"the stagger at {held[0]['level']}"


def _counted(n: int, what: str, one: str, many: str) -> str:
    return f"{n} {what} {one}" if n == 1 else f"{n} {what}s {many}"
