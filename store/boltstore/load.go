package boltstore

import (
	"math"

	bolt "go.etcd.io/bbolt"
)

// maxScan bounds what is looked at to load a window once.
const maxScan = 512

// loader reads what follows in a window.
type loader struct {
	t      *txn
	q      *queue
	window *window
	found  []place
	seen   int
	upTo   place
}

// loadQueue loads the windows of q that are hungry. Store.mu must be held; and since it was held when the transaction
// began, the file knows all that memory knows.
func (s *Store) loadQueue(t *txn, q *queue) error {
	if q.chunked.hungry() {
		if err := s.load(t, q, &q.chunked, (*loader).chunks); err != nil {
			return err
		}
		s.trim(q)
	}
	if q.started.hungry() {
		if err := s.load(t, q, &q.started, (*loader).started); err != nil {
			return err
		}
	}
	if q.retries.hungry() {
		return s.load(t, q, &q.retries, (*loader).retries)
	}
	return nil
}

func (s *Store) load(t *txn, q *queue, w *window, read func(*loader) (done bool, err error)) error {
	l := loader{t: t, q: q, window: w, upTo: w.upTo}
	done, err := read(&l)
	if err != nil {
		return err
	}
	w.load(l.found, l.upTo, done)
	return nil
}

// full reports whether that is enough.
func (l *loader) full() bool { return len(l.found) >= maxWindow || l.seen >= maxScan }

// see looks at a delivery. Those that are claimed, that memory has elsewhere because it is not up to date yet, that are
// being erased, and that a mark has canceled are passed over.
func (l *loader) see(p place, pending func() (bool, error)) error {
	l.seen++
	l.upTo = p
	if l.q.busy(p.seq) || l.q.fresh.has(p.seq) || l.erasing(p.seq) {
		return nil
	}
	ok, err := pending()
	if ok {
		l.found = append(l.found, p)
	}
	return err
}

// erasing reports whether an event is being erased.
func (l *loader) erasing(seq uint64) bool {
	return l.t.store.erasing[seq] != nil
}

// chunks reads on in the chunks. One that can't be read is passed over, lest it keep the others from being claimed.
func (l *loader) chunks() (done bool, err error) {
	rows := rowSeeker{cursor: l.t.bucket(deliveries).Cursor(), queue: l.q}
	c := l.t.bucket(chunks).Cursor()
	for k, v := seekChunk(c, l.q.num, l.window.upTo.seq); k != nil && number(k, 0) == l.q.num; k, v = c.Next() {
		seqs, _ := decodeChunk(k, v)
		for _, seq := range seqs {
			if seq <= l.window.upTo.seq {
				continue
			}
			if l.full() {
				return false, nil
			}
			if err := l.see(place{0, seq}, func() (bool, error) { return rows.pending(seq), nil }); err != nil {
				return false, err
			}
		}
	}
	return true, nil
}

// rowSeeker finds out which deliveries of a subscription have a row. They are asked for in ascending order, so one search
// answers for all up to the row that it finds, which as a rule is for all.
type rowSeeker struct {
	cursor *bolt.Cursor
	queue  *queue
	next   uint64 // the first event from the last search on that has a row; 0 before there was one
}

// pending reports whether a delivery in a chunk is pending.
func (r *rowSeeker) pending(seq uint64) bool {
	if seq > r.next || r.next == 0 {
		key := key2(r.queue.num, seq)
		r.next = math.MaxUint64
		if k, _ := r.cursor.Seek(key[:]); inSubscription(k, r.queue.num) {
			r.next = number(k, 1)
		}
	}
	return seq != r.next && canceled(r.queue.marks, seq) == nil
}

// started reads on in the index of rows, where first attempts are.
func (l *loader) started() (done bool, err error) {
	start := key3(l.q.num, 0, l.window.upTo.seq+1)
	return l.index(start[:], func(p place) bool { return p.due == 0 })
}

// retries reads on in the index of rows, where retries are.
func (l *loader) retries() (done bool, err error) {
	from := l.window.upTo
	start := key3(l.q.num, uint64(max(from.due, 1)), 0)
	if from.due > 0 {
		start = key3(l.q.num, uint64(from.due), from.seq+1)
	}
	return l.index(start[:], func(place) bool { return true })
}

// index reads the index from a key on, as long as the places are in the window's range.
func (l *loader) index(start []byte, in func(place) bool) (done bool, err error) {
	c := l.t.bucket(index).Cursor()
	for k, _ := c.Seek(start); inSubscription(k, l.q.num); k, _ = c.Next() {
		p := place{int64(number(k, 1)), number(k, 2)}
		if !in(p) {
			break
		}
		if l.full() {
			return false, nil
		}
		if err := l.see(p, func() (bool, error) { return l.rowPending(p.seq) }); err != nil {
			return false, err
		}
	}
	return true, nil
}

// rowPending reports whether a delivery in the index is pending. It is, if nothing has been canceled; a row that can't
// be read is for Claim to find.
func (l *loader) rowPending(seq uint64) (bool, error) {
	if len(l.q.marks) == 0 {
		return true, nil
	}
	r, ok, err := l.t.find(l.q.num, seq, 0)
	return err != nil || ok && r.live(), nil
}

func inSubscription(k []byte, num uint64) bool { return k != nil && number(k, 0) == num }

// learn reads the subscription and the health of a queue. A subscription that can't be read is nil: its deliveries die
// when they are claimed.
func (s *Store) learn(t *txn, q *queue) {
	if sub, err := t.sub(q.num); err == nil {
		q.sub = sub
	}
	q.health = t.health(q.num)
	q.known = true
}
