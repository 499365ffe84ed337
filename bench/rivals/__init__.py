"""The month that `bench/queries.py` asks about, and the same questions in pandas and in SQL for SQLite."""
