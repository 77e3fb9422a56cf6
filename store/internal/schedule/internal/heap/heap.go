// Package heap has the heap that the schedule keeps its turns, leases and sleepers in. The first is
// on top, and each item knows its index, so that it is moved or taken out without a search.
package heap

import "container/heap"

// Item is something that a heap sorts, and that knows its index there.
type Item[T any] interface {
	Before(T) bool
	Index() *int // 0 if it is in no heap, else 1 more than its index
}

// Of is a heap of items with the first on top. Its zero value is empty. Set must follow each change
// of what Before goes by. It is not safe for concurrent use.
type Of[T Item[T]] struct{ items []T }

// Set puts an item where it belongs by its time.
func (h *Of[T]) Set(item T) {
	if i := *item.Index(); i > 0 {
		heap.Fix(h, i-1)
	} else {
		heap.Push(h, item)
	}
}

// Drop takes an item out, if it is in.
func (h *Of[T]) Drop(item T) {
	if i := *item.Index(); i > 0 {
		heap.Remove(h, i-1)
	}
}

// First returns the item on top; ok is false if there is none.
func (h *Of[T]) First() (item T, ok bool) {
	if len(h.items) == 0 {
		return item, false
	}
	return h.items[0], true
}

// Walk calls f for the item at an index and those below it, the earlier before the later, but not
// for what is below one for which f is false.
func (h *Of[T]) Walk(i int, f func(T) (on bool)) {
	if i < len(h.items) && f(h.items[i]) {
		h.Walk(2*i+1, f)
		h.Walk(2*i+2, f)
	}
}

// Reorder puts all items where they belong, after their ranks have changed.
func (h *Of[T]) Reorder() { heap.Init(h) }

// Items returns all items: each is after the one at (i-1)/2, so those at the front come soon. It is
// for reading, until the heap changes.
func (h *Of[T]) Items() []T { return h.items }

// The rest is for container/heap.

func (h *Of[T]) Len() int           { return len(h.items) }
func (h *Of[T]) Less(i, j int) bool { return h.items[i].Before(h.items[j]) }

func (h *Of[T]) Swap(i, j int) {
	h.items[i], h.items[j] = h.items[j], h.items[i]
	*h.items[i].Index() = i + 1
	*h.items[j].Index() = j + 1
}

func (h *Of[T]) Push(x any) {
	item := x.(T)
	h.items = append(h.items, item)
	*item.Index() = len(h.items)
}

func (h *Of[T]) Pop() any {
	last := len(h.items) - 1
	item := h.items[last]
	var none T
	h.items[last] = none // so that the collector gets it
	h.items = h.items[:last]
	*item.Index() = 0
	return item
}
