package publish

import (
	"context"
	"errors"
	"slices"

	"github.com/outhook/outhook/store/pgstore/internal/replica"
	"github.com/outhook/outhook/store/pgstore/internal/schema"
)

// InTx stores events in a transaction of the host's, and notifies others with its commit. Memory is
// told nothing: the owners of the shares of the recipients, this replica too, get notices. When it
// commits nobody here knows: it may be in a minute, or never. So the deliveries get rows, which do
// not depend on low marks, and what memory learns it learns by the notices, which commit with them.
func (p *Publisher) InTx(ctx context.Context, tx schema.Querier, evs []Event) error {
	var ignored any
	// Held until the transaction ends, so anybody who closes a tenant waits for it. Only for that
	// one's: a transaction of the host's may stay open for long.
	err := tx.QueryRow(ctx, p.SQL.LockHost, p.tenantLocks(evs)).Scan(&ignored)
	if err != nil {
		return err
	}
	held := false
	err = p.asking(evs, true, func(j judgement, hold bool) (unasked string, err error) {
		// Once: until the host's transaction ends they stay held.
		if hold && !held {
			_, tenants, patterns := patternRows(number(evs))
			err := tx.QueryRow(ctx, p.SQL.HoldTakers, tenants, patterns).Scan(&ignored)
			if err != nil {
				return "", err
			}
			held = true
		}
		unasked, err = p.storeIn(ctx, tx, evs, j)
		if !errors.Is(err, errFree) {
			return unasked, err
		}
		tenants, ids := names(evs)
		err = tx.QueryRow(ctx, p.SQL.ForgetEvents, tenants, ids, false).Scan(&ignored)
		if err != nil {
			return "", err
		}
		return p.storeIn(ctx, tx, evs, j)
	})
	if err != nil {
		return replica.InputError("event", err)
	}
	// Without LISTEN nobody would hear it, and a commit with a notification waits for others that
	// have one.
	if p.pollOnly {
		return nil
	}
	// The server sends it at the commit, and not if the host rolls back. pg_notify returns void,
	// which has no type to scan; as text it has.
	return tx.QueryRow(ctx, "SELECT pg_notify($1, '')::text", p.Schema.Channel()).Scan(&ignored)
}

// storeIn stores events in a transaction of the host's, unless filters must be asked first, which
// it returns.
func (p *Publisher) storeIn(
	ctx context.Context, tx schema.Querier, evs []Event, j judgement,
) (unasked string, err error) {
	var ok, moved bool
	var other, unwanted, filters *string
	var ignored any
	// As the replica 0, which owns nothing. The events may exist: an error of the index would make
	// the host's transaction fail.
	args := append(Args(evs), int64(0), p.Schema.Table("events"), true, j.known, j.refused)
	err = tx.QueryRow(ctx, p.SQL.Enqueue, args...).Scan(&ok, &other, &ignored, &ignored, &ignored,
		&unwanted, &moved, &filters)
	switch {
	case err != nil:
		return "", err
	case !ok && filters != nil:
		return *filters, nil
	case !ok:
		return "", refusal(other, moved)
	}
	// It may be rolled back, but if it is not counted now, it never is.
	p.Unwanted.Add(typesIn(unwanted)...)
	return "", nil
}

// tenantLocks returns the locks of the tenants of events, each once.
func (p *Publisher) tenantLocks(evs []Event) (locks []int64) {
	for i := range evs {
		if lock := p.TenantLock(evs[i].Tenant); !slices.Contains(locks, lock) {
			locks = append(locks, lock)
		}
	}
	return locks
}
