package groupcommit

// Waiting returns how many operations are in the queue.
func (g *Group[Tx]) Waiting() (n int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for o := g.waiting.first; o != nil; o = o.next {
		n++
	}
	return n
}
