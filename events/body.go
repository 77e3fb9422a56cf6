package events

import (
	"bytes"
	"encoding/json"
	"strconv"
)

// The parts of a body that are the same in each.
const (
	bodyType      = `{"type":"`
	bodyTimestamp = `","timestamp":`
	bodyPayload   = `,"payload":`
	bodyEnd       = `}`

	maxDigits = 15 // of a timestamp in the year 9999
	bodyFixed = len(bodyType) + len(bodyTimestamp) + maxDigits + len(bodyPayload) + len(bodyEnd)
)

// Body returns the bytes that receivers get, signed as they are and the same on every attempt:
//
//	{"type":"message.created","timestamp":1603661094560,"payload":{…}}
//
// The payload is sent as given: order and repetition of keys, spelling of numbers and escapes stay,
// nothing is escaped for HTML; only the white space between tokens goes. Events with the same type,
// time and payload have the same body.
//
// An event that Validate refuses has no body: the error is the same *InvalidError.
func (e Event) Body() ([]byte, error) {
	if err := e.validateHead(); err != nil {
		return nil, err
	}
	if err := validateText(e.Payload); err != nil {
		return nil, err
	}
	blanks, ok := scanJSON(e.Payload)
	if !ok {
		return nil, syntaxError(e.Payload)
	}
	b := make([]byte, 0, bodyFixed+len(e.Type)+len(e.Payload))
	b = append(b, bodyType...)
	b = append(b, e.Type...) // has nothing that JSON would escape
	b = append(b, bodyTimestamp...)
	b = strconv.AppendInt(b, e.Time.UnixMilli(), 10)
	b = append(b, bodyPayload...)
	if !blanks {
		b = append(b, e.Payload...)
		return append(b, bodyEnd...), nil
	}
	buf := bytes.NewBuffer(b)
	if err := json.Compact(buf, e.Payload); err != nil {
		return nil, syntaxError(e.Payload)
	}
	buf.WriteString(bodyEnd)
	return buf.Bytes(), nil
}
