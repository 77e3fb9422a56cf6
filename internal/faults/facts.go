package faults

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/outhook/outhook/store"
)

// facts is what is known of a host from its marks.
type facts struct {
	pruned       bool // what was delivered may be gone
	running      bool // its subscriptions are there
	tried, acked map[string]bool
	got          map[string]bool // by URL and event

	erasing, erased map[string]bool
}

func factsOf(marks []Mark) facts {
	f := facts{tried: make(map[string]bool), acked: make(map[string]bool), got: make(map[string]bool),
		erasing: make(map[string]bool), erased: make(map[string]bool)}
	for _, m := range marks {
		for id := range strings.SplitSeq(m.ID, ",") {
			switch m.Kind {
			case Running:
				f.running = true
			case Try:
				f.tried[id] = true
			case Ack:
				f.acked[id] = true
			case Erasing:
				f.erasing[id] = true
			case Erased:
				f.erased[id] = true
			case Got:
				f.got[m.Text+id] = true
			}
		}
	}
	return f
}

// check compares a store with the facts: what was acknowledged is there, whole, for each
// subscription; what is delivered has been sent; nothing else is there. It returns how many events
// it has found for every subscription.
func (f *facts) check(s store.Store) (events int, err error) {
	ctx := context.Background()
	subs, err := s.Subscriptions(ctx, store.SubscriptionQuery{})
	if err != nil {
		return 0, err
	}
	if f.running && len(subs.Items) != 2 {
		return 0, fmt.Errorf("%d subscriptions, want 2", len(subs.Items))
	}
	urls := make(map[string]string)
	for _, sub := range subs.Items {
		urls[sub.ID] = sub.URL
	}
	page, err := s.Deliveries(ctx, store.DeliveryQuery{Limit: 1 << 20})
	if err != nil {
		return events, err
	}
	found, times := make(map[string]bool), make(map[string]int)
	var pending []string
	for _, d := range page.Items {
		url := urls[d.SubscriptionID]
		found[url+d.EventID] = true
		if times[d.EventID]++; times[d.EventID] == len(urls) {
			events++
		}
		switch {
		case !f.tried[d.EventID]:
			return events, fmt.Errorf("%s is stored and was never published", d.EventID)
		case f.erased[d.EventID] && !d.Erased, d.Erased && !f.erasing[d.EventID]:
			return events, fmt.Errorf("%s is stored as erased: %t, and Erase returned nil: %t",
				d.EventID, d.Erased, f.erased[d.EventID])
		case d.State == store.Canceled && d.Erased:
		case d.State == store.Pending:
			pending = append(pending, url+d.EventID)
		case d.State != store.Delivered || !f.got[url+d.EventID]:
			return events, fmt.Errorf("%s is %s for %s, which did not get it", d.EventID, d.State, url)
		}
	}
	for id := range f.acked {
		for _, url := range urls {
			if !found[url+id] && !(f.pruned && f.got[url+id]) {
				return events, fmt.Errorf("%s was acknowledged and has no delivery for %s", id, url)
			}
		}
	}
	return events, f.checkClaims(s, pending)
}

// checkClaims checks that what is pending can be claimed, with the right body, and that the store
// goes on.
func (f *facts) checkClaims(s store.Store, pending []string) error {
	ctx := context.Background()
	claims, err := s.Claim(ctx, store.ClaimRequest{Max: 1 << 20, Lease: time.Minute})
	if err != nil {
		return err
	}
	var claimed []string
	for _, c := range claims.Claims {
		want, err := Body(c.EventID)
		if err != nil || string(c.Body) != want {
			return fmt.Errorf("%s has the body %q, want %q", c.EventID, c.Body, want)
		}
		claimed = append(claimed, c.Subscription.URL+c.EventID)
	}
	slices.Sort(pending)
	slices.Sort(claimed)
	if !slices.Equal(pending, claimed) {
		return fmt.Errorf("%d deliveries are pending and %d can be claimed", len(pending), len(claimed))
	}
	e, err := Event(NewID("after", 0))
	if err != nil {
		return err
	}
	return s.Enqueue(ctx, e)
}
