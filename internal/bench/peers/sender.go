package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/outhook/outhook/internal/bench/receiver"
	"github.com/outhook/outhook/internal/bench/usage"
)

// senderArg is the argument that makes the command a sender's process. A job as JSON follows.
const senderArg = "send"

// job is what a sender's process is to do: one work of one peer, once.
type job struct {
	Peer     string
	Work     work
	Receiver string        // its URL
	Store    string        // the URL of the database, or the address of the Redis
	Server   int           // the first process of that; 0 for none
	Dir      string        // an empty folder
	Lasts    time.Duration // about how long the work is to last
	Rate     int           // events a second, of a steady work
	Most     int           // how many events it has at most
	Short    bool          // it has as many, after a short warm-up
	Patience time.Duration // how long events may take to arrive
}

// hook is where deliveries go.
func (j *job) hook() string { return receiver.At(j.Receiver).Hook(0) }

// result is what came out.
type result struct {
	Events   int
	Rate     float64 // arrivals a second
	P50, P99 time.Duration
	CPU      float64 // ms of the sender for 1,000 events
	Server   float64 // the same of its server
	Anon     float64 // MiB of anonymous memory of the sender, at most
	Resident float64 // MiB of anonymous memory of its server, at the end

	Lost, Doubled, Unsigned, Strangers, Pending int
}

// wrong says what went wrong; "" if nothing did.
func (r *result) wrong() string {
	if r.Lost+r.Unsigned+r.Strangers+r.Pending == 0 {
		return ""
	}
	return fmt.Sprintf("of %d events %d were lost, %d badly signed and %d never sent by us; "+
		"%d were not recorded as done", r.Events, r.Lost, r.Unsigned, r.Strangers, r.Pending)
}

// serveSender is the process of a sender. It prints the result as JSON.
func serveSender(text string, out io.Writer) error {
	var j job
	if err := json.Unmarshal([]byte(text), &j); err != nil {
		return fmt.Errorf("the job is no JSON: %w", err)
	}
	p, err := find(j.Peer)
	if err != nil {
		return err
	}
	r, err := j.do(context.Background(), p)
	if err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(r)
}

// do opens the peer, has it do the work, and closes it.
func (j *job) do(ctx context.Context, p *peer) (r result, err error) {
	s, err := p.open(ctx, j)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	l := load{publishers: publishers, batch: 1, to: s}
	if p.publishers > 0 {
		l.publishers = p.publishers
	}
	if j.Work == batches {
		l.batch = batchSize
	}
	rec := receiver.At(j.Receiver)
	n, err := j.warm(ctx, rec, l)
	if err != nil {
		return r, fmt.Errorf("warming up: %w", err)
	}
	return j.measure(ctx, rec, l, n)
}

// warm opens connections and files, and returns how many events the work is to have: as many as the
// peer delivers in the time that the work is to last, going by how fast it was at the end.
func (j *job) warm(ctx context.Context, rec *receiver.Process, l load) (n int, err error) {
	for warm := 128; ; warm = min(4*warm, j.Most) {
		took, err := j.timed(ctx, rec, l, warm)
		switch {
		case err != nil:
			return 0, err
		case j.Short:
			return j.Most, nil
		case took < j.Lasts/8 && warm < j.Most:
			continue
		case j.Work == steady:
			return max(int(float64(j.Rate)*j.Lasts.Seconds()), 1), nil
		}
		n = int(float64(warm) / took.Seconds() * j.Lasts.Seconds())
		return max(min(n, j.Most)/batchSize, 1) * batchSize, nil
	}
}

// timed returns how long n events take from the first publish to the last arrival.
func (j *job) timed(
	ctx context.Context, rec *receiver.Process, l load, n int,
) (time.Duration, error) {
	if err := rec.Expect(ctx, 1, n); err != nil {
		return 0, err
	}
	start := time.Now()
	if err := l.publish(ctx, n); err != nil {
		return 0, err
	}
	_, err := rec.WaitFor(ctx, j.Patience)
	return time.Since(start), err
}

// measure has n events published and delivered, and measures that.
func (j *job) measure(
	ctx context.Context, rec *receiver.Process, l load, n int,
) (r result, err error) {
	if err := rec.Expect(ctx, 1, n); err != nil {
		return r, err
	}
	server, before := serverCPU(j.Server), usage.Begin()
	if j.Work == steady {
		err = l.publishSteadily(ctx, n, j.Rate)
	} else {
		err = l.publish(ctx, n)
	}
	if err != nil {
		return r, err
	}
	if got, err := rec.WaitFor(ctx, j.Patience); err != nil && got.Missing == 0 {
		return r, err // what is missing is a result
	}
	if r.Pending, err = j.settle(ctx, l.to); err != nil {
		return r, err
	}
	got, err := rec.Judge(ctx)
	if err != nil && got.Err() == nil {
		return r, err
	}
	spent := before.End(time.Unix(0, got.Last), n)
	r.Events, r.Rate, r.CPU, r.Anon = n, spent.Rate, spent.CPU, spent.Anon
	r.Server = float64((serverCPU(j.Server) - server).Milliseconds()) / float64(n) * 1000
	r.Resident = float64(serverMemory(j.Server)) / (1 << 20)
	r.P50, r.P99 = got.Latency[0].P50, got.Latency[0].P99
	r.Lost, r.Doubled = got.Missing, got.Doubled
	r.Unsigned, r.Strangers = got.Unsigned, got.Strangers
	return r, nil
}

// settle waits until all is recorded as done, and returns how much is not after a while.
func (j *job) settle(ctx context.Context, s system) (pending int, err error) {
	deadline := time.Now().Add(j.Patience)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if pending, err = s.pending(ctx); err != nil || pending == 0 || time.Now().After(deadline) {
			return pending, err
		}
		<-tick.C
	}
}
