package faults_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store"
)

// The canaries: texts that may be in few places only.
const (
	keyCanary     = "canary-of-the-signature-key"
	headerCanary  = "canary-of-a-header-value"
	queryCanary   = "canary-of-the-query"
	payloadCanary = "canary-of-the-payload"
)

// TestFaultSecrets runs everything with canaries in all that is secret, and looks for them in all
// that comes out: logs, errors, answers, records and statistics.
func TestFaultSecrets(t *testing.T) {
	c := newCage(t)
	c.useAPI(t)
	c.deliver(t)
	c.useOwnerAPI(t)
	c.useDispatcher(t)
	for _, canary := range []string{keyCanary, headerCanary, queryCanary, payloadCanary} {
		if !c.wire.contains(canary) && canary != keyCanary {
			t.Errorf("%s never went to an endpoint: the test has not run what it should", canary)
		}
		c.private.wantNo(t, canary)
	}
	c.wire.wantNo(t, keyCanary)
	// An owner may see the URL, the headers and what the endpoint answered, and no key.
	c.owners.wantNo(t, keyCanary)
	c.owners.wantNo(t, payloadCanary)
	for _, key := range c.keys { // shown once, in the answer that is not among these
		for _, s := range []*sink{&c.wire, &c.owners, &c.private} {
			s.wantNo(t, strings.TrimPrefix(key, "whsec_"))
		}
	}
	if n := len(c.private.parts); n < 200 {
		t.Errorf("only %d texts were searched", n)
	}
}

// useDispatcher prints all that a Dispatcher returns, in every way that a host may print it.
func (c *cage) useDispatcher(t *testing.T) {
	t.Helper()
	ctx := t.Context()
	stats, err := c.d.Stats(ctx)
	c.private.add("%+v %v", stats, err)
	page, err := c.d.Deliveries(ctx, store.DeliveryQuery{})
	c.private.add("%+v %v %s", page, err, asJSON(t, page))
	for _, delivery := range page.Items {
		attempts, err := c.d.Attempts(ctx, delivery.SubscriptionID, delivery.EventID)
		c.private.add("%+v %v %s", attempts, err, asJSON(t, attempts))
	}
	for _, sub := range c.all(t) {
		c.owners.add("%v %+v %#v %s", sub, sub, sub, asJSON(t, sub))
		sub, err = c.d.RotateSecret(ctx, sub.ID, signing.Secret(keyCanary+"-next"), time.Hour)
		c.owners.add("%+v %#v %v", sub, sub, err)
		_, err = c.d.RotateSecret(ctx, sub.ID, signing.Secret("whsec_"+keyCanary), time.Hour)
		c.private.add("%v", err)
		var log bytes.Buffer
		slog.New(slog.NewTextHandler(&log, nil)).Info("a host's own", "subscription", sub)
		c.owners.add("%s", log.String())
		one, err := c.d.SubscriptionStats(ctx, sub.ID)
		c.private.add("%+v %v %s", one, err, asJSON(t, one))
	}
	for _, delivery := range page.Items {
		c.private.add("%v", c.d.Erase(ctx, delivery.Tenant, delivery.EventID))
	}
}

func asJSON(t *testing.T, v any) []byte {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
