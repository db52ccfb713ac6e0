"""The contract files say what the code does, and the table of topics is whole."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from tests.messages.test_envelope import report
from tocsin.bus.port import Topic
from tocsin.messages import schemas
from tocsin.messages.envelope import encode
from tocsin.messages.topics import CONTRACTS, all_topics, read_by

FOLDER = Path(__file__).parents[2] / "shared" / "schemas"


def test_the_schemas_in_the_repository_are_those_the_code_would_write() -> None:
    there = {f.name: f.read_text("utf-8") for f in FOLDER.iterdir()}

    assert there == schemas.files()


def test_a_message_on_the_wire_holds_to_its_published_schema() -> None:
    schema = json.loads((FOLDER / "reports.received.v1.json").read_text("utf-8"))

    jsonschema.Draft202012Validator(schema).validate(json.loads(encode(report()).value))


def test_the_published_schema_refuses_an_unknown_field() -> None:
    schema = json.loads((FOLDER / "reports.received.v1.json").read_text("utf-8"))
    value = {**json.loads(encode(report()).value), "grade_guess": 3}

    with pytest.raises(jsonschema.ValidationError, match="grade_guess"):
        jsonschema.Draft202012Validator(schema).validate(value)


def test_the_asyncapi_page_names_every_topic_and_its_dead_letters() -> None:
    page = yaml.safe_load((FOLDER / "asyncapi.yaml").read_text("utf-8"))

    addresses = {channel["address"] for channel in page["channels"].values()}
    assert addresses == {c.topic for c in CONTRACTS} | {f"{c.topic}.dead" for c in CONTRACTS}


def test_safety_data_is_kept_for_ever() -> None:
    assert {topic.retention for topic in all_topics()} == {None}
    assert Topic("reports.received.v1.dead", 1, 3, None) in all_topics(6, 3)


def test_alerting_listens_to_reports_and_to_codings_so_that_a_death_rings_before_it_is_coded() -> None:
    assert {"reports.received.v1", "events.coded.v1"} <= set(read_by("alerting"))


def test_every_key_is_a_field_of_its_message() -> None:
    for contract in CONTRACTS:
        assert contract.key in contract.body.model_fields, contract.topic
