-- Workspaces where an object of a share was seen to change while the share's `updated_at` did not. Each is read in full
-- at every look from then on, also after a restart, until somebody who knows better deletes the row.
CREATE TABLE reconciler.distrusts (
    workspace_url  TEXT PRIMARY KEY,
    -- The share that was seen.
    share_name     TEXT NOT NULL,
    since          TIMESTAMPTZ NOT NULL DEFAULT statement_timestamp()
);
