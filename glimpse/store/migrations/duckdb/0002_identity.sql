-- Who an event's visitor was, of projects that keep it; NULL in all others.
ALTER TABLE events ADD COLUMN user_id VARCHAR;
ALTER TABLE events ADD COLUMN anonymous_id VARCHAR;
ALTER TABLE events ADD COLUMN traits VARCHAR; -- JSON object
