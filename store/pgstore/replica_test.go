package pgstore_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/pgstore"
)

var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}

// timeout is that of attempts in these tests, and lease what it makes of leases.
const (
	timeout = 5 * time.Second
	lease   = timeout + 15*time.Second
)

func newDispatcher(t testing.TB, s store.Store) *dispatcher.Dispatcher {
	t.Helper()
	d, err := dispatcher.New(s, replicaOptions())
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// inFlight is how many attempts a replica makes at once.
const inFlight = 16

func replicaOptions() *dispatcher.Options {
	return &dispatcher.Options{Concurrency: inFlight, PerSubscription: inFlight, Timeout: timeout,
		DrainTimeout: 5 * time.Second, AllowPrefixes: loopback}
}

// patient makes attempts so long that none is given up because the machine is busy: an attempt that
// was given up is made again, though it may have arrived.
func patient(o *dispatcher.Options) *dispatcher.Options {
	o.Timeout, o.DrainTimeout = time.Minute, time.Minute
	return o
}

// subscribeJudge makes a subscription that sends to the judge.
func subscribeJudge(t testing.TB, s store.Store, j *judge) store.Subscription {
	t.Helper()
	sub, err := newDispatcher(t, s).Subscribe(t.Context(), store.Subscription{URL: j.URL})
	if err != nil {
		t.Fatal(err)
	}
	return sub
}

// What a child process finds in its environment.
const (
	envReplica = "OUTHOOK_TEST_REPLICA" // what it is: see replicaMain
	envURL     = "OUTHOOK_TEST_URL"
	envSchema  = "OUTHOOK_TEST_SCHEMA"
)

// replicaMain is the main function of a child process: a host with a dispatcher that delivers until
// it gets SIGTERM, or is killed, and that publishes, as long as its standard input is open, and
// prints the ID of each event that Publish has accepted.
func replicaMain() int {
	ctx, stop := notifyTerm()
	defer stop()
	s, err := pgstore.Open(ctx, os.Getenv(envURL), &pgstore.Options{Schema: os.Getenv(envSchema)})
	if err != nil {
		fmt.Fprintln(os.Stderr, "replica:", err)
		return 1
	}
	defer s.Close()
	if os.Getenv(envReplica) == "stopped" {
		return stoppedMain(ctx, s)
	}
	kind, o := os.Getenv(envReplica), replicaOptions()
	if kind == "worker" || kind == "patient publisher" {
		o = patient(o)
	}
	d, err := dispatcher.New(s, o)
	if err != nil {
		fmt.Fprintln(os.Stderr, "replica:", err)
		return 1
	}
	var publishing atomic.Bool
	publishing.Store(kind != "worker")
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin) // until it is closed
		publishing.Store(false)
	}()
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			for publishing.Load() && ctx.Err() == nil {
				publishSome(ctx, d)
			}
		})
	}
	if err := d.Run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "replica:", err)
		return 1
	}
	wg.Wait()
	return 0
}

// notifyTerm returns a context that ends with SIGTERM.
func notifyTerm() (context.Context, context.CancelFunc) {
	return signal.NotifyContext(context.Background(), syscall.SIGTERM)
}

func publishSome(ctx context.Context, d *dispatcher.Dispatcher) {
	ev, err := events.New("message.created", json.RawMessage(`{}`))
	if err != nil {
		panic(err)
	}
	if err := d.Publish(ctx, ev); err == nil {
		fmt.Println(ev.ID)
	}
	pause := time.NewTimer(20 * time.Millisecond)
	defer pause.Stop()
	select {
	case <-pause.C:
	case <-ctx.Done():
	}
}

// replica is such a child process.
type replica struct {
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	lines  chan string   // what it printed, unless the judge gets it
	exited chan struct{} // closed when it has
	err    error         // how; after exited
}

// startReplica starts a replica of the kind. The judge gets what it has published; if nil, lines
// does.
func startReplica(t testing.TB, kind, url, schema string, j *judge) *replica {
	t.Helper()
	r := &replica{cmd: exec.Command(os.Args[0]), lines: make(chan string, 100),
		exited: make(chan struct{})}
	r.cmd.Env = append(os.Environ(), envReplica+"="+kind, envURL+"="+url, envSchema+"="+schema)
	r.cmd.Stderr = os.Stderr
	out, err := r.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if r.stdin, err = r.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(r.exited)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if j != nil {
				j.ack(strings.TrimSpace(lines.Text()))
			} else {
				r.lines <- lines.Text()
			}
		}
		r.err = r.cmd.Wait()
	}()
	t.Cleanup(r.kill)
	return r
}

func (r *replica) signal(s syscall.Signal) { _ = r.cmd.Process.Signal(s) }

// kill ends it at once, and waits for that.
func (r *replica) kill() {
	r.signal(syscall.SIGKILL)
	<-r.exited
}

// quiet stops its publishing.
func (r *replica) quiet() { _ = r.stdin.Close() }
