package signing_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/outhook/outhook/signing"
)

// recorder is the handler behind a Verifier: it keeps what it got.
type recorder struct {
	calls  int
	body   string
	length int64
	coding []string
	header http.Header
}

func (n *recorder) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b, err := io.ReadAll(r.Body)
	if err != nil {
		panic(err)
	}
	n.calls++
	n.body, n.length, n.coding, n.header = string(b), r.ContentLength, r.TransferEncoding, r.Header
	w.WriteHeader(http.StatusNoContent)
}

func TestHandler(t *testing.T) {
	now := time.Now()
	large := strings.Repeat("x", 1000)
	key := signing.Verifier{Keys: []signing.Secret{whsecKey}}
	small := signing.Verifier{Keys: []signing.Secret{whsecKey}, MaxBody: 999}
	exact := signing.Verifier{Keys: []signing.Secret{whsecKey}, MaxBody: 1000}
	airy := signing.Verifier{Keys: []signing.Secret{whsecKey}, AllowAiry: true}

	for _, tt := range []struct {
		name   string
		v      signing.Verifier
		h      http.Header
		body   io.Reader // a reader of unknown length is sent in chunks
		status int
	}{
		{"both signatures", key, bothHeaders(now, messageBody, whsecKey), strings.NewReader(messageBody),
			204},
		{"airy where it is enough", airy, airyHeader(messageBody, whsecKey),
			strings.NewReader(messageBody), 204},
		{"airy", key, airyHeader(messageBody, whsecKey), strings.NewReader(messageBody), 401},
		{"in chunks", key, bothHeaders(now, messageBody, whsecKey),
			io.MultiReader(strings.NewReader(messageBody)), 204},
		{"byte by byte", key, bothHeaders(now, messageBody, whsecKey),
			iotest.OneByteReader(strings.NewReader(messageBody)), 204},
		{"empty body", key, bothHeaders(now, "", whsecKey), nil, 204},
		{"as large as may be", exact, bothHeaders(now, large, whsecKey), strings.NewReader(large), 204},
		{"as large as may be, in chunks", exact, bothHeaders(now, large, whsecKey),
			io.MultiReader(strings.NewReader(large)), 204},

		{"too large", small, bothHeaders(now, large, whsecKey), strings.NewReader(large), 413},
		{"too large, in chunks", small, bothHeaders(now, large, whsecKey),
			io.MultiReader(strings.NewReader(large)), 413},
		{"too large and unsigned", small, nil, strings.NewReader(large), 401},
		{"broken off", key, bothHeaders(now, messageBody, whsecKey),
			io.MultiReader(strings.NewReader(messageBody), iotest.ErrReader(errors.New("gone"))), 400},
		{"unsigned", key, nil, strings.NewReader(messageBody), 401},
		{"another body", key, bothHeaders(now, "other", whsecKey), strings.NewReader(messageBody), 401},
		{"another key", key, bothHeaders(now, messageBody, textKey), strings.NewReader(messageBody), 401},
		{"stale", key, bothHeaders(now.Add(-time.Hour), messageBody, whsecKey),
			strings.NewReader(messageBody), 401},
		{"no keys", signing.Verifier{}, bothHeaders(now, messageBody, whsecKey),
			strings.NewReader(messageBody), 401},
	} {
		t.Run(tt.name, func(t *testing.T) {
			next := new(recorder)
			r := httptest.NewRequest("POST", "/webhook", tt.body)
			r.Header = tt.h.Clone()
			if r.Header == nil {
				r.Header = http.Header{}
			}
			w := httptest.NewRecorder()
			tt.v.Handler(next).ServeHTTP(w, r)
			if w.Code != tt.status {
				t.Errorf("status %d (%s), want %d", w.Code, w.Body, tt.status)
			}
			if called := next.calls > 0; called != (tt.status == 204) {
				t.Errorf("next was called: %t, with status %d", called, tt.status)
			}
		})
	}
}

func TestHandlerRefusesDeclaredSizeUnread(t *testing.T) {
	r := httptest.NewRequest("POST", "/", iotest.ErrReader(errors.New("was read")))
	r.Header = bothHeaders(time.Now(), messageBody, textKey)
	r.ContentLength = signing.DefaultMaxBody + 1
	w := httptest.NewRecorder()
	signing.Verifier{Keys: []signing.Secret{textKey}}.Handler(new(recorder)).ServeHTTP(w, r)
	if w.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("status %d, want 413 before anything is read", w.Code)
	}
}

// unread is a body that notes whether it was read.
type unread struct{ was bool }

func (u *unread) Read([]byte) (int, error) {
	u.was = true
	return 0, io.EOF
}

// What the headers already show to be unsigned costs no reading.
func TestHandlerLooksAtHeadersFirst(t *testing.T) {
	now := time.Now()
	good := func() http.Header { return bothHeaders(now, messageBody, whsecKey) }
	key := signing.Verifier{Keys: []signing.Secret{whsecKey}}
	airy := signing.Verifier{Keys: []signing.Secret{whsecKey}, AllowAiry: true}
	for _, tt := range []struct {
		name string
		v    signing.Verifier
		h    http.Header
		read bool
	}{
		{"unsigned", key, http.Header{}, false},
		{"airy alone", key, airyHeader(messageBody, whsecKey), false},
		{"no id", key, with(good(), drop(signing.HeaderID)), false},
		{"no timestamp", key, with(good(), drop(signing.HeaderTimestamp)), false},
		{"stale", key, bothHeaders(now.Add(-time.Hour), messageBody, whsecKey), false},
		{"a signature that is too short", key, with(good(), set(signing.HeaderSignature, "v1,AAAA")), false},
		{"another version", key, with(good(), set(signing.HeaderSignature, "v2,"+strings.Repeat("A", 44))),
			false},
		{"an airy signature that is too short", airy,
			with(airyHeader(messageBody, whsecKey), set(signing.HeaderAiry, "00")), false},
		{"no keys", signing.Verifier{}, good(), false},
		{"an unusable key", signing.Verifier{Keys: []signing.Secret{"whsec_"}}, good(), false},
		{"what may be signed", key, good(), true},
		{"what may be signed as Airy does", airy, airyHeader(messageBody, whsecKey), true},
	} {
		body := new(unread)
		r := httptest.NewRequest("POST", "/", body)
		r.Header = tt.h
		w := httptest.NewRecorder()
		tt.v.Handler(new(recorder)).ServeHTTP(w, r)
		if w.Code != 401 || body.was != tt.read { // the body is empty, which nothing was signed for
			t.Errorf("%s: status %d, the body was read: %t; want 401 and %t", tt.name, w.Code, body.was,
				tt.read)
		}
	}
}

// The time in which a body may come counts: a connection that was opened with fresh headers can't be
// kept to send an old delivery again.
func TestHandlerLooksAtTheTimeAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := httptest.NewRequest("POST", "/", &slowBody{strings.NewReader(messageBody), time.Hour})
		r.Header = bothHeaders(time.Now(), messageBody, whsecKey)
		w := httptest.NewRecorder()
		next := new(recorder)
		signing.Verifier{Keys: []signing.Secret{whsecKey}}.Handler(next).ServeHTTP(w, r)
		if w.Code != 401 || next.calls != 0 || !strings.Contains(w.Body.String(), "timestamp") {
			t.Errorf("status %d (%s), %d calls; want 401 for a body that took an hour", w.Code, w.Body,
				next.calls)
		}
	})
}

// slowBody takes a time before its first byte.
type slowBody struct {
	io.Reader
	wait time.Duration
}

func (b *slowBody) Read(p []byte) (int, error) {
	<-time.After(b.wait)
	b.wait = 0
	return b.Reader.Read(p)
}

func TestHandlerDefaultLimit(t *testing.T) {
	for _, tt := range []struct {
		name   string
		size   int
		status int
	}{
		{"a payload of 1 MiB in its envelope", 1<<20 + 200, 204},
		{"the largest", signing.DefaultMaxBody, 204},
		{"one byte more", signing.DefaultMaxBody + 1, 413},
	} {
		body := strings.Repeat("x", tt.size)
		r := httptest.NewRequest("POST", "/", io.MultiReader(strings.NewReader(body)))
		r.Header = bothHeaders(time.Now(), body, textKey)
		w := httptest.NewRecorder()
		signing.Verifier{Keys: []signing.Secret{textKey}}.Handler(new(recorder)).ServeHTTP(w, r)
		if w.Code != tt.status {
			t.Errorf("%s: status %d, want %d", tt.name, w.Code, tt.status)
		}
	}
}

func TestHandlerHandsOn(t *testing.T) {
	now := time.Now()
	v := signing.Verifier{Keys: []signing.Secret{whsecKey}, AllowAiry: true}
	attempt := set(signing.HeaderAttempt, "2")
	for _, tt := range []struct {
		name   string
		h      http.Header
		wantID string // what next sees as webhook-id
	}{
		{"both signatures", with(bothHeaders(now, messageBody, whsecKey), attempt), messageID},
		{"standard alone", with(standardHeader(messageID, now, messageBody, whsecKey), attempt),
			messageID},
		{"airy alone", with(airyHeader(messageBody, whsecKey), attempt), ""},
		{"airy with an id that nobody signed",
			with(bothHeaders(now, messageBody, whsecKey), drop(signing.HeaderSignature), attempt), ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			next := new(recorder)
			server := httptest.NewServer(v.Handler(next))
			defer server.Close()
			for _, body := range []io.Reader{strings.NewReader(messageBody),
				io.MultiReader(strings.NewReader(messageBody))} {
				r, err := http.NewRequestWithContext(t.Context(), "POST", server.URL, body)
				if err != nil {
					t.Fatal(err)
				}
				r.Header = tt.h.Clone()
				r.Header.Set("X-Other", "kept")
				res, err := server.Client().Do(r)
				if err != nil {
					t.Fatal(err)
				}
				res.Body.Close()
				if res.StatusCode != http.StatusNoContent {
					t.Fatalf("status %d, want 204", res.StatusCode)
				}
				if next.body != messageBody || next.length != int64(len(messageBody)) {
					t.Errorf("next got %q of length %d, want %q of %d", next.body, next.length, messageBody,
						len(messageBody))
				}
				if len(next.coding) > 0 {
					t.Errorf("next got the transfer encoding %q for a body that is whole", next.coding)
				}
				if got := next.header.Get(signing.HeaderID); got != tt.wantID {
					t.Errorf("next got %s %q, want %q", signing.HeaderID, got, tt.wantID)
				}
				for _, name := range []string{signing.HeaderTimestamp, signing.HeaderAttempt} {
					if got := next.header.Get(name) != ""; got != (tt.wantID != "") {
						t.Errorf("next got %s: %t, want as %s", name, got, signing.HeaderID)
					}
				}
				if got := next.header.Get("X-Other"); got != "kept" {
					t.Errorf("next got X-Other %q, want kept", got)
				}
			}
		})
	}
}

func TestHandlerLeavesTheCallersRequest(t *testing.T) {
	r := httptest.NewRequest("POST", "/", strings.NewReader(messageBody))
	r.Header = with(airyHeader(messageBody, textKey), set(signing.HeaderID, "x"))
	before, body := r.Header.Clone(), r.Body
	next := new(recorder)
	signing.Verifier{Keys: []signing.Secret{textKey}, AllowAiry: true}.Handler(next).ServeHTTP(
		httptest.NewRecorder(), r)
	if next.calls != 1 {
		t.Fatalf("next was called %d times, want once", next.calls)
	}
	if r.Body != body || r.Header.Get(signing.HeaderID) != before.Get(signing.HeaderID) {
		t.Errorf("the caller's request was changed: headers %v, want %v", r.Header, before)
	}
}
