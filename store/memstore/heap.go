package memstore

import "container/heap"

// heapOf is a heap whose items know their position in it, so that any of them can be taken out.
type heapOf[T any] struct {
	items []T
	less  func(a, b T) bool
	index func(item T) *int // where the item keeps its position
}

func (h *heapOf[T]) len() int     { return len(h.items) }
func (h *heapOf[T]) first() T     { return h.items[0] }
func (h *heapOf[T]) push(item T)  { heap.Push((*sortable[T])(h), item) }
func (h *heapOf[T]) remove(i int) { heap.Remove((*sortable[T])(h), i) }

// sortable is a heapOf as container/heap wants it.
type sortable[T any] heapOf[T]

func (h *sortable[T]) Len() int           { return len(h.items) }
func (h *sortable[T]) Less(i, j int) bool { return h.less(h.items[i], h.items[j]) }

func (h *sortable[T]) Swap(i, j int) {
	h.items[i], h.items[j] = h.items[j], h.items[i]
	*h.index(h.items[i]) = i
	*h.index(h.items[j]) = j
}

func (h *sortable[T]) Push(x any) {
	item := x.(T)
	*h.index(item) = len(h.items)
	h.items = append(h.items, item)
}

func (h *sortable[T]) Pop() any {
	last := len(h.items) - 1
	item := h.items[last]
	var none T
	h.items[last] = none // so that the collector gets it
	h.items = h.items[:last]
	return item
}
