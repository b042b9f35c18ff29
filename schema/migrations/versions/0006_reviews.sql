-- Who stands behind a change: the plans that reviewers were shown, and the pull requests and approvals of what was done.

-- Empty where nobody said, as in all rows written before this, and where only drift was put right. Several are separated
-- by commas.
ALTER TABLE deltashare.requests
    ADD COLUMN pull_requests  TEXT NOT NULL DEFAULT '',
    ADD COLUMN approved_by    TEXT NOT NULL DEFAULT '';
ALTER TABLE deltashare.audit_trail
    ADD COLUMN pull_requests  TEXT NOT NULL DEFAULT '',
    ADD COLUMN approved_by    TEXT NOT NULL DEFAULT '';

COMMENT ON COLUMN deltashare.requests.pull_requests IS 'such as jllt/packs#12, jllt/packs#14';
COMMENT ON COLUMN deltashare.requests.approved_by IS 'such as ann (review), bob (environment production)';
COMMENT ON COLUMN deltashare.audit_trail.pull_requests IS 'such as jllt/packs#12, jllt/packs#14';
COMMENT ON COLUMN deltashare.audit_trail.approved_by IS 'such as ann (review), bob (environment production)';

-- What reviewers of a pull request were shown, and when. A row for each time that it changed, also back to what it was:
-- the newest is what was there to be approved. It only grows: a role that plans pull requests may add to it (SELECT and
-- INSERT; it needs no sequence) and cannot change what somebody has approved.
CREATE TABLE reconciler.shown_plans (
    number         BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- owner/name, as its host writes it; letter case does not tell two apart.
    repository     TEXT NOT NULL,
    pull_request   BIGINT NOT NULL CHECK (pull_request > 0),
    -- Commit of the pull request.
    head           TEXT NOT NULL,
    fingerprint    TEXT NOT NULL,
    -- [{"business_line", "project_name", "fingerprint", "workspace", "actions", "gains"}]
    packs          JSONB NOT NULL CHECK (jsonb_typeof(packs) = 'array'),
    shown_at       TIMESTAMPTZ NOT NULL DEFAULT statement_timestamp()
);
CREATE INDEX shown_plans_pull_request ON reconciler.shown_plans (lower(repository), pull_request, number);
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON reconciler.shown_plans
    FOR EACH ROW EXECUTE FUNCTION reconciler.refuse_change();
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON reconciler.shown_plans
    FOR EACH STATEMENT EXECUTE FUNCTION reconciler.refuse_change();
