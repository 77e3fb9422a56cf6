package boltstore_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore"
)

// published has the events that were acknowledged.
type published struct {
	mu  sync.Mutex
	ids []string
}

func (p *published) add(id string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ids = append(p.ids, id)
}

func (p *published) all() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.ids)
}

// load publishes, delivers and fails until the test ends.
func load(t *testing.T, s *boltstore.Store) *published {
	p := new(published)
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	t.Cleanup(func() { stop(); wg.Wait() })
	for worker := range 3 {
		wg.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				id := fmt.Sprintf("w%d-%d", worker, n)
				if err := s.Enqueue(ctx, Event(id)); err == nil {
					p.add(id)
				} else if ctx.Err() == nil {
					t.Errorf("Enqueue: %v", err)
				}
			}
		})
	}
	wg.Go(func() {
		for ctx.Err() == nil {
			result, err := s.Claim(ctx, store.ClaimRequest{Max: 20, Lease: time.Hour})
			if err != nil {
				continue
			}
			var outcomes []store.Outcome
			for i, c := range result.Claims {
				o := store.Outcome{Lease: c.Lease, State: store.Delivered}
				if i%3 == 0 {
					o.State, o.RetryIn = store.Pending, time.Hour
				}
				outcomes = append(outcomes, o)
			}
			if _, err := s.Finish(ctx, outcomes...); err != nil && ctx.Err() == nil {
				t.Errorf("Finish: %v", err)
			}
		}
	})
	return p
}

// TestBackup makes copies under load, and opens each: all that was acknowledged before is in it,
// and memory agrees with the file.
func TestBackup(t *testing.T) {
	s := create(t, nil)
	for range 3 {
		subscribe(t, s)
	}
	if err := publishMegabytes(t.Context(), s, 8); err != nil { // so that a copy takes a while
		t.Fatal(err)
	}
	load := load(t, s)
	for n := range 25 {
		before := load.all()
		path := filepath.Join(t.TempDir(), "copy.db")
		if n%2 == 0 {
			var b bytes.Buffer
			if err := s.Backup(t.Context(), &b); err != nil {
				t.Fatal(err)
			}
			write(t, path, b.Bytes())
		} else {
			f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o600)
			if err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(s.Backup(t.Context(), f), f.Close()); err != nil {
				t.Fatal(err)
			}
		}
		wantEvents(t, fmt.Sprintf("copy %d", n), path, before)
	}
	if names, err := os.ReadDir(filepath.Dir(s.DB().Path())); err != nil || len(names) != 1 {
		t.Errorf("in the folder: got %v, %v, want the file alone", names, err)
	}
}

// wantEvents opens a file and looks for events in it.
func wantEvents(t *testing.T, what, path string, want []string) {
	t.Helper()
	s, err := boltstore.Open(path, nil)
	if err != nil {
		t.Errorf("%s: %v", what, err)
		return
	}
	defer s.Close()
	if err := s.Verify(); err != nil {
		t.Errorf("%s: %v", what, err)
	}
	there := make(map[string]bool)
	q := store.DeliveryQuery{Limit: 1000}
	for {
		page, err := s.Deliveries(t.Context(), q)
		if err != nil {
			t.Errorf("%s: %v", what, err)
			return
		}
		for _, d := range page.Items {
			there[d.EventID] = true
		}
		if q.Cursor = page.Next; q.Cursor == "" {
			break
		}
	}
	for _, id := range want {
		if !there[id] {
			t.Errorf("%s: event %s is missing", what, id)
		}
	}
}

// writerFunc is a writer that is a function.
type writerFunc func(p []byte) (int, error)

func (w writerFunc) Write(p []byte) (int, error) { return w(p) }

// TestBackupToASlowWriter has the writer wait until so much was published that the file must be
// mapped anew several times, which no transaction that reads may hold up for long.
func TestBackupToASlowWriter(t *testing.T) {
	s := create(t, nil)
	subscribe(t, s)
	if err := s.Enqueue(t.Context(), Event("before")); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	published := make(chan error, 1)
	begun := false
	err := s.Backup(t.Context(), writerFunc(func(p []byte) (int, error) {
		if !begun {
			begun = true
			go func() { published <- publishMegabytes(t.Context(), s, 16) }()
			timer := time.NewTimer(time.Minute)
			defer timer.Stop()
			select {
			case err := <-published:
				published <- err
			case <-timer.C:
				t.Error("Enqueue waits for the writer of a backup")
			}
		}
		return b.Write(p)
	}))
	if err := errors.Join(err, <-published); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "copy.db")
	write(t, path, b.Bytes())
	wantEvents(t, "the copy", path, []string{"before"})
}

// publishMegabytes publishes events of a megabyte each.
func publishMegabytes(ctx context.Context, s *boltstore.Store, n int) error {
	for i := range n {
		ev := Event(fmt.Sprintf("large-%d", i))
		ev.Payload = slices.Concat([]byte{'"'}, bytes.Repeat([]byte{'x'}, 1<<20), []byte{'"'})
		if err := s.Enqueue(ctx, ev); err != nil {
			return err
		}
	}
	return nil
}

// TestBackupEnds shows that a backup ends with its context and with the store, and leaves no file.
func TestBackupEnds(t *testing.T) {
	for _, tt := range []struct {
		name string
		end  func(cancel func(), s *boltstore.Store) error
		want error
	}{
		{"context", func(cancel func(), _ *boltstore.Store) error { cancel(); return nil },
			context.Canceled},
		{"store", func(_ func(), s *boltstore.Store) error { return s.Close() }, store.ErrClosed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := create(t, nil)
			subscribe(t, s)
			if err := publishMegabytes(t.Context(), s, 2); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			folder := filepath.Dir(s.DB().Path()) // a closed database has none
			writes := 0
			err := s.Backup(ctx, writerFunc(func(p []byte) (int, error) {
				if writes++; writes == 1 {
					if err := tt.end(cancel, s); err != nil {
						return 0, err
					}
				}
				return len(p), nil
			}))
			if !errors.Is(err, tt.want) || writes != 1 {
				t.Errorf("got error %v after %d writes, want %v after one", err, writes, tt.want)
			}
			err = s.Backup(ctx, io.Discard)
			if !errors.Is(err, tt.want) {
				t.Errorf("afterwards: got error %v, want %v", err, tt.want)
			}
			if names, err := os.ReadDir(folder); err != nil || len(names) != 1 {
				t.Errorf("in the folder: got %v, %v, want the file alone", names, err)
			}
		})
	}
}

// TestBackupOfAHost copies a host's database, with what the host has in it.
func TestBackupOfAHost(t *testing.T) {
	db := hostDB(t)
	s := inHost(t, db, nil)
	subscribe(t, s)
	if err := db.Update(order(s, "tea")); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := s.Backup(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "copy.db")
	write(t, path, b.Bytes())
	wantEvents(t, "the copy", path, []string{"tea"})
}
