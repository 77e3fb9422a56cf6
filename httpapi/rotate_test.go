package httpapi_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/outhook/outhook/httpapi/internal/apitest"
	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store/memstore"
)

func TestRotateBytes(t *testing.T) {
	const id, key = `"id":"` + id1 + `"`, `"signature_key":"key-2"`
	synctest.Test(t, func(t *testing.T) { // which starts at midnight of 2000-01-01
		for _, test := range []struct{ name, body, want string }{
			{"a day where nothing is said", `{` + id + `,` + key + `}`,
				`{` + id + `,` + key + `,"overlap_until":"2000-01-02T00:00:00.000Z"}`},
			{"an hour", `{` + id + `,` + key + `,"overlap_seconds":3600}`,
				`{` + id + `,` + key + `,"overlap_until":"2000-01-01T01:00:00.000Z"}`},
			{"thirty days", `{` + id + `,` + key + `,"overlap_seconds":2592000}`,
				`{` + id + `,` + key + `,"overlap_until":"2000-01-31T00:00:00.000Z"}`},
			{"at once", `{` + id + `,` + key + `,"overlap_seconds":0}`, `{` + id + `,` + key + `}`},
			{"null", `{` + id + `,` + key + `,"overlap_seconds":null}`,
				`{` + id + `,` + key + `,"overlap_until":"2000-01-02T00:00:00.000Z"}`},
			{"the other spelling", `{` + id + `,"signatureKey":"key-2","overlap_seconds":0}`,
				`{` + id + `,` + key + `}`},
		} {
			h := newDirect(t, config{})
			h.must("subscribe", example)
			if a := h.post("rotate", test.body); a.status != 200 || a.body != test.want {
				t.Errorf("%s: got %d %s\nwant 200 %s", test.name, a.status, a.body, test.want)
			}
		}
	})
}

// During the overlap both keys sign, the old one first; after it the new one alone.
func TestRotateKeys(t *testing.T) {
	h := newHost(t, config{})
	h.must("subscribe", example)
	h.post("rotate", `{"id":"`+id1+`","signature_key":"key-2","overlap_seconds":3600}`)
	sub := h.stored(id1)
	if got, want := sub.Keys(time.Now()),
		[]signing.Secret{"key-1", "key-2"}; !reflect.DeepEqual(got, want) {
		t.Errorf("in the overlap: got %d keys, want the old and the new", len(got))
	}
	if got, want := sub.Keys(time.Now().Add(time.Hour)),
		[]signing.Secret{"key-2"}; !reflect.DeepEqual(got, want) {
		t.Errorf("after it: got %d keys, want the new", len(got))
	}
	h.post("rotate", `{"id":"`+id1+`","signature_key":"key-3","overlap_seconds":0}`)
	if got, want := h.stored(id1).Secrets, []signing.Secret{"key-3"}; !reflect.DeepEqual(got, want) {
		t.Errorf("without overlap: got %d keys, want the newest", len(got))
	}
}

func TestRotateGenerates(t *testing.T) {
	h := newHost(t, config{})
	h.must("subscribe", example)
	form := regexp.MustCompile(`^\{"id":"` + id1 + `","signature_key":"(whsec_[A-Za-z0-9+/]{43}=)"\}$`)
	seen := make(map[string]bool)
	for _, key := range []string{``, `,"signature_key":""`, `,"signature_key":null`,
		`,"signatureKey":""`} {
		a := h.post("rotate", `{"id":"`+id1+`","overlap_seconds":0`+key+`}`)
		m := form.FindStringSubmatch(a.body)
		if a.status != 200 || m == nil || seen[m[1]] {
			t.Fatalf("with %q: got %d %s, want a key that is new", key, a.status, a.body)
		}
		seen[m[1]] = true
		if got := h.stored(id1).Secrets; len(got) != 1 || string(got[0]) != m[1] {
			t.Errorf("with %q: the key of the answer is not what is stored", key)
		}
	}
}

// A webhook without a key gets its first: there is none to overlap with.
func TestRotateFirstKey(t *testing.T) {
	h := newHost(t, config{})
	h.must("subscribe", `{"id":"`+id1+`","url":"https://endpoint.example/"}`)
	a := h.post("rotate", `{"id":"`+id1+`","signature_key":"key-1"}`)
	if want := `{"id":"` + id1 + `","signature_key":"key-1"}`; a.body != want {
		t.Errorf("got %d %s, want %s", a.status, a.body, want)
	}
}

func TestRotateRefuses(t *testing.T) {
	h := newHost(t, config{})
	h.must("subscribe", example)
	for _, test := range []struct{ fields, field string }{
		{`"overlap_seconds":-1`, "overlap_seconds"},
		{`"overlap_seconds":2592001`, "overlap_seconds"},
		{`"overlap_seconds":1.5`, "overlap_seconds"},
		{`"overlap_seconds":1e3`, "overlap_seconds"},
		{`"signature_key":"whsec_x"`, "signature_key"},
		{`"signature_key":"` + strings.Repeat("k", 513) + `"`, "signature_key"},
		{`"signature_key":"a","signatureKey":"b"`, "signature_key"},
	} {
		a := h.post("rotate", `{"id":"`+id1+`",`+test.fields+`}`)
		if text := message(t, a); a.status != 400 || !strings.HasPrefix(text, test.field+" ") {
			t.Errorf("%.80s: got %d %s, want 400 that names %s", test.fields, a.status, a.body, test.field)
		}
	}
	if got := h.stored(id1).Secrets; len(got) != 1 {
		t.Errorf("got %d keys after refusals, want the one of before", len(got))
	}
	for i := range 7 { // up to the eight that may sign at once
		if a := h.post("rotate", fmt.Sprintf(`{"id":"%s","signature_key":"next-%d"}`, id1,
			i)); a.status != 200 {
			t.Fatalf("rotation %d: got %d %s", i, a.status, a.body)
		}
	}
	a := h.post("rotate", `{"id":"`+id1+`"}`)
	if text := message(t, a); a.status != 400 || !strings.HasPrefix(text, "signature_key ") {
		t.Errorf("one rotation too many: got %d %s, want 400 that names signature_key", a.status, a.body)
	}
}

// A change of a version that is no longer there is refused, also when several come at once.
func TestVersions(t *testing.T) {
	together := &apitest.Together{Store: memstore.New()}
	h := newHost(t, config{store: together})
	h.must("subscribe", example)
	version := func() string {
		t.Helper()
		var w struct{ Version string }
		if err := json.Unmarshal([]byte(h.post("info", valid("info")).body), &w); err != nil ||
			w.Version == "" {
			t.Fatalf("got %q, %v, want the version of the webhook", w.Version, err)
		}
		return w.Version
	}
	first := version()
	if again := version(); again != first {
		t.Errorf("got %s and then %s, with nothing changed", first, again)
	}
	body := `{"id":"` + id1 + `","version":"` + first + `"`
	statuses := make([]int, 6) // fewer than the keys that may sign at once
	together.AtOnce(len(statuses), func(i int) { statuses[i] = h.post("rotate", body+`}`).status })
	slices.Sort(statuses)
	if statuses[0] != 200 || statuses[1] != 409 || len(h.stored(id1).Secrets) != 2 {
		t.Errorf("got %v and %d keys, want one rotation and 409 for the others", statuses,
			len(h.stored(id1).Secrets))
	}
	a := h.post("update", body+`,"name":"late"}`)
	if text := message(t, a); a.status != 409 || !strings.Contains(text, "webhooks.info") ||
		h.stored(id1).Name == "late" {
		t.Errorf("an update of what was: got %d %s, want 409 and no change", a.status, a.body)
	}
	second := version()
	if a := h.post("update", `{"id":"`+id1+`","version":"`+second+`","name":"new"}`); second == first ||
		a.status != 200 || h.stored(id1).Name != "new" {
		t.Errorf("an update of what is: got %d %s, want 200", a.status, a.body)
	}
	if strings.Contains(a.body, "version\":") {
		t.Errorf("got %s, want no version but in the answer of info", a.body)
	}
}
