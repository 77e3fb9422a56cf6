package detail_test

import (
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/internal/detail"
)

func full() *store.AttemptDetail {
	return &store.AttemptDetail{
		Request:    []store.HeaderField{{Name: "Webhook-Id", Value: "1"}, {Name: "X-Empty"}},
		Answer:     []store.HeaderField{{Name: "Server", Value: "nginx"}},
		RequestCut: true, Reused: true,
		RemoteAddress: "192.0.2.1:443",
		DNS:           1, Connect: 2, TLS: 3, FirstByte: store.MaxDuration,
		Sealed: []byte{0, 1, 2},
	}
}

func TestParseReadsWhatAppendWrites(t *testing.T) {
	for _, want := range []*store.AttemptDetail{
		full(), {}, {AnswerCut: true}, {FirstByte: time.Second}, nil,
	} {
		before := []byte("before")
		b := detail.Append(before, want)
		got, err := detail.Parse(b[len(before):])
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, %v, want %+v", got, err, want)
		}
	}
}

func TestParseRefusesWhatIsDamaged(t *testing.T) {
	whole := detail.Append(nil, full())
	for n := 1; n < len(whole); n++ {
		if _, err := detail.Parse(whole[:n]); !errors.Is(err, store.ErrCorrupt) {
			t.Errorf("the first %d bytes of %d: got %v, want store.ErrCorrupt", n, len(whole), err)
		}
	}
	if _, err := detail.Parse(append(whole, 0)); !errors.Is(err, store.ErrCorrupt) {
		t.Errorf("a byte too many: got %v, want store.ErrCorrupt", err)
	}
	whole[0]++
	if _, err := detail.Parse(whole); !errors.Is(err, store.ErrCorrupt) {
		t.Errorf("another version: got %v, want store.ErrCorrupt", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(detail.Append(nil, full()))
	f.Add([]byte{1, 0, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255, 15, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := detail.Parse(b)
		if err != nil || d == nil {
			return
		}
		again, err := detail.Parse(detail.Append(nil, d))
		if err != nil || !reflect.DeepEqual(again, d) {
			t.Errorf("got %+v, %v, want %+v", again, err, d)
		}
	})
}
