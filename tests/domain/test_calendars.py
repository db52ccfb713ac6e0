"""Partial dates as CDISC writes them, and local time with its gaps and overlaps."""

from __future__ import annotations

import csv
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.domain.cases import BERLIN, NEW_YORK, REFERENCE, SHANGHAI
from tocsin.domain.calendars import Partial, end_of_day, instant, is_ambiguous, local_day

SAO_PAULO = ZoneInfo("America/Sao_Paulo")
ZONES = [SHANGHAI, NEW_YORK, BERLIN, SAO_PAULO, ZoneInfo("Australia/Lord_Howe"), ZoneInfo("Pacific/Apia")]


WALL_TIMES = st.datetimes(datetime(1990, 1, 1), datetime(2060, 1, 1))  # noqa: DTZ001 (they have no zone yet)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "earliest", "latest"),
    [
        ("2026", "2025-12-31T16:00:00", "2026-12-31T15:59:59"),
        ("2026-02", "2026-01-31T16:00:00", "2026-02-28T15:59:59"),
        ("2028-02", "2028-01-31T16:00:00", "2028-02-29T15:59:59"),
        ("2026-12", "2026-11-30T16:00:00", "2026-12-31T15:59:59"),
        ("2026-03-05", "2026-03-04T16:00:00", "2026-03-05T15:59:59"),
        ("2028-02-29", "2028-02-28T16:00:00", "2028-02-29T15:59:59"),
        ("2026-03-05T14", "2026-03-05T06:00:00", "2026-03-05T06:59:59"),
        ("2026-03-05T14:30", "2026-03-05T06:30:00", "2026-03-05T06:30:59"),
        ("2026-03-05T14:30:20", "2026-03-05T06:30:20", "2026-03-05T06:30:20"),
        ("2026-03-05T14:30:20.125", "2026-03-05T06:30:20", "2026-03-05T06:30:20"),
        ("2026-03-05T14:30+01:00", "2026-03-05T13:30:00", "2026-03-05T13:30:59"),
        ("2026-03-05T14:30-05:00", "2026-03-05T19:30:00", "2026-03-05T19:30:59"),
        ("2026-03-05T14:30Z", "2026-03-05T14:30:00", "2026-03-05T14:30:59"),
        # The missing parts of the SDTM implementation guide: month, minute, hour.
        ("2003---15", "2003-01-14T16:00:00", "2003-12-15T15:59:59"),
        ("2003-12-15T13:-:17", "2003-12-15T05:00:17", "2003-12-15T05:59:17"),
        ("2003-12-15T-:15", "2003-12-14T16:15:00", "2003-12-15T15:15:59"),
        ("2003---31", "2003-01-30T16:00:00", "2003-12-31T15:59:59"),
    ],
)
@pytest.mark.rule("SDTM IG: partial dates")
def test_a_partial_date_means_every_instant_it_leaves_open(text: str, earliest: str, latest: str) -> None:
    span = Partial.parse(text).span(SHANGHAI)
    assert span is not None
    assert (span.earliest, span.latest) == (utc(earliest), utc(latest))


@pytest.mark.parametrize("text", ["--12-15", "-----T07:15", "--02-29", "----15"])
def test_without_a_year_it_means_no_instant(text: str) -> None:
    assert Partial.parse(text).span(SHANGHAI) is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "not a date"),
        ("-", "says nothing of a date"),
        ("---", "says nothing of a date"),
        ("yesterday", "not a date"),
        ("2026-3-5", "not a date"),
        ("05.03.2026", "not a date"),
        ("2026-03-05 14:30", "not a date"),
        ("2026-03-05\n", "not a date"),
        ("２０２６-03-05", "not a date"),
        ("2026-03-05T14:30+08:75", "not a date"),
        ("2026-03-05+08:00", "zone without a time"),
        ("2026-03-05T-+08:00", "zone without a time"),
        ("0000-03-05", "year is out of range"),
        ("2026-00", "month is out of range"),
        ("2026-13-01", "month is out of range"),
        ("2026-03-00", "day is out of range"),
        ("2026---32", "day is out of range"),
        ("2026-02-29", "day is out of range for month"),
        ("2026-04-31", "day is out of range for month"),
        ("2100-02-29", "day is out of range for month"),
        ("--04-31", "day is out of range for month"),
        ("2026-03-05T24:00", "hour is out of range"),
        ("2026-03-05T23:60", "minute is out of range"),
        ("2026-03-05T23:59:60", "second is out of range"),
    ],
)
def test_a_date_that_does_not_exist_is_refused_and_says_what_is_wrong(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Partial.parse(text)


def _two(most: int, least: int = 0) -> st.SearchStrategy[str]:
    return st.integers(least, most).map("{:02d}".format)


PARTIALS = st.one_of(
    st.integers(1, 9999).map("{:04d}".format),
    st.builds("{:04d}-{}".format, st.integers(1, 9999), _two(12, 1)),
    st.builds("{:04d}-{}-{}".format, st.integers(1800, 2200), st.one_of(_two(12, 1), st.just("-")), _two(28, 1)),
    st.builds("{:04d}-{}-{}T{}".format, st.integers(1800, 2200), _two(12, 1), _two(28, 1), _two(23)),
    st.builds(
        "{:04d}-{}-{}T{}:{}".format,
        st.integers(1, 9999),
        _two(12, 1),
        _two(28, 1),
        st.one_of(_two(23), st.just("-")),
        _two(59),
    ),
)


@given(PARTIALS, st.sampled_from(ZONES))
def test_the_text_is_kept_and_the_span_never_runs_backwards(text: str, zone: ZoneInfo) -> None:
    read = Partial.parse(text)
    span = read.widest(zone)
    assert read.text == str(read) == text
    assert span is not None
    assert span.earliest <= span.latest


@given(WALL_TIMES, st.sampled_from(ZONES))
def test_less_of_a_date_never_excludes_what_more_of_it_allows(moment: datetime, zone: ZoneInfo) -> None:
    whole = Partial.parse(f"{moment:%Y-%m-%dT%H:%M}").widest(zone)
    for shorter in (f"{moment:%Y}", f"{moment:%Y-%m}", f"{moment:%Y-%m-%d}", f"{moment:%Y---%d}"):
        wider = Partial.parse(shorter).widest(zone)
        assert whole is not None
        assert wider is not None
        assert wider.earliest <= whole.latest
        assert wider.latest >= whole.earliest


@pytest.mark.parametrize(
    ("text", "zone"),
    [
        ("2026-03-08T02:30", NEW_YORK),
        ("2026-03-08T02", NEW_YORK),
        ("2026-03-29T02:30", BERLIN),
        ("2018-11-04T00:30", SAO_PAULO),
        ("2011-12-30T12:00", ZoneInfo("Pacific/Apia")),
    ],
)
@pytest.mark.rule("rules.md D6")
def test_a_local_time_in_a_gap_is_nonexistent(text: str, zone: ZoneInfo) -> None:
    with pytest.raises(ValueError, match=r"^nonexistent local time"):
        Partial.parse(text).span(zone)
    with pytest.raises(ValueError, match=r"nonexistent local time|not an exact time"):
        instant(text, zone)


def test_a_rule_that_must_answer_reads_a_gap_on_both_of_its_sides() -> None:
    span = Partial.parse("2026-03-08T02:30").widest(NEW_YORK)
    assert span is not None
    assert (span.earliest, span.latest) == (utc("2026-03-08T06:30:59"), utc("2026-03-08T07:30:00"))


def test_a_time_with_its_own_offset_exists_even_in_a_gap() -> None:
    assert instant("2026-03-08T02:30-05:00", NEW_YORK) == utc("2026-03-08T07:30:00")


@pytest.mark.rule("rules.md D6: U06 and U07")
def test_an_overlap_is_asked_about_and_an_offset_settles_it() -> None:
    assert is_ambiguous("2026-11-01T01:30", NEW_YORK)
    with pytest.raises(ValueError, match=r"^ambiguous local time: .*01:30-04:00 or 2026-11-01T01:30-05:00"):
        instant("2026-11-01T01:30", NEW_YORK)
    assert instant("2026-11-01T01:30-04:00", NEW_YORK) == utc("2026-11-01T05:30:00")
    assert instant("2026-11-01T01:30-05:00", NEW_YORK) == utc("2026-11-01T06:30:00")
    assert not is_ambiguous("2026-11-01T01:30-05:00", NEW_YORK)
    assert not is_ambiguous("2026-11-01T03:30", NEW_YORK)
    assert not is_ambiguous("2026-11-01", NEW_YORK)


def test_an_overlap_spans_both_passes_of_the_wall_clock() -> None:
    span = Partial.parse("2026-11-01T01:30").span(NEW_YORK)
    assert span is not None
    assert (span.earliest, span.latest) == (utc("2026-11-01T05:30:00"), utc("2026-11-01T06:30:59"))


@pytest.mark.parametrize("text", ["2026", "2026-03", "2026-03-05", "2026-03-05T14", "--03-05", "2003-12-15T-:15"])
def test_what_is_not_whole_is_no_exact_time(text: str) -> None:
    with pytest.raises(ValueError, match="not an exact time"):
        instant(text, SHANGHAI)


@pytest.mark.parametrize(
    ("day", "zone", "end"),
    [
        (date(2026, 3, 9), SHANGHAI, "2026-03-09T15:59:59"),
        (date(2026, 3, 14), NEW_YORK, "2026-03-15T03:59:59"),
        (date(2026, 3, 8), NEW_YORK, "2026-03-09T03:59:59"),
        (date(2026, 11, 1), NEW_YORK, "2026-11-02T04:59:59"),
        (date(2026, 10, 25), BERLIN, "2026-10-25T22:59:59"),
    ],
)
@pytest.mark.rule("rules.md D2")
def test_a_day_ends_at_its_own_last_second(day: date, zone: ZoneInfo, end: str) -> None:
    assert end_of_day(day, zone) == utc(end)


@pytest.mark.rule("rules.md D1, D3: C03 and C04")
def test_one_minute_makes_another_local_day() -> None:
    assert local_day(instant("2026-03-02T23:59", SHANGHAI), SHANGHAI) == date(2026, 3, 2)
    assert local_day(instant("2026-03-03T00:00", SHANGHAI), SHANGHAI) == date(2026, 3, 3)
    assert local_day(instant("2026-03-03T00:00", SHANGHAI), NEW_YORK) == date(2026, 3, 2)


@given(WALL_TIMES, st.sampled_from(ZONES))
def test_an_exact_time_reads_back_as_written(moment: datetime, zone: ZoneInfo) -> None:
    text = f"{moment:%Y-%m-%dT%H:%M}"
    try:
        found = instant(text, zone)
    except ValueError:
        assume(False)
    assert f"{found.astimezone(zone):%Y-%m-%dT%H:%M}" == text


@pytest.mark.reference
@pytest.mark.rule("clock_invalid_inputs.csv")
def test_every_invalid_time_of_the_reference_gives_the_error_it_names() -> None:
    with (REFERENCE / "rules" / "clock_invalid_inputs.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) >= 3
    for row in rows:
        with pytest.raises(ValueError) as wrong:
            instant(row["awareness_local"], ZoneInfo(row["tz"]))
        assert str(wrong.value).startswith(row["expected_error"]), row
