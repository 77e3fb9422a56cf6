package store_test

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
)

const year = 365 * 24 * time.Hour

// wantField checks that an error is an *events.InvalidError about the field; "" is no error.
func wantField(t *testing.T, name string, err error, field string) {
	t.Helper()
	var invalid *events.InvalidError
	switch {
	case field == "" && err != nil:
		t.Errorf("%s: got error %v, want none", name, err)
	case field == "":
	case !errors.As(err, &invalid) || invalid.Field != field:
		t.Errorf("%s: got error %v, want an *events.InvalidError about %s", name, err, field)
	case !strings.Contains(invalid.Reason, "; give "):
		t.Errorf("%s: got error %v, want one that says what to give", name, err)
	}
}

func TestValidateEventID(t *testing.T) {
	for _, tt := range []struct {
		name string
		q    store.DeliveryQuery
		want string
	}{
		{"of a tenant", store.DeliveryQuery{Tenant: "acme", EventID: "e"}, ""},
		{"of no tenant", store.DeliveryQuery{EventID: "e"}, ""},
		{"of a subscription of any tenant",
			store.DeliveryQuery{AnyTenant: true, SubscriptionID: "s", EventID: "e"}, ""},
		{"of any tenant", store.DeliveryQuery{AnyTenant: true, EventID: "e"}, "event_id"},
	} {
		wantField(t, "EventID "+tt.name, tt.q.Validate(), tt.want)
	}
}

func TestValidateDurations(t *testing.T) {
	for _, tt := range []struct {
		d           time.Duration
		ok, okLease bool
	}{
		{math.MinInt64, false, false},
		{-1, false, false},
		{0, true, false},
		{1, true, true},
		{store.MaxDuration, true, true},
		{store.MaxDuration + 1, false, false},
		{math.MaxInt64, false, false},
	} {
		field := func(name string) string {
			if tt.ok {
				return ""
			}
			return name
		}
		claim := store.ClaimRequest{Lease: tt.d}
		lease := ""
		if !tt.okLease {
			lease = "lease"
		}
		wantField(t, "Lease of "+tt.d.String(), claim.Validate(), lease)
		retention := store.Retention{Delivered: tt.d}
		wantField(t, "Delivered of "+tt.d.String(), retention.Validate(), field("retention.delivered"))
		retention = store.Retention{Failed: tt.d}
		wantField(t, "Failed of "+tt.d.String(), retention.Validate(), field("retention.failed"))
		retry := store.Outcome{State: store.Pending, RetryIn: tt.d}
		wantField(t, "RetryIn of "+tt.d.String(), retry.Validate(), field("retry_in"))
		for _, state := range []store.State{store.Pending, store.Dead} {
			hold := store.Outcome{State: state, Effect: store.EffectThrottled, ThrottleFor: tt.d}
			wantField(t, "ThrottleFor of "+tt.d.String(), hold.Validate(), field("throttle_for"))
			probe := store.Outcome{State: state, Probe: store.ProbePolicy{First: tt.d}}
			wantField(t, "Probe.First of "+tt.d.String(), probe.Validate(), field("probe.first"))
			probe.Probe = store.ProbePolicy{Max: tt.d}
			wantField(t, "Probe.Max of "+tt.d.String(), probe.Validate(), field("probe.max"))
		}
		attempt := store.Attempt{Duration: tt.d}
		wantField(t, "Duration of "+tt.d.String(), attempt.Validate(), field("attempt.duration"))
		pause := store.ClaimRequest{Lease: 1, Pauses: []store.Pause{{For: 1}, {For: tt.d}}}
		wantField(t, "a pause of "+tt.d.String(), pause.Validate(), field("pauses"))
	}
}

// TestValidateOutcome shows that what does not count for a state is not looked at.
func TestValidateOutcome(t *testing.T) {
	o := store.Outcome{State: store.Canceled, RetryIn: -1, Effect: -1,
		Attempt: store.Attempt{Status: -1}}
	wantField(t, "canceled", o.Validate(), "")
	o.State = store.Delivered
	wantField(t, "delivered with a bad attempt", o.Validate(), "attempt.status")
	o.Attempt.Status = 200
	wantField(t, "delivered", o.Validate(), "")
	o.State = store.Dead
	wantField(t, "dead with a bad effect", o.Validate(), "effect")
	o.Effect = store.EffectNone + 1
	wantField(t, "dead with a later effect", o.Validate(), "effect")
	o.Effect, o.ThrottleFor = store.EffectNone, -1
	for _, probe := range []struct {
		policy store.ProbePolicy
		field  string
	}{
		{store.ProbePolicy{}, ""},
		{store.ProbePolicy{Threshold: -1}, "probe.threshold"},
		{store.ProbePolicy{Jitter: 2}, ""},
		{store.ProbePolicy{Jitter: 2.1}, "probe.jitter"},
		{store.ProbePolicy{Jitter: -0.1}, "probe.jitter"},
		{store.ProbePolicy{Jitter: math.NaN()}, "probe.jitter"},
	} {
		o.Probe = probe.policy
		wantField(t, fmt.Sprintf("dead with %+v", probe.policy), o.Validate(), probe.field)
	}
	o.Probe = store.ProbePolicy{}
	wantField(t, "dead", o.Validate(), "")
	o.BodyOverride = []byte("x")
	wantField(t, "dead with a body that is not sent", o.Validate(), "body_override")
	o.BodyState = store.BodyOverridden
	wantField(t, "dead with a body that is sent", o.Validate(), "")
	o.BodyState = 5
	wantField(t, "dead with a body state that is none", o.Validate(), "body_state")
	o.BodyState = store.BodyOverridden
	o.State = store.Pending
	wantField(t, "pending", o.Validate(), "retry_in")

	err := store.ValidateOutcomes(
		[]store.Outcome{{State: store.Delivered}, {State: store.Dead, Effect: -1}})
	wantField(t, "the second of two", err, "effect")
	if !strings.HasPrefix(err.Error(), "outcome 1: effect is -1; give ") {
		t.Errorf("the second of two: got %q, want it to say which, what it is and what to give", err)
	}
}

func TestValidateTimes(t *testing.T) {
	for _, tt := range []struct {
		at time.Time
		ok bool
	}{
		{time.Time{}, true},
		{time.Time{}.Add(-1), false},
		{time.Date(9999, 12, 31, 23, 59, 59, 999_999_999, time.UTC), true},
		{time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC), false},
		{time.Date(10000, 1, 1, 5, 0, 0, 0, time.FixedZone("", 6*3600)), true}, // it is not, in UTC
		{time.Unix(math.MinInt64, 0), false},
		{time.Unix(math.MaxInt64, 0), false},
	} {
		field := func(name string) string {
			if tt.ok {
				return ""
			}
			return name
		}
		since, until := store.DeliveryQuery{Since: tt.at}, store.DeliveryQuery{Until: tt.at}
		wantField(t, "Since "+tt.at.String(), since.Validate(), field("since"))
		wantField(t, "Until "+tt.at.String(), until.Validate(), field("until"))
		sub := store.Subscription{OverlapUntil: tt.at}
		wantField(t, "OverlapUntil "+tt.at.String(), sub.Validate(), field("overlap_until"))
		attempt := store.Attempt{At: tt.at}
		wantField(t, "At "+tt.at.String(), attempt.Validate(), field("attempt.at"))
	}
}

// TestMaxDuration shows that a store's clock can count to the end of the longest duration for
// another hundred years.
func TestMaxDuration(t *testing.T) {
	end := time.Now().Add(100 * year).Add(store.MaxDuration)
	if got := time.Unix(0, end.UnixNano()); !got.Equal(end) {
		t.Errorf("%v in nanoseconds is %v", end, got)
	}
}
