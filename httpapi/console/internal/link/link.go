// Package link signs and opens short-lived tokens: a text, a purpose and a time until which it
// holds. A token is not encrypted; anybody who has it can read the text and can't change it.
package link

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"strings"
	"time"
)

// MinKey is how many bytes a key must have at least: as many as the MAC.
const MinKey = sha256.Size

// The errors of Open.
var (
	ErrInvalid = errors.New("link: the token is not one of ours")
	ErrExpired = errors.New("link: the token has expired")
)

var encoding = base64.RawURLEncoding

// Sign returns a token of the text for a purpose, which holds until then, in seconds.
func Sign(key []byte, purpose, text string, until time.Time) string {
	body := binary.BigEndian.AppendUint64(nil, uint64(until.Unix()))
	body = append(body, text...)
	return encoding.EncodeToString(body) + "." + encoding.EncodeToString(mac(key, purpose, body))
}

// Open returns the text of a token that one of the keys has signed for the purpose. It returns
// ErrExpired from the token's end on, and ErrInvalid for anything else that is wrong with it.
func Open(keys [][]byte, purpose, token string, now time.Time) (string, error) {
	first, second, _ := strings.Cut(token, ".")
	body, err1 := encoding.Strict().DecodeString(first)
	sum, err2 := encoding.Strict().DecodeString(second)
	if err1 != nil || err2 != nil || len(body) < 8 {
		return "", ErrInvalid
	}
	valid := false
	for _, key := range keys { // each of them, so that the time does not say which
		valid = len(key) >= MinKey && hmac.Equal(sum, mac(key, purpose, body)) || valid
	}
	if !valid {
		return "", ErrInvalid
	}
	if now.Unix() >= int64(binary.BigEndian.Uint64(body)) {
		return "", ErrExpired
	}
	return string(body[8:]), nil
}

// mac is over the purpose too, so that a token for one is none for another. A zero byte ends it,
// which no purpose has.
func mac(key []byte, purpose string, body []byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(purpose))
	h.Write([]byte{0})
	h.Write(body)
	return h.Sum(nil)
}
