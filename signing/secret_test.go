package signing_test

import (
	"bytes"
	"encoding/gob"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"html/template"
	"log"
	"log/slog"
	"strings"
	"testing"

	"github.com/outhook/outhook/signing"
)

// canary is a key that must not show up in any output.
const canary = "canary-5ecret"

// leaks reports whether text gives the canary away, as it is or in hexadecimal.
func leaks(text string) bool {
	text = strings.ToLower(text)
	return strings.Contains(text, canary) ||
		strings.Contains(strings.ReplaceAll(text, " ", ""), hex.EncodeToString([]byte(canary)))
}

type record struct {
	Name   string
	Key    signing.Secret
	Others []signing.Secret
}

// holders are values with the canary in all the places where one may sit.
func holders() map[string]any {
	key := signing.Secret(canary)
	return map[string]any{
		"alone":             key,
		"pointer":           &key,
		"array":             [1]signing.Secret{key},
		"slice":             []signing.Secret{key, key},
		"slice of pointers": []*signing.Secret{&key},
		"map value":         map[string]signing.Secret{"key": key},
		"struct":            record{"x", key, []signing.Secret{key}},
		"pointer to struct": &record{"x", key, []signing.Secret{key}},
		"anonymous":         struct{ K any }{key},
		"verifier":          signing.Verifier{Keys: []signing.Secret{key}},
	}
}

func TestSecretIsRedactedByFmt(t *testing.T) {
	values := holders()
	values["map key"] = map[signing.Secret]int{canary: 1} // fmt only: see the comment on Secret
	for name, v := range values {
		for verb := 'A'; verb <= 'z'; verb++ {
			// p and w ask no methods; [ to ` are no verbs
			if strings.ContainsRune("pw", verb) || verb > 'Z' && verb < 'a' {
				continue
			}
			for _, flags := range []string{"", "+", "#", "-", "0", " ", "30", "-30.3"} {
				format := "%" + flags + string(verb)
				if got := fmt.Sprintf(format, v); leaks(got) {
					t.Errorf("%s: Sprintf(%q) = %q, which has the key", name, format, got)
				}
			}
		}
		if got := fmt.Sprint(v); leaks(got) {
			t.Errorf("%s: Sprint = %q, which has the key", name, got)
		}
		if err := fmt.Errorf("trouble with %v", v); leaks(err.Error()) {
			t.Errorf("%s: Errorf = %q, which has the key", name, err)
		}
	}
}

func TestSecretIsRedactedByEncoders(t *testing.T) {
	for name, v := range holders() {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatalf("%s: json: %v", name, err)
		}
		if leaks(string(b)) || !bytes.Contains(b, []byte("[redacted]")) {
			t.Errorf("%s: json = %s, want [redacted] in place of the key", name, b)
		}
		var page strings.Builder
		tmpl := template.Must(
			template.New("").Parse(`<p title="{{.}}">{{.}}</p><script>let v = {{.}};</script>`))
		if err := tmpl.Execute(&page, v); err != nil {
			t.Fatalf("%s: html/template: %v", name, err)
		}
		if leaks(page.String()) {
			t.Errorf("%s: html/template = %s, which has the key", name, page.String())
		}
	}
	type attribute struct {
		Key signing.Secret `xml:"key,attr"`
	}
	type content struct {
		Key signing.Secret `xml:",chardata"`
	}
	for name, v := range map[string]any{
		"xml element":   record{"x", canary, []signing.Secret{canary}},
		"xml attribute": attribute{canary},
		"xml content":   content{canary},
	} {
		b, err := xml.Marshal(v)
		if err != nil || leaks(string(b)) || !bytes.Contains(b, []byte("[redacted]")) {
			t.Errorf("%s = %s, %v, want [redacted] in place of the key", name, b, err)
		}
	}
}

// What is encoded with gob has no key, and cannot be read back as one.
func TestSecretIsRedactedByGob(t *testing.T) {
	for name, v := range map[string]any{
		"struct":       record{"x", canary, []signing.Secret{canary}},
		"pointer":      &record{"x", canary, nil},
		"map value":    map[string]signing.Secret{"key": canary},
		"slice":        []signing.Secret{canary},
		"alone":        signing.Secret(canary),
		"verifier":     signing.Verifier{Keys: []signing.Secret{canary}},
		"in interface": struct{ V any }{record{Key: canary}},
	} {
		var out bytes.Buffer
		gob.Register(record{})
		if err := gob.NewEncoder(&out).Encode(v); err != nil {
			t.Fatalf("%s: gob: %v", name, err)
		}
		if leaks(out.String()) {
			t.Errorf("%s: gob = %q, which has the key", name, out.String())
		}
	}
	var out bytes.Buffer
	if err := gob.NewEncoder(&out).Encode(record{Name: "x"}); err != nil {
		t.Fatal(err)
	}
	var back record
	if err := gob.NewDecoder(&out).Decode(&back); err != nil || back.Name != "x" || back.Key != "" {
		t.Errorf("a record without keys was read back as %+v, %v", back, err)
	}
	if err := gob.NewEncoder(&out).Encode(record{Key: canary}); err != nil {
		t.Fatal(err)
	}
	if err := gob.NewDecoder(&out).Decode(&back); err == nil || back.Key != "" {
		t.Errorf("a redacted record was read back with the key %q, %v; want an error", string(back.Key), err)
	}
}

func TestSecretIsRedactedByLogs(t *testing.T) {
	for name, v := range holders() {
		var out bytes.Buffer
		slog.New(slog.NewTextHandler(&out, nil)).Info("m", "v", v, slog.Group("g", "v", v))
		slog.New(slog.NewJSONHandler(&out, nil)).With("v", v).Info("m", slog.Any("v", v))
		log.New(&out, "", 0).Println(v)
		if leaks(out.String()) {
			t.Errorf("%s: logs have the key:\n%s", name, out.String())
		}
	}
}

func TestSecretMethods(t *testing.T) {
	for _, tt := range []struct {
		name string
		key  signing.Secret
		want string
	}{
		{"a key", canary, "[redacted]"},
		{"none", "", ""},
	} {
		text, err := tt.key.MarshalText()
		if err != nil {
			t.Errorf("%s: MarshalText: %v", tt.name, err)
		}
		binary, err := tt.key.MarshalBinary()
		if err != nil {
			t.Errorf("%s: MarshalBinary: %v", tt.name, err)
		}
		for method, got := range map[string]string{
			"String":      tt.key.String(),
			"GoString":    tt.key.GoString(),
			"LogValue":    tt.key.LogValue().String(),
			"MarshalText": string(text), "MarshalBinary": string(binary),
			"Format": fmt.Sprintf("%#v", tt.key),
		} {
			if got != tt.want {
				t.Errorf("%s: %s = %q, want %q", tt.name, method, got, tt.want)
			}
		}
	}
}

func TestSecretUnmarshal(t *testing.T) {
	var got struct {
		Key  signing.Secret
		Null signing.Secret
		Keys []signing.Secret
		By   map[string]*signing.Secret
	}
	in := `{"Key":"schl\u00fcssel-🔑","Null":null,"Keys":["a","whsec_b+/="],"By":{"x":"c"}}`
	if err := json.Unmarshal([]byte(in), &got); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name      string
		got, want string
	}{
		{"field", string(got.Key), "schlüssel-🔑"},
		{"null", string(got.Null), ""},
		{"element", string(got.Keys[1]), "whsec_b+/="},
		{"map value", string(*got.By["x"]), "c"},
	} {
		if tt.got != tt.want {
			t.Errorf("%s = %q, want %q", tt.name, tt.got, tt.want)
		}
	}
	for _, in := range []string{`"[redacted]"`, `"\u005bredacted]"`, `7`, `{}`} {
		var key signing.Secret
		if err := json.Unmarshal([]byte(in), &key); err == nil || key != "" {
			t.Errorf("Unmarshal(%s) = %q, %v, want an error and no key", in, string(key), err)
		}
	}
}

func TestSecretDoesNotSurviveMarshalling(t *testing.T) {
	b, err := json.Marshal(record{Key: canary})
	if err != nil {
		t.Fatal(err)
	}
	var back record
	if err := json.Unmarshal(b, &back); err == nil {
		t.Errorf("a redacted record was read back as %q, want an error", string(back.Key))
	}
}
