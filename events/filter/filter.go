package filter

// The bounds of what Parse and ParseFields take.
const (
	MaxBytes      = 4096 // of a filter, and of all paths of Fields together
	MaxConditions = 64   // operators of a filter, with the values that are given without one
	MaxSteps      = 8    // of a path
	MaxFields     = 64   // paths
)

// A Filter is a parsed filter. Make one with [Parse].
type Filter struct {
	root  node
	group group
}

// Match reports whether the filter takes an event with the payload, which must be JSON, in UTF-8.
// It does not check that: of anything else it says something, and does not fail.
func (f *Filter) Match(payload []byte) bool {
	w := f.walk(payload)
	return f.group.holds(w.hit)
}

// walk goes through a payload.
func (f *Filter) walk(payload []byte) walker {
	w := walker{scanner: scanner{src: payload}}
	w.value(&f.root, false)
	return w
}

// group is conditions of which all must hold, or any. A condition is a bit.
type group struct {
	all, not bool
	yes      uint64 // those that are to hold
	no       uint64 // those that are not to
	subs     []group
}

// holds reports whether the group holds if the conditions in hit do.
func (g *group) holds(hit uint64) bool {
	is := hit&g.yes != 0 || ^hit&g.no != 0
	if g.all {
		is = hit&g.yes == g.yes && hit&g.no == 0
	}
	for i := 0; i < len(g.subs) && is == g.all; i++ { // until it is decided
		is = g.subs[i].holds(hit)
	}
	return is != g.not
}

// Nothing returns a filter that takes no payload.
func Nothing() *Filter { return &Filter{group: group{all: true, not: true}} }

// ParseStored returns a filter that Parse took when it was stored. If it does not parse any more,
// it takes nothing: an endpoint that asked for some events is not to get all.
func ParseStored(text string) *Filter {
	f, err := Parse([]byte(text))
	if err != nil {
		return Nothing()
	}
	return f
}
