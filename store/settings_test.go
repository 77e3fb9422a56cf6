package store_test

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/events/filter"
	"github.com/outhook/outhook/store"
)

// entries returns n entries of metadata.
func entries(n int) map[string]string {
	m := make(map[string]string)
	for i := range n {
		m[fmt.Sprint("k", i)] = "v"
	}
	return m
}

func TestSettingsBounds(t *testing.T) {
	full := store.Subscription{
		Description: strings.Repeat("ü", store.MaxDescription) + "",
		Metadata:    entries(store.MaxMetadata),
		Filter:      strings.Repeat("x", filter.MaxBytes),
		Fields:      strings.Split(strings.Repeat("a,", filter.MaxFields-1)+"a", ","),
		Rate:        1e6, AllowedRate: 1e6, Timeout: store.MaxDuration,
		VerifiedAt: time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC),
	}
	delete(full.Metadata, "k0")
	full.Metadata[strings.Repeat("k", store.MaxMetadataKey)] = strings.Repeat("ü",
		store.MaxMetadataValue/2)
	full.Fields[0] = "a.b.c.d.e.f.g.h"
	if err := full.Validate(); err != nil {
		t.Errorf("what is at its bounds: %v", err)
	}
	metadata := func(key, value string) func(*store.Subscription) {
		return func(s *store.Subscription) { s.Metadata = map[string]string{key: value} }
	}
	fields := func(paths ...string) func(*store.Subscription) {
		return func(s *store.Subscription) { s.Fields = paths }
	}
	for name, tt := range map[string]struct {
		change func(*store.Subscription)
		field  string
	}{
		"a description too long": {func(s *store.Subscription) { s.Description += "x" }, "description"},
		"a description not UTF-8": {func(s *store.Subscription) { s.Description = "\xff" },
			"description"},
		"a description with NUL": {func(s *store.Subscription) { s.Description = "a\x00" },
			"description"},
		"too much metadata":      {func(s *store.Subscription) { s.Metadata["k"] = "" }, "metadata"},
		"an empty key":           {metadata("", "v"), "metadata"},
		"a key too long":         {metadata(strings.Repeat("k", 65), "v"), "metadata"},
		"a key with a blank":     {metadata("a b", "v"), "metadata"},
		"a key with an umlaut":   {metadata("ä", "v"), "metadata"},
		"a value too long":       {metadata("k", strings.Repeat("x", 513)), "metadata"},
		"a value not UTF-8":      {metadata("k", "\xff"), "metadata"},
		"a value with a control": {metadata("k", "a\n"), "metadata"},
		"a filter too long":      {func(s *store.Subscription) { s.Filter += "x" }, "filter"},
		"a filter not UTF-8":     {func(s *store.Subscription) { s.Filter = "\xff" }, "filter"},
		"a filter with NUL":      {func(s *store.Subscription) { s.Filter = "\x00" }, "filter"},
		"too many fields": {func(s *store.Subscription) {
			s.Fields = append(s.Fields, "x")
		}, "fields"},
		"an empty path":       {fields("a", ""), "fields"},
		"a path with a hole":  {fields("a..b"), "fields"},
		"a path too deep":     {fields("a.b.c.d.e.f.g.h.i"), "fields"},
		"a path too long":     {fields(strings.Repeat("x", 4097)), "fields"},
		"a path not UTF-8":    {fields("\xff"), "fields"},
		"a path with NUL":     {fields("a\x00"), "fields"},
		"a rate below zero":   {func(s *store.Subscription) { s.Rate = -0.1 }, "rate"},
		"a rate that is none": {func(s *store.Subscription) { s.Rate = math.NaN() }, "rate"},
		"a rate without end":  {func(s *store.Subscription) { s.Rate = math.Inf(1) }, "rate"},
		"an allowed rate below zero": {
			func(s *store.Subscription) { s.AllowedRate = -0.1 }, "allowed_rate"},
		"an allowed rate that is none": {
			func(s *store.Subscription) { s.AllowedRate = math.NaN() }, "allowed_rate"},
		"a timeout below zero":  {func(s *store.Subscription) { s.Timeout = -1 }, "timeout"},
		"a timeout without end": {func(s *store.Subscription) { s.Timeout = math.MaxInt64 }, "timeout"},
		"verified in year 10,000": {func(s *store.Subscription) {
			s.VerifiedAt = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)
		}, "verified_at"},
	} {
		sub := full.Clone()
		tt.change(&sub)
		var invalid *events.InvalidError
		if err := sub.Validate(); !errors.As(err, &invalid) || invalid.Field != tt.field {
			t.Errorf("%s: got error %v, want an *events.InvalidError about %s", name, err, tt.field)
		}
		if err := full.Validate(); err != nil {
			t.Fatalf("%s: a clone shares with what it is of: %v", name, err)
		}
	}
}

func TestTagged(t *testing.T) {
	for _, tt := range []struct {
		tag  string
		tags []string
		want bool
	}{
		{"", nil, true}, {"", []string{"a"}, true}, {"a", nil, false}, {"a", []string{"a"}, true},
		{"b", []string{"a", "b", "c"}, true}, {"bb", []string{"a", "b", "c"}, false},
	} {
		q := store.DeliveryQuery{Tag: tt.tag}
		if got := q.Tagged(tt.tags); got != tt.want {
			t.Errorf("Tagged(%q) by %q = %t, want %t", tt.tags, tt.tag, got, tt.want)
		}
	}
}
