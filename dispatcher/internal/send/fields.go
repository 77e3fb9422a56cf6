package send

import (
	"errors"
	"strings"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/events/filter"
	"github.com/outhook/outhook/store"
)

// errFields is about stored Fields that Subscribe would not have stored.
var errFields = errors.New("send: the stored fields are not ones that can be read")

// fieldSeparator is between the paths that are kept with a delivery. No path has it.
const fieldSeparator = "\x00"

// fieldsOf returns the paths to which an attempt reduces the payload; none if it sends the whole.
//
// They are those of the first attempt. If it fails they are kept with the delivery, as the owner
// may change them before the next. The body itself is not: it is made anew from the event, and is
// the same each time.
func fieldsOf(c *store.Claim) []string {
	switch c.BodyState {
	case store.BodyReduced:
		return strings.Split(string(c.BodyOverride), fieldSeparator)
	case store.BodyUndecided:
		// An attempt before this one has sent the whole: the subscription had no fields then.
		if c.Retry > 0 {
			return nil
		}
		return c.Subscription.Fields
	case store.BodyUnfiltered: // no attempt has sent anything
		return c.Subscription.Fields
	}
	return nil
}

// decideFields returns what is decided by sending a body that is reduced to the fields.
func decideFields(fields []string) Body {
	return Body{store.BodyReduced, []byte(strings.Join(fields, fieldSeparator))}
}

// unsent returns what an attempt that has sent nothing decides of the body. Without fields that is
// nothing. With fields it must say so, or else the next attempt would take it that the whole was
// sent.
func unsent(c *store.Claim) Body {
	if len(fieldsOf(c)) > 0 && !isDecided(c) {
		return Body{State: store.BodyUnfiltered}
	}
	return Body{}
}

// reduce returns a body with its payload reduced to the fields; nil if there are none. Type and
// timestamp stay. Its error is errBody or errFields.
func reduce(body []byte, fields []string) ([]byte, error) {
	if len(fields) == 0 {
		return nil, nil
	}
	f, err := filter.ParseFields(fields)
	if err != nil {
		return nil, errFields
	}
	payload, ok := events.PayloadOf(body)
	if !ok {
		return nil, errBody
	}
	end := body[len(body)-1] // the brace behind the payload
	head := body[:len(body)-1-len(payload)]
	out, ok := f.Append(append(make([]byte, 0, len(body)), head...), payload)
	if !ok {
		return nil, errBody
	}
	return append(out, end), nil
}
