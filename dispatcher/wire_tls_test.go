package dispatcher_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"golang.org/x/net/http2"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/dispatcher/internal/nettest"
)

// handshakes are endpoints whose TLS is no good.
func handshakes(t *testing.T, ca *nettest.Authority) []hostile {
	with := func(config *tls.Config) string {
		return "https://" + nettest.ServeTLS(t, http.NotFoundHandler(), config)
	}
	raw := func(serve func(net.Conn)) string { return "https://" + nettest.Listen(t, serve) }
	own := nettest.NewAuthority(t)
	expired := func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) }
	future := func(c *x509.Certificate) { c.NotBefore = time.Now().Add(time.Minute) }
	client := func(c *x509.Certificate) {
		c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	}
	old := ca.Config(t, "127.0.0.1")
	old.MinVersion, old.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
	mutual := ca.Config(t, "127.0.0.1")
	mutual.ClientAuth, mutual.MaxVersion = tls.RequireAnyClientCert, tls.VersionTLS12
	hello := func(answer func(net.Conn)) func(net.Conn) {
		return func(c net.Conn) {
			io.ReadFull(c, make([]byte, 100)) // part of a ClientHello
			answer(c)
			io.Copy(io.Discard, c)
		}
	}
	const bad = "tls: the certificate is not good: "
	return []hostile{
		{name: "unknown authority", url: with(own.Config(t, "127.0.0.1")),
			want: bad + "nobody who is trusted has signed it"},
		{name: "expired", url: with(ca.Config(t, "127.0.0.1", expired)), want: bad + "it has expired"},
		{name: "not valid yet", url: with(ca.Config(t, "127.0.0.1", future)),
			want: bad + "it has expired, or is not valid yet"},
		{name: "for another host", url: with(ca.Config(t, "other.example")),
			want: bad + "it is for another host"},
		{name: "for another purpose", url: with(ca.Config(t, "127.0.0.1", client)),
			want: bad + "it does not verify"},
		{name: "TLS 1.1", url: with(old), want: "tls: the endpoint refused the handshake"},
		{name: "wants a certificate, TLS 1.2", url: with(mutual),
			want: "tls: the endpoint refused the handshake"},
		{name: "plain HTTP", url: raw(hello(nettest.Says("HTTP/1.1 400 Bad Request\r\n\r\n"))),
			want: "tls: the endpoint does not speak TLS"},
		{name: "garbage for TLS", url: raw(hello(nettest.Says(canary + "\x00\x01\x02"))),
			want: "tls: the endpoint does not speak TLS"},
		{name: "endless garbage for TLS", url: raw(hello(thenRepeats("\x16\x03\x03\x40\x00", "\x00"))),
			want: "tls: the handshake failed"},
		{name: "hangs up in the handshake", url: raw(hello(func(c net.Conn) {
			c.Close()
		})), want: "tls: the handshake failed"},
		{name: "resets in the handshake", url: raw(hello(nettest.Reset)),
			want: "tls: the handshake failed"},
		{name: "hangs in the handshake", url: raw(hello(func(net.Conn) {})),
			want: "timeout: no answer in time", slow: true},
	}
}

// In TLS 1.3 the sender learns that it ought to have had a certificate only after it has sent the
// request.
func TestCertificateWantedAfterTheHandshake(t *testing.T) {
	ca := nettest.NewAuthority(t)
	config := ca.Config(t, "127.0.0.1")
	config.ClientAuth = tls.RequireAnyClientCert
	address := nettest.Listen(t, func(c net.Conn) {
		tls.Server(c, config).Handshake()
		io.Copy(io.Discard, c) // closing now would be a reset, which may overtake the reason
	})
	w := newWire(t, dispatcher.Options{})
	w.Trust(ca.Pool)
	if a := w.ping(t, "https://"+address); a.Error != "tls: the endpoint refused the handshake" {
		t.Errorf("%+v, want that it refused the handshake", a)
	}
}

// serveFrames serves HTTP/2 by hand: answer is called for each request that begins.
func serveFrames(t *testing.T, ca *nettest.Authority,
	answer func(f *http2.Framer, stream uint32) error, settings ...http2.Setting) string {
	return nettest.ServeFrames(t, ca, nettest.Frames{
		Settings: settings,
		Check:    func(f *http2.SettingsFrame) { checkSettings(t, f) },
		Answer:   answer,
	})
}

// checkSettings checks that the sender lets an endpoint send ahead no more than it reads.
func checkSettings(t *testing.T, f *http2.SettingsFrame) {
	t.Helper()
	if window, ok := f.Value(http2.SettingInitialWindowSize); !ok || window > 64<<10 {
		t.Errorf("an endpoint may send %d bytes ahead, want at most 64 KiB", window)
	}
	if size, ok := f.Value(http2.SettingMaxHeaderListSize); !ok || size > 65<<10 {
		t.Errorf("an endpoint may send %d bytes of headers, want about 64 KiB", size)
	}
}

func block(fields ...string) []byte { return nettest.HeaderBlock(fields...) }

func writeHeaders(f *http2.Framer, stream uint32, end bool, fields ...string) error {
	return f.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: block(fields...),
		EndHeaders: true, EndStream: end})
}

// streams are endpoints that misbehave in HTTP/2.
func streams(t *testing.T, ca *nettest.Authority) []hostile {
	frames := func(answer func(f *http2.Framer, stream uint32) error,
		settings ...http2.Setting) string {
		return serveFrames(t, ca, answer, settings...)
	}
	resets := func(code http2.ErrCode) func(*http2.Framer, uint32) error {
		return func(f *http2.Framer, stream uint32) error { return f.WriteRSTStream(stream, code) }
	}
	goesAway := func(code http2.ErrCode) func(*http2.Framer, uint32) error {
		return func(f *http2.Framer, stream uint32) error {
			f.WriteGoAway(stream, code, []byte(canary))
			return io.EOF
		}
	}
	answers := func(fields ...string) func(*http2.Framer, uint32) error {
		return func(f *http2.Framer, stream uint32) error {
			return writeHeaders(f, stream, true, fields...)
		}
	}
	const tooMuch = "response: not a proper HTTP answer"
	return []hostile{
		{name: "HTTP/2 works", url: frames(answers(":status", "200")), status: 200},
		{name: "HTTP/2 says 503", url: frames(answers(":status", "503")), status: 503,
			want: "http_status: 503"},
		{name: "HTTP/2 resets", url: frames(resets(http2.ErrCodeInternal)),
			want: "connect: the endpoint reset the request"},
		{name: "HTTP/2 refuses for ever", url: frames(resets(http2.ErrCodeRefusedStream)),
			want: "connect: the endpoint reset the request"},
		{name: "HTTP/2 goes away", url: frames(goesAway(http2.ErrCodeEnhanceYourCalm)),
			want: "connect: "},
		{name: "HTTP/2 goes away without an error", url: frames(goesAway(http2.ErrCodeNo)),
			want: "connect: "},
		{name: "HTTP/2 hangs up", url: frames(func(*http2.Framer, uint32) error {
			return io.EOF
		}), want: "connect: "},
		{name: "HTTP/2 hangs", url: frames(func(*http2.Framer, uint32) error {
			return nil
		}), want: "timeout: ", slow: true},
		{name: "HTTP/2 lets nothing in", url: frames(func(*http2.Framer, uint32) error { return nil },
			http2.Setting{ID: http2.SettingInitialWindowSize, Val: 0}), want: "timeout: ", slow: true},
		{name: "HTTP/2 without a status", url: frames(answers("x-header", canary)), want: tooMuch},
		{name: "HTTP/2 with a status of letters", url: frames(answers(":status", canary)), want: tooMuch},
		{name: "HTTP/2 with headers in capitals",
			url: frames(answers(":status", "200", "X-Header", canary)), want: tooMuch},
		{name: "HTTP/2 with broken header compression",
			url: frames(func(f *http2.Framer, stream uint32) error {
				return f.WriteHeaders(http2.HeadersFrameParam{StreamID: stream,
					BlockFragment: []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0x7f}, EndHeaders: true})
			}), want: tooMuch},
		{name: "HTTP/2 with data first", url: frames(func(f *http2.Framer, stream uint32) error {
			return f.WriteData(stream, false, []byte(canary))
		}), want: tooMuch},
		{name: "HTTP/2 with a frame too large", url: frames(func(f *http2.Framer, stream uint32) error {
			return f.WriteRawFrame(http2.FrameHeaders, 0, stream, make([]byte, 1<<20))
		}), want: tooMuch},
		{name: "HTTP/2 with endless headers", url: frames(func(f *http2.Framer, stream uint32) error {
			err := f.WriteHeaders(http2.HeadersFrameParam{StreamID: stream,
				BlockFragment: block(":status", "200")})
			more := bytes.Repeat(block("x-header", canary), 1000)
			for n := 0; err == nil && n < 1000; n++ {
				err = f.WriteContinuation(stream, false, more)
			}
			return err
		}), want: tooMuch},
		{name: "HTTP/2 with endless 1xx", url: frames(func(f *http2.Framer, stream uint32) error {
			var err error
			for n := 0; err == nil && n < 20_000; n++ { // many times what is taken
				err = writeHeaders(f, stream, false, ":status", "103", "link", "</a>")
			}
			return err
		}), want: tooMuch},
		{name: "HTTP/2 with an endless body", url: frames(endlessData), status: 200},
		{name: "HTTP/2 with a body that never ends",
			url: frames(func(f *http2.Framer, stream uint32) error {
				writeHeaders(f, stream, false, ":status", "200")
				return f.WriteData(stream, false, []byte("part"))
			}), status: 200, slow: true},
		{name: "HTTP/2 with garbage for frames", url: frames(func(f *http2.Framer, stream uint32) error {
			return f.WriteRawFrame(http2.FrameSettings, 0, stream, []byte(canary))
		}), want: tooMuch},
	}
}

// endlessData answers 200 and then sends all that the window allows, and more than it.
func endlessData(f *http2.Framer, stream uint32) error {
	err := writeHeaders(f, stream, false, ":status", "200")
	for sent := 0; err == nil && sent < 16<<20; sent += 1 << 14 {
		err = f.WriteData(stream, false, make([]byte, 1<<14))
	}
	return err
}
