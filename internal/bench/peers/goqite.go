package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"path/filepath"
	"time"

	_ "github.com/mattn/go-sqlite3" // the driver that goqite's documentation takes
	"maragu.dev/goqite"

	"github.com/outhook/outhook/internal/bench/plain"
)

// goqiteTable is the table that goqite wants to find.
const goqiteTable = `
CREATE TABLE goqite (
	id text PRIMARY KEY DEFAULT ('m_' || lower(hex(randomblob(16)))),
	created text NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ')),
	updated text NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ')),
	queue text NOT NULL,
	body blob NOT NULL,
	timeout text NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ')),
	received integer NOT NULL DEFAULT 0,
	priority integer NOT NULL DEFAULT 0
) STRICT;
CREATE TRIGGER goqite_updated_timestamp AFTER UPDATE ON goqite BEGIN
	UPDATE goqite SET updated = strftime('%Y-%m-%dT%H:%M:%fZ') WHERE id = old.id;
END;
CREATE INDEX goqite_queue_priority_created_idx ON goqite (queue, priority DESC, created);`

// goqiteSystem is goqite with a worker. SQLite has one writer, so each message is received, and
// deleted, in a transaction of its own; a batch is sent in one.
type goqiteSystem struct {
	db      *sql.DB
	queue   *goqite.Queue
	workers *workers[*goqite.Message]
	url     string
}

func openGoqite(ctx context.Context, j *job) (system, error) {
	db, err := sql.Open("sqlite3", "file:"+filepath.Join(j.Dir, "goqite.db")+
		"?_journal=WAL&_sync=FULL&_timeout=5000&_fk=true&_txlock=immediate")
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1) // as goqite's examples have it: they take turns, and none is refused
	if _, err := db.ExecContext(ctx, goqiteTable); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	s := &goqiteSystem{db: db, url: j.hook()}
	s.queue = goqite.New(goqite.NewOpts{DB: db, Name: "webhooks", Timeout: time.Minute})
	client := plain.NewClient()
	s.workers = startWorkers(plain.Workers, s.receive, func(m *goqite.Message) error {
		var w webhook
		if err := json.Unmarshal(m.Body, &w); err != nil {
			return err
		}
		if err := plain.Post(context.Background(), client, w.URL, w.ID, []byte(w.Body)); err != nil {
			return err
		}
		return s.queue.Delete(context.Background(), m.ID)
	})
	return s, nil
}

// receive hands on a message, if there is one.
func (s *goqiteSystem) receive(
	_ context.Context, hand func(*goqite.Message),
) (found bool, err error) {
	m, err := s.queue.Receive(context.Background())
	if err != nil || m == nil {
		return false, err
	}
	hand(m)
	return true, nil
}

func (s *goqiteSystem) publish(ctx context.Context, first, last int) (err error) {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, tx.Rollback())
		}
	}()
	for event := first; event < last; event++ {
		body, err := json.Marshal(newWebhook(event, s.url))
		if err != nil {
			return err
		}
		if err := s.queue.SendTx(ctx, tx, goqite.Message{Body: body}); err != nil {
			return err
		}
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	s.workers.wakeUp()
	return nil
}

func (s *goqiteSystem) pending(ctx context.Context) (n int, err error) {
	err = s.db.QueryRowContext(ctx, "SELECT count(*) FROM goqite").Scan(&n)
	return n, err
}

func (s *goqiteSystem) close() error { return errors.Join(s.workers.end(), s.db.Close()) }
