package dispatcher_test

import (
	"errors"
	"testing"
	"time"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
)

func TestFigures(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		e := newEngine(t, s, nil)
		sub := e.subscribe("https://a.example/hook")
		e.run()
		e.answers(func(request) reply { return reply{Status: 200, Delay: 100 * time.Millisecond} })
		for range 3 {
			e.publish("order.created", 1)
			pass(time.Minute)
		}
		for _, q := range []store.FiguresQuery{{}, {AnyTenant: true}, {SubscriptionID: sub.ID}} {
			f, err := e.Figures(t.Context(), q)
			if err != nil || len(f.Sums) != 60 {
				t.Fatalf("%+v: got %d figures, %v, want 60", q, len(f.Sums), err)
			}
			for ago, want := range []int{0, 1, 1, 1, 0} {
				got := f.Sums[59-ago].Stats()
				if got.Delivered != want || want > 0 &&
					(got.P95 < 90*time.Millisecond || got.P95 > 110*time.Millisecond) {
					t.Errorf("%+v, %d minutes ago: got %+v, want %d within 0.1 s", q, ago, got, want)
				}
			}
		}
		for field, q := range map[string]store.FiguresQuery{
			"tenant":          {Tenant: "a", AnyTenant: true},
			"subscription_id": {Tenant: "a", SubscriptionID: sub.ID},
			"per":             {Per: 5},
		} {
			_, err := e.Figures(t.Context(), q)
			if bad := new(events.InvalidError); !errors.As(err, &bad) || bad.Field != field {
				t.Errorf("%+v: got %v, want an InvalidError of %s", q, err, field)
			}
		}
	})
}
