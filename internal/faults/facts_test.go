package faults_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/outhook/outhook/internal/faults"
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

func factsOf(marks []faults.Mark) facts {
	f := facts{tried: make(map[string]bool), acked: make(map[string]bool), got: make(map[string]bool),
		erasing: make(map[string]bool), erased: make(map[string]bool)}
	for _, m := range marks {
		for id := range strings.SplitSeq(m.ID, ",") {
			switch m.Kind {
			case faults.Running:
				f.running = true
			case faults.Try:
				f.tried[id] = true
			case faults.Ack:
				f.acked[id] = true
			case faults.Erasing:
				f.erasing[id] = true
			case faults.Erased:
				f.erased[id] = true
			case faults.Got:
				f.got[m.Text+id] = true
			}
		}
	}
	return f
}

// check compares a store with the facts: what was acknowledged is there, whole, for each
// subscription; what is delivered has been sent; nothing else is there.
func (f *facts) check(s store.Store) error {
	ctx := context.Background()
	subs, err := s.Subscriptions(ctx, store.SubscriptionQuery{})
	if err != nil {
		return err
	}
	if f.running && len(subs.Items) != 2 {
		return fmt.Errorf("%d subscriptions, want 2", len(subs.Items))
	}
	urls := make(map[string]string)
	for _, sub := range subs.Items {
		urls[sub.ID] = sub.URL
	}
	page, err := s.Deliveries(ctx, store.DeliveryQuery{Limit: 1 << 20})
	if err != nil {
		return err
	}
	found := make(map[string]bool)
	var pending []string
	for _, d := range page.Items {
		url := urls[d.SubscriptionID]
		found[url+d.EventID] = true
		switch {
		case !f.tried[d.EventID]:
			return fmt.Errorf("%s is stored and was never published", d.EventID)
		case f.erased[d.EventID] && !d.Erased, d.Erased && !f.erasing[d.EventID]:
			return fmt.Errorf("%s is stored as erased: %t, and Erase returned nil: %t", d.EventID, d.Erased,
				f.erased[d.EventID])
		case d.State == store.Canceled && d.Erased:
		case d.State == store.Pending:
			pending = append(pending, url+d.EventID)
		case d.State != store.Delivered || !f.got[url+d.EventID]:
			return fmt.Errorf("%s is %s for %s, which did not get it", d.EventID, d.State, url)
		}
	}
	for id := range f.acked {
		for _, url := range urls {
			if !found[url+id] && !(f.pruned && f.got[url+id]) {
				return fmt.Errorf("%s was acknowledged and has no delivery for %s", id, url)
			}
		}
	}
	return f.checkClaims(s, pending)
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
		want, err := faults.Body(c.EventID)
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
	e, err := faults.Event(faults.NewID("after", 0))
	if err != nil {
		return err
	}
	return s.Enqueue(ctx, e)
}
