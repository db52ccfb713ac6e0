"""The promises, one test each, with the three services as processes on a real Kafka and a real PostgreSQL."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from standardwebhooks import Webhook

from alerting import tables as alerting
from meddra_coder import tables as coder
from tests.alerting.receivers import MailServer, Receiver, mail_server, receiver
from tests.flow.people import FATAL, desk, hospital, site
from tests.support.kafka_broker import Broker
from tests.support.shapes import Shape, three_processes, wait_until
from tocsin.bus.open import open_bus
from tocsin.bus.port import Record

pytestmark = [pytest.mark.kafka, pytest.mark.postgres]

AWAY_S = 60


@pytest.fixture
def mail() -> Iterator[MailServer]:
    with mail_server() as server:
        yield server


@pytest.fixture
def hook() -> Iterator[Receiver]:
    with receiver() as server:
        yield server


@pytest.fixture
def shape(tmp_path: Path, own_kafka: Broker, fresh_database: Callable[[], str], mail: MailServer) -> Iterator[Shape]:
    made = three_processes(
        tmp_path,
        bus=f"kafka://{own_kafka.bootstrap}",
        database=fresh_database(),
        TOCSIN_SMTP_URL=f"smtp://127.0.0.1:{mail.port}?starttls=never",
    )
    yield made
    made.end()


def begin(shape: Shape, *names: str) -> None:
    for name in names:
        shape.processes[name].start()
    for name in names:
        shape.processes[name].ready()


@pytest.mark.rule("promise: it rings before it is coded")
def test_a_death_rings_while_the_coder_is_down_and_does_not_ring_again_once_it_is_coded(
    shape: Shape, mail: MailServer, hook: Receiver
) -> None:
    begin(shape, "intake", "alerting")
    secret = shape.tocsin("webhooks", "add", hook.url, "--study", "NCT06223646").strip()
    physician = desk(shape, "safety_physician")

    receipt = site(shape).report(FATAL)

    wait_until(lambda: mail.taken and hook.asked, "a mail and a webhook while nobody codes", 30)
    assert mail.taken[0]["Subject"].startswith(f"[Tocsin] {receipt['case_id']}: ")
    assert mail.taken[0]["To"] == "safety-physician@sponsor.invalid"
    said = Webhook(secret).verify(hook.asked[0].body, hook.asked[0].headers)
    assert said["data"]["case_id"] == receipt["case_id"]
    [alert] = physician.alerts(case_id=receipt["case_id"])
    assert (alert["level"], alert["state"], alert["kind"]) == ("page", "open", "fatal")
    assert any("ASSUMED RULES, not approved by the sponsor" in a for a in alert["assumptions"])
    before = [clock["rule"] for clock in physician.get("/v1/clocks", case_id=receipt["case_id"])["clocks"]]

    begin(shape, "coder")
    wait_until(lambda: shape.count("coder", select(func.count()).select_from(coder.codings)) == 1, "it is coded", 30)
    wait_until(shape.is_quiet, "alerting knows the code", 30)

    with shape.reading("coder") as tx:
        [coded] = tx.execute(select(coder.codings)).all()
    assert (coded.status, coded.llt_code) == ("coded", "10052015")
    assert [a["alert_id"] for a in physician.alerts(case_id=receipt["case_id"])] == [alert["alert_id"]]
    assert len(mail.taken) == 1 == len(hook.asked)
    after = [clock["rule"] for clock in physician.get("/v1/clocks", case_id=receipt["case_id"])["clocks"]]
    assert sorted(after) == sorted(before) == [
        "CN_GCP48_COPY_7D", "CN_SUSAR_7D", "CN_SUSAR_7D_PLUS_8D", "INV_TO_SPONSOR_24H",
    ]  # fmt: skip


@pytest.mark.rule("promise: nothing accepted is lost, and nothing counts twice")
def test_the_same_message_delivered_again_changes_nothing(shape: Shape, own_kafka: Broker, mail: MailServer) -> None:
    begin(shape, "intake", "coder", "alerting")
    feed = site(shape)
    receipt = feed.report(FATAL)
    wait_until(shape.is_quiet, "the first report is through", 60)
    wait_until(lambda: mail.taken, "it rang", 30)
    with closing(open_bus(f"kafka://{own_kafka.bootstrap}")) as bus:
        with closing(bus.reader("the-test", ["reports.received.v1"])) as reader:
            [first] = wait_until(lambda: reader.read(10, 1.0), "the message on the log", 30)
        for _ in range(3):
            bus.publish([Record(first.topic, first.key, first.value, first.headers)])

    # A follow-up has the same key, so it is read after the three copies.
    follow_up = {"events": [{"ref": "1", "verbatim": "Cytokine release syndrome", "end": "2026-05-12"}]}
    answer = feed.post(follow_up, f"/v1/reports/{receipt['case_id']}/follow-ups")
    assert answer.status_code == 201, answer.text
    wait_until(shape.is_quiet, "the follow-up is through", 60)

    with shape.reading("coder") as tx:
        assert [r.revision for r in tx.execute(select(coder.codings).order_by(coder.codings.c.revision))] == [1, 2]
    with shape.reading("alerting") as tx:
        assert len(tx.execute(select(alerting.alerts)).all()) == 1
        assert len(tx.execute(select(alerting.snapshots)).all()) == 4
    assert len(mail.taken) == 1


@pytest.mark.rule("promise: a broker that is away stops nobody")
def test_a_broker_away_for_a_minute_loses_nothing_and_intake_goes_on_accepting(
    shape: Shape, own_kafka: Broker, mail: MailServer
) -> None:
    begin(shape, "intake", "coder", "alerting")
    feed = site(shape)
    own_kafka.stop()
    began = time.monotonic()
    receipts: list[dict[str, Any]] = []
    slowest = 0.0
    while time.monotonic() - began < AWAY_S:
        asked = time.monotonic()
        receipts.append(feed.report(hospital(f"S01-{len(receipts) + 1:03d}")))
        slowest = max(slowest, time.monotonic() - asked)
        time.sleep(1.0)  # one report a second, for the minute that the broker is away
    assert slowest < 5, "intake waited for the broker"
    assert mail.taken == []

    own_kafka.start()
    wait_until(shape.is_quiet, "everything accepted meanwhile is coded, judged and delivered", 120)

    with shape.reading("alerting") as tx:
        rung = {row.case_id for row in tx.execute(select(alerting.alerts))}
    assert rung == {r["case_id"] for r in receipts}
    assert len(receipts) >= AWAY_S // 2
    told = [json.dumps(str(m["Subject"])) for m in mail.taken]
    assert {t.split()[1].rstrip(":") for t in told} >= rung


def test_reports_that_came_while_the_coder_was_stopped_are_coded_when_it_is_back(
    shape: Shape, own_kafka: Broker, mail: MailServer
) -> None:
    """The coder alone is stopped and started by its supervisor; what came meanwhile waits on the log."""
    begin(shape, "intake", "coder", "alerting")
    feed = site(shape)
    feed.report(hospital("S01-001", "Fever"))
    wait_until(shape.is_quiet, "the first is through", 60)
    assert shape.processes["coder"].stop() == 0
    for n in range(2, 12):
        feed.report(hospital(f"S01-{n:03d}", "Fever"))
    begin(shape, "coder")
    wait_until(shape.is_quiet, "the ten that waited are coded", 60)

    with shape.reading("coder") as tx:
        assert [r.status for r in tx.execute(select(coder.codings))] == ["coded"] * 11
