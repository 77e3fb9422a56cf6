package form

import (
	"fmt"
	"slices"
	"strings"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/httpapi/console/internal/text"
)

// Family is a pattern with the types of the catalogue that it matches now.
type Family struct {
	Pattern string
	Matches string // for people
	Chosen  bool
}

// families returns the families that have two types of the catalogue at least, in order. One that
// has a single type can be written by hand, to get those that are added to it later.
func families(catalogue []events.Type) []Family {
	sizes := make(map[string]int)
	for i := range catalogue {
		for _, p := range events.Patterns(catalogue[i].Name)[1:] { // the first is the type
			sizes[p]++
		}
	}
	var all []Family
	for p, n := range sizes {
		if n > 1 {
			all = append(all, Family{Pattern: p, Matches: matches(catalogue, p)})
		}
	}
	slices.SortFunc(all, func(a, b Family) int { return strings.Compare(a.Pattern, b.Pattern) })
	return all
}

// maxMatches is how many types the text of a pattern names.
const maxMatches = 4

// matches says which types of the catalogue a pattern matches.
func matches(catalogue []events.Type, pattern string) string {
	var names []string
	for i := range catalogue {
		if events.Match(pattern, catalogue[i].Name) {
			names = append(names, text.Line(catalogue[i].Name))
		}
	}
	switch n := len(names) - maxMatches; {
	case len(names) == 0:
		return "no type of the catalogue"
	case n > 0:
		return fmt.Sprintf("%s and %d more", strings.Join(names[:maxMatches], ", "), n)
	}
	return strings.Join(names, ", ")
}
