"""A webhook's earlier secret, and since when it fails."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from tocsin.store.types import Instant

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column("webhooks", sa.Column("earlier_secret", sa.Text))
    op.add_column("webhooks", sa.Column("earlier_until", Instant))
    op.add_column("webhooks", sa.Column("failing_since", Instant))
