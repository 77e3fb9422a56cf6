package nettest

import (
	"bytes"
	"crypto/tls"
	"io"
	"net"
	"testing"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// Frames is an endpoint that speaks HTTP/2 by hand.
type Frames struct {
	Settings []http2.Setting
	Check    func(*http2.SettingsFrame) // is given the sender's; if nil, they are not looked at

	// Answer is called for each request that begins. An error ends the connection.
	Answer func(f *http2.Framer, stream uint32) error
}

// ServeFrames returns the endpoint's URL.
func ServeFrames(t *testing.T, ca *Authority, endpoint Frames) string {
	config := ca.Config(t, "127.0.0.1")
	config.NextProtos = []string{"h2"}
	return "https://" + Listen(t, func(c net.Conn) {
		s := tls.Server(c, config)
		preface := make([]byte, len(http2.ClientPreface))
		if _, err := io.ReadFull(s, preface); err != nil || string(preface) != http2.ClientPreface {
			return
		}
		f := http2.NewFramer(s, s)
		f.AllowIllegalWrites = true
		err := f.WriteSettings(endpoint.Settings...)
		for err == nil {
			var frame http2.Frame
			if frame, err = f.ReadFrame(); err == nil {
				err = endpoint.take(f, frame)
			}
		}
	})
}

// take does what a frame asks for.
func (e *Frames) take(f *http2.Framer, frame http2.Frame) error {
	switch frame := frame.(type) {
	case *http2.SettingsFrame:
		if frame.IsAck() {
			return nil
		}
		if e.Check != nil {
			e.Check(frame)
		}
		return f.WriteSettingsAck()
	case *http2.PingFrame:
		if !frame.IsAck() {
			return f.WritePing(true, frame.Data)
		}
	case *http2.DataFrame:
		if n := uint32(len(frame.Data())); n > 0 {
			return f.WriteWindowUpdate(0, n)
		}
	case *http2.HeadersFrame:
		return e.Answer(f, frame.StreamID)
	}
	return nil
}

// HeaderBlock encodes header fields, given as names and values in turn.
func HeaderBlock(fields ...string) []byte {
	var b bytes.Buffer
	e := hpack.NewEncoder(&b)
	for i := 0; i < len(fields); i += 2 {
		e.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]})
	}
	return b.Bytes()
}

// AnswerFrames answers a stream with a status and nothing else.
func AnswerFrames(f *http2.Framer, stream uint32, status string) error {
	return f.WriteHeaders(http2.HeadersFrameParam{
		StreamID: stream, BlockFragment: HeaderBlock(":status", status), EndHeaders: true,
		EndStream: true,
	})
}
