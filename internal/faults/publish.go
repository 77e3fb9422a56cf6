package faults

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/store"
)

// publishOnAndOn publishes from one to three events at a time.
func (h *host) publishOnAndOn(ctx context.Context, publisher int) {
	for n := 0; ctx.Err() == nil; n += 3 {
		var ids []string
		for i := range 1 + n/3%3 {
			ids = append(ids, NewID(fmt.Sprintf("%s_%d", h.Agent, publisher), n+i))
		}
		h.publish(ctx, ids...)
		pause(ctx, h.Pause)
	}
}

func (h *host) pruneOnAndOn(ctx context.Context, s store.Store) {
	for pause(ctx, 5*time.Millisecond) {
		_, err := s.Prune(ctx, store.Retention{Delivered: time.Millisecond})
		if err != nil && ctx.Err() == nil {
			h.mark(Trouble, "prune", "%v", err)
		}
	}
}

func (h *host) publishUntilAcked(ctx context.Context, id string) {
	for !h.publish(ctx, id) && pause(ctx, 5*time.Millisecond) {
	}
}

func (h *host) publish(ctx context.Context, ids ...string) bool {
	name := strings.Join(ids, ",")
	h.mark(Try, name, "")
	err := publishAll(ctx, h.d, ids)
	if err != nil {
		h.mark(Fail, name, "%v", err)
		return false
	}
	h.mark(Ack, name, "")
	for _, id := range ids {
		if h.Erase && contentOf(id).isErased() {
			h.erase(ctx, id)
		}
	}
	return true
}

func (h *host) erase(ctx context.Context, id string) {
	h.mark(Erasing, id, "")
	if err := h.d.Erase(ctx, "", id); err == nil {
		h.mark(Erased, id, "%s", h.Agent)
	}
}

func publishAll(ctx context.Context, d *dispatcher.Dispatcher, ids []string) error {
	evs, err := eventsOf(ids)
	if err != nil {
		return err
	}
	return d.Publish(ctx, evs...)
}
