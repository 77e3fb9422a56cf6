package main

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"github.com/outhook/outhook/internal/faults"
)

// cuts is what was seen of a host whose power is cut at each of its steps.
type cuts struct {
	steps, files, bad int
	acked, found      []int // by step: how many events; found is the least of what a cut leaves
}

// cutPower runs a host until it has acknowledged so many events, and cuts its power at each step. A
// bad file is an error, unless the host does not sync.
func cutPower(folder string, events int, unsynced bool) (*cuts, error) {
	dir, err := os.MkdirTemp(folder, "power-")
	if err != nil {
		return nil, err
	}
	memory, err := faults.MemoryFolder()
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(memory)
	p := faults.NewPower(dir, memory, faults.Config{
		Publishers: 3, Pause: time.Millisecond, NoSync: unsynced,
	})
	ledger := faults.NewLedger()
	h, err := p.Start(ledger.Note)
	if err != nil {
		return nil, fmt.Errorf("strace: %w", err)
	}
	if err := h.Await(faults.Running, patience); err != nil {
		return nil, err
	}
	for start := time.Now(); ; <-time.After(5 * time.Millisecond) {
		if acked, _ := ledger.Progress(); acked >= events {
			break
		}
		if time.Since(start) > patience {
			h.Kill()
			return nil, fmt.Errorf("a host did not take %d events in %v", events, patience)
		}
	}
	if err := errors.Join(h.Signal(syscall.SIGTERM), h.Wait(patience)); err != nil {
		return nil, err
	}
	c := new(cuts)
	p.Cut = func(step, acked, found int) {
		if step > len(c.acked) {
			c.acked, c.found = append(c.acked, acked), append(c.found, found)
		}
		c.found[step-1] = min(c.found[step-1], found)
	}
	if err := p.Replay(); err != nil {
		return nil, err
	}
	c.steps, c.files, c.bad = p.Steps, p.Images, len(p.Losses)
	if c.bad > 0 && !unsynced {
		return nil, fmt.Errorf("%d of %d files are bad: %s", c.bad, c.files, p.Losses[0])
	}
	return c, nil
}
