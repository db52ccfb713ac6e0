"""The ledger alone."""

from alembic import op

from tocsin.store.ledger_migrations import create_ledger

revision = "0001"
down_revision = None


def upgrade() -> None:
    create_ledger(op)
