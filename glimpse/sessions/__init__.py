"""Sessions: `tracker.py` says which run of activity an event belongs to, `account.py` what is known of each run."""

from glimpse.sessions.account import account_of
from glimpse.sessions.tracker import LATENESS_MS, SessionTracker, uuid7_of

__all__ = ["LATENESS_MS", "SessionTracker", "account_of", "uuid7_of"]
