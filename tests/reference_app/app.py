"""A bare service that takes the same report, as people write one with FastAPI and SQLAlchemy: the yardstick of speed.

`POST /reports` understands a report by the very model of the intake, keeps it with one INSERT, commits and answers.
There is no key, no idempotency, no judgement, no audit, no outbox. What is kept is as durable as ours: SQLite has a
write-ahead log and `synchronous=FULL`. `POST /validated` answers the same without a database.
"""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from fastapi import FastAPI
from pydantic import BaseModel
from sqlalchemy import JSON, Column, DateTime, Engine, MetaData, String, Table, Text, create_engine, event, insert

from tocsin.messages.facts import ReportFacts

metadata = MetaData()
reports = Table(
    "reports",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("subject", Text, index=True),
    Column("received_at", DateTime(timezone=True), nullable=False),
    Column("body", JSON, nullable=False),
)


class Receipt(BaseModel):
    """The answer."""

    id: str
    received_at: datetime


def make(database: str) -> FastAPI:
    """The service on this database; its table is made."""
    engine = open_engine(database)
    metadata.create_all(engine)
    app = FastAPI()

    @app.post("/reports", status_code=201)
    def post_report(report: ReportFacts) -> Receipt:
        receipt = _receipt()
        row = {**receipt.model_dump(), "subject": report.subject, "body": report.model_dump(mode="json")}
        with engine.begin() as connection:
            connection.execute(insert(reports), row)
        return receipt

    @app.post("/validated", status_code=201)
    async def validate(report: ReportFacts) -> Receipt:
        return _receipt()

    return app


def open_engine(database: str) -> Engine:
    """One connection for each of the threads that FastAPI answers with, so that none waits for another to be opened."""
    engine = create_engine(database, pool_size=40)
    if engine.dialect.name == "sqlite":

        @event.listens_for(engine, "connect")
        def durable(raw: sqlite3.Connection, _: Any) -> None:
            raw.execute("PRAGMA journal_mode=WAL")
            raw.execute("PRAGMA synchronous=FULL")

    return engine


def _receipt() -> Receipt:
    return Receipt(id=str(uuid4()), received_at=datetime.now(UTC))
