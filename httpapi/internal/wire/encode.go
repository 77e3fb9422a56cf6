package wire

import (
	"bytes"
	"encoding/json"
)

// Encode appends a response and a newline, with which a response ends, so that the prompt of a
// shell does not stand behind it.
func Encode(buf *bytes.Buffer, v any) {
	enc := json.NewEncoder(buf)
	enc.SetEscapeHTML(false) // so that the & of a URL stays readable
	if err := enc.Encode(v); err != nil {
		panic("httpapi: a response of our own can't be marshalled: " + err.Error())
	}
}

// Append appends a part of a response, without the newline of Encode.
func Append(buf *bytes.Buffer, v any) {
	Encode(buf, v)
	buf.Truncate(buf.Len() - 1)
}
