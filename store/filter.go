package store

import "github.com/outhook/outhook/events/filter"

// Takes reports whether the Filter of s takes an event with the payload: there is none, or it
// matches. One that does not parse takes nothing ([Subscription.FilterError]).
//
// It parses the filter at each call. What asks for many events keeps filter.ParseStored(s.Filter),
// which says the same.
func (s *Subscription) Takes(payload []byte) bool {
	return s.Filter == "" || filter.ParseStored(s.Filter).Match(payload)
}

// FilterError returns what is wrong with the Filter of s, an *events.InvalidError; nil if nothing
// is. A dispatcher stores no such filter, but the store may have been written by something else, or
// by a version that knew more operators.
func (s *Subscription) FilterError() error {
	if s.Filter == "" {
		return nil
	}
	_, err := filter.Parse([]byte(s.Filter))
	return err
}
