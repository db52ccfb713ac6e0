"""The heartbeat goes the whole way of a report, through every service, and leaves no case behind."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest

import ae_intake.app
import alerting.app
import meddra_coder.app
from tests.support.houses import SIGNING_KEY, House, in_process
from tests.support.shapes import wait_until
from tocsin.web.identity import Person, sign_person

SERVICES = (ae_intake.app.build, meddra_coder.app.build, alerting.app.build)


def ages(house: House) -> dict[str, float]:
    found = re.findall(r'^tocsin_heartbeat_age_seconds{leg="(\w+)"} ([\d.e+]+)$', house.get("/metrics").text, re.M)
    return {leg: float(age) for leg, age in found}


@pytest.mark.rule("rules.md: synthetic heartbeat SAE hourly")
def test_a_heartbeat_arrives_as_a_report_and_coded_and_is_no_case(tmp_path: Path) -> None:
    with in_process(tmp_path, SERVICES, heartbeat_minutes=60) as house:
        wait_until(lambda: set(ages(house)) == {"report", "coding"}, "the heartbeat has come both ways")
        assert all(age < 3700 for age in ages(house).values())
        person = Person("wu", frozenset({"safety_team", "coder"}))
        who = house.as_key(sign_person(person, SIGNING_KEY, house.now(), timedelta(hours=1)))
        for path, what in (("/v1/alerts", "alerts"), ("/v1/clocks", "clocks"), ("/v1/codings", "codings")):
            assert who.get(path).json()[what] == []
