package send

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/textproto"
	"os"
	"strings"
	"syscall"

	"github.com/outhook/outhook/dispatcher/internal/clientpool"
	"github.com/outhook/outhook/dispatcher/internal/content"
	"github.com/outhook/outhook/dispatcher/internal/h1"
	"github.com/outhook/outhook/dispatcher/internal/netguard"
	"github.com/outhook/outhook/dispatcher/internal/transport"
)

// The classes of failures: the first word of an Attempt.Error, before a colon. They are in the
// histories of hosts, so that none of them changes.
const (
	ClassBlockedAddress = "blocked_address" // the guard refused the address that was to be dialed
	ClassDNS            = "dns"             // the host's name could not be resolved
	ClassConnect        = "connect"         // no connection stood, or it broke before an answer
	ClassTLS            = "tls"             // the handshake failed, or the certificate is not good
	ClassTimeout        = "timeout"         // no answer by the deadline
	ClassHTTPStatus     = "http_status"     // an answer with a status that is no success
	ClassResponse       = "response"        // what came is not HTTP, or past a limit
	ClassCanceled       = "canceled"        // Run was stopping, and cut the attempt off
	ClassSender         = "sender"          // a function of the host failed, or this package did
)

// Class returns the class of an Attempt.Error; "" if it has none.
func Class(text string) string {
	switch word, _, _ := strings.Cut(text, ":"); word {
	case ClassBlockedAddress, ClassDNS, ClassConnect, ClassTLS, ClassTimeout, ClassHTTPStatus,
		ClassResponse, ClassCanceled, ClassSender:
		return word
	}
	return ""
}

var (
	// errPanic stands for a panic outside of the hooks: of a host's Transport, Success or Final, or
	// of this package.
	errPanic = errors.New("send: sending panicked")

	// errURL is about a stored URL that Subscribe would not have stored.
	errURL = errors.New("send: the URL is not one that can be posted to")

	// errStatus is about an answer like 099, which http.ReadResponse lets pass, or of a host's
	// Transport. A store would refuse it.
	errStatus = errors.New("send: the status is not one from 100 to 999")

	// errReplayed ends an attempt that is about to send a third request.
	errReplayed = errors.New("send: the request was sent twice already")
)

// hookError says that a hook of the host failed, panicked, or left what cannot be sent.
type hookError struct {
	hook string // the option's name, such as "Transform"
}

func (e *hookError) Error() string { return "send: Options." + e.hook + " failed" }

// describe puts an error into words that are fit for the endpoint's owner: never an address that
// was resolved, never the URL, never the raw error.
func describe(err error) string {
	class, words := classify(err)
	return class + ": " + words
}

// classify returns the class of an error, and what to say about it.
//
// An error wraps others, and the first case that matches decides, so the order matters. The guard's
// refusal and a hook's failure come first, because both are wrapped in errors of a dial or a
// handshake. A look-up that timed out is reported as DNS, which says more than a timeout. A
// handshake that timed out is reported as a timeout, because nobody has seen the certificate yet.
func classify(err error) (class, words string) {
	var (
		dns     *net.DNSError
		hook    *hookError
		header  *storedHeaderError
		blocked *netguard.BlockedURL
	)
	switch {
	case errors.As(err, &blocked) && blocked.Loopback:
		// Only where the URL says so by itself: what a name resolves to is not told.
		return ClassBlockedAddress, "the host is the sender's own machine, which deliveries must not " +
			"go to; for development, set dispatcher.Options.AllowLoopback"
	case errors.Is(err, netguard.ErrBlocked):
		return ClassBlockedAddress, "the host's address is one that deliveries must not go to"
	case errors.As(err, &header):
		return ClassSender, header.words()
	case errors.As(err, &hook):
		return ClassSender, "its " + hook.hook + " failed"
	case errors.Is(err, errPanic), errors.Is(err, transport.ErrPanic):
		return ClassSender, "it failed while sending"
	case errors.Is(err, content.ErrBody):
		return ClassSender, "it could not make the request"
	case errors.Is(err, content.ErrFields):
		return ClassSender, "the stored fields are not ones that can be read"
	case errors.Is(err, content.ErrMark):
		return ClassSender, "what was sent first is stored in a form that can't be read"
	case errors.Is(err, errURL):
		return ClassSender, "the stored URL is not one that can be posted to"
	case errors.Is(err, transport.ErrProxy):
		return ClassConnect, "the sender's proxy refuses the endpoint"
	case errors.As(err, &dns) && dns.IsNotFound:
		return ClassDNS, "the host's name does not resolve"
	case errors.As(err, &dns):
		return ClassDNS, "the host's name could not be looked up"
	case errors.Is(err, context.Canceled):
		return ClassCanceled, "cut off, as the sender was stopping"
	case isTimeout(err):
		return ClassTimeout, "no answer in time"
	}
	if words := tlsProblem(err); words != "" {
		return ClassTLS, words
	}
	if err == h1.ErrHeader || innermostBeginsWith(err, "net/http: invalid header") {
		return ClassConnect, "a header is not one that can be sent"
	}
	if isMalformed(err) {
		return ClassResponse, "not a proper HTTP answer"
	}
	return ClassConnect, connectionProblem(err)
}

// isTimeout reports whether a deadline, of the attempt or of its connection, has ended it.
func isTimeout(err error) bool {
	var timeout net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) ||
		errors.As(err, &timeout) && timeout.Timeout()
}

// tlsProblem says what is wrong with a handshake or a certificate; "" if err is not about TLS.
func tlsProblem(err error) string {
	var (
		cert   *tls.CertificateVerificationError
		record tls.RecordHeaderError
		alert  *net.OpError
	)
	switch {
	case errors.As(err, &cert):
		return "the certificate is not good: " + certificateProblem(cert.Err)
	case errors.As(err, &record), errors.Is(err, http.ErrSchemeMismatch):
		return "the endpoint does not speak TLS"
	case errors.As(err, &alert) && alert.Op == "remote error":
		return "the endpoint refused the handshake"
	case errors.Is(err, transport.ErrHandshake), innermostBeginsWith(err, "tls: ", "x509: "):
		// The texts are of handshakes through a proxy, which net/http makes.
		return "the handshake failed"
	}
	return ""
}

// certificateProblem says why a certificate does not verify. The names and dates in it are not
// repeated: they are what the endpoint sent.
func certificateProblem(err error) string {
	var (
		host      x509.HostnameError
		authority x509.UnknownAuthorityError
		invalid   x509.CertificateInvalidError
	)
	switch {
	case errors.As(err, &host):
		return "it is for another host"
	case errors.As(err, &authority):
		return "nobody who is trusted has signed it"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "it has expired, or is not valid yet"
	}
	return "it does not verify"
}

// isMalformed reports whether err says that the answer is not HTTP, or past a limit.
func isMalformed(err error) bool {
	var (
		header textproto.ProtocolError
		stream streamError
	)
	if errors.As(err, &stream) {
		// With this Cause the endpoint has reset the stream; net/http gives another one when it
		// does so itself, because of what the endpoint has sent.
		return stream.Cause == nil || stream.Cause.Error() != "received from peer"
	}
	return errors.Is(err, errStatus) || errors.Is(err, h1.ErrLargeHeader) ||
		errors.Is(err, clientpool.ErrFlood) ||
		errors.As(err, &header) ||
		innermostBeginsWith(err, "malformed ", "bad Content-Length", "unsupported transfer encoding",
			"too many transfer encodings",
			"http: message cannot contain", "net/http: server response headers exceeded",
			"connection error: ", "http2: response header list", "http2: frame too large")
}

// streamError has the shape of net/http's error for a stream of HTTP/2 that was reset, by the
// endpoint, or by net/http because the endpoint does not obey the protocol. net/http lets errors.As
// fill any type of this shape.
type streamError struct {
	StreamID uint32
	Code     uint32
	Cause    error
}

func (streamError) Error() string { return "stream error" }

// connectionProblem says how a connection failed. Errors of the system come before those of reading
// and dialing, in which they are wrapped.
func connectionProblem(err error) string {
	var (
		dial   *net.OpError
		stream streamError
	)
	switch {
	case errors.As(err, &stream):
		return "the endpoint reset the request"
	case errors.Is(err, errReplayed):
		return "the endpoint did not take the request"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "connection reset"
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return "the host is unreachable"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "the connection was closed before an answer"
	case errors.As(err, &dial) && dial.Op == "dial":
		return "no connection"
	}
	return "the connection broke before an answer"
}

// innermostBeginsWith reports whether the text of the innermost error in err begins with one of the
// texts: net/http and crypto/tls have errors without a type. An endpoint's bytes may be in the text
// of an error, but never at its beginning.
func innermostBeginsWith(err error, texts ...string) bool {
	for inner := errors.Unwrap(err); inner != nil; inner = errors.Unwrap(err) {
		err = inner
	}
	for _, text := range texts {
		if strings.HasPrefix(err.Error(), text) {
			return true
		}
	}
	return false
}
