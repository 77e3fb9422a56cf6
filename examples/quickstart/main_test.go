package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/outhook/outhook/signing"
)

func TestQuickstart(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var out bytes.Buffer
	if err := run(ctx, &out, "127.0.0.1:0", true); err != nil {
		t.Fatalf("%v\n%s", err, &out)
	}
	for text, want := range map[string]int{
		`"status":"Subscribed"`:                 1,
		"answered 500":                          1,
		"answered 200":                          5,
		"attempt 2 of":                          1,
		"message.created":                       2, // two in all, or one that failed and its retry
		"conversation.updated":                  2, // its name and its body
		"before the restart: 1 subscription, 1": 1,
		"after the restart: 1 subscription, 0":  1,
		"order.created":                         2,
		"/console/":                             1,
	} {
		if got := strings.Count(out.String(), text); got < want {
			t.Errorf("%q is there %d times, want %d:\n%s", text, got, want, &out)
		}
	}
}

// TestConsole looks at the page of a host that has a webhook.
func TestConsole(t *testing.T) {
	h, err := startHost("127.0.0.1:0", filepath.Join(t.TempDir(), "outhook.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer h.stop()
	if _, err := subscribe(t.Context(), h.addr, "http://127.0.0.1:1024/hook",
		signing.NewSecret()); err != nil {
		t.Fatal(err)
	}
	resp, err := http.Get("http://" + h.addr + "/console/list")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	page, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != 200 || !bytes.Contains(page, []byte("127.0.0.1:1024/hook")) {
		t.Errorf("GET /console/list: %d, %v, want the webhook:\n%s", resp.StatusCode, err, page)
	}
}
