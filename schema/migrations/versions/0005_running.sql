-- What it takes to run unattended: why work failed, who waits for whom, what is held, what was seen, who is alive.

ALTER TABLE reconciler.work
    -- Case-folded, so that one business line with much to do does not starve another.
    ADD COLUMN business_line_key  TEXT NOT NULL DEFAULT '',
    -- So that nobody has to open the orders of all that waits to see whose workspace has asked to wait.
    ADD COLUMN workspace_url      TEXT NOT NULL DEFAULT '',
    ADD COLUMN fingerprint        TEXT NOT NULL DEFAULT '',
    -- What a refusal depended on: what was wanted, what was there, what stood against it.
    ADD COLUMN basis              TEXT NOT NULL DEFAULT '',
    ADD COLUMN failure            TEXT NOT NULL DEFAULT '' CHECK (failure IN ('', 'transient', 'refused', 'unknown')),
    -- Times in a row that it was put back without a call having gone through.
    ADD COLUMN setbacks           INT NOT NULL DEFAULT 0 CHECK (setbacks >= 0),
    -- Times that it failed in a way nobody understands.
    ADD COLUMN unexplained        INT NOT NULL DEFAULT 0 CHECK (unexplained >= 0),
    -- Times that its worker was not heard of again.
    ADD COLUMN vanished           INT NOT NULL DEFAULT 0 CHECK (vanished >= 0),
    DROP CONSTRAINT work_status_check,
    ADD CONSTRAINT work_status_check
        CHECK (status IN ('waiting', 'running', 'done', 'held', 'failed', 'stale', 'skipped', 'needs_attention'));
UPDATE reconciler.work SET business_line_key = lower(pack_order #>> '{pack,business_line}'),
                           workspace_url = pack_order ->> 'workspace',
                           fingerprint = coalesce(pack_order ->> 'fingerprint', '');

-- Order of insertion, whatever the clock says.
ALTER TABLE reconciler.operations ADD COLUMN number BIGINT NOT NULL GENERATED ALWAYS AS IDENTITY;

-- NULL while nobody has held it since this was added.
ALTER TABLE reconciler.leases ADD COLUMN acquired_at TIMESTAMPTZ;
-- The few that are held, among one for each pack there ever was.
CREATE INDEX leases_held ON reconciler.leases (share_pack_id) WHERE holder <> '';

-- Workspaces that have asked to wait (429). A row that has run out stays and means nothing.
CREATE TABLE reconciler.pauses (
    workspace_url  TEXT PRIMARY KEY,
    until          TIMESTAMPTZ NOT NULL,
    reason         TEXT NOT NULL
);

-- Fields that were changed by hand and put back; only as long as they count towards a contest.
CREATE TABLE reconciler.corrections (
    correction_id  BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    share_pack_id  UUID NOT NULL,
    workspace_url  TEXT NOT NULL,
    kind           TEXT NOT NULL,
    name           TEXT NOT NULL,
    field          TEXT NOT NULL,
    actor          TEXT NOT NULL,
    corrected_at   TIMESTAMPTZ NOT NULL DEFAULT statement_timestamp()
);
CREATE INDEX corrections_field ON reconciler.corrections (workspace_url, kind, name, field, corrected_at);
CREATE INDEX corrections_age ON reconciler.corrections (corrected_at);

-- Suspended packs and contested fields: never deleted, so that who held what, and when, stays known. In the audit trail,
-- each is an entity that is created and deleted.
CREATE TABLE reconciler.holds (
    hold_id          UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    share_pack_id    UUID NOT NULL,
    hold             TEXT NOT NULL CHECK (hold IN ('suspended', 'contested')),
    -- Who placed it: a person, or whoever applied when the field was put back once too often.
    placed_by        TEXT NOT NULL,
    reason           TEXT NOT NULL,
    since            TIMESTAMPTZ NOT NULL DEFAULT statement_timestamp(),
    until            TIMESTAMPTZ NOT NULL,
    ended_at         TIMESTAMPTZ,
    ended_by         TEXT,
    -- Of a suspension.
    revocations_too  BOOLEAN NOT NULL DEFAULT false,
    -- Of a contest.
    workspace_url    TEXT,
    kind             TEXT,
    name             TEXT,
    field            TEXT,
    actor            TEXT,
    declared         TEXT,
    CHECK ((hold = 'contested') = (workspace_url IS NOT NULL AND kind IS NOT NULL AND name IS NOT NULL
                                   AND field IS NOT NULL AND actor IS NOT NULL AND declared IS NOT NULL)),
    CHECK (since < until),
    CHECK ((ended_at IS NULL) = (ended_by IS NULL))
);
CREATE UNIQUE INDEX holds_suspended ON reconciler.holds (share_pack_id) WHERE hold = 'suspended' AND ended_at IS NULL;
CREATE UNIQUE INDEX holds_contested ON reconciler.holds (workspace_url, kind, name, field)
    WHERE hold = 'contested' AND ended_at IS NULL;
-- Every plan asks for those in force.
CREATE INDEX holds_open ON reconciler.holds (until) WHERE ended_at IS NULL;

-- A row now also tells of changes made by hand and of the end of a token.
ALTER TABLE reconciler.observations
    DROP CONSTRAINT observations_degraded_check,
    ALTER COLUMN degraded SET DEFAULT '[]',
    ADD CONSTRAINT observations_degraded_check CHECK (jsonb_typeof(degraded) = 'array'),
    -- Fields, as `core.holds` names them.
    ADD COLUMN drift          TEXT[] NOT NULL DEFAULT '{}',
    ADD COLUMN drift_since    TIMESTAMPTZ,
    ADD COLUMN drifted_by     TEXT NOT NULL DEFAULT '',
    -- Epoch milliseconds.
    ADD COLUMN token_ends_at  BIGINT,
    ADD CHECK ((drift_since IS NULL) = (drift = '{}'));

CREATE TABLE reconciler.daemons (
    name            TEXT PRIMARY KEY,
    leads           BOOLEAN NOT NULL,
    seen_at         TIMESTAMPTZ NOT NULL DEFAULT statement_timestamp(),
    full_pass_at    TIMESTAMPTZ,
    commit_id       TEXT NOT NULL DEFAULT '',
    source_failure  TEXT NOT NULL DEFAULT ''
);
