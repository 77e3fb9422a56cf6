package realservers

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/memstore"
)

// Hostile are the kinds of HTTP/2 endpoints that do harm.
var Hostile = map[string]func(f *http2.Framer, stream uint32) error{
	"GOAWAY on each request": func(f *http2.Framer, _ uint32) error {
		return f.WriteGoAway(0, http2.ErrCodeNo, nil)
	},
	"REFUSED_STREAM on each request": func(f *http2.Framer, stream uint32) error {
		return f.WriteRSTStream(stream, http2.ErrCodeRefusedStream)
	},
	"200, then a flood of PING": func(f *http2.Framer, stream uint32) error {
		return flood(f, stream, func() error { return f.WritePing(false, [8]byte{}) })
	},
	"200, then a flood of SETTINGS": func(f *http2.Framer, stream uint32) error {
		return flood(f, stream, func() error { return f.WriteSettings() })
	},
	"200, then a flood of WINDOW_UPDATE": func(f *http2.Framer, stream uint32) error {
		return flood(f, stream, func() error { return f.WriteWindowUpdate(0, 1) })
	},
}

func flood(f *http2.Framer, stream uint32, frame func() error) error {
	const status200 = 0x88 // in HPACK's static table
	err := f.WriteHeaders(http2.HeadersFrameParam{
		StreamID: stream, BlockFragment: []byte{status200}, EndHeaders: true, EndStream: true,
	})
	for err == nil {
		err = frame()
	}
	return err
}

// greeting is the first line of the process that serves the hostile endpoints.
type greeting struct {
	Addresses   map[string]string // by kind
	Certificate []byte
}

// ServeHostile serves each kind at a port, says where on out, and then, for each line of in, how
// many requests each has had. It returns when in ends.
//
// It is to run in a process of its own, so that what the endpoints cost is not counted as the
// client's.
func ServeHostile(in io.Reader, out io.Writer) error {
	config, certificate, err := selfSigned()
	if err != nil {
		return err
	}
	hello := greeting{make(map[string]string), certificate}
	counts := make(map[string]*atomic.Int64)
	for kind, answer := range Hostile {
		l, err := tls.Listen("tcp", "127.0.0.1:0", config)
		if err != nil {
			return err
		}
		defer l.Close()
		n := new(atomic.Int64)
		counts[kind], hello.Addresses[kind] = n, l.Addr().String()
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				go serveHostile(c, n, answer)
			}
		}()
	}
	say := json.NewEncoder(out)
	if err := say.Encode(hello); err != nil {
		return err
	}
	for lines := bufio.NewScanner(in); lines.Scan(); {
		requests := make(map[string]int64)
		for kind, n := range counts {
			requests[kind] = n.Load()
		}
		if err := say.Encode(requests); err != nil {
			return err
		}
	}
	return nil
}

// serveHostile serves a connection.
func serveHostile(c net.Conn, requests *atomic.Int64, answer func(*http2.Framer, uint32) error) {
	defer c.Close()
	if _, err := io.ReadFull(c, make([]byte, len(http2.ClientPreface))); err != nil {
		return
	}
	f := http2.NewFramer(c, c)
	f.AllowIllegalWrites = true
	f.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	err := f.WriteSettings()
	for err == nil {
		var frame http2.Frame
		if frame, err = f.ReadFrame(); err != nil {
			return
		}
		switch frame := frame.(type) {
		case *http2.SettingsFrame:
			if !frame.IsAck() {
				err = f.WriteSettingsAck()
			}
		case *http2.MetaHeadersFrame:
			requests.Add(1)
			err = answer(f, frame.StreamID)
		}
	}
}

// selfSigned returns a server's configuration for 127.0.0.1, and its certificate.
func selfSigned() (*tls.Config, []byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(24 * time.Hour),
		IsCA:     true, BasicConstraintsValid: true, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, nil, err
	}
	return &tls.Config{
		NextProtos:   []string{"h2"},
		Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}},
	}, der, nil
}

// Harm is what a hostile endpoint came to.
type Harm struct {
	Attempts, Requests int
	// The share of one core that this process took while the connection would have been idle.
	CPU float64
}

// MeasureHostile starts the command, which must call [ServeHostile] with its standard input and
// output, and makes attempts at each kind of endpoint. cpu returns what this process has used. It
// is looked at after the attempts at each kind, for the time quiet.
func MeasureHostile(
	ctx context.Context, command *exec.Cmd, attempts int, quiet time.Duration,
	cpu func() time.Duration,
) (map[string]Harm, error) {
	command.Stderr = os.Stderr
	in, err := command.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := command.Start(); err != nil {
		return nil, err
	}
	defer command.Wait()
	defer in.Close() // which ends it
	said := json.NewDecoder(out)
	var hello greeting
	if err := said.Decode(&hello); err != nil {
		return nil, fmt.Errorf("realservers: the hostile endpoints: %w", err)
	}
	roots := x509.NewCertPool()
	certificate, err := x509.ParseCertificate(hello.Certificate)
	if err != nil {
		return nil, err
	}
	roots.AddCert(certificate)
	harms := make(map[string]Harm)
	for kind, address := range hello.Addresses {
		share, err := suffer(ctx, "https://"+address, &tls.Config{RootCAs: roots}, attempts, quiet, cpu)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", kind, err)
		}
		harms[kind] = Harm{Attempts: attempts, CPU: share}
	}
	if _, err := io.WriteString(in, "\n"); err != nil {
		return nil, err
	}
	var requests map[string]int
	if err := said.Decode(&requests); err != nil {
		return nil, err
	}
	for kind, h := range harms {
		h.Requests = requests[kind]
		harms[kind] = h
	}
	return harms, nil
}

// suffer makes the attempts at a URL, one after another, and returns what CPU is used after them.
func suffer(
	ctx context.Context, url string, config *tls.Config, attempts int, quiet time.Duration,
	cpu func() time.Duration,
) (share float64, err error) {
	made := make(chan struct{}, attempts)
	d, err := dispatcher.New(memstore.New(), &dispatcher.Options{
		AllowPrefixes: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
		Logger:        slog.New(slog.DiscardHandler),
		TLS:           func(store.Subscription) *tls.Config { return config },
		Backoff:       dispatcher.Backoff{Initial: time.Hour}, // each delivery is one attempt
		Observer:      &dispatcher.Observer{OnAttempt: func(dispatcher.Info) { made <- struct{}{} }},
	})
	if err != nil {
		return 0, err
	}
	if _, err := d.Subscribe(ctx, store.Subscription{URL: url}); err != nil {
		return 0, err
	}
	running, stop := context.WithCancel(ctx)
	var (
		wg     sync.WaitGroup
		failed error
	)
	wg.Go(func() { failed = d.Run(running) })
	defer func() {
		stop()
		wg.Wait()
		err = errors.Join(err, failed)
	}()
	for n := range attempts {
		e, err := events.New(eventType, n)
		if err == nil {
			err = d.Publish(ctx, e)
		}
		if err != nil {
			return 0, err
		}
		select {
		case <-made:
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
	before, start := cpu(), time.Now()
	select {
	case <-time.After(quiet):
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	return (cpu() - before).Seconds() / time.Since(start).Seconds(), nil
}
