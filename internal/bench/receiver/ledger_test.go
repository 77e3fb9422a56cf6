package receiver

import (
	"testing"
	"time"
)

func TestLedger(t *testing.T) {
	for _, test := range []struct {
		name   string
		events []int // of path 0, which expects 0 and 1
		want   Report
	}{
		{"all", []int{1, 0}, Report{Arrived: 2}},
		{"one missing", []int{1}, Report{Arrived: 1, Missing: 1}},
		{"one doubled", []int{0, 1, 0}, Report{Arrived: 2, Doubled: 1}},
		{"one never sent", []int{0, 1, 2}, Report{Arrived: 2, Strangers: 1}},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := newLedger(expectation{Paths: 1, Events: 2})
			for _, event := range test.events {
				l.note(0, event, time.Now(), true)
			}
			got := l.result()
			if got.Arrived != test.want.Arrived || got.Missing != test.want.Missing ||
				got.Doubled != test.want.Doubled || got.Strangers != test.want.Strangers {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
			if (got.Err() == nil) != (test.name == "all") {
				t.Errorf("got error %v", got.Err())
			}
		})
	}
}
