package faults

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
)

// Ledger holds what hosts have said against what arrived. It is safe for concurrent use.
type Ledger struct {
	mu       sync.Mutex
	tried    map[string]bool
	acked    map[string]bool
	failed   map[string]bool // Publish has returned an error for it
	erasing  map[string]bool
	erased   map[string]int // in which life of the host
	lives    []string       // the Agents of hosts, in turn
	arrivals map[arrival]map[string]int
	faults   []string
	troubles int
}

// arrival is one event at one endpoint. The ledger counts them by the life of the host that sent
// them.
type arrival struct{ endpoint, id string }

// NewLedger returns an empty ledger.
func NewLedger() *Ledger {
	return &Ledger{
		tried: make(map[string]bool), acked: make(map[string]bool), failed: make(map[string]bool),
		erasing: make(map[string]bool), erased: make(map[string]int),
		arrivals: make(map[arrival]map[string]int),
	}
}

// Note takes a mark of a host.
func (l *Ledger) Note(m Mark) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for id := range strings.SplitSeq(m.ID, ",") {
		switch m.Kind {
		case Try:
			l.tried[id] = true
		case Ack:
			l.acked[id] = true
		case Fail:
			l.failed[id] = true
		case Opened:
			l.lives = append(l.lives, m.Text)
		case Erasing:
			l.erasing[id] = true
		case Erased:
			l.erased[id] = slices.Index(l.lives, m.Text)
		case Trouble:
			l.troubles++
		}
	}
}

// Arrived notes a request that was answered with 200, and the User-Agent of the life of the host
// that made it.
func (l *Ledger) Arrived(endpoint, id, agent string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	a := arrival{endpoint, id}
	if l.arrivals[a] == nil {
		l.arrivals[a] = make(map[string]int)
	}
	l.arrivals[a][agent]++
	if n := l.arrivals[a][agent]; n > 1 {
		l.faults = append(l.faults,
			fmt.Sprintf("%s got %s %d times in one life of the host", endpoint, id, n))
	}
}

// Fault notes that something is wrong.
func (l *Ledger) Fault(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.faults = append(l.faults, fmt.Sprintf(format, args...))
}

// InDoubt returns the events that were tried and not acknowledged.
func (l *Ledger) InDoubt() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var ids []string
	for id := range l.tried {
		if !l.acked[id] {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// Progress returns how many events were acknowledged and how many requests answered with 200.
func (l *Ledger) Progress() (acked, arrived int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, n := range l.arrivals {
		arrived += sum(n)
	}
	return len(l.acked), arrived
}

func sum(byAgent map[string]int) (n int) {
	for _, k := range byAgent {
		n += k
	}
	return n
}

// Verdict is what a ledger comes to.
type Verdict struct {
	Acked    int      // events whose Publish returned nil
	Erased   int      // events whose Erase returned nil
	Arrived  int      // requests answered with 200
	Lost     int      // acknowledged events that an endpoint never got, counted for each
	Doubled  int      // requests beyond the first for one event at one endpoint
	Failed   int      // events whose Publish returned an error at least once
	Troubles int      // what the dispatcher said of its store
	Faults   []string // what must never be: forged, or doubled within one life of the host
}

// Judge returns the verdict, once everything acknowledged should have arrived at each of the
// endpoints.
func (l *Ledger) Judge(endpoints ...string) Verdict {
	l.mu.Lock()
	defer l.mu.Unlock()
	v := Verdict{Acked: len(l.acked), Erased: len(l.erased), Failed: len(l.failed),
		Troubles: l.troubles, Faults: slices.Clone(l.faults)}
	for a, n := range l.arrivals {
		v.Arrived += sum(n)
		v.Doubled += sum(n) - 1
		if agent := l.sentLater(a.id, n); agent != "" {
			v.Faults = append(v.Faults, fmt.Sprintf(
				"%s got %s from %s, a life of the host after it had been erased",
				a.endpoint, a.id, agent))
		}
		if !l.tried[a.id] {
			v.Faults = append(v.Faults,
				fmt.Sprintf("%s got %s, which was never published", a.endpoint, a.id))
		}
	}
	for _, id := range slices.Sorted(maps.Keys(l.acked)) {
		for _, e := range endpoints {
			if l.arrivals[arrival{e, id}] == nil && !l.erasing[id] {
				v.Lost++
				v.Faults = append(v.Faults, fmt.Sprintf("%s never got %s, which was acknowledged", e, id))
			}
		}
	}
	return v
}

// sentLater returns a life of the host that sent an event after Erase of it had returned in an
// earlier life; "" if no life did.
func (l *Ledger) sentLater(id string, byAgent map[string]int) string {
	life, ok := l.erased[id]
	for agent := range byAgent {
		if ok && slices.Index(l.lives, agent) > life {
			return agent
		}
	}
	return ""
}

// String returns the figures.
func (v Verdict) String() string {
	return fmt.Sprintf("%d events acknowledged, %d erased, %d requests delivered, %d lost, "+
		"%d doubled; %d publishes failed, %d times trouble with the store",
		v.Acked, v.Erased, v.Arrived, v.Lost, v.Doubled, v.Failed, v.Troubles)
}
