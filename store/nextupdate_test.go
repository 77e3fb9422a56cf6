package store_test

import (
	"testing"
	"time"

	"github.com/outhook/outhook/store"
)

// A change is later than the one before, also if the clock stands still or was set back.
func TestNextUpdate(t *testing.T) {
	at := time.Date(2026, 5, 3, 14, 0, 0, 1000, time.UTC)
	later := at.Add(time.Microsecond)
	for _, test := range []struct {
		name      string
		now, want time.Time
	}{
		{"an hour later", at.Add(time.Hour), at.Add(time.Hour)},
		{"a microsecond later", later, later},
		{"a nanosecond later", at.Add(1), later},
		{"at the same time", at, later},
		{"a year before", at.AddDate(-1, 0, 0), later},
	} {
		if got := store.NextUpdate(at, test.now); !got.Equal(test.want) {
			t.Errorf("%s: got %v, want %v", test.name, got, test.want)
		}
	}
}
