"""A query may be about an event of which there is no case: a list of the site names it, and we hold nothing."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """What was asked before is about a case, and stays so."""
    # SQLite cannot change a column: the table is made anew, with its counter, which never gives a number twice.
    with op.batch_alter_table("queries", table_kwargs={"sqlite_autoincrement": True}) as queries:
        queries.alter_column("case_id", existing_type=sa.Text, nullable=True)
        queries.add_column(sa.Column("statement", sa.Text))
