"""`tocsin on-call` and `tocsin contacts bounced`: plans are checked, saved and shown; what came back is kept."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from alerting import accounts, call_plans
from standalone import on_call
from tests.alerting.plans import plan, step
from tests.docs.pages import ROOT
from tests.standalone.test_webhook_commands import Shell, run, store
from tocsin.now import wall
from tocsin.store.engine import Store

__all__ = ["run", "store"]

STUDY = "NCT06223646"
WHO = ("--by", "Zhou Min", "--why", "the rota of June")


def written(folder: Path, document: dict[str, Any], name: str = "plan.json") -> str:
    (folder / name).write_text(json.dumps(document), "utf-8")
    return str(folder / name)


def kept(store: Store) -> dict[str, Any]:
    with store.reading() as tx:
        found = call_plans.document(tx, STUDY)
    assert found is not None
    return found


def test_the_example_is_saved_and_shows_who_is_on_duty(run: Shell, store: Store, tmp_path: Path) -> None:
    code, said, _ = run("on-call", "show")
    assert (code, said.startswith("No study has a call plan")) == (0, True)
    file = written(tmp_path, plan())
    with store.transaction() as tx:
        accounts.add(tx, "Lin", "a long night, quiet so far", ["coder"], wall())
    code, said, told = run("on-call", "check", file, "--study", STUDY)
    assert (code, said) == (0, "It can be saved: every step of every policy reaches somebody.\n")
    assert told.splitlines()[:2] == [
        "Caution: the login of lin has not the role safety_physician: tocsin users reset gives it",
        "Caution: shen has no login, and could not acknowledge: tocsin users add makes one",
    ]
    code, said, _ = run("on-call", "save", file, "--study", STUDY, *WHO)
    assert (code, said) == (0, f"Version 1 of the call plan of {STUDY} counts from now on.\n")
    assert (kept(store)["saved_by"], kept(store)["reason"]) == ("Zhou Min", "the rota of June")
    code, said, _ = run("on-call", "show", "--days", "28")
    assert code == 0
    assert re.search(rf"^{STUDY}  safety_physician: (lin|shen) \(the rota\)$", said, re.M)
    assert len(re.findall(r"^    .*\(the rota\)$", said, re.M)) in (4, 5), said
    code, said, _ = run("on-call", "show", "--json")
    assert {duty["role"] for duty in json.loads(said)} >= {"safety_physician", "medical_director"}


def test_the_plan_on_the_page_about_alarms_can_be_saved(run: Shell, store: Store, tmp_path: Path) -> None:
    [toml] = re.findall(r"```toml\n(.*?)```", (ROOT / "docs" / "alarms.md").read_text("utf-8"), re.S)
    (tmp_path / "plan.toml").write_text(toml, "utf-8")
    code, _, told = run("on-call", "save", str(tmp_path / "plan.toml"), "--study", STUDY, *WHO)
    assert code == 0, told
    assert kept(store)["plan"]["people"][0]["quiet"] == {"begins": "22:00", "ends": "07:00"}


def test_a_plan_that_rings_nobody_is_refused_with_the_place(run: Shell, tmp_path: Path) -> None:
    policy = {"levels": ["page"], "steps": [step(0, "auditor")], "repeat_minutes": 60}
    file = written(tmp_path, plan(policies=[policy]))
    code, _, told = run("on-call", "check", file, "--study", STUDY)
    assert code == 1
    assert "/policies/0/steps/0/roles/0" in told
    assert "nobody is reachable as auditor" in told
    odd = written(tmp_path, plan(zone="Shanghai"), "odd.json")
    code, _, told = run("on-call", "save", odd, "--study", STUDY, *WHO)
    assert code == 1
    assert "/zone" in told
    assert "Asia/Shanghai" in told
    (tmp_path / "broken.toml").write_text("zone = ", "utf-8")
    code, _, told = run("on-call", "check", str(tmp_path / "broken.toml"), "--study", STUDY)
    assert code == 1
    assert "is no call plan" in told


def test_a_night_is_taken_over_and_given_back(run: Shell, store: Store, tmp_path: Path) -> None:
    run("on-call", "save", written(tmp_path, plan()), "--study", STUDY, *WHO)
    begins, ends = wall(), wall() + timedelta(hours=8)
    words = ("--role", "safety_physician", "--person", "Shen", "--begins", begins.isoformat(), "--ends")
    code, said, _ = run("on-call", "override", "--study", STUDY, *words, ends.isoformat(), *WHO)
    assert code == 0
    found = re.match(r"Override (\S+) counts", said)
    assert found is not None
    with store.reading() as tx:
        [one] = call_plans.overrides_of(tx, STUDY, wall())
    assert (one["person"], one["override_id"]) == ("shen", found[1])
    assert run("on-call", "withdraw", found[1], "--by", "Zhou Min")[0] == 0
    with store.reading() as tx:
        assert call_plans.overrides_of(tx, STUDY, wall()) == []
    code, _, told = run("on-call", "override", "--study", STUDY, *words, "tomorrow", *WHO)
    assert code == 1
    assert "'tomorrow' is no moment" in told


def test_what_is_no_bounce_is_refused(run: Shell, tmp_path: Path) -> None:
    (tmp_path / "away.eml").write_text("Subject: I am away\n\nuntil Monday\n", "utf-8")
    code, _, told = run("contacts", "bounced", str(tmp_path / "away.eml"))
    assert code == 1
    assert "this mail is no bounce" in told


def test_the_example_is_one_document(capsys: pytest.CaptureFixture[str]) -> None:
    on_call.example()
    assert json.loads(capsys.readouterr().out)["zone"] == "Asia/Shanghai"
