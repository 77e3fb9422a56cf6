UPDATE outhook.blocks SET last = last + 1 RETURNING last
