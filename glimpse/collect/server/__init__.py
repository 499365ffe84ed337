"""The fast collector: the edge on bare asyncio protocols, `glimpse collect`.

Read `connection.py` first, one client's bytes as requests, then `answering.py`, their answers in order. `site.py` says
what is at a path, `worker.py` is one process, `supervisor.py` keeps several. Rule of this package: no Panel, Tornado,
pandas or DuckDB is imported.
"""
