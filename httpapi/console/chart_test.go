package console_test

import (
	"net/http"
	"strings"
	"testing"
)

// A chart has a bar and a line of its table for the time in which there were attempts, and says in
// words what it shows.
func TestChart(t *testing.T) {
	h := newHost(t, nil, nil)
	sub := h.subscribe("acme", "crm")
	h.publish("acme", "order-1", `{}`)
	h.r.Always(http.StatusInternalServerError)
	h.publish("acme", "order-2", `{}`)
	for _, page := range []string{"", "webhook?id=" + sub.ID} {
		h.eventually("both attempts in "+page, func() bool {
			body := h.must(page, "X-Operator", "1")
			return strings.Contains(body, ": 1 succeeded and 1 failed") &&
				strings.Count(body, `<rect class="ok" x=`) >= 1 &&
				strings.Count(body, `<rect class="bad" x=`) >= 1
		})
	}
}
