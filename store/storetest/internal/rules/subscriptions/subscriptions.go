package subscriptions

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/storetest/internal/check"
)

func subscriptionRules() []check.Rule {
	return []check.Rule{
		{Name: "sealed-with", Test: testSealedWith,
			Sentence: "SealedWith is kept as it was given, and is in every claim."},
		{Name: "create", Test: testCreate,
			Sentence: "CreateSubscription stores a new subscription and returns it as stored: " +
				"the store sets its times."},
		{Name: "settings", Test: testSettings, Restarts: true,
			Sentence: "Description, Metadata, Filter, Fields, Rate, Timeout, VerifiedAt, " +
				"NeedsProof and AllowedRate are kept as they were given, by every method that returns a " +
				"subscription."},
		{Name: "create-unsubscribed", Test: testCreateUnsubscribed,
			Sentence: "SubscribedAt is set whenever Status becomes Subscribed."},
		{Name: "create-conflict", Test: testCreateConflict,
			Sentence: "CreateSubscription returns ErrConflict if the ID is taken, by the same " +
				"tenant or another."},
		{Name: "not-found", Test: testSubscriptionNotFound,
			Sentence: "A method that names an unknown subscription returns ErrNotFound."},
		{Name: "update", Test: testUpdate,
			Sentence: "UpdateSubscription stores the subscription as change leaves it and " +
				"returns it as stored."},
		{Name: "update-identity", Test: testUpdateIdentity,
			Sentence: "UpdateSubscription ignores what change does to ID, Tenant and the times."},
		{Name: "update-again", Test: testUpdateAgain,
			Sentence: "UpdatedAt is later with each change, by a microsecond at least."},
		{Name: "update-error", Test: testUpdateError,
			Sentence: "An error of change is returned as it is, and nothing is stored."},
		{Name: "update-transaction", Test: testUpdateTransaction,
			Sentence: "UpdateSubscription is one transaction: of concurrent updates none is lost."},
		{Name: "update-at-once", Test: testUpdateAtOnce,
			Sentence: "A claim has the subscription as it was when claimed."},
		{Name: "url-change", Test: testURLChange,
			Sentence: "A new URL resets the health; other changes do not."},
	}
}

func testCreate(c *check.Driver) {
	want := c.NewSub("message.created", "channel.*")
	want.Tenant = "tenant"
	want.Name = "Grüße"
	want.Headers = map[string]string{"X-One": "1", "X-Two": ""}
	want.Secrets = []signing.Secret{"old", "new"}
	want.OverlapUntil = time.Date(2031, 1, 2, 3, 4, 5, 0, time.UTC)
	got := c.Create(want)
	for _, at := range []time.Time{got.CreatedAt, got.UpdatedAt, got.SubscribedAt} {
		c.Near("a time of the created subscription", at, time.Now())
	}
	c.SameSubscription("CreateSubscription", got, want)
	stored, err := c.Store.Subscription(c.Ctx(), want.ID)
	c.Must("Subscription", err)
	c.SameSubscription("Subscription", stored, want)
	c.SameTimes("Subscription", stored, got)
}

func testSettings(c *check.Driver) {
	plain, want := c.Subscribe(), c.NewSub()
	check.WithSettings(&want)
	everywhere := func(what string) {
		for _, sub := range []store.Subscription{want, plain} {
			stored, err := c.Store.Subscription(c.Ctx(), sub.ID)
			c.Must("Subscription", err)
			c.SameSubscription("Subscription "+what, stored, sub)
		}
		page, err := c.Store.Subscriptions(c.Ctx(), store.SubscriptionQuery{Text: "from"})
		c.Must("Subscriptions", err)
		if len(page.Items) != 1 {
			c.Fatalf("Subscriptions %s, by a word of the description: got %d, want 1", what,
				len(page.Items))
		}
		c.SameSubscription("Subscriptions "+what, page.Items[0], want)
		all, err := c.Store.Subscriptions(c.Ctx(), store.SubscriptionQuery{})
		c.Must("Subscriptions", err)
		c.SameSubscription("Subscriptions "+what, all.Items[len(all.Items)-1], want)
		c.Publish(1)
		for _, cl := range c.Claim(2) {
			if cl.SubscriptionID == want.ID {
				c.SameSubscription("Claim "+what, *cl.Subscription, want)
			}
			c.Counts(check.Delivered(cl))
		}
	}
	c.SameSubscription("CreateSubscription", c.Create(want), want)
	everywhere("after the creation")
	want.Metadata = map[string]string{"team": "sales"}
	want.Fields, want.Rate = want.Fields[:1], 1000
	c.Update(want.ID, func(s *store.Subscription) {
		c.SameSubscription("what change gets, but for what it changes", *s, func() store.Subscription {
			was := want.Clone()
			check.WithSettings(&was)
			return was
		}())
		s.Metadata, s.Fields, s.Rate = want.Metadata, want.Fields, want.Rate
	})
	everywhere("after an update")
	c.Reopen()
	everywhere("after a restart")
	bare := want.Clone()
	bare.Description, bare.Metadata, bare.Filter, bare.Fields = "from", nil, "", nil
	bare.Rate, bare.Timeout, bare.VerifiedAt = 0, 0, time.Time{}
	bare.NeedsProof, bare.AllowedRate = false, 0
	want = bare
	c.SameSubscription("UpdateSubscription that empties", c.Update(bare.ID,
		func(s *store.Subscription) {
			s.Description, s.Metadata, s.Filter, s.Fields = "from", nil, "", nil
			s.Rate, s.Timeout, s.VerifiedAt = 0, 0, time.Time{}
			s.NeedsProof, s.AllowedRate = false, 0
		}), bare)
	everywhere("after it was emptied")
}

func testCreateUnsubscribed(c *check.Driver) {
	sub := c.NewSub()
	sub.Status = store.Unsubscribed
	sub = c.Create(sub)
	if !sub.SubscribedAt.IsZero() {
		c.Errorf("SubscribedAt of one created Unsubscribed: got %v, want zero", sub.SubscribedAt)
	}
	c.Near("SubscribedAt after subscribing", c.Resubscribe(sub.ID).SubscribedAt, time.Now())
}

func testCreateConflict(c *check.Driver) {
	first := c.Subscribe("message.created")
	for _, tenant := range []string{first.Tenant, "another"} {
		second := c.NewSub("channel.updated")
		second.ID, second.Tenant = first.ID, tenant
		_, err := c.Store.CreateSubscription(c.Ctx(), second)
		c.Is("CreateSubscription with a taken ID, tenant "+tenant, err, store.ErrConflict)
	}
	stored, err := c.Store.Subscription(c.Ctx(), first.ID)
	c.Must("Subscription", err)
	c.SameSubscription("the first after the conflict", stored, first)
}

func testSubscriptionNotFound(c *check.Driver) {
	c.Subscribe()
	none := c.NewSub().ID
	_, err := c.Store.Subscription(c.Ctx(), none)
	c.Is("Subscription", err, store.ErrNotFound)
	_, err = c.Store.UpdateSubscription(c.Ctx(), none, func(*store.Subscription) error {
		c.Errorf("UpdateSubscription of none: change was called")
		return nil
	})
	c.Is("UpdateSubscription", err, store.ErrNotFound)
	c.Is("DeleteSubscription", c.Store.DeleteSubscription(c.Ctx(), none), store.ErrNotFound)
}

func testUpdate(c *check.Driver) {
	before := c.Subscribe("message.created")
	c.Pass(c.Short)
	want := before
	want.Name, want.URL = "new", "https://new.example/"
	want.Events = []string{"channel.*"}
	want.Headers = map[string]string{"X-New": "1"}
	want.Secrets = []signing.Secret{"key"}
	got := c.Update(before.ID, func(s *store.Subscription) {
		c.SameSubscription("what change gets", *s, before)
		s.Name, s.URL, s.Events, s.Headers, s.Secrets = want.Name, want.URL, want.Events,
			want.Headers, want.Secrets
	})
	c.SameSubscription("UpdateSubscription", got, want)
	stored, err := c.Store.Subscription(c.Ctx(), before.ID)
	c.Must("Subscription", err)
	c.SameSubscription("Subscription", stored, want)
	if !got.UpdatedAt.After(before.UpdatedAt) {
		c.Errorf("UpdatedAt: got %v, want later than %v", got.UpdatedAt, before.UpdatedAt)
	}
	if !got.CreatedAt.Equal(before.CreatedAt) || !got.SubscribedAt.Equal(before.SubscribedAt) {
		c.Errorf("CreatedAt, SubscribedAt: got %v, %v, want %v, %v",
			got.CreatedAt, got.SubscribedAt, before.CreatedAt, before.SubscribedAt)
	}
}

// testUpdateAgain changes a subscription several times at once, before a clock may have moved on.
func testUpdateAgain(c *check.Driver) {
	sub := c.Create(c.NewSub())
	for range 100 {
		was := sub.UpdatedAt
		sub = c.Update(sub.ID, func(*store.Subscription) {})
		if sub.UpdatedAt.Sub(was) < time.Microsecond {
			c.Fatalf("UpdatedAt: got %v after %v, want it later by a microsecond at least",
				sub.UpdatedAt, was)
		}
	}
}

func testUpdateIdentity(c *check.Driver) {
	before := c.NewSub()
	before.Tenant = "tenant"
	before = c.Create(before)
	got := c.Update(before.ID, func(s *store.Subscription) {
		s.ID, s.Tenant = c.NewSub().ID, "thief"
		s.CreatedAt, s.UpdatedAt, s.SubscribedAt = time.Time{}, time.Time{}, time.Time{}
	})
	c.SameSubscription("UpdateSubscription", got, before)
	if !got.CreatedAt.Equal(before.CreatedAt) || !got.SubscribedAt.Equal(before.SubscribedAt) {
		c.Errorf("times: got %v, %v, want %v, %v", got.CreatedAt, got.SubscribedAt,
			before.CreatedAt, before.SubscribedAt)
	}
	c.Near("UpdatedAt", got.UpdatedAt, time.Now())
	page, err := c.Store.Subscriptions(c.Ctx(), store.SubscriptionQuery{Tenant: "thief"})
	c.Must("Subscriptions", err)
	check.Equal(c, "subscriptions of another tenant", len(page.Items), 0)
}

func testUpdateError(c *check.Driver) {
	before := c.Subscribe("message.created")
	c.Publish(1)
	refused := errors.New("refused")
	_, err := c.Store.UpdateSubscription(c.Ctx(), before.ID, func(s *store.Subscription) error {
		s.URL, s.Status = "https://new.example/", store.Unsubscribed
		s.Events[0] = "channel.updated"
		return refused
	})
	if err != refused {
		c.Errorf("UpdateSubscription: got error %v, want the one of change as it is", err)
	}
	stored, err := c.Store.Subscription(c.Ctx(), before.ID)
	c.Must("Subscription", err)
	c.SameSubscription("Subscription", stored, before)
	check.Equal(c, "claims after a refused unsubscribe", len(c.Claim(1)), 1)
}

func testUpdateTransaction(c *check.Driver) {
	sub := c.Subscribe()
	var wg sync.WaitGroup
	const n = 20
	for i := range n {
		wg.Go(func() {
			_, err := c.Store.UpdateSubscription(c.Ctx(), sub.ID, func(s *store.Subscription) error {
				if s.Headers == nil {
					s.Headers = map[string]string{}
				}
				s.Headers[fmt.Sprintf("X-%d", i)] = "1"
				return nil
			})
			if err != nil {
				c.Errorf("UpdateSubscription: got error %v", err)
			}
		})
	}
	wg.Wait()
	stored, err := c.Store.Subscription(c.Ctx(), sub.ID)
	c.Must("Subscription", err)
	check.Equal(c, "headers, one added by each update", len(stored.Headers), n)
}

func testUpdateAtOnce(c *check.Driver) {
	sub := c.Subscribe()
	c.Publish(2)
	first := c.ClaimOne()
	check.Equal(c, "URL before", first.Subscription.URL, sub.URL)
	c.Update(sub.ID, func(s *store.Subscription) { s.URL = "https://new.example/" })
	check.Equal(c, "URL of the claim from before the update", first.Subscription.URL, sub.URL)
	check.Equal(c, "URL after", c.ClaimOne().Subscription.URL, "https://new.example/")
}

func testURLChange(c *check.Driver) {
	sub := c.Subscribe()
	c.Publish(3)
	c.Counts(check.Held(c.ClaimOne(), c.Long, c.Long))
	before := c.Health(sub.ID)
	c.Update(sub.ID, func(s *store.Subscription) {
		s.Name, s.Headers = "new", map[string]string{"X-New": "1"}
	})
	check.Equal(c, "health after another change", check.SameClock(c.Health(sub.ID)),
		check.SameClock(before))
	check.Equal(c, "claims while held", len(c.Claim(10)), 0)
	c.Update(sub.ID, func(s *store.Subscription) { s.URL = "https://new.example/" })
	check.Equal(c, "health after a new URL", c.Health(sub.ID), store.Health{})
	check.Equal(c, "claims once the hold is lifted", len(c.Claim(10)), 3)
}

func testSealedWith(c *check.Driver) {
	if c.Seals {
		return
	}
	sub := c.NewSub()
	sub.Secrets, sub.SealedWith = []signing.Secret{"c2VhbGVk"}, "key-1"
	see := func(after, want string) {
		got, err := c.Store.Subscription(c.Ctx(), sub.ID)
		c.Must("Subscription", err)
		check.Equal(c, "Subscription, SealedWith after "+after, got.SealedWith, want)
		page, err := c.Store.Subscriptions(c.Ctx(), store.SubscriptionQuery{})
		c.Must("Subscriptions", err)
		check.Equal(c, "Subscriptions, SealedWith after "+after, page.Items[0].SealedWith, want)
		c.Publish(1)
		cl := c.ClaimOne()
		check.Equal(c, "Claim, SealedWith after "+after, cl.Subscription.SealedWith, want)
		c.Counts(check.Delivered(cl))
	}
	check.Equal(c, "SealedWith as it was created", c.Create(sub).SealedWith, "key-1")
	see("it was created", "key-1")
	c.Update(sub.ID, func(s *store.Subscription) { s.Name = "another" })
	see("another field was changed", "key-1")
	changed := c.Update(sub.ID, func(s *store.Subscription) { s.SealedWith = "key-2" })
	check.Equal(c, "SealedWith as it was updated", changed.SealedWith, "key-2")
	see("it was changed", "key-2")
	c.Update(sub.ID, func(s *store.Subscription) { s.SealedWith = "" })
	see("it was cleared", "")
}
