package publish

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/events/filter"
)

// filters are the filters of subscriptions that the statement has told of. It is safe for
// concurrent use.
//
// The database has no matcher for them, so they are asked here, before the statement that finds the
// recipients. That statement is told which it needs not ask for, by the versions of their
// subscriptions, and whom they refuse. If it finds others, or other versions, it stores nothing and
// returns them; then it is tried again. So what is refused goes by the subscriptions as the
// statement sees them, and while none has a filter nothing is asked and nothing told.
//
// Each caller asks about its own events, before it joins others: a tenant with a thousand filters
// would hold up all who publish if the one that stores for them all asked.
type filters struct {
	mu     sync.Mutex       // guards all below
	takers map[kind][]taker // by number; a list is replaced, and never changed
	bySub  map[int64]taker  // the same, so that a filter is parsed once for all types
	bytes  int              // what both take, about
}

// taker is a subscription with a filter.
type taker struct {
	sub, version int64
	filter       func() *filter.Filter // parses it when it is first asked
	size         int                   // of the filter, in bytes, about
}

// said is what filters have said of an event, by the numbers of their subscriptions.
type said map[int64]answer

type answer struct {
	version int64 // of the subscription
	refuses bool
}

// errUnasked says that filters must be asked about events first, and not here, where others wait.
var errUnasked = errors.New("filters are to be asked first")

// What is kept, in bytes, about.
const (
	maxFilters     = 16 << 20 // at most, but for what one call needs
	filterByte     = 16       // for each byte of a filter's text
	filterOverhead = 256      // for each filter beside that
	takerSize      = 56       // for each in a list
)

// How often a call asks filters. It asks again only when subscriptions have changed in between, but
// they may change all the time. So after some rounds it holds those that take the events, and then
// only new ones can make it ask again.
const (
	maxRounds  = 10 // at most
	freeRounds = 3  // until it holds them
)

// asking calls store with what is known of the filters, until the statement knows no others. If
// they may not be asked here, and there are others, the error is errUnasked. hold says that those
// who take the events are to be held for the rest of the transaction.
func (p *Publisher) asking(
	evs []Event, here bool, store func(j judgement, hold bool) (unasked string, err error),
) error {
	numbers := number(evs)
	for round := range maxRounds {
		if here {
			p.filters.ask(evs)
		} else if !p.filters.asked(evs) {
			return errUnasked
		}
		unasked, err := store(p.filters.judge(evs, numbers), here && round >= freeRounds)
		if err != nil || unasked == "" {
			return err
		}
		if err := p.filters.learn(unasked, numbers); err != nil {
			return err
		}
	}
	return errors.New("subscriptions with filters are created all the time; try again")
}

// judgement is what the statement is told of filters.
type judgement struct {
	known   string    // JSON: the version of each subscription that was asked, by kind and number
	refused []*string // for each event the numbers of those who refuse it, as an array; or nil
}

// ask asks the filters that are known about events, but for those that were asked.
func (f *filters) ask(evs []Event) {
	takers := f.of(number(evs))
	for i := range evs {
		var payload []byte
		for _, t := range takers[kind{evs[i].Tenant, evs[i].Type}] {
			if _, asked := evs[i].said.of(t); asked {
				continue
			}
			if payload == nil {
				payload, _ = events.PayloadOf(evs[i].body) // the body was made by Build
			}
			if evs[i].said == nil {
				evs[i].said = make(said)
			}
			evs[i].said[t.sub] = answer{t.version, !t.filter().Match(payload)}
		}
	}
}

// of returns what a filter has said, if it was asked.
func (s said) of(t taker) (refuses, asked bool) {
	a, there := s[t.sub]
	return a.refuses, there && a.version == t.version
}

// asked reports whether the filters that are known have all been asked about some events.
func (f *filters) asked(evs []Event) bool {
	takers := f.of(number(evs))
	for i := range evs {
		for _, t := range takers[kind{evs[i].Tenant, evs[i].Type}] {
			if _, asked := evs[i].said.of(t); !asked {
				return false
			}
		}
	}
	return true
}

// judge puts together what the filters have said that are known and were asked about all of the
// events of their kind.
func (f *filters) judge(evs []Event, numbers map[kind]int32) judgement {
	j := judgement{refused: []*string{}}
	takers := f.of(numbers) // once, as others learn meanwhile
	if len(takers) == 0 {
		return j
	}
	known := make(map[string]int64)
	for k, list := range takers {
		for i := range list {
			known[fmt.Sprintf("%d:%d", numbers[k], list[i].sub)] = list[i].version
		}
	}
	for i := range evs {
		k := kind{evs[i].Tenant, evs[i].Type}
		var refused []string
		for _, t := range takers[k] {
			switch refuses, asked := evs[i].said.of(t); {
			case !asked: // it was learned just now; the statement says so
				delete(known, fmt.Sprintf("%d:%d", numbers[k], t.sub))
			case refuses:
				refused = append(refused, strconv.FormatInt(t.sub, 10))
			}
		}
		if len(refused) == 0 {
			continue
		}
		if len(j.refused) == 0 {
			j.refused = make([]*string, len(evs))
		}
		list := "{" + strings.Join(refused, ",") + "}"
		j.refused[i] = &list
	}
	text, _ := json.Marshal(known) // it always can be
	j.known = string(text)
	return j
}

// of returns the lists of some kinds; none for those without.
func (f *filters) of(numbers map[kind]int32) (lists map[kind][]taker) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.takers) == 0 { // as for most hosts
		return nil
	}
	for k := range numbers {
		if list := f.takers[k]; len(list) > 0 {
			if lists == nil {
				lists = make(map[kind][]taker)
			}
			lists[k] = list
		}
	}
	return lists
}

// found is a subscription that the statement has told of. Filter is nil if it has none any more.
type found struct {
	Kind    int32   `json:"kind"`
	Sub     int64   `json:"sub"`
	Version int64   `json:"version"`
	Filter  *string `json:"filter"`
}

// learn takes in what the statement has told: a list of found for each kind, a line each.
func (f *filters) learn(text string, numbers map[kind]int32) error {
	kinds := make(map[int32]kind, len(numbers))
	for k, n := range numbers {
		kinds[n] = k
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.bytes > maxFilters || f.bySub == nil {
		f.forgetOthers(numbers)
	}
	for line := range strings.SplitSeq(text, "\n") {
		var all []found
		if err := json.Unmarshal([]byte(line), &all); err != nil {
			return fmt.Errorf("reading the filters of subscriptions: %w", err)
		}
		if len(all) > 0 {
			f.merge(kinds[all[0].Kind], all)
		}
	}
	return nil
}

// forgetOthers forgets all but some kinds: what is still needed is told again. A call needs all of
// its kinds at the same time, also those that it has learned before: else two that are large could
// go on making each other forgotten.
func (f *filters) forgetOthers(numbers map[kind]int32) {
	lists := f.takers
	f.takers, f.bySub, f.bytes = make(map[kind][]taker), make(map[int64]taker), 0
	for k := range numbers {
		if list := lists[k]; len(list) > 0 {
			f.takers[k] = list
			f.bytes += takerSize * len(list)
			for _, t := range list {
				f.keep(t)
			}
		}
	}
}

// keep keeps the filter of a subscription, in place of that of another version.
func (f *filters) keep(t taker) {
	if old, there := f.bySub[t.sub]; there {
		f.bytes -= old.size
	}
	f.bySub[t.sub] = t
	f.bytes += t.size
}

// merge makes subscriptions of a kind known, or forgets them if they have no filter any more.
func (f *filters) merge(k kind, all []found) {
	f.bytes -= takerSize * len(f.takers[k])
	list := slices.DeleteFunc(slices.Clone(f.takers[k]), func(t taker) bool {
		return slices.ContainsFunc(all, func(o found) bool { return o.Sub == t.sub })
	})
	for i := range all {
		if all[i].Filter == nil {
			f.bytes -= f.bySub[all[i].Sub].size // none if it is not there
			delete(f.bySub, all[i].Sub)
			continue
		}
		t, known := f.bySub[all[i].Sub]
		if !known || t.version != all[i].Version {
			text := *all[i].Filter
			// Not parsed here: this is with the mutex, and mostly where all publishers wait.
			parse := sync.OnceValue(func() *filter.Filter { return filter.ParseStored(text) })
			t = taker{all[i].Sub, all[i].Version, parse, filterOverhead + filterByte*len(text)}
			f.keep(t)
		}
		list = append(list, t)
	}
	slices.SortFunc(list, func(a, b taker) int { return cmp.Compare(a.sub, b.sub) })
	f.bytes += takerSize * len(list)
	f.takers[k] = list
}
