package httpapi

import "context"

// ping sends a request to a webhook now and returns its endpoint's answer.
func (a *api) ping(ctx context.Context, tenant string, f *fields) (any, error) {
	sub, err := a.own(ctx, tenant, f)
	if err != nil {
		return nil, err
	}
	attempt, err := a.d.Ping(ctx, sub.ID)
	return newAnswer(&attempt), err
}
