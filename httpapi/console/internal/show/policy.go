package show

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/outhook/outhook/dispatcher"
)

// Fact is a name with a value.
type Fact struct{ Name, Value string }

// delay is a Span that may be less than a second.
func delay(d time.Duration) string {
	if d < time.Minute {
		return Seconds(d)
	}
	return Span(d)
}

// PolicyFacts say what of a policy is not as it is by default, for people.
func PolicyFacts(p *dispatcher.Policy) (facts []Fact) {
	add := func(differs bool, name, format string, args ...any) {
		if differs {
			facts = append(facts, Fact{name, fmt.Sprintf(format, args...)})
		}
	}
	b := &p.Backoff
	add(p.Timeout != dispatcher.DefaultTimeout, "Timeout", "%s", Seconds(p.Timeout))
	add(b.MaxAttempts != dispatcher.DefaultMaxAttempts, "Attempts", "%s at most",
		Number(b.MaxAttempts))
	add(b.Initial != dispatcher.DefaultBackoffInitial || b.Max != dispatcher.DefaultBackoffMax ||
		b.Multiplier != dispatcher.DefaultBackoffMultiplier,
		"Retries", "after %s, up to %s apart", delay(b.Initial), delay(b.Max))
	limited := p.Rate > 0 && !math.IsInf(p.Rate, 1)
	add(limited, "Rate", "%s", Rate(p.Rate))
	add(limited && p.Burst > 1, "At once after a pause", "%s", Number(p.Burst))
	add(p.PerSubscription != dispatcher.DefaultPerSubscription, "Attempts at once", "%s at most",
		Number(p.PerSubscription))
	add(p.Method != "POST", "Method", "%s", p.Method)
	add(p.ContentType != "application/json", "Content type", "%s", p.ContentType)
	return facts
}

// Seconds is a time that somebody has set, exactly.
func Seconds(d time.Duration) string {
	return strconv.FormatFloat(d.Seconds(), 'f', -1, 64) + " s"
}

// Rate is a rate in a second, as one in so many seconds if it is less than one.
func Rate(perSecond float64) string {
	if perSecond >= 1 {
		return strconv.FormatFloat(perSecond, 'g', 6, 64) + " a second"
	}
	return "one in " + strconv.FormatFloat(1/perSecond, 'g', 4, 64) + " s"
}
