package schedule

// ImplicitCount returns how many deliveries of its implicit list are pending.
func (q *Sub[Q, L]) ImplicitCount() int {
	_, n := q.implicit.Len()
	return n
}
