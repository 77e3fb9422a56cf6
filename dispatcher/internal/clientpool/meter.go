package clientpool

import (
	"crypto/tls"
	"errors"
	"net"
	"sync"
	"time"
)

// ErrFlood is the error of an HTTP/2 connection over which the endpoint sent much more than its
// requests called for.
var ErrFlood = errors.New("clientpool: the endpoint sends frames that nothing calls for")

// What an endpoint may send over an HTTP/2 connection. An answer has a few frames and at most 64
// KiB of headers and twice as much of body, the second half after a window update of ours; beside
// it come window updates, settings and pings. Answering a ping costs more than anything else that a
// frame can ask for, some microseconds, so a request can cost some milliseconds at worst.
const (
	framesIdle       = 256       // that may come over an idle connection, the handshake included
	bytesIdle        = 64 << 10  //
	framesPerRequest = 256       //
	bytesPerRequest  = 256 << 10 //
	framesPerSecond  = 1         // for pings over a connection that is kept for long
	bytesPerFrame    = 1 << 10   // sent, that pay for a frame: a window update

	// unhandled is how many frames more it costs to send one that net/http has no use for. It
	// writes a line to the host's log for each.
	unhandled = 31
)

// Types of frames (RFC 9113, 6).
const (
	framePriority     = 0x2
	frameContinuation = 0x9 // the last that is defined there
)

// meter is an HTTP/2 connection that counts the frames that come over it. It sees them as they are
// read, below net/http and above TLS.
type meter struct {
	net.Conn

	mu      sync.Mutex
	frames  int // that may still come
	bytes   int
	sent    int       // bytes that have not paid for a frame yet
	seconds time.Time // until when time has paid
	head    [9]byte   // the header of a frame (RFC 9113, 4.1)
	filled  int       // how much of it has come
	payload int       // how much of the frame is still to come
	flooded bool      // too much came
}

// newMeter returns a meter that allows what an idle connection may get.
func newMeter(c net.Conn) *meter {
	return &meter{Conn: c, frames: framesIdle, bytes: bytesIdle, seconds: time.Now()}
}

// Read implements [net.Conn]. After ErrFlood the connection is closed.
func (m *meter) Read(p []byte) (int, error) {
	n, err := m.Conn.Read(p)
	if !m.take(p[:n]) {
		m.abort()
		return 0, ErrFlood
	}
	return n, err
}

// Write implements [net.Conn].
func (m *meter) Write(p []byte) (int, error) {
	n, err := m.Conn.Write(p)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sent += n
	m.frames += m.sent / bytesPerFrame
	m.sent %= bytesPerFrame
	return n, err
}

// abort closes the socket. Closing in good order would send, and the endpoint may not read.
func (m *meter) abort() {
	if c, ok := m.Conn.(*tls.Conn); ok {
		c.NetConn().Close()
		return
	}
	m.Conn.Close()
}

// take counts what has come, and reports whether that is not too much.
func (m *meter) take(p []byte) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	for len(p) > 0 {
		if m.payload > 0 {
			n := min(m.payload, len(p))
			m.payload -= n
			p = p[n:]
			continue
		}
		n := copy(m.head[m.filled:], p)
		m.filled += n
		p = p[n:]
		if m.filled < len(m.head) {
			break
		}
		m.filled = 0
		m.payload = int(m.head[0])<<16 | int(m.head[1])<<8 | int(m.head[2])
		m.frames--
		if kind := m.head[3]; kind == framePriority || kind > frameContinuation {
			m.frames -= unhandled
		}
		m.bytes -= len(m.head) + m.payload
		if m.frames < 0 || m.bytes < 0 {
			m.passTime() // only now, so that most frames cost no look at the clock
		}
		if m.frames < 0 || m.bytes < 0 {
			m.flooded = true
			return false
		}
	}
	return true
}

// isFlooded reports whether too much has come. That the connection was closed is noticed by who
// writes too, perhaps before who reads.
func (m *meter) isFlooded() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.flooded
}

// passTime adds what time has paid for.
func (m *meter) passTime() {
	n := int(time.Since(m.seconds) / time.Second)
	m.seconds = m.seconds.Add(time.Duration(n) * time.Second)
	m.frames += min(n*framesPerSecond, framesIdle)
	m.bytes += min(n*bytesPerFrame, bytesIdle)
}

// begin pays for a request.
func (m *meter) begin() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.frames += framesPerRequest
	m.bytes += bytesPerRequest
}

// limit takes back what requests have not used that are over. inFlight is how many are not. Without
// this, an endpoint could save up what a thousand short answers left, and send it at once.
func (m *meter) limit(inFlight int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.frames = min(m.frames, framesIdle+inFlight*framesPerRequest)
	m.bytes = min(m.bytes, bytesIdle+inFlight*bytesPerRequest)
}
