package pgstore

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	tellEvery      = 10 * time.Millisecond // at most so often other replicas are told
	relistenFirst  = 100 * time.Millisecond
	relistenMax    = 5 * time.Second
	notifyTimeout  = 5 * time.Second
	notifySettings = plainSettings + `, set_config('synchronous_commit', 'off', true)`
	listenTimeout  = 10 * time.Second // to connect and to listen
	hangUpTimeout  = time.Second
)

// listen starts, at the first call, what learns of changes by other replicas, and tells them.
//
// A notification is sent after the transaction, not in it, and for many at once: PostgreSQL makes
// transactions with one commit one after another. One that is lost costs no more than the poll
// interval.
func (s *Store) listen() {
	s.waker.once.Do(func() {
		s.background.Go(s.takeNoticesWhenTold)
		if !s.o.PollOnly {
			s.background.Go(s.tellOthers)
			s.background.Go(s.hear)
		}
	})
}

// tellOthers tells the other replicas when there is something new.
func (s *Store) tellOthers() {
	for {
		select {
		case <-s.life.Done():
			return
		case <-s.waker.tell:
		}
		err := s.transactWithin(s.life, 0, notifyTimeout, beginWrite, notifySettings, func(b *batch) {
			b.Queue("SELECT pg_notify($1, '')", s.channel())
		})
		if err != nil && s.life.Err() == nil {
			s.log.trouble("notify", err)
		}
		pause(s.life, tellEvery)
	}
}

// channel is the name of the notification channel.
func (s *Store) channel() string { return s.o.Schema }

// hear has notices taken when another replica says that there are some, on a connection of its own,
// which it makes anew when it is lost.
func (s *Store) hear() {
	delay := relistenFirst
	for s.life.Err() == nil {
		err := s.hearOn(s.life, func() { delay = relistenFirst })
		if s.life.Err() != nil {
			return
		}
		s.log.trouble("the notification connection was lost; polling meanwhile", err)
		pause(s.life, delay)
		delay = min(2*delay, relistenMax)
	}
}

// hearOn listens on a new connection until that is lost. What was missed before it listened it
// makes up for.
func (s *Store) hearOn(ctx context.Context, connected func()) error {
	conn, err := s.listening(ctx)
	if err != nil {
		return err
	}
	defer hangUp(conn)
	connected()
	fill(s.waker.told)
	for {
		n, err := conn.WaitForNotification(ctx)
		if err != nil {
			return err
		}
		if n.Payload == sharesFree {
			fill(s.owner.now)
		} else {
			fill(s.waker.told)
		}
	}
}

// listening returns a connection that listens.
func (s *Store) listening(ctx context.Context) (*pgx.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, listenTimeout)
	defer cancel()
	pool := s.pool.Config()
	config := pool.ConnConfig
	if pool.BeforeConnect != nil { // it may be what knows the password
		if err := pool.BeforeConnect(ctx, config); err != nil {
			return nil, err
		}
	}
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	if _, err := conn.Exec(ctx, "LISTEN "+pgx.Identifier{s.channel()}.Sanitize()); err != nil {
		hangUp(conn)
		return nil, err
	}
	return conn, nil
}

// hangUp closes the connection, also when the server does not answer.
func hangUp(conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), hangUpTimeout)
	defer cancel()
	_ = conn.Close(ctx) // nothing depends on it any more
}

// pause waits, or until ctx ends.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
