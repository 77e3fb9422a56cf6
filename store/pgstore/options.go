package pgstore

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/outhook/outhook/events"
)

// Options are settings of a [Store]. A nil *Options is all defaults.
type Options struct {
	// Schema is the PostgreSQL schema that holds the tables. It is created by Migrate. If empty,
	// DefaultSchema.
	Schema string

	// PollInterval is how often a waiting reader of Ready is woken even if nothing has said that
	// there is anything new: how late an event of another replica is at most when a notification is
	// lost. If zero, DefaultPollInterval.
	PollInterval time.Duration

	// PollOnly opens no connection for LISTEN. It is for a pool that goes through a pooler in
	// transaction mode, such as PgBouncer, where a session has no connection of its own: polling
	// then is all there is.
	PollOnly bool

	// Unsafe lets the store work on a server that has fsync or synchronous_commit off. A crash of
	// the server can then lose events that Enqueue has accepted. If false, that is ErrUnsafe.
	Unsafe bool

	// Logger gets what goes wrong in the background: a lost notification connection. If nil,
	// slog.Default().
	Logger *slog.Logger
}

// The defaults of [Options].
const (
	DefaultSchema       = "outhook"
	DefaultPollInterval = time.Second
)

// maxSchemaLen leaves room for the name of the notification channel, which is the schema's.
const maxSchemaLen = 63

func (o *Options) withDefaults() Options {
	var out Options
	if o != nil {
		out = *o
	}
	if out.Schema == "" {
		out.Schema = DefaultSchema
	}
	if out.PollInterval == 0 {
		out.PollInterval = DefaultPollInterval
	}
	if out.Logger == nil {
		out.Logger = slog.Default()
	}
	return out
}

func (o *Options) validate() error {
	invalid := func(field, reason string) error {
		return fmt.Errorf("pgstore: options: %w", &events.InvalidError{Field: field, Reason: reason})
	}
	switch {
	case len(o.Schema) > maxSchemaLen:
		return invalid("Schema", fmt.Sprintf("has %d bytes; give at most %d, which is all that "+
			"PostgreSQL keeps of a name", len(o.Schema), maxSchemaLen))
	case o.PollInterval < 0:
		return invalid("PollInterval", "is negative; give how often to look for work")
	}
	return nil
}
