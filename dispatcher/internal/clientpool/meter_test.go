package clientpool_test

import (
	"errors"
	"io"
	"net"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"golang.org/x/net/http2"

	"github.com/outhook/outhook/dispatcher/internal/clientpool"
)

// flood sends frames with so much payload over a meter, and returns how many of them were read
// before it refused one, up to most. The reader gets a few bytes at a time, so that headers are cut
// anywhere.
func flood(t *testing.T, prepare func(m clientpool.Meter), payload, most int) int {
	t.Helper()
	here, there := net.Pipe()
	m := clientpool.NewMeter(here)
	prepare(m)
	go func() {
		f := http2.NewFramer(there, nil)
		f.AllowIllegalWrites = true
		for range most {
			if f.WriteRawFrame(http2.FramePing, 0, 0, make([]byte, payload)) != nil {
				break
			}
		}
		there.Close()
	}()
	defer there.Close()
	frames := http2.NewFramer(nil, iotest.HalfReader(m))
	frames.SetReuseFrames()
	frames.SetMaxReadFrameSize(1 << 20)
	n := 0
	for {
		_, err := frames.ReadFrame()
		var conn http2.ConnectionError
		switch {
		case err == nil, errors.As(err, &conn): // a ping of another size
			n++
			continue
		case errors.Is(err, clientpool.ErrFlood):
			if _, err := m.Read(make([]byte, 1)); err == nil || err == io.EOF {
				t.Error("the connection is open after a flood")
			}
			return n
		}
		return n
	}
}

func TestMeter(t *testing.T) {
	const many = 1 << 16
	request := func(m clientpool.Meter) { m.Begin() }
	for _, tt := range []struct {
		name    string
		prepare func(clientpool.Meter)
		payload int
		want    int
	}{
		{"idle", func(clientpool.Meter) {}, 8, clientpool.FramesIdle},
		{"a request", request, 8, clientpool.FramesIdle + clientpool.FramesPerRequest},
		{"a request that is over", func(m clientpool.Meter) {
			m.Begin()
			m.Limit(0)
		}, 8, clientpool.FramesIdle},
		{"many that are over but one", func(m clientpool.Meter) {
			for range 100 {
				m.Begin()
			}
			m.Limit(1)
		}, 8, clientpool.FramesIdle + clientpool.FramesPerRequest},
		{"large frames", func(clientpool.Meter) {}, 16<<10 - 9, clientpool.BytesIdle / (16 << 10)},
		{"large frames and a request", request, 16<<10 - 9,
			(clientpool.BytesIdle + clientpool.BytesPerRequest) / (16 << 10)},
	} {
		if got := flood(t, tt.prepare, tt.payload, many); got != tt.want {
			t.Errorf("%s: %d frames were read, want %d", tt.name, got, tt.want)
		}
	}
}

// A kilobyte that is sent pays for a frame, and so does a second.
func TestMeterIsPaid(t *testing.T) {
	sent := func(m clientpool.Meter) {
		here, there := net.Pipe()
		m.Conn, here = here, m.Conn
		go io.Copy(io.Discard, there)
		m.Write(make([]byte, 100<<10))
		m.Conn = here
	}
	if got, want := flood(t, sent, 8, 1<<16), clientpool.FramesIdle+100; got != want {
		t.Errorf("after 100 KiB that were sent, %d frames were read, want %d", got, want)
	}
	synctest.Test(t, func(t *testing.T) {
		waits := func(clientpool.Meter) { <-time.After(30 * time.Second) }
		if got, want := flood(t, waits, 8, 1<<16), clientpool.FramesIdle+30; got != want {
			t.Errorf("after 30 s, %d frames were read, want %d", got, want)
		}
		// A day does not pay for more than an idle connection has.
		waits = func(clientpool.Meter) { <-time.After(24 * time.Hour) }
		if got, want := flood(t, waits, 8, 1<<16), 2*clientpool.FramesIdle; got != want {
			t.Errorf("after a day, %d frames were read, want %d", got, want)
		}
	})
}
