package publish

import (
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/outhook/outhook/store/pgstore/internal/memory"
	"github.com/outhook/outhook/store/pgstore/internal/notify"
	"github.com/outhook/outhook/store/pgstore/internal/sqltx"
)

// retryEvery is how long findOut waits between tries.
const retryEvery = time.Second

// findOut finds out in the background what a transaction has stored whose end is not known. Until
// then the publication stays open, and holds back the low marks.
//
// If the events are stored and memory is not told, they wait until the share changes hands; if a
// low mark passes them, they are lost. The caller has got its error by then, and may publish again:
// that finds them stored.
func (p *Publisher) findOut(publication *memory.Publication, evs []Event) {
	// Only their names: their bodies must not be kept for as long as this takes.
	tenants, ids := names(evs)
	// A replica that closes ends it. What is open then the next owner reads, as no low mark has
	// passed it.
	p.Background.Go(func() {
		for p.Life.Err() == nil {
			err := p.findStored(publication, tenants, ids)
			if err == nil {
				return
			}
			if p.Life.Err() == nil {
				p.Log("finding out whether events were stored", err)
			}
			notify.Pause(p.Life, retryEvery)
		}
	})
}

// findStored waits until the transaction has ended, by taking exclusively the lock that it holds,
// and ends the publication with what it has stored.
//
// The transaction holds the lock shared from its first statement on. Others of this replica that
// begin meanwhile wait behind this one, for as long as the transaction takes.
func (p *Publisher) findStored(publication *memory.Publication, tenants, ids []string) error {
	var found []stored
	// No grace: Life is not a caller's context, and at Close this is to end at once.
	within := sqltx.Bounds{Limit: sqltx.StatementTimeout}
	err := p.DB.WriteWithin(p.Life, within, sqltx.ByIndex, func(b *sqltx.Batch) {
		b.Queue("SELECT pg_advisory_xact_lock($1)", p.Lock())
		b.Queue(p.SQL.Published, tenants, ids).Query(sqltx.Into(&found, readFound))
	})
	if err != nil {
		return err
	}
	p.Memory.Lock()
	floor := p.Memory.Floor(publication)
	p.Memory.Unlock()
	var out []stored
	for _, e := range found {
		// Such an event was stored by an earlier call, and memory has it.
		if uint64(e.seq) > floor { // or else it was there before
			out = append(out, e)
		}
	}
	p.end(publication, out)
	return nil
}

func readFound(row pgx.CollectableRow) (e stored, err error) {
	err = row.Scan(&e.seq, &e.subs)
	return e, err
}
