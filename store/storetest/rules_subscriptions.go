package storetest

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store"
)

func subscriptionRules() []rule {
	return []rule{
		{name: "sealed-with", test: testSealedWith,
			rule: "SealedWith is kept as it was given, and is in every claim."},
		{name: "create", test: testCreate,
			rule: "CreateSubscription stores a new subscription and returns it as stored: the store sets its times."},
		{name: "create-unsubscribed", test: testCreateUnsubscribed,
			rule: "SubscribedAt is set whenever Status becomes Subscribed."},
		{name: "create-conflict", test: testCreateConflict,
			rule: "CreateSubscription: ErrConflict when the ID is taken, by whatever tenant."},
		{name: "not-found", test: testSubscriptionNotFound,
			rule: "ErrNotFound when there is no such subscription."},
		{name: "update", test: testUpdate,
			rule: "UpdateSubscription gives change the subscription to alter, stores what it leaves and returns " +
				"it as stored."},
		{name: "update-identity", test: testUpdateIdentity,
			rule: "ID, Tenant and the times are the store's: what change does to them is undone."},
		{name: "update-error", test: testUpdateError,
			rule: "An error from change undoes all and is returned as it is."},
		{name: "update-transaction", test: testUpdateTransaction,
			rule: "UpdateSubscription is one transaction: of concurrent updates none is lost."},
		{name: "update-at-once", test: testUpdateAtOnce,
			rule: "A claim has the subscription as it was when claimed."},
		{name: "url-change", test: testURLChange,
			rule: "The health starts anew when the URL changes, and only then."},
	}
}

func testCreate(c *check) {
	want := c.newSub("message.created", "channel.*")
	want.Tenant = "tenant"
	want.Name = "Grüße"
	want.Headers = map[string]string{"X-One": "1", "X-Two": ""}
	want.Secrets = []signing.Secret{"old", "new"}
	want.OverlapUntil = time.Date(2031, 1, 2, 3, 4, 5, 0, time.UTC)
	got := c.create(want)
	for _, at := range []time.Time{got.CreatedAt, got.UpdatedAt, got.SubscribedAt} {
		c.near("a time of the created subscription", at, time.Now())
	}
	c.sameSubscription("CreateSubscription", got, want)
	stored, err := c.store.Subscription(c.ctx, want.ID)
	c.must("Subscription", err)
	c.sameSubscription("Subscription", stored, want)
	c.sameTimes("Subscription", stored, got)
}

func testCreateUnsubscribed(c *check) {
	sub := c.newSub()
	sub.Status = store.Unsubscribed
	sub = c.create(sub)
	if !sub.SubscribedAt.IsZero() {
		c.errorf("SubscribedAt of one created Unsubscribed: got %v, want zero", sub.SubscribedAt)
	}
	c.near("SubscribedAt after subscribing", c.resubscribe(sub.ID).SubscribedAt, time.Now())
}

func testCreateConflict(c *check) {
	first := c.subscribe("message.created")
	for _, tenant := range []string{first.Tenant, "another"} {
		second := c.newSub("channel.updated")
		second.ID, second.Tenant = first.ID, tenant
		_, err := c.store.CreateSubscription(c.ctx, second)
		c.is("CreateSubscription with a taken ID, tenant "+tenant, err, store.ErrConflict)
	}
	stored, err := c.store.Subscription(c.ctx, first.ID)
	c.must("Subscription", err)
	c.sameSubscription("the first after the conflict", stored, first)
}

func testSubscriptionNotFound(c *check) {
	c.subscribe()
	none := c.newSub().ID
	_, err := c.store.Subscription(c.ctx, none)
	c.is("Subscription", err, store.ErrNotFound)
	_, err = c.store.UpdateSubscription(c.ctx, none, func(*store.Subscription) error {
		c.errorf("UpdateSubscription of none: change was called")
		return nil
	})
	c.is("UpdateSubscription", err, store.ErrNotFound)
	c.is("DeleteSubscription", c.store.DeleteSubscription(c.ctx, none), store.ErrNotFound)
}

func testUpdate(c *check) {
	before := c.subscribe("message.created")
	c.pass(c.short)
	want := before
	want.Name, want.URL = "new", "https://new.example/"
	want.Events = []string{"channel.*"}
	want.Headers = map[string]string{"X-New": "1"}
	want.Secrets = []signing.Secret{"key"}
	got := c.update(before.ID, func(s *store.Subscription) {
		c.sameSubscription("what change gets", *s, before)
		s.Name, s.URL, s.Events, s.Headers, s.Secrets = want.Name, want.URL, want.Events, want.Headers, want.Secrets
	})
	c.sameSubscription("UpdateSubscription", got, want)
	stored, err := c.store.Subscription(c.ctx, before.ID)
	c.must("Subscription", err)
	c.sameSubscription("Subscription", stored, want)
	if !got.UpdatedAt.After(before.UpdatedAt) {
		c.errorf("UpdatedAt: got %v, want later than %v", got.UpdatedAt, before.UpdatedAt)
	}
	if !got.CreatedAt.Equal(before.CreatedAt) || !got.SubscribedAt.Equal(before.SubscribedAt) {
		c.errorf("CreatedAt, SubscribedAt: got %v, %v, want %v, %v",
			got.CreatedAt, got.SubscribedAt, before.CreatedAt, before.SubscribedAt)
	}
}

func testUpdateIdentity(c *check) {
	before := c.newSub()
	before.Tenant = "tenant"
	before = c.create(before)
	got := c.update(before.ID, func(s *store.Subscription) {
		s.ID, s.Tenant = c.newSub().ID, "thief"
		s.CreatedAt, s.UpdatedAt, s.SubscribedAt = time.Time{}, time.Time{}, time.Time{}
	})
	c.sameSubscription("UpdateSubscription", got, before)
	if !got.CreatedAt.Equal(before.CreatedAt) || !got.SubscribedAt.Equal(before.SubscribedAt) {
		c.errorf("times: got %v, %v, want %v, %v", got.CreatedAt, got.SubscribedAt, before.CreatedAt, before.SubscribedAt)
	}
	c.near("UpdatedAt", got.UpdatedAt, time.Now())
	page, err := c.store.Subscriptions(c.ctx, store.SubscriptionQuery{Tenant: "thief"})
	c.must("Subscriptions", err)
	equal(c, "subscriptions of another tenant", len(page.Items), 0)
}

func testUpdateError(c *check) {
	before := c.subscribe("message.created")
	c.publish(1)
	refused := errors.New("refused")
	_, err := c.store.UpdateSubscription(c.ctx, before.ID, func(s *store.Subscription) error {
		s.URL, s.Status = "https://new.example/", store.Unsubscribed
		s.Events[0] = "channel.updated"
		return refused
	})
	if err != refused {
		c.errorf("UpdateSubscription: got error %v, want the one of change as it is", err)
	}
	stored, err := c.store.Subscription(c.ctx, before.ID)
	c.must("Subscription", err)
	c.sameSubscription("Subscription", stored, before)
	equal(c, "claims after a refused unsubscribe", len(c.claim(1)), 1)
}

func testUpdateTransaction(c *check) {
	sub := c.subscribe()
	var wg sync.WaitGroup
	const n = 20
	for i := range n {
		wg.Go(func() {
			_, err := c.store.UpdateSubscription(c.ctx, sub.ID, func(s *store.Subscription) error {
				if s.Headers == nil {
					s.Headers = map[string]string{}
				}
				s.Headers[fmt.Sprintf("X-%d", i)] = "1"
				return nil
			})
			if err != nil {
				c.errorf("UpdateSubscription: got error %v", err)
			}
		})
	}
	wg.Wait()
	stored, err := c.store.Subscription(c.ctx, sub.ID)
	c.must("Subscription", err)
	equal(c, "headers, one added by each update", len(stored.Headers), n)
}

func testUpdateAtOnce(c *check) {
	sub := c.subscribe()
	c.publish(2)
	first := c.claimOne()
	equal(c, "URL before", first.Subscription.URL, sub.URL)
	c.update(sub.ID, func(s *store.Subscription) { s.URL = "https://new.example/" })
	equal(c, "URL of the claim from before the update", first.Subscription.URL, sub.URL)
	equal(c, "URL after", c.claimOne().Subscription.URL, "https://new.example/")
}

func testURLChange(c *check) {
	sub := c.subscribe()
	c.publish(3)
	c.counts(held(c.claimOne(), c.long, c.long))
	before := c.health(sub.ID)
	c.update(sub.ID, func(s *store.Subscription) { s.Name, s.Headers = "new", map[string]string{"X-New": "1"} })
	equal(c, "health after another change", sameClock(c.health(sub.ID)), sameClock(before))
	equal(c, "claims while held", len(c.claim(10)), 0)
	c.update(sub.ID, func(s *store.Subscription) { s.URL = "https://new.example/" })
	equal(c, "health after a new URL", c.health(sub.ID), store.Health{})
	equal(c, "claims once the hold is lifted", len(c.claim(10)), 2)
}

func testSealedWith(c *check) {
	if c.seals {
		return
	}
	sub := c.newSub()
	sub.Secrets, sub.SealedWith = []signing.Secret{"c2VhbGVk"}, "key-1"
	see := func(after, want string) {
		got, err := c.store.Subscription(c.ctx, sub.ID)
		c.must("Subscription", err)
		equal(c, "Subscription, SealedWith after "+after, got.SealedWith, want)
		page, err := c.store.Subscriptions(c.ctx, store.SubscriptionQuery{})
		c.must("Subscriptions", err)
		equal(c, "Subscriptions, SealedWith after "+after, page.Items[0].SealedWith, want)
		c.publish(1)
		cl := c.claimOne()
		equal(c, "Claim, SealedWith after "+after, cl.Subscription.SealedWith, want)
		c.counts(delivered(cl))
	}
	equal(c, "SealedWith as it was created", c.create(sub).SealedWith, "key-1")
	see("it was created", "key-1")
	c.update(sub.ID, func(s *store.Subscription) { s.Name = "another" })
	see("another field was changed", "key-1")
	changed := c.update(sub.ID, func(s *store.Subscription) { s.SealedWith = "key-2" })
	equal(c, "SealedWith as it was updated", changed.SealedWith, "key-2")
	see("it was changed", "key-2")
	c.update(sub.ID, func(s *store.Subscription) { s.SealedWith = "" })
	see("it was cleared", "")
}
