package schedule

import "container/list"

// idle keeps the Subs that have nothing, for what is known of them, the longest so in front.
type idle[Q, L any] struct {
	list list.List
	max  int
}

// note takes q in if it has nothing, and out if it has something. It returns the one that has been
// there the longest if there are too many; nil otherwise.
func (i *idle[Q, L]) note(q *Sub[Q, L]) (longest *Sub[Q, L]) {
	switch {
	case !q.empty():
		i.remove(q)
	case q.idle == nil:
		q.idle = i.list.PushBack(q)
		if i.list.Len() > i.max {
			return i.list.Front().Value.(*Sub[Q, L])
		}
	}
	return nil
}

// remove takes q out, if it is in.
func (i *idle[Q, L]) remove(q *Sub[Q, L]) {
	if q.idle != nil {
		i.list.Remove(q.idle)
		q.idle = nil
	}
}
