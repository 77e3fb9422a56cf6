package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"time"

	"github.com/outhook/outhook/store/pgstore/pgtest"
)

var (
	events   = flag.Int("n", 20_000, "events of a round")
	rounds   = flag.Int("rounds", 3, "rounds; their median counts")
	replicas = flag.Bool("replicas", false, "measure 1, 2 and 3 replicas")
	backlog  = flag.Bool("backlog", false, "measure with 10,000 and 1,000,000 pending")
	floor    = flag.Bool("floor", false, "measure what inserting events and outcomes alone takes")
	wal      = flag.Bool("wal", false, "measure how much log an event takes, by what is logged")
	steady   = flag.Bool("steady", false, "measure at steady rates")
	pin      = flag.Bool("pinned", false,
		"as -steady, and also with transactions that keep the server from vacuuming")
	rateList = flag.String("rate", "", "with -steady: only these rates, such as 800,3000")
	seconds  = flag.Duration("for", time.Minute, "with -steady: for how long")
	onlyPin  = flag.String("pin", "", "as -pinned, but only with this one of nothing, readers, idle")
	catchUp  = flag.Duration("catchup", 5*time.Minute,
		"with -steady: how long to wait at the end for what has not arrived")
	reading = flag.Duration("reader", 2*time.Minute, "with -pinned: how long a reader takes")
	profile = flag.String("cpuprofile", "", "write a CPU profile of this process to the file")
	lists   = flag.Bool("lists", false, "measure pages of a history of ten deliveries for each event")
	single  = flag.Int("batch", 0, "only batches of so many events")
	only    = flag.String("only", "", "only this one of river, outhook")

	receive = flag.Bool("receive", false, "be the receiver") // for ourselves
	replica = flag.String("replica", "", "be a replica")     // for ourselves: the database
)

// workers is how many deliveries each system has under way at once.
const workers = 256

func main() {
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	switch {
	case *receive:
		return serve(ctx)
	case *replica != "":
		return deliver(ctx, *replica)
	}
	url := os.Getenv("OUTHOOK_TEST_POSTGRES")
	if url == "" {
		srv, err := pgtest.Start(ctx, pgtest.Config{Settings: map[string]string{
			"shared_buffers": "512MB", "max_wal_size": "4GB", "checkpoint_timeout": "15min",
		}})
		if err != nil {
			return err
		}
		defer srv.Remove()
		url = srv.URL()
	}
	switch {
	case *floor:
		return measureFloor(ctx, url)
	case *lists:
		return measureLists(ctx, url)
	case *wal:
		return measureWAL(ctx, url)
	}
	rec, err := startReceiver(ctx)
	if err != nil {
		return err
	}
	defer rec.stop()
	switch {
	case *replicas:
		return measureReplicas(ctx, url, rec)
	case *steady, *pin, *onlyPin != "":
		return measureSteady(ctx, url, rec)
	case *backlog:
		return measureBacklog(ctx, url, rec)
	}
	return compare(ctx, url, rec)
}
