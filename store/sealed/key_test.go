package sealed_test

import (
	"bytes"
	"encoding/base64"
	"encoding/gob"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/memstore"
	"github.com/outhook/outhook/store/sealed"
)

func TestNewRefuses(t *testing.T) {
	good := newKey("k")
	for _, tt := range []struct {
		name  string
		inner store.Store
		keys  []sealed.Key
		want  string
	}{
		{"no store", nil, []sealed.Key{good}, "sealed: the inner store is nil"},
		{"no key", memstore.New(), nil, "sealed: at least one key is needed"},
		{"zero secret", memstore.New(), []sealed.Key{{ID: "k"}},
			"sealed: key 1 has no Secret; make one with NewSecret"},
		{"one ID twice", memstore.New(), []sealed.Key{good, newKey("k")},
			`sealed: two keys have the ID "k"`},
		{"no ID", memstore.New(), []sealed.Key{good, newKey("")}, "sealed: key 2 must have an ID"},
		{"ID with a colon", memstore.New(), []sealed.Key{newKey("a:b")}, "sealed: key 1 must have an ID"},
		{"long ID", memstore.New(), []sealed.Key{newKey(strings.Repeat("x", 33))},
			"sealed: key 1 must have an ID"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := sealed.New(tt.inner, tt.keys...); err == nil ||
				!strings.HasPrefix(err.Error(), tt.want) {
				t.Errorf("New: got error %v, want %q", err, tt.want)
			}
		})
	}
}

func TestParseSecret(t *testing.T) {
	want := sealed.NewSecret()
	for _, enc := range []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding,
		base64.URLEncoding, base64.RawURLEncoding} {
		got, err := sealed.ParseSecret(" " + enc.EncodeToString(want[:]) + "\n")
		if err != nil || got != want {
			t.Errorf("ParseSecret: got error %v, or another secret", err)
		}
	}
	for _, text := range []string{"", "hunter2", strings.Repeat("0", 64),
		base64.StdEncoding.EncodeToString(want[:31])} {
		_, err := sealed.ParseSecret(text)
		if err == nil || text != "" && strings.Contains(err.Error(), text) {
			t.Errorf("ParseSecret(%q): got error %v, want one that does not say the text", text, err)
		}
	}
}

// TestSecretsAreRedacted prints keys and stores in every way that a host may.
func TestSecretsAreRedacted(t *testing.T) {
	key := newKey("k")
	s := seal(t, memstore.New(), key)
	create(t, s, 1)
	publish(t, s, 1)
	claim(t, s, 1)
	var out bytes.Buffer
	logged := []any{"key", key, "secret", key.Secret, "store", s}
	slog.New(slog.NewTextHandler(&out, nil)).Info("text", logged...)
	slog.New(slog.NewJSONHandler(&out, nil)).Info("json", logged...)
	for _, v := range []any{key, &key, key.Secret, []sealed.Key{key}} {
		if err := gob.NewEncoder(&out).Encode(v); err != nil {
			t.Errorf("gob of a %T: %v", v, err)
		}
		text, err := xml.Marshal(v)
		if err != nil {
			t.Errorf("XML of a %T: %v", v, err)
		}
		out.Write(text)
	}
	for _, v := range []any{key, &key, key.Secret, []sealed.Key{key}, s,
		struct{ S *sealed.Store }{s}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			fmt.Fprintf(&out, verb, v)
		}
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		out.Write(text)
	}
	if got := strings.Count(out.String(), "[redacted]"); got < 28 {
		t.Errorf("[redacted] is there %d times, want more than 28", got)
	}
	for name, canary := range map[string]string{
		"the bytes":      string(key.Secret[:4]),
		"their hex":      hex.EncodeToString(key.Secret[:4]),
		"their decimals": strings.Trim(fmt.Sprint([]byte(key.Secret[:4])), "[]"),
		"in JSON": strings.ReplaceAll(strings.Trim(fmt.Sprint([]byte(key.Secret[:4])), "[]"), " ",
			","),
		"in Go":          strings.Trim(fmt.Sprintf("%#v", []byte(key.Secret[:4])), "[]byte{}"),
		"a plain secret": string(secret),
		"a plain header": headerValue,
	} {
		if strings.Contains(strings.ToLower(out.String()), strings.ToLower(canary)) {
			t.Errorf("%s: %q is in what was printed", name, canary)
		}
	}
}
