package httpapi_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/memstore"
)

// names returns the names of a list's webhooks, in order.
func names(l list) []string {
	out := []string{}
	for _, w := range l.Data {
		out = append(out, *w.Name)
	}
	return out
}

func TestListAllOldestFirst(t *testing.T) {
	h := newHost(t, config{})
	want := []string{}
	for i := range 150 { // more than a page
		name := fmt.Sprint("hook ", i)
		want = append(want, name)
		h.must("subscribe", `{"url":"https://endpoint.example/","name":"`+name+`"}`)
	}
	for _, body := range []string{``, `{}`, `{"cursor":null,"page_size":null}`} {
		got := decode[list](t, h.post("list", body))
		if !reflect.DeepEqual(names(got), want) || got.Pagination != nil {
			t.Errorf("list %s: got %d webhooks, first %v, pagination %v; want %d, oldest first, and none",
				body, len(got.Data), names(got)[0], got.Pagination, len(want))
		}
	}
	for _, test := range []struct {
		body string
		want int
	}{{`{"cursor":""}`, 100}, {`{"page_size":1000}`, 150}, {`{"page_size":1}`, 1}} {
		got := decode[list](t, h.post("list", test.body))
		if !reflect.DeepEqual(names(got), want[:test.want]) || got.Pagination == nil ||
			*got.Pagination.Total != 150 {
			t.Errorf("list %s: got %d webhooks, pagination %+v; want %d of 150", test.body, len(got.Data),
				got.Pagination, test.want)
		}
	}
}

func TestListPages(t *testing.T) {
	h := newHost(t, config{})
	for i := range 5 {
		h.must("subscribe", fmt.Sprintf(`{"url":"https://endpoint.example/","name":"%d"}`, i))
		h.must("subscribe", `{"url":"https://endpoint.example/","name":"not mine"}`, "X-Tenant", "other")
	}
	page := func(cursor string) list {
		t.Helper()
		l := decode[list](t, h.post("list", `{"page_size":2`+cursor+`}`))
		if l.Pagination == nil || l.Pagination.NextCursor == nil || l.Pagination.PreviousCursor == nil ||
			l.Pagination.Total == nil || *l.Pagination.Total != 5 {
			t.Fatalf("pagination_data: got %+v, want both cursors and a total of 5", l.Pagination)
		}
		return l
	}
	first := page("")
	if *first.Pagination.PreviousCursor != "" {
		t.Errorf("first page: got previous_cursor %q, want none", *first.Pagination.PreviousCursor)
	}
	second := page(`,"cursor":"` + *first.Pagination.NextCursor + `"`)
	third := page(`,"cursor":"` + *second.Pagination.NextCursor + `"`)
	if *third.Pagination.NextCursor != "" {
		t.Errorf("last page: got next_cursor %q, want none", *third.Pagination.NextCursor)
	}
	back := page(`,"cursor":"` + *third.Pagination.PreviousCursor + `"`)
	for i, test := range []struct {
		got  list
		want []string
	}{{first, []string{"0", "1"}}, {second, []string{"2", "3"}}, {third, []string{"4"}}, {back,
		[]string{"2", "3"}}} {
		if got := names(test.got); !reflect.DeepEqual(got, test.want) {
			t.Errorf("page %d: got %v, want %v", i, got, test.want)
		}
	}
}

// Filters select of the tenant's webhooks, in pages; there is no total.
func TestListFilters(t *testing.T) {
	h := newHost(t, config{})
	for _, w := range []struct{ name, rest string }{
		{"CRM", `"url":"https://a.example/","events":["order.*"]`},
		{"Shop", `"url":"https://crm.example/hook?key=zebra"`},
		{"Bücher", `"url":"https://b.example/","events":["message.created"]`},
	} {
		h.must("subscribe", `{"name":"`+w.name+`",`+w.rest+`}`, "X-Tenant", "acme")
	}
	off := h.must("subscribe", `{"name":"off","url":"https://c.example/"}`, "X-Tenant", "acme")
	h.must("unsubscribe", `{"id":"`+*off.ID+`"}`, "X-Tenant", "acme")
	h.must("subscribe", `{"name":"CRM","url":"https://crm.example/"}`, "X-Tenant", "globex")
	for _, test := range []struct{ filter, want string }{
		{`"text":"crm"`, "CRM Shop"}, {`"text":"BÜCHER"`, "Bücher"}, {`"text":"zebra"`, ""},
		{`"status":"Unsubscribed"`, "off"}, {`"status":["Subscribed"]`, "CRM Shop Bücher"},
		{`"status":["Subscribed","Unsubscribed"],"text":"example"`, "CRM Shop Bücher off"},
		{`"event_type":"order.paid"`, "CRM Shop off"}, {`"event_type":"order.paid","text":"shop"`,
			"Shop"},
		{`"text":"nowhere"`, ""},
	} {
		for _, size := range []string{`1`, `2`, `20`, `1000`} {
			var found []string
			body := `{` + test.filter + `,"page_size":` + size
			for cursor := ""; ; {
				got := decode[list](t, h.post("list", body+`,"cursor":"`+cursor+`"}`, "X-Tenant", "acme"))
				if got.Pagination == nil || got.Pagination.Total != nil {
					t.Fatalf("%s: got the pagination %+v, want one without a total", body, got.Pagination)
				}
				found = append(found, names(got)...)
				if cursor = *got.Pagination.NextCursor; cursor == "" {
					break
				}
			}
			if got := strings.Join(found, " "); got != test.want {
				t.Errorf("%s}: got %q, want %q", body, got, test.want)
			}
		}
		if a := h.post("list", `{`+test.filter+`}`, "X-Tenant", "acme"); a.status != 400 ||
			!strings.HasPrefix(message(t, a), "page_size ") {
			t.Errorf("{%s} without page_size: got %d %s, want 400 that names it", test.filter, a.status,
				a.body)
		}
	}
	for _, filter := range []string{`"status":"subscribed"`, `"status":["Subscribed",""]`,
		`"status":[1]`, `"event_type":"a.*"`, `"text":"` + strings.Repeat("x", 2049) + `"`} {
		field, _, _ := strings.Cut(filter[1:], `"`)
		if a := h.post("list", `{`+filter+`,"page_size":5}`); a.status != 400 ||
			!strings.HasPrefix(message(t, a), field+" ") {
			t.Errorf("%.80s: got %d %s, want 400 that names %s", filter, a.status, a.body, field)
		}
	}
	for _, none := range []string{`"status":""`, `"status":[]`, `"status":null`, `"text":""`,
		`"text":null`,
		`"event_type":""`} { // no filter, and so Airy's list
		if got := decode[list](t, h.post("list", `{`+none+`}`, "X-Tenant", "acme")); len(got.Data) != 4 ||
			got.Pagination != nil {
			t.Errorf("{%s}: got %d webhooks and %+v, want all and no pagination", none, len(got.Data),
				got.Pagination)
		}
	}
}

// A page of a filter that the store has read as far as it may ends there, with a cursor, in either
// direction; each webhook is on one page.
func TestListFilterThatReadsFar(t *testing.T) {
	for _, size := range []int{1, 10, 40} {
		h := newHost(t, config{store: &shortPages{Store: memstore.New()}})
		want := ""
		for i := range 30 {
			name := fmt.Sprint("x", i)
			if i%7 == 3 {
				name = fmt.Sprint("mine", i)
				want += name + " "
			}
			h.must("subscribe", `{"name":"`+name+`","url":"https://a.example/"}`)
		}
		get := func(cursor string) list {
			t.Helper()
			return decode[list](t, h.post("list",
				fmt.Sprintf(`{"text":"mine","page_size":%d,"cursor":"%s"}`, size, cursor)))
		}
		forward, pages, last := "", 0, ""
		for cursor := ""; ; pages++ {
			got := get(cursor)
			for _, name := range names(got) {
				forward += name + " "
			}
			last = *got.Pagination.PreviousCursor
			if cursor = *got.Pagination.NextCursor; cursor == "" {
				break
			}
		}
		if forward != want || pages < 3 {
			t.Errorf("pages of %d: got %q in %d pages, want %q", size, forward, pages+1, want)
		}
		back, pages := "", 0
		for cursor := last; cursor != "" && pages < 50; pages++ {
			got := get(cursor)
			page := ""
			for _, name := range names(got) {
				page += name + " "
			}
			back = page + back
			cursor = *got.Pagination.PreviousCursor
		}
		if !strings.HasPrefix(want, back) || back == "" {
			t.Errorf("pages of %d, back: got %q, want the beginning of %q", size, back, want)
		}
	}
}

// shortPages is a store that passes over five records at most for a page by a filter.
type shortPages struct{ store.Store }

func (s *shortPages) Subscriptions(
	ctx context.Context, q store.SubscriptionQuery,
) (store.Page[store.Subscription], error) {
	if !q.Filtered() {
		return s.Store.Subscriptions(ctx, q)
	}
	// A page of five of all: its cursors are those of a page by a filter that ends there.
	all := store.SubscriptionQuery{Tenant: q.Tenant, AnyTenant: q.AnyTenant, Cursor: q.Cursor,
		Limit: 5}
	page, err := s.Store.Subscriptions(ctx, all)
	page.Items = slices.DeleteFunc(page.Items, func(sub store.Subscription) bool {
		return !q.Selects(&sub)
	})
	if len(page.Items) > q.Limit { // it can't end in the middle: there is one in seven
		return page, errors.New("the limit is too small for this test")
	}
	page.Total, page.TotalIsLowerBound = 0, true
	return page, err
}
