package dispatchertest_test

import (
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/dispatcher/dispatchertest"
	"github.com/outhook/outhook/store"
)

// A handler answers as a server does: with headers and a body, late, or not at all.
func TestHandle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, r := dispatchertest.New(t, &dispatcher.Options{Timeout: 20 * time.Second})
		e := r.Subscribe()
		var n atomic.Int64
		e.Handle(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			switch n.Add(1) {
			case 1:
				w.Header().Set("Retry-After", "3600")
				http.Error(w, "later", http.StatusTooManyRequests)
			case 2:
				<-time.After(30 * time.Second)
			case 3:
				panic(http.ErrAbortHandler)
			default:
				if req.Host != "receiver.test" || req.RequestURI != "/1" {
					t.Errorf("the handler gets %q at %q", req.RequestURI, req.Host)
				}
			}
		}))
		if err := (shop{d}).order(t.Context(), "tea"); err != nil {
			t.Fatal(err)
		}
		first, second, third, fourth := e.Next(), e.Next(), e.Next(), e.Next()
		if wait := second.At.Sub(first.At); first.Status != 429 || wait < time.Hour {
			t.Errorf("got %d, and %v later the next; want 429 and an hour", first.Status, wait)
		}
		if second.Status != 0 || third.Status != 0 || fourth.Status != 200 {
			t.Errorf("got %d, %d, %d, want 0 twice and 200", second.Status, third.Status, fourth.Status)
		}
		r.WaitIdle()
		attempts, err := d.Attempts(t.Context(), e.ID, first.ID)
		if err != nil || len(attempts) < 3 {
			t.Fatalf("got %v, %v, want attempts", attempts, err)
		}
		for i, want := range []string{"http_status", "timeout", "connect", ""} {
			if got := string(dispatcher.ErrorClass(attempts[i].Error)); got != want {
				t.Errorf("attempt %d: got error %q, want class %q", i+1, attempts[i].Error, want)
			}
		}
		<-time.After(time.Minute) // the handler that is late ends
	})
}

// Answer comes before Handle, and without a handler the Receiver's own counts again.
func TestHandleEnds(t *testing.T) {
	d, r := dispatchertest.New(t, nil)
	r.Always(503)
	e := r.Subscribe()
	e.Handle(http.NotFoundHandler())
	e.Answer(500)
	if err := (shop{d}).order(t.Context(), "tea"); err != nil {
		t.Fatal(err)
	}
	for _, want := range []int{500, 404} {
		if got := e.Next(); got.Status != want {
			t.Errorf("got %d, want %d", got.Status, want)
		}
	}
	e.Handle(nil)
	for e.Next().Status != 503 {
	}
	r.Always(0)
	for e.Next().Status != 200 {
	}
}

// Keys are checked over a rotation, and after it.
func TestKeysRotate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, r := dispatchertest.New(t, nil)
		e := r.Subscribe()
		if _, err := d.RotateSecret(t.Context(), e.ID, "", time.Hour); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := (shop{d}).order(t.Context(), "tea"); err != nil {
				t.Fatal(err)
			}
			e.Next()
			<-time.After(2 * time.Hour)
		}
	})
}

// What the test says of a subscription holds.
func TestSubscribeWith(t *testing.T) {
	d, r := dispatchertest.New(t, nil)
	e := r.SubscribeWith(store.Subscription{
		URL: "https://acme.example/hook", Filter: `{"item": "tea"}`,
		Headers: map[string]string{"X-Team": "crm"},
	})
	for _, item := range []string{"coffee", "tea"} {
		if err := (shop{d}).order(t.Context(), item); err != nil {
			t.Fatal(err)
		}
	}
	r.WaitIdle()
	all := e.All()
	if len(all) != 1 || string(all[0].Payload) != `{"item":"tea"}` ||
		all[0].Header.Get("X-Team") != "crm" || all[0].URL != "https://acme.example/hook" {
		t.Errorf("got %+v, want the tea, with the header", all)
	}
}
