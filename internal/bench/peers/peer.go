package main

import (
	"context"
	"fmt"

	"github.com/outhook/outhook/internal/bench/plain"
)

// peer is a way to do the work.
type peer struct {
	key    string // for -only
	name   string // in the tables
	module string // whose version is told; "" for none
	server server // what it stores its events in
	// keeps says what an event survives once publish has returned.
	keeps string
	// publishers are how many publish at once; 0 for what the work says.
	publishers int
	// batches tells whether publish can take many events at a time.
	batches bool
	open    func(ctx context.Context, j *job) (system, error)
}

// system is a peer at work: it takes events, and delivers them meanwhile.
type system interface {
	// publish takes the events from first to last−1, at once.
	publish(ctx context.Context, first, last int) error
	// pending returns how many events are not recorded as done.
	pending(ctx context.Context) (int, error)
	// close stops delivering and removes what it has opened.
	close() error
}

// raw is the key of the ceiling.
const raw = "raw"

// peers are all, in the order of the tables.
var peers = []peer{
	{key: raw, name: "raw net/http", keeps: "nothing", publishers: plain.Workers, open: openRaw},
	{
		key: "fasthttp", name: "raw fasthttp", module: "github.com/valyala/fasthttp", keeps: "nothing",
		publishers: plain.Workers, open: openFastHTTP,
	},
	{
		key: "boltstore", name: "outhook, boltstore", keeps: "power cut", batches: true,
		open: openBoltstore,
	},
	{
		key: "pgstore", name: "outhook, pgstore", server: postgres, keeps: "power cut", batches: true,
		open: openPgstore,
	},
	{
		key: "river", name: "River", module: "github.com/riverqueue/river", server: postgres,
		keeps: "power cut", batches: true, open: openRiver,
	},
	{
		key: "asynq", name: "asynq, fsync always", module: "github.com/hibiken/asynq",
		server: redisAlways, keeps: "power cut", open: openAsynq,
	},
	{
		key: "asynqsec", name: "asynq, fsync each second", module: "github.com/hibiken/asynq",
		server: redisEverySecond, keeps: "kill; a power cut takes a second", open: openAsynq,
	},
	{
		key: "goqite", name: "goqite, SQLite", module: "maragu.dev/goqite", keeps: "power cut",
		batches: true, open: openGoqite,
	},
	{
		key: "watermill", name: "watermill, forwarder", module: "github.com/ThreeDotsLabs/watermill",
		server: postgres, keeps: "power cut", batches: true, open: openWatermill,
	},
	{
		key: "bolt", name: "bbolt, Batch by hand", module: "go.etcd.io/bbolt", keeps: "power cut",
		batches: true, open: openBolt,
	},
}

// find returns the peer with a key.
func find(key string) (*peer, error) {
	for i := range peers {
		if peers[i].key == key {
			return &peers[i], nil
		}
	}
	return nil, fmt.Errorf("-only names %q; give names of -list, such as river,bolt", key)
}

// ours reports whether the peer is outhook.
func (p *peer) ours() bool { return p.key == "boltstore" || p.key == "pgstore" }

// work is what a peer is given to do.
type work string

const (
	singly  work = "singly"  // one event each
	batches work = "batches" // batchSize events at a time
	steady  work = "steady"  // so many a second
)

const (
	publishers = 16  // how many publish at once
	batchSize  = 100 // how many events a batch has
)

// works are what the peer is given to do.
func (p *peer) works() []work {
	if p.batches {
		return []work{singly, batches, steady}
	}
	return []work{singly, steady}
}
