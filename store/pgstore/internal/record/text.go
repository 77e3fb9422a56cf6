package record

import (
	"strings"

	"github.com/outhook/outhook/store"
)

// Plain returns the text as PostgreSQL can keep it. What it can't is replaced. It is for text that
// others make up, such as an error of an endpoint, and for IDs to be looked up: one that can't be
// stored is found no more for being changed.
func Plain(s string) string {
	return strings.ToValidUTF8(strings.ReplaceAll(s, "\x00", "\uFFFD"), "\uFFFD")
}

// States are what the database calls 0, 1, 2 and 3. Their order is that of store.States, which
// stored rows depend on: a new state goes to the end.
var States = store.States()

// StateNumber is the opposite: the number of a state; -1 for an unknown one.
func StateNumber(s store.State) int16 {
	for i, name := range States {
		if name == s {
			return int16(i)
		}
	}
	return -1
}
