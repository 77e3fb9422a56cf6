package httpapi_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/outhook/outhook/store"
)

// delivery has everything that a response may have.
type delivery struct {
	WebhookID  string     `json:"webhook_id"`
	EventID    string     `json:"event_id"`
	EventType  string     `json:"event_type"`
	Key        string     `json:"key"`
	State      string     `json:"state"`
	Attempts   int        `json:"attempts"`
	CreatedAt  time.Time  `json:"created_at"`
	DueAt      *time.Time `json:"due_at"`
	Wait       string     `json:"wait"`
	WaitUntil  *time.Time `json:"wait_until"`
	FinishedAt *time.Time `json:"finished_at"`
	LastStatus int        `json:"last_status"`
	ErrorClass string     `json:"error_class"`
	LastError  string     `json:"last_error"`
	Erased     bool       `json:"erased"`
}

type deliveries struct {
	Data       []delivery `json:"data"`
	Pagination struct {
		PreviousCursor *string `json:"previous_cursor"`
		NextCursor     *string `json:"next_cursor"`
		Total          *int    `json:"total"`
		SearchedTo     *string `json:"searched_to"`
	} `json:"pagination_data"`
}

func TestDeliveriesBytes(t *testing.T) {
	const head = `{"webhook_id":"` + id1 + `","event_id":"`
	for _, test := range []struct {
		name  string
		state store.State
		a     store.Attempt
		want  string
	}{
		{"delivered", store.Delivered, succeeded,
			`","event_type":"a.b","state":"delivered","attempts":1,"created_at":"2000-01-01T00:00:00.000Z","finished_at":"2000-01-01T00:00:00.000Z","last_status":200}`},
		{"dead", store.Dead, failed,
			`","event_type":"a.b","state":"dead","attempts":1,"created_at":"2000-01-01T00:00:00.000Z","finished_at":"2000-01-01T00:00:00.000Z","last_status":503,"error_class":"http_status","last_error":"http_status: 503 Service Unavailable"}`},
		{"pending", store.Pending, noAnswer,
			`","event_type":"a.b","state":"pending","attempts":1,"created_at":"2000-01-01T00:00:00.000Z","due_at":"2000-01-01T01:00:00.000Z","wait":"retry","wait_until":"2000-01-01T01:00:00.000Z","error_class":"timeout","last_error":"timeout: no answer in time"}`},
	} {
		synctest.Test(t, func(t *testing.T) {
			h := newDirect(t, config{})
			h.must("subscribe", example)
			h.must("update", body("update", "events", `["a.*"]`))
			h.send("e-1", "a.b", test.state, test.a)
			want := `{"data":[` + head + `e-1` + test.want +
				`],"pagination_data":{"previous_cursor":"","next_cursor":""}}`
			for _, body := range []string{``, `{}`, `{"webhook_id":"` + id1 + `"}`} {
				if a := h.post("deliveries", body); a.status != 200 || a.body != want {
					t.Errorf("%s, %s: got %d %s\nwant 200 %s", test.name, body, a.status, a.body, want)
				}
			}
		})
	}
}

// What was canceled says why, and what was erased that it was.
func TestDeliveriesCanceled(t *testing.T) {
	h := newHost(t, config{})
	h.prepare()
	h.must("unsubscribe", valid("unsubscribe"))
	got := decode[deliveries](t, h.post("deliveries", "")).Data
	if len(got) != 1 || got[0].State != "canceled" || got[0].LastError != "unsubscribed" ||
		got[0].ErrorClass != "" || got[0].Erased {
		t.Errorf("got %+v, want it canceled as unsubscribed", got)
	}
	if _, _, err := h.store.Erase(t.Context(), store.EraseQuery{EventID: event1}); err != nil {
		t.Fatal(err)
	}
	if got := decode[deliveries](t, h.post("deliveries", "")).Data; len(got) != 1 || !got[0].Erased {
		t.Errorf("got %+v, want it erased", got)
	}
}

func TestDeliveriesFilters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHistory(t)
		for _, test := range []struct {
			body string
			want string // the events, newest first
		}{
			{`{}`, "c b b a"},
			{`{"webhook_id":"` + id1 + `"}`, "b a"},
			{`{"webhook_id":"` + id2 + `"}`, "c b"},
			{`{"event_type":"b.x"}`, "b b"},
			{`{"event_type":"b"}`, ""},
			{`{"event_id":"b"}`, "b b"},
			{`{"event_id":"b","webhook_id":"` + id1 + `"}`, "b"},
			{`{"event_id":"none"}`, ""},
			{`{"state":"dead"}`, "b b"},
			{`{"state":["dead","pending"]}`, "c b b"},
			{`{"state":["canceled"]}`, ""},
			{`{"class":"http_status"}`, "b b"},
			{`{"class":"timeout"}`, "c"},
			{`{"class":"dns"}`, ""},
			{`{"class":"timeout","state":"dead"}`, ""},
			{`{"status":503}`, "b b"},
			{`{"status":"503"}`, "b b"},
			{`{"status":504}`, ""},
			{`{"status":"5xx","webhook_id":"` + id1 + `"}`, "b"},
			{`{"status":"2xx"}`, "a"},
			{`{"status":"4xx"}`, ""},
			{`{"key":"order-1"}`, ""},
			{`{"since":"2000-01-01T01:00:00Z"}`, "c b b"},
			{`{"since":"2000-01-01T02:00:00+01:00"}`, "c b b"},
			{`{"since":"2000-01-01T01:00:00.001Z"}`, "c"},
			{`{"until":"2000-01-01T01:00:00Z"}`, "a"},
			{`{"since":"2000-01-01T00:30:00Z","until":"2000-01-01T01:30:00Z","state":"dead","webhook_id":"` +
				id2 + `"}`, "b"},
		} {
			body := strings.Replace(`{"count":true,`+test.body[1:], ",}", "}", 1)
			got := decode[deliveries](t, h.post("deliveries", body))
			if ids := eventIDs(got.Data); ids != test.want || *got.Pagination.Total != len(got.Data) {
				t.Errorf("%s: got %q of %d, want %q", test.body, ids, *got.Pagination.Total, test.want)
			}
		}
		// A span that has no time in it is a mistake.
		a := h.post("deliveries", `{"since":"2000-01-02T00:00:00Z","until":"2000-01-01T00:00:00Z"}`)
		if a.status != 400 || !strings.Contains(message(t, a), "until is not after since") {
			t.Errorf("since after until: got %d %s, want a 400", a.status, a.body)
		}
	})
}

func eventIDs(all []delivery) string {
	var ids []string
	for _, d := range all {
		ids = append(ids, d.EventID)
	}
	return strings.Join(ids, " ")
}

func TestDeliveriesPages(t *testing.T) {
	h := newHost(t, config{})
	h.must("subscribe", `{"id":"`+id1+`","url":"https://endpoint.example/"}`)
	h.must("subscribe", `{"id":"`+id2+`","url":"https://endpoint.example/"}`)
	for i := range 105 {
		h.publish(fmt.Sprintf("e%d", i))
	}
	page := func(fields string) deliveries {
		t.Helper()
		return decode[deliveries](t, h.post("deliveries", `{"webhook_id":"`+id1+`"`+fields+`}`))
	}
	counted := func(fields string) deliveries {
		t.Helper()
		return page(`,"count":true` + fields)
	}
	if got := counted(""); len(got.Data) != 100 || *got.Pagination.Total != 105 ||
		*got.Pagination.NextCursor == "" {
		t.Errorf("a page of no size: got %d of %d, want 100 of 105 and more to come", len(got.Data),
			*got.Pagination.Total)
	}
	first := page(`,"page_size":40`)
	second := counted(`,"page_size":40,"cursor":"` + *first.Pagination.NextCursor + `"`)
	third := page(`,"page_size":40,"count":false,"cursor":"` + *second.Pagination.NextCursor + `"`)
	back := page(`,"page_size":40,"cursor":"` + *third.Pagination.PreviousCursor + `"`)
	all := slices.Concat(first.Data, second.Data, third.Data)
	var want []string
	for i := range 105 {
		want = append(want, fmt.Sprintf("e%d", 104-i))
	}
	if got := eventIDs(all); got != strings.Join(want, " ") {
		t.Errorf("three pages: got %s, want all 105, newest first", got)
	}
	if *first.Pagination.PreviousCursor != "" || *third.Pagination.NextCursor != "" {
		t.Error("got a cursor that leads past the first or last page")
	}
	if eventIDs(back.Data) != eventIDs(second.Data) {
		t.Errorf("back from the third page: got %s, want the second", eventIDs(back.Data))
	}
	if *second.Pagination.Total != 105 || first.Pagination.Total != nil ||
		third.Pagination.Total != nil {
		t.Error("got a total where it was not to be counted, or none where it was")
	}
}
