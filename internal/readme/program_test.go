package readme_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience is how long a test waits for what must happen, on a machine with much else to do.
const patience = 2 * time.Minute

// program builds the README's program, which listens at address and may deliver to this machine:
// its own port may be taken, and the receiver is here. Everything else is as it is printed.
func program(t *testing.T, address string) string {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	readme, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(readme), "```go\n")
	source, _, closed := strings.Cut(rest, "```\n")
	if !found || !closed || !strings.HasPrefix(source, "package main\n") {
		t.Fatal("the first Go block of README.md is not a program")
	}
	for old, replacement := range map[string]string{
		`"127.0.0.1:8080"`: fmt.Sprintf("%q", address),
		// An hour for an attempt: on a slow machine one that waits for this test must not be
		// repeated.
		`&dispatcher.Options{}`: `&dispatcher.Options{AllowLoopback: true, Timeout: 3600e9}`,
	} {
		if strings.Count(source, old) != 1 {
			t.Fatalf("the program has not exactly one %s", old)
		}
		source = strings.Replace(source, old, replacement, 1)
	}
	dir := t.TempDir()
	mod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	sum, err := os.ReadFile(filepath.Join(root, "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	// The requirements of this module are those of a program that uses it, and nothing is looked
	// up.
	const path = "github.com/outhook/outhook"
	text := strings.Replace(string(mod), "module "+path+"\n", "module example.com/program\n", 1) +
		"\nrequire " + path + " v0.0.0\n\nreplace " + path + " => " + root + "\n"
	for name, content := range map[string]string{
		"main.go": source, "go.mod": text, "go.sum": string(sum),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	binary := filepath.Join(dir, "program")
	build := exec.CommandContext(t.Context(), "go", "build", "-mod=mod", "-o", binary, ".")
	build.Dir = dir
	build.Env = append(os.Environ(), "GOWORK=off")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("the program does not compile: %v\n%s", err, out)
	}
	return binary
}

// host is the program, running.
type host struct {
	t      *testing.T
	cmd    *exec.Cmd
	url    string
	output bytes.Buffer // once it has ended
}

// start runs the program in a folder, and returns when it answers.
func start(t *testing.T, binary, dir, address string) *host {
	t.Helper()
	h := &host{t: t, cmd: exec.CommandContext(t.Context(), binary), url: "http://" + address}
	h.cmd.Dir, h.cmd.Stdout, h.cmd.Stderr = dir, &h.output, &h.output
	if err := h.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(patience)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for ; ; <-tick.C {
		resp, err := http.Post(h.url+"/webhooks.list", "application/json", nil)
		if err == nil {
			resp.Body.Close()
			return h
		}
		if time.Now().After(deadline) {
			h.cmd.Process.Kill()
			h.cmd.Wait()
			t.Fatalf("the program does not answer: %v\n%s", err, &h.output)
		}
	}
}

func (h *host) post(path, body string) error {
	resp, err := http.Post(h.url+path, "application/json", strings.NewReader(body))
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", resp.Status, text)
	}
	return err
}

// stop sends a signal, calls then, and waits for a clean end.
func (h *host) stop(s os.Signal, then func()) {
	h.t.Helper()
	if err := h.cmd.Process.Signal(s); err != nil {
		h.t.Fatal(err)
	}
	then()
	if err := h.cmd.Wait(); err != nil {
		h.t.Errorf("the program ended after %v with %v\n%s", s, err, &h.output)
	}
}

// receiver is an endpoint that answers 200 when it may.
type receiver struct {
	mu      sync.Mutex
	got     map[string]int // requests by webhook-id
	arrived chan string    // a webhook-id for each request
	answer  chan struct{}  // closed: it may
}

func (r *receiver) ServeHTTP(_ http.ResponseWriter, req *http.Request) {
	io.Copy(io.Discard, req.Body)
	id := req.Header.Get("Webhook-Id")
	r.mu.Lock()
	r.got[id]++
	answer := r.answer
	r.mu.Unlock()
	r.arrived <- id
	<-answer
}

// next waits for a request.
func (r *receiver) next(t *testing.T, what string) {
	t.Helper()
	select {
	case <-r.arrived:
	case <-time.After(patience):
		t.Fatalf("nothing arrived: %s", what)
	}
}

// A stop lets running attempts finish, and no event is sent again by the next start, or lost.
func TestProgramStops(t *testing.T) {
	address := freeAddress(t)
	binary, dir := program(t, address), t.TempDir()
	for _, signal := range []os.Signal{syscall.SIGTERM, syscall.SIGINT} {
		const orders = 48
		r := &receiver{got: make(map[string]int), arrived: make(chan string, 10*orders),
			answer: make(chan struct{})}
		endpoint := httptest.NewServer(r)
		h := start(t, binary, dir, address)
		if err := h.post("/webhooks.subscribe", `{"id":"3e639566-29fa-450d-a59f-ae3c25d7260f",
			"url":"`+endpoint.URL+`"}`); err != nil {
			t.Fatal(err)
		}
		for range orders {
			if err := h.post("/orders", ""); err != nil {
				t.Fatal(err)
			}
		}
		r.next(t, "the first attempt")
		h.stop(signal, func() { close(r.answer) }) // attempts are under way when it is told
		first := 1
		for len(r.arrived) > 0 { // those of before the stop, which nobody sends any more
			<-r.arrived
			first++
		}
		h = start(t, binary, dir, address)
		for range orders - first {
			r.next(t, "what was left at the stop")
		}
		h.stop(signal, func() {})
		r.mu.Lock()
		twice := 0
		for _, n := range r.got {
			if n > 1 {
				twice++
			}
		}
		if len(r.got) != orders || twice != 0 {
			t.Errorf("%v: %d of %d events arrived, %d of them more than once", signal, len(r.got), orders,
				twice)
		}
		t.Logf("%v: %d of %d events were sent before the stop", signal, first, orders)
		r.mu.Unlock()
		endpoint.Close()
	}
}

// Where the port is busy, the program says so and ends with an error.
func TestProgramWithABusyPort(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	cmd := exec.CommandContext(t.Context(), program(t, l.Addr().String()))
	cmd.Dir = t.TempDir()
	done := make(chan struct{})
	var out []byte
	go func() {
		defer close(done)
		out, err = cmd.CombinedOutput()
	}()
	select {
	case <-done:
	case <-time.After(patience):
		t.Fatal("the program goes on")
	}
	exit := (*exec.ExitError)(nil)
	if !errors.As(err, &exit) || exit.ExitCode() != 1 || !bytes.Contains(out, []byte("in use")) {
		t.Errorf("got %v and %q, want status 1 and that the address is in use", err, out)
	}
}

// freeAddress returns an address that nobody listens at now.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
