package pull

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
)

// A cursor is, in URL-safe base64, the version of this format and a mark of eight bytes for each
// delivery of an answer.
const (
	version  = 1
	markSize = 8
)

// mark names a delivery in one of its lives: a redelivered one has had more attempts, so the cursor
// of an answer from before does not end it again. It is a hash, so a cursor is short whatever the
// IDs are. Its holder is the one whose deliveries they are, and gains nothing by a false one.
type mark uint64

func markOf(d *store.Delivery) mark {
	h := sha256.New()
	h.Write([]byte(d.SubscriptionID + "\x00" + d.EventID + "\x00"))
	h.Write(binary.BigEndian.AppendUint64(nil, uint64(d.Attempts)))
	return mark(binary.BigEndian.Uint64(h.Sum(nil)))
}

// format returns the cursor of an answer; empty if it has nothing.
func format(marks []mark) string {
	if len(marks) == 0 {
		return ""
	}
	b := []byte{version}
	for _, m := range marks {
		b = binary.BigEndian.AppendUint64(b, uint64(m))
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

// parse reads a cursor. It returns an *events.InvalidError of "cursor" for one that no answer has.
func parse(text string) (map[mark]bool, error) {
	if text == "" {
		return nil, nil
	}
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(b) <= 1 || b[0] != version || (len(b)-1)%markSize != 0 ||
		(len(b)-1)/markSize > MaxItems || base64.RawURLEncoding.EncodeToString(b) != text {
		return nil, &events.InvalidError{Field: "cursor",
			Reason: "is not a cursor of a poll; pass the one of the last answer, or none"}
	}
	marks := make(map[mark]bool)
	for b = b[1:]; len(b) > 0; b = b[markSize:] {
		marks[mark(binary.BigEndian.Uint64(b))] = true
	}
	return marks, nil
}
