-- A version costs the same to write and to find, however many came before it.

-- That versions are contiguous was promised by a foreign key of each table on itself. Whenever a version was closed, it
-- looked through all versions of that row for one that might refer to it, though no version ever can: what is closed is
-- never changed, and the next one is not there yet. The same promise, kept by who comes later: a version begins when the
-- one before it ended. The one before is looked up by itself for each row (a subquery is), in the index of versions.
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
            CREATE FUNCTION reconciler.continue_%1$s() RETURNS trigger LANGUAGE plpgsql AS $function$
            DECLARE
                torn RECORD;
            BEGIN
                SELECT opened.version, opened.effective_from INTO torn FROM opened
                WHERE opened.version > 1 AND opened.effective_from IS DISTINCT FROM (
                    SELECT before.effective_to FROM deltashare.%1$I AS before
                    WHERE before.%2$I = opened.%2$I AND before.version = opened.version - 1
                ) LIMIT 1;
                IF FOUND THEN
                    RAISE EXCEPTION '%1$s_is_contiguous: version %% begins at %%, when none before it ends',
                        torn.version, torn.effective_from
                        USING ERRCODE = 'foreign_key_violation', SCHEMA = 'deltashare', TABLE = %1$L,
                              CONSTRAINT = '%1$s_is_contiguous';
                END IF;
                RETURN NULL;
            END $function$
        $sql$, scd2.name, scd2.id);
        EXECUTE format('CREATE TRIGGER is_contiguous AFTER INSERT ON deltashare.%1$I REFERENCING NEW TABLE AS opened '
                       'FOR EACH STATEMENT EXECUTE FUNCTION reconciler.continue_%1$s()', scd2.name);
        EXECUTE format('ALTER TABLE deltashare.%1$I DROP CONSTRAINT %1$s_is_contiguous, '
                       'DROP CONSTRAINT %1$s_end_of_version', scd2.name);
    END LOOP;
END $$;

-- It is asked twice for each version written: once for what is in force and once for what was. As before, but without
-- sorting what an index takes in any order. Not for parallel workers: what its cost makes look worth starting them is over
-- before they have started.
CREATE OR REPLACE FUNCTION reconciler.names_in(list JSONB) RETURNS TEXT[]
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL RESTRICTED COST 1000 AS $$
BEGIN
    RETURN ARRAY(SELECT lower(coalesce(item ->> 'name', item #>> '{}')) FROM jsonb_array_elements(list) AS item);
END $$;

-- What a pack still waits for, among all that was ever done for it.
CREATE INDEX work_unfinished_of_pack ON reconciler.work (share_pack_id, number) WHERE status IN ('waiting', 'running');
