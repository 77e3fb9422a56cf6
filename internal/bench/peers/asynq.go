package main

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/hibiken/asynq"

	"github.com/outhook/outhook/internal/bench/plain"
)

// asynqSystem is asynq with a worker. It has no call that enqueues many tasks.
type asynqSystem struct {
	client    *asynq.Client
	server    *asynq.Server
	inspector *asynq.Inspector
	url       string
}

// asynqQueue is the queue of tasks that name none.
const asynqQueue = "default"

func openAsynq(_ context.Context, j *job) (system, error) {
	// A connection for each worker and publisher, so that none waits for one.
	redis := asynq.RedisClientOpt{Addr: j.Store, PoolSize: 2 * plain.Workers}
	s := &asynqSystem{
		client:    asynq.NewClient(redis),
		inspector: asynq.NewInspector(redis),
		url:       j.hook(),
		server: asynq.NewServer(redis, asynq.Config{
			Concurrency:       plain.Workers,
			TaskCheckInterval: 2 * time.Millisecond,
			LogLevel:          asynq.ErrorLevel,
		}),
	}
	client := plain.NewClient()
	work := func(ctx context.Context, t *asynq.Task) error {
		var w webhook
		if err := json.Unmarshal(t.Payload(), &w); err != nil {
			return err
		}
		return plain.Post(ctx, client, w.URL, w.ID, []byte(w.Body))
	}
	if err := s.server.Start(asynq.HandlerFunc(work)); err != nil {
		return nil, errors.Join(err, s.client.Close(), s.inspector.Close())
	}
	return s, nil
}

func (s *asynqSystem) publish(ctx context.Context, first, last int) error {
	for event := first; event < last; event++ {
		payload, err := json.Marshal(newWebhook(event, s.url))
		if err != nil {
			return err
		}
		task := asynq.NewTask(webhook{}.Kind(), payload)
		if _, err := s.client.EnqueueContext(ctx, task); err != nil {
			return err
		}
	}
	return nil
}

func (s *asynqSystem) pending(context.Context) (int, error) {
	q, err := s.inspector.GetQueueInfo(asynqQueue)
	if err != nil {
		return 0, err
	}
	return q.Size, nil
}

func (s *asynqSystem) close() error {
	s.server.Shutdown()
	return errors.Join(s.client.Close(), s.inspector.Close())
}
