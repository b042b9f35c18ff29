-- What the tables of schema deltashare promise, whatever program writes to them: names are unique among what exists,
-- versions have no gap and no overlap, and nothing that was written is ever changed.

-- Names that people use are unique among what exists now.
CREATE UNIQUE INDEX tenants_natural_key ON deltashare.tenants (business_line_key)
    WHERE is_current AND NOT is_deleted;
CREATE UNIQUE INDEX tenant_regions_natural_key ON deltashare.tenant_regions (tenant_id, region)
    WHERE is_current AND NOT is_deleted;
CREATE UNIQUE INDEX projects_natural_key ON deltashare.projects (tenant_id, project_key)
    WHERE is_current AND NOT is_deleted;
CREATE UNIQUE INDEX share_packs_natural_key ON deltashare.share_packs (project_id)
    WHERE is_current AND NOT is_deleted;
CREATE UNIQUE INDEX recipients_natural_key ON deltashare.recipients (workspace_url, lower(recipient_name))
    WHERE is_current AND NOT is_deleted;
CREATE UNIQUE INDEX shares_natural_key ON deltashare.shares (workspace_url, lower(share_name))
    WHERE is_current AND NOT is_deleted;
CREATE UNIQUE INDEX pipelines_natural_key ON deltashare.pipelines (workspace_url, lower(pipeline_name))
    WHERE is_current AND NOT is_deleted;
CREATE UNIQUE INDEX users_natural_key ON deltashare.users (lower(email))
    WHERE is_current AND NOT is_deleted;
CREATE UNIQUE INDEX ad_groups_natural_key ON deltashare.ad_groups (lower(group_name))
    WHERE is_current AND NOT is_deleted;
CREATE UNIQUE INDEX databricks_objects_natural_key ON deltashare.databricks_objects (workspace_url, lower(full_name))
    WHERE is_current AND NOT is_deleted;

-- Finding a name through all its versions, deleted ones included, and everything a pack owns.
CREATE INDEX recipients_name ON deltashare.recipients (lower(recipient_name), workspace_url);
CREATE INDEX shares_name ON deltashare.shares (lower(share_name), workspace_url);
CREATE INDEX recipients_share_pack ON deltashare.recipients (share_pack_id) WHERE is_current AND NOT is_deleted;
CREATE INDEX shares_share_pack ON deltashare.shares (share_pack_id) WHERE is_current AND NOT is_deleted;

CREATE FUNCTION reconciler.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%.% only grows: % is not allowed', TG_TABLE_SCHEMA, TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'restrict_violation';
END $$;

CREATE FUNCTION reconciler.keep_history() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    rest RECORD;
BEGIN
    IF NOT OLD.is_current THEN
        RAISE EXCEPTION '%: version % is closed and cannot be changed', TG_TABLE_NAME, OLD.version
            USING ERRCODE = 'restrict_violation';
    END IF;
    rest := NEW;
    rest.is_current := OLD.is_current;
    rest.effective_to := OLD.effective_to;
    -- Generated, and not generated yet when this runs.
    rest.previous_version := OLD.previous_version;
    IF NEW.is_current OR rest IS DISTINCT FROM OLD THEN
        RAISE EXCEPTION '%: version % can only be closed; write a new version instead', TG_TABLE_NAME, OLD.version
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;

-- What a pack is and how far it got never change in one version, so that either history can be read by itself.
CREATE FUNCTION reconciler.keep_content_and_progress_apart() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    before deltashare.share_packs;
BEGIN
    SELECT * INTO before FROM deltashare.share_packs
    WHERE share_pack_id = NEW.share_pack_id AND version = NEW.version - 1;
    IF FOUND
        AND (before.requested_by, before.strategy, before.file_path, before.file_format, before.workspace_url,
             before.region, before.config, before.commit_id, before.is_deleted)
            IS DISTINCT FROM
            (NEW.requested_by, NEW.strategy, NEW.file_path, NEW.file_format, NEW.workspace_url,
             NEW.region, NEW.config, NEW.commit_id, NEW.is_deleted)
        AND (before.share_pack_status, before.provisioning_status, before.error_message, before.applied_commit_id)
            IS DISTINCT FROM
            (NEW.share_pack_status, NEW.provisioning_status, NEW.error_message, NEW.applied_commit_id)
    THEN
        RAISE EXCEPTION 'share_packs: version % changes content and progress at once', NEW.version
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER share_packs_content_and_progress BEFORE INSERT ON deltashare.share_packs
    FOR EACH ROW EXECUTE FUNCTION reconciler.keep_content_and_progress_apart();

-- The promises of every table with versions. Contiguous: a version begins where the one before it ended, as a foreign
-- key of the table on itself. With one open version, which is the current one, that leaves no gap and no overlap.
DO $$
DECLARE
    scd2 RECORD;
BEGIN
    FOR scd2 IN
        SELECT * FROM (VALUES
            ('tenants', 'tenant_id'), ('tenant_regions', 'tenant_region_id'), ('projects', 'project_id'),
            ('requests', 'request_id'), ('share_packs', 'share_pack_id'), ('recipients', 'recipient_id'),
            ('shares', 'share_id'), ('pipelines', 'pipeline_id'), ('users', 'user_id'), ('ad_groups', 'group_id'),
            ('databricks_objects', 'object_id')
        ) AS list (name, id)
    LOOP
        EXECUTE format($sql$
            ALTER TABLE deltashare.%1$I
                ADD COLUMN previous_version INT GENERATED ALWAYS AS (NULLIF(version, 1) - 1) STORED,
                ADD CONSTRAINT %1$s_version_counts_from_one CHECK (version >= 1),
                ADD CONSTRAINT %1$s_span_is_positive CHECK (effective_from < effective_to),
                ADD CONSTRAINT %1$s_starts_at_a_time CHECK (effective_from > '-infinity'),
                ADD CONSTRAINT %1$s_current_is_open CHECK (is_current = (effective_to = 'infinity')),
                ADD CONSTRAINT %1$s_one_of_each_version UNIQUE (%2$I, version),
                ADD CONSTRAINT %1$s_end_of_version UNIQUE (%2$I, version, effective_to),
                ADD CONSTRAINT %1$s_is_contiguous FOREIGN KEY (%2$I, previous_version, effective_from)
                    REFERENCES deltashare.%1$I (%2$I, version, effective_to)
        $sql$, scd2.name, scd2.id);
        EXECUTE format('CREATE UNIQUE INDEX %1$s_one_current ON deltashare.%1$I (%2$I) WHERE is_current',
                       scd2.name, scd2.id);
        EXECUTE format('CREATE TRIGGER keep_history BEFORE UPDATE ON deltashare.%1$I '
                       'FOR EACH ROW EXECUTE FUNCTION reconciler.keep_history()', scd2.name);
        EXECUTE format('CREATE TRIGGER refuse_delete BEFORE DELETE ON deltashare.%1$I '
                       'FOR EACH ROW EXECUTE FUNCTION reconciler.refuse_change()', scd2.name);
        EXECUTE format('CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON deltashare.%1$I '
                       'FOR EACH STATEMENT EXECUTE FUNCTION reconciler.refuse_change()', scd2.name);
    END LOOP;
    FOR scd2 IN
        SELECT * FROM (VALUES
            ('job_metrics'), ('project_costs'), ('sync_jobs'), ('notifications'), ('audit_trail')
        ) AS list (name)
    LOOP
        EXECUTE format('CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON deltashare.%1$I '
                       'FOR EACH ROW EXECUTE FUNCTION reconciler.refuse_change()', scd2.name);
        EXECUTE format('CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON deltashare.%1$I '
                       'FOR EACH STATEMENT EXECUTE FUNCTION reconciler.refuse_change()', scd2.name);
    END LOOP;
END $$;

-- How a person names the pack of a row.
CREATE VIEW reconciler.pack_names AS
    SELECT share_packs.share_pack_id, tenants.business_line, projects.project_name
    FROM deltashare.share_packs
    JOIN deltashare.tenants USING (tenant_id)
    JOIN deltashare.projects USING (project_id)
    WHERE share_packs.is_current AND tenants.is_current AND projects.is_current;
