package record_test

import (
	"bytes"
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/pgstore/internal/record"
)

func FuzzAttempts(f *testing.F) {
	f.Add("http_status", []byte("no"), 503, int64(1500))
	f.Add("two\nlines \x00 and \xff", []byte("\n\x00\xff"), 0, int64(-1))
	f.Fuzz(func(t *testing.T, wrong string, response []byte, status int, us int64) {
		const most = int64(time.Hour / time.Microsecond)
		took := time.Duration(max(us%most, -(us%most))) * time.Microsecond
		a := store.Attempt{
			At:       time.UnixMicro(us % most),
			Duration: took,
			Status:   status & 1023,
			Error:    wrong,
			Response: response,
			Detail:   &store.AttemptDetail{RemoteAddress: wrong, DNS: took},
		}
		log := record.AppendAttempt(record.AppendAttempt(nil, &a), &a)
		answer := record.AnswerOf(&a)
		answers := record.AppendAnswer(record.AppendAnswer(nil, 1, answer), 2, answer)
		got, err := record.ParseLog(2, log, answers)
		if err != nil || len(got) != 2 {
			t.Fatalf("two attempts: got %d, %v", len(got), err)
		}
		for i, g := range got {
			if g.Number != i+1 || !g.At.Equal(a.At) || g.Duration != took || g.Status != a.Status ||
				!bytes.Equal(g.Response, response) || !reflect.DeepEqual(g.Detail, a.Detail) {
				t.Errorf("attempt %d: got %+v, want %+v", i+1, g, a)
			}
		}
	})
}

func FuzzDamagedLog(f *testing.F) {
	f.Add(0, []byte{1, 2, 3}, []byte{1, 200})
	f.Add(1, record.AppendAttempt(nil, &store.Attempt{Status: 200}), []byte{2, 0})
	f.Fuzz(func(t *testing.T, were int, log, answers []byte) {
		if _, err := record.ParseLog(were, log, answers); err != nil &&
			!errors.Is(err, store.ErrCorrupt) {
			t.Errorf("%d, %q, %q: got %v, want ErrCorrupt or none", were, log, answers, err)
		}
	})
}
