-- Times are UTC. Unknown facts are NULL, never 0 or ''. Statements end with a semicolon at the end of a line.
-- A row that comes again (a lot that was sent twice, a session that goes on, an event whose session became another's)
-- replaces the one before: the reader's `final` setting sees to it before the merges do.
CREATE TABLE events (
    id UUID,
    project LowCardinality(String),
    session_id UUID,
    name LowCardinality(String),
    time DateTime64(3),
    received_at DateTime64(3),
    url Nullable(String),
    host LowCardinality(Nullable(String)),
    page Nullable(String),
    title Nullable(String),
    referrer Nullable(String),
    source LowCardinality(Nullable(String)),
    channel LowCardinality(String),
    utm_source LowCardinality(Nullable(String)),
    utm_medium LowCardinality(Nullable(String)),
    utm_campaign LowCardinality(Nullable(String)),
    utm_term LowCardinality(Nullable(String)),
    utm_content LowCardinality(Nullable(String)),
    country LowCardinality(Nullable(String)),
    region LowCardinality(Nullable(String)),
    city LowCardinality(Nullable(String)),
    time_zone LowCardinality(Nullable(String)),
    lat Nullable(Float64),
    lon Nullable(Float64),
    place_source LowCardinality(Nullable(String)),
    browser LowCardinality(Nullable(String)),
    os LowCardinality(Nullable(String)),
    device LowCardinality(Nullable(String)),
    language LowCardinality(Nullable(String)),
    screen LowCardinality(Nullable(String)),
    viewport LowCardinality(Nullable(String)),
    properties String, -- JSON object
    context String, -- JSON object: what has no column
    user_id Nullable(String),
    anonymous_id Nullable(String),
    traits Nullable(String), -- JSON object
    version UInt64 DEFAULT 0,
    INDEX by_id id TYPE bloom_filter(0.01) GRANULARITY 1, -- was it stored before?
    INDEX by_session session_id TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX by_receipt received_at TYPE minmax GRANULARITY 1
) ENGINE = ReplacingMergeTree(version)
PARTITION BY toYYYYMM(time)
ORDER BY (project, time, id)
SETTINGS non_replicated_deduplication_window = 1000;

CREATE TABLE sessions (
    project LowCardinality(String),
    id UUID,
    started_at DateTime64(3),
    last_seen_at DateTime64(3),
    duration_s Float64,
    entry_page Nullable(String),
    entry_at Nullable(DateTime64(3)),
    exit_page Nullable(String),
    exit_at Nullable(DateTime64(3)),
    pages Int32,
    events Int32,
    interactions Int32,
    engaged_ms Int64,
    is_bounce Bool,
    country LowCardinality(Nullable(String)),
    region LowCardinality(Nullable(String)),
    city LowCardinality(Nullable(String)),
    time_zone LowCardinality(Nullable(String)),
    lat Nullable(Float64),
    lon Nullable(Float64),
    browser LowCardinality(Nullable(String)),
    os LowCardinality(Nullable(String)),
    device LowCardinality(Nullable(String)),
    referrer Nullable(String),
    source LowCardinality(Nullable(String)),
    channel LowCardinality(String),
    utm_source LowCardinality(Nullable(String)),
    utm_medium LowCardinality(Nullable(String)),
    utm_campaign LowCardinality(Nullable(String)),
    client_session Nullable(String), -- the client's own id of the session
    version UInt64 DEFAULT 0,
    is_gone UInt8 DEFAULT 0, -- it is part of another by now
    INDEX by_start started_at TYPE minmax GRANULARITY 1,
    INDEX by_end last_seen_at TYPE minmax GRANULARITY 1
) ENGINE = ReplacingMergeTree(version, is_gone)
ORDER BY (project, id)
SETTINGS non_replicated_deduplication_window = 1000;

-- Each writer's lot that is under way: what a crash left half written is written to its end from here. One row a writer.
CREATE TABLE lots (
    writer String,
    lot String, -- shards and entries, or a number: the token by which inserts are known again
    payload String CODEC(ZSTD(3)), -- JSON; '' when there is nothing left to do
    version UInt64
) ENGINE = ReplacingMergeTree(version)
ORDER BY writer;

-- Written last, one block a lot: what each writer did with events so far, how far each shard is stored, and which lot
-- of a writer is done. So one look at this table is of one moment. The edge's counts are in Redis.
CREATE TABLE ledger (
    project LowCardinality(String),
    outcome LowCardinality(String), -- stored, duplicate, dead_lettered, imported, expired; position; lot
    writer String, -- '' of positions
    shard Int32, -- -1 of all but positions
    events Int64, -- from the writer's beginning
    entry_id String, -- the last stream entry whose events are all in this store; of lots the writer's last lot
    version UInt64
) ENGINE = ReplacingMergeTree(version)
ORDER BY (project, outcome, writer, shard);

-- Saved filters; those of project '*' are for all.
CREATE TABLE segments (
    project String,
    name String,
    filter String, -- JSON, as `glimpse.filters.to_json` makes it
    version UInt64,
    is_gone UInt8 DEFAULT 0
) ENGINE = ReplacingMergeTree(version, is_gone)
ORDER BY (project, name);
