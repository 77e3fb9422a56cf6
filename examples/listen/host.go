package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/outhook/outhook/signing"
)

// host is the program that is asked for deliveries.
type host struct {
	base   string // what stands before /webhooks.poll
	header string // "Name: value"; empty for none
}

// delivery is one that was read: what would have been posted.
type delivery struct {
	EventID   string `json:"event_id"`
	EventType string `json:"event_type"`
	Headers   []struct{ Name, Value string }
	Body      string
	Base64    string `json:"body_base64"`
}

type polled struct {
	Data   []delivery
	Cursor string
}

// refusal is an answer of the host that is no success.
type refusal struct {
	status  int
	message string
}

func (r *refusal) Error() string { return fmt.Sprintf("%d: %s", r.status, r.message) }

// final reports whether the same request would be refused again.
func (r *refusal) final() bool {
	return r.status >= 400 && r.status < 500 && r.status != http.StatusTooManyRequests &&
		r.status != http.StatusRequestTimeout
}

func (h *host) subscribe(
	ctx context.Context, key signing.Secret, types string,
) (id string, err error) {
	request := map[string]any{"poll": true, "name": "listen", "signature_key": string(key)}
	if types != "" {
		request["events"] = strings.Split(types, ",")
	}
	var made struct{ ID string }
	err = h.call(ctx, "subscribe", request, &made)
	return made.ID, err
}

func (h *host) delete(ctx context.Context, id string) error {
	return h.call(ctx, "delete", map[string]any{"id": id}, nil)
}

// poll acknowledges what was read with a cursor, and reads on. It waits for something to come.
func (h *host) poll(ctx context.Context, id, cursor string) (out polled, err error) {
	err = h.call(ctx, "poll", map[string]any{"id": id, "cursor": cursor, "wait_seconds": 20}, &out)
	return out, err
}

func (h *host) call(ctx context.Context, name string, request, response any) error {
	body, err := json.Marshal(request)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, h.base+"/webhooks."+name,
		bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	if field, value, ok := strings.Cut(h.header, ":"); ok {
		req.Header.Set(strings.TrimSpace(field), strings.TrimSpace(value))
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	if res.StatusCode != http.StatusOK {
		var failure struct{ Message string }
		_ = json.Unmarshal(text, &failure) // or else there is no message
		return &refusal{res.StatusCode, failure.Message}
	}
	if response == nil {
		return nil
	}
	return json.Unmarshal(text, response)
}

// patience is how long the server may take to answer.
const patience = 30 * time.Second

// forward posts a delivery and shows what came back. It is false if the server can't be reached.
func forward(ctx context.Context, d *delivery, to string) bool {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	body := []byte(d.Body)
	if d.Base64 != "" {
		body, _ = base64.StdEncoding.DecodeString(d.Base64)
	}
	start := time.Now()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to, bytes.NewReader(body))
	if err == nil {
		for _, h := range d.Headers {
			req.Header.Add(h.Name, h.Value)
		}
		var res *http.Response
		// A redirect is not followed, as the host would not.
		if res, err = http.DefaultTransport.RoundTrip(req); err == nil {
			io.Copy(io.Discard, res.Body)
			res.Body.Close()
			fmt.Printf("%s %s %s: %s in %v\n", start.Format(time.TimeOnly), d.EventType, d.EventID,
				res.Status, time.Since(start).Round(time.Millisecond))
			return true
		}
	}
	fmt.Printf("%s %s %s: %v\n", start.Format(time.TimeOnly), d.EventType, d.EventID, err)
	return false
}
