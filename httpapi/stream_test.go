package httpapi_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/httpapi"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore"
	"github.com/outhook/outhook/store/memstore"
)

// failing is a store whose n-th listing of subscriptions fails.
type failing struct {
	store.Store
	n     int64
	calls atomic.Int64
}

func (s *failing) Subscriptions(ctx context.Context, q store.SubscriptionQuery) (
	store.Page[store.Subscription], error) {
	if s.calls.Add(1) == s.n {
		return store.Page[store.Subscription]{}, errors.New("the disk is on fire")
	}
	return s.Store.Subscriptions(ctx, q)
}

// fill makes n subscriptions, one after another.
func fill(t *testing.T, s store.Store, n int) {
	t.Helper()
	for i := range n {
		if _, err := s.CreateSubscription(t.Context(), store.Subscription{
			ID:     fmt.Sprintf("00000000-0000-4000-8000-%012d", i),
			URL:    "https://endpoint.example/" + strings.Repeat("x", 200),
			Status: store.Subscribed,
		}); err != nil {
			t.Fatal(err)
		}
	}
}

// A list that the store can't finish is no answer: the client sees that it broke off, and what it
// has is no JSON. Where nothing was sent yet, the client gets a status and a message.
func TestListThatBreaksOff(t *testing.T) {
	for n := int64(1); n <= 4; n++ {
		s := &failing{Store: memstore.New(), n: n}
		fill(t, s, 100)
		h := newHost(t, config{store: s})
		resp, err := http.Post(h.url+"/webhooks.list", "application/json", nil)
		if err != nil {
			if n == 1 {
				t.Errorf("the first step: %v, want a 503", err)
			}
			continue // nothing had left the server's buffer yet
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if n == 1 {
			if resp.StatusCode != 503 || err != nil || !json.Valid(body) {
				t.Errorf("the first step: got %d %s, %v; want a 503", resp.StatusCode, body, err)
			}
			continue
		}
		if !errors.Is(err, io.ErrUnexpectedEOF) || json.Valid(body) {
			t.Errorf("step %d: got %d, %d bytes, %v; want an answer that breaks off", n, resp.StatusCode,
				len(body), err)
		}
		if !strings.Contains(h.logged.String(), "the disk is on fire") {
			t.Errorf("step %d: the failure is not logged:\n%s", n, h.logged)
		}
	}
}

// Whatever its size and from wherever it is asked for, a page is that of the store.
func TestListPagesAreTheStores(t *testing.T) {
	s := memstore.New()
	const n = 100
	fill(t, s, n)
	h := newHost(t, config{store: s})
	// leads returns which webhook a cursor leads to: its text is another each time.
	leads := func(cursor string) string {
		if cursor == "" {
			return ""
		}
		page, err := s.Subscriptions(t.Context(), store.SubscriptionQuery{Cursor: cursor, Limit: 1})
		if err != nil || len(page.Items) != 1 {
			t.Fatalf("a page from %q: %d webhooks, %v", cursor, len(page.Items), err)
		}
		return page.Items[0].ID
	}
	check := func(cursor string, size int) (next, previous string) {
		t.Helper()
		want, err := s.Subscriptions(t.Context(), store.SubscriptionQuery{Cursor: cursor, Limit: size})
		if err != nil {
			t.Fatal(err)
		}
		got := decode[list](t, h.post("list", fmt.Sprintf(`{"page_size":%d,"cursor":%q}`, size, cursor)))
		var ids []string
		for _, w := range got.Data {
			ids = append(ids, *w.ID)
		}
		var wanted []string
		for i := range want.Items {
			wanted = append(wanted, want.Items[i].ID)
		}
		next, previous = *got.Pagination.NextCursor, *got.Pagination.PreviousCursor
		if fmt.Sprint(ids) != fmt.Sprint(wanted) || got.Pagination.Total == nil ||
			*got.Pagination.Total != n ||
			leads(next) != leads(want.Next) || leads(previous) != leads(want.Previous) {
			t.Errorf("a page of %d from %q: got %d webhooks %v and %+v\nwant %d %v and %q, %q, %d", size,
				cursor, len(ids), ids, got.Pagination, len(wanted), wanted, want.Previous, want.Next, n)
		}
		return next, previous
	}
	for _, size := range []int{1, 15, 16, 17, 32, 33, 40, 48, 99, 100, 101, 1000} {
		var last string
		for cursor, more := "", true; more; more = cursor != "" {
			last = cursor
			cursor, _ = check(cursor, size)
		}
		for _, other := range []int{size, 7, 20, 64} { // from the end to the beginning
			for cursor := last; cursor != ""; {
				_, cursor = check(cursor, other)
			}
		}
	}
	if got := decode[list](t, h.post("list", "")); len(got.Data) != n || got.Pagination != nil {
		t.Errorf("all: got %d and %+v, want %d and no pagination", len(got.Data), got.Pagination, n)
	}
}

// A page that is asked for by its end has no webhook twice, though others delete some while it is
// read.
func TestListWhileOthersDelete(t *testing.T) {
	s := &deleting{Store: memstore.New()}
	fill(t, s, 100)
	h := newHost(t, config{store: s})
	first, err := s.Subscriptions(t.Context(), store.SubscriptionQuery{Limit: 90})
	if err != nil {
		t.Fatal(err)
	}
	second, err := s.Subscriptions(t.Context(), store.SubscriptionQuery{Limit: 90, Cursor: first.Next})
	if err != nil {
		t.Fatal(err)
	}
	s.victims = first.Items[20:80:80]
	body := fmt.Sprintf(`{"page_size":90,"cursor":%q}`, second.Previous)
	got := decode[list](t, h.post("list", body))
	seen, before := make(map[string]bool), ""
	for _, w := range got.Data {
		if seen[*w.ID] || *w.ID < before {
			t.Errorf("%s is there twice, or out of its order", *w.ID)
		}
		seen[*w.ID], before = true, *w.ID
	}
	for i, sub := range first.Items {
		if (i < 20 || i >= 80) && !seen[sub.ID] {
			t.Errorf("%s is missing, and nobody has deleted it", sub.ID)
		}
	}
}

// deleting is a store in which each listing is followed by some deletions.
type deleting struct {
	store.Store
	victims []store.Subscription
}

func (s *deleting) Subscriptions(ctx context.Context, q store.SubscriptionQuery) (
	store.Page[store.Subscription], error) {
	page, err := s.Store.Subscriptions(ctx, q)
	for range min(5, len(s.victims)) {
		if err := s.Store.DeleteSubscription(ctx, s.victims[0].ID); err != nil {
			return page, err
		}
		s.victims = s.victims[1:]
	}
	return page, err
}

// The memory of a list does not grow with what is in it: some megabytes for each that is being
// sent, of webhooks that are as large as they may be.
func TestListMemory(t *testing.T) {
	const webhooks, each, bound = 1000, 131 << 10, 16 << 20
	d, err := dispatcher.New(largeStore(t, webhooks, each), nil)
	if err != nil {
		t.Fatal(err)
	}
	h, err := httpapi.Handler(d, httpapi.NoAuth, nil) // not that of newHost, which records answers
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(h)
	defer server.Close()
	before := heap()
	for _, at := range []int{1, 6} { // at once
		var bodies []io.ReadCloser
		for range at {
			resp, err := http.Post(server.URL+"/webhooks.list", "application/json", nil)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			bodies = append(bodies, resp.Body)
		}
		// In steps, all at the same place: what a server has of each is in memory at the same time.
		// One is read to its end, as a list could be collected on the way; of six the beginning
		// will do.
		high, read, whole := uint64(0), int64(0), at == 1
		for step := 0; whole || step < 2; step++ {
			ended := false
			for _, body := range bodies {
				n, err := io.CopyN(io.Discard, body, 8<<20)
				read += n
				ended = ended || err == io.EOF
				if err != nil && err != io.EOF {
					t.Fatal(err)
				}
			}
			high = max(high, heap())
			if ended {
				break
			}
		}
		if whole && read < webhooks*each {
			t.Errorf("got %d bytes, want %d at least", read, webhooks*each)
		}
		if high > before+uint64(at*bound) {
			t.Errorf("%d at once: %d MB of memory, want %d at most", at, (high-before)>>20, at*bound>>20)
		}
		t.Logf("%d at once: %.1f MB of memory", at, float64(int64(high)-int64(before))/(1<<20))
		for _, body := range bodies {
			body.Close()
		}
	}
}

// heap returns how many bytes are in use, after what is not has been collected.
func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// largeStore returns a file with n subscriptions that have so many bytes of headers each.
func largeStore(t *testing.T, n, size int) store.Store {
	t.Helper()
	s, err := boltstore.Open(filepath.Join(t.TempDir(), "outhook.db"), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	value := strings.Repeat("x", size/32)
	var g errgroup.Group
	g.SetLimit(64) // so that they share commits
	for i := range n {
		g.Go(func() error {
			headers := make(map[string]string)
			for j := range 32 {
				headers[fmt.Sprintf("X-%d", j)] = value
			}
			_, err := s.CreateSubscription(t.Context(), store.Subscription{
				ID:     fmt.Sprintf("00000000-0000-4000-8000-%012d", i),
				URL:    "https://endpoint.example/",
				Status: store.Subscribed, Headers: headers,
			})
			return err
		})
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	return s
}
