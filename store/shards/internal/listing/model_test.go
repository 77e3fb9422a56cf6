package listing_test

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/internal/page"
	"github.com/outhook/outhook/store/shards/internal/calls"
	"github.com/outhook/outhook/store/shards/internal/listing"
)

// record is what the stores of a test list. at is its place in the order of all.
type record struct {
	at, store, n int
	wanted       bool
}

func position(r record) page.Position { return page.Position{Num: uint64(r.n) + 1} }

// lists are stores that list by package page, as the real ones do.
type lists struct {
	stores [][]record
	budget int // how many records a read may pass over; if zero, what the context says

	looked, counts, reads int
}

func (ls *lists) list(ctx context.Context, i int, r listing.Read) (store.Page[record], error) {
	ls.reads++
	budget := cmp.Or(ls.budget, page.BudgetOf(ctx))
	walk := page.Sorted(ls.stores[i], position, func(r record) bool {
		ls.looked++
		return r.wanted
	}).Within(budget)
	found, err := walk.Page(r.Cursor, r.Limit, 0)
	if err == nil && r.Count {
		ls.counts++
		found.Total, found.TotalIsLowerBound, err = walk.Count(store.MaxTotal)
	}
	return found, err
}

// page returns the page of all stores that a cursor names. They are read one after the other, so
// that lists needs no lock: with one goroutine at a time.
func (ls *lists) page(t fataler, limit int, cursor string) store.Page[record] {
	t.Helper()
	at, err := listing.ParseCursor(cursor)
	if err != nil {
		t.Fatalf("cursor: %v", err)
	}
	turn := make(chan struct{}, 1)
	l := listing.Listing[record]{
		Stores: len(ls.stores), Calls: calls.NewGroup(), Limit: limit,
		List: func(ctx context.Context, i int, r listing.Read) (store.Page[record], error) {
			turn <- struct{}{}
			defer func() { <-turn }()
			return ls.list(ctx, i, r)
		},
		Wrap:   func(_ int, err error) error { return err },
		Before: func(a, b *record) bool { return a.at < b.at },
		Hides:  func(int, *record) bool { return false },
	}
	found, err := l.Page(context.Background(), at)
	if err != nil {
		t.Fatalf("page: %v", err)
	}
	return found
}

type fataler interface {
	Helper()
	Fatalf(string, ...any)
}

// all returns what is wanted, in the order of all.
func (ls *lists) all() (all []record) {
	for _, records := range ls.stores {
		for _, r := range records {
			if r.wanted {
				all = append(all, r)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b record) int {
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.store, b.store))
	})
	return all
}

// TestPagesMeet turns round again and again in a listing of stores that give up after a few
// records. Each page must begin or end where the one before did, and have what is there.
func TestPagesMeet(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ls := &lists{budget: rapid.IntRange(1, 6).Draw(t, "budget")}
		for i := range rapid.IntRange(2, 4).Draw(t, "stores") {
			at, records := 0, []record(nil)
			for n := range rapid.IntRange(0, 30).Draw(t, "records") {
				at += rapid.IntRange(0, 2).Draw(t, "later")
				wanted := rapid.IntRange(0, 9).Draw(t, "wanted") < 3
				records = append(records, record{at, i, n, wanted})
			}
			ls.stores = append(ls.stores, records)
		}
		want, limit := ls.all(), rapid.IntRange(1, 5).Draw(t, "limit")
		start, end := 0, 0 // of the page, in want
		back := false
		at := ls.page(t, limit, "")
		for step := 0; ; step++ {
			n := len(at.Items)
			if back {
				start = end - n
			} else {
				end = start + n
			}
			if start < 0 || end > len(want) || !slices.Equal(at.Items, want[max(start, 0):end]) {
				t.Fatalf("step %d (back: %t): got %v, want it to be in %v from %d to %d", step, back,
					at.Items, want, start, end)
			}
			if n > limit || at.Next == "" && end != len(want) || at.Previous == "" && start != 0 {
				t.Fatalf("step %d: page %d to %d of %d at a limit of %d has the cursors %q and %q",
					step, start, end, len(want), limit, at.Previous, at.Next)
			}
			if step == 200 || at.Next == "" && at.Previous == "" {
				return
			}
			back = at.Next == "" || at.Previous != "" && rapid.IntRange(0, 3).Draw(t, "turn") == 0
			cursor := at.Next
			if back {
				cursor, end = at.Previous, start
			} else {
				start = end
			}
			at = ls.page(t, limit, cursor)
		}
	})
}

// TestPagesEnd wants a listing to end in either direction, however few of its records are wanted
// and however few a read may pass over.
func TestPagesEnd(t *testing.T) {
	for stores := 2; stores <= 4; stores++ {
		ls := &lists{budget: page.Budget / 1000}
		for i := range stores {
			records := make([]record, 300)
			for n := range records {
				records[n] = record{n, i, n, n%100 == 70 && i > 0}
			}
			ls.stores = append(ls.stores, records)
		}
		most := 2 * stores * 300 // each page passes over one record at least, and there are looks
		pages := 1
		at := ls.page(t, 2, "")
		for ; at.Next != "" && pages < most; pages++ {
			at = ls.page(t, 2, at.Next)
		}
		if at.Next != "" {
			t.Errorf("%d stores: the listing does not end within %d pages", stores, pages)
		}
		for ; at.Previous != "" && pages < 2*most; pages++ {
			at = ls.page(t, 2, at.Previous)
		}
		if at.Previous != "" {
			t.Errorf("%d stores: the way back does not end within %d pages", stores, pages)
		}
	}
}

// TestPageHasABudget counts the records that pages of a rare filter look at, and the reads that
// count. Of all stores together there are no more than a page of one may have. By the other filter
// a page ends among the items of a store, which is read again.
func TestPageHasABudget(t *testing.T) {
	for _, c := range []struct{ stores, every int }{{2, 3000}, {5, 3000}, {40, 3000}, {2, 10}, {5, 10}} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			stores := c.stores
			ls := &lists{}
			for i := range stores {
				records := make([]record, 4*page.Budget)
				for n := range records {
					records[n] = record{n, i, n, n%c.every == c.every/3}
				}
				ls.stores = append(ls.stores, records)
			}
			// For the page, the look at its other side, and the count of each store, which has the
			// budget of the page; and what they find.
			const found = 100
			most := page.Budget + page.Budget/10 + page.Budget + found*stores
			at, cursor, again := store.Page[record]{}, "", false
			for i := range 40 {
				ls.looked, ls.counts, ls.reads = 0, 0, 0
				at = ls.page(t, 20, cursor)
				if ls.looked > most {
					t.Fatalf("page %d has looked at %d records in %d reads, want %d at most", i,
						ls.looked, ls.reads, most)
				}
				again = again || ls.reads > stores
				if ls.counts != stores {
					t.Fatalf("page %d: %d stores have counted %d times", i, stores, ls.counts)
				}
				if cursor = at.Next; cursor == "" || i%7 == 6 {
					cursor = at.Previous
				}
			}
			if c.every == 10 && !again {
				t.Error("no store was read again, so this tests nothing")
			}
		})
	}
}
