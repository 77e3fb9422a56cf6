-- An event's ID is its tenant's. The ID comes first in the index: IDs that ascend are then beside
-- each other no matter who publishes them, as they are in the table.
DROP INDEX outhook.events_id;
CREATE UNIQUE INDEX events_id ON outhook.events (id, tenant);

-- What the cursors of all replicas are sealed with, in one row: 244 random bits, from the server's
-- strong source.
CREATE TABLE outhook.cursor_key (key bytea NOT NULL);
INSERT INTO outhook.cursor_key
SELECT sha256(convert_to(gen_random_uuid()::text || gen_random_uuid()::text, 'UTF8'));
