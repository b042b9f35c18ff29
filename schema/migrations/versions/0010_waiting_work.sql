-- What waits for work that ends is found without looking at all that waits: most needs nothing. Entries go to their place
-- at once (no fastupdate): a list of those to be placed later would be read from end to end each time.
CREATE INDEX work_waiting_for ON reconciler.work USING gin (needs) WITH (fastupdate = off)
    WHERE status = 'waiting' AND needs <> '{}';
