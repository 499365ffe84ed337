-- Times are UTC. Unknown facts are NULL, never 0 or ''.
CREATE TABLE events (
    id UUID NOT NULL,
    project VARCHAR NOT NULL,
    session_id UUID NOT NULL,
    name VARCHAR NOT NULL,
    time TIMESTAMP_MS NOT NULL,
    received_at TIMESTAMP_MS NOT NULL,
    url VARCHAR,
    host VARCHAR,
    page VARCHAR,
    title VARCHAR,
    referrer VARCHAR,
    source VARCHAR,
    channel VARCHAR NOT NULL,
    utm_source VARCHAR,
    utm_medium VARCHAR,
    utm_campaign VARCHAR,
    utm_term VARCHAR,
    utm_content VARCHAR,
    country VARCHAR,
    region VARCHAR,
    city VARCHAR,
    time_zone VARCHAR,
    lat DOUBLE,
    lon DOUBLE,
    place_source VARCHAR,
    browser VARCHAR,
    os VARCHAR,
    device VARCHAR,
    language VARCHAR,
    screen VARCHAR,
    viewport VARCHAR,
    properties VARCHAR NOT NULL, -- JSON object
    context VARCHAR NOT NULL -- JSON object: what has no column
);

CREATE TABLE sessions (
    project VARCHAR NOT NULL,
    id UUID NOT NULL,
    started_at TIMESTAMP_MS NOT NULL,
    last_seen_at TIMESTAMP_MS NOT NULL,
    duration_s DOUBLE NOT NULL,
    entry_page VARCHAR,
    entry_at TIMESTAMP_MS,
    exit_page VARCHAR,
    exit_at TIMESTAMP_MS,
    pages INTEGER NOT NULL,
    events INTEGER NOT NULL,
    interactions INTEGER NOT NULL,
    engaged_ms BIGINT NOT NULL,
    is_bounce BOOLEAN NOT NULL,
    country VARCHAR,
    region VARCHAR,
    city VARCHAR,
    time_zone VARCHAR,
    lat DOUBLE,
    lon DOUBLE,
    browser VARCHAR,
    os VARCHAR,
    device VARCHAR,
    referrer VARCHAR,
    source VARCHAR,
    channel VARCHAR NOT NULL,
    utm_source VARCHAR,
    utm_medium VARCHAR,
    utm_campaign VARCHAR,
    client_session VARCHAR -- the client's own id of the session
);

-- What the drain did with accepted events; the edge's counts are in Redis.
CREATE TABLE ledger (
    project VARCHAR NOT NULL,
    outcome VARCHAR NOT NULL, -- stored, duplicate, dead_lettered
    events BIGINT NOT NULL,
    PRIMARY KEY (project, outcome)
);

-- The last stream entry whose events are all in this store.
CREATE TABLE positions (
    stream VARCHAR PRIMARY KEY,
    entry_id VARCHAR NOT NULL
);
