package boltstore_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store/boltstore"
)

// TestTenantsTakeNoMemory publishes for very many tenants and types what nobody wants, and looks at
// what stays in memory.
func TestTenantsTakeNoMemory(t *testing.T) {
	const n = 200_000
	for _, tt := range []struct {
		name string
		of   func(i int) (tenant, eventType string)
	}{
		{"tenants", func(i int) (string, string) {
			return fmt.Sprintf("tenant-%d", i),
				"message.created"
		}},
		{"long types", func(i int) (string, string) {
			return fmt.Sprintf("tenant-%d", i%100), fmt.Sprintf("message.n%d.%s", i,
				strings.Repeat("x", 80))
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := create(t, nil)
			subscribe(t, s) // of another tenant
			before := heap()
			for i := 0; i < n; {
				var evs []events.Event
				for ; len(evs) < 1000; i++ {
					tenant, eventType := tt.of(i)
					evs = append(evs, events.Event{
						ID: fmt.Sprint(i), Tenant: tenant, Type: eventType,
						Time: time.UnixMilli(1e12), Payload: []byte("1"),
					})
				}
				if err := s.Enqueue(t.Context(), evs...); err != nil {
					t.Fatal(err)
				}
			}
			grown := heap() - before
			if grown > 2*boltstore.MaxCached {
				t.Errorf("memory grew by %d bytes, the cache may have %d", grown,
					boltstore.MaxCached)
			}
			if pending(t, s) != 0 {
				t.Error("somebody got something")
			}
		})
	}
}

// heap returns how many bytes are in use.
func heap() int {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}
