package console

import (
	"strconv"
	"strings"
	"time"

	"github.com/outhook/outhook/httpapi/console/internal/show"
	"github.com/outhook/outhook/store"
)

// action is a request that changes something, or asks before it is changed: the POST of a page, and
// the GET of one that confirms. What it names, it gets from the request's lookups.
type action struct{ *request }

// enable subscribes a webhook again. With "then" it goes on to the replay of what it has missed.
func (q action) enable() (string, *view, error) {
	sub, err := q.subscription(q.form.Get("id"))
	if err != nil {
		return "", nil, err
	}
	_, err = q.d.Update(q.r.Context(), sub.ID, func(s *store.Subscription) error {
		s.Status = store.Subscribed
		return nil
	})
	if err != nil {
		return "", nil, err
	}
	if q.form.Get("then") == "replay" && q.access.May.Send() {
		return show.To("replay", "id", sub.ID, "state", string(store.Canceled)), nil, nil
	}
	return show.To("webhook", "id", sub.ID, "done", "enabled"), nil, nil
}

// pause keeps what is published for a webhook, and sends nothing.
func (q action) pause() (string, *view, error) {
	sub, err := q.subscription(q.form.Get("id"))
	if err == nil {
		_, err = q.d.Pause(q.r.Context(), sub.ID)
	}
	return show.To("webhook", "id", sub.ID, "done", "paused"), nil, err
}

// resume ends a pause.
func (q action) resume() (string, *view, error) {
	sub, err := q.subscription(q.form.Get("id"))
	if err == nil {
		_, err = q.d.Resume(q.r.Context(), sub.ID)
	}
	return show.To("webhook", "id", sub.ID, "done", "resumed"), nil, err
}

// disable unsubscribes a webhook.
func (q action) disable() (string, *view, error) {
	sub, err := q.subscription(q.form.Get("id"))
	if err == nil {
		_, err = q.d.Unsubscribe(q.r.Context(), sub.ID)
	}
	return show.To("webhook", "id", sub.ID, "done", "disabled"), nil, err
}

// remove deletes a webhook.
func (q action) remove() (string, *view, error) {
	sub, err := q.subscription(q.form.Get("id"))
	if err == nil {
		err = q.d.Delete(q.r.Context(), sub.ID)
	}
	return show.To("list", "done", "deleted"), nil, err
}

// maxSelected is how many deliveries one redelivery takes.
const maxSelected = pageSize

// redeliver sends deliveries again: the one of "id" and "event", or those that are selected, each
// as the ID of its webhook, a slash and that of its event. All of them are looked up before one is
// sent.
func (q action) redeliver() (string, *view, error) {
	ctx := q.r.Context()
	selected, many := q.form["d"], q.form.Has("many")
	if !many {
		selected = []string{q.form.Get("id") + "/" + q.form.Get("event")}
	}
	if len(selected) > maxSelected {
		return "", nil, &problem{400, "Too many", "At most " + strconv.Itoa(maxSelected) +
			" deliveries can be selected. Replay all that match instead."}
	}
	var all []store.Delivery
	for _, both := range selected {
		id, event, _ := strings.Cut(both, "/")
		_, d, err := q.oneDelivery(id, event)
		if err != nil {
			return "", nil, err
		}
		all = append(all, d)
	}
	for _, d := range all {
		if d.Erased {
			return "", nil, &problem{409, "Erased",
				"What this event carried was erased, so it can't be sent again."}
		}
		if err := q.d.Redeliver(ctx, d.SubscriptionID, d.EventID); err != nil {
			return "", nil, err
		}
	}
	if !many {
		return show.To("delivery", "id", all[0].SubscriptionID, "event", all[0].EventID,
			"done", "redeliver"), nil, nil
	}
	f, err := q.readFilter() // to go back to the same list
	if err != nil {
		return "", nil, err
	}
	done := "redeliver"
	if len(all) == 0 {
		done = "nothing"
	}
	return withDone(f.URL("deliveries"), done), nil, nil
}

// withDone adds what was done to a URL.
func withDone(url, done string) string {
	if strings.Contains(url, "?") {
		return url + "&done=" + done
	}
	return url + "?done=" + done
}

// rotate gives a webhook a new key, and goes on to the page that shows it. A form that is sent twice
// rotates once: the second finds a webhook that has changed since its page was made.
func (q action) rotate() (string, *view, error) {
	sub, err := q.subscription(q.form.Get("id"))
	if err != nil {
		return "", nil, err
	}
	hours, err := strconv.Atoi(q.form.Get("overlap"))
	if err != nil || hours < 0 || hours > 24*30 {
		return "", nil, &problem{400, "Not valid", "Choose one of the times for the old key."}
	}
	if q.form.Get("updated") != version(&sub) {
		return "", nil, &problem{409, "Not done",
			"The webhook has changed meanwhile. Go back to it, and ask for a new key there."}
	}
	sub, err = q.d.RotateSecret(q.r.Context(), sub.ID, "", time.Duration(hours)*time.Hour)
	if err != nil {
		return "", nil, err
	}
	q.proveKey(&sub)
	return show.To("key", "id", sub.ID), nil, nil
}

// erase removes what an event carried.
func (q action) erase() (string, *view, error) {
	_, d, err := q.oneDelivery(q.form.Get("id"), q.form.Get("event"))
	if err != nil {
		return "", nil, err
	}
	err = q.d.Erase(q.r.Context(), d.Tenant, d.EventID)
	return show.To("delivery", "id", d.SubscriptionID, "event", d.EventID, "done", "erased"), nil, err
}

// test sends a ping and goes back to the webhook, which shows what came of it.
func (q action) test() (string, *view, error) {
	sub, err := q.subscription(q.form.Get("id"))
	if err != nil {
		return "", nil, err
	}
	a, err := q.d.Ping(q.r.Context(), sub.ID)
	if err != nil {
		return "", nil, err
	}
	q.rememberTest(sub.ID, &a)
	return show.To("webhook", "id", sub.ID) + "#test", nil, nil
}
