package tenants

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/outhook/outhook/store/pgstore/internal/record"
	"github.com/outhook/outhook/store/pgstore/internal/sqltx"
)

// removeStep is how many subscriptions one Remove removes.
const removeStep = 100

// Remove removes some subscriptions of a tenant, and reports whether there may be more. What they
// leave Prune removes, as that of any subscription that is deleted.
func (t *Tenants) Remove(ctx context.Context, tenant string) (more bool, err error) {
	var ids []string
	err = t.DB.Rows(ctx, sqltx.Into(&ids, pgx.RowTo[string]), t.SQL.SomeOfTenant,
		record.Plain(tenant), removeStep)
	if err != nil || len(ids) == 0 {
		return false, err
	}
	if err := t.write(ctx, t.SQL.Remove, ids); err != nil {
		return false, err
	}
	t.AfterNotices(ctx)
	return len(ids) == removeStep, nil
}
