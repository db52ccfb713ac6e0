"""`tocsin up --rehearsal`, as a process: time stands, moves when told, and stamps what falls due with its instant."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from standardwebhooks.webhooks import Webhook

from tests.alerting.receivers import Receiver, mail_server, receiver, says
from tests.standalone.processes import House, status, tocsin
from tests.support.rehearsals import (
    Rehearsal,
    fatal,
    printed_login,
    rehearsal,
    rung,
    serious,
    shanghai,
)
from tests.support.shapes import wait_until

AT = "2026-03-02T09:00+08:00"
READY = "shown once:\n  name admin"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rehearsal]:
    """One house for the tests that post nothing and move no time."""
    with rehearsal(tmp_path_factory.mktemp("rehearsal"), at=AT) as running:
        yield running


@pytest.fixture
def hook() -> Iterator[Receiver]:
    with receiver() as found:
        yield found


def test_time_stands_where_it_was_set(tmp_path: Path) -> None:
    with rehearsal(tmp_path, at=AT) as house:
        first = house.report(fatal())
        second = house.report(serious())
        assert [shanghai(r["received_at"]) for r in (first, second)] == ["2026-03-02T09:00", "2026-03-02T09:00"]
        assert house.settle()["stops"] == 0
        assert house.now() == "2026-03-02T01:00:00Z"


@pytest.mark.rule("rules.md 1.5: an unanswered page climbs; readings.md clocks 9")
def test_a_death_that_nobody_answers_rings_three_people_at_their_instants(tmp_path: Path) -> None:
    with rehearsal(tmp_path, at=AT) as house:
        receipt = house.report(fatal())
        moved = house.move_to("2026-03-02T10:59+08:00")
        assert (moved["now"], moved["next"]) == ("2026-03-02T02:59:00Z", "2026-03-02T03:00:00Z")
        [alert] = house.alerts(case_id=receipt["case_id"], kind="fatal")
        assert shanghai(alert["raised_at"]) == "2026-03-02T09:00"
        assert rung(alert) == [
            ("safety_physician", "2026-03-02T09:00"),
            ("second_physician", "2026-03-02T09:15"),
            ("medical_director", "2026-03-02T10:00"),
        ]
        mails = [(m["to"].partition("@")[0], m["sent_at"]) for m in house.mails() if "death" in m["subject"]]
        assert mails == [
            ("safety-physician", "2026-03-02T01:00:00Z"),
            ("second-physician", "2026-03-02T01:15:00Z"),
            ("medical-director", "2026-03-02T02:00:00Z"),
        ]
        answered = house.acknowledge(alert, by="medical_director")
        assert shanghai(answered["acknowledged_at"]) == "2026-03-02T10:59"
        house.move_to("2026-03-02T18:00+08:00")
        assert len(house.alerts(case_id=receipt["case_id"], kind="fatal")[0]["notices"]) == 3


def test_days_of_an_hourly_alarm_pass_and_a_login_outlives_them(tmp_path: Path) -> None:
    with rehearsal(tmp_path, at=AT) as house:
        receipt = house.report(fatal())
        token = house.token("safety_team")
        house.move_to("2026-03-04T09:00+08:00")
        [alert] = house.alerts(case_id=receipt["case_id"], kind="fatal")
        director = [at for role, at in rung(alert) if role == "medical_director"]
        # From 10:00 on the first day, every hour, the hour of the target included.
        assert director == [f"2026-03-{2 + hour // 24:02}T{hour % 24:02}:00" for hour in range(10, 58)]
        again = httpx.get(f"{house.url}/v1/alerts", headers={"Authorization": f"Bearer {token}"}, timeout=60)
        assert again.status_code == 200


SPLITS = {
    "eighteen times ten minutes": [f"2026-03-02T{9 + m // 60:02}:{m % 60:02}+08:00" for m in range(10, 190, 10)],
    "on, just before and just after what is due": [
        "2026-03-02T09:00:04+08:00",
        "2026-03-02T09:00:05+08:00",
        "2026-03-02T09:14:59.999999+08:00",
        "2026-03-02T09:15+08:00",
        "2026-03-02T09:15:00.000001+08:00",
        "2026-03-02T12:00+08:00",
    ],
    "odd pieces, told in other zones": [
        "2026-03-02T01:07:13+00:00",
        "2026-03-01T21:00:01-05:00",
        "2026-03-02T11:59:59+08:00",
        "2026-03-02T13:00+09:00",
    ],
}


@pytest.fixture(scope="module")
def in_one_go(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return _three_hours(tmp_path_factory.mktemp("one"), ["2026-03-02T12:00+08:00"])


@pytest.mark.parametrize("instants", SPLITS.values(), ids=SPLITS)
def test_however_time_is_cut_into_moves_the_same_happens(
    tmp_path: Path, in_one_go: dict[str, Any], instants: list[str]
) -> None:
    assert _three_hours(tmp_path, instants) == in_one_go


def _three_hours(folder: Path, instants: list[str]) -> dict[str, Any]:
    """What a death, and a hospitalisation that stays uncoded, bring about until noon."""
    with rehearsal(folder, at=AT) as house:
        house.report(fatal())
        house.report(serious())
        for instant in instants:
            house.move_to(instant)
        assert house.now() == "2026-03-02T04:00:00Z"
        port = house.url.rpartition(":")[2]
        told: dict[str, Any] = {
            "alerts": [
                {name: alert[name] for name in ("alert_id", "kind", "level", "reasons", "raised_at", "state")}
                | {"rung": rung(alert)}
                for alert in house.alerts()
            ],
            "clocks": sorted(house.clocks(), key=lambda clock: str(clock["clock_id"])),
            "mails": [(m["to"], m["subject"], m["sent_at"], m["text"].replace(port, "PORT")) for m in house.mails()],
        }
        assert len(told["mails"]) > 5
        return told


def test_who_moves_time_must_be_known_and_may_be_anybody_of_the_house(tmp_path: Path) -> None:
    with rehearsal(tmp_path, at=AT) as house:
        key, password = printed_login(house.process.said)
        assert house.try_to_move("2026-03-02T10:00+08:00", by=None).status_code == 401
        assert house.ask("GET", "/v1/rehearsal/now", by=None).status_code == 401
        assert house.now() == "2026-03-02T01:00:00Z"
        for token, instant in ((house.sign_in("admin", password), "10:00"), (key, "11:00")):
            answer = httpx.post(
                f"{house.url}/v1/rehearsal/now",
                json={"now": f"2026-03-02T{instant}+08:00"},
                headers={"Authorization": f"Bearer {token}"},
                timeout=60,
            )
            assert answer.status_code == 200, answer.text
        answer = house.try_to_move("2026-03-02T12:00+08:00", by="auditor")
        assert answer.json()["now"] == "2026-03-02T04:00:00Z"


@pytest.mark.parametrize(
    ("asked", "problem"),
    [
        ("2026-03-02T08:59:59+08:00", "lies behind: time stands at 2026-03-02T01:00:00Z"),
        ("2026-03-02T00:59:59.999999Z", "lies behind: time stands at 2026-03-02T01:00:00Z"),
        ("2026-03-02T10:00", "has no offset from UTC, so it could be any hour of the world"),
        ("2026-03-02", "has no offset from UTC, so it could be any hour of the world"),
        ("tomorrow", "is no date and time that can be read"),
        ("2026-02-30T10:00+08:00", "is no date and time that can be read"),
        ("0001-01-01T00:00+14:00", "is no date and time that can be read"),
        ("2062-03-02T10:00+08:00", "lies too far ahead of 2026-03-02T01:00:00Z"),
        (1772413200, "should be a valid string"),
        (None, "should be a valid string"),
    ],
)
def test_a_time_that_cannot_be_gone_to_is_refused_at_its_place(house: Rehearsal, asked: object, problem: str) -> None:
    refused = house.try_to_move(asked)
    assert refused.status_code == 422, refused.text
    assert refused.headers["content-type"] == "application/problem+json"
    [wrong] = refused.json()["errors"]
    assert (wrong["pointer"], wrong["problem"]) == ("/now", problem)
    assert wrong["allowed"]
    assert house.now() == "2026-03-02T01:00:00Z"


def test_every_page_every_answer_and_the_watcher_say_rehearsal(house: Rehearsal) -> None:
    for path in ("/mailbox", "/a/no-such-alarm"):
        page = httpx.get(f"{house.url}{path}", timeout=30)
        assert "<b>REHEARSAL.</b> Invented cases. Time stands at Mon 02 Mar 2026, 01:00 (UTC)." in page.text
        assert "<title>REHEARSAL · " in page.text
    assert httpx.get(f"{house.url}/health", timeout=30).headers["x-tocsin-rehearsal"] == "2026-03-02T01:00:00Z"
    assert httpx.get(f"{house.url}/nowhere", timeout=30).headers["x-tocsin-rehearsal"] == "2026-03-02T01:00:00Z"
    ready = httpx.get(f"{house.url}/ready", timeout=30)
    said = "rehearsal: REHEARSAL, every case is invented; time stands at 2026-03-02T01:00:00Z"
    assert (ready.status_code, said in ready.json()["degraded"]) == (200, True)
    interface = httpx.get(f"{house.url}/openapi.json", timeout=30).json()
    assert interface["info"]["title"] == "Tocsin REHEARSAL"
    assert set(interface["paths"]["/v1/rehearsal/now"]) == {"get", "post"}
    assert "REHEARSAL: every case here is invented. Time stands at 2026-03-02T01:00:00Z" in house.process.said


def test_commands_work_beside_it_and_keep_its_time(house: Rehearsal) -> None:
    data = str(house.data)
    words = ("users", "add", "lin", "--role", "safety_physician", "--data", data)
    assert tocsin(*words, stdin="correct horse battery\n").returncode == 0
    assert house.sign_in("lin", "correct horse battery")
    key = tocsin("keys", "add", "--study", "NCT06223646", "--site", "S01", "--data", data).stdout.strip()
    assert status(f"{house.url}/v1/queries", Authorization=f"Bearer {key}") == 200
    with house.store("alerting") as store, store.reading() as tx:
        [at] = [
            row.at
            for row in tx.exec_driver_sql("SELECT at FROM audit WHERE did = 'person added' AND about LIKE '%lin'")
        ]
    assert at.startswith("2026-03-02")
    assert "01:00:00" in at
    assert tocsin("audit", "verify", "--data", data).returncode == 0


def test_mails_and_webhooks_say_rehearsal_and_a_failed_one_is_tried_again_at_its_instant(
    tmp_path: Path, hook: Receiver
) -> None:
    with (
        mail_server() as server,
        rehearsal(tmp_path, at=AT, TOCSIN_SMTP_URL=f"smtp://127.0.0.1:{server.port}?starttls=never") as house,
    ):
        secret = house.webhook(hook.url, "safety_physician")
        hook.then(says(500), says(500))
        house.report(fatal(investigator_aware_at="2026-03-02T07:10+08:00"))
        house.settle()
        assert len(hook.asked) == 1
        # The pauses are 5 and 30 seconds, in a rehearsal without jitter.
        house.move_to("2026-03-02T09:00:34+08:00")
        assert len(hook.asked) == 2
        house.move_to("2026-03-02T09:00:36+08:00")
        for asked in hook.asked:
            body: Any = Webhook(secret).verify(asked.body, asked.headers)  # refuses a timestamp that is not of today
            assert (body["rehearsal"], body["timestamp"]) == (True, "2026-03-02T01:00:00Z")
            assert set(body["data"]) == {"alert_id", "case_id", "kind", "urgency", "due_date", "link"}
        [sent] = house.deliveries(channel="webhook")
        assert (len(hook.asked), sent["state"], shanghai(sent["ended_at"])) == (
            3,
            "delivered",
            "2026-03-02T09:00:35",
        )
        [mail] = [m for m in server.taken if m["To"] == "safety-physician@sponsor.invalid"]
        assert str(mail["Subject"]).startswith("[REHEARSAL] [Tocsin] TOC-0001")
        for kind in ("plain", "html"):
            part = mail.get_body((kind,))
            assert part is not None
            assert "REHEARSAL: an exercise on invented cases. No patient is concerned." in str(part.get_content())


def test_a_receiver_beyond_this_machine_is_not_called_and_that_rings(tmp_path: Path) -> None:
    with rehearsal(tmp_path, at=AT, TOCSIN_WEBHOOK_ALLOW="private,loopback") as house:
        house.webhook("https://93.184.215.14/hook", "safety_physician")
        house.webhook("https://10.0.0.7/hook", "second_physician")
        house.report(fatal())
        house.move_to("2026-03-02T09:20+08:00")
        dead = house.deliveries(channel="webhook", state="dead")
        assert [[(t["outcome"], "this is a rehearsal" in t["why"]) for t in d["attempts"]] for d in dead] == [
            [("give_up", True)],
            [("give_up", True)],
        ]
        assert len(house.alerts(kind="delivery_failed")) == 2


def test_what_is_posted_while_time_moves_rings_at_the_instant_it_was_received(tmp_path: Path) -> None:
    receipts: list[dict[str, Any]] = []
    with rehearsal(tmp_path, at=AT) as house:
        house.report(fatal("S01-001"))
        house.key()
        over = threading.Event()

        def site() -> None:
            number = 10
            while not over.is_set() and number < 20:
                receipts.append(house.report(serious(f"S01-{number:03}")))
                number += 1

        posting = threading.Thread(target=site)
        posting.start()
        house.move_to("2026-03-02T13:00+08:00")
        over.set()
        posting.join()
        house.settle()
        received = {r["case_id"]: r["received_at"] for r in receipts}
        assert len(received) > 3
        for case_id, at in received.items():
            told = house.alerts(case_id=case_id)
            first = min(alert["raised_at"] for alert in told)
            notices = [notice["at"] for alert in told for notice in alert["notices"]]
            assert (first, min(notices)) == (at, at), case_id
        assert house.ask("GET", "/ready").json()["status"] == "ready"


def test_a_killed_house_goes_on_from_the_time_that_was_reached(tmp_path: Path) -> None:
    with rehearsal(tmp_path, at=AT) as house:
        receipt = house.report(fatal())
        house.move_to("2026-03-02T09:30+08:00")
        house.kill()
        behind = tocsin("up", "--rehearsal", "--data", str(house.data), "--port", "0", "--at", AT)
        assert behind.returncode == 2
        assert "time stands at 2026-03-02T01:30:00Z and moves forward only" in behind.stderr
        house.start_again()
        assert house.now() == "2026-03-02T01:30:00Z"
        assert "shown once" not in house.process.said
        house.move_to("2026-03-02T10:30+08:00")
        [alert] = house.alerts(case_id=receipt["case_id"], kind="fatal")
        assert [at for _, at in rung(alert)] == ["2026-03-02T09:00", "2026-03-02T09:15", "2026-03-02T10:00"]
        house.kill()
        # A later --at is a house that was away meanwhile: it owes, and rings when it is back, once.
        house.start_again("--at", "2026-03-02T15:20+08:00")
        house.settle()
        [alert] = house.alerts(case_id=receipt["case_id"], kind="fatal")
        assert rung(alert)[3:] == [("medical_director", "2026-03-02T15:20")]


def test_a_house_that_is_killed_in_the_middle_of_a_move_never_goes_back(tmp_path: Path) -> None:
    with rehearsal(tmp_path, at=AT) as house:
        house.report(fatal())
        house.settle()
        house.token("safety_team")
        moving = threading.Thread(target=_try_to_move, args=(house, "2026-06-02T09:00+08:00", []))
        moving.start()
        wait_until(lambda: _kept(house) >= "2026-03-02T04", "three hours passed")
        house.kill()
        moving.join()
        house.start_again()
        reached = house.now()
        assert "2026-03-02T04:00:00Z" <= reached < "2026-06-02T09:00:00Z"
        house.settle()
        [alert] = house.alerts(kind="fatal")
        hours = [at for role, at in rung(alert) if role == "medical_director"]
        assert hours[:3] == ["2026-03-02T10:00", "2026-03-02T11:00", "2026-03-02T12:00"]
        assert len(set(hours)) == len(hours)
        assert hours[-1] <= shanghai(reached)


def test_a_house_that_is_asked_to_end_in_the_middle_of_a_move_ends_in_time(tmp_path: Path) -> None:
    with rehearsal(tmp_path, at=AT) as house:
        house.report(fatal())
        house.settle()
        answers: list[httpx.Response] = []
        house.token("safety_team")
        moving = threading.Thread(target=_try_to_move, args=(house, "2027-03-02T09:00+08:00", answers))
        moving.start()
        wait_until(lambda: _kept(house) >= "2026-03-02T04", "three hours passed")
        code, took_s = house.process.end()
        moving.join()
        assert (code, took_s < 10) == (0, True), house.process.err.read_text()[-2000:]
        assert all(answer.status_code == 503 for answer in answers)


def _try_to_move(house: Rehearsal, instant: str, answers: list[httpx.Response]) -> None:
    """For a thread of its own: the house is ended meanwhile, and may not answer."""
    with contextlib.suppress(httpx.TransportError):
        answers.append(house.try_to_move(instant))


def _kept(house: Rehearsal) -> str:
    """The time in the folder's mark."""
    found: str = json.loads((house.data / "rehearsal.json").read_text("utf-8"))["now"]
    return found


def test_a_real_house_and_a_rehearsal_never_share_a_folder(tmp_path: Path) -> None:
    real, exercise = tmp_path / "real", tmp_path / "exercise"
    running = House.start(["up", "--data", str(real), "--port", "0"], tmp_path / "1", READY)
    try:
        assert status(f"{running.url}/v1/rehearsal/now") == 404
        _, password = printed_login(running.said)
        session = httpx.post(f"{running.url}/v1/sessions", json={"name": "admin", "password": password}, timeout=30)
        token = {"Authorization": f"Bearer {session.json()['token']}"}
        moved = httpx.post(
            f"{running.url}/v1/rehearsal/now", json={"now": "2030-01-01T00:00Z"}, headers=token, timeout=30
        )
        assert moved.status_code == 404
        assert "x-tocsin-rehearsal" not in moved.headers
    finally:
        running.end()
    before = {path: path.stat().st_mtime_ns for path in real.iterdir() if path.suffix != ".lock"}
    refused = tocsin("up", "--rehearsal", "--data", str(real), "--port", "0")
    assert refused.returncode == 2
    assert f"{real} holds a house that is no rehearsal (alerting.db, coder.db, intake.db, log.db" in refused.stderr
    assert "Name a new or empty folder with --data" in refused.stderr
    assert {path: path.stat().st_mtime_ns for path in real.iterdir() if path.suffix != ".lock"} == before

    with rehearsal(tmp_path / "x", at=AT) as house:
        house.kill()
        exercise = house.data
        for words, more in (
            (("up", "--data", str(exercise), "--port", "0"), {}),
            (("up", "--data", str(real), "--port", "0"), {"TOCSIN_BUS": f"embedded:{exercise}/log.db"}),
            (("serve", "alerting"), {"TOCSIN_DATA": str(exercise), "TOCSIN_SIGNING_KEY": "x" * 40}),
            (
                ("serve", "intake"),
                {
                    "TOCSIN_DATA": str(real),
                    "TOCSIN_BUS": f"embedded:{exercise}/log.db",
                    "TOCSIN_SIGNING_KEY": "x" * 40,
                },
            ),
        ):
            led_astray = tocsin(*words, **more)
            assert led_astray.returncode == 2, (words, led_astray.stdout, led_astray.stderr)
            assert f"{exercise} is the folder of a rehearsal: its cases are invented" in led_astray.stderr


@pytest.mark.parametrize(
    ("words", "more", "said"),
    [
        (("--at", AT), {}, "--at sets the time of a rehearsal: give it together with --rehearsal"),
        (("--rehearsal", "--at", "2026-03-02T09:00"), {}, "--at 2026-03-02T09:00 has no offset from UTC"),
        (("--rehearsal", "--at", "noon"), {}, "--at noon is no date and time that can be read; allowed is a date"),
        (("--rehearsal",), {"TOCSIN_SMTP_URL": "smtp://mail.sponsor.invalid:25"}, "a mail server beyond this machine"),
        (("--rehearsal",), {"TOCSIN_SMTP_URL": "smtps://10.0.0.7:465"}, "a mail server beyond this machine"),
        (("--rehearsal",), {"TOCSIN_BUS": "embedded:/var/lib/tocsin/log.db"}, "a log outside the data folder"),
        (("--rehearsal",), {"TOCSIN_BUS": "kafka://127.0.0.1:9"}, "TOCSIN_BUS or TOCSIN_DATABASE names another place"),
    ],
)
def test_what_is_asked_wrongly_is_refused_before_anything_is_written(
    tmp_path: Path, words: tuple[str, ...], more: dict[str, str], said: str
) -> None:
    data = tmp_path / "data"
    refused = tocsin("up", "--data", str(data), "--port", "0", *words, **more)
    assert refused.returncode == 2
    assert said in refused.stderr
    assert not data.exists() or {path.name for path in data.iterdir()} <= {"up.lock"}
