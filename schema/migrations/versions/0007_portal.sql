-- What the HTTP API keeps and asks: packs that are handed in, keys, what happened in order, who could read what.

-- Files that were handed in, from when they are accepted. Only the newest status; the audit trail has the others.
CREATE TABLE reconciler.uploads (
    upload_id      UUID PRIMARY KEY,
    -- Order in which they came, whatever the clock says.
    number         BIGINT NOT NULL GENERATED ALWAYS AS IDENTITY UNIQUE,
    -- Of the pack as it is or will be called: the id follows from its name.
    share_pack_id  UUID NOT NULL,
    business_line  TEXT NOT NULL,
    project_name   TEXT NOT NULL,
    path           TEXT NOT NULL,
    former_path    TEXT NOT NULL DEFAULT '',
    -- Kept for as long as it may be needed.
    content        BYTEA,
    digest         TEXT NOT NULL CHECK (digest ~ '^[0-9a-f]{64}$'),
    workspace_url  TEXT NOT NULL,
    requestor      TEXT NOT NULL,
    caller         TEXT NOT NULL,
    status         TEXT NOT NULL CHECK (status IN ('received', 'committed', 'submitted', 'rejected', 'failed')),
    commit_id      TEXT,
    pull_request   BIGINT CHECK (pull_request > 0),
    reason         TEXT NOT NULL DEFAULT '',
    -- The version of the pack's row that says it is in Git; NULL before.
    pack_version   INT,
    received_at    TIMESTAMPTZ NOT NULL DEFAULT statement_timestamp(),
    changed_at     TIMESTAMPTZ NOT NULL DEFAULT statement_timestamp(),
    CHECK ((content IS NOT NULL) = (status IN ('received', 'committed')))
);
CREATE INDEX uploads_share_pack ON reconciler.uploads (share_pack_id, number);
CREATE INDEX uploads_unfinished ON reconciler.uploads (changed_at) WHERE status IN ('received', 'committed');

-- Who may use the API. Never deleted, so that who had which key, and when, stays known.
CREATE TABLE reconciler.api_keys (
    key_id          TEXT PRIMARY KEY CHECK (length(key_id) = 8),
    -- In the audit trail.
    entity_id       UUID NOT NULL DEFAULT gen_random_uuid(),
    number          BIGINT NOT NULL GENERATED ALWAYS AS IDENTITY UNIQUE,
    name            TEXT NOT NULL,
    -- SHA-256 of the secret part, which is 256 random bits: nothing is gained by salt or by a slow hash.
    digest          BYTEA NOT NULL CHECK (octet_length(digest) = 32),
    access_right    TEXT NOT NULL CHECK (access_right IN ('read', 'write')),
    -- As they were written; NULL: all of them.
    business_lines  TEXT[],
    created_by      TEXT NOT NULL,
    created_at      TIMESTAMPTZ NOT NULL DEFAULT statement_timestamp(),
    expires_at      TIMESTAMPTZ,
    revoked_at      TIMESTAMPTZ,
    revoked_by      TEXT,
    -- To the minute, so that a busy key does not write with every request.
    used_at         TIMESTAMPTZ,
    CHECK ((revoked_at IS NULL) = (revoked_by IS NULL))
);

-- Versions of packs in the order in which others came to see them. A number drawn when the row is written would not be
-- that: whoever commits late would come to lie behind those who have read on. So it is drawn as the last thing before
-- the commit, under a lock that is held until others see the row. Nothing is waited for under it but the commit itself.
-- 1 is before the first.
CREATE TABLE reconciler.happenings (
    number     BIGINT GENERATED ALWAYS AS IDENTITY (START WITH 2) PRIMARY KEY,
    record_id  UUID NOT NULL
);

CREATE FUNCTION reconciler.note_happening() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- "sharehap" in ASCII.
    PERFORM pg_advisory_xact_lock(x'7368617265686170'::bigint);
    INSERT INTO reconciler.happenings (record_id) VALUES (NEW.record_id);
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER note_happening AFTER INSERT ON deltashare.share_packs
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION reconciler.note_happening();

-- Names in a list of names or of objects with a name, in lower case. It costs what it says, so that the planner would
-- rather join two indexes than ask it of every row that one of them finds.
CREATE FUNCTION reconciler.names_in(list JSONB) RETURNS TEXT[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 1000 AS $$
    SELECT array_agg(DISTINCT lower(coalesce(item ->> 'name', item #>> '{}'))) FROM jsonb_array_elements(list) AS item
$$;

-- Who reads what now, and who read it then. A version is in one of the two, so that neither question pays for the
-- other: what is in force stays small however long the history grows, and what is closed never changes any more.
CREATE INDEX shares_reads_now ON deltashare.shares
    USING gin (reconciler.names_in(data_objects), reconciler.names_in(recipients)) WHERE is_current AND NOT is_deleted;
CREATE INDEX shares_reads_then ON deltashare.shares
    USING gin (reconciler.names_in(data_objects), reconciler.names_in(recipients))
    WHERE NOT is_current AND NOT is_deleted;
CREATE INDEX shares_span_then ON deltashare.shares
    USING gist (tstzrange(effective_from, effective_to)) WHERE NOT is_current AND NOT is_deleted;

-- All that a pack ever owned, and since when.
CREATE INDEX recipients_of_pack_ever ON deltashare.recipients (share_pack_id, effective_from);
CREATE INDEX shares_of_pack_ever ON deltashare.shares (share_pack_id, effective_from);
