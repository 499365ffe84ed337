-- What another tracker counted of whole days. Never mixed with counts of events: a question of its own tells it.
CREATE TABLE imported_totals (
    id UUID NOT NULL,
    project VARCHAR NOT NULL,
    origin VARCHAR NOT NULL, -- who counted
    day TIMESTAMP_MS NOT NULL, -- its beginning, as if the zone of whoever counted were UTC
    dimension VARCHAR NOT NULL, -- what it is counted by; 'day' is everything of the day
    value VARCHAR, -- NULL is unknown
    visitors BIGINT,
    visits BIGINT,
    page_views BIGINT,
    events BIGINT,
    bounces BIGINT,
    visit_duration_s BIGINT -- of all visits together
);
