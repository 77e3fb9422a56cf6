package subscriptions

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/storetest/internal/check"
)

// testFilterAlone has a tenant publish what many filters are to be asked about, and another what
// none is, and sees how often a third can publish meanwhile. The filters take most of the time of
// the first, so if nobody waits for them, it is much more often.
func testFilterAlone(c *check.Driver) {
	for i := range 30 {
		draft := c.NewSub()
		draft.Tenant, draft.Filter = "heavy", heavyFilter(i)
		c.Create(draft)
	}
	beside := func(tenant string) (n int) {
		ev := carrying(c, fmt.Sprintf(`{"rest":[%s0]}`, strings.Repeat("1,", 8<<10)))
		ev.Tenant = tenant
		light := c.Event("message.created")             // nobody gets it
		c.Must("Enqueue", c.Store.Enqueue(c.Ctx(), ev)) // which learns what filters there are
		done := make(chan struct{})
		go func() {
			defer close(done)
			for range 4 {
				if err := c.Store.Enqueue(c.Ctx(), ev); err != nil {
					c.Errorf("Enqueue: got error %v", err)
				}
			}
		}()
		for ; !closed(done); n++ {
			c.Must("Enqueue", c.Store.Enqueue(c.Ctx(), light))
		}
		return n
	}
	// On a busy machine either may be kept from the processor for a while; hardly three times.
	var plain, heavy int
	for range 3 {
		if plain, heavy = beside("plain"), beside("heavy"); heavy >= 2*plain {
			return
		}
	}
	c.Errorf("others published %d times while a tenant with filters did, and %d times while one "+
		"without did, whose events take a small part of the time", heavy, plain)
}

// heavyFilter returns a filter that takes a while: it compares each element of an array with many
// numbers, and takes none.
func heavyFilter(i int) string {
	var any []string
	for n := range 10 {
		any = append(any, fmt.Sprintf(`{"rest":{"$gt":%d}}`, 1000*(i+1)+n))
	}
	return `{"$or":[` + strings.Join(any, ",") + `]}`
}

func closed(ch <-chan struct{}) bool {
	select {
	case <-ch:
		return true
	default:
		return false
	}
}

// testFilterAtOnce changes filters while events are published. Each event is published before a
// change or after it, so it goes to who takes it by either.
func testFilterAtOnce(c *check.Driver) {
	const values = 3
	stays := []store.Subscription{filtered(c, `{"n":0}`), filtered(c, `{"n":1}`)}
	changes := filtered(c, `{"n":0}`)
	var wg sync.WaitGroup
	stop := make(chan struct{})
	wg.Go(func() {
		for i := 0; !closed(stop); i++ {
			_, err := c.Store.UpdateSubscription(c.Ctx(), changes.ID,
				func(s *store.Subscription) error {
					s.Filter = fmt.Sprintf(`{"n":%d,"m":{"$ne":%d}}`, i%values, i)
					return nil
				})
			if err != nil {
				c.Errorf("UpdateSubscription: got error %v", err)
			}
		}
	})
	var want [values][]string
	for i := range 30 {
		ev := carrying(c, fmt.Sprintf(`{"n":%d}`, i%values))
		c.Must("Enqueue", c.Store.Enqueue(c.Ctx(), ev))
		want[i%values] = append(want[i%values], ev.ID)
	}
	close(stop)
	wg.Wait()
	got := make(map[string][]string)
	for _, d := range c.Deliveries(store.DeliveryQuery{AnyTenant: true, Limit: 200}) {
		got[d.SubscriptionID] = append(got[d.SubscriptionID], d.EventID)
	}
	for i, sub := range stays {
		slices.Sort(got[sub.ID])
		slices.Sort(want[i])
		c.SameIDs("events of a filter that stays", got[sub.ID], want[i])
	}
	// By which of its filters it got an event can't be seen. From now on there is one.
	c.Update(changes.ID, func(s *store.Subscription) { s.Filter = `{"n":2}` })
	ev := carrying(c, `{"n":2}`)
	c.Enqueue(ev)
	c.Delivery(changes.ID, ev.ID)
}
