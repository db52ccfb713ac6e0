"""The ledger alone, with every step that it has."""

from alembic import op

from tocsin.store.ledger_migrations import create_ledger, know_what_was_said_before

revision = "0001"
down_revision = None


def upgrade() -> None:
    create_ledger(op)
    know_what_was_said_before(op)
