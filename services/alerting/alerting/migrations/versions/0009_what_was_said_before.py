"""The inbox says after which message of the service's own each was handled."""

from __future__ import annotations

from alembic import op

from tocsin.store import ledger_migrations

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    ledger_migrations.know_what_was_said_before(op)
