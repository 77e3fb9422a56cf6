package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"time"

	"github.com/outhook/outhook/internal/bench/receiver"
)

// run is one run of the command.
type run struct {
	settings
	dir      string
	receiver *receiver.Process
	servers  servers
	progress io.Writer
	began    time.Time
	steps    int // measurements that are done
	allSteps int
	tallies  []*tally
}

// tally is what was measured of a peer, a value for each round.
type tally struct {
	*peer
	skipped string   // why it was not run
	failed  []string // what went wrong

	singly, batches  []float64 // deliveries a second ÷ raw
	p50, p99         []float64 // ms
	cpu, serverCPU   []float64 // ms for 1,000 events
	memory, resident []float64 // MiB
	events, doubled  int       // in all
	lost             int
	rates            []float64 // events a second, singly; for raw
}

// most is how many events a measurement has at most.
const (
	most      = 120_000
	mostShort = 400
)

// measure runs all rounds. It returns what was measured also when something was lost, with an error
// that says so.
func measure(ctx context.Context, s settings, progress io.Writer) (m *measured, err error) {
	r := &run{settings: s, progress: progress, began: time.Now()}
	if r.dir, err = os.MkdirTemp("", "outhook-peers-"); err != nil {
		return nil, err
	}
	defer os.RemoveAll(r.dir)
	r.servers.dir = r.dir
	defer r.servers.close()
	if r.receiver, err = receiver.Start(ctx); err != nil {
		return nil, err
	}
	defer r.receiver.Close()
	for i := range peers {
		if err := r.take(ctx, &peers[i]); err != nil {
			return nil, err
		}
	}
	for round := range s.rounds {
		if err := r.round(ctx, round+1); err != nil {
			return nil, err
		}
	}
	return r.result(), r.failures()
}

// take makes a tally for a peer that is selected. Raw always is.
func (r *run) take(ctx context.Context, p *peer) error {
	if p.key != raw && len(r.only) > 0 && !slices.Contains(r.only, p.key) {
		return nil
	}
	t := &tally{peer: p}
	var missing notInstalled
	switch err := r.servers.installed(ctx, p.server); {
	case errors.As(err, &missing):
		t.skipped = missing.Error()
		fmt.Fprintf(r.progress, "%s is skipped: %s\n", p.name, t.skipped)
	case err != nil:
		return err
	case p.key == raw:
		r.allSteps += len(p.works()) * r.rounds
	default:
		r.allSteps += (len(p.works()) + 1) * r.rounds // and raw again after it
	}
	r.tallies = append(r.tallies, t)
	return nil
}

// round has each peer do each of its works, and raw before and after each peer.
func (r *run) round(ctx context.Context, number int) error {
	ceiling := r.tallies[0]
	before, err := r.once(ctx, number, ceiling, singly)
	if err != nil {
		return err
	}
	if _, err := r.once(ctx, number, ceiling, steady); err != nil {
		return err
	}
	for _, t := range r.tallies[1:] {
		if t.skipped != "" {
			continue
		}
		rates := make(map[work]float64)
		for _, w := range t.works() {
			got, err := r.once(ctx, number, t, w)
			if err != nil {
				return err
			}
			rates[w] = got.Rate
		}
		after, err := r.once(ctx, number, ceiling, singly)
		if err != nil {
			return err
		}
		if by := (before.Rate + after.Rate) / 2; by > 0 {
			t.add(rates, by)
			r.log("%s: %.3f of raw", t.name, rates[singly]/by)
		}
		before = after
	}
	return nil
}

// add notes the rates of a round, as shares of raw's.
func (t *tally) add(rates map[work]float64, by float64) {
	for w, to := range map[work]*[]float64{singly: &t.singly, batches: &t.batches} {
		if rate := rates[w]; rate > 0 {
			*to = append(*to, rate/by)
		}
	}
}

// once has a peer do a work in a process of its own, and notes the result. What goes wrong there is
// noted too, and no error: the others go on.
func (r *run) once(ctx context.Context, round int, t *tally, w work) (got result, err error) {
	got, failed, err := r.send(ctx, t.peer, w)
	if err != nil {
		return got, fmt.Errorf("%s, %s: %w", t.name, w, err)
	}
	if failed == nil {
		if wrong := got.wrong(); wrong != "" {
			failed = errors.New(wrong)
		}
	}
	r.steps++
	t.events, t.lost, t.doubled = t.events+got.Events, t.lost+got.Lost, t.doubled+got.Doubled
	switch {
	case failed != nil:
		t.failed = append(t.failed, fmt.Sprintf("round %d, %s: %v", round, w, failed))
		r.log("FAILED: %s, %s: %v", t.name, w, failed)
		return result{}, nil
	case w == steady:
		t.p50, t.p99 = append(t.p50, ms(got.P50)), append(t.p99, ms(got.P99))
		r.log("round %d of %d, %s, %d/s: p50 %.2f ms, p99 %.2f ms", round, r.rounds, t.name, r.rate,
			ms(got.P50), ms(got.P99))
		return got, nil
	case w == singly:
		t.cpu, t.serverCPU = append(t.cpu, got.CPU), append(t.serverCPU, got.Server)
		t.memory, t.resident = append(t.memory, got.Anon), append(t.resident, got.Resident)
		t.rates = append(t.rates, got.Rate)
	}
	r.log("round %d of %d, %s, %s: %.0f/s (%d events)", round, r.rounds, t.name, w, got.Rate,
		got.Events)
	return got, nil
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// log says what is done, and how much of the whole that is.
func (r *run) log(format string, args ...any) {
	done := min(float64(r.steps)/float64(max(r.allSteps, 1)), 1)
	left := ""
	if r.steps > 3 {
		d := time.Duration(float64(time.Since(r.began)) * (1 - done) / done)
		left = fmt.Sprintf(", about %v left", d.Round(time.Second))
	}
	fmt.Fprintf(r.progress, "%3.0f%%%s: %s\n", done*100, left, fmt.Sprintf(format, args...))
}

// send starts the sender's process of a peer on an empty database, and returns what it measured.
// failed is an error of the peer's, err one of ours.
func (r *run) send(ctx context.Context, p *peer, w work) (got result, failed, err error) {
	at, err := r.servers.open(ctx, p.server)
	if err != nil {
		return got, nil, err
	}
	defer func() { err = errors.Join(err, at.remove()) }()
	dir, err := os.MkdirTemp(r.dir, p.key+"-")
	if err != nil {
		return got, nil, err
	}
	defer os.RemoveAll(dir)
	j := job{
		Peer: p.key, Work: w, Receiver: r.receiver.URL(), Store: at.url, Server: at.process, Dir: dir,
		Lasts: r.lasts, Rate: r.rate, Most: most, Patience: r.patience, Short: r.short,
	}
	if r.short {
		j.Most = mostShort
	}
	text, err := json.Marshal(j)
	if err != nil {
		return got, nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return got, nil, err
	}
	cmd := exec.CommandContext(ctx, self, senderArg, string(text))
	cmd.Stderr = r.progress
	out, err := cmd.Output()
	if ctx.Err() != nil {
		return got, nil, ctx.Err()
	}
	if err != nil {
		return got, fmt.Errorf("its process: %w", err), nil
	}
	return got, json.Unmarshal(out, &got), nil
}

// failures returns an error if something went wrong.
func (r *run) failures() (err error) {
	for _, t := range r.tallies {
		for _, failed := range t.failed {
			err = errors.Join(err, fmt.Errorf("%s, %s", t.name, failed))
		}
	}
	return err
}
