package signing_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/signing/boltseen"
)

// onEachSeen runs a test in a bubble, for each place where a Once may remember.
func onEachSeen(t *testing.T, test func(*testing.T, *signing.Once)) {
	t.Run("zero", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) { test(t, &signing.Once{}) })
	})
	t.Run("memory", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			test(t, &signing.Once{Seen: &signing.MemorySeen{Max: 10, Keep: time.Hour}})
		})
	})
	t.Run("bolt", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			seen, err := boltseen.Open(filepath.Join(t.TempDir(), "seen.db"), nil)
			if err != nil {
				t.Fatal(err)
			}
			defer seen.Close()
			test(t, &signing.Once{Seen: seen})
		})
	})
}

// deliver sends a delivery to h. An id of "" is none.
func deliver(ctx context.Context, h http.Handler, id string) *httptest.ResponseRecorder {
	r := httptest.NewRequestWithContext(ctx, "POST", "/", strings.NewReader(messageBody))
	if id != "" {
		r.Header.Set(signing.HeaderID, id)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestOnce(t *testing.T) {
	onEachSeen(t, func(t *testing.T, once *signing.Once) {
		next := new(recorder)
		h := once.Handler(next)
		for i, tt := range []struct {
			id    string
			calls int // of next, so far
			code  int
		}{
			{"a", 1, 204}, {"a", 1, 200}, {"b", 2, 204}, {"a", 2, 200}, {"b", 2, 200},
			// there is nothing to recognize it by
			{"", 3, 204}, {"", 4, 204},
			{strings.Repeat("x", signing.MaxID), 5, 204}, {strings.Repeat("x", signing.MaxID), 5, 200},
			{strings.Repeat("x", signing.MaxID+1), 5, 400},
		} {
			w := deliver(t.Context(), h, tt.id)
			if w.Code != tt.code || next.calls != tt.calls {
				t.Errorf("delivery %d: status %d, %d handled so far; want %d and %d", i, w.Code, next.calls,
					tt.code, tt.calls)
			}
			if w.Code == 200 && w.Body.Len() > 0 {
				t.Errorf("delivery %d: the answer to a repetition is %q, want none", i, w.Body)
			}
		}
		if next.body != messageBody {
			t.Errorf("next got %q, want the body", next.body)
		}
		other := new(recorder)
		if w := deliver(t.Context(), once.Handler(other), "a"); w.Code != 200 || other.calls != 0 {
			t.Errorf("another handler of the same Once: status %d, %d handled; want 200 and none", w.Code,
				other.calls)
		}
	})
}

// Only what was answered with success is remembered.
func TestOnceRemembersSuccessAlone(t *testing.T) {
	status := func(codes ...int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			for _, code := range codes {
				w.WriteHeader(code)
			}
		}
	}
	for _, tt := range []struct {
		name     string
		handler  http.HandlerFunc
		remember bool
	}{
		{"nothing", status(), true},
		{"a body", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "thanks") }, true},
		{"200", status(200), true}, {"201", status(201), true}, {"299", status(299), true},
		{"100 and 204", status(100, 204), true},
		{"100 and 500", status(100, 500), false},
		{"the first of two", status(500, 200), false},
		{"300", status(300), false}, {"400", status(400), false}, {"409", status(409), false},
		{"410", status(410), false}, {"429", status(429), false}, {"500", status(500), false},
		{"503", status(503), false},
		{"panic", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, false},
		{"200 and panic", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(200)
			panic(http.ErrAbortHandler)
		}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			onEachSeen(t, func(t *testing.T, once *signing.Once) {
				calls := 0
				h := once.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					calls++
					tt.handler(w, r)
				}))
				for range 2 {
					func() {
						defer func() { _ = recover() }()
						deliver(t.Context(), h, "a")
					}()
				}
				if remembered := calls == 1; remembered != tt.remember {
					t.Errorf("of two deliveries %d were handled; want it remembered: %t", calls, tt.remember)
				}
			})
		})
	}
}

// Of deliveries at one time one is handled, and the others wait for what comes of it.
func TestOnceAtTheSameTime(t *testing.T) {
	for name, tt := range map[string]struct {
		statuses []int // of the deliveries that are handled, in turn; then 200
		handled  int
		answers  map[int]int // how many, by status
	}{
		"success":                  {nil, 1, map[int]int{200: 8}},
		"two failures and success": {[]int{500, 503}, 3, map[int]int{500: 1, 503: 1, 200: 6}},
	} {
		t.Run(name, func(t *testing.T) {
			onEachSeen(t, func(t *testing.T, once *signing.Once) {
				release, calls, under := make(chan struct{}), 0, 0
				h := once.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if r.Header.Get(signing.HeaderID) == "b" {
						return
					}
					calls++ // without a lock: there is one at a time
					if under++; under > 1 {
						t.Errorf("%d are handled at once, want one", under)
					}
					<-release
					under--
					if calls <= len(tt.statuses) {
						w.WriteHeader(tt.statuses[calls-1])
					}
				}))
				codes := make(chan int, 8)
				for range cap(codes) {
					go func() { codes <- deliver(t.Context(), h, "a").Code }()
				}
				synctest.Wait()
				if calls != 1 || len(codes) != 0 {
					t.Errorf("%d are handled and %d answered while the first is under way; want 1 and 0", calls,
						len(codes))
				}
				if w := deliver(t.Context(), h, "b"); w.Code != 200 {
					t.Errorf("another id meanwhile: status %d, want 200", w.Code)
				}
				close(release)
				got := make(map[int]int)
				for range cap(codes) {
					got[<-codes]++
				}
				if calls != tt.handled {
					t.Errorf("%d were handled, want %d", calls, tt.handled)
				}
				for status, want := range tt.answers {
					if got[status] != want {
						t.Errorf("%d were answered %d, want %d", got[status], status, want)
					}
				}
			})
		})
	}
}

// One whose sender gives up while it waits is let go, and those that wait on are not disturbed.
func TestOnceWaitsAsLongAsTheSender(t *testing.T) {
	onEachSeen(t, func(t *testing.T, once *signing.Once) {
		release, calls := make(chan struct{}), 0
		h := once.Handler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
			calls++
			<-release
		}))
		first, third := make(chan int, 1), make(chan int, 1)
		go func() { first <- deliver(t.Context(), h, "a").Code }()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
		defer cancel()
		second := make(chan *httptest.ResponseRecorder, 1)
		go func() { second <- deliver(ctx, h, "a") }()
		go func() { third <- deliver(t.Context(), h, "a").Code }()
		if w := <-second; w.Code != 503 || w.Header().Get("Retry-After") == "" { // after 15 seconds
			t.Errorf("the one that has given up: status %d, want 503 with Retry-After", w.Code)
		}
		close(release)
		if a, b := <-first, <-third; a != 200 || b != 200 || calls != 1 {
			t.Errorf("the others: status %d and %d, %d handled; want 200, 200, one", a, b, calls)
		}
	})
}

// A sender that has gone meanwhile does not undo what was done.
func TestOnceRemembersWhenTheSenderHasGone(t *testing.T) {
	onEachSeen(t, func(t *testing.T, once *signing.Once) {
		ctx, cancel := context.WithCancel(t.Context())
		calls := 0
		h := once.Handler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
			calls++
			cancel()
		}))
		deliver(ctx, h, "a")
		if w := deliver(t.Context(), h, "a"); w.Code != 200 || calls != 1 {
			t.Errorf("status %d, %d handled; want 200 and one", w.Code, calls)
		}
	})
}

// failing is a Seen that fails where it has an error.
type failing struct {
	signing.MemorySeen
	has, add error
}

func (f *failing) Has(ctx context.Context, id string) (bool, error) {
	if f.has != nil {
		return false, f.has
	}
	return f.MemorySeen.Has(ctx, id)
}

func (f *failing) Add(ctx context.Context, id string) error {
	if err := ctx.Err(); err != nil {
		return err // as a database does
	}
	if f.add != nil {
		return f.add
	}
	return f.MemorySeen.Add(ctx, id)
}

// What cannot be looked up is not handled, and what was handled is answered so, though it can't be
// remembered.
func TestOnceWhenSeenFails(t *testing.T) {
	var logged bytes.Buffer
	seen := &failing{has: errors.New("the disk is gone")}
	once := &signing.Once{Seen: seen, Logger: slog.New(slog.NewTextHandler(&logged, nil))}
	next := new(recorder)
	h := once.Handler(next)

	w := deliver(t.Context(), h, "a")
	if w.Code != 503 || w.Header().Get("Retry-After") == "" || next.calls != 0 {
		t.Errorf("Has fails: status %d, %d handled; want 503 with Retry-After, and none", w.Code, next.calls)
	}
	if strings.Contains(w.Body.String(), "disk") || !strings.Contains(logged.String(), "disk") {
		t.Errorf("Has fails: the answer is %q and the log %q; want the reason in the log alone", w.Body,
			logged.String())
	}

	logged.Reset()
	seen.has, seen.add = nil, errors.New("the disk is full")
	if w := deliver(t.Context(), h, "a"); w.Code != 204 || next.calls != 1 {
		t.Errorf("Add fails: status %d, %d handled; want the handler's 204", w.Code, next.calls)
	}
	if got := logged.String(); !strings.Contains(got, "disk is full") ||
		!strings.Contains(got, "level=ERROR") || !strings.Contains(got, "event_id=a") {
		t.Errorf("Add fails: logged %q, want an error that names the event", got)
	}
	seen.add = nil
	if w := deliver(t.Context(), h, "a"); w.Code != 204 || next.calls != 2 {
		t.Errorf("after that: status %d, %d handled; want it handled again", w.Code, next.calls)
	}

	ctx, cancel := context.WithCancel(t.Context())
	h = once.Handler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { cancel() }))
	deliver(ctx, h, "b")
	if has, _ := seen.MemorySeen.Has(t.Context(), "b"); !has {
		t.Error("the context of a request that has ended reached Add")
	}
}

// What a Verifier takes by the Airy signature alone has no id that was signed, so it is never taken
// for a repetition; and a forged delivery with an id that was seen is refused, not answered 200.
func TestOnceInsideVerifier(t *testing.T) {
	next := new(recorder)
	once := &signing.Once{}
	receiver := func(allowAiry bool) http.Handler {
		v := signing.Verifier{Keys: []signing.Secret{whsecKey}, AllowAiry: allowAiry}
		return v.Handler(once.Handler(next))
	}
	send := func(h http.Handler, header http.Header) int {
		r := httptest.NewRequest("POST", "/", strings.NewReader(messageBody))
		r.Header = header.Clone()
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w.Code
	}
	signed := bothHeaders(time.Now(), messageBody, whsecKey)
	stripped := with(signed.Clone(), drop(signing.HeaderSignature))
	for i, tt := range []struct {
		airy  bool
		h     http.Header
		code  int
		calls int
	}{
		{false, stripped, 401, 0},
		{false, signed, 204, 1},
		{false, signed, 200, 1},
		{true, stripped, 204, 2},
		{true, stripped, 204, 3},
		{true, signed, 200, 3},
		{true, with(signed.Clone(), set(signing.HeaderSignature, "v1,"+strings.Repeat("A", 44))), 401, 3},
	} {
		if code := send(receiver(tt.airy), tt.h); code != tt.code || next.calls != tt.calls {
			t.Errorf("delivery %d: status %d, %d handled so far; want %d and %d", i, code, next.calls,
				tt.code, tt.calls)
		}
	}
}

// The answer of a handler passes through as it is, flushing and all.
func TestOncePassesTheAnswerOn(t *testing.T) {
	once := &signing.Once{}
	server := httptest.NewServer(once.Handler(http.HandlerFunc(
		func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Mine", "yes")
			w.WriteHeader(http.StatusAccepted)
			io.WriteString(w, "part one, ")
			if err := http.NewResponseController(w).Flush(); err != nil {
				t.Errorf("Flush: %v", err)
			}
			io.WriteString(w, "part two")
		})))
	defer server.Close()
	for i, want := range []struct {
		code   int
		header string
		body   string
	}{{202, "yes", "part one, part two"}, {200, "", ""}} {
		r, err := http.NewRequestWithContext(t.Context(), "POST", server.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set(signing.HeaderID, "a")
		res, err := server.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil || res.StatusCode != want.code || string(body) != want.body ||
			res.Header.Get("X-Mine") != want.header {
			t.Errorf("delivery %d: got %d %q %v, want %d %q", i, res.StatusCode, body, err, want.code,
				want.body)
		}
	}
}
