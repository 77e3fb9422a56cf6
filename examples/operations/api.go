package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
)

// call posts a request to /webhooks.<endpoint> and reads the answer.
func (h *host) call(ctx context.Context, endpoint string, request, answer any) error {
	body, err := json.Marshal(request)
	if err != nil {
		return err
	}
	url := "http://" + h.server.addr + "/webhooks." + endpoint
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s: %s", endpoint, res.Status, text)
	}
	if err != nil || answer == nil {
		return err
	}
	return json.Unmarshal(text, answer)
}

// delivery is a delivery in an answer of the API.
type delivery struct {
	EventID   string `json:"event_id"`
	EventType string `json:"event_type"`
	State     string `json:"state"`
	Attempts  int    `json:"attempts"`
	LastError string `json:"last_error"`
}

// deliveries lists the deliveries of the webhook in a state, newest first.
func (d *day) deliveries(ctx context.Context, state string) ([]delivery, error) {
	var page struct{ Data []delivery }
	err := d.host.call(ctx, "deliveries", map[string]any{"webhook_id": d.webhook, "state": state},
		&page)
	return page.Data, err
}

// stats shows the figures of the webhook.
func (d *day) stats(ctx context.Context) error {
	var s struct {
		Status         string
		DisabledReason string `json:"disabled_reason"`
		Breaker        string
		Failures       int
		Hour           struct{ Delivered, Failed int }
	}
	err := d.host.call(ctx, "stats", map[string]any{"id": d.webhook}, &s)
	if err != nil {
		return err
	}
	d.say(
		"   %s, breaker %s, %d failures in a row; in the last hour %d attempts succeeded and %d failed",
		s.Status, s.Breaker, s.Failures, s.Hour.Delivered, s.Hour.Failed)
	return nil
}
