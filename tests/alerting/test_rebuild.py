"""The same log read into empty tables gives the same alerts, clocks and acknowledgements, and rings nobody."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from tests.alerting.ward import FATAL, NOON, SERIOUS, Ward, coding, dose, report, ward
from tocsin.bus.port import Received
from tocsin.messages.envelope import Envelope
from tocsin.messages.reading import decode
from tocsin.store.tables import outbox

FACTS = [
    report(FATAL),
    dose("D1", kind="infusion", subject="S01-003", level="DL2", started_at="2026-05-08T10:00+08:00"),
    coding({"term": "Sudden death NOS", "llt_code": "10011906"}),
    report(SERIOUS, case="TOC-0032"),
    report({**SERIOUS, "seriousness": ["life_threatening"]}, case="TOC-0032", revision=2, at=NOON + timedelta(hours=1)),
]
SAME = ("snapshots", "doses", "clocks", "alerts", "concerns", "acknowledgements", "notices", "decisions")


def said(house: Ward, topic: str) -> list[Envelope[Any]]:
    """What this house put on the bus."""
    with house.store.reading() as tx:
        rows = tx.execute(select(outbox).where(outbox.c.topic == topic).order_by(outbox.c.seq)).all()
    return [decode(Received(r.topic, 0, n, r.key, r.value, r.headers)) for n, r in enumerate(rows)]


@pytest.mark.parametrize("decisions_first", [False, True])
def test_a_rebuild_gives_the_same_tables_and_rings_nobody(tmp_path: Path, decisions_first: bool) -> None:
    with ward(f"sqlite:///{tmp_path}/lived.db", tmp_path / "lived") as lived:
        lived.receive(*FACTS)
        lived.move(timedelta(minutes=5))
        lived.acknowledge(lived.alerts(case_id="TOC-0031")[0]["alert_id"])
        lived.fast_forward(timedelta(minutes=30))
        deeds, before, at = said(lived, "decisions.recorded.v1"), lived.everything_kept(), lived.at
    with ward(f"sqlite:///{tmp_path}/rebuilt.db", tmp_path / "rebuilt") as rebuilt:
        rebuilt.is_rebuilding, rebuilt.at = True, at
        rebuilt.receive(*[*deeds, *FACTS] if decisions_first else [*FACTS, *deeds])
        after = rebuilt.everything_kept()
        assert {name: after[name] for name in SAME} == {name: before[name] for name in SAME}
        assert rebuilt.mails() == []
        rebuilt.is_rebuilding = False
        rebuilt.do_chores()
        assert rebuilt.mails() == [], "what rang before the rebuild does not ring after it"
        rebuilt.fast_forward(timedelta(minutes=30))
        assert [who for who, _ in rebuilt.rung()] == ["medical-director"], "what is still owed does"


def test_an_uncoded_report_that_rang_and_was_acknowledged_does_not_ring_after_a_rebuild(tmp_path: Path) -> None:
    with ward(f"sqlite:///{tmp_path}/lived.db", tmp_path / "lived") as lived:
        lived.receive(report(SERIOUS))
        lived.fast_forward(timedelta(hours=5), step=timedelta(hours=1))
        lived.acknowledge(lived.alerts(kind="uncoded")[0]["alert_id"], by="wu", roles=["coder"])
        deeds, at = said(lived, "decisions.recorded.v1"), lived.at
    with ward(f"sqlite:///{tmp_path}/rebuilt.db", tmp_path / "rebuilt") as rebuilt:
        rebuilt.is_rebuilding, rebuilt.at = True, at
        rebuilt.receive(report(SERIOUS), *deeds)
        rebuilt.is_rebuilding = False
        rebuilt.fast_forward(timedelta(hours=1))
        assert rebuilt.mails() == []
        (alert,) = rebuilt.alerts(kind="uncoded")
        assert (alert["state"], alert["acknowledged_by"]) == ("acknowledged", "wu")
