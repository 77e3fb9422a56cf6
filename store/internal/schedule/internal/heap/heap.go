// Package heap has the heap that the schedule keeps its turns, leases and sleepers in. The first is
// on top, and each item knows its index, so that it is moved or taken out without a search.
package heap

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
	i := *item.Index() - 1
	if i < 0 {
		i = len(h.items)
		h.items = append(h.items, item)
	}
	h.place(i, item)
}

// Drop takes an item out, if it is in.
func (h *Of[T]) Drop(item T) {
	i := *item.Index() - 1
	if i < 0 {
		return
	}
	*item.Index() = 0
	end := len(h.items) - 1
	last := h.items[end]
	var none T
	h.items[end] = none // so that the collector gets it
	if h.items = h.items[:end]; i < end {
		h.place(i, last)
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
func (h *Of[T]) Reorder() {
	for i := len(h.items)/2 - 1; i >= 0; i-- {
		h.sink(i, h.items[i])
	}
}

// Items returns all items: each is after the one at (i-1)/2, so those at the front come soon. It is
// for reading, until the heap changes.
func (h *Of[T]) Items() []T { return h.items }

// Len returns how many items there are.
func (h *Of[T]) Len() int { return len(h.items) }

// What follows is what container/heap does, without its interface: each lease is moved a dozen
// times, and calls through the interface were most of what that cost.

// place puts an item where it belongs. There is room for it at an index; all others are in order.
func (h *Of[T]) place(i int, item T) {
	for i > 0 {
		parent := (i - 1) / 2
		if !item.Before(h.items[parent]) {
			break
		}
		h.put(i, h.items[parent])
		i = parent
	}
	h.sink(i, item)
}

// sink puts an item where it belongs, at an index or below it.
func (h *Of[T]) sink(i int, item T) {
	for {
		child := 2*i + 1
		if child >= len(h.items) {
			break
		}
		if right := child + 1; right < len(h.items) && h.items[right].Before(h.items[child]) {
			child = right
		}
		if !h.items[child].Before(item) {
			break
		}
		h.put(i, h.items[child])
		i = child
	}
	h.put(i, item)
}

func (h *Of[T]) put(i int, item T) {
	h.items[i] = item
	*item.Index() = i + 1
}
