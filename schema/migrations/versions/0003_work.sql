-- Schema reconciler: what is being done, and by whom. Apart from deltashare, so that those tables are the history alone.

CREATE TABLE reconciler.plans (
    plan_id      UUID PRIMARY KEY,
    commit_id    TEXT,
    actor        TEXT NOT NULL,
    document     JSONB NOT NULL,
    created_at   TIMESTAMPTZ NOT NULL DEFAULT statement_timestamp()
);

CREATE TABLE reconciler.work (
    work_id        UUID PRIMARY KEY,
    -- Order of submission; of two rows of one pack the higher one is what is wanted now.
    number         BIGINT NOT NULL GENERATED ALWAYS AS IDENTITY UNIQUE,
    plan_id        UUID NOT NULL REFERENCES reconciler.plans,
    share_pack_id  UUID NOT NULL,
    pack_order     JSONB NOT NULL,
    -- Takes access away, so it goes first.
    narrows        BOOLEAN NOT NULL DEFAULT false,
    needs          UUID[] NOT NULL DEFAULT '{}',
    status         TEXT NOT NULL DEFAULT 'waiting'
        CHECK (status IN ('waiting', 'running', 'done', 'held', 'failed', 'stale', 'skipped')),
    attempts       INT NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    reason         TEXT NOT NULL DEFAULT '',
    not_before     TIMESTAMPTZ NOT NULL DEFAULT '-infinity',
    created_at     TIMESTAMPTZ NOT NULL DEFAULT statement_timestamp(),
    finished_at    TIMESTAMPTZ,
    UNIQUE (plan_id, share_pack_id),
    CHECK ((finished_at IS NULL) = (status IN ('waiting', 'running')))
);
CREATE INDEX work_unfinished ON reconciler.work (narrows DESC, number) WHERE status IN ('waiting', 'running');
CREATE INDEX work_share_pack ON reconciler.work (share_pack_id, number);

-- One row for each pack ever submitted, free or held. It stays when the pack is given back, so that its fence only rises.
CREATE TABLE reconciler.leases (
    share_pack_id  UUID PRIMARY KEY,
    fence          BIGINT NOT NULL,
    holder         TEXT NOT NULL,
    work_id        UUID NOT NULL REFERENCES reconciler.work,
    expires_at     TIMESTAMPTZ NOT NULL
);
CREATE INDEX leases_work ON reconciler.leases (work_id);

-- An API call: the row is written before it, completed after it.
CREATE TABLE reconciler.operations (
    operation_id    UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    work_id         UUID NOT NULL REFERENCES reconciler.work,
    share_pack_id   UUID NOT NULL,
    fence           BIGINT NOT NULL,
    workspace_url   TEXT NOT NULL,
    kind            TEXT NOT NULL,
    name            TEXT NOT NULL,
    call            JSONB NOT NULL,
    -- What our record says once the call has succeeded; NULL when it removes the resource.
    after           JSONB,
    -- begun and unknown are open: whether the call took effect has to be read.
    outcome         TEXT NOT NULL DEFAULT 'begun'
        CHECK (outcome IN ('begun', 'unknown', 'done', 'refused', 'not_done', 'resolved')),
    reason          TEXT NOT NULL DEFAULT '',
    code            TEXT NOT NULL DEFAULT '',
    api_request_id  TEXT NOT NULL DEFAULT '',
    begun_at        TIMESTAMPTZ NOT NULL DEFAULT statement_timestamp(),
    concluded_at    TIMESTAMPTZ
);
CREATE INDEX operations_open ON reconciler.operations (workspace_url, kind, name) WHERE outcome IN ('begun', 'unknown');
CREATE INDEX operations_open_of_pack ON reconciler.operations (share_pack_id) WHERE outcome IN ('begun', 'unknown');
CREATE INDEX operations_work ON reconciler.operations (work_id);
