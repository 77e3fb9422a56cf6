package interop_test

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/internal/npmtest"
	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/memstore"
)

const (
	whsec  = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
	plain  = "secret-key-for-hmac-header"
	umlaut = "ein-schlüssel-mit-🔑"
	pair   = "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg=="
	base64 = "c2VjcmV0LWtleS1mb3ItaG1hYy1oZWFkZXI=" // a plain key that happens to be base64
)

// use is how a receiver uses a key.
type use struct {
	name     string
	stored   signing.Secret // the webhook's
	Key      string         `json:"key"` // what the library gets
	Raw      bool           `json:"raw"` // the library gets it as raw bytes
	inGo     bool           // the Go library verifies what the webhook gets
	inNode   bool
	rotateTo signing.Secret // the webhook's new key, while the old one still signs
	beside   signing.Secret // a key that signs before it
}

func standard(key signing.Secret) string { return string(key.Standard()) }

// uses are the rows of the table in docs/signatures.md, and more.
var uses = []use{
	{name: "whsec_", stored: whsec, Key: whsec, inGo: true, inNode: true},
	{name: "whsec_ without its prefix", stored: whsec, Key: strings.TrimPrefix(whsec, "whsec_"),
		inGo: true, inNode: true},
	{name: "plain", stored: plain, Key: plain},
	{name: "plain, raw", stored: plain, Key: plain, Raw: true, inGo: true, inNode: true},
	{name: "plain, converted", stored: plain, Key: standard(plain), inGo: true, inNode: true},
	{name: "plain with umlauts, raw", stored: umlaut, Key: umlaut, Raw: true, inGo: true},
	{name: "plain with umlauts, converted", stored: umlaut, Key: standard(umlaut), inGo: true,
		inNode: true},
	{name: "base64", stored: base64, Key: base64},
	{name: "base64, raw", stored: base64, Key: base64, Raw: true, inGo: true, inNode: true},
	{name: "base64, converted", stored: base64, Key: standard(base64), inGo: true, inNode: true},
	{name: "512 bytes, converted", stored: signing.Secret(strings.Repeat("k", 512)),
		Key: standard(signing.Secret(strings.Repeat("k", 512))), inGo: true, inNode: true},
	{name: "another key", stored: whsec, Key: standard("another key, made up here")},
	{name: "the old key of a rotation", stored: whsec, Key: whsec, rotateTo: plain, inGo: true,
		inNode: true},
	{name: "HMAC beside Ed25519", stored: whsec, beside: pair, Key: whsec, inGo: true, inNode: true},
	{name: "HMAC on the way to Ed25519", stored: whsec, rotateTo: pair, Key: whsec, inGo: true,
		inNode: true},
	{name: "Ed25519 on the way to HMAC", stored: pair, rotateTo: whsec, Key: whsec, inGo: true,
		inNode: true},
	// what docs/signatures.md says of the libraries that are released: they have no v1a
	{name: "Ed25519 alone", stored: pair, Key: string(signing.Secret(pair).Public())},
	{name: "the new key of a rotation", stored: plain, Key: whsec, rotateTo: whsec, inGo: true,
		inNode: true},
}

// deliver has a receiver at url/0, url/1 and so on get a delivery for each of the uses, and checks
// which it verifies.
func deliver(t *testing.T, url string, verifies func(use) bool) {
	t.Helper()
	for _, signatures := range []dispatcher.Signatures{dispatcher.SignaturesBoth,
		dispatcher.SignaturesStandard} {
		d, err := dispatcher.New(memstore.New(), &dispatcher.Options{
			Signatures:    signatures,
			AllowPrefixes: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
		})
		if err != nil {
			t.Fatal(err)
		}
		for i, u := range uses {
			keys := []signing.Secret{u.stored}
			if u.beside != "" {
				keys = []signing.Secret{u.beside, u.stored}
			}
			sub, err := d.Subscribe(t.Context(), store.Subscription{
				URL: url + "/" + strconv.Itoa(i), Secrets: keys,
			})
			if err == nil && u.rotateTo != "" {
				_, err = d.RotateSecret(t.Context(), sub.ID, u.rotateTo, time.Hour)
			}
			if err != nil {
				t.Fatal(err)
			}
			got, err := d.Ping(t.Context(), sub.ID) // by the path of every delivery
			if err != nil {
				t.Fatal(err)
			}
			if ok := got.Status == http.StatusOK; ok != verifies(u) || got.Status == 0 {
				t.Errorf("%s: answered %d %s%s, want it verified: %t", u.name, got.Status, got.Response,
					got.Error, verifies(u))
			}
		}
	}
}

func TestGoLibrary(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		i, err := strconv.Atoi(r.URL.Path[1:])
		if err != nil {
			http.Error(w, err.Error(), http.StatusNotFound)
			return
		}
		var wh *standardwebhooks.Webhook
		if u := uses[i]; u.Raw {
			wh, err = standardwebhooks.NewWebhookRaw([]byte(u.Key))
		} else {
			wh, err = standardwebhooks.NewWebhook(u.Key)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		body, err := io.ReadAll(r.Body)
		if err == nil {
			err = wh.Verify(body, r.Header)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusUnauthorized)
		}
	}))
	defer server.Close()
	deliver(t, server.URL, func(u use) bool { return u.inGo })
}

func TestNodeLibrary(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("node")); err != nil {
		t.Fatal(err)
	}
	node := npmtest.Install(t, dir, "install", "--no-package-lock")
	list, err := json.Marshal(uses)
	if err != nil {
		t.Fatal(err)
	}
	deliver(t, start(t, dir, node, "receiver.js", string(list)),
		func(u use) bool { return u.inNode })
}

// start runs a receiver, a program in a folder, until the test ends, and returns its URL.
func start(t *testing.T, dir, program string, args ...string) (url string) {
	t.Helper()
	receiver := exec.Command(program, args...) // whose end is that of its standard input
	receiver.Dir, receiver.Stderr = dir, os.Stderr
	in, err := receiver.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := receiver.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := receiver.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		if err := receiver.Wait(); err != nil {
			t.Errorf("the receiver: %v", err)
		}
	})
	port, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return "http://127.0.0.1:" + strings.TrimSpace(port)
}
