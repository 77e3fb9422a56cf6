package page_test

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/internal/page"
)

func TestCursorsSurvive(t *testing.T) {
	for _, at := range []page.Position{
		{}, {Num: 1}, {Seq: 1}, {Seq: 300, Num: 70_000}, page.Start(), {Num: page.MaxNumber},
	} {
		for _, back := range []bool{false, true} {
			want := page.Cursor{At: at, Back: back}
			if got, err := page.Parse(want.String()); err != nil || got != want {
				t.Errorf("Parse(%q): got %+v, %v, want %+v", want.String(), got, err, want)
			}
		}
	}
	if got, err := page.Parse(""); err != nil || got != (page.Cursor{At: page.Start()}) {
		t.Errorf("Parse of no cursor: got %+v, %v, want the start", got, err)
	}
}

// raw returns a cursor of these bytes.
func raw(b ...byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// body returns two numbers of a cursor: zero, but for the first byte of each.
func body(seq, num byte) []byte {
	return []byte{seq, 0, 0, 0, 0, 0, 0, 0, num, 0, 0, 0, 0, 0, 0, 0}
}

func TestBadCursors(t *testing.T) {
	good := page.Cursor{At: page.Position{Seq: 7, Num: 9}}.String()
	for name, text := range map[string]string{
		"not base64":              "☃",
		"padding":                 good + "=",
		"a line break":            good[:4] + "\n" + good[4:],
		"too short":               good[:len(good)-4],
		"too long":                good + "AAAA",
		"no bytes that we write":  strings.Repeat("9", 500),
		"another version":         raw(append([]byte{2, 'n'}, body(0, 0)...)...),
		"another direction":       raw(append([]byte{1, 'x'}, body(0, 0)...)...),
		"a Seq that is too large": raw(append([]byte{1, 'n'}, body(2, 0)...)...),
		"a Num that is too large": raw(append([]byte{1, 'p'}, body(0, 2)...)...),
	} {
		got, err := page.Parse(text)
		var invalid *events.InvalidError
		if !errors.As(err, &invalid) || invalid.Field != "cursor" {
			t.Errorf("%s: got %+v, %v, want an InvalidError of the cursor", name, got, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("")
	f.Add("AAAA")
	f.Add(page.Cursor{At: page.Position{Seq: 7, Num: 9}, Back: true}.String())
	f.Fuzz(func(t *testing.T, text string) {
		c, err := page.Parse(text)
		if err == nil && text != "" && c.String() != text {
			t.Errorf("Parse(%q) is %+v, which is written %q", text, c, c.String())
		}
	})
}

func TestOrderOfPositions(t *testing.T) {
	inOrder := []page.Position{page.Start(), {Seq: 9, Num: 1}, {Seq: 9, Num: 2}, {Seq: 8}, {Num: 1},
		{Num: 2}}
	for i, p := range inOrder {
		for j, q := range inOrder {
			if got := p.Compare(q); got < 0 != (i < j) || got > 0 != (i > j) {
				t.Errorf("Compare(%v, %v): got %d", p, q, got)
			}
			forward, back := page.Cursor{At: q}, page.Cursor{At: q, Back: true}
			if got := forward.Reaches(p); got != (i >= j) {
				t.Errorf("forward from %v: Reaches(%v) is %v", q, p, got)
			}
			if got := back.Reaches(p); got != (i < j) {
				t.Errorf("back from %v: Reaches(%v) is %v", q, p, got)
			}
		}
		if (page.Cursor{}).Pass(p).Reaches(p) || (page.Cursor{Back: true}).Pass(p).Reaches(p) {
			t.Errorf("%v is read again when it has been passed", p)
		}
	}
}

func TestLimits(t *testing.T) {
	for _, tt := range []struct{ asked, want, orAll int }{
		{0, store.DefaultDeliveryLimit, 0}, {1, 1, 1}, {page.MaxItems, page.MaxItems, page.MaxItems},
		{store.MaxLimit, page.MaxItems, page.MaxItems},
	} {
		if got := page.Limit(tt.asked); got != tt.want {
			t.Errorf("Limit(%d): got %d, want %d", tt.asked, got, tt.want)
		}
		q := store.SubscriptionQuery{Limit: tt.asked}
		if got := page.LimitOrAll(&q); got != tt.orAll {
			t.Errorf("LimitOrAll(%d): got %d, want %d", tt.asked, got, tt.orAll)
		}
		q.Text = "a"
		if got := page.LimitOrAll(&q); got != tt.want {
			t.Errorf("LimitOrAll(%d) with a filter: got %d, want %d", tt.asked, got, tt.want)
		}
	}
}
