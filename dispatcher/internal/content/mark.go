package content

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"

	"golang.org/x/net/http/httpguts"

	"github.com/outhook/outhook/events/cloudevents"
	"github.com/outhook/outhook/store"
)

// ErrMark is about a stored mark that no attempt has left, or one of a later version.
var ErrMark = errors.New("content: the stored mark is not one that can be read")

// Mark is what an attempt has its outcome keep of the content: see store.Outcome. The zero value
// leaves what is kept.
type Mark struct {
	State    store.BodyState
	Override []byte
}

// IsDecided reports whether an earlier attempt of the claim's delivery has made a request, so that
// the content is decided.
func IsDecided(c *store.Claim) bool {
	switch c.BodyState {
	case store.BodyUndecided:
		return c.Attempt > 1
	case store.BodyUnsent:
		return false
	}
	return true
}

// Decided returns the recipe of the attempts before this one; ok is false if it is not decided yet.
// Its error is ErrMark. The recipe shares memory with the claim.
func Decided(c *store.Claim) (r Recipe, ok bool, err error) {
	if !IsDecided(c) {
		return Recipe{}, false, nil
	}
	switch c.BodyState {
	case store.BodyUndecided, store.BodyUnchanged:
	case store.BodyOverridden:
		r, err = parse(c.BodyOverride)
	default: // of a later version, which may mean anything but the usual one
		err = ErrMark
	}
	return r, true, err
}

// Sent returns the mark of an attempt that has made a request by a recipe that was not decided. It
// shares no memory with the recipe.
func (r *Recipe) Sent(c *store.Claim) Mark {
	switch {
	case !r.isUsual():
		return Mark{store.BodyOverridden, r.format()}
	case c.BodyState == store.BodyUndecided: // the attempt says it
		return Mark{}
	}
	return Mark{State: store.BodyUnchanged}
}

// Unsent returns the mark of an attempt that has made no request.
func Unsent(c *store.Claim) Mark {
	if IsDecided(c) {
		return Mark{}
	}
	return Mark{State: store.BodyUnsent}
}

// An override is the version of this format, the length of the settings, the settings as JSON, and
// then the host's own body, if there is one.
const version = 1

// settings is a Recipe as it is stored, without the host's own body. Names may be added; a version
// that does not know one refuses it, because it could not send the same.
type settings struct {
	Type       string            `json:"type,omitempty"`
	Fields     []string          `json:"fields,omitempty"`
	Mode       cloudevents.Mode  `json:"mode,omitempty"`
	Source     string            `json:"source,omitempty"`
	Extensions map[string]string `json:"extensions,omitempty"`
	Schema     string            `json:"schema,omitempty"`
	Own        bool              `json:"own,omitempty"`
}

// format returns the recipe as an override. What makes no difference to the content is left out.
func (r *Recipe) format() []byte {
	s := settings{Own: r.Own != nil}
	if !s.Own {
		s.Fields = r.Fields
	}
	if r.Event.Mode == cloudevents.Off {
		s.Type = r.Type
	} else {
		s.Mode, s.Source, s.Extensions = r.Event.Mode, r.Event.Source, r.Event.Extensions
		s.Schema = r.Schema
	}
	text, err := json.Marshal(&s)
	if err != nil {
		panic("content: settings can't be marshalled: " + err.Error()) // they are texts
	}
	out := make([]byte, 0, 1+binary.MaxVarintLen32+len(text)+len(r.Own))
	out = binary.AppendUvarint(append(out, version), uint64(len(text)))
	return append(append(out, text...), r.Own...)
}

// parse reads an override.
func parse(b []byte) (Recipe, error) {
	if len(b) == 0 || b[0] != version {
		return Recipe{}, ErrMark
	}
	length, n := binary.Uvarint(b[1:])
	if n <= 0 || length > uint64(len(b)-1-n) {
		return Recipe{}, ErrMark
	}
	text, own := b[1+n:1+n+int(length)], b[1+n+int(length):]
	var s settings
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&s); err != nil || d.More() || !s.Own && len(own) > 0 {
		return Recipe{}, ErrMark
	}
	r := Recipe{
		Type: s.Type, Fields: s.Fields, Schema: s.Schema,
		Event: cloudevents.Format{Mode: s.Mode, Source: s.Source, Extensions: s.Extensions},
	}
	if s.Own {
		r.Own = own[:len(own):len(own)]
	}
	if r.Event.Validate() != nil || !httpguts.ValidHeaderFieldValue(r.Type) {
		return Recipe{}, ErrMark
	}
	return r, nil
}
