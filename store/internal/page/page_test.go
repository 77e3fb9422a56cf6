package page_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/internal/page"
)

// listing is a sorted list of items that are their own positions.
type listing []page.Position

func self(p page.Position) page.Position { return p }

func (l listing) walk(wanted func(page.Position) bool) page.Walk[page.Position] {
	return page.Sorted(l, self, wanted)
}

func all(page.Position) bool { return true }

// numbers returns a listing by rising numbers.
func numbers(nums ...uint64) (l listing) {
	for _, n := range nums {
		l = append(l, page.Position{Num: n})
	}
	return l
}

func at(num uint64, back bool) string {
	return page.Cursor{At: page.Position{Num: num}, Back: back}.String()
}

func TestPages(t *testing.T) {
	five := numbers(2, 4, 6, 8, 10)
	for _, tt := range []struct {
		name           string
		list           listing
		cursor         string
		limit          int
		want           listing
		next, previous string
	}{
		{"of nothing", nil, "", 3, nil, "", ""},
		{"the first", five, "", 2, numbers(2, 4), at(5, false), ""},
		{"one in the middle", five, at(5, false), 2, numbers(6, 8), at(9, false), at(5, true)},
		{"the last", five, at(9, false), 2, numbers(10), "", at(9, true)},
		{"just full", five, at(7, false), 2, numbers(8, 10), "", at(7, true)},
		{"all", five, "", 5, five, "", ""},
		{"without a limit", five, "", 0, five, "", ""},
		{"without a limit, from a cursor", five, at(5, false), 0, numbers(6, 8, 10), "", at(5, true)},
		{"back, the first", five, at(5, true), 2, numbers(2, 4), at(5, false), ""},
		{"back, one in the middle", five, at(9, true), 2, numbers(6, 8), at(9, false), at(6, true)},
		{"back, short", five, at(4, true), 2, numbers(2), at(4, false), ""},
		{"back, without a limit", five, at(9, true), 0, numbers(2, 4, 6, 8), at(9, false), ""},
		{"all before the cursor are gone", five, at(2, false), 2, numbers(2, 4), at(5, false), ""},
		{"all after the cursor are gone", five, at(11, false), 2, nil, "", at(11, true)},
		{"back, all after the cursor are gone", five, at(11, true), 2, numbers(8, 10), "", at(8, true)},
		{"back, all before the cursor are gone", five, at(1, true), 2, nil, at(1, false), ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := tt.list.walk(all).Page(tt.cursor, tt.limit, 1)
			if err != nil || !slices.Equal(got.Items, tt.want) {
				t.Errorf("got %v, %v, want %v", got.Items, err, tt.want)
			}
			if got.Next != tt.next || got.Previous != tt.previous {
				t.Errorf("Next and Previous: got %q and %q, want %q and %q", got.Next, got.Previous,
					tt.next, tt.previous)
			}
		})
	}
}

// TestStepsReadOn checks that a step reads nothing that the steps before it have passed, and a page
// does.
func TestStepsReadOn(t *testing.T) {
	read := 0
	walk := numbers(1, 2, 3, 4, 5, 6, 7, 8).walk(func(p page.Position) bool {
		read++
		return p.Num > 6 || p.Num == 1
	})
	c, next, err := walk.Step(at(2, false), 1, 1)
	if err != nil || !slices.Equal(c.Items(), numbers(7)) || next != at(8, false) {
		t.Errorf("a step: got %v, next %q, %v", c.Items(), next, err)
	}
	if read != 7 { // 2 to 8: one more than it takes
		t.Errorf("a step read %d items, want 7", read)
	}
	c, next, err = walk.Step(at(8, false), 1, 1)
	if err != nil || !slices.Equal(c.Positions(), numbers(8)) || next != "" {
		t.Errorf("the last step: got %v, next %q, %v", c.Positions(), next, err)
	}
	c, next, err = walk.Step(at(7, true), 1, 1)
	if err != nil || !slices.Equal(c.Items(), numbers(1)) || next != at(7, false) {
		t.Errorf("a step back: got %v, next %q, %v", c.Items(), next, err)
	}
}

// TestStopEndsAPage has a reader give up before the page is full.
func TestStopEndsAPage(t *testing.T) {
	for _, back := range []bool{false, true} {
		c, err := page.Collect[page.Position](at(50, back), 10, 1)
		if err != nil {
			t.Fatal(err)
		}
		item := page.Position{Num: 50}
		if back {
			item.Num = 49
		}
		if !c.Add(item, &item) {
			t.Fatal("a page of 10 is full with one item")
		}
		stop := uint64(70)
		if back {
			stop = 30
		}
		c.Stop(page.Position{Num: stop})
		got := c.Page(true)
		want := store.Page[page.Position]{
			Items: listing{item}, Next: at(70, false), Previous: at(50, true),
		}
		if back {
			want.Next, want.Previous = at(50, false), at(30, true)
		}
		if !slices.Equal(got.Items, want.Items) || got.Next != want.Next ||
			got.Previous != want.Previous {
			t.Errorf("back is %v: got %+v, want %+v", back, got, want)
		}
	}
}

func TestErrorsOfAWalk(t *testing.T) {
	broken := errors.New("broken")
	for _, calls := range []int{0, 1} { // how many walks succeed
		left := calls
		walk := page.Walk[int](func(
			page.Cursor, int, func(page.Position, *int) bool,
		) (*page.Position, error) {
			if left--; left < 0 {
				return nil, broken
			}
			return nil, nil
		})
		if _, err := walk.Page(at(5, false), 1, 1); err != broken {
			t.Errorf("Page whose walk %d fails: got %v", calls, err)
		}
		left = calls
		if _, _, err := walk.Step(at(5, true), 1, 1); err != broken {
			t.Errorf("Step back whose walk %d fails: got %v", calls, err)
		}
	}
	walk := page.Walk[int](func(
		page.Cursor, int, func(page.Position, *int) bool,
	) (*page.Position, error) {
		return nil, broken
	})
	if _, _, err := walk.Count(1); err != broken {
		t.Errorf("Count: got %v", err)
	}
	if _, err := walk.Page("x", 1, 1); err == nil || err == broken {
		t.Errorf("Page of a bad cursor: got %v", err)
	}
	if _, _, err := walk.Step("x", 1, 1); err == nil || err == broken {
		t.Errorf("Step of a bad cursor: got %v", err)
	}
}

func TestMap(t *testing.T) {
	in := store.Page[int]{
		Items: []int{1, 2}, Next: "n", Previous: "p", Total: 7, TotalIsLowerBound: true,
	}
	out := page.Map(in, func(n *int) float64 { return float64(*n) / 2 })
	if !slices.Equal(out.Items, []float64{0.5, 1}) || out.Next != "n" || out.Previous != "p" ||
		out.Total != 7 || !out.TotalIsLowerBound {
		t.Errorf("got %+v", out)
	}
	if out := page.Map(store.Page[int]{}, func(*int) int { return 0 }); out.Items != nil {
		t.Errorf("the items of an empty page: got %v, want nil", out.Items)
	}
}

// TestBudget goes through a listing of which few items are wanted. Each page passes over a bounded
// number of items and has a cursor where it gave up; all pages together have each wanted item once.
func TestBudget(t *testing.T) {
	const n, every = 3*page.Budget + 7, page.Budget + 1
	var list, want listing
	for num := range uint64(n) {
		list = append(list, page.Position{Num: num})
		if num%every == every/2 {
			want = append(want, page.Position{Num: num})
		}
	}
	looked := 0
	walk := list.walk(func(p page.Position) bool {
		looked++
		return p.Num%every == every/2
	})
	for _, back := range []bool{false, true} {
		cursor, pages, seen := "", 0, listing(nil)
		if back {
			cursor = page.Cursor{At: page.End(), Back: true}.String()
		}
		for ; pages == 0 || cursor != ""; pages++ {
			if pages > n/page.Budget+2 {
				t.Fatalf("back is %v: %d pages, and there are more", back, pages)
			}
			looked = 0
			got, err := walk.Page(cursor, 10, 1)
			if err != nil || looked > 2*page.Budget {
				t.Fatalf("a page: %d items were looked at, %v", looked, err)
			}
			if cursor = got.Next; back {
				slices.Reverse(got.Items)
				cursor = got.Previous
			}
			seen = append(seen, got.Items...)
		}
		if back {
			slices.Reverse(seen)
		}
		if !slices.Equal(seen, want) || pages < n/page.Budget {
			t.Errorf("back is %v: got %v in %d pages, want %v", back, seen, pages, want)
		}
	}
	if n, more, err := walk.Count(len(want)); err != nil || n != 1 || !more {
		t.Errorf("Count: got %d, more: %v, %v, want 1 and more", n, more, err)
	}
}

// TestOtherSideWithinTheBudget has nothing before a page, far from it: whether there is something
// would be read too long, so the page has a cursor that leads to an empty page.
func TestOtherSideWithinTheBudget(t *testing.T) {
	var list listing
	for num := range uint64(2 * page.Budget) {
		list = append(list, page.Position{Num: num})
	}
	looked := 0
	last := list[len(list)-1]
	walk := list.walk(func(p page.Position) bool {
		looked++
		return p == last
	})
	got, err := walk.Page(at(last.Num, false), 1, 1)
	if err != nil || !slices.Equal(got.Items, listing{last}) || got.Previous == "" {
		t.Errorf("the page: got %+v, %v, want the last item, and a cursor for what is before", got, err)
	}
	if looked > page.Budget/5 {
		t.Errorf("%d items were looked at, want few", looked)
	}
}
