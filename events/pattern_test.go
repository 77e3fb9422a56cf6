package events_test

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/outhook/outhook/events"
)

func TestValidateType(t *testing.T) {
	long := strings.Repeat("a", 128)
	for _, name := range []string{"a", "message.created", "a.b.c.d", "A-z_0.9", "-", "_._", "1",
		"orders/create", "Push Hook", "Merge Request Hook", "repo:push", "a.b/c:d e", long} {
		if err := events.ValidateType(name); err != nil {
			t.Errorf("ValidateType(%q) = %v, want nil", name, err)
		}
	}
	for name, words := range map[string]string{
		"":                  "is empty",
		".":                 "empty word",
		".a":                "empty word",
		"a.":                "empty word",
		"a..b":              "empty word",
		"/a":                "empty word",
		"a:":                "empty word",
		" a":                "empty word",
		"a ":                "empty word",
		"a  b":              "empty word",
		"a. b":              "empty word",
		"a:/b":              "empty word",
		"a\\b":              "character",
		"a\tb":              "character",
		"a/\"b":             "character",
		"a b\u00a0c":        "character",
		long + "a":          "128",
		"*":                 "character",
		"a.*":               "character",
		"message.created\n": "character",
		"größe":             "character",
		"a\x00":             "character",
		"a\xff":             "character",
	} {
		wantInvalid(t, "ValidateType "+name, events.ValidateType(name), "type", words)
	}
}

func TestValidatePattern(t *testing.T) {
	for _, p := range []string{"a", "message.created", "message.*", "a.b.*", "-.*", "orders/create",
		"orders/*", "Push Hook", "repo:*", "a b/*", "a/b:c.*",
		strings.Repeat("a", 128), strings.Repeat("a", 126) + ".*"} {
		if err := events.ValidatePattern(p); err != nil {
			t.Errorf("ValidatePattern(%q) = %v, want nil", p, err)
		}
	}
	for p, words := range map[string]string{
		"":                              "empty name",
		"*":                             "leave the list empty",
		".*":                            "star",
		"*.*":                           "star",
		"*.created":                     "star",
		"a.*.b":                         "star",
		"a.**":                          "star",
		"a*":                            "star",
		"message*":                      "star",
		"a..*":                          "star",
		".a":                            "write words",
		"a.":                            "write words",
		"a..b":                          "write words",
		"a  b":                          "write words",
		"größe":                         "write words",
		"/*":                            "star",
		"a b *":                         "star",
		"Push *":                        "star",
		"a./*":                          "star",
		"a/*:b":                         "star",
		strings.Repeat("a", 129):        "128",
		strings.Repeat("a", 127) + ".*": "128",
	} {
		wantInvalid(t, "ValidatePattern "+p, events.ValidatePattern(p), "events", words)
	}
}

func TestMatch(t *testing.T) {
	for _, tt := range []struct {
		pattern, eventType string
		want               bool
	}{
		{"message.created", "message.created", true},
		{"message.created", "message.updated", false},
		{"message.created", "message.created.late", false},
		{"message.created", "Message.created", false},
		{"message", "message", true},
		{"message", "message.created", false},
		{"message.*", "message.created", true},
		{"message.*", "message.a.b", true},
		{"message.*", "message", false},
		{"message.*", "messages.x", false},
		{"message.*", "messages", false},
		{"message.*", "my.message.created", false},
		{"message.*", "Message.created", false},
		{"message.a.*", "message.a.b", true},
		{"message.a.*", "message.a", false},
		{"message.a.*", "message.b.a", false},
		{"message-.*", "message-.x", true},
		{"orders/create", "orders/create", true},
		{"orders/*", "orders/create", true},
		{"orders/*", "orders/create.late", true},
		{"orders/*", "orders", false},
		{"orders/*", "orders.create", false},
		{"orders.*", "orders/create", false},
		{"orders/*", "orders2/create", false},
		{"repo:*", "repo:push", true},
		{"repo:*", "repo/push", false},
		{"Push Hook", "Push Hook", true},
		{"Push Hook", "Push", false},
		{"a b.*", "a b.c d", true},
		{"webhook.disabled", "webhook.disabled", true},
		{"webhook.*", "webhook.disabled", false},
		{"webhook.*", "webhook.exhausted", false},
		{"webhook.*", "webhook.other", true},
	} {
		if got := events.Match(tt.pattern, tt.eventType); got != tt.want {
			t.Errorf("Match(%q, %q) = %t, want %t", tt.pattern, tt.eventType, got, tt.want)
		}
	}
}

func TestPatterns(t *testing.T) {
	for eventType, want := range map[string][]string{
		"a":               {"a"},
		"message.created": {"message.created", "message.*"},
		"a.b.c":           {"a.b.c", "a.b.*", "a.*"},
		"a.a.a.a":         {"a.a.a.a", "a.a.a.*", "a.a.*", "a.*"},
		"webhook.other":   {"webhook.other", "webhook.*"},
		"orders/create":   {"orders/create", "orders/*"},
		"a/b.c:d e":       {"a/b.c:d e", "a/b.c:*", "a/b.*", "a/*"},
		"Push Hook":       {"Push Hook"},
		// Operational types are for those who name them.
		events.TypeDisabled:  {"webhook.disabled"},
		events.TypeExhausted: {"webhook.exhausted"},
	} {
		if got := events.Patterns(eventType); !slices.Equal(got, want) {
			t.Errorf("Patterns(%q) = %q, want %q", eventType, got, want)
		}
	}
}

func TestWants(t *testing.T) {
	for _, tt := range []struct {
		patterns  []string
		eventType string
		want      bool
	}{
		{nil, "message.created", true},
		{[]string{}, "message.created", true},
		{[]string{"order.*", "message.created"}, "message.created", true},
		{[]string{"order.*", "message.created"}, "order.paid", true},
		{[]string{"order.*"}, "message.created", false},
		{nil, events.TypeDisabled, false},
		{[]string{"webhook.*"}, events.TypeExhausted, false},
		{[]string{"a", events.TypeExhausted}, events.TypeExhausted, true},
	} {
		if got := events.Wants(tt.patterns, tt.eventType); got != tt.want {
			t.Errorf("Wants(%q, %q) = %t, want %t", tt.patterns, tt.eventType, got, tt.want)
		}
	}
}

// checkPattern holds Match and Patterns to each other, for a valid pattern and type.
func checkPattern(t interface{ Errorf(string, ...any) }, pattern, eventType string) {
	ps := events.Patterns(eventType)
	if got, want := events.Match(pattern, eventType), slices.Contains(ps, pattern); got != want {
		t.Errorf("Match(%q, %q) = %t, but Patterns has it: %t", pattern, eventType, got, want)
	}
	for i, p := range ps {
		if err := events.ValidatePattern(p); err != nil {
			t.Errorf("Patterns(%q) has %q: %v", eventType, p, err)
		}
		if !events.Match(p, eventType) {
			t.Errorf("Patterns(%q) has %q, which doesn't match", eventType, p)
		}
		if slices.Contains(ps[:i], p) {
			t.Errorf("Patterns(%q) has %q twice", eventType, p)
		}
	}
}

func TestMatchAgreesWithPatterns(t *testing.T) {
	// few letters, so that many match
	eventType := rapid.StringMatching(`[ab]{1,2}([./: ][ab]{1,2}){0,4}`)
	families := rapid.SampledFrom([]string{"", ".*", "/*", ":*"})
	rapid.Check(t, func(t *rapid.T) {
		pattern := eventType.Draw(t, "pattern") + families.Draw(t, "family")
		checkPattern(t, pattern, eventType.Draw(t, "type"))
	})
}
