package main

import (
	"time"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/internal/bench/plain"
	"github.com/outhook/outhook/internal/bench/receiver"
)

// benchType is the type of the events.
const benchType = plain.Type

// message returns an event, as a host would make it.
func message(eventType string, n int) (events.Event, error) {
	return events.New(eventType, receiver.Stamped(n, time.Now()))
}

// messages returns the events from one number to another.
func messages(eventType string, from, to int) ([]events.Event, error) {
	evs := make([]events.Event, 0, to-from)
	for n := from; n < to; n++ {
		e, err := message(eventType, n)
		if err != nil {
			return nil, err
		}
		evs = append(evs, e)
	}
	return evs, nil
}
