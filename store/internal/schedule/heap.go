package schedule

import "container/heap"

// ranked is something that a heap sorts, and that knows its index there.
type ranked[T any] interface {
	before(T) bool
	index() *int // 0 if it is in no heap, else 1 more than its index
}

// heapOf has the first item on top.
type heapOf[T ranked[T]] struct{ items []T }

// set puts an item where it belongs by its time.
func (h *heapOf[T]) set(item T) {
	if i := *item.index(); i > 0 {
		heap.Fix(h, i-1)
	} else {
		heap.Push(h, item)
	}
}

// drop takes an item out, if it is in.
func (h *heapOf[T]) drop(item T) {
	if i := *item.index(); i > 0 {
		heap.Remove(h, i-1)
	}
}

// first returns the item on top; ok is false if there is none.
func (h *heapOf[T]) first() (item T, ok bool) {
	if len(h.items) == 0 {
		return item, false
	}
	return h.items[0], true
}

// walk calls f for the item at an index and those below it, the earlier before the later, but not
// for what is below one for which f is false.
func (h *heapOf[T]) walk(i int, f func(T) (on bool)) {
	if i < len(h.items) && f(h.items[i]) {
		h.walk(2*i+1, f)
		h.walk(2*i+2, f)
	}
}

// reorder puts all items where they belong, after their ranks have changed.
func (h *heapOf[T]) reorder() { heap.Init(h) }

// The rest is for container/heap.

func (h *heapOf[T]) Len() int           { return len(h.items) }
func (h *heapOf[T]) Less(i, j int) bool { return h.items[i].before(h.items[j]) }

func (h *heapOf[T]) Swap(i, j int) {
	h.items[i], h.items[j] = h.items[j], h.items[i]
	*h.items[i].index() = i + 1
	*h.items[j].index() = j + 1
}

func (h *heapOf[T]) Push(x any) {
	item := x.(T)
	h.items = append(h.items, item)
	*item.index() = len(h.items)
}

func (h *heapOf[T]) Pop() any {
	last := len(h.items) - 1
	item := h.items[last]
	var none T
	h.items[last] = none // so that the collector gets it
	h.items = h.items[:last]
	*item.index() = 0
	return item
}
