package httpapi_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
)

// figures is the response of /webhooks.figures, with nothing else in it.
type figures struct {
	Start   time.Time `json:"start"`
	Seconds int       `json:"bucket_seconds"`
	Data    []struct {
		Delivered int      `json:"delivered"`
		Failed    int      `json:"failed"`
		Rate      *float64 `json:"success_rate"`
		P50       *int     `json:"p50_ms"`
		P95       *int     `json:"p95_ms"`
	} `json:"data"`
}

func TestFiguresBytes(t *testing.T) {
	const none = `{"delivered":0,"failed":0}`
	synctest.Test(t, func(t *testing.T) {
		h := newDirect(t, config{})
		h.must("subscribe", example)
		h.send("e-1", "message.created", store.Dead, noAnswer)
		<-time.After(time.Hour + time.Minute)
		h.send("e-2", "message.created", store.Dead, failed)
		for _, id := range []string{"e-3", "e-4", "e-5"} {
			h.send(id, "message.created", store.Delivered, succeeded)
		}
		<-time.After(time.Minute)
		const answered = `{"delivered":3,"failed":1,"success_rate":0.75,"p50_ms":41,"p95_ms":1878}`
		for resolution, want := range map[string]string{
			"minute": `{"start":"2000-01-01T00:03:00.000Z","bucket_seconds":60,"data":[` +
				strings.Repeat(none+",", 58) + answered + "," + none + `]}`,
			"hour": `{"start":"1999-12-29T02:00:00.000Z","bucket_seconds":3600,"data":[` +
				strings.Repeat(none+",", 70) + `{"delivered":0,"failed":1,"success_rate":0},` +
				answered + `]}`,
		} {
			for _, id := range []string{``, `"id":null,`, `"id":"",`, `"id":"` + id1 + `",`,
				`"id":"` + strings.ToUpper(id1) + `",`} {
				body := `{` + id + `"resolution":"` + resolution + `"}`
				if a := h.post("figures", body); a.status != 200 || a.body != want {
					t.Errorf("%s: got %d %s\nwant 200 %s", body, a.status, a.body, want)
				}
			}
		}
		minutes := h.post("figures", `{"resolution":"minute"}`).body
		for _, body := range []string{``, `{}`, `{"resolution":null}`, `{"resolution":""}`} {
			if a := h.post("figures", body); a.status != 200 || a.body != minutes {
				t.Errorf("%q: got %d %s, want the minutes", body, a.status, a.body)
			}
		}
		for _, body := range []string{`{"resolution":"day"}`, `{"resolution":"Hour"}`,
			`{"resolution":["hour"]}`, `{"resolution":60}`, `{"id":"x"}`} {
			field := strings.SplitN(body, `"`, 3)[1]
			if a := h.post("figures", body); a.status != 400 ||
				!strings.HasPrefix(message(t, a), field+" ") {
				t.Errorf("%s: got %d %s, want 400 that names %s", body, a.status, a.body, field)
			}
		}
	})
}

// A tenant's figures are of its own webhooks, and an operator's of all, of a tenant's or of one.
func TestFiguresOfTenants(t *testing.T) {
	h := twoTenants(t, config{})
	h.must("subscribe", `{"url":"https://second.example/"}`, "X-Tenant", "acme")
	e, err := events.New("message.created", "hello")
	if err != nil {
		t.Fatal(err)
	}
	e.Tenant = "acme"
	if err := h.d.Publish(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	for range 2 { // a webhook that is new gets one at a time: 3 of acme's two, 1 of globex's
		h.attempt(store.Dead, failed)
	}
	for _, test := range []struct {
		body, tenant string // none: the operator
		want         int    // failures; -1: a 404
	}{
		{`{}`, "acme", 3}, {``, "globex", 1}, {`{}`, "nobody", 0},
		{`{"id":"` + id1 + `"}`, "acme", 2}, {`{"id":"` + id1 + `"}`, "globex", -1},
		{`{}`, "", 4}, {``, "", 4}, {`{"tenant":"acme"}`, "", 3}, {`{"tenant":"nobody"}`, "", 0},
		{`{"tenant":""}`, "", 0}, {`{"id":"` + id1 + `"}`, "", 2},
		{`{"tenant":"acme","id":"` + id1 + `"}`, "", 2},
		{`{"tenant":"globex","id":"` + id1 + `"}`, "", -1},
	} {
		a := h.asOperator("figures", test.body)
		if test.tenant != "" {
			a = h.post("figures", test.body, "X-Tenant", test.tenant)
		}
		if test.want < 0 {
			if a.status != 404 {
				t.Errorf("%q asks for %s: got %d, want 404", test.tenant, test.body, a.status)
			}
			continue
		}
		got, failures := decode[figures](t, a), 0
		for _, bucket := range got.Data {
			failures += bucket.Failed
		}
		if failures != test.want || len(got.Data) != 60 {
			t.Errorf("%q asks for %s: got %d failures in %d minutes, want %d in 60", test.tenant,
				test.body, failures, len(got.Data), test.want)
		}
	}
}
