package listing_test

import (
	"errors"
	"testing"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store/shards/internal/listing"
)

// TestCursorOfOneStore wants a cursor into one store to say which, and where.
func TestCursorOfOneStore(t *testing.T) {
	if got := listing.One(2, ""); got != "" {
		t.Errorf("One of no cursor: got %q, want none", got)
	}
	for text, in := range map[string]string{
		listing.One(2, "there"): "there", listing.StartOf(2): "", listing.One(2, "☃\x00"): "☃\x00",
	} {
		c, err := listing.ParseCursor(text)
		if err != nil || c.First() != 2 || c.In(2) != in || c.String() != text {
			t.Errorf("%q: got %+v, %v, want %q in store 2", text, c, err, in)
		}
	}
}

// FuzzParseCursor wants every text to be refused that String does not write.
func FuzzParseCursor(f *testing.F) {
	f.Add("")
	f.Add("AW4")
	f.Add(listing.One(3, "there"))
	f.Add(listing.StartOf(254))
	f.Add(listing.StartOf(255))
	f.Fuzz(func(t *testing.T, text string) {
		c, err := listing.ParseCursor(text)
		var invalid *events.InvalidError
		switch {
		case err == nil && text != "" && c.String() != text:
			t.Errorf("ParseCursor(%q) is %+v, which is written %q", text, c, c.String())
		case err != nil && (!errors.As(err, &invalid) || invalid.Field != "cursor"):
			t.Errorf("ParseCursor(%q): got %v, want an InvalidError of the cursor", text, err)
		}
	})
}
