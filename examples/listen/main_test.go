package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/httpapi"
	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store/boltstore"
)

// asHost, in the environment, has the test's program be the host: it is a process of its own, as it
// is for a developer. Its value is the path of the store.
const asHost = "OUTHOOK_LISTEN_TEST_HOST"

func TestMain(m *testing.M) {
	if path := os.Getenv(asHost); path != "" {
		if err := serveHost(path); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// serveHost is a host that publishes an event for each POST of /publish, of the type in its query.
// It prints its address, and ends with its standard input.
func serveHost(path string) error {
	s, err := boltstore.Open(path, nil)
	if err != nil {
		return err
	}
	defer s.Close()
	d, err := dispatcher.New(s, &dispatcher.Options{AllowPull: true})
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	if err := httpapi.Mount(mux, d, httpapi.NoAuth, nil); err != nil {
		return err
	}
	mux.HandleFunc("POST /publish", func(w http.ResponseWriter, r *http.Request) {
		e, err := events.New(r.URL.Query().Get("type"), r.URL.Query())
		if err == nil {
			err = d.Publish(r.Context(), e)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	})
	ctx, stop := context.WithCancel(context.Background())
	go func() {
		io.Copy(io.Discard, os.Stdin)
		stop()
	}()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	go http.Serve(l, mux)
	fmt.Println(l.Addr())
	return d.Run(ctx)
}

// startHost starts a host as a process, and returns its URL and how to end it.
func startHost(t *testing.T, path string) (url string, end func()) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), asHost+"="+path)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := false
	end = func() {
		if ended {
			return
		}
		ended = true
		in.Close()
		if err := cmd.Wait(); err != nil {
			t.Errorf("the host: %v", err)
		}
	}
	t.Cleanup(end)
	addr, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal("the host did not start:", err)
	}
	return "http://" + strings.TrimSpace(addr), end
}

func publish(t *testing.T, url, eventType string) {
	t.Helper()
	res, err := http.Post(url+"/publish?type="+eventType, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusOK {
		t.Fatalf("publishing %s was answered %s", eventType, res.Status)
	}
}

// TestListen has a host in a process of its own publish events, and a server on this machine get
// them: signed, in order, also what it answers with an error, what came while it was not there, and
// what came while nobody listened.
func TestListen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "host.db")
	url, end := startHost(t, path)
	key := signing.NewSecret()
	h := &host{base: url}
	id, err := h.subscribe(t.Context(), key, "order.created,order.shipped")
	if err != nil {
		t.Fatal(err)
	}
	publish(t, url, "order.created") // before anybody listens
	publish(t, url, "order.other")   // which it does not want

	got := make(chan string, 10)
	verifier := signing.Verifier{Keys: []signing.Secret{key}}
	take := func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got <- string(body)
		if strings.Contains(string(body), "order.shipped") {
			w.WriteHeader(http.StatusTeapot)
		}
	}
	server := httptest.NewServer(verifier.Handler(http.HandlerFunc(take)))
	defer server.Close()
	start := func(url string) (stop func()) {
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- run(ctx, []string{"-host", url, "-id", id, "-to", server.URL}) }()
		return func() {
			cancel()
			if err := <-done; err != nil {
				t.Errorf("listen: %v", err)
			}
		}
	}
	next := func(want string) {
		t.Helper()
		select {
		case body := <-got:
			if !strings.Contains(body, `"type":"`+want+`"`) {
				t.Errorf("got %s, want an %s", body, want)
			}
		case <-time.After(time.Minute):
			t.Fatalf("no %s within a minute", want)
		}
	}
	stop := start(url)
	next("order.created")
	publish(t, url, "order.shipped") // it is answered with an error, and not sent again
	next("order.shipped")
	publish(t, url, "order.created")
	next("order.created")
	stop()

	publish(t, url, "order.shipped")
	end()
	url, _ = startHost(t, path) // another process, with the same store
	stop = start(url)
	// The answer of before the stop was perhaps not acknowledged: then it comes again.
	select {
	case body := <-got:
		if strings.Contains(body, "order.created") {
			next("order.shipped")
		}
	case <-time.After(time.Minute):
		t.Fatal("nothing came after the restart")
	}
	stop()
	if err := run(t.Context(), []string{"-host", url, "-id", id[:35]}); err == nil ||
		!strings.Contains(err.Error(), "400") {
		t.Errorf("with an ID that is none: got error %v, want the host's 400", err)
	}
}
