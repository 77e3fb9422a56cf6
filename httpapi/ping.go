package httpapi

import "context"

// ping sends a request to a webhook now and returns its endpoint's answer. It takes as long as the
// endpoint does, up to the dispatcher's Timeout. That the attempt failed is an answer and no error.
func (a *api) ping(ctx context.Context, tenant string, f *fields) (any, error) {
	sub, err := a.own(ctx, tenant, f)
	if err != nil {
		return nil, err
	}
	attempt, err := a.d.Ping(ctx, sub.ID)
	return newAnswer(&attempt), err
}
