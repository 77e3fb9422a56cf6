package rollup_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/internal/rollup"
)

// noon is where a bucket begins.
var noon = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)

func attempt(status int, took time.Duration) *store.Attempt {
	return &store.Attempt{Status: status, Duration: took}
}

func TestWindow(t *testing.T) {
	var s rollup.Bucket
	if got := s.Stats(); got != (store.AttemptStats{}) {
		t.Errorf("of nothing: %+v, want zero", got)
	}
	s.Add(noon, attempt(0, 15*time.Second), false) // a timeout is no answer
	if got, want := s.Stats(), (store.AttemptStats{Failed: 1}); got != want {
		t.Errorf("of a timeout: %+v, want %+v", got, want)
	}
	for range 90 {
		s.Add(noon, attempt(200, 20*time.Millisecond), true)
	}
	for range 9 {
		s.Add(noon, attempt(500, 3*time.Second), false)
	}
	got := s.Stats()
	if got.Delivered != 90 || got.Failed != 10 {
		t.Errorf("%d delivered, %d failed; want 90 and 10", got.Delivered, got.Failed)
	}
	wantNear(t, "P50", got.P50, 20*time.Millisecond)
	wantNear(t, "P95", got.P95, 3*time.Second)
}

// wantNear wants a time to be exact to within a tenth.
func wantNear(t *testing.T, what string, got, want time.Duration) {
	t.Helper()
	if float64(got) < 0.9*float64(want) || float64(got) > 1.1*float64(want) {
		t.Errorf("%s is %v, want %v to within a tenth", what, got, want)
	}
}

func TestPercentilesOfManyTimes(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var s rollup.Bucket
	var all []time.Duration
	for range 10_000 {
		d := time.Millisecond + time.Duration(r.ExpFloat64()*float64(300*time.Millisecond))
		all = append(all, d)
		s.Add(noon, attempt(200, d), true)
	}
	slices.Sort(all)
	got := s.Stats()
	wantNear(t, "P50", got.P50, all[5000])
	wantNear(t, "P95", got.P95, all[9500])
}

func TestMergeIsAddingAll(t *testing.T) {
	var one, two, both rollup.Bucket
	for i := range 200 {
		a, ok := attempt(200, time.Duration(i*i)*time.Millisecond), i%3 > 0
		both.Add(noon.Add(time.Duration(i)*time.Second), a, ok)
		if i%2 == 0 {
			one.Add(noon.Add(time.Duration(i)*time.Second), a, ok)
		} else {
			two.Add(noon.Add(time.Duration(i)*time.Second), a, ok)
		}
	}
	one.Merge(&two)
	if got, want := one.Stats(), both.Stats(); got != want {
		t.Errorf("merged %+v, want %+v", got, want)
	}
}

func TestRecordKeepsEverything(t *testing.T) {
	var s rollup.Bucket
	for _, d := range []time.Duration{0, time.Millisecond, 2 * time.Millisecond, time.Second,
		time.Hour, 1000 * time.Hour, -time.Second} {
		s.Add(noon, attempt(200, d), true)
		s.Add(noon, attempt(503, d), false)
		record := s.Append([]byte("before"))
		back, err := rollup.Parse(record[len("before"):])
		if err != nil || back.Stats() != s.Stats() {
			t.Fatalf("after %v: %+v, %v; want %+v", d, back.Stats(), err, s.Stats())
		}
		if again := back.Append(nil); string(again) != string(record[len("before"):]) {
			t.Errorf("after %v: written again it is %x, want %x", d, again, record)
		}
	}
}

func TestParseRefusesDamage(t *testing.T) {
	for name, b := range map[string]string{
		"empty":               "",
		"a minute alone":      "\x01",
		"one count":           "\x01\x01",
		"no end":              "\x01\x01\xff",
		"no cells":            "\x01\x01\x01",
		"half a cell":         "\x01\x01\x01\x01\x01",
		"a gap of nothing":    "\x01\x01\x01\x01\x00\x01",
		"an empty cell":       "\x01\x01\x01\x01\x01\x00",
		"a cell too far":      "\x01\x01\x01\x01\x7f\x01",
		"two cells too far":   "\x01\x01\x01\x02\x50\x01\x50\x01",
		"more cells than are": "\x01\x01\x01\x02\x01\x01",
		"a minute of nothing": "\x01\x00\x00\x00",
		"a minute too far":    "\x05\x01\x01\x00",
		"a minute twice":      "\x01\x01\x01\x00\x01\x01\x01\x00",
		"minutes in disorder": "\x02\x01\x01\x00\x01\x01\x01\x00",
	} {
		if s, err := rollup.Parse([]byte(b)); err == nil {
			t.Errorf("%s: %+v, want an error", name, s.Stats())
		}
	}
}

func TestBucketsOfTime(t *testing.T) {
	now := time.Date(2026, 7, 1, 12, 4, 59, 0, time.UTC)
	for _, tt := range []struct {
		name string
		at   time.Time
		want int64 // slots after now's
	}{
		{"now", now, 0},
		{"the start of the slot", now.Add(-299 * time.Second), 0},
		{"just before it", now.Add(-300 * time.Second), -1},
		{"the next", now.Add(time.Second), 1},
		{"a day ago", now.Add(-rollup.Day), -288},
	} {
		if got := rollup.At(tt.at) - rollup.At(now); got != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, got, tt.want)
		}
	}
	if got, want := rollup.First(now, rollup.Hour), rollup.At(now)-12; got != want {
		t.Errorf("the last hour starts at slot %d, want %d", got, want)
	}
	epoch := time.Unix(0, 0)
	if got := rollup.At(epoch.Add(-time.Second)); got != -1 {
		t.Errorf("the second before 1970 is in slot %d, want -1", got)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("\x01\x02\x03\x04\x05\x06"))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := rollup.Parse(b) // must not panic
		if err != nil {
			return
		}
		back, err := rollup.Parse(s.Append(nil))
		if err != nil || back.Stats() != s.Stats() {
			t.Errorf("%x: read %+v, written and read again %+v, %v", b, s.Stats(), back.Stats(), err)
		}
	})
}
