package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"

	"github.com/outhook/outhook/store"
)

// measureReplicas publishes from here, and lets 1, 2 and 3 other processes deliver, to as many
// subscriptions each as make the limit of one subscription no limit.
func measureReplicas(ctx context.Context, url string, rec *receiver) error {
	fmt.Println("replicas  outhook/s")
	for n := 1; n <= 3; n++ {
		var rates []float64
		for range *rounds {
			rate, err := roundOfReplicas(ctx, url, rec, n)
			if err != nil {
				return err
			}
			rates = append(rates, rate)
		}
		fmt.Printf("%8d  %9.0f\n", n, median(rates))
	}
	return nil
}

func roundOfReplicas(ctx context.Context, url string, rec *receiver, n int) (rate float64,
	err error) {
	o, err := openOuthook(ctx, url)
	if err != nil {
		return 0, err
	}
	defer o.close()
	if err := o.subscribe(ctx, rec.url); err != nil {
		return 0, err
	}
	for range n {
		stop, err := startReplica(ctx, url)
		if err != nil {
			return 0, err
		}
		defer stop()
	}
	return timed(ctx, rec, *events, 100, o.publish)
}

// startReplica starts a process that delivers, and returns when it is about to.
func startReplica(ctx context.Context, url string) (stop func(), err error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, self, "-replica", url)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	stop = func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
	}
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil && !errors.Is(err, io.EOF) {
		stop()
		return nil, err
	}
	return stop, nil
}

// measureBacklog drives the store alone, with 10,000 and with 1,000,000 pending, and with 100,000
// subscriptions to something else: how many events are enqueued, claimed and finished a second, and
// how long one publish takes.
func measureBacklog(ctx context.Context, url string, _ *receiver) error {
	fmt.Println("  pending  other subscriptions  cycles of 100, events/s  publish of one, ms")
	for _, size := range []struct{ pending, others int }{
		{10_000, 0}, {1_000_000, 0}, {10_000, 100_000},
	} {
		pending := size.pending
		o, err := openOuthook(ctx, url)
		if err != nil {
			return err
		}
		defer o.close()
		if err := o.subscribe(ctx, "https://endpoint.example/"); err != nil {
			return err
		}
		if err := o.subscribeOthers(ctx, size.others); err != nil {
			return err
		}
		say := newSaying("filling the backlog")
		for n := 0; n < pending; n += 1000 {
			if err := o.publish(ctx, 1000); err != nil {
				return err
			}
			say.say("%d of %d", n, pending)
		}
		say.done()
		// what loading so many has left to be done
		for _, settle := range []string{"VACUUM (ANALYZE)", "CHECKPOINT"} {
			if _, err := o.pool.Exec(ctx, settle); err != nil {
				return err
			}
		}
		// the first writes after a checkpoint are of whole pages
		if _, err := o.cycles(ctx, 50); err != nil {
			return err
		}
		rate, err := o.cycles(ctx, 200)
		if err != nil {
			return err
		}
		const singles = 500
		start := time.Now()
		for range singles {
			if err := o.publish(ctx, 1); err != nil {
				return err
			}
		}
		fmt.Printf("%9d  %19d  %23.0f  %18.2f\n", pending, size.others, rate,
			time.Since(start).Seconds()*1000/singles)
	}
	return nil
}

// subscribeOthers makes subscriptions to something else, of the tenant of all events.
func (o *outhook) subscribeOthers(ctx context.Context, n int) error {
	_, err := o.pool.Exec(ctx, `
		WITH s AS (
			INSERT INTO outhook.subscriptions (id, tenant, name, url, events, header_names,
				header_values, secrets, status, disabled_reason, created_at, updated_at, subscribed_at)
			SELECT 'other-' || n, '', '', 'https://endpoint.example/', '{other.event}', '{}', '{}', '{}',
				'Subscribed', '', now(), now(), now() FROM generate_series(1, $1::int) n
			RETURNING num
		), p AS (
			INSERT INTO outhook.subscription_patterns (tenant, pattern, sub)
			SELECT '', 'other.event', num FROM s
		)
		INSERT INTO outhook.health (sub) SELECT num FROM s`, n)
	return err
}

// cycles publishes, claims and finishes 100 events, again and again, and returns how many were a
// second.
func (o *outhook) cycles(ctx context.Context, times int) (float64, error) {
	const batch = 100
	start := time.Now()
	for range times {
		if err := o.publish(ctx, batch); err != nil {
			return 0, err
		}
		claims, err := o.store.Claim(ctx, store.ClaimRequest{Max: batch, Lease: time.Minute})
		if err != nil {
			return 0, err
		}
		outcomes := make([]store.Outcome, len(claims.Claims))
		for i, c := range claims.Claims {
			outcomes[i] = store.Outcome{Lease: c.Lease, State: store.Delivered,
				Attempt: store.Attempt{Number: 1, At: time.Now(), Status: 200}}
		}
		if _, err := o.store.Finish(ctx, outcomes...); err != nil {
			return 0, err
		}
	}
	return float64(batch*times) / time.Since(start).Seconds(), nil
}
