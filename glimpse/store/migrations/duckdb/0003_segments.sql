-- Saved filters; those of project '*' are for all.
CREATE TABLE segments (
    project VARCHAR NOT NULL,
    name VARCHAR NOT NULL,
    filter VARCHAR NOT NULL, -- JSON, as `glimpse.filters.to_json` makes it
    PRIMARY KEY (project, name)
);
