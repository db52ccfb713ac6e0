"""A coder on a real SQLite store, and the words to feed it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from meddra_coder import app, tables
from meddra_coder.coders import Coders
from meddra_coder.handle import Parts
from tocsin.domain.protocol import CodingSettings
from tocsin.messages.bodies import KeptEvent, ReportReceivedV1
from tocsin.messages.envelope import Envelope, identity
from tocsin.messages.facts import EventFacts, ReportFacts
from tocsin.store.engine import Store, open_store
from tocsin.store.migrate import bring_up
from tocsin.studies import load

PROTOCOLS = Path(__file__).parents[2] / "deploy" / "protocols"
STUDY = "NCT06223646"
AT = datetime(2026, 3, 2, 1, 15, tzinfo=UTC)


def report(
    *events: dict[str, Any], case_id: str = "TOC-0031", revision: int = 1, at: datetime = AT, study: str = STUDY
) -> Envelope[ReportReceivedV1]:
    """A report as intake says it."""
    facts = [EventFacts.model_validate(event) for event in events]
    return Envelope(
        id=identity("report", case_id, str(revision)),
        type="reports.received.v1",
        key=case_id,
        source="ae-intake",
        study=study,
        occurred_at=at,
        recorded_at=at,
        body=ReportReceivedV1(
            case_id=case_id,
            revision=revision,
            study=study,
            site="S01",
            subject="S01-003",
            received_at=at,
            facts=ReportFacts(subject="S01-003", events=facts),
            events=[KeptEvent(event_id=f"{case_id}-E{n}", facts=f) for n, f in enumerate(facts, 1)],
        ),
    )


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(f"sqlite:///{tmp_path / 'coder.db'}", "coder")
    bring_up(opened, tables.metadata, migrations=app.MIGRATIONS, head=tables.HEAD)
    yield opened
    opened.close()


@pytest.fixture
def parts() -> Parts:
    return Parts(Coders(), load(sorted(PROTOCOLS.glob("*.toml"))))


@pytest.fixture
def two_people(parts: Parts) -> Parts:
    """The same where the first study asks for a second person."""
    agreed = replace(parts.studies[STUDY], coding=CodingSettings(second_person=True))
    return Parts(parts.coders, {**parts.studies, STUDY: agreed})
