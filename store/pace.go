package store

import "time"

// Pacing is what the pace of an endpoint that throttles is learnt from.
//
// An endpoint that answers 429 has a rate, and does not say which. Pace is the interval between
// attempts that is tried: each success makes it a little shorter, each throttled answer longer, and
// what is kept of the last throttled answer says how carefully. Close to the pace that was too fast
// the last time, it shrinks slowly, or else every tenth answer would be a 429 again; far from it,
// fast, so that a limit that has gone is forgotten within minutes.
type Pacing struct {
	// Streak counts the throttled answers, one for each hold, since the last success.
	Streak int

	// Successes counts the successes since the last throttled answer, maxPacedSuccesses at most.
	Successes int

	// ThrottledAt is when the first answer of the last such streak was recorded, ThrottledPace the
	// Pace that was too fast then, and Hold how long the subscription was held.
	ThrottledAt   time.Time
	ThrottledPace time.Duration
	Hold          time.Duration
}

const (
	firstHold = time.Second     // the hold after a throttled answer that does not say how long
	maxHold   = 5 * time.Minute // the longest, which nothing but throttled answers leads to
	minPace   = time.Millisecond
	maxPace   = 5 * time.Minute

	maxCostlyHold     = 10 * time.Second
	maxPacedSuccesses = 1000 // after so many without a pace, all is forgotten
)

// throttle holds the subscription, and slows it down. Throttled answers to attempts that started
// before the end of the last hold, and so before it began, may lengthen it, and say nothing new.
func (h *Health) throttle(o *Outcome, now time.Time) {
	p := &h.Pacing
	again := h.HeldUntil.After(now.Add(-o.Attempt.Duration))
	asked := o.ThrottleFor
	hold := asked
	switch {
	case asked > 0:
	case again:
		return
	case h.Pace > 0:
		hold = min(h.Pace<<min(p.Streak, 20), maxHold)
	default:
		hold = min(firstHold<<min(p.Streak, 20), maxHold)
	}
	if until := now.Add(hold); until.After(h.HeldUntil) {
		h.HeldUntil = until
	}
	if again {
		return
	}
	h.SlowStart = min(h.SlowStart+1, MaxSlowStart)
	if p.Streak == 0 { // or else it was the hold that was too short, and not the pace
		h.slowDown(now)
	}
	p.Streak++
	p.Hold = h.HeldUntil.Sub(p.ThrottledAt)
}

// slowDown makes Pace longer. The first throttled answer may mean a burst, or too many at once;
// then the hold and the halved limit are all that is done.
func (h *Health) slowDown(now time.Time) {
	p := &h.Pacing
	tooFast := h.Pace
	if !p.ThrottledAt.IsZero() {
		n := time.Duration(max(p.Successes, 1))
		// The fewer got through since the last one, the farther Pace is from right.
		h.Pace += h.Pace / min(n+1, 10)
		// What got through, in the time that it took, is a pace too. If little was sent, most of
		// that time says nothing, so no more counts than the hold that the endpoint needed.
		h.Pace = max(h.Pace, min(now.Sub(p.ThrottledAt), 2*p.Hold)/n, minPace)
		h.Pace = min(h.Pace, maxPace)
	}
	p.Successes, p.ThrottledAt, p.ThrottledPace = 0, now, tooFast
}

// quicken makes Pace shorter, after a success.
func (h *Health) quicken() {
	p := &h.Pacing
	if p.ThrottledAt.IsZero() {
		return
	}
	p.Streak = 0
	p.Successes = min(p.Successes+1, maxPacedSuccesses)
	switch {
	case h.Pace == 0:
		if p.Successes == maxPacedSuccesses {
			*p = Pacing{}
		}
		return
	case p.ThrottledPace == 0:
		h.Pace -= h.perAttempt(16) // it was a guess
	case h.Pace < p.ThrottledPace*9/10 || h.Pace > p.ThrottledPace*5/4:
		h.Pace -= h.perAttempt(64)
	default:
		// Each throttled answer costs a hold, and should cost no more than a twentieth of the time.
		h.Pace -= h.Pace / max(400, 200*min(p.Hold, maxCostlyHold)/h.Pace)
	}
	if h.Pace < minPace {
		h.Pace = 0
	}
}

// perAttempt returns an nth of the pace, or less where so many attempts are under way at once that
// the answers to a change of pace come late.
func (h *Health) perAttempt(n time.Duration) time.Duration {
	return h.Pace / (n * max(h.Latency/h.Pace, 1))
}
