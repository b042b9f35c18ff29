-- Schema deltashare: what packs, recipients and shares are and were.
--
-- Eleven tables keep every version of a row (SCD type 2), five are logs that only grow.

-- An administrator may have made the schema already, for a user that may not create any.
DO $$ BEGIN
    IF to_regnamespace('deltashare') IS NULL THEN
        CREATE SCHEMA deltashare;
    END IF;
END $$;

CREATE TABLE deltashare.tenants (
    record_id          UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    tenant_id          UUID NOT NULL,
    business_line      TEXT NOT NULL,
    business_line_key  TEXT NOT NULL,
    owner              TEXT,
    contact            TEXT,
    catalogs           JSONB,
    effective_from     TIMESTAMPTZ NOT NULL DEFAULT statement_timestamp(),
    effective_to       TIMESTAMPTZ NOT NULL DEFAULT 'infinity',
    is_current         BOOLEAN NOT NULL DEFAULT true,
    is_deleted         BOOLEAN NOT NULL DEFAULT false,
    version            INT NOT NULL DEFAULT 1,
    created_by         VARCHAR(255) NOT NULL,
    change_reason      VARCHAR(500) NOT NULL DEFAULT ''
);

CREATE TABLE deltashare.tenant_regions (
    record_id          UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    tenant_region_id   UUID NOT NULL,
    tenant_id          UUID NOT NULL,
    region             TEXT NOT NULL,
    workspace_url      TEXT NOT NULL,
    effective_from     TIMESTAMPTZ NOT NULL DEFAULT statement_timestamp(),
    effective_to       TIMESTAMPTZ NOT NULL DEFAULT 'infinity',
    is_current         BOOLEAN NOT NULL DEFAULT true,
    is_deleted         BOOLEAN NOT NULL DEFAULT false,
    version            INT NOT NULL DEFAULT 1,
    created_by         VARCHAR(255) NOT NULL,
    change_reason      VARCHAR(500) NOT NULL DEFAULT ''
);

CREATE TABLE deltashare.projects (
    record_id          UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    project_id         UUID NOT NULL,
    tenant_id          UUID NOT NULL,
    project_name       TEXT NOT NULL,
    project_key        TEXT NOT NULL,
    effective_from     TIMESTAMPTZ NOT NULL DEFAULT statement_timestamp(),
    effective_to       TIMESTAMPTZ NOT NULL DEFAULT 'infinity',
    is_current         BOOLEAN NOT NULL DEFAULT true,
    is_deleted         BOOLEAN NOT NULL DEFAULT false,
    version            INT NOT NULL DEFAULT 1,
    created_by         VARCHAR(255) NOT NULL,
    change_reason      VARCHAR(500) NOT NULL DEFAULT ''
);

-- One submission of one pack; its id is that of the work row in schema reconciler.
CREATE TABLE deltashare.requests (
    record_id          UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    request_id         UUID NOT NULL,
    tenant_id          UUID NOT NULL,
    project_id         UUID NOT NULL,
    share_pack_id      UUID NOT NULL,
    requested_by       TEXT NOT NULL,
    request_status     TEXT NOT NULL
        CHECK (request_status IN ('SUBMITTED', 'COMPLETED', 'FAILED', 'SUPERSEDED')),
    error_message      TEXT NOT NULL DEFAULT '',
    plan_id            UUID,
    commit_id          TEXT,
    effective_from     TIMESTAMPTZ NOT NULL DEFAULT statement_timestamp(),
    effective_to       TIMESTAMPTZ NOT NULL DEFAULT 'infinity',
    is_current         BOOLEAN NOT NULL DEFAULT true,
    is_deleted         BOOLEAN NOT NULL DEFAULT false,
    version            INT NOT NULL DEFAULT 1,
    created_by         VARCHAR(255) NOT NULL,
    change_reason      VARCHAR(500) NOT NULL DEFAULT ''
);

CREATE TABLE deltashare.share_packs (
    record_id            UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    share_pack_id        UUID NOT NULL,
    share_pack_name      TEXT NOT NULL,
    tenant_id            UUID NOT NULL,
    project_id           UUID NOT NULL,
    -- What the pack is.
    requested_by         TEXT NOT NULL,
    strategy             TEXT NOT NULL CHECK (strategy IN ('NEW', 'UPDATE')),
    file_path            TEXT NOT NULL,
    file_format          TEXT NOT NULL,
    workspace_url        TEXT NOT NULL,
    region               TEXT NOT NULL,
    config               JSONB,
    config_digest        TEXT NOT NULL,
    commit_id            TEXT,
    -- How far it got.
    share_pack_status    TEXT NOT NULL
        CHECK (share_pack_status IN ('IN_PROGRESS', 'COMPLETED', 'FAILED', 'VALIDATION_FAILED')),
    provisioning_status  TEXT NOT NULL DEFAULT '',
    error_message        TEXT NOT NULL DEFAULT '',
    applied_commit_id    TEXT,
    plan_id              UUID,
    effective_from       TIMESTAMPTZ NOT NULL DEFAULT statement_timestamp(),
    effective_to         TIMESTAMPTZ NOT NULL DEFAULT 'infinity',
    is_current           BOOLEAN NOT NULL DEFAULT true,
    is_deleted           BOOLEAN NOT NULL DEFAULT false,
    version              INT NOT NULL DEFAULT 1,
    created_by           VARCHAR(255) NOT NULL,
    change_reason        VARCHAR(500) NOT NULL DEFAULT ''
);

-- NULL in email, allowed_ips, comment, data_objects and recipients: the pack does not manage that field.
CREATE TABLE deltashare.recipients (
    record_id          UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    recipient_id       UUID NOT NULL,
    share_pack_id      UUID NOT NULL,
    workspace_url      TEXT NOT NULL,
    recipient_name     TEXT NOT NULL,
    type               TEXT NOT NULL,
    email              TEXT,
    metastore_id       TEXT,
    allowed_ips        JSONB CHECK (jsonb_typeof(allowed_ips) = 'array'),
    comment            TEXT,
    commit_id          TEXT,
    plan_id            UUID,
    effective_from     TIMESTAMPTZ NOT NULL DEFAULT statement_timestamp(),
    effective_to       TIMESTAMPTZ NOT NULL DEFAULT 'infinity',
    is_current         BOOLEAN NOT NULL DEFAULT true,
    is_deleted         BOOLEAN NOT NULL DEFAULT false,
    version            INT NOT NULL DEFAULT 1,
    created_by         VARCHAR(255) NOT NULL,
    change_reason      VARCHAR(500) NOT NULL DEFAULT '',
    CHECK ((type = 'D2D') = (metastore_id IS NOT NULL))
);

CREATE TABLE deltashare.shares (
    record_id          UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    share_id           UUID NOT NULL,
    share_pack_id      UUID NOT NULL,
    workspace_url      TEXT NOT NULL,
    share_name         TEXT NOT NULL,
    comment            TEXT,
    data_objects       JSONB CHECK (jsonb_typeof(data_objects) = 'array'),
    recipients         JSONB CHECK (jsonb_typeof(recipients) = 'array'),
    commit_id          TEXT,
    plan_id            UUID,
    effective_from     TIMESTAMPTZ NOT NULL DEFAULT statement_timestamp(),
    effective_to       TIMESTAMPTZ NOT NULL DEFAULT 'infinity',
    is_current         BOOLEAN NOT NULL DEFAULT true,
    is_deleted         BOOLEAN NOT NULL DEFAULT false,
    version            INT NOT NULL DEFAULT 1,
    created_by         VARCHAR(255) NOT NULL,
    change_reason      VARCHAR(500) NOT NULL DEFAULT ''
);

CREATE TABLE deltashare.pipelines (
    record_id          UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    pipeline_id        UUID NOT NULL,
    share_pack_id      UUID NOT NULL,
    workspace_url      TEXT NOT NULL,
    pipeline_name      TEXT NOT NULL,
    type               TEXT,
    schedule           TEXT,
    source             TEXT,
    destination        TEXT,
    comment            TEXT,
    commit_id          TEXT,
    plan_id            UUID,
    effective_from     TIMESTAMPTZ NOT NULL DEFAULT statement_timestamp(),
    effective_to       TIMESTAMPTZ NOT NULL DEFAULT 'infinity',
    is_current         BOOLEAN NOT NULL DEFAULT true,
    is_deleted         BOOLEAN NOT NULL DEFAULT false,
    version            INT NOT NULL DEFAULT 1,
    created_by         VARCHAR(255) NOT NULL,
    change_reason      VARCHAR(500) NOT NULL DEFAULT ''
);

CREATE TABLE deltashare.users (
    record_id          UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id            UUID NOT NULL,
    email              TEXT NOT NULL,
    display_name       TEXT,
    is_active          BOOLEAN NOT NULL DEFAULT true,
    effective_from     TIMESTAMPTZ NOT NULL DEFAULT statement_timestamp(),
    effective_to       TIMESTAMPTZ NOT NULL DEFAULT 'infinity',
    is_current         BOOLEAN NOT NULL DEFAULT true,
    is_deleted         BOOLEAN NOT NULL DEFAULT false,
    version            INT NOT NULL DEFAULT 1,
    created_by         VARCHAR(255) NOT NULL,
    change_reason      VARCHAR(500) NOT NULL DEFAULT ''
);

CREATE TABLE deltashare.ad_groups (
    record_id          UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    group_id           UUID NOT NULL,
    group_name         TEXT NOT NULL,
    members            JSONB,
    effective_from     TIMESTAMPTZ NOT NULL DEFAULT statement_timestamp(),
    effective_to       TIMESTAMPTZ NOT NULL DEFAULT 'infinity',
    is_current         BOOLEAN NOT NULL DEFAULT true,
    is_deleted         BOOLEAN NOT NULL DEFAULT false,
    version            INT NOT NULL DEFAULT 1,
    created_by         VARCHAR(255) NOT NULL,
    change_reason      VARCHAR(500) NOT NULL DEFAULT ''
);

CREATE TABLE deltashare.databricks_objects (
    record_id          UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    object_id          UUID NOT NULL,
    workspace_url      TEXT NOT NULL,
    full_name          TEXT NOT NULL,
    object_type        TEXT NOT NULL,
    owner              TEXT,
    effective_from     TIMESTAMPTZ NOT NULL DEFAULT statement_timestamp(),
    effective_to       TIMESTAMPTZ NOT NULL DEFAULT 'infinity',
    is_current         BOOLEAN NOT NULL DEFAULT true,
    is_deleted         BOOLEAN NOT NULL DEFAULT false,
    version            INT NOT NULL DEFAULT 1,
    created_by         VARCHAR(255) NOT NULL,
    change_reason      VARCHAR(500) NOT NULL DEFAULT ''
);

CREATE TABLE deltashare.job_metrics (
    job_metric_id      UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    pipeline_id        UUID NOT NULL,
    run_id             TEXT NOT NULL,
    run_status         TEXT NOT NULL,
    started_at         TIMESTAMPTZ,
    finished_at        TIMESTAMPTZ,
    rows_written       BIGINT,
    details            JSONB,
    recorded_at        TIMESTAMPTZ NOT NULL DEFAULT statement_timestamp()
);

CREATE TABLE deltashare.project_costs (
    project_cost_id    UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    project_id         UUID NOT NULL,
    period_start       DATE NOT NULL,
    period_end         DATE NOT NULL CHECK (period_end > period_start),
    amount             NUMERIC(18, 4) NOT NULL,
    currency           CHAR(3) NOT NULL,
    details            JSONB,
    recorded_at        TIMESTAMPTZ NOT NULL DEFAULT statement_timestamp()
);

CREATE TABLE deltashare.sync_jobs (
    sync_job_id        UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    sync_type          TEXT NOT NULL,
    sync_status        TEXT NOT NULL,
    details            JSONB,
    error_message      TEXT NOT NULL DEFAULT '',
    recorded_at        TIMESTAMPTZ NOT NULL DEFAULT statement_timestamp()
);

CREATE TABLE deltashare.notifications (
    notification_id    UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    notification_type  TEXT NOT NULL,
    addressee          TEXT NOT NULL,
    subject            TEXT NOT NULL,
    share_pack_id      UUID,
    delivery_status    TEXT NOT NULL,
    error_message      TEXT NOT NULL DEFAULT '',
    recorded_at        TIMESTAMPTZ NOT NULL DEFAULT statement_timestamp()
);

-- One row for each version of anything, written in the statement that writes the version.
CREATE TABLE deltashare.audit_trail (
    audit_id           UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    entity_type        TEXT NOT NULL,
    entity_id          UUID NOT NULL,
    entity_version     INT NOT NULL,
    operation          TEXT NOT NULL CHECK (operation IN ('CREATE', 'UPDATE', 'DELETE', 'RESTORE')),
    old_values         JSONB,
    new_values         JSONB,
    actor              VARCHAR(255) NOT NULL,
    change_reason      VARCHAR(500) NOT NULL DEFAULT '',
    plan_id            UUID,
    commit_id          TEXT,
    -- The API call (reconciler.operations) that made it true; NULL where no call was needed.
    operation_id       UUID,
    recorded_at        TIMESTAMPTZ NOT NULL DEFAULT statement_timestamp(),
    UNIQUE (entity_type, entity_id, entity_version)
);
CREATE INDEX audit_trail_recorded_at ON deltashare.audit_trail (recorded_at);
CREATE INDEX audit_trail_plan ON deltashare.audit_trail (plan_id);
