package asking_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store/internal/asking"
)

// body returns the wire body of an event with a payload.
func body(t *testing.T, payload string) []byte {
	t.Helper()
	ev, err := events.New("order.paid", 1)
	if err != nil {
		t.Fatal(err)
	}
	ev.Payload = []byte(payload)
	b, err := ev.Body()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

const one, two, three = `{"n":1}`, `{"n":2}`, `{"n":3}`

// TestRounds goes the way of an event: what is not known is asked in the next round, and from then
// on before the first.
func TestRounds(t *testing.T) {
	var k asking.Asker
	b := body(t, `{"n":1}`)
	rounds := func(texts ...string) (n int) {
		t.Helper()
		var a asking.Answers
		for n = 1; ; n++ {
			k.Ask("t", "order.paid", b, &a)
			if a.Know(texts) {
				break
			}
			if n > 3 {
				t.Fatalf("after %d rounds %v are not known", n, texts)
			}
		}
		for _, text := range texts {
			if got := a.Takes(text, b); got != (text == one) {
				t.Errorf("%s takes it: %t", text, got)
			}
		}
		k.Learn("t", "order.paid", &a)
		return n
	}
	for i, tt := range []struct {
		texts []string
		want  int
	}{
		{nil, 1},
		{[]string{one, two}, 2},
		{[]string{one, two}, 1},
		{[]string{one, two, three}, 2},
		{[]string{three}, 1}, // fewer: none is missing
		{[]string{one, three}, 2},
		{nil, 1},
		{[]string{one, three}, 2},
	} {
		if got := rounds(tt.texts...); got != tt.want {
			t.Errorf("step %d, %v: got %d rounds, want %d", i, tt.texts, got, tt.want)
		}
	}
	var other asking.Answers
	k.Ask("another", "order.paid", b, &other)
	if other.Know([]string{one}) {
		t.Error("the filters of one tenant are asked for another")
	}
}

// TestOnlyWhatIsNew checks that a second round asks only what the first did not, which shows as the
// event is another by then.
func TestOnlyWhatIsNew(t *testing.T) {
	var k asking.Asker
	var a asking.Answers
	a.Know([]string{one})
	k.Ask("t", "order.paid", body(t, `{"n":1}`), &a)
	a.ForgetPayload()
	a.Know([]string{one, two})
	k.Ask("t", "order.paid", body(t, `{"n":2}`), &a)
	if !a.Know([]string{one, two}) || !a.Takes(one, nil) || !a.Takes(two, nil) {
		t.Error("a filter was asked again, or one that is new was not")
	}
}

// TestHere checks that a filter that was not asked is asked in place if it may be.
func TestHere(t *testing.T) {
	a := asking.Answers{Here: true}
	b := body(t, `{"n":2}`)
	if !a.Know([]string{one, two}) || a.Takes(one, b) || !a.Takes(two, b) {
		t.Error("what was not asked does not go by the filter")
	}
}

// TestBound has more filters than are kept: each event gets right answers all the same.
func TestBound(t *testing.T) {
	var k asking.Asker
	b := body(t, `{"n":1}`)
	for i := range 300 { // a filter of 4 KiB each, which takes 16 times as much
		text := fmt.Sprintf(`{"n":{"$in":[%s%d]}}`, strings.Repeat("7,", 1900), i)
		var a asking.Answers
		tenant := fmt.Sprint(i)
		k.Ask(tenant, "order.paid", b, &a)
		for !a.Know([]string{text}) {
			k.Ask(tenant, "order.paid", b, &a)
		}
		if a.Takes(text, b) != (i == 1) {
			t.Fatalf("filter %d says %t", i, a.Takes(text, b))
		}
	}
	if kept := k.Kept(); kept > asking.MaxKept || kept == 0 {
		t.Errorf("it keeps %d bytes, want some, and %d at most", kept, asking.MaxKept)
	}
}
