package publish

import (
	"context"
	"errors"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/internal/unwanted"
	"github.com/outhook/outhook/store/pgstore/internal/batcher"
	"github.com/outhook/outhook/store/pgstore/internal/memory"
	"github.com/outhook/outhook/store/pgstore/internal/replica"
	"github.com/outhook/outhook/store/pgstore/internal/sqltx"
)

// Publisher stores events. Make one with [New]. It is safe for concurrent use.
type Publisher struct {
	*replica.Replica
	pollOnly bool
	joined   *batcher.Batcher[Event, struct{}]
	alone    chan struct{} // has a slot for each of those who store events alone

	Unwanted unwanted.Counter // events that nobody got

	filters filters // of those who may get events
}

// aloneAtOnce is how many transactions that nobody shares go on at once. Each may hold a connection
// for as long as its lock_timeout.
const aloneAtOnce = 2

// New returns the publisher of a replica. pollOnly keeps InTx from notifying. The batcher has one
// run at a time: a second beside it would have fewer callers in each.
func New(r *replica.Replica, pollOnly bool) *Publisher {
	p := &Publisher{Replica: r, pollOnly: pollOnly, alone: make(chan struct{}, aloneAtOnce)}
	p.joined = batcher.New(p.enqueueJoined, 0)
	return p
}

// Waiting returns how many calls of Enqueue wait for their turn.
func (p *Publisher) Waiting() int { return p.joined.Waiting() }

// Alone returns how many calls of Enqueue have a transaction of their own.
func (p *Publisher) Alone() int { return len(p.alone) }

// Close waits for what is under way. Later calls of Enqueue get batcher.ErrClosed.
func (p *Publisher) Close() { p.joined.Close() }

// Enqueue stores events. Calls that come while others are on their way to the disk share one
// transaction. One that waits for an event of the same ID in an open transaction of the host's
// waits alone.
func (p *Publisher) Enqueue(ctx context.Context, evs []Event) error {
	if len(evs) == 0 {
		return nil
	}
	// All of it in the caller's goroutine, while the batcher goes on with others.
	for range maxRounds {
		p.filters.ask(evs)
		_, err := p.joined.Do(ctx, evs, size(evs), true)
		switch {
		case errors.Is(err, errAlone):
			return p.enqueueAlone(ctx, evs)
		case !errors.Is(err, errUnasked):
			return err
		}
	}
	return p.enqueueAlone(ctx, evs)
}

// stored is a new event, with those that get it and have no row for it. subs has shares of others
// too, which Feed passes over.
type stored struct {
	seq    int64
	subs   []int64
	others bool // some are another replica's
}

// readStored reads what the enqueue statement says: the new events, and the types of those that
// nobody gets.
//
// unasked are the filters that must be asked first, as the statement says them.
func readStored(rows pgx.Rows) (out []stored, unwanted []string, unasked string, err error) {
	for rows.Next() {
		var ok bool
		var other *string
		var seq *int64
		var subs []int64
		var others *bool
		var types *string
		var moved bool
		var filters *string
		err := rows.Scan(&ok, &other, &seq, &subs, &others, &types, &moved, &filters)
		if err != nil {
			return nil, nil, "", err
		}
		if !ok {
			// The statement has worked. It says by this row that it has stored nothing.
			rows.Close()
			if filters != nil {
				return nil, nil, *filters, nil
			}
			return nil, nil, "", refusal(other, moved)
		}
		unwanted = append(unwanted, typesIn(types)...)
		// The one row without an event says only that none was new.
		if seq != nil {
			out = append(out, stored{*seq, subs, *others})
		}
	}
	return out, unwanted, "", rows.Err()
}

// errFree says that IDs are those of events of which no delivery is left. They are to be removed,
// and then it can be tried again.
var errFree = errors.New("an event without deliveries has the ID")

// refusal returns why the statement has stored nothing: a tenant is not settled, an event of
// another content has the ID, or one that is stored to nobody.
func refusal(other *string, moved bool) error {
	switch {
	case moved:
		return store.ErrMoved
	case other != nil:
		return conflict(*other)
	}
	return errFree
}

// typesIn returns the types that the enqueue statement has put together.
func typesIn(list *string) []string {
	if list == nil {
		return nil
	}
	return strings.Split(*list, ",") // no type has one
}

// enqueue stores events in a transaction of its own, and tells memory. here says that filters may
// be asked; otherwise the error is errUnasked if they must be.
func (p *Publisher) enqueue(ctx context.Context, evs []Event, settings string, here bool) error {
	err := p.asking(evs, here, func(j judgement, hold bool) (unasked string, err error) {
		known := knowledge{hold: hold}
		err = sqltx.Retry(func() error {
			unasked, err = p.tryEnqueue(ctx, evs, settings, j, known)
			known.mayExist = true
			if errors.Is(err, errFree) && !known.free {
				known.free = true
				unasked, err = p.tryEnqueue(ctx, evs, settings, j, known)
			}
			return err
		})
		return unasked, err
	})
	return replica.InputError("event", err)
}

// knowledge is what is known of the IDs of events that are to be stored.
type knowledge struct {
	// The first try takes all events for new, and is an error of the index if one is not. Looking
	// for them first would cost each publish an index scan.
	mayExist bool

	free bool // some are those of events without deliveries

	hold bool // who takes the events is to stay as it is until they are stored
}

// Each try has a publication of its own, since its events get other numbers.
func (p *Publisher) tryEnqueue(
	ctx context.Context, evs []Event, settings string, j judgement, known knowledge,
) (unasked string, err error) {
	var out []stored
	var unwanted []string
	var refused error
	// Before the transaction: once it draws numbers, a low mark that is computed meanwhile must
	// stay below.
	publication := p.begin()
	store := func(b *sqltx.Batch) {
		args := append(Args(evs), p.ID, p.Schema.Table("events"), known.mayExist, j.known, j.refused)
		b.Queue(p.SQL.Enqueue, args...).Query(func(rows pgx.Rows) error {
			// If it is refused, the transaction has stored nothing, and commits.
			out, unwanted, unasked, refused = readStored(rows)
			return nil
		})
	}
	first := func(b *sqltx.Batch) {
		// A new owner waits for it before it reads, and so sees these events. findStored waits for
		// it too.
		p.QueueWriter(b)
		if known.free {
			tenants, ids := names(evs)
			b.Queue(p.SQL.ForgetEvents, tenants, ids, false)
		}
		if known.hold {
			_, tenants, patterns := patternRows(number(evs))
			b.Queue(p.SQL.HoldTakers, tenants, patterns)
		}
		store(b)
	}
	if known.hold {
		err = p.DB.WriteAfter(ctx, settings, first, func(b *sqltx.Batch) {
			if unasked == "" {
				return
			}
			j, refused = p.askAgain(evs, unasked)
			if refused == nil {
				store(b)
			}
		})
	} else {
		err = p.DB.Write(ctx, settings, first)
	}
	switch {
	case err == nil:
		p.end(publication, out)
		p.Unwanted.Add(unwanted...)
		return unasked, refused
	case sqltx.Unknown(err):
		p.findOut(publication, evs) // it may have committed
	// It has not begun, or the server has rolled it back.
	default:
		p.end(publication, nil)
	}
	return "", err
}

// askAgain asks what a statement has told, in between two statements of one transaction.
func (p *Publisher) askAgain(evs []Event, unasked string) (judgement, error) {
	numbers := number(evs)
	if err := p.filters.learn(unasked, numbers); err != nil {
		return judgement{}, err
	}
	p.filters.ask(evs)
	return p.filters.judge(evs, numbers), nil
}

// begin keeps low marks below the events of a transaction that is about to begin.
func (p *Publisher) begin() *memory.Publication {
	p.Memory.Lock()
	defer p.Memory.Unlock()
	return p.Memory.BeginPublication()
}

// end tells memory, and other replicas, what a transaction has stored.
func (p *Publisher) end(publication *memory.Publication, out []stored) {
	others, later := false, false
	p.Memory.Lock()
	// In one critical section: in between, a low mark could pass what is not fed yet.
	p.Memory.EndPublication(publication)
	now := p.Clock.Now()
	for _, e := range out {
		p.Memory.Saw(uint64(e.seq))
		for _, sub := range e.subs {
			p.Memory.Feed(memory.Delivery{Sub: uint64(sub), Seq: uint64(e.seq)}, now)
		}
		others, later = others || e.others, later || len(e.subs) == 0
	}
	p.Memory.Unlock()
	if others {
		p.Notify.TellOthers()
	}
	// There may be notices for this replica of what waits for a time or expires.
	if later {
		p.Notify.LookAgain()
	}
}
