package scan

import (
	"container/heap"

	"github.com/outhook/outhook/store/boltstore/internal/buckets"
	"github.com/outhook/outhook/store/boltstore/internal/record"
	"github.com/outhook/outhook/store/internal/page"
)

// The deliveries of one subscription are in several places. Those of a tenant are found by merging
// those of its subscriptions, so a listing of it reads nothing of others.

// MaxMerged is how many subscriptions are merged at most. Before the first delivery is found, each
// of them is looked at once in each of its sources, which takes some microseconds.
const MaxMerged = 4096

// Stream is the deliveries of one subscription, as they are to be merged.
type Stream struct {
	Num uint64

	// Events that memory knew to be implicit before the transaction began, from Edge on in the
	// direction; and whether it knew more.
	Implicit     []uint64
	MoreImplicit bool

	seqs  []uint64 // what comes next, in the order of the walk: events that may have a delivery
	more  bool     // there may be more behind them
	size  int      // how many are to be read at a time
	ready bool     // it has been given what memory knows
}

// Size returns how many events the caller is to give as Implicit at most.
func (s *Stream) Size() int { return s.size }

// Merge makes the reader go through the deliveries of some subscriptions, from where it is. The
// numbers are in ascending order. most is how many deliveries the caller wants: so much that few
// subscriptions are read once, and of many little is read in vain.
func (sl *DeliveryReader) Merge(nums []uint64, most int) {
	sl.merging, sl.sources = true, sourcesOf(sl.Q)
	size := max(1, min(2*most/max(len(nums), 1), SliceSize))
	if len(nums) == 1 {
		size = min(most, SliceSize)
	}
	sl.streams = make([]*Stream, len(nums))
	for i, num := range nums {
		sl.streams[i] = &Stream{Num: num, more: true, size: size}
	}
}

// dryAtOnce is how many streams get what memory knows at a time.
const dryAtOnce = 256

// Dry returns the streams that the next Read needs the knowledge of memory for. It must be given
// before the transaction begins: what is not implicit any more by then, is in the file.
func (sl *DeliveryReader) Dry() (dry []*Stream) {
	if sl.Seq != 0 {
		return nil
	}
	for _, s := range sl.streams {
		if len(s.seqs) > 0 || !s.more {
			continue
		}
		if s.ready = true; sl.sources.pending || sl.sources.marked {
			s.Implicit, s.MoreImplicit = nil, false
			dry = append(dry, s)
		}
		if len(dry) == dryAtOnce {
			break
		}
	}
	return dry
}

// Edge returns the first event that can be on our way in a subscription; ok is false if there is
// none.
func (sl *DeliveryReader) Edge(num uint64) (seq uint64, ok bool) {
	seq = sl.From.At.Seq
	switch {
	case !sl.From.Back && num < sl.From.At.Num: // we have been there
		return seq - 1, seq > 0
	case sl.From.Back && num >= sl.From.At.Num:
		return seq + 1, true
	}
	return seq, true
}

// merge reads the deliveries of the streams in the order of the listing. It costs what the
// subscriptions have, and not what is in the log.
func (sl *DeliveryReader) merge() error {
	full, err := sl.fill()
	if err != nil || !full {
		sl.More = err == nil
		return err
	}
	h := streamHeap{sl.streams, sl.From.Back}
	heap.Init(&h)
	for len(h.streams) > 0 {
		s := h.streams[0]
		if sl.stop() {
			sl.More = true
			return nil
		}
		past, err := sl.look(s.Num, s.seqs[0])
		if err != nil || past { // if past, nothing that is still to come can be selected
			return err
		}
		s.seqs = s.seqs[1:]
		if ok, err := sl.refill(s); err != nil || !ok {
			sl.More = err == nil // memory must be asked first
			return err
		}
		if len(s.seqs) > 0 {
			heap.Fix(&h, 0)
		} else {
			heap.Pop(&h)
			sl.streams = h.streams
		}
	}
	return nil
}

// look looks at the delivery of an event, and moves on. past is true if no event from it on can be
// selected.
func (sl *DeliveryReader) look(num, seq uint64) (past bool, err error) {
	e, err := sl.eventOf(seq)
	switch {
	case err != nil:
		return false, err
	case !e.gone && sl.past(&e.view):
		return true, nil
	case e.gone || !sl.selects(&e.view): // or it was pruned, or its record is gone
		sl.pass(page.Position{Seq: seq, Num: num})
		sl.Passed++
		return false, nil
	}
	if !e.copied {
		e.event, e.copied = sl.known.copy(&e.view), true
	}
	return false, sl.take(num, seq, &e.event)
}

// eventOf reads an event. Those that follow are often of the same.
func (sl *DeliveryReader) eventOf(seq uint64) (*cached, error) {
	if sl.last.seq == seq {
		return &sl.last, nil
	}
	sl.known.key = record.Key1(seq)
	key := sl.known.key[:]
	v := sl.t.Get(buckets.Events, key)
	view := record.EventView{}
	if v != nil {
		var err error
		if view, err = record.ViewEvent(key, v); err != nil {
			return nil, err
		}
		sl.Passed += len(view.Body) / passedBytes
	}
	sl.last = cached{seq: seq, gone: v == nil, view: view}
	return &sl.last, nil
}

// fill reads what comes next of each stream that has run dry, and drops those that have nothing
// more. It is not full if there was no time for all. However slow it is, it reads one of them.
func (sl *DeliveryReader) fill() (full bool, err error) {
	kept, read := sl.streams[:0], 0
	full = true
	for _, s := range sl.streams {
		if full && len(s.seqs) == 0 && s.more {
			if full = read == 0 || !sl.t.IsSlow(); full {
				read++
				if full, err = sl.refill(s); err != nil {
					return false, err
				}
			}
		}
		if len(s.seqs) > 0 || s.more {
			kept = append(kept, s)
		}
	}
	clear(sl.streams[len(kept):])
	sl.streams = kept
	return full, nil
}

// refill reads on in a stream, if it has run dry. It is not ok if memory must be asked first.
func (sl *DeliveryReader) refill(s *Stream) (ok bool, err error) {
	for len(s.seqs) == 0 && s.more {
		first, reachable := sl.Edge(s.Num)
		if !reachable {
			s.more = false
			return true, nil
		}
		sl.trim(s, first)
		if !s.ready || len(s.Implicit) == 0 && s.MoreImplicit {
			return false, nil
		}
		if s.seqs, s.more, err = sl.next(s, first); err != nil {
			return false, err
		}
		s.size = min(2*s.size, SliceSize)
	}
	return true, nil
}

// trim takes out of what memory knows what the walk has passed since.
func (sl *DeliveryReader) trim(s *Stream, first uint64) {
	for len(s.Implicit) > 0 && (sl.From.Back && s.Implicit[0] < first ||
		!sl.From.Back && s.Implicit[0] > first) {
		s.Implicit = s.Implicit[1:]
	}
}

// streamHeap has the stream in front whose next delivery comes first in the order of the walk.
type streamHeap struct {
	streams []*Stream
	back    bool
}

func (h *streamHeap) Len() int { return len(h.streams) }

func (h *streamHeap) Less(i, j int) bool {
	a, b := h.streams[i], h.streams[j]
	c := page.Position{Seq: a.seqs[0], Num: a.Num}.Compare(page.Position{Seq: b.seqs[0], Num: b.Num})
	return c < 0 != h.back && c != 0
}

func (h *streamHeap) Swap(i, j int) { h.streams[i], h.streams[j] = h.streams[j], h.streams[i] }
func (h *streamHeap) Push(x any)    { h.streams = append(h.streams, x.(*Stream)) }

func (h *streamHeap) Pop() any {
	n := len(h.streams) - 1
	last := h.streams[n]
	h.streams = h.streams[:n]
	return last
}
