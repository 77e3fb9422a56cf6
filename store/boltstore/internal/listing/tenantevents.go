package listing

import (
	"context"
	"errors"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/buckets"
	"github.com/outhook/outhook/store/boltstore/internal/record"
	"github.com/outhook/outhook/store/boltstore/internal/scan"
	"github.com/outhook/outhook/store/boltstore/internal/txn"
	"github.com/outhook/outhook/store/internal/page"
)

// The events of a tenant have no index of their own, which each Publish would have to write. They
// are found by the deliveries of the tenant's subscriptions, as a listing finds those, and that
// costs what the tenant has. What was published for subscriptions that are deleted is in no index,
// but only until Prune has removed it; so it is looked for in the log, in that time alone.

// EventQuery selects events of a tenant, oldest first.
type EventQuery struct {
	Tenant string
	Cursor string // what the step before has returned; if empty, from the oldest

	Limit      int // how many one step returns at most
	Deliveries int // about how many deliveries they have together at most, but for the first event

	// Unlisted has events returned too whose subscriptions are all deleted. Then those that a step
	// has returned may come again in a later one.
	Unlisted bool
}

// TenantEvents takes one step: it returns the numbers of events, and the cursor for the next step,
// empty after the last. A step may return none and have a next one. It goes on where a record can't
// be read, and passes over an event that can't be.
func (l *Lister) TenantEvents(
	ctx context.Context, q *EventQuery,
) (seqs []uint64, next string, err error) {
	from := page.Cursor{Back: true} // before all, for a walk from the end of a listing
	if q.Cursor != "" {
		if from, err = page.Parse(q.Cursor); err != nil {
			return nil, "", err
		}
	}
	if !from.Back {
		return l.logged(ctx, q, from.At.Num)
	}
	seqs, goOn, err := l.listed(ctx, q, from)
	switch {
	case errors.Is(err, store.ErrCorrupt):
		// The records of a delivery are not needed to know its event, and the log has all events.
		return l.logged(ctx, q, 0)
	case err != nil:
		return nil, "", err
	case goOn != nil:
		return seqs, page.Cursor{At: *goOn, Back: true}.String(), nil
	case q.Unlisted && l.mayHaveUnlisted(): // asked last, when all others have been found
		return seqs, page.Cursor{}.String(), nil
	}
	return seqs, "", nil
}

func (l *Lister) mayHaveUnlisted() bool {
	l.db.Lock()
	defer l.db.Unlock()
	return l.db.Memory.MayHaveUnlisted()
}

// listed looks for events that have a delivery. goOn is where the next step begins; nil after the
// last event.
func (l *Lister) listed(
	ctx context.Context, q *EventQuery, from page.Cursor,
) (seqs []uint64, goOn *page.Position, err error) {
	walk, err := l.deliveries(ctx, &store.DeliveryQuery{Tenant: q.Tenant})
	if err != nil {
		return nil, nil, err
	}
	seen := 0
	gaveUp, err := walk(from, page.Budget, func(at page.Position, _ *scan.FoundDelivery) bool {
		if n := len(seqs); n == 0 || seqs[n-1] != at.Seq {
			if n > 0 && (n >= q.Limit || seen >= q.Deliveries) {
				goOn = &page.Position{Seq: seqs[n-1]} // behind all deliveries of the last
				return false
			}
			seqs = append(seqs, at.Seq)
		}
		seen++
		return true
	})
	if gaveUp != nil {
		goOn = gaveUp
	}
	return seqs, goOn, err
}

// logged looks for events in the log, from a number on.
func (l *Lister) logged(
	ctx context.Context, q *EventQuery, from uint64,
) (seqs []uint64, next string, err error) {
	s := logSearch{EventQuery: q, from: from}
	// In short transactions, so a tenant with few events among many holds no page of the file for
	// long.
	for more := true; more; {
		err := l.db.ReadStep(ctx, func(t *txn.Tx) error {
			more = s.read(t)
			return nil
		})
		if err != nil {
			return nil, "", err
		}
	}
	l.Looked.Add(int64(s.passed + len(s.seqs)))
	if s.full {
		next = page.Cursor{At: page.Position{Num: s.from}}.String()
	}
	return s.seqs, next, nil
}

// logSearch is one step through the log. It ends when it has found as much as the query says, when
// it has passed over as many events of others as a page may, or with the last event.
type logSearch struct {
	*EventQuery
	from uint64 // the event that is yet to be looked at

	seqs       []uint64
	deliveries int  // of what it has found, or a little more
	passed     int  // how many events of others it has looked at
	full       bool // it has ended before the last event
}

// read looks on for a while, and reports whether it must go on.
func (s *logSearch) read(t *txn.Tx) (more bool) {
	c := t.Bucket(buckets.Events).Cursor()
	start := record.Key1(s.from)
	k, v := c.Seek(start[:])
	for seen := 0; k != nil; seen++ {
		// Each step looks at one event at least, or on a slow disk none would come further.
		if s.from = record.KeyNumber(k, 0); seen > 0 && t.IsSlow() {
			return true
		}
		if s.full = !s.take(k, v); s.full {
			return false
		}
		k, v = c.Next()
	}
	return false
}

// take looks at an event. It is false when the event is one too many.
func (s *logSearch) take(k, v []byte) bool {
	e, err := record.ViewEvent(k, v)
	if err != nil || string(e.Tenant) != s.Tenant {
		s.passed++
		return s.passed <= page.Budget
	}
	packed, err := record.DecodeRecipients(k, v)
	if err != nil {
		return true
	}
	// The length of the packed list stands for the number of recipients: each takes a byte at
	// least, so it is not too low, and nothing has to be decoded.
	s.deliveries += len(packed)
	if n := len(s.seqs); n > 0 && (n >= s.Limit || s.deliveries > s.Deliveries) {
		return false
	}
	s.seqs = append(s.seqs, s.from)
	return true
}
