package check

import (
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
)

// DeliveryQuery says what is wrong with a query of the host's. A store checks bounds too; it
// takes what contradicts itself, and finds nothing or ignores a field, which hides a mistake.
func DeliveryQuery(q *store.DeliveryQuery) error {
	if err := q.Validate(); err != nil {
		return err
	}
	if !q.Since.IsZero() && !q.Until.IsZero() && !q.Since.Before(q.Until) {
		return &events.InvalidError{Field: "until", Reason: "is not after since; correct one of them"}
	}
	return checkTenants(q.Tenant, q.AnyTenant)
}

// ReplayQuery says what is wrong with a query for a replay, which has no pages.
func ReplayQuery(q *store.DeliveryQuery) error {
	for _, f := range [...]struct {
		name string
		set  bool
	}{{"cursor", q.Cursor != ""}, {"limit", q.Limit != 0}, {"count", q.Count}} {
		if f.set {
			return &events.InvalidError{Field: f.name,
				Reason: "has no effect on a replay, which is of all that matches; leave it out"}
		}
	}
	return DeliveryQuery(q)
}

// ReplayStepQuery says what is wrong with a query for a step of a replay.
func ReplayStepQuery(q *store.DeliveryQuery) error {
	if q.Count {
		return &events.InvalidError{Field: "count",
			Reason: "has no effect on a replay; call ReplayCount"}
	}
	return DeliveryQuery(q)
}

// SubscriptionQuery says what is wrong with a query of the host's.
func SubscriptionQuery(q *store.SubscriptionQuery) error {
	if err := q.Validate(); err != nil {
		return err
	}
	return checkTenants(q.Tenant, q.AnyTenant)
}

// FiguresQuery says what is wrong with a query of the host's.
func FiguresQuery(q *store.FiguresQuery) error {
	if err := q.Validate(); err != nil {
		return err
	}
	if q.SubscriptionID != "" && (q.Tenant != "" || q.AnyTenant) {
		return &events.InvalidError{Field: "subscription_id",
			Reason: "is given beside a tenant, which has no effect then; give one of them"}
	}
	return checkTenants(q.Tenant, q.AnyTenant)
}

// checkTenants refuses a tenant beside AnyTenant: a caller that gives both may expect that one
// alone.
func checkTenants(tenant string, anyTenant bool) error {
	if anyTenant && tenant != "" {
		return &events.InvalidError{Field: "tenant",
			Reason: "has no effect beside AnyTenant; give one of them"}
	}
	return nil
}
