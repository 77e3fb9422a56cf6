package clientpool

import "net"

// Bounds of an idle HTTP/2 connection, and what a request adds to them.
const (
	FramesIdle, FramesPerRequest = framesIdle, framesPerRequest
	BytesIdle, BytesPerRequest   = bytesIdle, bytesPerRequest
)

// Meter is a meter without a Client.
type Meter struct{ *meter }

func NewMeter(c net.Conn) Meter { return Meter{newMeter(c)} }

func (m Meter) Begin()             { m.begin() }
func (m Meter) Limit(inFlight int) { m.limit(inFlight) }
