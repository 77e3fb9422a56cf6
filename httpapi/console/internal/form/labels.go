package form

import (
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/outhook/outhook/httpapi/console/internal/text"
	"github.com/outhook/outhook/store"
)

// Labels is the part of a webhook's form that its owner writes for people: nothing of it is sent.
type Labels struct {
	Description string
	Metadata    string // one a line: key = value

	given    bool // the form has this part
	metadata map[string]string
	problem  string
}

// LabelsOf returns the part of the form of a webhook.
func LabelsOf(sub *store.Subscription) Labels {
	l := Labels{Description: sub.Description}
	for _, key := range slices.Sorted(maps.Keys(sub.Metadata)) {
		l.Metadata += key + " = " + sub.Metadata[key] + "\n"
	}
	return l
}

// Apply sets what the form has, if it has this part.
func (l *Labels) Apply(sub *store.Subscription) {
	if l.given {
		sub.Description, sub.Metadata = l.Description, l.metadata
	}
}

// readLabels reads the part of a form. It stops at one entry more than a webhook may have.
func readLabels(values url.Values) Labels {
	l := Labels{
		Description: strings.TrimSpace(strings.ReplaceAll(values.Get("description"), "\r\n", "\n")),
		Metadata:    values.Get("metadata"), given: values.Has("description"),
	}
	for line := range strings.Lines(l.Metadata) {
		if line = strings.TrimSpace(line); line == "" || len(l.metadata) > store.MaxMetadata {
			continue
		}
		key, value, ok := strings.Cut(line, "=")
		if key = strings.TrimSpace(key); !ok || key == "" {
			l.problem = "Write each label as key = value: " + text.Line(line) + " is none."
			return l
		}
		if _, twice := l.metadata[key]; twice {
			l.problem = "The label " + text.Line(key) + " is there twice. Keep one."
			return l
		}
		if l.metadata == nil {
			l.metadata = make(map[string]string)
		}
		l.metadata[key] = strings.TrimSpace(value)
	}
	return l
}

// ReadLabel reads a label that webhooks are listed by, as key = value. problem says what is wrong
// with it, for people; empty if nothing is.
func ReadLabel(label string) (metadata map[string]string, problem string) {
	if label = strings.TrimSpace(label); label == "" {
		return nil, ""
	}
	key, value, ok := strings.Cut(label, "=")
	q := store.SubscriptionQuery{
		Metadata: map[string]string{strings.TrimSpace(key): strings.TrimSpace(value)},
	}
	if !ok || q.Validate() != nil {
		return nil, "This is no label. Write one such as team = billing."
	}
	return q.Metadata, ""
}
