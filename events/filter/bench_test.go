package filter_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/outhook/outhook/events/filter"
)

// BenchmarkMatch compares the usual filter, on a payload of 512 bytes, with a check that it is
// JSON.
func BenchmarkMatch(b *testing.B) {
	f, payload := parse(b, usual), usualPayload()
	b.Run("filter", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			f.Match(payload)
		}
	})
	b.Run("valid", func(b *testing.B) {
		for b.Loop() {
			json.Valid(payload)
		}
	})
	b.Run("thousand", func(b *testing.B) { // of other filters: each comes from memory anew
		var fs []*filter.Filter
		for i := range 1000 {
			fs = append(fs, parse(b, fmt.Sprintf(`{"order.total":{"$gte":%d},"region":"eu"}`, i)))
		}
		for b.Loop() {
			for _, f := range fs {
				f.Match(payload)
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "ns/filter")
	})
}

// BenchmarkFields reduces the same payload.
func BenchmarkFields(b *testing.B) {
	f, err := filter.ParseFields([]string{"order.id", "order.items.sku", "region"})
	if err != nil {
		b.Fatal(err)
	}
	payload, out := usualPayload(), make([]byte, 0, 512)
	for b.Loop() {
		out, _ = f.Append(out[:0], payload)
	}
}

// TestMatchIsFast holds that a filter takes no longer than json.Valid, which is about twice of what
// it takes. Both are measured in turns, and the best of each counts, so a machine that is busy
// makes no difference.
func TestMatchIsFast(t *testing.T) {
	f, payload := parse(t, usual), usualPayload()
	best := func(was time.Duration, do func()) time.Duration {
		start := time.Now()
		for range 200 {
			do()
		}
		return min(was, time.Since(start))
	}
	match, valid := time.Hour, time.Hour
	for range 200 {
		match = best(match, func() { f.Match(payload) })
		valid = best(valid, func() { json.Valid(payload) })
		if match <= valid {
			return
		}
	}
	t.Errorf("Match takes %v for 200 payloads; json.Valid %v", match, valid)
}
