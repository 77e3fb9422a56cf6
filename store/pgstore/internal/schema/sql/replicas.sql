SELECT id FROM outhook.replicas WHERE until > statement_timestamp() ORDER BY id
