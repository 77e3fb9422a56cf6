package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"time"

	"github.com/outhook/outhook/internal/bench/usage"
	"github.com/outhook/outhook/internal/realservers"
)

// hostileArg is the argument that makes the command serve hostile endpoints.
const hostileArg = "hostile"

// realServers counts the attempts that fail at real servers that close connections as often as they
// can. A server that is not installed is left out, with a note.
func (b *bench) realServers(ctx context.Context) error {
	requests := b.size(5000, 100)
	for _, s := range realservers.Servers() {
		if _, ok := s.Find(); !ok {
			b.table.note("P10: %s is not installed.", s.Name)
			continue
		}
		r, err := realservers.Measure(ctx, s, requests)
		if err != nil {
			return err
		}
		b.log("P10: %s: outhook: %v", s.Name, &r.Outhook)
		b.log("P10: %s: net/http with replays: %v", s.Name, &r.NetHTTP)
		work := fmt.Sprintf("%s that closes connections, %d requests", s.Name, r.Outhook.Attempts)
		b.table.add(figure{"P10", work, "failed attempts", float64(r.Outhook.Failures()), "",
			float64(s.Allowed(r.Outhook.Attempts)), atMost})
		measure := fmt.Sprintf("more than the %d of net/http with replays", r.NetHTTP.Failures())
		more := max(r.Outhook.Failures()-r.NetHTTP.Failures(), 0)
		b.table.add(figure{"P10", work, measure, float64(more), "",
			float64(s.Allowed(r.Outhook.Attempts)), atMost})
	}
	return nil
}

// hostile measures what HTTP/2 endpoints cost that make trouble.
func (b *bench) hostile(ctx context.Context) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	const attempts = 5 // fewer than open the breaker
	quiet := time.Duration(b.size(5000, 100)) * time.Millisecond
	harms, err := realservers.MeasureHostile(ctx, exec.CommandContext(ctx, self, hostileArg), attempts,
		quiet, usage.CPUTime)
	if err != nil {
		return err
	}
	for kind, h := range harms {
		work := "an HTTP/2 endpoint: " + kind
		b.table.add(figure{"P11", work, "requests per attempt", float64(h.Requests) / attempts, "", 2,
			atMost})
		if !b.short {
			b.table.add(figure{"P11", work, "CPU afterwards, of a core", 100 * h.CPU, " %", 1, atMost})
		}
	}
	return nil
}
