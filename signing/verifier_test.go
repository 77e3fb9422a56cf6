package signing_test

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"pgregory.net/rapid"

	"github.com/outhook/outhook/signing"
)

// standardHeader is what a sender that follows Standard Webhooks sends.
func standardHeader(id string, at time.Time, body string, keys ...signing.Secret) http.Header {
	h := http.Header{}
	h.Set(signing.HeaderID, id)
	h.Set(signing.HeaderTimestamp, strconv.FormatInt(at.Unix(), 10))
	h.Set(signing.HeaderSignature, signing.Standard(id, at, []byte(body), keys...))
	return h
}

// airyHeader is what Airy sends.
func airyHeader(body string, key signing.Secret) http.Header {
	h := http.Header{}
	h.Set(signing.HeaderAiry, signing.Airy(key, []byte(body)))
	return h
}

// bothHeaders is what outhook sends.
func bothHeaders(at time.Time, body string, key signing.Secret) http.Header {
	h := standardHeader(messageID, at, body, key)
	h.Set(signing.HeaderAiry, signing.Airy(key, []byte(body)))
	return h
}

// with returns h after the changes.
func with(h http.Header, changes ...func(http.Header)) http.Header {
	for _, change := range changes {
		change(h)
	}
	return h
}

func set(name string, values ...string) func(http.Header) {
	return func(h http.Header) { h[http.CanonicalHeaderKey(name)] = values }
}

func drop(name string) func(http.Header) {
	return func(h http.Header) { h.Del(name) }
}

func TestVerify(t *testing.T) {
	const body, other = messageBody, `{"type":"other"}`
	now := time.Now()
	old := now.Add(-time.Hour)
	good := signing.Standard(messageID, now, []byte(body), whsecKey)
	wrong := signing.Standard(messageID, now, []byte(other), whsecKey)
	goodAiry := signing.Airy(whsecKey, []byte(body))
	emptyKey := signedWithNothing(t, messageID, now, body)
	standard := func() http.Header { return standardHeader(messageID, now, body, whsecKey) }
	key := signing.Verifier{Keys: []signing.Secret{whsecKey}}
	rotating := signing.Verifier{Keys: []signing.Secret{textKey, "", whsecKey}}
	airy := signing.Verifier{Keys: key.Keys, AllowAiry: true}
	airyRotating := signing.Verifier{Keys: rotating.Keys, AllowAiry: true}

	for _, tt := range []struct {
		name string
		v    signing.Verifier
		h    http.Header
		want error
	}{
		{"standard", key, standard(), nil},
		{"airy", airy, airyHeader(body, whsecKey), nil},
		{"both", key, bothHeaders(now, body, whsecKey), nil},
		{"airy with a text key", airyRotating, airyHeader(body, textKey), nil},
		{"standard with a text key", rotating, standardHeader(messageID, now, body, textKey), nil},
		{"the receiver's second key", rotating, standard(), nil},
		{"the receiver's second key, airy", airyRotating, airyHeader(body, whsecKey), nil},
		{"the sender's second key", key, standardHeader(messageID, now, body, "new", whsecKey), nil},
		{"the sender's first key", key, standardHeader(messageID, now, body, whsecKey, "new"), nil},
		{"a wrong one first", key, with(standard(),
			set(signing.HeaderSignature, wrong+" v1,AAAA "+good)), nil},
		{"other versions", key, with(standard(), set(signing.HeaderSignature, "v1a,x v2 "+good+" v3,y")),
			nil},
		{"several spaces", key, with(standard(), set(signing.HeaderSignature, "  v1,AAAA   "+good+" ")),
			nil},
		{"several header values", key, with(standard(), set(signing.HeaderSignature, "v1,AAAA", wrong, good)),
			nil},
		{"several airy values", airy, with(airyHeader(body, whsecKey),
			set(signing.HeaderAiry, "00", goodAiry)), nil},
		{"airy of another key beside it", key,
			with(standard(), set(signing.HeaderAiry, signing.Airy("new", []byte(body)))), nil},
		{"standard where airy is enough", airy, standard(), nil},
		{"both where airy is enough", airy, bothHeaders(now, body, whsecKey), nil},

		{"nothing", key, http.Header{}, signing.ErrNoSignature},
		{"nil header", key, nil, signing.ErrNoSignature},
		{"id and timestamp only", key, with(standard(), drop(signing.HeaderSignature)),
			signing.ErrNoSignature},
		{"nothing where airy is enough", airy, http.Header{}, signing.ErrNoSignature},
		{"airy alone", key, airyHeader(body, whsecKey), signing.ErrNoSignature},
		{"standard stripped", key,
			with(bothHeaders(now, body, whsecKey), drop(signing.HeaderSignature)), signing.ErrNoSignature},
		{"a year old, standard stripped", key,
			with(bothHeaders(now.AddDate(-1, 0, 0), body, whsecKey), drop(signing.HeaderSignature),
				drop(signing.HeaderTimestamp)), signing.ErrNoSignature},

		{"another body", key, standardHeader(messageID, now, other, whsecKey), signing.ErrBadSignature},
		{"another body, airy", airy, airyHeader(other, whsecKey), signing.ErrBadSignature},
		{"another key", key, standardHeader(messageID, now, body, textKey), signing.ErrBadSignature},
		{"another key, airy", airy, airyHeader(body, textKey), signing.ErrBadSignature},
		{"signed with what the key decodes to", key, with(standard(), set(signing.HeaderSignature,
			signing.Standard(messageID, now, []byte(body), signing.Secret(rawWhsecKey)))), nil},
		{"another id", key, with(standard(), set(signing.HeaderID, "another")), signing.ErrBadSignature},
		{"another timestamp", key, with(standard(),
			set(signing.HeaderTimestamp, strconv.FormatInt(now.Unix()+1, 10))), signing.ErrBadSignature},
		{"empty signature", key, with(standard(), set(signing.HeaderSignature, "")),
			signing.ErrBadSignature},
		{"no v1", key, with(standard(), set(signing.HeaderSignature, "v2"+good[2:])),
			signing.ErrBadSignature},
		{"no version", key, with(standard(), set(signing.HeaderSignature, good[3:])),
			signing.ErrBadSignature},
		{"v1 alone", key, with(standard(), set(signing.HeaderSignature, "v1,")), signing.ErrBadSignature},
		{"cut short", key, with(standard(), set(signing.HeaderSignature, good[:len(good)-1])),
			signing.ErrBadSignature},
		{"with more behind it", key, with(standard(), set(signing.HeaderSignature, good+"=")),
			signing.ErrBadSignature},
		{"airy cut short", airy, with(airyHeader(body, whsecKey), set(signing.HeaderAiry, goodAiry[:62])),
			signing.ErrBadSignature},
		{"airy empty", airy, with(airyHeader(body, whsecKey), set(signing.HeaderAiry, "")),
			signing.ErrBadSignature},
		{"airy in capitals", airy,
			with(airyHeader(body, whsecKey), set(signing.HeaderAiry, strings.ToUpper(goodAiry))),
			signing.ErrBadSignature},
		{"wrong standard beside right airy", airy,
			with(bothHeaders(now, body, whsecKey), set(signing.HeaderSignature, wrong)),
			signing.ErrBadSignature},
		{"empty standard beside right airy", airy,
			with(bothHeaders(now, body, whsecKey), set(signing.HeaderSignature, "")),
			signing.ErrBadSignature},

		{"no id", key, with(standard(), drop(signing.HeaderID)), signing.ErrBadSignature},
		{"empty id", key, standardHeader("", now, body, whsecKey), signing.ErrBadSignature},
		{"two ids", key, with(standard(), set(signing.HeaderID, messageID, "another")),
			signing.ErrBadSignature},
		{"id with a dot", key, standardHeader("a.1", now, body, whsecKey), signing.ErrBadSignature},
		{"no timestamp", key, with(standard(), drop(signing.HeaderTimestamp)), signing.ErrBadSignature},
		{"two timestamps", key, with(standard(), set(signing.HeaderTimestamp, "1", "2")),
			signing.ErrBadSignature},
		{"timestamp of words", key, with(standard(), set(signing.HeaderTimestamp, "now")),
			signing.ErrBadSignature},
		{"timestamp with fractions", key, with(standard(), set(signing.HeaderTimestamp, "1700000000.5")),
			signing.ErrBadSignature},
		{"timestamp past all numbers", key,
			with(standard(), set(signing.HeaderTimestamp, "99999999999999999999")), signing.ErrBadSignature},

		{"an hour old", key, standardHeader(messageID, old, body, whsecKey), signing.ErrStale},
		{"an hour ahead", key, standardHeader(messageID, now.Add(time.Hour), body, whsecKey),
			signing.ErrStale},
		{"old beside right airy", airy, bothHeaders(old, body, whsecKey), signing.ErrStale},
		{"largest time", key, standardHeader(messageID, time.Unix(1<<63-1, 0), body, whsecKey),
			signing.ErrStale},
		{"smallest time", key, standardHeader(messageID, time.Unix(-1<<63, 0), body, whsecKey),
			signing.ErrStale},
		{"old and signed with another key", key, standardHeader(messageID, old, body, textKey),
			signing.ErrStale},

		{"no keys", signing.Verifier{}, standard(), signing.ErrNoKey},
		{"no keys, nothing signed", signing.Verifier{}, http.Header{}, signing.ErrNoKey},
		{"empty keys", signing.Verifier{Keys: []signing.Secret{"", ""}}, standard(), signing.ErrNoKey},
		{"standard signed with an empty key", rotating,
			with(standard(), set(signing.HeaderSignature, emptyKey)), signing.ErrBadSignature},
		{"airy that is nothing, like that of an empty key", airyRotating,
			with(airyHeader(body, "k"), set(signing.HeaderAiry, "")), signing.ErrBadSignature},
		{"airy signed with an empty key", airyRotating,
			with(airyHeader(body, "k"), set(signing.HeaderAiry, hexHMAC(nil, []byte(body)))),
			signing.ErrBadSignature},
		{"signed with an empty key, no keys", signing.Verifier{Keys: []signing.Secret{""}, AllowAiry: true},
			with(airyHeader(body, "k"), set(signing.HeaderAiry, hexHMAC(nil, []byte(body)))),
			signing.ErrNoKey},
	} {
		if err := tt.v.Verify(tt.h, []byte(body)); !errors.Is(err, tt.want) {
			t.Errorf("%s: Verify = %v, want %v", tt.name, err, tt.want)
		}
	}
}

// signedWithNothing is a standard signature made with an empty key, which Standard doesn't make.
func signedWithNothing(t *testing.T, id string, at time.Time, body string) string {
	wh, err := standardwebhooks.NewWebhookRaw(nil)
	if err != nil {
		t.Fatal(err)
	}
	signature, err := wh.Sign(id, at, []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	return signature
}

// rawWhsecKey is what whsecKey decodes to.
const rawWhsecKey = "\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f" +
	"\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f"

func TestVerifyRefusesUnusableKeys(t *testing.T) {
	for _, bad := range []signing.Secret{"whsec_", "whsec_short", "[redacted]", "\xff"} {
		v := signing.Verifier{Keys: []signing.Secret{whsecKey, bad}}
		err := v.Verify(bothHeaders(time.Now(), messageBody, whsecKey), []byte(messageBody))
		if err == nil || !strings.Contains(err.Error(), "key 1") {
			t.Errorf("with key %q: Verify = %v, want an error that names key 1", string(bad), err)
		}
	}
}

func TestVerifyErrorsHoldNoSecrets(t *testing.T) {
	v := signing.Verifier{Keys: []signing.Secret{canary}, AllowAiry: true}
	now := time.Now()
	right := []string{canary, signing.Airy(canary, []byte(messageBody)),
		signing.Standard(messageID, now, []byte(messageBody), canary)[3:]}
	for _, h := range []http.Header{
		nil,
		airyHeader("other", canary),
		standardHeader(messageID, now, "other", canary),
		standardHeader(messageID, now.Add(time.Hour), messageBody, canary),
		with(standardHeader(messageID, now, messageBody, canary), set(signing.HeaderTimestamp, "x")),
	} {
		err := v.Verify(h, []byte(messageBody))
		if err == nil {
			t.Errorf("%v verifies, want an error", h)
			continue
		}
		for _, secret := range right {
			if strings.Contains(err.Error(), secret) {
				t.Errorf("%v: error %q holds %q", h, err, secret)
			}
		}
	}
}

func TestVerifyAgreesWithOfficialLibrary(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		signer := keys().Draw(t, "signer")
		receiver := rapid.SampledFrom([]signing.Secret{signer, keys().Draw(t, "another")}).Draw(t,
			"receiver")
		body := rapid.SliceOf(rapid.Byte()).Draw(t, "body")
		at := time.Now().Add(time.Duration(
			rapid.IntRange(-600, 600).Filter(awayFromTolerance).Draw(t, "seconds")) * time.Second)

		theirs, err := official(t, signer).Sign(messageID, at, body)
		if err != nil {
			t.Fatal(err)
		}
		for name, signature := range map[string]string{"theirs": theirs,
			"ours": signing.Standard(messageID, at, body, signer)} {
			h := standardHeader(messageID, at, string(body), signer)
			h.Set(signing.HeaderSignature, signature)
			got := signing.Verifier{Keys: []signing.Secret{receiver}}.Verify(h, body)
			want := official(t, receiver).Verify(body, h)
			if (got == nil) != (want == nil) {
				t.Errorf("signed by %s: we say %v, the official library says %v", name, got, want)
			}
		}
	})
}

// awayFromTolerance leaves out offsets where the passing of time decides.
func awayFromTolerance(seconds int) bool {
	return seconds < -302 || seconds > -298 && seconds < 298 || seconds > 302
}

func BenchmarkVerify(b *testing.B) {
	body := make([]byte, 512)
	v := signing.Verifier{Keys: []signing.Secret{whsecKey}, Tolerance: time.Hour}
	h := standardHeader(messageID, time.Now(), string(body), whsecKey)
	b.ReportAllocs()
	for b.Loop() {
		if err := v.Verify(h, body); err != nil {
			b.Fatal(err)
		}
	}
}
