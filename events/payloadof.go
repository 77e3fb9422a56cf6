package events

import (
	"bytes"
	"encoding/json"
	"strings"
)

// PayloadOf cuts the payload out of a body that Body has made. The result shares its memory. ok is
// false when the body has another form; what stands in the place of the payload is not looked at.
func PayloadOf(body []byte) (payload json.RawMessage, ok bool) {
	rest, isBody := bytes.CutPrefix(body, []byte(bodyType))
	eventType, rest, hasTime := bytes.Cut(rest, []byte(bodyTimestamp))
	digits, rest, hasPayload := bytes.Cut(rest, []byte(bodyPayload))
	payload, ends := bytes.CutSuffix(rest, []byte(bodyEnd))
	ok = isBody && hasTime && hasPayload && ends && len(payload) > 0 &&
		typeReason(string(eventType)) == "" && len(digits) > 0 &&
		strings.Trim(string(digits), "0123456789") == ""
	if !ok {
		return nil, false
	}
	return payload, true
}
