package httpapi_test

import (
	"fmt"
	"reflect"
	"testing"
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
			got.Pagination.Total != 150 {
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
			l.Pagination.Total != 5 {
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
