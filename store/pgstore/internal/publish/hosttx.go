package publish

import (
	"context"

	"github.com/outhook/outhook/store/pgstore/internal/replica"
	"github.com/outhook/outhook/store/pgstore/internal/schema"
)

// InTx stores events in a transaction of the host's, and notifies others with its commit. Memory is
// told nothing: the owners of the shares of the recipients, this replica too, get notices.
func (p *Publisher) InTx(ctx context.Context, tx schema.Querier, evs []Event) error {
	var ok bool
	var other *string
	var ignored any
	// As the replica 0, which owns nothing. The events may exist: an error of the index would make
	// the host's transaction fail.
	args := append(Args(evs), int64(0), p.Schema.Table("events"), true)
	err := tx.QueryRow(ctx, p.SQL.Enqueue, args...).Scan(&ok, &other, &ignored, &ignored, &ignored)
	if err != nil {
		return replica.InputError("event", err)
	}
	if !ok {
		return conflict(*other)
	}
	if p.pollOnly {
		return nil
	}
	return tx.QueryRow(ctx, "SELECT pg_notify($1, '')::text", p.Schema.Channel()).Scan(&ignored)
}
