package pgstore_test

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/pgstore"
)

func FuzzAttempts(f *testing.F) {
	f.Add("http_status", []byte("no"), 503, int64(1500))
	f.Add("two\nlines \x00 and \xff", []byte("\n\x00\xff"), 0, int64(-1))
	f.Fuzz(func(t *testing.T, wrong string, response []byte, status int, us int64) {
		const most = int64(time.Hour / time.Microsecond)
		a := store.Attempt{At: time.UnixMicro(us % most), Duration: time.Duration(us%most) * time.Microsecond, Status: status, Error: wrong, Response: response}
		got, err := pgstore.ParseLog(pgstore.AttemptLine(&a) + pgstore.AttemptLine(&a))
		if err != nil || len(got) != 2 {
			t.Fatalf("two attempts: got %d, %v", len(got), err)
		}
		for i, g := range got {
			if g.Number != i+1 || !g.At.Equal(a.At) || g.Duration != a.Duration || g.Status != status || !bytes.Equal(g.Response, response) {
				t.Errorf("attempt %d: got %+v, want %+v", i+1, g, a)
			}
		}
	})
}

func FuzzDamagedLog(f *testing.F) {
	f.Add(`{"at":"2020-10-25T21:24:54Z","us":1}`)
	f.Add("{}\n{")
	f.Fuzz(func(t *testing.T, log string) {
		if _, err := pgstore.ParseLog(log); err != nil && !errors.Is(err, store.ErrCorrupt) {
			t.Errorf("%q: got %v, want ErrCorrupt or none", log, err)
		}
	})
}
