package boltstore

import (
	"context"
	"math"
	"slices"

	bolt "go.etcd.io/bbolt"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/boltfile"
	"github.com/outhook/outhook/store/internal/schedule"
)

// maxScan bounds what is looked at to load a window once.
const maxScan = 512

// loadLacks reads what the schedule lacks, in one transaction, and hands it over. The mutex is not held over the reading:
// what changes meanwhile, the schedule remembers.
func (s *Store) loadLacks(ctx context.Context, lacks []schedule.Lack) error {
	loaded := make([]schedule.Loaded, len(lacks))
	subs := make([]*store.Subscription, len(lacks))
	err := s.read(ctx, func(t *txn) error {
		for i := range lacks {
			l := loader{t: t, num: lacks[i].Num}
			if err := l.load(&lacks[i], &loaded[i]); err != nil {
				return err
			}
			subs[i] = l.sub
		}
		return nil
	})
	now := s.now()
	s.mu.Lock()
	defer s.unlock()
	for i := range lacks {
		if err != nil {
			loaded[i] = schedule.Loaded{}
		}
		if q := s.schedule.Load(&lacks[i], loaded[i], now); q != nil {
			s.numbers.set(q, subs[i])
		}
		if q := s.schedule.Sub(lacks[i].Num); q != nil && lacks[i].Windows[schedule.Packed].Needed {
			s.trim(q)
		}
	}
	return err
}

// loader reads what one subscription lacks.
type loader struct {
	t     *txn
	num   uint64
	sub   *store.Subscription
	marks []mark

	// Of the window that is being read:
	after place // what is wanted comes after it
	found []place
	seen  int
	upTo  place
}

func (l *loader) load(lack *schedule.Lack, loaded *schedule.Loaded) error {
	if lack.State {
		l.sub, loaded.State = l.state()
	}
	if b, err := l.t.backlog(l.num); err == nil { // or else memory has what it needs for its claims to fail
		l.marks = b.marks
	}
	for source, read := range map[schedule.Source]func() (bool, error){
		schedule.Packed: l.chunks, schedule.First: l.started, schedule.Retry: l.retries,
	} {
		w := &lack.Windows[source]
		if !w.Needed {
			continue
		}
		if w.Newest {
			loaded.Windows[source] = schedule.LoadedWindow{OK: true, Positions: l.newest(source)}
			continue
		}
		l.after, l.found, l.seen, l.upTo = w.After, nil, 0, w.After
		done, err := read()
		if err != nil {
			return err
		}
		loaded.Windows[source] = schedule.LoadedWindow{OK: true, Positions: l.found, UpTo: l.upTo, Complete: done}
	}
	return nil
}

// state reads the subscription and its health. A subscription that can't be read is nil: its deliveries die when they are
// claimed.
func (l *loader) state() (*store.Subscription, *schedule.State) {
	sub, err := l.t.sub(l.num)
	if err != nil {
		sub = nil
	}
	state := &schedule.State{Active: active(sub), Health: l.t.health(l.num)}
	if sub != nil {
		state.Tenant, state.Host = sub.Tenant, schedule.HostOf(sub.URL)
	}
	return sub, state
}

// full reports whether that is enough.
func (l *loader) full() bool { return len(l.found) >= maxWindow || l.seen >= maxScan }

// see looks at a delivery. Those that a mark has canceled are passed over.
func (l *loader) see(p place, pending func() (bool, error)) error {
	l.seen++
	l.upTo = p
	ok, err := pending()
	if ok {
		l.found = append(l.found, p)
	}
	return err
}

// chunks reads on in the chunks. One that can't be read is passed over: it must not keep the others from being claimed.
func (l *loader) chunks() (done bool, err error) {
	rows := rowSeeker{cursor: l.t.bucket(deliveries).Cursor(), num: l.num, marks: l.marks}
	c := l.t.bucket(chunks).Cursor()
	for k, v := seekChunk(c, l.num, l.after.Seq); k != nil && number(k, 0) == l.num; k, v = c.Next() {
		seqs, _ := decodeChunk(k, v)
		for _, seq := range seqs {
			if seq <= l.after.Seq {
				continue
			}
			if l.full() {
				return false, nil
			}
			if err := l.see(place{Seq: seq}, func() (bool, error) { return rows.pending(seq), nil }); err != nil {
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
	num    uint64
	marks  []mark
	next   uint64 // the first event from the last search on that has a row; 0 before there was one
}

// pending reports whether a delivery in a chunk is pending.
func (r *rowSeeker) pending(seq uint64) bool {
	if seq > r.next || r.next == 0 {
		key := key2(r.num, seq)
		r.next = math.MaxUint64
		if k, _ := r.cursor.Seek(key[:]); inSubscription(k, r.num) {
			r.next = number(k, 1)
		}
	}
	return seq != r.next && canceled(r.marks, seq) == nil
}

// newest returns the last first attempts that are pending, in order. It looks at maxScan at most: a
// probe is as good with another one.
func (l *loader) newest(source schedule.Source) []place {
	l.found, l.seen = nil, 0
	if source == schedule.Packed {
		l.newestChunks()
	} else {
		low, high := key3(l.num, 0, 0), key3(l.num, 1, 0)
		for k := range boltfile.Descend(l.t.bucket(index).Cursor(), low[:], high[:]) {
			if l.full() {
				break
			}
			seq := number(k, 2)
			_ = l.see(place{Seq: seq}, func() (bool, error) { return l.rowPending(seq) })
		}
	}
	slices.Reverse(l.found)
	return l.found
}

// newestChunks is newest for those in chunks.
func (l *loader) newestChunks() {
	low, high := key2(l.num, 0), key2(l.num+1, 0)
	for k, v := range boltfile.Descend(l.t.bucket(chunks).Cursor(), low[:], high[:]) {
		seqs, _ := decodeChunk(k, v)
		for _, seq := range slices.Backward(seqs) {
			if l.full() {
				return
			}
			_ = l.see(place{Seq: seq}, func() (bool, error) {
				key := key2(l.num, seq)
				return l.t.get(deliveries, key[:]) == nil && canceled(l.marks, seq) == nil, nil
			})
		}
	}
}

// started reads on in the index of rows, where first attempts are.
func (l *loader) started() (done bool, err error) {
	start := key3(l.num, 0, l.after.Seq+1)
	return l.index(start[:], func(p place) bool { return p.Due == 0 })
}

// retries reads on in the index of rows, where retries are.
func (l *loader) retries() (done bool, err error) {
	start := key3(l.num, uint64(max(l.after.Due, 1)), 0)
	if l.after.Due > 0 {
		start = key3(l.num, uint64(l.after.Due), l.after.Seq+1)
	}
	return l.index(start[:], func(place) bool { return true })
}

// index reads the index from a key on, as long as the positions are in the window's range.
func (l *loader) index(start []byte, in func(place) bool) (done bool, err error) {
	c := l.t.bucket(index).Cursor()
	for k, _ := c.Seek(start); inSubscription(k, l.num); k, _ = c.Next() {
		p := place{Due: int64(number(k, 1)), Seq: number(k, 2)}
		if !in(p) {
			break
		}
		if l.full() {
			return false, nil
		}
		if err := l.see(p, func() (bool, error) { return l.rowPending(p.Seq) }); err != nil {
			return false, err
		}
	}
	return true, nil
}

// rowPending reports whether a delivery in the index is pending. It is, if nothing has been canceled; a row that can't
// be read is for Claim to find.
func (l *loader) rowPending(seq uint64) (bool, error) {
	if len(l.marks) == 0 {
		return true, nil
	}
	r, ok, err := l.t.find(l.num, seq, 0)
	return err != nil || ok && r.live(), nil
}

func inSubscription(k []byte, num uint64) bool { return k != nil && number(k, 0) == num }
