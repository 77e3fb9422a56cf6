package httpapi

import (
	"context"

	"github.com/outhook/outhook/httpapi/internal/ask"
)

// testFilter says which of the tenant's recent events a filter takes, and what would be sent of
// them. An operator says whose events to try.
func (a *api) testFilter(ctx context.Context, acc Access, f *ask.Fields) (any, error) {
	scope := acc.scope(f)
	sub := ask.Choice(f, scope.Tenant)
	if scope.AnyTenant {
		f.Fail("tenant", "is missing; say whose events the filter is to be tried on")
	}
	if f.Err != nil {
		return nil, f.Err
	}
	tests, err := a.d.TestFilter(ctx, sub)
	return acc.view().FilterTests(tests), err
}
