-- $1 a tenant, $2 its phase, $3 its peer.
INSERT INTO outhook.unsettled_tenants AS t (tenant, phase, peer) VALUES ($1, $2, $3)
ON CONFLICT (tenant) DO UPDATE SET phase = EXCLUDED.phase, peer = EXCLUDED.peer
    WHERE (t.phase, t.peer) <> (EXCLUDED.phase, EXCLUDED.peer)
