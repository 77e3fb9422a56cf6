// Package asking asks the filters of subscriptions about events, for stores that find recipients
// under a lock.
//
// # The problem
//
// A tenant can have a thousand subscriptions, each with a filter that takes a while. Asked under
// the store's lock, or in its transaction, they would hold up every other publisher. But only there
// it is known which filters there are.
//
// # How it goes
//
//	Asker.Ask ──▶ lock: Answers.Know each filter? ──yes──▶ store
//	    ▲                        │ no: nothing is stored
//	    └────────────────────────┘
//
// Before the lock is taken, those filters are asked that the last event of the tenant and type had
// to pass. Under it the store looks up what each has said, by the filter's text: so an answer is
// right even if something has changed in between, and only what is new is asked in the next round.
package asking

import (
	"errors"
	"sync"
	"sync/atomic"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/events/filter"
)

// MaxRounds is how often a call asks filters before it takes the lock. Subscriptions must have
// changed in between each time for it to go again. Then what is new is asked under the lock.
const MaxRounds = 4

// ErrUnasked says that filters are to be asked first. Nothing was stored.
var ErrUnasked = errors.New("asking: filters are to be asked first")

// Answers are what filters have said of one event. Its zero value has none.
type Answers struct {
	// Here says that a filter that was not asked is asked where its answer is needed.
	Here bool

	takes   map[string]bool // by the text of the filter
	others  bool            // others were asked than the event has to pass, which are in need
	need    []string
	payload []byte
}

// Know reports whether the filters with the texts have all been asked. The texts are those that the
// event has to pass, each once; the slice must not be changed afterwards. It is for the holder of
// the lock.
func (a *Answers) Know(texts []string) bool {
	if len(texts) != len(a.takes) { // remembered also if it is only that fewer are needed
		a.others, a.need = true, texts
	}
	if a.Here {
		return true
	}
	for _, text := range texts {
		if _, asked := a.takes[text]; !asked {
			a.others, a.need = true, texts
			return false
		}
	}
	return true
}

// Takes reports whether a filter takes the event with the wire body. Know must have returned true
// for it.
func (a *Answers) Takes(text string, body []byte) bool {
	takes, asked := a.takes[text]
	if !asked {
		takes = filter.ParseStored(text).Match(a.payloadOf(body))
	}
	return takes
}

// payloadOf returns the payload of the event, which all filters read.
func (a *Answers) payloadOf(body []byte) []byte {
	if a.payload == nil {
		a.payload, _ = events.PayloadOf(body) // of a body that was just made
	}
	return a.payload
}

// What an Asker keeps, in bytes, about.
const (
	maxKept        = 16 << 20 // at most, but for what one event needs
	filterByte     = 16       // for each byte of a filter's text
	filterOverhead = 256      // for each filter beside that
)

// Asker knows which filters there were for a tenant and a type of event, and keeps them parsed. Its
// zero value is ready to use, and it is safe for concurrent use.
type Asker struct {
	any atomic.Bool // there is something in lists: most hosts have no filters

	mu    sync.Mutex         // guards all below
	lists map[kind][]*parsed // a list is replaced, and never changed
	bytes int                // what they take
}

type kind struct{ tenant, typ string }

type parsed struct {
	text   string
	filter *filter.Filter
}

func (p *parsed) size() int { return filterOverhead + filterByte*len(p.text) }

// Ask asks the filters that an event of the tenant and type had to pass lately, and those that Know
// has not known.
func (k *Asker) Ask(tenant, typ string, body []byte, a *Answers) {
	list := k.learn(kind{tenant, typ}, a)
	for _, p := range list {
		if _, asked := a.takes[p.text]; asked {
			continue
		}
		if a.takes == nil {
			a.takes = make(map[string]bool, len(list))
		}
		a.takes[p.text] = p.filter.Match(a.payloadOf(body))
	}
}

// Learn takes in which filters an event had to pass that was stored, for the next one.
func (k *Asker) Learn(tenant, typ string, a *Answers) {
	if a.others {
		k.learn(kind{tenant, typ}, a)
	}
}

// learn returns the filters of a kind, after it has taken in which are needed.
func (k *Asker) learn(of kind, a *Answers) []*parsed {
	if !a.others {
		if !k.any.Load() {
			return nil
		}
		k.mu.Lock()
		defer k.mu.Unlock()
		return k.lists[of]
	}
	k.mu.Lock()
	known := k.lists[of]
	k.mu.Unlock()
	list := parse(a.need, known) // without the mutex: others publish meanwhile
	a.others, a.need = false, nil
	k.mu.Lock()
	defer k.mu.Unlock()
	k.put(of, list)
	return list
}

// parse returns filters, with what is known of them.
func parse(texts []string, known []*parsed) (list []*parsed) {
	byText := make(map[string]*parsed, len(known))
	for _, p := range known {
		byText[p.text] = p
	}
	for _, text := range texts {
		p := byText[text]
		if p == nil {
			p = &parsed{text, filter.ParseStored(text)}
		}
		list = append(list, p)
	}
	return list
}

// put replaces the list of a kind.
func (k *Asker) put(of kind, list []*parsed) {
	for _, p := range k.lists[of] {
		k.bytes -= p.size()
	}
	delete(k.lists, of)
	size := 0
	for _, p := range list {
		size += p.size()
	}
	// All go at once: to know which are used least would cost more than to learn them anew.
	if k.bytes+size > maxKept {
		k.lists, k.bytes = nil, 0
	}
	if len(list) > 0 {
		if k.lists == nil {
			k.lists = make(map[kind][]*parsed)
		}
		k.lists[of] = list
		k.bytes += size
	}
	k.any.Store(len(k.lists) > 0)
}
