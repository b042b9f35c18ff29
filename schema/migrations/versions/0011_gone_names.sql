-- Who bore a name last, and is gone, is found without looking at all versions there were of that name. Beside the natural
-- keys, which are of what is there.
CREATE INDEX shares_gone_name ON deltashare.shares (workspace_url, lower(share_name), effective_from)
    WHERE is_current AND is_deleted;
CREATE INDEX recipients_gone_name ON deltashare.recipients (workspace_url, lower(recipient_name), effective_from)
    WHERE is_current AND is_deleted;
