package realservers_test

import (
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/outhook/outhook/internal/realservers"
)

// hostileEnv has the test binary serve the hostile endpoints.
const hostileEnv = "OUTHOOK_TEST_HOSTILE"

func TestMain(m *testing.M) {
	if os.Getenv(hostileEnv) != "" {
		if err := realservers.ServeHostile(os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// An attempt at an HTTP/2 endpoint is two requests at most, however the endpoint behaves.
func TestHostile(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), hostileEnv+"=1")
	const attempts = 5 // fewer than open the breaker
	noCPU := func() time.Duration { return 0 }
	harms, err := realservers.MeasureHostile(t.Context(), cmd, attempts, time.Millisecond, noCPU)
	if err != nil {
		t.Fatal(err)
	}
	if len(harms) != len(realservers.Hostile) {
		t.Errorf("%d endpoints were measured, want %d", len(harms), len(realservers.Hostile))
	}
	for kind, h := range harms {
		// An endpoint that floods its connection does not read every request.
		if h.Requests == 0 || h.Requests > 2*attempts {
			t.Errorf("%s: %d requests for %d attempts, want two for each at most", kind, h.Requests,
				attempts)
		}
	}
}

// No attempt at a real server fails because of what it does to kept connections, and no answer is
// lost. A net/http client that may replay does the same beside it.
func TestServers(t *testing.T) {
	requests := 300
	switch {
	case os.Getenv("OUTHOOK_LONG") != "":
		requests = 5000
	case testing.Short():
		requests = 60
	}
	for _, s := range realservers.Servers() {
		t.Run(s.Name, func(t *testing.T) {
			if _, ok := s.Find(); !ok {
				if os.Getenv("OUTHOOK_CI") != "" {
					t.Fatalf("%s is not installed", s.Name)
				}
				t.Skipf("%s is not installed", s.Name)
			}
			r, err := realservers.Measure(t.Context(), s, requests)
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("outhook: %v", &r.Outhook)
			t.Logf("net/http: %v", &r.NetHTTP)
			if most := s.Allowed(r.Outhook.Attempts); r.Outhook.Failures() > most {
				t.Errorf("outhook: %v; want %d at most", &r.Outhook, most)
			}
			if r.Outhook.Attempts == 0 || r.NetHTTP.Attempts == 0 {
				t.Errorf("%d and %d attempts, want some", r.Outhook.Attempts, r.NetHTTP.Attempts)
			}
		})
	}
}
