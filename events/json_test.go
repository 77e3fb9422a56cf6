package events_test

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// TestSyntaxIsThatOfEncodingJSON changes valid texts in every way that one byte can be replaced,
// put in or left out, and cuts them off everywhere: each is taken when encoding/json takes it.
func TestSyntaxIsThatOfEncodingJSON(t *testing.T) {
	const bytesToTry = "[]{},:\"\\/bfnrtuelsa0159-+.eE \t\n\r\x00\x1f\x7fxé\xff"
	for _, text := range []string{
		`{"a":[1,-2.5e+3,0.1E-7,true,false,null,{}],"b":{"":[]},"c":"xyz"}`,
		" { \"a\" :\t[ 1 ,\n-0 ]\r} ",
		`"plain text of more than eight bytes, \" \\ \/ \b\f\n\r\t \u00e9\uD800 é🔑 and more"`,
		`[[[[["a"],{"b":[{}]}]]],0]`,
		"0", "-0.0", "10e10", "true", "null", `""`,
	} {
		if !json.Valid([]byte(text)) {
			t.Fatalf("%s is not valid", text)
		}
		for at := range len(text) {
			checkSyntax(t, []byte(text[:at]))
			checkSyntax(t, []byte(text[at:]))
			checkSyntax(t, slices.Delete([]byte(text), at, at+1))
			for i := range len(bytesToTry) {
				checkSyntax(t, slices.Insert([]byte(text), at, bytesToTry[i]))
				checkSyntax(t, slices.Replace([]byte(text), at, at+1, bytesToTry[i]))
			}
		}
		checkSyntax(t, append([]byte(text), text...))
	}
}

func TestSyntaxOfDeepNesting(t *testing.T) {
	for _, depth := range []int{63, 64, 65, 9_999, 10_000, 10_001} {
		checkSyntax(t, []byte(strings.Repeat("[", depth)+strings.Repeat("]", depth)))
		checkSyntax(t, []byte(strings.Repeat(`{"a":`, depth)+"1"+strings.Repeat("}", depth)))
		checkSyntax(t, []byte(strings.Repeat(`[{"a":`, depth/2)+"[]"+strings.Repeat("}]", depth/2)))
	}
}

// checkSyntax wants the payload to be taken when encoding/json takes it, and its body to have what
// json.Compact makes of it.
func checkSyntax(t *testing.T, payload []byte) {
	t.Helper()
	e := valid()
	e.Payload = payload
	want := json.Valid(payload) && utf8.Valid(payload)
	if err := e.Validate(); (err == nil) != want {
		t.Errorf("%q: Validate: %v, but encoding/json takes it: %t", payload, err, want)
	}
	body, err := e.Body()
	if (err == nil) != want {
		t.Errorf("%q: Body: %v, but encoding/json takes it: %t", payload, err, want)
	}
	if err != nil {
		return
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, payload); err != nil {
		t.Fatal(err)
	}
	if _, got, _ := bytes.Cut(body, []byte(`"payload":`)); string(got) != compact.String()+"}" {
		t.Errorf("%q: the body ends %s, want %s}", payload, got, compact.Bytes())
	}
}

// TestSyntaxOfLongStrings holds that what ends a string, or is not allowed in one, is found
// wherever it stands: strings are read many bytes at a time.
func TestSyntaxOfLongStrings(t *testing.T) {
	for _, odd := range []string{`"`, `\`, `\n`, `\"`, "\n", "\x00", "\x1f", "\x7f", "\xff", "é"} {
		for at := range 100 {
			x := strings.Repeat("x", at)
			checkSyntax(t, []byte(`"`+x+odd+strings.Repeat("x", 100-at)+`"`))
		}
	}
}
