"""The envelope keeps what it carries, and what it cannot read is poison with a reason."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.bus.port import Received, Record
from tocsin.errors import Poison
from tocsin.messages.bodies import KeptEvent, ReportReceivedV1
from tocsin.messages.envelope import Envelope, encode, identity
from tocsin.messages.facts import EventFacts, ReportFacts
from tocsin.messages.reading import decode

AT = datetime(2026, 3, 2, 1, 15, 0, 123456, tzinfo=UTC)


def report(verbatim: str = "发热 fever", **facts: object) -> Envelope[ReportReceivedV1]:
    event = EventFacts.model_validate({"verbatim": verbatim, **facts})
    return Envelope(
        id=UUID("6f0f4c1e-0000-4000-8000-000000000001"),
        type="reports.received.v1",
        key="TOC-0031",
        source="ae-intake",
        study="NCT06223646",
        occurred_at=AT,
        recorded_at=AT,
        body=ReportReceivedV1(
            case_id="TOC-0031",
            revision=1,
            study="NCT06223646",
            site="S01",
            subject="S01-003",
            received_at=AT,
            facts=ReportFacts(subject="S01-003", events=[event]),
            events=[KeptEvent(event_id="TOC-0031-E1", facts=event)],
        ),
    )


def received(record: Record) -> Received:
    return Received(record.topic, 0, 0, record.key, record.value, record.headers)


def test_a_message_reads_back_as_it_was_written() -> None:
    sent = report(course=[{"grade": 3, "scale": "astct", "from": "2026-03-05T14:00"}])

    assert decode(received(encode(sent))) == sent


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), min_size=1, max_size=200))
def test_any_words_of_a_site_survive_the_way(verbatim: str) -> None:
    assert decode(received(encode(report(verbatim)))).body.events[0].facts.verbatim == verbatim


def test_the_attributes_are_those_of_cloudevents() -> None:
    headers = encode(report()).headers

    assert headers == {
        "ce_specversion": "1.0",
        "ce_id": "6f0f4c1e-0000-4000-8000-000000000001",
        "ce_type": "reports.received.v1",
        "ce_source": "ae-intake",
        "ce_subject": "TOC-0031",
        "ce_time": "2026-03-02T01:15:00.123456Z",
        "ce_recordedat": "2026-03-02T01:15:00.123456Z",
        "ce_study": "NCT06223646",
        "content-type": "application/json",
    }


def test_what_a_site_left_out_stays_out() -> None:
    value = encode(report()).value.decode()

    assert "investigator_aware_at" not in value
    assert "serious" not in value


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"ce_type": "reports.received.v9"}, "no message is called 'reports.received.v9'"),
        ({"ce_specversion": "0.3"}, "ce_specversion '0.3' is not 1.0"),
        ({"ce_id": "not-a-uuid"}, "a header cannot be read"),
        ({"ce_time": "yesterday"}, "a header cannot be read"),
        ({"ce_time": "2026-03-02T01:15:00"}, "has no zone"),
    ],
)
def test_a_header_that_breaks_the_contract_is_poison(change: dict[str, str], says: str) -> None:
    record = encode(report())

    with pytest.raises(Poison, match=says):
        decode(Received(record.topic, 0, 0, record.key, record.value, {**record.headers, **change}))


def test_a_missing_header_is_poison_and_named() -> None:
    record = encode(report())
    headers = {k: v for k, v in record.headers.items() if k != "ce_study"}

    with pytest.raises(Poison, match="header 'ce_study' is missing"):
        decode(Received(record.topic, 0, 0, record.key, record.value, headers))


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (b"", "breaks its contract"),
        (b"{", "breaks its contract"),
        (b"\xff\xfe", "breaks its contract"),
        (b"[]", "breaks its contract"),
        (b'{"case_id": "TOC-0031"}', "/revision: Field required"),
    ],
)
def test_a_body_that_breaks_the_contract_is_poison(value: bytes, says: str) -> None:
    record = encode(report())

    with pytest.raises(Poison, match=says):
        decode(Received(record.topic, 0, 0, record.key, value, record.headers))


def test_an_unknown_field_is_poison_because_it_may_be_a_misread_fact() -> None:
    record = encode(report())
    value = record.value.replace(b'"case_id"', b'"caseid"', 1)

    with pytest.raises(Poison, match="/caseid"):
        decode(Received(record.topic, 0, 0, record.key, value, record.headers))


def test_a_naive_time_never_leaves() -> None:
    sent = report()
    naive = Envelope(
        id=sent.id, type=sent.type, key=sent.key, source=sent.source, study=sent.study,
        occurred_at=datetime(2026, 3, 2, 1, 15), recorded_at=AT, body=sent.body,  # noqa: DTZ001  the fault under test
    )  # fmt: skip

    with pytest.raises(ValueError, match="aware"):
        encode(naive)


def test_the_same_fact_has_the_same_id_and_parts_never_run_together() -> None:
    assert identity("coded", "TOC-0031", "1") == identity("coded", "TOC-0031", "1")
    assert identity("coded", "TOC-0031", "1") != identity("coded", "TOC-003", "11")
