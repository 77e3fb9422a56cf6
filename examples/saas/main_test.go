package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store/boltstore"
)

// patience is for a machine with much else to do.
const patience = 2 * time.Minute

// program is the example, running in a process of its own.
type program struct {
	t             *testing.T
	cmd           *exec.Cmd
	out           *bufio.Reader
	site, metrics string
	passwords     map[string]string // by name, of the first start
	keys          map[string]string // by tenant, of the first start
}

// envProgram has the binary of the tests be the program itself.
const envProgram = "SAAS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(envProgram) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

var (
	loginLine = regexp.MustCompile(
		`^log in as (\w+) with (\w+)(?:, or send (\w+) .* customer (\w+))?\n$`)
	serving = regexp.MustCompile(`^serving (\S+), and (\S+)\n$`)
)

// start starts the program, and returns when it has said where it is.
func start(t *testing.T, data string) *program {
	t.Helper()
	p := &program{t: t, passwords: map[string]string{}, keys: map[string]string{}}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p.cmd = exec.CommandContext(t.Context(), self, "-dev", "-addr", "127.0.0.1:0",
		"-internal", "127.0.0.1:0", "-data", data)
	p.cmd.Env = append(os.Environ(), envProgram+"=1")
	p.cmd.Stderr = os.Stderr
	pipe, err := p.cmd.StdoutPipe()
	if err == nil {
		err = p.cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.cmd.Process.Kill() }) // it has ended unless the test has failed
	p.out = bufio.NewReader(pipe)
	for p.site == "" {
		line, err := p.out.ReadString('\n')
		if err != nil {
			t.Fatalf("%v after %q", err, line)
		}
		if m := loginLine.FindStringSubmatch(line); m != nil {
			p.passwords[m[1]], p.keys[m[4]] = m[2], m[3]
		} else if m := serving.FindStringSubmatch(line); m != nil {
			p.site, p.metrics = m[1], m[2]
		} else {
			t.Fatalf("it prints %q", line)
		}
	}
	return p
}

// stop sends SIGTERM, as a service manager does, calls then, and waits for a clean end.
func (p *program) stop(then func()) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Fatal(err)
	}
	then()
	rest, err := io.ReadAll(p.out)
	if err != nil || string(rest) != "stopped\n" {
		p.t.Errorf("got %q, %v, want that it has stopped", rest, err)
	}
	if err := p.cmd.Wait(); err != nil {
		p.t.Errorf("after SIGTERM: got %v, want a clean end", err)
	}
}

// awaitRefusal waits until the program takes no more connections: it has begun to stop. It tries
// some times more, so that what cuts deliveries off has the time to.
func (p *program) awaitRefusal() {
	p.t.Helper()
	address := strings.TrimPrefix(p.site, "http://")
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	deadline := time.Now().Add(patience)
	for refused := 0; refused < 10; <-tick.C {
		c, err := net.Dial("tcp", address)
		if err != nil {
			refused++
			continue
		}
		c.Close()
		if time.Now().After(deadline) {
			p.t.Fatal("it goes on after SIGTERM")
		}
	}
}

// call calls the API with a key.
func (p *program) call(key, path string, body, answer any) {
	p.t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		p.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(p.t.Context(), http.MethodPost, p.site+path,
		bytes.NewReader(text))
	if err != nil {
		p.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+key)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		p.t.Fatal(err)
	}
	defer res.Body.Close()
	got, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK || json.Unmarshal(got, answer) != nil {
		p.t.Fatalf("%s: got %d %s, %v", path, res.StatusCode, got, err)
	}
}

// order places an order by the API, and returns its ID.
func (p *program) order(key, item string) string {
	p.t.Helper()
	var o order
	p.call(key, "/api/orders", map[string]string{"item": item}, &o)
	return o.ID
}

// fetch returns a page, of which redirects are followed.
func fetch(t *testing.T, c *http.Client, url string) (at, page string) {
	t.Helper()
	res, err := c.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.Request.URL.Path, string(text)
}

// login returns a browser of somebody who has logged in.
func (p *program) login(name string) *http.Client {
	p.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		p.t.Fatal(err)
	}
	c := &http.Client{Jar: jar, Timeout: patience}
	res, err := c.PostForm(p.site+"/login",
		url.Values{"name": {name}, "password": {p.passwords[name]}})
	if err != nil {
		p.t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK || res.Request.URL.Path != "/" {
		p.t.Fatalf("login of %s: got %d at %s", name, res.StatusCode, res.Request.URL)
	}
	return c
}

// customer is the server of a customer. It verifies, hands on which order has arrived, and answers
// when it may.
type customer struct {
	key     chan signing.Secret // one, when it is known
	arrived chan string
	answer  chan int
}

func (c *customer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	key := <-c.key
	c.key <- key
	signing.Verifier{Keys: []signing.Secret{key}}.Handler(http.HandlerFunc(
		func(w http.ResponseWriter, r *http.Request) {
			var e struct{ Payload order }
			if err := json.NewDecoder(r.Body).Decode(&e); err != nil {
				http.Error(w, err.Error(), http.StatusBadRequest)
				return
			}
			c.arrived <- e.Payload.ID
			select {
			case status := <-c.answer:
				w.WriteHeader(status)
			case <-r.Context().Done(): // nobody waits for it any more
			}
		})).ServeHTTP(w, r)
}

// next waits for an order to arrive, and answers.
func (c *customer) next(t *testing.T, want string) {
	t.Helper()
	select {
	case got := <-c.arrived:
		if got != want {
			t.Errorf("order %s has arrived, want %s", got, want)
		}
	case <-time.After(patience):
		t.Fatalf("order %s has not arrived", want)
	}
}

// The program runs with its file, its ports and its signals, from the first start to the second.
func TestProgram(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	p := start(t, data)
	acme := p.keys["acme"]
	if acme == "" || p.passwords["ada"] == "" {
		t.Fatalf("it printed the passwords %v and the keys %v", p.passwords, p.keys)
	}
	theirs := &customer{make(chan signing.Secret, 1), make(chan string, 100), make(chan int, 100)}
	server := httptest.NewServer(theirs)
	defer server.Close()

	// A customer subscribes by the API, and gets an order, signed.
	var webhook struct {
		Key string `json:"generated_signature_key"`
	}
	p.call(acme, "/api/webhooks.subscribe", map[string]any{"url": server.URL, "name": "CRM",
		"events": []string{"order.*"}}, &webhook)
	theirs.key <- signing.Secret(webhook.Key)
	theirs.answer <- 200
	theirs.next(t, p.order(acme, "tea"))

	// Everybody sees on the console what is theirs, and strangers are sent to the login.
	for name, sees := range map[string]bool{"ada": true, "grace": true, "linus": false} {
		_, page := fetch(t, p.login(name), p.site+"/webhooks/list")
		if got := strings.Contains(page, "CRM"); got != sees {
			t.Errorf("%s sees the webhook: %v, want %v:\n%s", name, got, sees, page)
		}
	}
	if at, _ := fetch(t, http.DefaultClient, p.site+"/webhooks/list"); at != "/login" {
		t.Errorf("a stranger gets %s, want the login", at)
	}

	// The machines that watch it see what it does, which strangers don't.
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for range tick.C {
		_, text := fetch(t, http.DefaultClient, p.metrics)
		if strings.Contains(text, `outhook_delivery_state="delivered"`) {
			break
		}
		if t.Context().Err() != nil {
			t.Fatal("no delivery was measured")
		}
	}
	healthz := strings.Replace(p.metrics, "metrics", "healthz", 1)
	if _, text := fetch(t, http.DefaultClient, healthz); text != "ok\n" {
		t.Errorf("healthz: got %q, want ok", text)
	}
	if _, text := fetch(t, http.DefaultClient, p.site+"/metrics"); strings.Contains(text, "outhook_") {
		t.Error("strangers get the metrics")
	}

	// A stop lets the delivery that is under way finish.
	theirs.next(t, p.order(acme, "coffee"))
	p.stop(func() {
		p.awaitRefusal()
		theirs.answer <- 200
	})
	deliveries, orders := stored(t, data)
	if deliveries != 0 || orders != 2 {
		t.Errorf("after the stop: %d pending deliveries and %d orders, want 0 and 2", deliveries, orders)
	}

	// After the next start everything is there, but for sessions.
	p = start(t, data)
	if len(p.passwords) != 0 {
		t.Error("the second start makes accounts again")
	}
	theirs.answer <- 200
	theirs.next(t, p.order(acme, "cocoa"))
	p.stop(func() {})
}

// stored looks into the file of a program that has stopped.
func stored(t *testing.T, data string) (pending, orders int) {
	t.Helper()
	db, err := bolt.Open(filepath.Join(data, "saas.db"), 0o600, &bolt.Options{Timeout: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	s, err := boltstore.New(db, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	stats, err := s.Stats(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	err = db.View(func(tx *bolt.Tx) error {
		orders = tx.Bucket(bucketOrders).Stats().KeyN
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return stats.Pending, orders
}

// Where an address is taken, the program says so and makes no file.
func TestBusyAddress(t *testing.T) {
	taken := httptest.NewServer(http.NotFoundHandler())
	defer taken.Close()
	data := filepath.Join(t.TempDir(), "data")
	err := run(t.Context(), io.Discard, settings{addr: taken.Listener.Addr().String(), data: data})
	if err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("got %v, want that the address is in use", err)
	}
	if _, err := os.Stat(data); !os.IsNotExist(err) {
		t.Error(fmt.Sprint("the folder is there: ", err))
	}
}
