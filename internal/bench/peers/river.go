package main

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"

	"github.com/outhook/outhook/internal/bench/plain"
)

// webhook is a job of those that have a worker by hand: what an event and its subscription are for
// outhook.
type webhook struct {
	ID   string `json:"id"`
	URL  string `json:"url"`
	Body string `json:"body"` // no JSON: River's jsonb would not give back the bytes that are signed
}

func newWebhook(event int, url string) webhook {
	return webhook{plain.ID(event), url, string(plain.Body(event, time.Now()))}
}

// Kind is the name of the job for River.
func (webhook) Kind() string { return "webhook" }

// riverWorker is River's worker.
type riverWorker struct {
	river.WorkerDefaults[webhook]
	client *http.Client
}

// Work delivers one.
func (w *riverWorker) Work(ctx context.Context, j *river.Job[webhook]) error {
	return plain.Post(ctx, w.client, j.Args.URL, j.Args.ID, []byte(j.Args.Body))
}

// riverSystem is River with a worker.
type riverSystem struct {
	client *river.Client[pgx.Tx]
	pool   *pgxpool.Pool
	url    string
}

func openRiver(ctx context.Context, j *job) (system, error) {
	pool, err := openPool(ctx, j.Store, connections)
	if err != nil {
		return nil, err
	}
	s, err := startRiver(ctx, pool, j.hook())
	if err != nil {
		pool.Close()
		return nil, err
	}
	return s, nil
}

func startRiver(ctx context.Context, pool *pgxpool.Pool, url string) (*riverSystem, error) {
	driver := riverpgxv5.New(pool)
	migrator, err := rivermigrate.New(driver, nil)
	if err != nil {
		return nil, err
	}
	if _, err := migrator.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return nil, err
	}
	workers := river.NewWorkers()
	river.AddWorker(workers, &riverWorker{client: plain.NewClient()})
	client, err := river.NewClient(driver, &river.Config{
		Queues: map[string]river.QueueConfig{river.QueueDefault: {
			MaxWorkers: plain.Workers, FetchCooldown: time.Millisecond, FetchPollInterval: time.Second,
		}},
		FetchCooldown: time.Millisecond,
		Workers:       workers,
		Logger:        slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return nil, err
	}
	return &riverSystem{client, pool, url}, client.Start(ctx)
}

func (s *riverSystem) publish(ctx context.Context, first, last int) error {
	if last-first == 1 {
		_, err := s.client.Insert(ctx, newWebhook(first, s.url), nil)
		return err
	}
	jobs := make([]river.InsertManyParams, 0, last-first)
	for event := first; event < last; event++ {
		jobs = append(jobs, river.InsertManyParams{Args: newWebhook(event, s.url)})
	}
	_, err := s.client.InsertManyFast(ctx, jobs)
	return err
}

func (s *riverSystem) pending(ctx context.Context) (n int, err error) {
	err = s.pool.QueryRow(ctx, "SELECT count(*) FROM river_job WHERE state <> 'completed'").Scan(&n)
	return n, err
}

func (s *riverSystem) close() error {
	err := s.client.Stop(context.Background())
	s.pool.Close()
	return err
}
