package send_test

import (
	"io"
	"net/http"
	"slices"
	"sync"
	"testing"

	"golang.org/x/net/http2"

	"github.com/outhook/outhook/dispatcher/internal/nettest"
	"github.com/outhook/outhook/dispatcher/internal/send"
	"github.com/outhook/outhook/store"
)

// network is what the senders of these tests have in common.
func network(t *testing.T, change func(*send.Options)) *send.Sender {
	t.Helper()
	o := newOptions(nil, send.Hooks{})
	change(&o)
	s := send.New(o)
	t.Cleanup(s.CloseIdleConnections)
	return s
}

// attempt makes an attempt for a tenant.
func attempt(t *testing.T, s *send.Sender, url, tenant string) store.Attempt {
	t.Helper()
	c := newClaim(url)
	c.Subscription.Tenant, c.Tenant = tenant, tenant
	return s.Send(t.Context(), c, policy, "").Attempt
}

// Over HTTP/2, no endpoint can make an attempt more than two requests; and it is one unless
// the endpoint has said that it has not taken the request, or has ended a kept connection.
func TestTwoRequestsAtMost(t *testing.T) {
	ca := nettest.NewAuthority(t)
	goesAway := func(last uint32, code http2.ErrCode) func(*http2.Framer, uint32) error {
		return func(f *http2.Framer, _ uint32) error { return f.WriteGoAway(last, code, nil) }
	}
	hangsUp := func(*http2.Framer, uint32) error { return io.EOF }
	resets := func(code http2.ErrCode) func(*http2.Framer, uint32) error {
		return func(f *http2.Framer, stream uint32) error { return f.WriteRSTStream(stream, code) }
	}
	for _, tt := range []struct {
		name   string
		kept   bool // the connection has had an answer
		answer func(*http2.Framer, uint32) error
		want   int
	}{
		{"refuses each stream", false, resets(http2.ErrCodeRefusedStream), 2},
		{"goes away before each stream", false, goesAway(0, http2.ErrCodeNo), 2},
		{"goes away in anger", false, goesAway(0, http2.ErrCodeEnhanceYourCalm), 1},
		{"resets each stream", false, resets(http2.ErrCodeInternal), 1},
		{"hangs up", false, hangsUp, 1},
		{"refuses over a kept connection", true, resets(http2.ErrCodeRefusedStream), 2},
		{"goes away over a kept connection", true, goesAway(0, http2.ErrCodeNo), 2},
		{"hangs up over a kept connection", true, hangsUp, 2},
		{"resets over a kept connection", true, resets(http2.ErrCodeInternal), 1},
	} {
		var requests nettest.Counter
		url := nettest.ServeFrames(t, ca,
			nettest.Frames{Answer: func(f *http2.Framer, stream uint32) error {
				requests.Add()
				if tt.kept && requests.Count() == 1 {
					return nettest.AnswerFrames(f, stream, "200")
				}
				return tt.answer(f, stream)
			}})
		s := network(t, func(o *send.Options) { o.Roots = ca.Pool })
		want := tt.want
		if tt.kept {
			attempt(t, s, url, "")
			want++
		}
		a := attempt(t, s, url, "")
		if send.Class(a.Error) != send.ClassConnect || requests.Count() != want {
			t.Errorf("%s: %q after %d requests, want class connect after %d", tt.name, a.Error,
				requests.Count(), want)
		}
	}
}

// A request that an endpoint has not taken goes on within the attempt, with the same body.
func TestReplayOverHTTP2(t *testing.T) {
	ca := nettest.NewAuthority(t)
	var requests nettest.Counter
	url := nettest.ServeFrames(t, ca,
		nettest.Frames{Answer: func(f *http2.Framer, stream uint32) error {
			requests.Add()
			if requests.Count() == 1 {
				return f.WriteRSTStream(stream, http2.ErrCodeRefusedStream)
			}
			return nettest.AnswerFrames(f, stream, "200")
		}})
	s := network(t, func(o *send.Options) { o.Roots = ca.Pool })
	if a := attempt(t, s, url, ""); a.Status != 200 || requests.Count() != 2 {
		t.Errorf("%+v after %d requests, want 200 after 2", a, requests.Count())
	}
}

// floods are frames that an endpoint can send without end.
var floods = map[string]func(f *http2.Framer, stream uint32) error{
	"PING":          func(f *http2.Framer, _ uint32) error { return f.WritePing(false, [8]byte{}) },
	"PING ack":      func(f *http2.Framer, _ uint32) error { return f.WritePing(true, [8]byte{}) },
	"SETTINGS":      func(f *http2.Framer, _ uint32) error { return f.WriteSettings() },
	"WINDOW_UPDATE": func(f *http2.Framer, _ uint32) error { return f.WriteWindowUpdate(0, 1) },
	"PRIORITY": func(f *http2.Framer, stream uint32) error {
		return f.WritePriority(stream, http2.PriorityParam{Weight: 1})
	},
	"RST_STREAM": func(f *http2.Framer, stream uint32) error { return f.WriteRSTStream(stream+2, 0) },
	"large": func(f *http2.Framer, _ uint32) error {
		return f.WriteRawFrame(0x20, 0, 0, make([]byte, 16<<10))
	},
}

// An endpoint that floods a connection has it closed, whether or not a request is under way.
func TestFloods(t *testing.T) {
	ca := nettest.NewAuthority(t)
	for name, flood := range floods {
		for _, answers := range []bool{true, false} {
			cut := make(chan struct{}, 1)
			url := nettest.ServeFrames(t, ca,
				nettest.Frames{Answer: func(f *http2.Framer, stream uint32) error {
					var err error
					if answers {
						err = nettest.AnswerFrames(f, stream, "200")
					}
					for err == nil {
						err = flood(f, stream)
					}
					cut <- struct{}{}
					return err
				}})
			s := network(t, func(o *send.Options) { o.Roots = ca.Pool })
			a := attempt(t, s, url, "")
			if answers && a.Status != 200 {
				t.Errorf("%s after an answer: %+v, want 200", name, a)
			}
			if !answers && a.Error != "response: not a proper HTTP answer" {
				t.Errorf("%s in place of an answer: %+v, want that it is none", name, a)
			}
			nettest.Receive(t, cut, name+": the end of the connection")
		}
	}
}

// connections counts the connections that a server gets requests over, and who they are from.
type connections struct {
	mu      sync.Mutex
	tenants map[string][]string // by the connection's address, of each request
	protos  []string
}

func (c *connections) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	io.Copy(io.Discard, r.Body)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.tenants == nil {
		c.tenants = make(map[string][]string)
	}
	c.tenants[r.RemoteAddr] = append(c.tenants[r.RemoteAddr], r.Header.Get("X-Tenant"))
	c.protos = append(c.protos, r.Proto)
}

// waiting has a request wait until n have come.
func waiting(n int, next http.Handler) http.Handler {
	var all sync.WaitGroup
	all.Add(n)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		all.Done()
		all.Wait()
		next.ServeHTTP(w, r)
	})
}

// A burst at an endpoint that nobody knows yet opens one connection if it speaks HTTP/2; if not, as
// many as it takes.
func TestBurstAtANewEndpoint(t *testing.T) {
	ca := nettest.NewAuthority(t)
	const n = 32
	for proto, most := range map[string]int{"h2": 1, "http/1.1": n} {
		var got connections
		config := ca.Config(t, "127.0.0.1")
		config.NextProtos = []string{proto}
		url := "https://" + nettest.ServeTLS(t, waiting(n, &got), config)
		s := network(t, func(o *send.Options) { o.Roots, o.Concurrency = ca.Pool, n })
		var wg sync.WaitGroup
		for range n {
			wg.Go(func() {
				if a := attempt(t, s, url, ""); a.Status != 200 {
					t.Errorf("%s: %+v, want 200", proto, a)
				}
			})
		}
		wg.Wait()
		if len(got.tenants) != most {
			t.Errorf("%s: a burst of %d opened %d connections, want %d", proto, n, len(got.tenants), most)
		}
	}
}

// With DisableHTTP2 an endpoint that prefers it gets HTTP/1.1.
func TestDisableHTTP2(t *testing.T) {
	ca := nettest.NewAuthority(t)
	for _, disabled := range []bool{true, false} {
		var got connections
		url := "https://" + nettest.ServeTLS(t, &got, ca.Config(t, "127.0.0.1"))
		s := network(t, func(o *send.Options) { o.Roots, o.DisableHTTP2 = ca.Pool, disabled })
		attempt(t, s, url, "")
		attempt(t, s, url, "")
		want := []string{"HTTP/2.0", "HTTP/2.0"}
		if disabled {
			want = []string{"HTTP/1.1", "HTTP/1.1"}
		}
		if !slices.Equal(got.protos, want) || len(got.tenants) != 1 {
			t.Errorf("disabled: %v: %v over %d connections, want %v over one", disabled, got.protos,
				len(got.tenants), want)
		}
	}
}
