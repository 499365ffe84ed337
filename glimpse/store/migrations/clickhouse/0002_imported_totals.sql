-- What another tracker counted of whole days. Never mixed with counts of events: a question of its own tells it.
CREATE TABLE imported_totals (
    id UUID,
    project LowCardinality(String),
    origin LowCardinality(String), -- who counted
    day DateTime64(3), -- its beginning, as if the zone of whoever counted were UTC
    dimension LowCardinality(String), -- what it is counted by; 'day' is everything of the day
    value Nullable(String), -- NULL is unknown
    visitors Nullable(Int64),
    visits Nullable(Int64),
    page_views Nullable(Int64),
    events Nullable(Int64),
    bounces Nullable(Int64),
    visit_duration_s Nullable(Int64), -- of all visits together
    version UInt64 DEFAULT 0
) ENGINE = ReplacingMergeTree(version)
ORDER BY (project, dimension, day, id);
