package effect

// Log collects the effects of one transaction, in the order in which memory must learn them. Its
// zero value is empty. It is for one goroutine.
//
// Effects that come once for every delivery are allocated many at a time, since a batch has
// hundreds of them and keeps them all until it has committed.
type Log struct {
	list     []Effect
	enqueued slab[EventEnqueued]
	changed  slab[DeliveryChanged]
	healths  slab[HealthChanged]
	backlogs slab[BacklogChanged]
}

// All returns the effects in their order. The log must not be used afterwards.
func (l *Log) All() []Effect { return l.list }

// Len returns how many effects there are.
func (l *Log) Len() int { return len(l.list) }

// Truncate drops all effects but the first n: those of an operation that has failed.
func (l *Log) Truncate(n int) { l.list = l.list[:n] }

// Add adds an effect that is not one of those below.
func (l *Log) Add(e Effect) { l.list = append(l.list, e) }

// AddEnqueued adds that an event was stored.
func (l *Log) AddEnqueued(e EventEnqueued) { l.Add(l.enqueued.add(e)) }

// AddDelivery adds what a delivery has become.
func (l *Log) AddDelivery(e DeliveryChanged) { l.Add(l.changed.add(e)) }

// AddHealth adds the new health of a subscription.
func (l *Log) AddHealth(e HealthChanged) { l.Add(l.healths.add(e)) }

// AddBacklog adds the new backlog of a subscription.
func (l *Log) AddBacklog(e BacklogChanged) { l.Add(l.backlogs.add(e)) }

// slab is values that are allocated many at a time and never move.
type slab[T any] []T

// add returns the address of a copy of v.
func (s *slab[T]) add(v T) *T {
	if len(*s) == cap(*s) {
		// A new array, so that the addresses in the old one stay good.
		*s = make([]T, 0, min(max(1, 2*cap(*s)), 32))
	}
	*s = append(*s, v)
	return &(*s)[len(*s)-1]
}
