package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/outhook/outhook/internal/faults"
	"github.com/outhook/outhook/signing"
)

// patience is how long anything may take.
const patience = time.Minute

// before is how long a host works before it is killed, at least; after, how long the next one is
// watched from the kill on.
const (
	before = 200 * time.Millisecond
	after  = 400 * time.Millisecond
)

// kills is what was seen of a host that is killed again and again.
type kills struct {
	verdict faults.Verdict
	n       int
	shown   death           // of those after which something was repeated, if any, the median one
	on      []time.Duration // until deliveries went on, of each
}

// death is one kill, with what was seen around it. Times are since the kill.
type death struct {
	acked, arrived, repeated []time.Duration
	opened, on               time.Duration
}

// watcher notes when things happened.
type watcher struct {
	ledger *faults.Ledger

	mu       sync.Mutex
	acked    []time.Time
	arrived  []time.Time
	repeated []time.Time
	opened   []time.Time
	seen     map[string]bool // by endpoint and event
}

// note takes a mark of a host.
func (w *watcher) note(m faults.Mark) {
	now := time.Now()
	w.ledger.Note(m)
	w.mu.Lock()
	defer w.mu.Unlock()
	switch m.Kind {
	case faults.Ack:
		for range strings.SplitSeq(m.ID, ",") {
			w.acked = append(w.acked, now)
		}
	case faults.Opened:
		w.opened = append(w.opened, now)
	}
}

// answer is what endpoints answer: as faults.Moody does.
func (w *watcher) answer(req *http.Request) int {
	status := faults.Moody(req)
	if status != http.StatusOK || req.Context().Err() != nil {
		return status
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	now, key := time.Now(), req.URL.Path+req.Header.Get(signing.HeaderID)
	if w.seen[key] {
		w.repeated = append(w.repeated, now)
	}
	w.seen[key] = true
	w.arrived = append(w.arrived, now)
	return status
}

// traffic returns how much has happened since a time.
func (w *watcher) traffic(since time.Time) (acked, arrived int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(from(w.acked, since)), len(from(w.arrived, since))
}

// from returns the times from one on; all are in order.
func from(times []time.Time, since time.Time) []time.Time {
	i, _ := slices.BinarySearchFunc(times, since, time.Time.Compare)
	return times[i:]
}

// around returns the times around a kill, as times since it.
func around(times []time.Time, at time.Time) (since []time.Duration) {
	for _, t := range from(times, at.Add(-before)) {
		if d := t.Sub(at); d <= after {
			since = append(since, d)
		}
	}
	return since
}

// kill kills a host n times, and starts it again each time.
func kill(folder string, n int) (*kills, error) {
	w := &watcher{ledger: faults.NewLedger(), seen: make(map[string]bool)}
	receiver := faults.NewReceiver(w.ledger, w.answer)
	defer receiver.Close()
	config := faults.Config{
		Path:       filepath.Join(folder, "killed.db"),
		URLs:       []string{receiver.URL + "/a", receiver.URL + "/b"},
		Agent:      "life0",
		Publishers: 6,
		Pause:      time.Millisecond,
	}
	var at []time.Time
	for life := range n {
		config.Agent = fmt.Sprintf("life%d", life)
		config.Again = w.ledger.InDoubt()
		h, err := faults.Start(config, w.note)
		if err == nil {
			err = w.live(h)
		}
		if err != nil {
			return nil, err
		}
		at = append(at, time.Now())
		h.Kill()
	}
	config.Agent, config.Again, config.Publishers = "last", w.ledger.InDoubt(), 0
	config.Script = []string{faults.NewID(config.Agent, 0)}
	h, err := faults.Start(config, w.note)
	if err != nil {
		return nil, err
	}
	if err := h.Wait(patience); err != nil {
		return nil, err
	}
	k := &kills{verdict: w.ledger.Judge("/a", "/b"), n: len(at)}
	for _, fault := range k.verdict.Faults {
		err = errors.Join(err, errors.New(fault))
	}
	k.show(w, at[:max(n-1, 1)]) // after the last one nothing is published
	return k, err
}

// live waits until a host has worked for a while.
func (w *watcher) live(h *faults.Child) error {
	if err := h.Await(faults.Running, patience); err != nil {
		return err
	}
	const least = 50 // of each
	for start := time.Now(); ; <-time.After(time.Millisecond) {
		acked, arrived := w.traffic(start)
		if lived := time.Since(start); lived > before+after && acked >= least && arrived >= least {
			<-time.After(rand.N(50 * time.Millisecond))
			return nil
		} else if lived > patience {
			return fmt.Errorf("only %d events were acknowledged and %d requests arrived in %v", acked,
				arrived, patience)
		}
	}
}

// show chooses the kill that is shown: by how long it took until deliveries went on.
func (k *kills) show(w *watcher, at []time.Time) {
	var all []death
	for _, t := range at {
		d := death{acked: around(w.acked, t), arrived: around(w.arrived, t),
			repeated: around(w.repeated, t)}
		if opened := from(w.opened, t); len(opened) > 0 {
			d.opened = opened[0].Sub(t)
			if next := from(w.arrived, opened[0]); len(next) > 0 {
				d.on = next[0].Sub(t)
			}
		}
		all = append(all, d)
	}
	slices.SortFunc(all, func(a, b death) int { return int(a.on - b.on) })
	for _, d := range all {
		k.on = append(k.on, d.on)
	}
	k.shown = all[len(all)/2]
	repeating := slices.DeleteFunc(all, func(d death) bool { return len(d.repeated) == 0 })
	if n := len(repeating); n > 0 {
		k.shown = repeating[n/2]
	}
}
