package interop_test

import (
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/internal/npmtest"
	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/memstore"
)

// The pairs of these tests; the second is written as its seed alone.
const (
	other    = "whsk_VEVTVFNJR05JTkdLRVlET05PVFVTRVRISVNGT1JBTlk="
	stranger = "whsk_V0VCSE9PS0FTWU1NRVRSSUNURVNUUFJJVkFURUtFWTE="
)

// publicKeys are what the receivers have, by their paths.
var publicKeys = []signing.Secret{pair, other}

// deliverEd25519 has a receiver at url/0 and url/1 get deliveries that are signed in each way, and
// checks which it verifies: those of which one signature is by the key of its path.
func deliverEd25519(t *testing.T, url string) {
	t.Helper()
	d, err := dispatcher.New(memstore.New(), &dispatcher.Options{AllowLoopback: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name     string
		keys     []signing.Secret
		rotateTo signing.Secret
		verifies [2]bool
	}{
		{"the first", []signing.Secret{pair}, "", [2]bool{true, false}},
		{"the second", []signing.Secret{other}, "", [2]bool{false, true}},
		{"both", []signing.Secret{pair, other}, "", [2]bool{true, true}},
		{"beside HMAC", []signing.Secret{whsec, pair}, "", [2]bool{true, false}},
		{"before HMAC", []signing.Secret{pair, plain}, "", [2]bool{true, false}},
		{"a rotation of pairs", []signing.Secret{pair}, other, [2]bool{true, true}},
		{"a rotation from HMAC", []signing.Secret{whsec}, other, [2]bool{false, true}},
		{"a rotation to HMAC", []signing.Secret{pair}, whsec, [2]bool{true, false}},
		{"a stranger", []signing.Secret{stranger}, "", [2]bool{false, false}},
		{"HMAC alone", []signing.Secret{whsec}, "", [2]bool{false, false}},
	} {
		for i, want := range tt.verifies {
			sub, err := d.Subscribe(t.Context(), store.Subscription{
				URL: url + "/" + strconv.Itoa(i), Secrets: tt.keys,
			})
			if err == nil && tt.rotateTo != "" {
				_, err = d.RotateSecret(t.Context(), sub.ID, tt.rotateTo, time.Hour)
			}
			if err != nil {
				t.Fatal(err)
			}
			got, err := d.Ping(t.Context(), sub.ID) // by the path of every delivery
			if err != nil {
				t.Fatal(err)
			}
			if ok := got.Status == http.StatusOK; ok != want || !ok &&
				got.Status != http.StatusUnauthorized {
				t.Errorf("%s, with the key of /%d: answered %d %s%s, want it verified: %t", tt.name, i,
					got.Status, got.Response, got.Error, want)
			}
		}
	}
}

// arguments are the public keys as a receiver is given them.
func arguments() []string {
	var all []string
	for _, key := range publicKeys {
		all = append(all, string(key.Public()))
	}
	return all
}

func TestNodeEd25519(t *testing.T) {
	node := npmtest.Node(t)
	deliverEd25519(t, start(t, "node", node, append([]string{"ed25519.mjs"}, arguments()...)...))
}

func TestPythonEd25519(t *testing.T) {
	deliverEd25519(t, start(t, "python", python(t), append([]string{"ed25519.py"}, arguments()...)...))
}

// python returns a Python that has the library cryptography.
func python(t *testing.T) string {
	t.Helper()
	for _, program := range []string{"python3", "/usr/bin/python3"} {
		if exec.Command(program, "-c", "import cryptography").Run() == nil {
			return program
		}
	}
	if os.Getenv("OUTHOOK_CI") != "" {
		t.Fatal("Python's library cryptography is not installed, and OUTHOOK_CI is set")
	}
	t.Skip("Python's library cryptography is not installed")
	return ""
}
