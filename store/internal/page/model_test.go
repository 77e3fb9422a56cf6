package page_test

import (
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/outhook/outhook/store/internal/page"
)

// model is a listing that changes while somebody goes through it.
type model struct {
	t     *rapid.T
	items map[page.Position]bool // whether a filter passes it
}

func (m *model) list() listing {
	return slices.SortedFunc(maps.Keys(m.items), page.Position.Compare)
}

func (m *model) wanted(p page.Position) bool { return m.items[p] }

func (m *model) walk() page.Walk[page.Position] { return m.list().walk(m.wanted) }

// change adds and removes some items.
func (m *model) change() {
	for range rapid.IntRange(0, 4).Draw(m.t, "changes") {
		p := page.Position{
			Seq: rapid.Uint64Range(0, 9).Draw(m.t, "seq"),
			Num: rapid.Uint64Range(0, 3).Draw(m.t, "num"),
		}
		if rapid.Bool().Draw(m.t, "add") {
			m.items[p] = rapid.Bool().Draw(m.t, "wanted")
		} else {
			delete(m.items, p)
		}
	}
}

// matching returns the wanted items that are there, on one side of a cursor.
func (m *model) matching(c page.Cursor) listing {
	return slices.DeleteFunc(m.list(), func(p page.Position) bool {
		return !m.items[p] || !c.Reaches(p)
	})
}

// TestModel goes through a listing, forward or back, while items come and go between the pages.
// What is wanted and there all along comes exactly once, in order.
func TestModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := &model{t: t, items: make(map[page.Position]bool)}
		for range 5 {
			m.change()
		}
		back := rapid.Bool().Draw(t, "back")
		cursor := ""
		if back {
			cursor = page.Cursor{At: page.Position{Num: page.MaxNumber}, Back: true}.String()
		}
		stayed := make(map[page.Position]bool) // wanted, and there since the first page
		for _, p := range m.matching(page.Cursor{At: page.Start()}) {
			stayed[p] = true
		}
		var seen listing
		for range 200 {
			items, next := m.read(cursor, back)
			if back {
				slices.Reverse(items)
			}
			seen = append(seen, items...)
			if next == "" {
				checkSeen(t, seen, stayed, back)
				return
			}
			cursor = next
			m.change()
			maps.DeleteFunc(stayed, func(p page.Position, _ bool) bool {
				return !m.items[p] && !slices.Contains(seen, p)
			})
		}
		t.Fatal("the listing has no end")
	})
}

// read reads a page or a step, checks it, and returns its items and the cursor to go on with.
func (m *model) read(text string, back bool) (items listing, next string) {
	cursor, err := page.Parse(text)
	if err != nil {
		m.t.Fatalf("a cursor of an earlier page: %v", err)
	}
	limit := rapid.IntRange(0, 5).Draw(m.t, "limit")
	if !back && rapid.Bool().Draw(m.t, "step") {
		c, next, err := m.walk().Step(text, limit, 1)
		if err != nil {
			m.t.Fatal(err)
		}
		m.check(c.Items(), cursor, limit)
		return c.Items(), next
	}
	got, err := m.walk().Page(text, limit, 1)
	if err != nil {
		m.t.Fatal(err)
	}
	m.check(got.Items, cursor, limit)
	m.checkCursors(got.Items, cursor, got.Next, got.Previous)
	if back {
		return got.Items, got.Previous
	}
	return got.Items, got.Next
}

// check checks that a page has the items next to its cursor, as many as it may have.
func (m *model) check(items listing, cursor page.Cursor, limit int) {
	want := m.matching(cursor)
	if n := len(want); limit > 0 && limit < n {
		if cursor.Back {
			want = want[n-limit:]
		} else {
			want = want[:limit]
		}
	}
	if !slices.Equal(items, want) {
		m.t.Fatalf("the page of %+v with limit %d: got %v, want %v", cursor, limit, items, want)
	}
}

// checkCursors checks that there is a cursor exactly where there is something more, and that what
// lies there begins next to the page.
func (m *model) checkCursors(items listing, cursor page.Cursor, next, previous string) {
	before, after := cursor.At, cursor.At // the boundaries of the page
	if len(items) > 0 {
		before, after = items[0], items[len(items)-1].After()
	}
	for _, side := range []struct {
		name, text string
		want       listing
	}{
		{"Next", next, m.matching(page.Cursor{At: after})},
		{"Previous", previous, m.matching(page.Cursor{At: before, Back: true})},
	} {
		if (side.text != "") != (len(side.want) > 0) {
			m.t.Fatalf("%s of the page of %+v: got %q, where %v are", side.name, cursor, side.text,
				side.want)
		}
		if side.text == "" {
			continue
		}
		c, err := page.Parse(side.text)
		if err != nil || c.Back != (side.name == "Previous") || !slices.Equal(m.matching(c), side.want) {
			m.t.Fatalf("%s of the page of %+v leads to %v, %v, want %v", side.name, cursor, m.matching(c),
				err, side.want)
		}
	}
}

func checkSeen(t *rapid.T, seen listing, stayed map[page.Position]bool, back bool) {
	if back {
		seen = slices.Clone(seen)
		slices.Reverse(seen)
	}
	if !slices.IsSortedFunc(seen, page.Position.Compare) {
		t.Fatalf("the items are out of order: %v", seen)
	}
	if n := len(slices.Compact(slices.Clone(seen))); n != len(seen) {
		t.Fatalf("items come twice: %v", seen)
	}
	for p := range stayed {
		if !slices.Contains(seen, p) {
			t.Fatalf("%v was skipped: %v", p, seen)
		}
	}
}

// TestModelCount compares Count with the model.
func TestModelCount(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := &model{t: t, items: make(map[page.Position]bool)}
		for range 5 {
			m.change()
		}
		most := rapid.IntRange(0, 20).Draw(t, "most")
		n, more, err := m.walk().Count(most)
		all := len(m.matching(page.Cursor{At: page.Start()}))
		if want := min(all, most); err != nil || n != want || more != (all > most) {
			t.Fatalf("Count to %d of %d: got %d, more: %v, %v, want %d", most, all, n, more, err, want)
		}
	})
}
