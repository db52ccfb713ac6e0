"""Call plans for tests: short to write, saved as the house saves them."""

from __future__ import annotations

from typing import Any

from alerting import call_plans
from alerting.call_plan import DOCUMENT
from tests.alerting.ward import STUDY, Ward


def person(name: str, *roles: str, **more: Any) -> dict[str, Any]:
    """Somebody with one mail address, whose name is in it."""
    return {"name": name, "roles": list(roles), "mails": [f"{name}@sponsor.example"], **more}


def step(after: int, *roles: str, everyone: bool = False) -> dict[str, Any]:
    return {"after_minutes": after, "roles": list(roles), "everyone": everyone}


def plan(**parts: Any) -> dict[str, Any]:
    """Five people, a rota of two physicians who change on Mondays at eight, and pages that climb."""
    people = [
        person("lin", "safety_physician"), person("shen", "safety_physician"), person("qiao", "second_physician"),
        person("zhou", "medical_director"), person("wu", "safety_team"),
    ]  # fmt: skip
    rota = {"role": "safety_physician", "begins": "2026-01-05", "handover": "08:00", "every_days": 7,
            "people": ["lin", "shen"]}  # fmt: skip
    policy = {
        "levels": ["page"],
        "steps": [step(0, "safety_physician"), step(15, "second_physician"), step(60, "medical_director")],
        "repeat_minutes": 60,
    }
    return {"zone": "Asia/Shanghai", "people": people, "rotas": [rota], "policies": [policy], **parts}


def save(house: Ward, document: dict[str, Any], *, study: str = STUDY, replaces: int = 0) -> int:
    with house.store.transaction() as tx:
        return call_plans.save(
            tx, house.parts, study, DOCUMENT.validate_python(document), replaces=replaces, by="zhou",
            reason="a plan of a test", at=house.at,
        )  # fmt: skip
