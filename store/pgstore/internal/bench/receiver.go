package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"sync"
	"time"

	"github.com/google/uuid"
)

// counts is what a receiver has got.
type counts struct {
	Distinct int       // events
	Repeated int       // requests for an event that had come before
	Last     time.Time // when the last new one came

	Latencies *latencies `json:",omitempty"` // from when the event's ID was made, if that is asked for
}

// latencies counts by milliseconds, up to a minute; what is longer than the last counts there.
type latencies [60_000]int

// add counts the time since an ID of version 7 was made.
func (l *latencies) add(id string, now time.Time) {
	u, err := uuid.Parse(id)
	if err != nil {
		return
	}
	sec, nsec := u.Time().UnixTime()
	ms := int(now.Sub(time.Unix(sec, nsec)).Milliseconds())
	l[min(max(ms, 0), len(l)-1)]++
}

// percentile returns within how many milliseconds so many of a hundred came.
func (l *latencies) percentile(p int) int {
	total, sum := 0, 0
	for _, n := range l {
		total += n
	}
	for ms, n := range l {
		if sum += n; sum*100 >= total*p {
			return ms
		}
	}
	return len(l)
}

// serve is the receiver: it answers every POST with 200 and counts, GET tells, DELETE forgets. It
// prints its address.
func serve(ctx context.Context) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	var (
		mu   sync.Mutex // guards all below
		c    counts
		took = new(latencies)
		seen = make(map[string]bool)
	)
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := r.Header.Get("webhook-id")
		_, _ = io.Copy(io.Discard, r.Body) // what counts is that it came
		mu.Lock()
		defer mu.Unlock()
		switch {
		case r.Method == http.MethodGet:
			out := c
			if r.URL.RawQuery != "" {
				out.Latencies = took
			}
			_ = json.NewEncoder(w).Encode(out)
		case r.Method == http.MethodDelete:
			c, seen, took = counts{}, make(map[string]bool), new(latencies)
		case seen[id]:
			c.Repeated++
		default:
			seen[id] = true
			c.Distinct, c.Last = c.Distinct+1, time.Now()
			took.add(id, c.Last)
		}
	})}
	fmt.Println("http://" + l.Addr().String())
	context.AfterFunc(ctx, func() { _ = srv.Close() })
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// receiver is a receiver in a process of its own.
type receiver struct {
	url string
	cmd *exec.Cmd
}

func startReceiver(ctx context.Context) (*receiver, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, self, "-receive")
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	r := &receiver{cmd: cmd}
	if _, err := fmt.Fscanln(bufio.NewReader(out), &r.url); err != nil {
		r.stop()
		return nil, err
	}
	return r, nil
}

func (r *receiver) stop() {
	_ = r.cmd.Process.Kill()
	_ = r.cmd.Wait()
}

func (r *receiver) ask(ctx context.Context, method string) (c counts, err error) {
	return r.askFor(ctx, method, "")
}

func (r *receiver) askFor(ctx context.Context, method, query string) (c counts, err error) {
	req, err := http.NewRequestWithContext(ctx, method, r.url+query, nil)
	if err != nil {
		return c, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return c, err
	}
	defer resp.Body.Close()
	if method == http.MethodGet {
		err = json.NewDecoder(resp.Body).Decode(&c)
	}
	return c, err
}

// await waits until n events have come, and returns when the last did.
func (r *receiver) await(ctx context.Context, n int, say *saying) (time.Time, error) {
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for {
		c, err := r.ask(ctx, http.MethodGet)
		switch {
		case err != nil:
			return time.Time{}, err
		case c.Distinct > n || c.Repeated > 0:
			return time.Time{}, fmt.Errorf("the receiver got %d events and %d repetitions, want %d and none",
				c.Distinct, c.Repeated, n)
		case c.Distinct == n:
			return c.Last, nil
		}
		say.say("%d of %d have arrived", c.Distinct, n)
		select {
		case <-ctx.Done():
			return time.Time{}, fmt.Errorf("the receiver got %d events, want %d: %w", c.Distinct, n,
				ctx.Err())
		case <-ticker.C:
		}
	}
}
