package httpapi

import "context"

// stats returns the figures of a webhook: what is pending, the last hour and day, and its health.
func (a *api) stats(ctx context.Context, tenant string, f *fields) (any, error) {
	sub, err := a.own(ctx, tenant, f)
	if err != nil {
		return nil, err
	}
	s, err := a.d.SubscriptionStats(ctx, sub.ID)
	return newStats(&sub, &s), err
}
