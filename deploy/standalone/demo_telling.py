"""What the sites of the invented trial send: dose records, visits, and reports, in the words of docs/sites.md."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from standalone.demo_deeds import FollowedUp, Reported, Told

DOSES, OBSERVATIONS = "v1/doses", "v1/observations"
CRS = {"ref": "crs", "verbatim": "Cytokine release syndrome"}
ICANS = {"ref": "icans", "verbatim": "ICANS grade 4"}
PLANNED = {"DL1": 1.0, "DL2": 2.0, "DL3": 3.0}


def at(day: str, time: str = "17:00") -> str:
    """A moment in Beijing in 2026."""
    return f"2026-{day}T{time}+08:00"


def enrolled(subject: str, level: str, on: str) -> Told:
    return Told(subject[:3], DOSES, {"kind": "enrolment", "subject": subject, "level": level, "enrolled_on": on})


def infused(subject: str, level: str, started: str, part: float = 0.98) -> tuple[Told, Told]:
    """Enrolled five days before at that level, and given this part of the planned dose."""
    planned = PLANNED[level]
    on = date.fromisoformat(started[:10]) - timedelta(days=5)
    body = {
        "kind": "infusion", "subject": subject, "level": level, "started_at": started, "planned": planned,
        "given": round(planned * part, 3), "unit": "10^6 cells/kg", "lot": f"INVENTED-{subject}",
    }  # fmt: skip
    return enrolled(subject, level, on.isoformat()), Told(subject[:3], DOSES, body)


def seen(on: str, *subjects: str) -> tuple[Told, ...]:
    """Visits of a day: the temperature is what is told of each."""
    sites = sorted({subject[:3] for subject in subjects})
    return tuple(
        Told(site, OBSERVATIONS, {"observations": [_well(on, one) for one in subjects if one[:3] == site]})
        for site in sites
    )


def _well(on: str, subject: str) -> dict[str, Any]:
    return {"kind": "vital_sign", "subject": subject, "at": on, "sign": "temperature", "value": 36.6, "unit": "Cel"}


def withdrew(subject: str, on: str, reason: str) -> Told:
    return Told(subject[:3], DOSES, {"kind": "withdrawal", "subject": subject, "withdrawn_on": on, "reason": reason})


def crs(name: str, subject: str, onset: str, grade: int, aware: str) -> Reported:
    """A CRS as its site first tells it: related, going on, serious from grade 3 on."""
    is_serious = grade > 2
    event = {
        "onset": onset, "outcome": "not_recovered", "grade": {"ctcae": grade, "astct": grade},
        "course": course((grade, onset)), "serious": is_serious,
        "seriousness": ["hospitalisation"] if is_serious else [], "treatment": "tocilizumab",
        **_related(aware),
    }  # fmt: skip
    return Reported(name, subject[:3], _about(subject, {**CRS, **event}))


def icans(name: str, subject: str, onset: str, grade: int, aware: str) -> Reported:
    """An ICANS that threatens life."""
    event = {
        "onset": onset, "outcome": "not_recovered", "grade": {"astct": grade}, "serious": True,
        "seriousness": ["life_threatening"], "treatment": "dexamethasone", **_related(aware),
    }  # fmt: skip
    return Reported(name, subject[:3], _about(subject, {**ICANS, **event}))


def later(case: Reported, *, correction: bool = False, **facts: Any) -> FollowedUp:
    """What the site tells later of the event of this case. `correction`: these grades replace those told before."""
    (event,) = case.body["events"]
    said = {"ref": event["ref"], "verbatim": event["verbatim"], **facts}
    if correction:
        said["correction"] = True
    return FollowedUp(case.name, case.site, {"subject": case.body["subject"], "events": [said]})


def course(*steps: tuple[int, str]) -> list[dict[str, Any]]:
    """From when on a CRS had which grade: on both scales, as it counts by the worse of the two."""
    return [{"grade": grade, "scale": scale, "from": since} for grade, since in steps for scale in ("ctcae", "astct")]


def _related(aware: str) -> dict[str, Any]:
    judged = {"agent": "product", "party": "investigator", "relation": "related"}
    return {"causality": [judged], "investigator_aware_at": aware}


def _about(subject: str, event: dict[str, Any]) -> dict[str, Any]:
    reporter = {"name": "Dr Invented", "role": "investigator"}
    return {"subject": subject, "product": "KQ-2003", "reporter": reporter, "events": [event]}
