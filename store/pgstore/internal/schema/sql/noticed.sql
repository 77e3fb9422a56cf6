SELECT EXISTS (SELECT 1 FROM outhook.notices n WHERE n.share = ANY ($1::int[]))
