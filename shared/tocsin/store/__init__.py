"""What Tocsin keeps and how: SQLAlchemy Core on SQLite or PostgreSQL, with one code path for both.

Start at `engine.py` (open a store, get a transaction). `tables.py` is the ledger that every service keeps beside its
own tables; `outbox.py`, `inbox.py` and `audit.py` write it; `writer.py` commits many small works at once;
`migrate.py` brings a database up to this version. Knows nothing of medicine.
"""
