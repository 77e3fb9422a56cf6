package store

import (
	"cmp"
	"slices"
	"time"
)

// FiguresQuery says of which attempts figures are, and how fine. Its zero value is the tenant "",
// by the minute.
type FiguresQuery struct {
	SubscriptionID string // of this subscription alone; if empty, of a tenant or of all
	Tenant         string // of this tenant's subscriptions
	AnyTenant      bool   // of all that the store has; Tenant is ignored

	Per Resolution
}

// Resolution is how fine [Figures] are.
type Resolution int

const (
	PerMinute Resolution = iota // the last 60 minutes
	PerHour                     // the last 72 hours
)

// Each returns how long each of the figures is: a minute or an hour.
func (r Resolution) Each() time.Duration {
	if r == PerHour {
		return time.Hour
	}
	return time.Minute
}

// Count returns how many figures there are.
func (r Resolution) Count() int {
	if r == PerHour {
		return 72
	}
	return 60
}

// Figures sum up attempts minute by minute, or hour by hour.
type Figures struct {
	Start time.Time     // when the first begins, by the store's clock: at a full minute or hour, UTC
	Each  time.Duration // how long each is
	// Sums has them all, those without attempts too, oldest first. The last is of the minute, or
	// hour, that is not over yet.
	Sums []Figure
}

// Figure sums up the attempts of a minute or an hour.
type Figure struct {
	Delivered int // attempts that succeeded
	Failed    int // attempts that did not

	// Answers counts the attempts that were answered by how long the answer took, the quickest
	// first.
	Answers []Answers
}

// Answers is how many answers took about so long, to within a tenth; an answer within a millisecond
// counts as a little less than that.
type Answers struct {
	Took  time.Duration
	Count int
}

// Add adds what o sums up.
func (f *Figure) Add(o *Figure) {
	f.Delivered += o.Delivered
	f.Failed += o.Failed
	f.Answers = slices.Concat(f.Answers, o.Answers) // a copy: the caller may have the other
	slices.SortFunc(f.Answers, func(a, b Answers) int { return cmp.Compare(a.Took, b.Took) })
	sums := f.Answers[:0]
	for _, a := range f.Answers {
		if n := len(sums); n > 0 && sums[n-1].Took == a.Took {
			sums[n-1].Count += a.Count
			continue
		}
		sums = append(sums, a)
	}
	f.Answers = sums
}

// Stats returns the figure as [Stats] has them.
func (f *Figure) Stats() AttemptStats {
	return AttemptStats{
		Delivered: f.Delivered, Failed: f.Failed, P50: f.Percentile(50), P95: f.Percentile(95),
	}
}

// Percentile returns the time within which p % of the answers came, p from 1 to 100; zero if there
// were none.
func (f *Figure) Percentile(p int) time.Duration {
	total := 0
	for _, a := range f.Answers {
		total += a.Count
	}
	// Rounded up: of one answer, each percentile is that.
	rank, seen := (total*p+99)/100, 0
	for _, a := range f.Answers {
		if seen += a.Count; seen >= rank {
			return a.Took
		}
	}
	return 0
}
