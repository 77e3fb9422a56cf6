package shards

import (
	"context"
	"slices"

	"github.com/outhook/outhook/store"
)

// step shares what is left of the request among the shards that may have something, and asks them.
// It returns how many were asked and what they yielded.
func (r *round) step(ctx context.Context) (asked, yielded int) {
	all := r.shares()
	r.grant(all)
	yields := r.askAll(ctx, all)
	room := r.room()
	for i, yield := range yields {
		a := &all[i]
		if yield < 0 {
			continue // it is spent
		}
		yielded += yield
		p := r.parts[a.sh]
		switch s := p.last; {
		case !s.is: // there may be more
		case s.unhealthy:
			p.spent = room.Unhealthy <= 0
		case s.failing:
			p.spent = room.Failing <= 0
		default:
			p.spent = true
		}
	}
	return len(all), yielded
}

// shares shares what is left of Max, one more for those whose turn is next. They come last then.
// Shards that have nothing keep their turn: if it passed them by, anybody who comes after them
// would have two.
func (r *round) shares() (all []asking) {
	for _, sh := range r.turns {
		if r.mayAsk(sh) {
			all = append(all, asking{sh: sh, req: r.req})
		}
	}
	n := len(all)
	if n == 0 {
		return nil
	}
	for i := range all {
		all[i].req.Max = share(r.left(), n, i)
	}
	for _, a := range all[:max(1, r.left()%n)] {
		i := slices.Index(r.turns, a.sh)
		r.turns = append(slices.Delete(r.turns, i, i+1), a.sh)
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

// grant shares what is left of the limits of what is not healthy. To a shard, what others have
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
		own := &a.sh.claims.leased
		a.req.Elsewhere = store.Leased{
			Unhealthy: min(r.req.Elsewhere.Unhealthy+leased.Unhealthy-own.Unhealthy+
				max(room.Unhealthy, 0)-a.granted.Unhealthy, store.MaxLimit),
			Failing: min(r.req.Elsewhere.Failing+leased.Failing-own.Failing+
				max(room.Failing, 0)-a.granted.Failing, store.MaxLimit),
		}
		if r.req.MaxUnhealthy == 0 {
			a.granted.Unhealthy, a.req.Elsewhere.Unhealthy = 0, 0
		}
		if r.req.MaxFailing == 0 {
			a.granted.Failing, a.req.Elsewhere.Failing = 0, 0
		}
	}
}

// leased returns what is leased in all shards, and what slow ones may be leasing now.
func (r *round) leased() (sum store.Leased) {
	for _, sh := range r.shards {
		c := &sh.claims
		sum.Unhealthy += c.leased.Unhealthy
		sum.Failing += c.leased.Failing
		if c.call != nil {
			sum.Unhealthy += c.granted.Unhealthy
			sum.Failing += c.granted.Failing
		}
	}
	return sum
}

// room returns what is left of the limits that the shards share.
func (r *round) room() store.Leased {
	leased := r.leased()
	return store.Leased{
		Unhealthy: r.req.MaxUnhealthy - r.req.Elsewhere.Unhealthy - leased.Unhealthy,
		Failing:   r.req.MaxFailing - r.req.Elsewhere.Failing - leased.Failing,
	}
}
