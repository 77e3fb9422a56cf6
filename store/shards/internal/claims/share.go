package claims

import (
	"context"
	"slices"

	"github.com/outhook/outhook/store"
)

// step shares what is left of the request among the stores that may have something, and asks them.
// It returns how many were asked and what they yielded. One that has yielded all that it was asked
// for may have more, and gets a share of what the others have left in the next step.
func (r *round) step(ctx context.Context) (asked, yielded int) {
	all := r.shares()
	// After the shares of Max: what is not healthy is a part of those.
	r.grant(all)
	yields := r.askAll(ctx, all)
	room := r.room()
	for i, yield := range yields {
		a := &all[i]
		if yield < 0 {
			continue // it is spent, as it is slow or has failed
		}
		yielded += yield
		p := r.part(a.claimer)
		switch s := p.last; {
		case !s.is: // there may be more
		// There may be more of what the limit kept back, as long as others leave room in it.
		case s.unhealthy:
			p.spent = room.Unhealthy <= 0
		case s.failing:
			p.spent = room.Failing <= 0
		default: // it has no more
			p.spent = true
		}
	}
	return len(all), yielded
}

// shares shares what is left of Max, one more for those whose turn is next. They come last then.
// Stores that have nothing keep their turn: if it passed them by, anybody who comes after them
// would have two.
func (r *round) shares() (all []asking) {
	for _, c := range r.turns {
		if r.mayAsk(c) {
			all = append(all, asking{claimer: c, req: r.req})
		}
	}
	n := len(all)
	if n == 0 {
		return nil
	}
	// The first of the turns get what the division leaves over, and so go to the end; if nothing is
	// left over, one goes, so that the next Claim begins with another.
	for i := range all {
		all[i].req.Max = share(r.left(), n, i)
	}
	for _, a := range all[:max(1, r.left()%n)] {
		i := slices.Index(r.turns, a.claimer)
		r.turns = append(slices.Delete(r.turns, i, i+1), a.claimer)
	}
	return all[:min(n, r.left())]
}

// share returns the part of n that the ith of so many gets.
func share(n, of, i int) int {
	if i < n%of {
		return n/of + 1
	}
	return n / of
}

// grant shares what is left of the limits of what is not healthy. To a store, what others have
// leased or may lease now is leased elsewhere.
func (r *round) grant(all []asking) {
	if !r.counted { // the limits leave room for all that may be claimed
		for i := range all {
			all[i].granted = store.Leased{Unhealthy: all[i].req.Max, Failing: all[i].req.Max}
		}
		return
	}
	room, leased := r.room(), r.leased()
	for i := range all {
		a := &all[i]
		a.granted = store.Leased{
			Unhealthy: share(max(room.Unhealthy, 0), len(all), i),
			Failing:   share(max(room.Failing, 0), len(all), i),
		}
		own := &a.claimer.leased
		a.req.Elsewhere = store.Leased{
			Unhealthy: min(r.req.Elsewhere.Unhealthy+leased.Unhealthy-own.Unhealthy+
				max(room.Unhealthy, 0)-a.granted.Unhealthy, store.MaxLimit),
			Failing: min(r.req.Elsewhere.Failing+leased.Failing-own.Failing+
				max(room.Failing, 0)-a.granted.Failing, store.MaxLimit),
		}
		// Without a limit its room is negative, and means nothing.
		if r.req.MaxUnhealthy == 0 {
			a.granted.Unhealthy, a.req.Elsewhere.Unhealthy = 0, 0
		}
		if r.req.MaxFailing == 0 {
			a.granted.Failing, a.req.Elsewhere.Failing = 0, 0
		}
	}
}

// leased returns what is leased in all stores, and what slow ones may be leasing now.
func (r *round) leased() (sum store.Leased) {
	for _, c := range r.claimers {
		sum.Unhealthy += c.leased.Unhealthy
		sum.Failing += c.leased.Failing
		if c.call != nil {
			sum.Unhealthy += c.granted.Unhealthy
			sum.Failing += c.granted.Failing
		}
	}
	return sum
}

// room returns what is left of the limits that the stores share.
func (r *round) room() store.Leased {
	leased := r.leased()
	return store.Leased{
		Unhealthy: r.req.MaxUnhealthy - r.req.Elsewhere.Unhealthy - leased.Unhealthy,
		Failing:   r.req.MaxFailing - r.req.Elsewhere.Failing - leased.Failing,
	}
}
