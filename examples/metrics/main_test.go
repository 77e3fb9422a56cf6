package main

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestScrape scrapes until an event has been delivered after a retry, and then checks every family.
func TestScrape(t *testing.T) {
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	read, write := io.Pipe()
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, write, "127.0.0.1:0") }()
	line, err := bufio.NewReader(read).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	url, ok := strings.CutPrefix(strings.TrimSpace(line), "scrape ")
	if !ok {
		t.Fatalf("it printed %q, want where to scrape", line)
	}

	text := scrape(ctx, t, url)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !strings.Contains(text, `outhook_delivery_state="delivered"`) ||
		!strings.Contains(text, `outhook_delivery_state="pending"`) {
		select {
		case <-tick.C:
			text = scrape(ctx, t, url)
		case <-ctx.Done():
			t.Fatalf("nothing was delivered after a retry:\n%s", text)
		}
	}
	for _, want := range []string{
		"# TYPE outhook_publish_events_total counter",
		"# TYPE outhook_queue_duration_seconds histogram",
		"# TYPE outhook_attempt_duration_seconds histogram",
		"# TYPE outhook_attempts_total counter",
		"# TYPE outhook_subscriptions gauge",
		"# TYPE outhook_deliveries_pending gauge",
		"# TYPE outhook_deliveries_in_flight gauge",
		"# TYPE outhook_deliveries_oldest_age_seconds gauge",
		`error_type="http_status"`,
		`outhook_status_class="5xx"`,
		`outhook_status_class="2xx"`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the scrape has no %s:\n%s", want, text)
		}
	}
	for _, name := range documented(t) {
		if name == "outhook_store_errors_total" {
			continue // it is there from the first error on
		}
		if !strings.Contains(text, "# TYPE "+name+" ") {
			t.Errorf("docs/operations.md names %s, which the scrape has not:\n%s", name, text)
		}
	}
	if strings.Contains(text, "/hook") || strings.Contains(text, "127.0.0.1") {
		t.Errorf("the endpoint's URL is in the scrape:\n%s", text)
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// documented returns the metrics that docs/operations.md says to watch.
func documented(t *testing.T) []string {
	t.Helper()
	page, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	names := regexp.MustCompile(`outhook_[a-z_]+`).FindAllString(string(page), -1)
	if len(names) < 5 {
		t.Errorf("docs/operations.md names the metrics %q, want five at least", names)
	}
	return names
}

func scrape(ctx context.Context, t *testing.T, url string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("scrape: %s, %v\n%s", res.Status, err, text)
	}
	return string(text)
}
