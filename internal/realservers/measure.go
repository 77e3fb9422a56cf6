package realservers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/memstore"
)

// lanes is how many requests are under way at most, for each client.
const lanes = 48

// sizes are about how many bytes the requests have, in turn by lane.
var sizes = []int{1 << 10, 8 << 10, 15 << 10, 40 << 10}

// paths are where the lanes post to, in turn.
var paths = []string{pathOK, pathDenied, pathOK, pathTooLarge}

func wanted(path string) int {
	switch path {
	case pathDenied:
		return http.StatusUnauthorized
	case pathTooLarge:
		return http.StatusRequestEntityTooLarge
	}
	return http.StatusOK
}

// Tally counts the attempts of one client.
type Tally struct {
	Attempts int
	// By path and fault: no answer, or not the one that the server gives.
	Failed map[string]int
}

// Failures returns how many attempts failed.
func (t *Tally) Failures() (n int) {
	for _, k := range t.Failed {
		n += k
	}
	return n
}

// String lists the failures.
func (t *Tally) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d of %d attempts failed", t.Failures(), t.Attempts)
	for _, what := range slices.Sorted(maps.Keys(t.Failed)) {
		fmt.Fprintf(&b, "; %d × %s", t.Failed[what], what)
	}
	return b.String()
}

// Result is what outhook and a net/http client that may replay came to, at one server and time.
type Result struct{ Outhook, NetHTTP Tally }

// Measure runs the server and posts about n requests by each client.
func Measure(ctx context.Context, s Server, n int) (r Result, err error) {
	server, err := s.start(ctx)
	if err != nil {
		return r, err
	}
	defer server.stop()
	reloading, stop := context.WithCancel(ctx)
	wait := server.keepReloading(reloading)
	defer wait()
	defer stop()
	each := max(n/lanes, 1)
	var (
		wg   sync.WaitGroup
		errs [2]error
	)
	wg.Go(func() { r.Outhook, errs[0] = byOuthook(ctx, server.url, each) })
	wg.Go(func() { r.NetHTTP, errs[1] = byNetHTTP(ctx, server.url, each) })
	wg.Wait()
	select {
	case <-server.exited:
		return r, fmt.Errorf("realservers: %s has ended: %s", s.Name, server.output)
	default:
	}
	return r, errors.Join(errs[:]...)
}

// lane posts so many requests one after another, and counts.
type lane struct {
	path string
	size int
	post func(ctx context.Context) (status int, err error)
}

// drive drives all lanes of a client to their end.
func drive(ctx context.Context, each int, newLane func(k int, path string, size int) lane) Tally {
	t := Tally{Failed: make(map[string]int)}
	var (
		mu sync.Mutex
		wg sync.WaitGroup
	)
	for k := range lanes {
		l := newLane(k, paths[k%len(paths)], sizes[k/len(paths)%len(sizes)])
		// Both clients get the same gaps.
		random := rand.New(rand.NewPCG(uint64(k), uint64(each)))
		wg.Go(func() {
			for range each {
				select {
				case <-ctx.Done():
					return
				case <-time.After(gap(random)):
				}
				status, err := l.post(ctx)
				mu.Lock()
				t.Attempts++
				if status != wanted(l.path) {
					t.Failed[fmt.Sprintf("%s: %d %v", l.path, status, err)]++
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return t
}

// gap returns how long a lane waits: often about as long as servers leave a connection open.
func gap(random *rand.Rand) time.Duration {
	if random.IntN(2) == 0 {
		return time.Duration(random.IntN(50)) * time.Millisecond
	}
	const around = 20 * time.Millisecond
	return idleLimit - around + time.Duration(random.Int64N(int64(2*around)))
}

// eventType is the type of all events.
const eventType = "server.test"

// byOuthook posts by a Dispatcher.
func byOuthook(ctx context.Context, url string, each int) (Tally, error) {
	answers := make(map[string]chan store.Attempt) // by tenant
	for k := range lanes {
		answers[tenant(k)] = make(chan store.Attempt, 1)
	}
	d, err := dispatcher.New(memstore.New(), &dispatcher.Options{
		AllowPrefixes: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
		Logger:        slog.New(slog.DiscardHandler),
		Success: func(status int) bool { // so that no breaker opens
			return slices.Contains([]int{200, 401, 413}, status)
		},
		Backoff: dispatcher.Backoff{Initial: time.Hour}, // each delivery is one attempt
		Observer: &dispatcher.Observer{OnAttempt: func(i dispatcher.Info) {
			answers[i.Subscription.Tenant] <- i.Attempt
		}},
	})
	if err != nil {
		return Tally{}, err
	}
	running, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- d.Run(running) }()
	var failed error
	t := drive(ctx, each, func(k int, path string, size int) lane {
		_, err := d.Subscribe(ctx, store.Subscription{Tenant: tenant(k), URL: url + path})
		failed = errors.Join(failed, err)
		return lane{path, size, func(ctx context.Context) (int, error) {
			e, err := events.New(eventType, strings.Repeat("x", size))
			if err != nil {
				return 0, err
			}
			e.Tenant = tenant(k)
			if err := d.Publish(ctx, e); err != nil {
				return 0, err
			}
			select {
			case a := <-answers[e.Tenant]:
				return a.Status, errors.New(a.Error)
			case <-ctx.Done():
				return 0, ctx.Err()
			}
		}}
	})
	stop()
	return t, errors.Join(failed, <-ended)
}

func tenant(k int) string { return fmt.Sprintf("lane-%d", k) }

// byNetHTTP posts by clients of net/http that may replay.
func byNetHTTP(ctx context.Context, url string, each int) (Tally, error) {
	return drive(ctx, each, func(_ int, path string, size int) lane {
		client := &http.Client{Transport: &http.Transport{}, Timeout: dispatcher.DefaultTimeout}
		return lane{path, size, func(ctx context.Context) (int, error) {
			req, err := http.NewRequestWithContext(ctx, http.MethodPost, url+path,
				strings.NewReader(strings.Repeat("x", size)))
			if err != nil {
				return 0, err
			}
			req.Header["Idempotency-Key"] = nil // it is not sent, and allows replays
			res, err := client.Do(req)
			if err != nil {
				return 0, errors.New("no answer")
			}
			defer res.Body.Close()
			_, err = io.Copy(io.Discard, res.Body)
			return res.StatusCode, err
		}}
	}), nil
}
