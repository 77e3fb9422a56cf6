package main

import (
	"bufio"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore"
)

// program is the example, built and started.
type program struct {
	t         *testing.T
	cmd       *exec.Cmd
	out       *bufio.Reader
	url, file string
	passwords map[string]string
}

var credentials = regexp.MustCompile(`^  (\w+) +(\w+)   `)

func start(t *testing.T) *program {
	t.Helper()
	dir := t.TempDir()
	binary := filepath.Join(dir, "console")
	if out, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	p := &program{t: t, file: filepath.Join(dir, "outhook.db"), passwords: make(map[string]string)}
	p.cmd = exec.CommandContext(t.Context(), binary, "-file", p.file)
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
	p.url, _ = strings.CutPrefix(strings.TrimSuffix(p.line(), " as"), "Log in at ")
	for len(p.passwords) < 3 {
		m := credentials.FindStringSubmatch(p.line())
		if m == nil {
			t.Fatalf("a line has no name and password")
		}
		p.passwords[m[1]] = m[2]
	}
	return p
}

func (p *program) line() string {
	p.t.Helper()
	line, err := p.out.ReadString('\n')
	if err != nil {
		p.t.Fatalf("%v after %q", err, line)
	}
	return strings.TrimSuffix(line, "\n")
}

// stop sends SIGTERM, as a service manager does, and waits for a clean end.
func (p *program) stop() {
	p.t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Fatal(err)
	}
	rest, err := io.ReadAll(p.out)
	if err != nil || string(rest) != "stopping\n" {
		p.t.Errorf("got %q, %v, want that it says that it stops", rest, err)
	}
	if err := p.cmd.Wait(); err != nil {
		p.t.Errorf("after SIGTERM: got %v, want a clean end", err)
	}
}

// local is a jar that takes this machine's addresses for safe, as browsers do: it keeps and sends
// Secure cookies.
type local struct{ *cookiejar.Jar }

func (l local) SetCookies(u *url.URL, cookies []*http.Cookie) {
	l.Jar.SetCookies(secure(u), cookies)
}

func (l local) Cookies(u *url.URL) []*http.Cookie { return l.Jar.Cookies(secure(u)) }

func secure(u *url.URL) *url.URL {
	as := *u
	as.Scheme = "https"
	return &as
}

// person is a browser.
type person struct {
	t      *testing.T
	client *http.Client
	url    string
}

func (p *program) person() *person {
	p.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		p.t.Fatal(err)
	}
	return &person{p.t, &http.Client{Jar: local{jar}, Timeout: time.Minute}, p.url}
}

// do sends a GET, or a POST of a form, follows redirects, and returns where it came to and what it
// got there.
func (b *person) do(path string, form url.Values) (status int, at, body string) {
	b.t.Helper()
	var response *http.Response
	var err error
	if form == nil {
		response, err = b.client.Get(b.url + strings.TrimPrefix(path, "/"))
	} else {
		response, err = b.client.PostForm(b.url+strings.TrimPrefix(path, "/"), form)
	}
	if err != nil {
		b.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return response.StatusCode, response.Request.URL.Path, string(text)
}

func (b *person) login(name, password string) int {
	b.t.Helper()
	status, _, _ := b.do("/login", url.Values{"name": {name}, "password": {password}})
	return status
}

// eventually waits until a page has a text, and returns it.
func (b *person) eventually(path, text string) string {
	b.t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	timeout := time.After(time.Minute)
	for {
		_, _, body := b.do(path, nil)
		if strings.Contains(body, text) {
			return body
		}
		select {
		case <-tick.C:
		case <-timeout:
			b.t.Fatalf("%s: waited a minute for %q:\n%s", path, text, body)
		}
	}
}

var webhookID = regexp.MustCompile(`webhook\?id=([0-9a-f-]{36})`)

// Each logs in and sees what is theirs, nobody sees anything without, and the host stops cleanly.
func TestConsole(t *testing.T) {
	p := start(t)

	nobody := p.person()
	for _, path := range []string{"/", "/admin/webhooks/", "/webhooks/list", "/partner/"} {
		if status, at, body := nobody.do(path, nil); status != 200 || at != "/login" {
			t.Errorf("%s without a login: got %d at %s, want the login:\n%s", path, status, at, body)
		}
	}
	if status, _, _ := nobody.do("/portal/webhooks/", nil); status != http.StatusForbidden {
		t.Errorf("the portal without a link: got %d, want 403", status)
	}
	for _, wrong := range [][2]string{{"ada", p.passwords["grace"]}, {"nobody", ""}, {"ada", ""}} {
		if status := nobody.login(wrong[0], wrong[1]); status != http.StatusUnauthorized {
			t.Errorf("%q: got %d, want 401", wrong, status)
		}
	}

	ada := p.person()
	if status := ada.login("ada", p.passwords["ada"]); status != 200 {
		t.Fatalf("ada: got %d, want 200", status)
	}
	list := ada.eventually("/admin/webhooks/list", "globex CRM")
	if !strings.Contains(list, "acme CRM") || !strings.Contains(list, "You are ada") {
		t.Errorf("got %s, want the webhooks of all customers", list)
	}
	ada.eventually("/admin/webhooks/deliveries", "delivered")
	ada.eventually("/admin/webhooks/list?status=off", "disabled") // by its 410

	grace := p.person()
	grace.login("grace", p.passwords["grace"])
	list = grace.eventually("/webhooks/list", "acme CRM")
	if strings.Contains(list, "globex") {
		t.Errorf("got %s, want acme's webhooks alone", list)
	}
	for _, path := range []string{"/admin/webhooks/", "/admin/webhooks/list"} {
		if status, _, _ := grace.do(path, nil); status != http.StatusForbidden {
			t.Errorf("%s as grace: got %d, want 403", path, status)
		}
	}
	id := webhookID.FindStringSubmatch(list)[1]
	if status, at, body := grace.do("/webhooks/test", url.Values{"id": {id}}); status != 200 ||
		at != "/webhooks/webhook" || !strings.Contains(body, "Test succeeded: 200") {
		t.Errorf("a test: got %d at %s, want its result:\n%s", status, at, body)
	}
	if status, _, _ := grace.do("/webhooks/erase", url.Values{"id": {id}}); status != 403 {
		t.Errorf("erase as a customer: got %d, want 403", status)
	}

	linus := p.person()
	linus.login("linus", p.passwords["linus"])
	status, at, list := linus.do("/partner/", nil)
	if status != 200 || at != "/portal/webhooks/" || !strings.Contains(list, "globex CRM") ||
		strings.Contains(list, "acme") {
		t.Errorf("by a link: got %d at %s, want globex's webhooks alone:\n%s", status, at, list)
	}
	if status, _, _ := linus.do("/portal/webhooks/webhook?id="+id, nil); status != 404 {
		t.Errorf("acme's webhook as linus: got %d, want 404", status)
	}
	if status, _, _ := linus.do("/portal/webhooks/erase", url.Values{"id": {id}}); status != 403 {
		t.Errorf("erase by a link that allows it: got %d, want the host's 403", status)
	}
	ada.do("/logout", url.Values{})
	if _, at, _ := ada.do("/admin/webhooks/list", nil); at != "/login" {
		t.Errorf("after a logout: got to %s, want the login", at)
	}

	p.stop()
	s, err := boltstore.Open(p.file, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	stats, err := s.Stats(t.Context(), "")
	if err != nil || stats.InFlight != 0 || stats.Subscriptions != 6 {
		t.Errorf("got %+v, %v, want what the host has stored, and nothing under way", stats, err)
	}
	if page, err := s.Deliveries(t.Context(), store.DeliveryQuery{Tenant: "acme",
		States: []store.State{store.Delivered}}); err != nil || len(page.Items) == 0 {
		t.Errorf("got %v, %v, want deliveries", page.Items, err)
	}
}
