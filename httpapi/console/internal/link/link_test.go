package link_test

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/outhook/outhook/httpapi/console/internal/link"
)

func TestOpen(t *testing.T) {
	key, other := bytes.Repeat([]byte{1}, 32), bytes.Repeat([]byte{2}, 32)
	at := time.Unix(1_700_000_000, 0)
	token := link.Sign(key, "purpose", "text", at)
	for _, test := range []struct {
		name    string
		keys    [][]byte
		purpose string
		token   string
		now     time.Time
		want    error
	}{
		{"before its end", [][]byte{key}, "purpose", token, at.Add(-time.Second), nil},
		{"one of several keys", [][]byte{other, key}, "purpose", token, at.Add(-time.Second), nil},
		{"at its end", [][]byte{key}, "purpose", token, at, link.ErrExpired},
		{"another purpose", [][]byte{key}, "purpos", token, at.Add(-time.Second), link.ErrInvalid},
		{"another key", [][]byte{other}, "purpose", token, at.Add(-time.Second), link.ErrInvalid},
		{"no key", nil, "purpose", token, at.Add(-time.Second), link.ErrInvalid},
		{"an empty token", [][]byte{key}, "purpose", "", at, link.ErrInvalid},
		{"no base64", [][]byte{key}, "purpose", "!.!", at, link.ErrInvalid},
	} {
		text, err := link.Open(test.keys, test.purpose, test.token, test.now)
		if !errors.Is(err, test.want) || err == nil && text != "text" {
			t.Errorf("%s: got %q, %v, want %v", test.name, text, err, test.want)
		}
	}
	short := []byte("short")
	if _, err := link.Open([][]byte{short}, "p", link.Sign(short, "p", "t", at),
		at.Add(-time.Second)); !errors.Is(err, link.ErrInvalid) {
		t.Errorf("a short key: got %v, want ErrInvalid", err)
	}
}
