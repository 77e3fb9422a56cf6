package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/ThreeDotsLabs/watermill"
	whttp "github.com/ThreeDotsLabs/watermill-http/v2/pkg/http"
	wsql "github.com/ThreeDotsLabs/watermill-sql/v4/pkg/sql"
	"github.com/ThreeDotsLabs/watermill/components/forwarder"
	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/outhook/outhook/internal/bench/plain"
)

// outboxes is how many outbox tables there are, each with a forwarder. One forwarder posts one
// event after another.
const outboxes = 16

// watermillSystem is watermill's outbox: publishers insert envelopes into tables of PostgreSQL, and
// forwarders take them out and publish them by HTTP.
type watermillSystem struct {
	pool       *pgxpool.Pool
	outboxes   []message.Publisher
	forwarders []*forwarder.Forwarder
	ended      chan error // by each forwarder
	next       atomic.Int64
	url        string
}

func openWatermill(ctx context.Context, j *job) (system, error) {
	// Each forwarder has a connection for as long as it has events.
	pool, err := openPool(ctx, j.Store, connections+outboxes)
	if err != nil {
		return nil, err
	}
	s := &watermillSystem{pool: pool, ended: make(chan error, outboxes), url: j.hook()}
	out, err := whttp.NewPublisher(whttp.PublisherConfig{
		Client: plain.NewClient(),
		MarshalMessageFunc: func(url string, m *message.Message) (*http.Request, error) {
			return plain.NewRequest(m.Context(), url, m.UUID, m.Payload)
		},
	}, watermill.NopLogger{})
	if err != nil {
		return nil, errors.Join(err, s.close())
	}
	for i := range outboxes {
		if err := s.addOutbox(ctx, outbox(i), out); err != nil {
			return nil, errors.Join(err, s.close())
		}
	}
	return s, nil
}

func outbox(i int) string { return fmt.Sprintf("outbox_%d", i) }

// addOutbox makes a table, and starts its forwarder.
func (s *watermillSystem) addOutbox(
	ctx context.Context, topic string, out message.Publisher,
) error {
	db, log := wsql.BeginnerFromPgx(s.pool), watermill.NopLogger{}
	in, err := wsql.NewSubscriber(db, wsql.SubscriberConfig{
		PollInterval:     2 * time.Millisecond,
		SchemaAdapter:    wsql.PostgreSQLQueueSchema{},
		OffsetsAdapter:   wsql.PostgreSQLQueueOffsetsAdapter{DeleteOnAck: true},
		InitializeSchema: true,
	}, log)
	if err != nil {
		return err
	}
	f, err := forwarder.NewForwarder(in, out, log, forwarder.Config{ForwarderTopic: topic})
	if err != nil {
		return err
	}
	go func() { s.ended <- f.Run(context.WithoutCancel(ctx)) }()
	select {
	case <-f.Running():
	case err := <-s.ended:
		return err
	}
	s.forwarders = append(s.forwarders, f)
	table, err := wsql.NewPublisher(db, wsql.PublisherConfig{
		SchemaAdapter: wsql.PostgreSQLQueueSchema{},
	}, log)
	if err != nil {
		return err
	}
	s.outboxes = append(s.outboxes, forwarder.NewPublisher(table, forwarder.PublisherConfig{
		ForwarderTopic: topic,
	}))
	return nil
}

func (s *watermillSystem) publish(_ context.Context, first, last int) error {
	messages := make([]*message.Message, 0, last-first)
	for event := first; event < last; event++ {
		messages = append(messages, message.NewMessage(plain.ID(event), plain.Body(event, time.Now())))
	}
	// In turn, so that all forwarders have the same to do.
	to := s.outboxes[int(s.next.Add(1))%outboxes]
	return to.Publish(s.url, messages...)
}

func (s *watermillSystem) pending(ctx context.Context) (n int, err error) {
	counts := make([]string, outboxes)
	for i := range counts {
		counts[i] = fmt.Sprintf("(SELECT count(*) FROM watermill_%s)", outbox(i))
	}
	err = s.pool.QueryRow(ctx, "SELECT "+strings.Join(counts, " + ")).Scan(&n)
	return n, err
}

func (s *watermillSystem) close() (err error) {
	for _, f := range s.forwarders {
		err = errors.Join(err, f.Close())
	}
	for range s.forwarders {
		err = errors.Join(err, <-s.ended)
	}
	s.pool.Close()
	return err
}
