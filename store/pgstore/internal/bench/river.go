package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"

	"github.com/outhook/outhook/signing"
)

// webhook is River's job: what an event and its subscription are for outhook.
type webhook struct {
	ID   string          `json:"id"`
	URL  string          `json:"url"`
	Body json.RawMessage `json:"body"`
}

func (webhook) Kind() string { return "webhook" }

// sender is River's worker: the same request that the dispatcher makes.
type sender struct {
	river.WorkerDefaults[webhook]
	client *http.Client
}

func (s *sender) Work(ctx context.Context, job *river.Job[webhook]) error {
	now := time.Now()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, job.Args.URL,
		bytes.NewReader(job.Args.Body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "river")
	req.Header.Set("X-Airy-Content-Signature", signing.Airy(secret, job.Args.Body))
	req.Header.Set("webhook-id", job.Args.ID)
	req.Header.Set("webhook-timestamp", fmt.Sprint(now.Unix()))
	req.Header.Set("webhook-signature", signing.Standard(job.Args.ID, now, job.Args.Body, secret))
	resp, err := s.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d", resp.StatusCode)
	}
	return nil
}

type riverQueue struct {
	client   *river.Client[pgx.Tx]
	pool     *pgxpool.Pool
	receiver string
}

func openRiver(ctx context.Context, url, receiver string) (*riverQueue, error) {
	pool, err := newPool(ctx, url)
	if err != nil {
		return nil, err
	}
	driver := riverpgxv5.New(pool)
	migrator, err := rivermigrate.New(driver, nil)
	if err != nil {
		return nil, err
	}
	if _, err := migrator.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return nil, err
	}
	if _, err := pool.Exec(ctx, "TRUNCATE river_job"); err != nil {
		return nil, err
	}
	all := river.NewWorkers()
	river.AddWorker(all, &sender{client: &http.Client{Timeout: 15 * time.Second,
		Transport: &http.Transport{
			MaxIdleConns: 2 * workers, MaxIdleConnsPerHost: 2 * workers,
		}}})
	client, err := river.NewClient(driver, &river.Config{
		Queues: map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: workers,
			FetchCooldown: time.Millisecond, FetchPollInterval: time.Second}},
		FetchCooldown: time.Millisecond,
		Workers:       all,
		Logger:        slog.New(slog.DiscardHandler),
	})
	return &riverQueue{client, pool, receiver}, err
}

func (r *riverQueue) run(ctx context.Context) (stop func() error, err error) {
	if err := r.client.Start(ctx); err != nil {
		return nil, err
	}
	return func() error { return r.client.Stop(ctx) }, nil
}

func (r *riverQueue) publish(ctx context.Context, n int) error {
	jobs := make([]river.InsertManyParams, n)
	for i := range jobs {
		id, err := uuid.NewV7()
		if err != nil {
			return err
		}
		body := fmt.Appendf(nil, `{"type":"message.created","timestamp":%d,"payload":%s}`,
			time.Now().UnixMilli(), payload)
		jobs[i] = river.InsertManyParams{Args: webhook{id.String(), r.receiver, body}}
	}
	if n == 1 {
		_, err := r.client.Insert(ctx, jobs[0].Args, nil)
		return err
	}
	_, err := r.client.InsertManyFast(ctx, jobs)
	return err
}
