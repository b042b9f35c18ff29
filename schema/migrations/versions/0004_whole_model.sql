-- Every field that a pack can declare. NULL: the pack does not manage it, as in all rows written before this.

ALTER TABLE deltashare.recipients
    ADD COLUMN owner                TEXT,
    ADD COLUMN properties           JSONB CHECK (jsonb_typeof(properties) = 'object'),
    -- Epoch milliseconds, as Databricks has them.
    ADD COLUMN expires_at           BIGINT,
    ADD COLUMN federation_policies  JSONB CHECK (jsonb_typeof(federation_policies) = 'array'),
    -- Seconds.
    ADD COLUMN token_lifetime       BIGINT,
    ADD COLUMN rotate_every         BIGINT,
    ADD COLUMN rotation_overlap     BIGINT,
    ADD COLUMN protect              BOOLEAN NOT NULL DEFAULT false;

ALTER TABLE deltashare.shares
    ADD COLUMN owner         TEXT,
    ADD COLUMN storage_root  TEXT,
    ADD COLUMN protect       BOOLEAN NOT NULL DEFAULT false;

COMMENT ON COLUMN deltashare.recipients.type IS
    'D2O, D2D, OIDC (D2O that signs in at an identity provider), or another authentication type of Databricks';
COMMENT ON COLUMN deltashare.recipients.expires_at IS 'epoch milliseconds';
COMMENT ON COLUMN deltashare.recipients.token_lifetime IS 'seconds';
COMMENT ON COLUMN deltashare.recipients.rotate_every IS 'seconds';
COMMENT ON COLUMN deltashare.recipients.rotation_overlap IS 'seconds';
COMMENT ON COLUMN deltashare.shares.data_objects IS
    'array of {name, type, shared_as, ...}; what is missing is not managed, a notebook is the SHA-256 of its bytes';

ALTER TABLE deltashare.tenants
    -- Business lines whose shares may be granted to the recipients of this one.
    ADD COLUMN lends_recipients_to  JSONB CHECK (jsonb_typeof(lends_recipients_to) = 'array'),
    ADD COLUMN drift                TEXT CHECK (drift IN ('correct', 'report'));

-- The name a resource had before the call; empty unless the call is a rename, which stands under the new name.
ALTER TABLE reconciler.operations ADD COLUMN renamed_from TEXT NOT NULL DEFAULT '';

-- Shared objects that nobody gets to read, as the last plan of their pack saw them. No history: a row goes when it is well.
CREATE TABLE reconciler.observations (
    workspace_url  TEXT NOT NULL,
    kind           TEXT NOT NULL,
    name           TEXT NOT NULL,
    share_pack_id  UUID NOT NULL,
    -- [{"object", "owner", "missing"}], never empty.
    degraded       JSONB NOT NULL CHECK (jsonb_typeof(degraded) = 'array' AND degraded <> '[]'),
    observed_at    TIMESTAMPTZ NOT NULL DEFAULT statement_timestamp(),
    PRIMARY KEY (workspace_url, kind, name)
);
CREATE INDEX observations_share_pack ON reconciler.observations (share_pack_id);
