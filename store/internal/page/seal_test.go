package page_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/internal/page"
)

func TestSealedCursorsSurvive(t *testing.T) {
	key := page.NewKey()
	s, same := page.NewSealer(key), page.NewSealer(key)
	for _, cursor := range []string{"", at(0, false), at(7, true), at(page.MaxNumber, true)} {
		if got, err := same.Open(s.Seal(cursor)); got != cursor || err != nil {
			t.Errorf("Open of what Seal(%q) returned: got %q, %v", cursor, got, err)
		}
	}
	p := page.SealPage(s, store.Page[int]{Items: []int{1}, Next: at(1, false), Total: 9})
	if next, err := s.Open(p.Next); next != at(1, false) || err != nil || p.Previous != "" ||
		len(p.Items) != 1 || p.Total != 9 {
		t.Errorf("SealPage: got %+v, want the same page with its Next sealed", p)
	}
}

// TestSealedCursorsTellNothing compares cursors of one place and of several.
func TestSealedCursorsTellNothing(t *testing.T) {
	s := page.NewSealer(page.NewKey())
	seen := make(map[string]bool)
	for i := range 100 {
		text := s.Seal(at(uint64(i/2), i%4 > 1))
		if seen[text] || len(text) != len(s.Seal(at(page.MaxNumber, false))) {
			t.Errorf("cursor %d: got %q, want another one of the same length", i, text)
		}
		seen[text] = true
		if strings.Contains(text, at(uint64(i/2), i%4 > 1)) {
			t.Errorf("cursor %d: got %q, with the cursor in clear", i, text)
		}
	}
}

func TestBadSealedCursors(t *testing.T) {
	s := page.NewSealer(page.NewKey())
	good := s.Seal(at(7, false))
	texts := map[string]string{
		"not base64":          "☃",
		"padding":             good + "=",
		"a line break":        good[:4] + "\n" + good[4:],
		"too short":           good[:len(good)-4],
		"too long":            good + "AAAA",
		"a few bytes":         "AAAA",
		"in clear":            at(7, false),
		"of another store":    page.NewSealer(page.NewKey()).Seal(at(7, false)),
		"nothing that is one": s.Seal("") + "A",
	}
	for i := range good {
		changed := []byte(good)
		if changed[i]++; changed[i] == '{' {
			changed[i] = 'a'
		}
		texts["changed at "+string(rune('A'+i))] = string(changed)
	}
	for name, text := range texts {
		got, err := s.Open(text)
		var invalid *events.InvalidError
		if !errors.As(err, &invalid) || invalid.Field != "cursor" {
			t.Errorf("%s: got %q, %v, want an InvalidError of the cursor", name, got, err)
		}
	}
}
