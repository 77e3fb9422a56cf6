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
type filters struct {
	mu     sync.Mutex       // guards all below
	takers map[kind][]taker // by number; a list is replaced, and never changed
	bySub  map[int64]taker  // the same, so that a filter is parsed once for all types
	bytes  int              // what both take, about
}

// taker is a subscription with a filter.
type taker struct {
	sub, version int64
	filter       *filter.Filter
	size         int // of the filter, in bytes, about
}

// What is kept, in bytes, about.
const (
	maxFilters     = 16 << 20 // at most, but for what one call needs
	filterByte     = 16       // for each byte of a filter's text
	filterOverhead = 256      // for each filter beside that
	takerSize      = 56       // for each in a list
)

// maxRounds is how often a call asks filters at most. It asks again only when subscriptions have
// changed in between, and there is no end if they change all the time.
const maxRounds = 10

// asking calls store with what is known of the filters, until the statement knows no others.
func (p *Publisher) asking(evs []Event, store func(judgement) (unasked string, err error)) error {
	numbers := number(evs)
	for range maxRounds {
		unasked, err := store(p.filters.judge(evs, numbers))
		if err != nil || unasked == "" {
			return err
		}
		if err := p.filters.learn(unasked, numbers); err != nil {
			return err
		}
	}
	return errors.New("the filters of subscriptions change all the time; try again")
}

// judgement is what the statement is told of filters.
type judgement struct {
	known   string    // JSON: the version of each subscription that was asked, by kind and number
	refused []*string // for each event the numbers of those who refuse it, as an array; or nil
}

// judge asks the filters that are known about events.
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
	text, _ := json.Marshal(known) // it always can be
	j.known = string(text)
	for i := range evs {
		payload, _ := events.PayloadOf(evs[i].body) // the body was made by Build
		var refused []string
		for _, t := range takers[kind{evs[i].Tenant, evs[i].Type}] {
			if !t.filter.Match(payload) {
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
			t = taker{all[i].Sub, all[i].Version, filter.ParseStored(*all[i].Filter),
				filterOverhead + filterByte*len(*all[i].Filter)}
			f.keep(t)
		}
		list = append(list, t)
	}
	slices.SortFunc(list, func(a, b taker) int { return cmp.Compare(a.sub, b.sub) })
	f.bytes += takerSize * len(list)
	f.takers[k] = list
}
