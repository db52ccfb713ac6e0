"""docs/clocks.md, made of `page.md`, the rules and the form of a study file: `python -m tocsin.clockrules.page`."""

from __future__ import annotations

from enum import StrEnum
from importlib import resources
from typing import Any

from tocsin import clockrules
from tocsin.clockrules.rule_file import COUNTS_FROM
from tocsin.domain.clocks import ClockRule, DayZero, Trigger
from tocsin.study_shape import ClocksPart

_PROFILES = {
    "CN": "China: NMPA and its Center for Drug Evaluation",
    "US": "United States: FDA",
    "EU": "European Union: EudraVigilance",
    "UK": "United Kingdom: MHRA",
    "JP": "Japan: PMDA",
    "ICH": "ICH baseline, where no authority's own rules are known",
    "SITE": "Every study: from the site to the sponsor",
}
_TRIGGERS = {
    Trigger.FATAL_LT_SUSAR: "a fatal or life-threatening SUSAR",
    Trigger.OTHER_SUSAR: "any other SUSAR",
    Trigger.ANY_SUSAR: "any SUSAR",
    Trigger.EXPECTED_FATAL_LT: "an expected death or threat to life, suspected",
    Trigger.SITE_AWARE: "a serious event, event of special interest, possible DLT or pregnancy at a site",
    Trigger.UPGRADE_AFTER_SUBMISSION: "fatal or life-threatening after it was reported as neither",
    Trigger.SIGNIFICANT_FOLLOW_UP: "significant news of what was reported",
    Trigger.LATE_DETERMINATION: "reportable after it was first judged not to be",
    Trigger.OTHER_RISK: "another safety risk",
}
_DAY_ZERO = {
    DayZero.FIRST_KNOWLEDGE: "the day the sponsor first held what qualifies",
    DayZero.NEW_INFORMATION: "the day the new information was received",
    DayZero.DETERMINATION: "the day of the determination",
    DayZero.SITE_AWARENESS: "the moment the investigator knew",
}
# The contested points: the key of [clocks], the point of rules.md 1.6 or none, and the question in words.
_CONTESTED = (
    ("fda_suspected_by", "C1", "Whose opinion makes a reaction suspected for the FDA?"),
    ("fda_15_days_from", "C2", "From when do 15 days count under a rule for `any_susar`, as the FDA's?"),
    ("non_working", "C3", "On which dates may no clock of days end, so that it ends on the next other day?"),
    ("strict_follow_up", "C4", "Is the completed report also due 8 days after the first one was sent, if sooner?"),
    ("mode", "C5", "Whose dates count: the earlier of receiver's and authority's, or the receiver's alone?"),
    (
        "also_7_days_after_determination",
        "C6",
        "Does a late determination of a death or threat to life also run 7 days?",
    ),
    ("probably_not_related_is_suspected", "", 'Does "probably not related" (可能无关) count as suspected?'),
    ("wrong_subject_keeps_day_zero", "", "After a wrong subject: does the right one's case keep the first day zero?"),
    ("signatures_to_close", "", "How many people must sign before a clock is cancelled or downgraded?"),
)


def page() -> str:
    """The page as it should be."""
    order = [*_PROFILES, *(p for p in clockrules.profiles() if p not in _PROFILES)]
    sets = "\n\n".join(_profile(profile) for profile in order)
    triggers = "\n".join(f"| `{t}` | {_TRIGGERS[t]} | {_DAY_ZERO[COUNTS_FROM[t]]} |" for t in Trigger)
    contested = "\n".join(_setting(*point) for point in _CONTESTED)
    made = {"{sets}": sets, "{triggers}": triggers, "{contested}": contested}
    text = resources.files(__package__).joinpath("page.md").read_text("utf-8")
    for place, rows in made.items():
        text = text.replace(place, rows)
    return text


def _profile(profile: str) -> str:
    rules = clockrules.rules_of(profile)
    zone = "the receiver's" if rules[0].zone is None else rules[0].zone.key
    head = f"### {profile}\n\n{_PROFILES.get(profile, profile)}. Zone: {zone}.\n"
    table = [
        "| rule | owed to | starts on | limit | binds from | confidence |",
        "| --- | --- | --- | --- | --- | --- |",
        *(_row(rule) for rule in rules),
    ]
    texts = [f"- `{rule.id}`, {rule.clause}: {rule.text}." for rule in rules]
    return "\n".join([head, *table, "", *texts])


def _row(rule: ClockRule) -> str:
    to = rule.recipient + (" (copies)" if rule.copies else "")
    cells = (f"`{rule.id}`", to, _TRIGGERS[rule.trigger], _limit(rule), str(rule.valid_from or ""), rule.confidence)
    return f"| {' | '.join(cells)} |"


def _limit(rule: ClockRule) -> str:
    if rule.hours is not None:
        return f"{rule.hours} hours"
    strict = f", or {rule.strict_days} days after the first report if sooner" if rule.strict_days else ""
    return f"{rule.days} days" + (f", after `{rule.follows}`{strict}" if rule.follows else "")


def _setting(key: str, point: str, question: str) -> str:
    field = ClocksPart.model_fields[key]
    return f"| {point} | {question} | `{key}` | `{_toml(field.default)}` | {_allowed(field.annotation)} |"


def _allowed(annotation: Any) -> str:
    if annotation is bool:
        return "`true`, `false`"
    if annotation is int:
        return "`1`, `2`"
    if isinstance(annotation, type) and issubclass(annotation, StrEnum):
        return ", ".join(f'`"{value}"`' for value in annotation)
    return "dates, without quotes"


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else str(value)


if __name__ == "__main__":
    print(page(), end="")
