package boltstore

import "container/heap"

// timed is something that a heap sorts by time, and that knows its position there.
type timed interface {
	time() int64
	position() *int // 0 when it is in no heap, or else 1 more than its index
}

// timeHeap has what comes first on top.
type timeHeap[T timed] struct{ items []T }

// set puts an item where it belongs by its time.
func (h *timeHeap[T]) set(item T) {
	if p := *item.position(); p > 0 {
		heap.Fix(h, p-1)
	} else {
		heap.Push(h, item)
	}
}

// drop takes an item out, if it is in.
func (h *timeHeap[T]) drop(item T) {
	if p := *item.position(); p > 0 {
		heap.Remove(h, p-1)
	}
}

// first returns the item on top; ok is false when there is none.
func (h *timeHeap[T]) first() (item T, ok bool) {
	if len(h.items) == 0 {
		return item, false
	}
	return h.items[0], true
}

// The rest is for container/heap.

func (h *timeHeap[T]) Len() int           { return len(h.items) }
func (h *timeHeap[T]) Less(i, j int) bool { return h.items[i].time() < h.items[j].time() }

func (h *timeHeap[T]) Swap(i, j int) {
	h.items[i], h.items[j] = h.items[j], h.items[i]
	*h.items[i].position() = i + 1
	*h.items[j].position() = j + 1
}

func (h *timeHeap[T]) Push(x any) {
	item := x.(T)
	h.items = append(h.items, item)
	*item.position() = len(h.items)
}

func (h *timeHeap[T]) Pop() any {
	last := len(h.items) - 1
	item := h.items[last]
	var none T
	h.items[last] = none // so that the collector gets it
	h.items = h.items[:last]
	*item.position() = 0
	return item
}
