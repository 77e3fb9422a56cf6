package pgstore

import (
	"context"
	"sync"

	"github.com/jackc/pgx/v5"
)

// A token is the number of the claim call, the slot of its lease, and whether the event has a key:
//
//	number << tokenBits | slot << 1 | keyed
//
// A slot is given out once per call, so no token is given out twice. The numbers come in blocks, and a replica takes a
// block in a transaction that is on disk before any of it is used; so that holds across crashes too, though a claim
// itself may be forgotten in one.
const (
	tokenBits = 18
	blockBits = 20 // numbers in a block
)

// tokens gives out the numbers of claim calls.
type tokens struct {
	mu        sync.Mutex // guards next and end
	next, end int64
}

// keyed reports whether the token is of an event with a key.
func keyed(token int64) bool { return token&1 == 1 }

// base returns what the tokens of the next claim call begin with.
func (s *Store) tokenBase(ctx context.Context) (int64, error) {
	if n, ok := s.tokens.take(); ok {
		return n << tokenBits, nil
	}
	var block int64
	err := s.write(ctx, plainSettings, func(b *batch) {
		b.Queue(s.sql.block).QueryRow(func(row pgx.Row) error { return row.Scan(&block) })
	})
	if err != nil {
		return 0, err
	}
	return s.tokens.renew(block) << tokenBits, nil
}

func (t *tokens) take() (n int64, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.next == t.end {
		return 0, false
	}
	t.next++
	return t.next - 1, true
}

// renew begins a new block, giving up what may be left of the one before, and takes its first number.
func (t *tokens) renew(block int64) int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.next, t.end = block<<blockBits, (block+1)<<blockBits
	t.next++
	return t.next - 1
}
