"""Alembic's environment, one for every service: run by Alembic alone, on the connection that `migrate.py` hands it.

A service keeps only its `migrations/versions/*.py`.
"""

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=context.config.attributes["metadata"],
    # SQLite too: `migrate.py` holds one transaction around all steps, so a failed upgrade leaves nothing behind.
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
