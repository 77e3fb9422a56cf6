-- The replicas that live.
SELECT id FROM outhook.replicas WHERE until > statement_timestamp() ORDER BY id
