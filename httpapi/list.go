package httpapi

import (
	"context"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/httpapi/internal/ask"
	"github.com/outhook/outhook/httpapi/internal/wire"
	"github.com/outhook/outhook/store"
)

// The pages of /webhooks.list, when a request asks for pages, and of /webhooks.deliveries.
const (
	DefaultPageSize = 100  // webhooks or deliveries, without page_size
	MaxPageSize     = 1000 // the largest page_size
)

// pageBounds returns how many items a page has.
func pageBounds() ask.PageBounds {
	return ask.PageBounds{Default: DefaultPageSize, Most: MaxPageSize}
}

// listStep is how many webhooks are read of the store at once. It bounds the memory of a request:
// a webhook has up to 175,000 bytes, and a tenant any number of webhooks.
const listStep = 16

// list lists the tenant's webhooks, oldest first: all of them, as Airy does, unless the request
// asks for a page. The response is a stream of what the store has step by step: a webhook that is
// made or deleted meanwhile may be in it or not, and none is in it twice.
func (ws webhooks) list(ctx context.Context, acc Access, f *ask.Fields) (any, error) {
	q, paged := ask.Subscriptions(f, acc.scope(f), pageBounds())
	if f.Err != nil {
		return nil, f.Err
	}
	l := &listing{d: ws.d, view: acc.view(), q: q, paged: paged}
	if err := l.start(ctx); err != nil {
		return nil, err
	}
	return &stream{field: "data", next: l.next, rest: l.pagination}, nil
}

// listing reads a listing of webhooks in steps.
type listing struct {
	d     *dispatcher.Dispatcher
	view  wire.View
	q     store.SubscriptionQuery // Limit is the size of the page, or 0 for all
	paged bool

	step   []store.Subscription // read and not yet sent; nil: to be read
	short  bool                 // a filter has read as much for this page as it may
	cursor string               // of the step to be read
	left   int                  // how many of the page are to be sent
	ends   wire.Pagination

	// If the page was asked for by its end:
	back    bool
	pending []string        // cursors of the steps after step, the last one first
	sent    map[string]bool // IDs
}

// start reads the first step.
func (l *listing) start(ctx context.Context) error {
	l.left = l.q.Limit
	back, err := l.isBack(ctx)
	if err != nil {
		return err
	}
	if back {
		return l.startBack(ctx)
	}
	step, err := l.read(ctx, l.q.Cursor)
	l.step, l.ends = step.Items, l.pageOf(&step)
	return err
}

// pageOf returns what is said of a page.
func (l *listing) pageOf(page *store.Page[store.Subscription]) wire.Pagination {
	return wire.NewPagination(page, !l.q.Filtered())
}

// isBack reports whether the cursor is of the end of a page, so that a listing in steps would begin
// with its last. A cursor does not say so: it is the store's. But a page of one webhook is at that
// end of a longer page which the cursor belongs to.
func (l *listing) isBack(ctx context.Context) (bool, error) {
	if l.q.Cursor == "" || l.q.Limit <= listStep { // one step, so it does not matter
		return false, nil
	}
	for {
		q := l.q
		q.Limit = 1
		one, err := l.d.Subscriptions(ctx, q)
		if err != nil || len(one.Items) == 0 {
			return false, err
		}
		q.Limit = listStep
		more, err := l.d.Subscriptions(ctx, q)
		if err != nil || len(more.Items) == 0 {
			return false, err
		}
		switch one.Items[0].ID {
		case more.Items[0].ID:
			return false, nil
		case more.Items[len(more.Items)-1].ID:
			return true, nil
		}
		// It was deleted between the two.
	}
}

// startBack finds the steps of a page from its end to its beginning, where sending begins, without
// keeping what is in them.
func (l *listing) startBack(ctx context.Context) error {
	l.back, l.sent = true, make(map[string]bool)
	cursor := l.q.Cursor
	for found := 0; ; {
		l.left = l.q.Limit - found
		step, err := l.read(ctx, cursor)
		if err != nil {
			return err
		}
		if found == 0 {
			l.ends.NextCursor = step.Next
		}
		found += len(step.Items)
		next := l.ends.NextCursor
		l.ends = l.pageOf(&step)
		l.ends.NextCursor = next
		if step.Previous == "" || found >= l.q.Limit || len(step.Items) == 0 || l.short {
			l.step, l.left = step.Items, l.q.Limit
			return nil
		}
		l.pending = append(l.pending, cursor)
		cursor = step.Previous
	}
}

// read reads a step of what is left of the page. By a filter the store may find less than there is
// room for: it has read as much as one call may then, and the page ends there.
func (l *listing) read(ctx context.Context, cursor string) (store.Page[store.Subscription], error) {
	q := l.q
	q.Cursor, q.Limit = cursor, listStep
	if l.paged {
		q.Limit = min(listStep, l.left)
	}
	step, err := l.d.Subscriptions(ctx, q)
	l.short = l.q.Filtered() && len(step.Items) < q.Limit
	return step, err
}

// next returns the webhooks of a step, and whether there are more. A step is read when the one
// before it has been sent, so that no more than one is in memory.
func (l *listing) next(ctx context.Context) (items []any, more bool, err error) {
	if l.cursor != "" {
		step, err := l.read(ctx, l.cursor)
		if err != nil {
			return nil, false, err
		}
		l.step = step.Items
		if !l.back {
			l.ends.NextCursor = step.Next
		}
	}
	for i := range l.step {
		// A step that others have deleted from reaches further than it did.
		if id := l.step[i].ID; l.back && !l.sent[id] {
			l.sent[id] = true
		} else if l.back {
			continue
		}
		items = append(items, l.view.Webhook(&l.step[i]))
	}
	l.step = nil
	l.left -= len(items)
	l.cursor = l.ends.NextCursor
	if l.back {
		l.cursor = ""
		if n := len(l.pending); n > 0 {
			l.cursor, l.pending = l.pending[n-1], l.pending[:n-1]
		}
	}
	// A page that fits into one step has no other: isBack has not asked in which direction it goes.
	// The steps of a page that is asked for by its end have been read before, to where it is short.
	if l.paged && (l.left <= 0 || l.q.Limit <= listStep) || l.short && !l.back {
		l.cursor = ""
	}
	return items, l.cursor != "", nil
}

// pagination returns what follows the webhooks.
func (l *listing) pagination() (field string, value any) {
	if !l.paged {
		return "", nil
	}
	return "pagination_data", l.ends
}
